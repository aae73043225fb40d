"""SWCI: the operator's commands, from a script, from standard input, or over HTTP."""

import http.client
import json
import os
import pathlib
import subprocess
import urllib.parse

from .nodes import Swarmd
from .processes import BIN, PATIENCE, free_port


class SWCI(Swarmd):
    """A SWCI in web mode. Its user folder is FOLDER/NAME.usr."""

    def __init__(self, folder, certs, name="swci-1", flags=(), script=None, host="127.0.0.1"):
        self.certs, self.host, self.port = certs, host, free_port()
        self.usr = pathlib.Path(folder) / f"{name}.usr"
        self.usr.mkdir(exist_ok=True)
        if script is not None:
            (self.usr / "swci-init").write_text(script)
        arguments = arguments_of(folder, certs, name, self.usr, ("--swci-mode", "WEB", "--swci-web-port", self.port))
        super().__init__(name, folder, [*arguments, *flags])

    def wait_up(self):
        self.wait_log(r"web mode on ")
        return self

    def post(self, target, body=None, headers=None, context=None, timeout=PATIENCE):
        """Status and text of an answer; with a TLS context over HTTPS."""
        kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
        link = kind(self.host, self.port, timeout=timeout, **({"context": context} if context else {}))
        try:
            link.request("POST", target, body=body, headers=headers or {})
            answer = link.getresponse()
            return answer.status, answer.read().decode()
        finally:
            link.close()

    def exec(self, command, **options):
        """The elements that a command is answered with."""
        status, text = self.post("/exec?cmd=" + urllib.parse.quote(command, safe="/:+&"), **options)
        content = json.loads(text)["CONTENT"]
        assert content and all(isinstance(each, str) for each in content), text
        assert status == 200 or content[0].startswith("ERROR "), text
        return content


def arguments_of(folder, certs, name, usr, flags=()):
    return [
        *("--role", "swci", "--node-name", name, "--host-ip", "127.0.0.1", "--usr-dir", usr),
        *("--data-dir", pathlib.Path(folder) / name, *certs.flags("swci-1"), *flags),
    ]


def run_swci(
    folder, certs, lines=(), script=None, flags=(), name="swci-c", timeout=PATIENCE, within=(), environment=None
):
    """Runs a SWCI to its end with these lines as its standard input; `script` is its init script, `within` the words
    of what starts it somewhere else.

    Gives its exit status and what it printed to standard output.
    """
    usr = pathlib.Path(folder) / f"{name}.usr"
    usr.mkdir(exist_ok=True)
    init = usr / "swci-init"
    init.unlink(missing_ok=True)
    if script is not None:
        init.write_text(script)
    command = [*within, BIN / "swarmd", *arguments_of(folder, certs, name, usr, flags)]
    done = subprocess.run(
        [str(word) for word in command], input="".join(f"{line}\n" for line in lines), capture_output=True, text=True,
        timeout=timeout, cwd=folder, env={**os.environ, **(environment or {})},
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


class Typed(Swarmd):
    """A SWCI at whose prompt a test types; its output is its log."""

    def __init__(self, folder, certs, name="swci-t", flags=()):
        usr = pathlib.Path(folder) / f"{name}.usr"
        usr.mkdir(exist_ok=True)
        super().__init__(name, folder, arguments_of(folder, certs, name, usr, flags))

    def start(self):
        with open(self.log_path, "ab") as log:
            self.child = subprocess.Popen(
                [self.program, *self.arguments], stdin=subprocess.PIPE, stdout=log, stderr=log, text=True,
                cwd=self.folder, process_group=0,
            )  # fmt: skip
        return self

    def type(self, line):
        self.child.stdin.write(line + "\n")
        self.child.stdin.flush()

    def end_input(self):
        self.child.stdin.close()
