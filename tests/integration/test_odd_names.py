"""Names with odd characters, of nodes, hosts, contracts and taskrunners, wherever people give them.

What is refused says so in one line that a terminal can show, and nothing of that name comes into being.
"""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

import yaml
from harness import BIN
from launcher.swci_web import run_swci
from test_operator_bad_input import is_clear

ODD = {
    "a blank": "a b",
    "a slash": "a/b",
    "up a folder": "../a",
    "like an option": "-a",
    "a dot in front": ".a",
    "an umlaut": "äb",
    "another script": "名前",
    "to the left": "a\u202eb",
    "colours": "a\x1b[31mb",
    "a line break": "a\nb",
    "a tab": "a\tb",
    "quotes": "a'b\"c",
    "a shell's": "a;$(id)`id`",
    "a format's": "a{}%s%n",
    "too long": "a" * 300,
    "no text": "a\udcffb",  # a byte that is no UTF-8
}
SN = ["--role", "sn", "--sentinel", "--key", "k", "--cert", "c", "--capath", ".", "--check"]


def check(words, **variables):
    """Status, and the lines that are said."""
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run([BIN / "swarmd", *words], check=False, capture_output=True, env=environment, timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode(errors="backslashreplace").splitlines()


def test_nodes_and_hosts_in_flags_variables_and_profiles(tmp_path):
    ways = []
    variables = {"node-name": "SWARMD_NODE_NAME", "host-ip": "THIS_NODE_IP", "contract": "SWARMD_CONTRACT",
                 "sn-api-service": "SN_API_SERVICE"}  # fmt: skip
    for key, variable in variables.items():
        rest = [] if key == "host-ip" else ["--host-ip", "10.0.0.1"]
        for number, (what, text) in enumerate(ODD.items()):
            ways.append((key, what, [f"--{key}={text}", *rest], {}))
            ways.append((key, what, rest, {variable: text}))
            file = tmp_path / f"{key}-{number}.yaml"
            if text.isprintable():  # others are none of YAML, which is tested beside its reader
                file.write_text(yaml.safe_dump({key: text}, allow_unicode=True))
                ways.append((key, what, ["--profile", file, *rest], {}))
    wrong = []
    with ThreadPoolExecutor(2) as several:
        done = several.map(lambda way: check([*way[2], *SN], **way[3]), ways)
        for way, (status, lines) in zip(ways, done):
            said = [line for line in lines if way[0] in line]
            if status == 0 or len(said) != 1 or not all(map(is_clear, lines)):
                wrong.append((way, status, lines))
    assert wrong == [], "\n".join(map(str, wrong))


def test_contracts_and_taskrunners_at_a_swci(folder, certs, sn):
    lines = [f"create context t with ip 127.0.0.1 {sn.port}", "switch context t", "list contracts", "list taskrunners"]
    odd = []
    for text in ODD.values():
        if "\n" in text or "\udcff" in text or text in ("-a", ".a"):  # no line of text; names
            continue
        quoted = "'" + text.replace("'", "") + "'"
        odd += [f"{command} {quoted}" for command in ("create contract", "create taskrunner", "reset contract")]
    quoted = "'a\u202eb'"
    odd += [command.format(quoted) for command in ("get contract info {}", "reset taskrunner {}", "remove node {}",
            "create context u with ip {} 30304")]  # fmt: skip
    ends = ["list contracts", "list taskrunners"]
    status, printed, _ = run_swci(folder, certs, [*lines, *odd, *ends])
    said = [line for line in printed.splitlines() if "ERROR : " in line]
    assert status == 0 and len(said) == len(odd), printed
    assert all(map(is_clear, said)), printed
    assert printed.count("defaultbb.cqdb.sml.hpe") == printed.count("defaulttaskbb.taskdb.sml.hpe") == 2, printed
