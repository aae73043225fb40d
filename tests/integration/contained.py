"""Swarms whose SLs and programs run in containers of an engine of the test's own."""

import json
import os
import pathlib
import re
import subprocess
import sysconfig

import pytest
from harness import BIN, ROOT
from launcher.engines import Engine, why_no_engine
from launcher.operators import build_task, node_definition, run_task, swop_profile
from launcher.processes import Failure
from operated import HERE, PYTHON, VENV, TestSwarm

STDLIB = pathlib.Path(sysconfig.get_path("stdlib"))
MANYLINUX = (
    "libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libutil.so.1", "libgcc_s.so.1",
    "libstdc++.so.6",
)  # fmt: skip


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


def python_files():
    """This host's Python, with what wheels of packages may expect of a system."""
    python = pathlib.Path("/usr/bin/python3").resolve()
    found = libraries([python, *STDLIB.glob("lib-dynload/*.so")])
    place = next(file for path, file in found.items() if path.endswith("/libc.so.6")).parent
    for name in MANYLINUX:
        found[f"/lib/{place.name}/{name}"] = (place / name).resolve()
    return {**found, "/usr/bin/python3": python, str(python): python, str(STDLIB): STDLIB}


def python_image(engine):
    return engine.make_image("python:test", python_files(), ["ENV PATH=/usr/bin:/bin"])


def ask_engine(engine, *words):
    """What the engine's own command line prints."""
    environment = {**os.environ, **engine.variables, **engine.environment}
    command = [*engine.within, engine.kind, *map(str, words)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise Failure(f"{words}: {done.stderr}")
    return done.stdout + done.stderr if words[:2] == ("container", "logs") else done.stdout


def allowed_paths():
    return [word for path in (HERE, ROOT / "tests" / "python", VENV) for word in ("--allow-path", path)]


class ContainedSwarm(TestSwarm):
    """One engine, host network, loopback."""

    def __init__(self, folder, certs, kind):
        if why := why_no_engine(kind):
            pytest.skip(why)
        super().__init__(folder, certs)
        self.engine = Engine(folder, kind).start()
        self.flags = ["--manager", "docker", "--docker-socket-file", str(self.engine.socket)]
        self.image = sl_image(self.engine)
        self.flags += ["--sl-image", self.image]

    def profile_of(self, nodes, first=0, **profile):
        definitions = []
        for idx in range(nodes):
            user = self.usr / f"user{first + idx}"
            user.mkdir(exist_ok=True)
            variables = {"NAME": f"user{first + idx}", "VALUE": first + idx}
            definitions.append(node_definition(self.certs, idx, user, variables))
            definitions[-1]["slnodedef"].update(usrcontaineropts=[{"shm-size": "8m"}], usrlabels=["team-a"])
        return {**swop_profile(definitions, manager="DOCKER", **profile), "network": "host"}

    def add_trainers(self, nodes, first=0, name=None, **profile):
        return self.add_swop(self.profile_of(nodes, first, **profile), name, flags=[*self.flags, *allowed_paths()])

    def contain_swop(self, nodes):
        """A SWOP in a container, as run-swop makes one; it ends with the engine."""
        name = "swop-1"
        (self.usr / f"{name}.yaml").write_text(json.dumps(self.profile_of(nodes)))
        flags = ["--role", "swop", "--node-name", name, "--profile-file-name", f"{name}.yaml", "--manager", "docker"]
        flags += ["--usr-dir", "/platform/swarm/usr", "--data-dir", "/platform/swarm/SMLNODE/swarmd"]
        flags += ["--sn-ip", "127.0.0.1", "--sn-api-port", self.sn.port, "--sl-image", self.image]
        flags += [*self.certs.flags(name), *allowed_paths()]
        mounts = {self.usr: "/platform/swarm/usr", self.engine.socket: "/var/run/docker.sock"}
        mounts[self.certs.folder] = self.certs.folder
        host = {"NetworkMode": "host", "Binds": [f"{source}:{target}" for source, target in mounts.items()]}
        body = {"Image": self.image, "Entrypoint": ["swarmd"], "Cmd": [str(flag) for flag in flags], "HostConfig": host}
        body["Volumes"] = {"/platform/swarm/SMLNODE": {}}
        self.engine.call("POST", f"/containers/create?name={name}", body)
        self.engine.call("POST", f"/containers/{name}/start")

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
        found = [each for each in self.engine.containers() if "swarmd.owner" in (each["Labels"] or {})]
        return {each["Names"][0].lstrip("/"): each for each in found}

    def report(self):
        texts = [super().report()]
        for each in self.engine.containers():
            name = each["Names"][0]
            logs = self.engine.call("GET", f"/containers/{each['Id']}/logs?stdout=1&stderr=1&tail=20")
            texts.append(f"--- {name}: {each['Status']} ---\n{logs if isinstance(logs, str) else json.dumps(logs)}")
        return "\n".join(texts)

    def clean_up(self):
        super().clean_up()
        self.engine.clean_up()
