"""A SWOP whose container engine is not there, is none, is too old, ends in the middle, says what it has not done, or
has a full disk: the task ends with ERROR, status and log say why, and the next task finds a SWOP that works."""

import json
import pathlib
import subprocess
import tempfile

import pytest
from contained import start_engine
from launcher.operators import OperatorSwarm, build_task, content_task, swop_profile
from launcher.processes import says
from launcher.scripted_engine import FACTS, ScriptedEngine

OLD = {**FACTS, "ApiVersion": "1.23"}
STEP = {"stream": "Step 1/2 : FROM base:1"}


@pytest.fixture
def swarm(folder, certs):
    swarm = OperatorSwarm(folder, certs)
    swarm.start_sn()
    yield swarm
    swarm.clean_up()


def add_swop(swarm, name, socket):
    """One that listens on a taskrunner of its own."""
    swarm.order(f"CREATE TASKRUNNER for-{name}")
    flags = ["--manager", "docker", "--docker-socket-file", str(socket)]
    profile = swop_profile([], taskrunner=f"for-{name}", manager="DOCKER")
    return swarm.add_swop(profile, name, flags=flags, identity=swarm.certs.flags("swop-1"))


def fail_task(swarm, swop, task, told, said):
    """Assigns the task to this SWOP; its status tells why it failed, and its log says it."""
    runner = f"for-{swop.name}"
    swarm.assign(task, "WITH 1 PEERS", runner)
    assert swarm.wait_task(runner).field("TASK_STATE") == "ERROR"
    assert told in swarm.peer_status(0, runner).text, swarm.peer_status(0, runner).text
    assert says(swop.log(), said), swop.log()


def test_an_engine_that_cannot_be_used_is_told_apart(swarm, folder):
    swarm.make_task(build_task("build", ["FROM base:1"], "user-env:1", "INLINE"))
    at = pathlib.Path(folder) / "engines"
    at.mkdir()
    lines = [STEP, {"stream": " ---> Running in 1234"}]
    failed = [STEP, {"stream": "the \u001b[91mreason\u001b[0m\n"}, {"error": "a step returned 1"}]
    engines = {
        "none": (None, "needs a container engine", f"{at}/none: there is no such socket; is a container engine"),
        "old": (ScriptedEngine(at / "old", facts=OLD), "needs a container engine", "install Docker 1.13 or Podman 4.3"),
        "odd": (ScriptedEngine(at / "odd", {"GET /version": (200, "hello")}), "", "is no container engine"),
        "dies": (
            ScriptedEngine(at / "dies", {"POST /build": lines}),
            "needs a container engine", "ended the connection in the middle",
        ),
        "fails": (
            ScriptedEngine(at / "fails", {"POST /build": (200, "\n".join(map(json.dumps, failed)))}),
            "the build failed", "task build: the reason\n",
        ),
        "lies": (
            ScriptedEngine(at / "lies", {"POST /build": (200, json.dumps(STEP))}),
            "the build failed", "the build has ended, but there is no image user-env:1",
        ),
    }  # fmt: skip
    there = [engine.start() for engine, _, _ in engines.values() if engine]
    try:
        for name, (_, told, said) in engines.items():
            fail_task(swarm, add_swop(swarm, name, at / name), "build", told, said)
    finally:
        swarm.clean_up()
        for engine in there:
            engine.clean_up()


@pytest.fixture(params=["docker", "podman"])
def small(request):
    """An engine whose disk has 48 MB."""
    with tempfile.TemporaryDirectory(prefix="swarmd-test-") as folder:
        disk = pathlib.Path(folder) / request.param
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], check=True)
        engine = None
        try:
            engine = start_engine(folder, request.param)
            yield engine
        finally:
            if engine:
                engine.clean_up()
            subprocess.run(["umount", disk], check=True)


def test_a_full_disk_ends_a_build_and_not_the_swop(swarm, small):
    swop = add_swop(swarm, "swop", small.socket)
    big = ["RUN dd if=/dev/zero of=/big bs=1M count=100"]
    swarm.make_task(build_task("big", [f"FROM {small.base}", *big], "user-env:1", "INLINE"))
    fail_task(swarm, swop, "big", "the build failed", "No space left on device")
    swarm.make_task(build_task("small", [f"FROM {small.base}", "ENV A=b"], "user-env:1", "INLINE"))
    swarm.assign("small", "WITH 1 PEERS", "for-swop")
    assert swarm.wait_task("for-swop").field("TASK_STATE") == "COMPLETE", swop.log()


def test_a_volume_is_a_name_and_no_path(swarm, folder):
    engine = ScriptedEngine(pathlib.Path(folder) / "engine").start()
    try:
        swop = add_swop(swarm, "swop", engine.socket)
        source = swarm.usr / "file"
        source.write_text("x")
        for number, name in enumerate(("../etc", "/etc", "-v", "a:b")):
            swarm.make_task(content_task(f"t{number}", [("DOWNLOAD", source.as_uri(), "x")], name, "BUILDCONTENT"))
            fail_task(swarm, swop, f"t{number}", "", "is no name of a volume")
        assert not any(each.startswith("POST /volumes") for each in engine.asked)
    finally:
        swarm.clean_up()
        engine.clean_up()
