"""Swarms whose SLs and programs run in containers of an engine of the test's own."""

import json
import os
import subprocess

import pytest
from harness import ROOT
from launcher.engines import Engine, why_no_engine
from launcher.images import sl_image
from launcher.operators import build_task, node_definition, run_task, swop_profile
from launcher.processes import Failure
from operated import HERE, PYTHON, VENV, TestSwarm


def start_engine(folder, kind):
    if why := why_no_engine(kind):
        pytest.skip(why)
    return Engine(folder, kind).start()


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

    def __init__(self, folder, certs, engine):
        super().__init__(folder, certs)
        self.engine = engine
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

    def add_trainers(self, nodes, first=0, name=None, environment=None, **profile):
        return self.start_trainers(self.profile_of(nodes, first, **profile), name, environment=environment)

    def start_trainers(self, profile, name=None, **options):
        return self.add_swop(profile, name, flags=[*self.flags, *allowed_paths()], **options)

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
        self.engine.empty()
