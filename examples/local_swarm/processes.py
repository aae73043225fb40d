"""Starting, watching and ending processes, by their own ids only."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import time
from typing import Dict, List, Optional, Sequence

TAIL_LINES = 15
STOP_SECONDS = 8  # swarmd promises to end within 5 s of SIGTERM


class Failure(Exception):
    """Something that the person at the terminal has to know; the text says what and where to look."""


class Process:
    """One program with its log file. Each runs in a process group of its own, so that its children end with it."""

    def __init__(
        self, name: str, command: Sequence[object], folder: pathlib.Path, environment: Optional[Dict[str, str]] = None
    ):
        self.name = name
        self.command = [str(word) for word in command]
        self.environment = environment or {}
        self.log_path = folder / f"{name}.log"
        self.child: Optional[subprocess.Popen] = None
        self.log_start = 0  # where the log of the present start begins

    def start(self) -> "Process":
        with open(self.log_path, "ab") as log:
            self.log_start = log.tell()
            self.child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**clean_environment(), **self.environment},
                start_new_session=True,
            )
        return self

    @property
    def running(self) -> bool:
        return self.child is not None and self.child.poll() is None

    def has_ended(self) -> bool:
        return not self.running

    @property
    def exit_code(self) -> Optional[int]:
        return None if self.child is None else self.child.poll()

    def log(self) -> str:
        """What it wrote since it was last started."""
        with open(self.log_path, errors="replace") as file:
            file.seek(self.log_start)
            return file.read()

    def tail(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        return "\n".join(f"    {line}" for line in lines)

    def signal(self, number: int) -> None:
        if self.child is not None and self.running:
            os.killpg(self.child.pid, number)

    def kill(self) -> None:
        """kill -9, and its children with it."""
        self.signal(signal.SIGKILL)
        if self.child is not None:
            self.child.wait()


def stop_all(processes: Sequence[Process]) -> None:
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
            process.kill()


def clean_environment() -> Dict[str, str]:
    """Ours, without what would steer a swarm's programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("SWARM_", "SL_", "SN_"))}


def free_ports(count: int) -> List[int]:
    """Ports that nobody listens on, below the range from which outgoing connections take theirs."""
    ports: List[int] = []
    port = 20000 + int.from_bytes(os.urandom(2), "big") % 12000
    while len(ports) < count:
        port = 20000 + (port - 20000 + 1) % 12000
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
    return ports


def ask_admin(data_dir: pathlib.Path, method: str, **params: object) -> Optional[dict]:
    """One request on a swarmd's admin socket, as swarm-inspect makes it; None while the process does not answer."""
    try:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(2)
            link.connect(str(data_dir / "admin.sock"))
            link.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
            with link.makefile("rb") as answers:
                return json.loads(answers.readline()).get("result")
    except (OSError, ValueError):
        return None
