# shellcheck shell=bash disable=SC2034,SC2154
# Takes out of texts what nobody else may read: private keys, passwords, tokens. Sourced by swarmLogCollector.

secrets='' # a file with the lines of the private keys of this host's nodes; set by begin_redacting

begin_redacting() { # SCRATCH-FOLDER
  secrets=$1/secrets
  (umask 077 && : >"$secrets")
}

# What is in this private key is in no text from here on.
hide_key() { # FILE
  [[ -r $1 ]] || return 0
  # Lines of the key itself; short ones could be anything.
  grep -av -- '-----' "$1" 2>/dev/null | tr -d '\r' | grep -aE '.{16,}' >>"$secrets" || true
}

# Any private key in PEM, over lines or in one; values whose names say that they are secret; passwords in addresses.
redact() {
  sed -E \
    -e 's/-----BEGIN [A-Z ]*PRIVATE KEY-----.*-----END [A-Z ]*PRIVATE KEY-----/(private key removed)/g' \
    -e '/-----BEGIN [A-Z ]*PRIVATE KEY-----/,/-----END [A-Z ]*PRIVATE KEY-----/d' \
    -e 's,(://)[^/@[:space:]"]+@,\1(removed)@,g' \
    -e 's/((pass(word|wd|phrase)?|secret|token|credentials?|api_?key|access_?key)[A-Za-z0-9_.-]*"?[[:space:]]*:[[:space:]]*)[^[:space:],{[].*/\1(removed)/I' \
    -e 's/((pass(word|wd|phrase)?|secret|token|credentials?|api_?key|access_?key)[A-Za-z0-9_.-]*=)[^"'"'"',]*/\1(removed)/Ig' \
    | if [[ -s $secrets ]]; then grep -avF -f "$secrets" || true; else cat; fi
}

# The last look: no file leaves that has the begin of a private key, whatever was overlooked before.
check_redacted() { # FOLDER
  local file
  while IFS= read -r -d '' file; do
    if grep -aqE -- '-----BEGIN [A-Z ]*PRIVATE KEY-----' "$file" || { [[ -s $secrets ]] && grep -aqF -f "$secrets" "$file"; }; then
      note "${file##*/} is left out: it has a private key in it"
      rm -f "$file"
    fi
  done < <(find "$1" -type f -print0)
}
