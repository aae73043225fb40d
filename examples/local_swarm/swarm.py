"""An SN with its SLs and their training programs on one host."""

import dataclasses
import pathlib
import subprocess
import time
from typing import Callable, List, Optional

from .chain import Chain
from .processes import Failure, Process, ask_admin, free_ports, stop_all

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATIENCE = 60.0  # seconds for a process to come up; bounds a hang


@dataclasses.dataclass
class Pair:
    """An SL and the program that trains next to it."""

    index: int
    contract: str
    sl: Process
    data_dir: pathlib.Path
    program: Process
    result: pathlib.Path  # JSON that the program writes

    def round(self) -> dict:
        """The SL's view of its training contract; empty while it does not answer."""
        return ask_admin(self.data_dir, "round") or {}

    def bytes_between_sls(self) -> int:
        """Model bytes this SL has fetched from others since it was started."""
        files = ask_admin(self.data_dir, "actor", name="files") or {}
        detail = files.get("detail") or {}
        return int(detail.get("bytes_fetched", 0)) if isinstance(detail, dict) else 0


class LocalSwarm:
    """Makes certificates and processes; `folder` gets keys, data and one log per process."""

    def __init__(self, folder: pathlib.Path, programs: pathlib.Path, names: List[str], contracts: List[str]):
        """`programs` is the folder with swarmd; `names` are those of the SLs; `contracts` are made besides the
        default one."""
        self.folder, self.bin = folder, programs
        self.certificates = folder / "certificates"
        make = [ROOT / "deploy" / "gen-cert", "-o", self.certificates, "sn-1", "demo", *names]
        made = subprocess.run(make, capture_output=True, text=True)
        if made.returncode != 0:
            raise Failure(f"cannot make certificates: {made.stderr.strip()}")
        self.sn_port, sn_p2p_port, *self.sl_ports = free_ports(2 + len(names))
        self.chain = Chain(self.sn_port, self.certificates, "demo")
        self.sn_data = folder / "sn-1"
        ports = ["--sn-api-port", self.sn_port, "--sn-p2p-port", sn_p2p_port]
        extra = [word for contract in contracts for word in ("--contract", contract)]
        self.sn = self._swarmd("sn-1", ["--role", "sn", "--sentinel", *ports, *extra])
        self.pairs: List[Pair] = []

    def start_sn(self) -> None:
        self.sn.start()
        self.wait(self.chain.is_up, f"the SN's API on port {self.sn_port}", [self.sn])

    def add_pair(self, name: str, contract: str, command: Callable[[pathlib.Path], List[object]], env: dict) -> Pair:
        """Starts SL `name` and its program; `command` is told where to write the result."""
        index = len(self.pairs)
        channel = self.folder / f"{name}.channel"
        channel.mkdir()
        pipes = {"SL_REQUEST_CHANNEL": channel / "request", "SL_RESPONSE_CHANNEL": channel / "response"}
        sl = self._swarmd(
            name,
            [
                *("--role", "sl", "--sn-ip", "127.0.0.1", "--sn-api-port", self.sn_port),
                *("--sl-fs-port", self.sl_ports[index]),
                *("--request-channel", pipes["SL_REQUEST_CHANNEL"]),
                *("--response-channel", pipes["SL_RESPONSE_CHANNEL"]),
            ],
        )
        result = self.folder / f"{name}.result.json"
        environment = {**env, **{variable: str(path) for variable, path in pipes.items()}}
        program = Process(f"{name}.program", command(result), self.folder, environment)
        pair = Pair(index, contract, sl, self.folder / name, program, result)
        self.pairs.append(pair)
        sl.start()
        program.start()
        return pair

    def check_running(self) -> None:
        """Raises Failure when something ended that should not have."""
        if not self.sn.running:
            raise self._ended(self.sn)
        for pair in self.pairs:
            if pair.program.exit_code not in (None, 0):
                raise self._ended(pair.program, pair.sl)
            if pair.sl.exit_code not in (None, 0):
                raise self._ended(pair.sl)

    def wait(self, condition: Callable[[], object], what: str, needed: List[Process]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            for process in needed:
                if not process.running:
                    raise self._ended(process)
            if time.monotonic() > deadline:
                raise Failure(f"waited {PATIENCE:.0f} s for {what}\n" + "\n".join(p.tail() for p in needed))
            time.sleep(0.05)

    def stop(self) -> None:
        stop_all([pair.program for pair in self.pairs])
        stop_all([*(pair.sl for pair in self.pairs), self.sn])

    def _swarmd(self, name: str, flags: List[object]) -> Process:
        identity = [
            *("--key", self.certificates / f"{name}-key.pem", "--cert", self.certificates / f"{name}-cert.pem"),
            *("--capath", self.certificates / "ca" / "capath"),
        ]
        place = ["--node-name", name, "--host-ip", "127.0.0.1", "--data-dir", self.folder / name]
        return Process(name, [self.bin / "swarmd", *flags, *place, *identity], self.folder)

    def _ended(self, process: Process, related: Optional[Process] = None) -> Failure:
        code = process.exit_code or 0
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        text = f"{process.name} {how}; the end of {process.log_path}:\n{process.tail()}"
        if related is not None:
            text += f"\nand of {related.log_path}:\n{related.tail()}"
        return Failure(text)
