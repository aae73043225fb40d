"""Things that go wrong in mid-training, on purpose: what `demo.py --fault` does.

Each fault is stepped by the demo's watch loop and never sleeps; `under_way()` is true while processes are down that
the demo would otherwise complain about.
"""

import signal
import time

from local_swarm.processes import ask_admin
from local_swarm.swarm import LocalSwarm, Pair

SETTLED_SECONDS = 1.0


class Fault:
    """Waits for round `at_round`, then does its steps one after the other."""

    def __init__(self, swarm: LocalSwarm, at_round: int):
        self.swarm, self.at_round = swarm, at_round
        self.done = False
        self.text = ""
        self.steps = self.act()

    def act(self):
        """A generator that yields while it waits; what it yields is for the person who watches."""
        raise NotImplementedError

    def under_way(self) -> bool:
        """Takes the next step."""
        if self.done:
            return False
        if not self.text and rounds_of(self.swarm.pairs[0]) < self.at_round:
            return False
        try:
            self.text = next(self.steps)
        except StopIteration as stop:
            self.done, self.text = True, stop.value
        return not self.done


class KillSN(Fault):
    """kill -9 of the SN; started again once all SLs have noticed."""

    def act(self):
        self.swarm.sn.kill()
        while any(connected(pair) for pair in self.swarm.pairs):
            yield "the SN was killed"
        self.swarm.sn.start()
        while not self.swarm.chain.is_up():
            yield "the SN was killed and is starting again"
        return "the SN was killed and started again"


class KillSL(Fault):
    """kill -9 of an SL that does not lead, and of its program; both are started again once the others miss it."""

    def act(self):
        victim = self.swarm.pairs[-1]
        other = next(pair for pair in self.swarm.pairs if pair.contract == victim.contract)
        victim.sl.signal(signal.SIGSTOP)  # so that it cannot become the leader between the look and the kill
        while not (yield from self._round_stands_still(other, victim)):
            victim.sl.signal(signal.SIGCONT)
            yield from self._pause(f"{victim.sl.name} leads just now")
            victim.sl.signal(signal.SIGSTOP)
        victim.sl.kill()
        victim.program.kill()
        yield from self._pause(f"{victim.sl.name} and its program were killed")
        victim.sl.start()
        victim.program.start()
        return f"{victim.sl.name} and its program were killed and started again"

    def _round_stands_still(self, other: Pair, victim: Pair):
        """True once nothing moves in the eyes of another SL without the victim; false when it is the victim that
        leads."""
        seen, since = None, time.monotonic()
        while time.monotonic() - since < SETTLED_SECONDS:
            training = other.round().get("training") or {}
            accounts = {peer["name"]: peer["account"] for peer in training.get("peers", [])}
            if training.get("leader") == accounts.get(victim.sl.name):
                return False
            state = (training.get("round"), training.get("phase"))
            if state != seen:
                seen, since = state, time.monotonic()
            yield f"{victim.sl.name} is about to be killed"
        return True

    def _pause(self, text: str):
        since = time.monotonic()
        while time.monotonic() - since < SETTLED_SECONDS:
            yield text


FAULTS = {"kill-sn": KillSN, "kill-sl": KillSL}


def rounds_of(pair: Pair) -> int:
    return pair.program.log().count("Merge Done")


def connected(pair: Pair) -> bool:
    detail = (ask_admin(pair.data_dir, "actor", name="sl/sn") or {}).get("detail") or {}
    return bool(detail.get("connected", True))
