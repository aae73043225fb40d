"""Swarms whose SLs have real training programs beside them."""

import json
import pathlib

from .certificates import Certs
from .nodes import SL
from .processes import Failure, Process, stop_all, until
from .swarm import Swarm

PATIENCE = 60.0  # seconds for a process to come up; bounds a hang


class Pair:
    """An SL and the program that trains next to it. `result` is the JSON file that the program writes."""

    def __init__(self, index, contract, sl: SL, program: Process, result: pathlib.Path):
        self.index, self.contract, self.sl, self.program, self.result = index, contract, sl, program, result

    def round(self):
        """The SL's view of its training contract; empty while it does not answer."""
        return self.sl.glance("round")

    def bytes_between_sls(self):
        """Model bytes this SL has fetched from others since it was started."""
        detail = self.sl.glance("actor", name="files").get("detail") or {}
        return int(detail.get("bytes_fetched", 0)) if isinstance(detail, dict) else 0

    def connected(self):
        """Whether the SL has a connection to an SN, as far as it says so."""
        detail = self.sl.glance("actor", name="sl/sn").get("detail") or {}
        return bool(detail.get("connected", True))


class PairSwarm(Swarm):
    """One SN, and per name in `names` an SL with a certificate of its own, to be started with its program. `certs`:
    theirs, if there are any yet."""

    def __init__(self, folder, names, contracts=(), certs=None):
        folder = pathlib.Path(folder)
        super().__init__(folder, certs or Certs(folder / "certificates", "sn-1", *names))
        self.sn = self.sn_type(folder, self.certs, contracts=contracts)
        self.pairs = []

    def start_sn(self):
        self.sn.start()
        self.wait(self.sn.is_up, f"the SN's API on port {self.sn.port}", [self.sn])
        return self.sn

    def add_pair(self, name, contract, command, environment):
        """Starts SL `name` and its program; `command` is told where to write the result."""
        sl = SL(self.folder, self.certs, self.sn.port, name, identity=self.certs.flags(name))
        sl.request.parent.mkdir()
        pipes = {"SL_REQUEST_CHANNEL": str(sl.request), "SL_RESPONSE_CHANNEL": str(sl.response)}
        result = self.folder / f"{name}.result.json"
        environment = {"MODEL_DIR": str(sl.request.parent), **environment, **pipes}
        program = Process(f"{name}.program", command(result), self.folder, environment)
        pair = Pair(len(self.pairs), contract, sl, program, result)
        self.pairs.append(pair)
        self.sls.append(sl.start())
        program.start()
        return pair

    def check_running(self):
        """Raises Failure when something ended that should not have."""
        if not self.sn.running():
            raise _ended(self.sn)
        for pair in self.pairs:
            if pair.program.exit_code not in (None, 0):
                raise _ended(pair.program, pair.sl)
            if pair.sl.exit_code not in (None, 0):
                raise _ended(pair.sl)

    def wait_ended(self):
        """Until all programs have ended, well or not."""
        for pair in self.pairs:
            self.wait(pair.program.has_ended, f"{pair.program.name} to end", [self.sn])

    def results(self):
        """What each program wrote, once all have ended well."""
        self.wait_ended()
        self.check_running()
        return [json.loads(pair.result.read_text()) for pair in self.pairs]

    def wait(self, condition, what, needed):
        until(condition, what, PATIENCE, alive=needed)

    def stop(self):
        stop_all([pair.program for pair in self.pairs])
        super().stop()


def _ended(process, related=None):
    code = process.exit_code or 0
    how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
    text = f"{process.name} {how}; the end of {process.log_path}:\n{process.tail()}"
    if related is not None:
        text += f"\nand of {related.log_path}:\n{related.tail()}"
    return Failure(text)
