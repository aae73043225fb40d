"""Starting, watching and ending processes, by their own ids only; and waiting for conditions."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(
    os.environ.get("SWARMD_BIN_DIR") or os.environ.get("SWARM_BIN") or ROOT / "build" / "release" / "bin"
).resolve()
PATIENCE = float(os.environ.get("SWARM_TEST_PATIENCE", 90))  # seconds; bounds a hang
STOP_SECONDS = 8  # swarmd promises to end within 5 s of SIGTERM
TAIL_LINES = 25
# What would steer a swarm's programs: what is started here gets it by its own arguments only.
STEERING = ("SWARM", "SL_", "SN_")


# The programs' errors have no readable text (CMake's SWARM_SCRAMBLE_TEXTS).
SCRAMBLED = bool(os.environ.get("SWARM_SCRAMBLED"))


def scrambled(text):
    return re.sub("[0-9A-Za-z]", "?", str(text)) if SCRAMBLED else str(text)


def says(text, part):
    """Whether what is said to people contains `part`; where errors are scrambled, whether its shape does."""
    return scrambled(part) in scrambled(text)


def shown(part):
    """The pattern of a part of an error's text, as the programs show it."""
    return re.escape(scrambled(part))


class Failure(AssertionError):
    """Something that the person at the terminal has to know; the text says what and where to look."""


def until(condition, what, patience=PATIENCE, alive=()):
    """Waits for a true value of `condition()` and returns it. `alive`: processes that must not end meanwhile.

    It asks the less often the longer it has waited: to ask may cost both sides a handshake.
    """
    begun = time.monotonic()
    deadline = begun + patience
    while True:
        value = condition()
        if value:
            return value
        for process in alive:
            if not process.running():
                raise Failure(f"{process.name} ended during the wait for: {what}\n{process.tail()}")
        if time.monotonic() >= deadline:
            raise Failure(f"waited {patience} s for: {what}\n" + "\n".join(p.tail() for p in alive))
        time.sleep(min(max(0.02, (time.monotonic() - begun) / 20), 0.1))


# Tests that pytest-xdist runs beside each other have ports of their own, so have the programs that they start.
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
PORTS_EACH = 12000 // int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
_given_out = set()


def free_port():
    """A port nobody listens on, below the range from which outgoing connections take theirs."""
    while True:
        port = 20000 + WORKER * PORTS_EACH + int.from_bytes(os.urandom(2), "big") % PORTS_EACH
        if port in _given_out:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        _given_out.add(port)
        return port


class Process:
    """One program with its log file. Each runs in a process group of its own, so that its children end with it.

    Its output is kept over restarts; `log()` looks at that of the present start.
    """

    def __init__(self, name, command, folder, environment=None):
        self.name, self.folder = name, pathlib.Path(folder)
        self.program, *self.arguments = [str(word) for word in command]
        self.environment = environment or {}
        self.log_path = self.folder / f"{name}.log"
        self.child = None
        self.offset = 0  # where the log of the present start begins

    def start(self):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}
        environment.update(self.environment)
        with open(self.log_path, "ab") as log:
            self.offset = log.tell()
            self.child = subprocess.Popen(
                [self.program, *self.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self.folder,
                process_group=0,  # no session: the kernel schedules each as a group of its own
            )
        return self

    @property
    def pid(self):
        return self.child.pid

    @property
    def exit_code(self):
        """None while it runs, and before."""
        return None if self.child is None else self.child.poll()

    def running(self):
        return self.child is not None and self.child.poll() is None

    def has_ended(self):
        return not self.running()

    def log(self):
        with open(self.log_path, errors="replace") as file:
            file.seek(self.offset)
            return file.read()

    def tail(self):
        lines = self.log_path.read_text(errors="replace").splitlines() if self.log_path.exists() else []
        return f"--- {self.name} ---\n" + "\n".join(lines[-TAIL_LINES:])

    def wait_log(self, pattern, patience=PATIENCE):
        """The match of a regular expression in the log of this start."""
        return until(lambda: re.search(pattern, self.log()), f"{self.name} to log {pattern!r}", patience, alive=[self])

    def wait_exit(self, patience=PATIENCE):
        until(self.has_ended, f"{self.name} to end\n{self.tail()}", patience)
        return self.child.returncode

    def signal(self, number):
        """To it and its children; nothing happens when it has ended."""
        if self.running():
            os.killpg(self.child.pid, number)

    def kill9(self):
        self.signal(signal.SIGKILL)
        self.child.wait()

    def terminate(self):
        """Exit status after SIGTERM."""
        self.signal(signal.SIGTERM)
        return self.wait_exit()

    def pause(self):
        """Returns once every thread stands still."""
        self.signal(signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{self.child.pid}/task")

        def stopped():
            return all((task / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T" for task in tasks.iterdir())

        until(stopped, f"{self.name} to stand still")

    def go_on(self):
        self.signal(signal.SIGCONT)

    def clean_up(self):
        if self.child is not None:
            self.kill9()


def stop_all(processes):
    """SIGTERM to all, SIGKILL to those that do not end."""
    for process in processes:
        process.signal(signal.SIGCONT)
        process.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        if process.child is None:
            continue
        try:
            process.child.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill9()


def ask_admin(data_dir, method, params, patience):
    """The answer to one request on a swarmd's admin socket, or None while nobody serves it or answers in time."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(patience)
            link.connect(str(pathlib.Path(data_dir) / "admin.sock"))
            link.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
            with link.makefile("rb") as answers:
                line = answers.readline()
    except OSError:
        return None
    return json.loads(line) if line.endswith(b"\n") else None
