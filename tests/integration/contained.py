"""Swarms whose SLs and programs run in containers of an engine of the test's own."""

import json
import pathlib
import re
import subprocess
import sysconfig

import pytest
from harness import BIN, ROOT
from launcher.engines import Engine, why_no_engine
from launcher.operators import build_task, node_definition, run_task, swop_profile
from operated import HERE, PYTHON, VENV, TestSwarm

STDLIB = pathlib.Path(sysconfig.get_path("stdlib"))


def libraries(programs):
    """The shared libraries of programs, {path in an image: file of this host}, with the loader."""
    found = {}
    for program in programs:
        text = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for path in re.findall(r"(/\S+) \(0x", text):
            found[path] = pathlib.Path(path).resolve()
    return found


def sl_image(engine):
    programs = {f"/usr/bin/{name}": BIN / name for name in ("swarmd", "swarm-merge-worker") if (BIN / name).exists()}
    return engine.make_image("swarmd/sl:test", {**libraries(programs.values()), **programs}, ["ENV PATH=/bin:/usr/bin"])


def python_image(engine):
    """With what numpy's own wheel needs of the system."""
    python = pathlib.Path("/usr/bin/python3").resolve()
    modules = STDLIB.glob("lib-dynload/*.so")
    numpy = [
        file for name in ("numpy", "numpy.libs") for file in VENV.glob(f"lib/python3*/site-packages/{name}/**/*.so*")
    ]
    files = {
        **libraries([python, *modules, *numpy]),
        "/usr/bin/python3": python,
        str(python): python,
        str(STDLIB): STDLIB,
    }
    files = {path: file for path, file in files.items() if not str(file).startswith(str(VENV))}
    return engine.make_image("python:test", files, ["ENV PATH=/usr/bin:/bin"])


class ContainedSwarm(TestSwarm):
    """One engine, host network, loopback."""

    def __init__(self, folder, certs, kind):
        if why := why_no_engine(kind):
            pytest.skip(why)
        super().__init__(folder, certs)
        self.engine = Engine(folder, kind).start()
        self.flags = ["--manager", "docker", "--docker-socket-file", str(self.engine.socket)]
        self.flags += ["--sl-image", sl_image(self.engine)]

    def add_trainers(self, nodes, first=0, name=None, **profile):
        definitions = []
        for idx in range(nodes):
            user = self.usr / f"user{first + idx}"
            user.mkdir(exist_ok=True)
            variables = {"NAME": f"user{first + idx}", "VALUE": first + idx}
            definitions.append(node_definition(self.certs, idx, user, variables))
        allowed = [word for path in (HERE, ROOT / "tests" / "python", VENV) for word in ("--allow-path", path)]
        profile = {**swop_profile(definitions, manager="DOCKER", **profile), "network": "host"}
        return self.add_swop(profile, name, flags=[*self.flags, *allowed])

    def build(self, steps, name="env", outcome="user-env:1", context=None):
        self.make_task(build_task(name, steps, outcome, "INLINE", context))
        self.assign(name, "WITH 1 PEERS")
        return self.wait_task()

    def make_training(self, name="train", gated=False, prereq="env", **variables):
        shared = [
            (HERE, "/tmp/test/programs"), (ROOT / "tests" / "python", "/tmp/test/lib"), (VENV, VENV),
            ("/platform/swarm/usr/gate", "/tmp/test/gate"),
        ]  # fmt: skip
        variables = {"PYTHONPATH": "/tmp/test/lib", "PYTHONDONTWRITEBYTECODE": 1, **variables}
        if gated:
            variables["GATE"] = "/tmp/test/gate"
        program = "programs/operated_program.py"
        self.make_task(run_task(name, program, PYTHON, variables, shared, private="/tmp/test/", prereq=prereq))

    def containers(self):
        """Those of SWOPs, by name."""
        found = [each for each in self.engine.containers() if "swarmd.owner" in each["Labels"]]
        return {each["Names"][0].lstrip("/"): each for each in found}

    def report(self):
        texts = [super().report()]
        for name, each in self.containers().items():
            logs = self.engine.call("GET", f"/containers/{each['Id']}/logs?stdout=1&stderr=1&tail=20")
            texts.append(f"--- {name}: {each['Status']} ---\n{logs if isinstance(logs, str) else json.dumps(logs)}")
        return "\n".join(texts)

    def clean_up(self):
        super().clean_up()
        self.engine.clean_up()
