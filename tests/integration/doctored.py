"""What `swarmd doctor` looks at: certificates of any time, an SN that says something else, hosts with a fault."""

import http.client
import http.server
import json
import os
import pathlib
import re
import shlex
import ssl
import subprocess
import sys
import threading

from harness import BIN, ROOT, Certs, free_port
from launcher.processes import STEERING, scrambled

GOLDEN = pathlib.Path(__file__).resolve().parent / "doctor"
ROW = re.compile(r"^  (ok|warning|wrong|not checked) +(\S+)", re.MULTILINE)


class Dated(Certs):
    """Certificates of one authority; some of them not of today."""

    def make(self, name, begin, end, subject=None):
        """A certificate that counts between these dates (as openssl takes them)."""
        ca, place = self.folder / "ca" / "ca-key.pem", self.folder / "authority"
        place.mkdir(exist_ok=True)
        (place / "index").touch()
        (place / "config").write_text(
            f"[ca]\ndefault_ca = own\n[own]\ndatabase = {place}/index\ndefault_md = sha256\nnew_certs_dir = {place}\n"
            "rand_serial = yes\npolicy = any\nunique_subject = no\n[any]\ncommonName = supplied\n"
        )
        key, cert = self.folder / f"{name}-key.pem", self.folder / f"{name}-cert.pem"
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                "-subj", f"/CN={subject or name}", "-out", place / "wanted")  # fmt: skip
        openssl("ca", "-config", place / "config", "-keyfile", ca, "-cert", self.capath / "ca-cert.pem", "-batch",
                "-notext", "-startdate", begin, "-enddate", end, "-in", place / "wanted", "-out", cert)  # fmt: skip
        key.chmod(0o600)
        return self.flags(name)


def openssl(*words):
    return subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, text=True).stdout


def authority_of(certs):
    """What its certificate calls an authority."""
    subject = openssl("x509", "-noout", "-subject", "-in", certs.capath / "ca-cert.pem")
    return re.search(r"CN *= *(\S+)", subject)[1]


class Between:
    """Passes requests on to an SN, with the certificate of `client`, and changes what it answers:
    `change(headers, answers)`."""

    def __init__(self, sn, certs, client, change):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.pass_on(None)

            def do_POST(self):
                self.pass_on(self.rfile.read(int(self.headers["Content-Length"])))

            def pass_on(self, body):
                link = http.client.HTTPSConnection("127.0.0.1", sn.port, context=certs.context(client), timeout=30)
                link.request(self.command, self.path, body, {"Content-Type": "application/json"} if body else {})
                real = link.getresponse()
                said, headers = real.read(), dict(real.getheaders())
                link.close()
                answers = json.loads(said) if body else []
                change(headers, answers)
                said = json.dumps(answers).encode() if body else said
                self.send_response_only(real.status)
                for name in ("Date", "Content-Type"):
                    if name in headers:
                        self.send_header(name, headers[name])
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        self.port = free_port()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        context = certs.context("sn-1", ssl.PROTOCOL_TLS_SERVER)
        context.verify_mode = ssl.CERT_REQUIRED
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def clean_up(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class Doctor:
    """Runs `swarmd doctor` in `folder`; `names`: what texts call the paths, ports and the like of a test."""

    def __init__(self, folder, names):
        self.folder, self.names = pathlib.Path(folder), dict(names)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}

    def run(self, *arguments, inside=(), environment=None, status=0):
        """Its output. `inside`: the words of what starts it."""
        command = [*inside, BIN / "swarmd", "doctor", *arguments]
        done = subprocess.run(
            [str(word) for word in command], cwd=self.folder, capture_output=True, text=True, timeout=60,
            stdin=subprocess.DEVNULL, env=self.environment | (environment or {}),
        )  # fmt: skip
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        assert not done.stderr, done.stderr
        return done.stdout

    def settled(self, text):
        """Without what differs from run to run."""
        for value, name in sorted(self.names.items(), key=lambda each: -len(each[0])):
            text = text.replace(value, name)
        for pattern, name in (
            (r"\b(0x)?[0-9a-f]{64}\b", "HASH"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "DATE"),
            (r"\w+ +\d+ \d\d:\d\d:\d\d \d{4} GMT", "DATE"),
            (r"[\d.e-]+ ms for a page to be on the disk, \d+ in a second", "TIME for a page"),
            (r"\b[\d.]+ [KMG]B\b", "SIZE"),
            (r"process \d+", "process N"),
            (r"(python\S*) [\d.]+, swarmlearning [\d.]+.*", r"\1 VERSION, swarmlearning VERSION"),
            (r"\([\d.]+\) (has no package|cannot import)", r"(VERSION) \1"),
            (r"(Docker|Podman) \S+ at (\S+), interface \S+", r"\1 VERSION at \2, interface VERSION"),
            (r"swarmd \d+\.\d+\.\d+, this is \d+\.\d+\.\d+", "swarmd VERSION, this is VERSION"),
            (r"(swarmd/sl:)\d\S+(?=,)", r"\1VERSION"),
            (r"gpu +(/dev/|none, and).*", "gpu             DEVICES"),
            (r"\b127\.0\.0\.1:\d+", "127.0.0.1:ANY"),
            (r"since block \d+", "since block N"),
            (r"clock is \d+ s", "clock is N s"),
        ):
            text = re.sub(pattern, name, text)
        return text

    def check(self, name, output):
        """Compares with the golden file."""
        text, golden = self.settled(output), GOLDEN / f"{name}.txt"
        if os.environ.get("SWARM_DOCTOR_GOLDEN") == "write":
            golden.parent.mkdir(exist_ok=True)
            golden.write_text(text)
        wanted = golden.read_text()
        if scrambled("a") != "a":  # texts of errors cannot be read, nor what differs in them
            text, wanted = ROW.findall(text), ROW.findall(wanted)
        assert text == wanted, f"{golden} says otherwise"


def faults(output):
    """(verdict, check) of each line that is a fault."""
    return [row for row in ROW.findall(output) if row[0] in ("wrong", "warning")]


def mounted(*commands):
    """The words of what starts a program in a mount namespace of its own, after these shell commands."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--mount"]
    script = " && ".join([*(shlex.join(map(str, each)) for each in commands), 'exec "$@"'])
    return [*unshare, "sh", "-c", script, "sh"]


def restrained():
    """The words of what starts a program that may do what owner and mode allow, and no more, as root too."""
    if os.geteuid() != 0:
        return []
    dropped = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}"]


def close_to(path):
    """Takes the rights of a path from whoever is `restrained`."""
    os.chmod(path, 0o755 if path.is_dir() else 0o600)
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    else:
        os.chmod(path, 0o500 if path.is_dir() else 0)


def python_without_packages(folder):
    wrapper = pathlib.Path(folder) / "bare-python"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "$@"\n')
    wrapper.chmod(0o755)
    return wrapper


PACKAGE = str(ROOT / "python")
