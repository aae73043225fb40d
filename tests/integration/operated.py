"""Swarms that SWOPs and a SWCI operate, with programs that train (`operated_program.py`)."""

import json
import pathlib
import sys

import pytest
from harness import ROOT, until
from launcher.operators import OperatorSwarm, node_definition, run_task, swop_profile, why_no_sandboxes

HERE = pathlib.Path(__file__).resolve().parent
VENV = pathlib.Path(sys.prefix).resolve()
PYTHON = VENV / "bin" / "python"


class TestSwarm(OperatorSwarm):
    __test__ = False

    def __init__(self, folder, certs):
        if why := why_no_sandboxes():
            pytest.skip(why)
        super().__init__(folder, certs)
        self.gate = self.usr / "gate"
        self.gate.mkdir()

    def add_trainers(self, nodes, first=0, name=None, **profile):
        """A SWOP with so many nodes; node n of the swarm trains in USR/userN."""
        definitions = []
        for idx in range(nodes):
            user = self.usr / f"user{first + idx}"
            user.mkdir(exist_ok=True)
            variables = {"NAME": f"user{first + idx}", "VALUE": first + idx}
            definitions.append(node_definition(self.certs, idx, user, variables))
        flags = [word for path in (HERE, ROOT / "tests" / "python", VENV) for word in ("--allow-path", path)]
        return self.add_swop(swop_profile(definitions, **profile), name, flags=flags)

    def make_training(self, name="train", gated=False, prereq="ROOTTASK", **variables):
        """A task of RUN_SWARM whose programs train; `gated`: they wait after their first sync."""
        shared = [
            (HERE, "/tmp/test/programs"), (ROOT / "tests" / "python", "/tmp/test/lib"), (VENV, VENV),
            ("/platform/swarm/usr/gate", "/tmp/test/gate"),
        ]  # fmt: skip
        variables = {"PYTHONPATH": "/tmp/test/lib", **variables}
        if gated:
            variables["GATE"] = "/tmp/test/gate"
        task = run_task(name, "programs/operated_program.py", PYTHON, variables, shared, "/tmp/test", prereq)
        self.make_task(task)

    def wait_at_gate(self, *users):
        until(
            lambda: all((self.gate / f"user{number}").exists() for number in users),
            "the programs to do their first sync",
            alive=[swop for swop in self.swops if swop.running()],
        )

    def open_gate(self):
        (self.gate / "go").touch()

    def close_gate(self):
        for file in self.gate.iterdir():
            file.unlink()

    def result_of(self, number):
        return json.loads((self.usr / f"user{number}" / f"user{number}.json").read_text())
