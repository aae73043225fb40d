"""deploy/bin as its users call it, with nodes that are processes; their folders lie below one of the test's."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness import BIN, ROOT, free_port, until
from launcher.operators import end_process, lives
from launcher.processes import STEERING

DEPLOY = ROOT / "deploy" / "bin"
HERE = pathlib.Path(__file__).resolve().parent
PROGRAM = HERE / "operated_program.py"
LIBRARY = ROOT / "tests" / "python"


class Scripts:
    """Calls scripts in `folder`. `state`: where their processes keep what they have."""

    def __init__(self, folder, certs, environment=None):
        self.folder, self.certs = pathlib.Path(folder), certs
        self.state = self.folder / "state"
        self.api_port, self.p2p_port = free_port(), free_port()
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}
        self.environment |= {"SWARM_BIN": str(BIN), "SWARM_STATE_DIR": str(self.state), **(environment or {})}

    def command(self, script, *arguments):
        return [str(word) for word in (DEPLOY / script, *arguments)]

    def run(self, script, *arguments, status=0, environment=None, patience=120):
        """What it has printed; of a failure what it says of it."""
        done = subprocess.run(
            self.command(script, *arguments), cwd=self.folder, capture_output=True, text=True, timeout=patience,
            stdin=subprocess.DEVNULL, env={**self.environment, **(environment or {})},
        )  # fmt: skip
        assert done.returncode == status, (script, arguments, done.stdout, done.stderr, self.logs())
        return done.stdout if status == 0 else done.stderr

    def identity(self, name):
        return self.certs.flags(name)

    def start_sn(self, *more, name="sn1"):
        return self.run(
            "run-sn", "-d", f"--name={name}", "--host-ip=127.0.0.1", "--sentinel", f"--sn-p2p-port={self.p2p_port}",
            f"--sn-api-port={self.api_port}", *self.identity("sn-1"), "--apls-ip=10.9.9.9", *more,
        )  # fmt: skip

    def sl_arguments(self, name):
        return (
            "-d", f"--name={name}", "--host-ip=127.0.0.1", "--sn-ip=127.0.0.1", f"--sn-api-port={self.api_port}",
            f"--sl-fs-port={free_port()}", *self.identity("sl-1"),
        )  # fmt: skip

    def training(self, name, value, peers, syncs=2, python=sys.executable):
        """Options of a program that trains, and writes NAME.json into the folder `out`, which it sees as /tmp/NAME."""
        (self.folder / "out").mkdir(exist_ok=True)
        (self.folder / "out").chmod(0o777)
        variables = {"PYTHONPATH": LIBRARY, "NAME": name, "VALUE": value, "MIN_PEERS": peers, "SYNCS": syncs}
        return (
            f"--ml-name={name}", f"--ml-entrypoint={python}", f"--ml-cmd={PROGRAM}",
            *(word for pair in variables.items() for word in ("--ml-e", "=".join(map(str, pair)))),
        )  # fmt: skip

    def result(self, name):
        return json.loads((self.folder / "out" / f"{name}.json").read_text())

    def process(self, name):
        """Number and start of the process of a node."""
        number, start, _ = (self.state / name / "process").read_text().split()
        return int(number), int(start)

    def wait_ended(self, name):
        until(lambda: not lives(self.process(name)), f"{name} to end\n{self.logs()}")

    def logs(self):
        return "\n".join(f"--- {file} ---\n{file.read_text()[-1500:]}" for file in self.state.glob("*/log"))

    def clean_up(self):
        for file in self.state.glob("*/process"):
            number, start = (file.read_text().split() + ["0", "0"])[:2]
            if number.isdigit() and lives((int(number), int(start))):
                end_process(int(number))


def short_folder():
    return tempfile.mkdtemp(prefix="swarmd-test-")


def remove(folder):
    shutil.rmtree(folder, ignore_errors=True)
