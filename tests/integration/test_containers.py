"""SWOPs with mgrtype DOCKER, on a real Docker and a real Podman: tasks of all kinds, killed SWOPs and engines."""

import functools
import http.server
import pathlib
import re
import threading

import pytest
from contained import ContainedSwarm, python_image
from harness import until
from launcher.operators import DEFAULT_TASKRUNNER, content_task, run_task
from launcher.registry import PASSWORD, Registry, why_no_registry

SWOP_NAME = re.compile(r"swop-demo-train-[su]-[01]-[0-9a-f]{8}")
RESET = f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}"


@pytest.fixture(params=["docker", "podman"])
def contained(request, folder, certs):
    swarm = ContainedSwarm(folder, certs, request.param)
    try:
        swarm.start_sn()
        yield swarm
        failed = getattr(request.node, "report_call", None)
        if failed is not None and failed.failed:
            print(swarm.report())
    finally:
        swarm.clean_up()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *unused):
        pass


@pytest.fixture
def web(folder):
    """The address of a server, and the folder of its files."""
    files = pathlib.Path(folder) / "web"
    files.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=files))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", files
    server.shutdown()
    thread.join()
    server.server_close()


def reset(swarm):
    swarm.order(RESET)
    until(lambda: not swarm.containers(), "the containers to be removed")


def test_a_task_builds_an_image_and_another_trains_in_it(contained):
    swarm = contained
    swarm.add_trainers(2)
    swarm.build([f"FROM {python_image(swarm.engine)}", " ", "ENV GREETING=hi \\", "    OTHER=1"])
    swarm.make_training(MIN_PEERS=2)
    swarm.assign("train", "WITH 2 PEERS")
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE", status.text
    assert swarm.result_of(0) == swarm.result_of(1) == [0.5] * 4
    there = swarm.containers()
    assert len(there) == 4 and all(SWOP_NAME.fullmatch(name) for name in there), list(there)
    program = next(each for each in there.values() if each["Labels"]["swarmd.kind"] == "ml")
    assert program["Labels"].keys() >= {"team-a", "swarmd.group", "swarmd.task", "swarmd.index", "swarmd.program"}
    facts = swarm.engine.call("GET", f"/containers/{program['Id']}/json")
    assert facts["HostConfig"]["ShmSize"] == 8 << 20
    assert facts["Config"]["Hostname"] == f"user{int(program['Labels']['swarmd.index']) + 1}"
    reset(swarm)


def test_content_reaches_builds_and_programs_by_volumes_of_the_engine(contained, web):
    swarm, (address, files) = contained, web
    (files / "go.sh").write_text("cat /tmp/test/model/data.txt >/tmp/test/out; echo $NAME >>/tmp/test/model/data.txt\n")
    (files / "data.txt").write_text("data\n")
    swarm.add_trainers(2)
    for name, file, kind in (("scripts", "go.sh", "BUILDCONTENT"), ("mnist-msn", "data.txt", "SWARMCONTENT")):
        swarm.make_task(content_task(name, [("DOWNLOAD", f"{address}/{file}", file)], name, kind))
        swarm.assign(name, "WITH 1 PEERS")
        assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    swarm.build([f"FROM {swarm.engine.base}", "COPY go.sh /go.sh", "RUN test -s /go.sh"], context="scripts")
    task = run_task(
        "copy", "/go.sh", "sh", shared=[("mnist-msn", "/tmp/test/model")], private="/tmp/test", prereq="env"
    )
    swarm.make_task(task)
    swarm.assign("copy", "WITH 2 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    # Each has a copy of its own, and may change it.
    assert [(swarm.usr / f"user{i}" / "out").read_text() for i in (0, 1)] == ["data\n"] * 2
    swarm.assign("copy", "WITH 2 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    assert [(swarm.usr / f"user{i}" / "out").read_text() for i in (0, 1)] == ["data\nuser0\n", "data\nuser1\n"]
    reset(swarm)
    volumes = {each["Name"]: each["Labels"] for each in swarm.engine.call("GET", "/volumes")["Volumes"]}
    assert volumes == {
        "scripts": {"swarmd.volume": "scripts"},
        **{f"mnist-msn-{i}": {"swarmd.volume": "mnist-msn"} for i in (0, 1)},
    }
    # A volume of somebody else's is neither shown nor replaced.
    swarm.engine.call("POST", "/volumes/create", {"Name": "foreign"})
    task["Name"], task["Body"]["SharedContent"][0]["Src"] = "steal", "foreign"
    swarm.make_task(task)
    swarm.assign("steal", "WITH 2 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert "may not use the volume 'foreign'" in swarm.swops[0].log()
    swarm.make_task(content_task("replace", [("DOWNLOAD", f"{address}/data.txt", "d")], "foreign", "BUILDCONTENT"))
    swarm.assign("replace", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert swarm.engine.call("GET", "/volumes/foreign")["Labels"] in ({}, None)


def test_a_build_that_fails_says_why_and_one_of_no_image_too(contained):
    swarm = contained
    swop = swarm.add_trainers(1)
    steps = [f"FROM {swarm.engine.base}", "RUN true", "RUN echo the reason; echo more >&2; exit 3"]
    answer = swarm.build(steps, name="bad")
    assert answer.field("TASK_STATE") == "ERROR"
    assert "the reason" in swop.log() and "more" in swop.log()
    assert "the build failed" in swarm.peer_status(0).text
    swarm.build(["FROM no-such-image-anywhere:1"], name="none")
    assert "the image user-env:1 was not built" in swop.log()
    # A program in an image that is not there, and a program that its image lacks.
    swarm.make_task(run_task("early", "x", "sh", prereq="bad"))
    swarm.assign("early", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert "the image 'user-env:1' is not there" in swop.log()
    swarm.build([f"FROM {swarm.engine.base}"], name="good")
    swarm.make_task(run_task("lacks", "x", "pyhton3", prereq="good"))
    swarm.assign("lacks", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert "pyhton3" in swop.log()
    reset(swarm)


def pull_task(name, image, outcome, auth):
    registry, _, rest = image.rpartition("/")
    repository, tag = rest.split(":")
    body = {"OrgAndReg": registry, "RepoName": repository, "Tag": tag, "Auth": auth}
    head = {"Name": name, "TaskType": "PULL_IMAGE", "Author": "tests", "Prereq": "ROOTTASK", "Outcome": outcome}
    return {**head, "Body": body}


def test_images_are_pulled_from_a_registry_with_a_password(contained, folder):
    if why := why_no_registry():
        pytest.skip(why)
    swarm = contained
    swop = swarm.add_trainers(1)
    registry = Registry(folder).start()
    try:
        image = registry.take(swarm.engine, swarm.engine.base, "org/base:7")
        right, wrong = (swarm.usr / name for name in ("right.json", "wrong.json"))
        registry.config_json(right)
        registry.config_json(wrong, "guess")
        for name, auth, outcome in (("wrong", wrong, "ERROR"), ("none", None, "ERROR"), ("right", right, "COMPLETE")):
            swarm.make_task(pull_task(name, image, "localhost/mine:1", auth and f"/platform/swarm/usr/{auth.name}"))
            swarm.assign(name, "WITH 1 PEERS")
            assert swarm.wait_task().field("TASK_STATE") == outcome, name
        assert "localhost/mine:1" in str(swarm.engine.call("GET", "/images/json"))
        assert f"the image {image} was not pulled" in swop.log()
        assert PASSWORD not in swop.log()
    finally:
        registry.clean_up()


def begin(swarm):
    """A training in its middle, with somebody else's container beside it."""
    swop = swarm.add_trainers(2)
    other = {"Image": swarm.engine.base, "Cmd": ["sleep", "600"], "HostConfig": {"NetworkMode": "host"}}
    swarm.engine.call("POST", "/containers/create?name=swop-demo-other", other)
    swarm.engine.call("POST", "/containers/swop-demo-other/start")
    swarm.build([f"FROM {python_image(swarm.engine)}"])
    swarm.make_training(gated=True, MIN_PEERS=2)
    swarm.assign("train", "WITH 2 PEERS")
    swarm.wait_at_gate(0, 1)
    return swop


def state_of(swarm, name):
    return swarm.engine.call("GET", f"/containers/{name}/json")["State"]["Status"]


def test_a_killed_swop_goes_on_with_its_containers(contained):
    swarm = contained
    swop = begin(swarm)
    before = {name: each["Id"] for name, each in swarm.containers().items()}
    swop.kill9()
    swop.start().wait_listening()
    swarm.open_gate()
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    assert {name: each["Id"] for name, each in swarm.containers().items()} == before
    reset(swarm)
    assert state_of(swarm, "swop-demo-other") == "running"


def test_a_killed_engine_costs_the_task_and_nothing_else(contained):
    swarm = contained
    begin(swarm)
    swarm.engine.kill()
    swarm.engine.start()  # Docker ends what it finds; Podman's containers have gone on
    if swarm.engine.kind == "podman":
        swarm.open_gate()
        assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    else:
        assert swarm.wait_task().field("TASK_STATE") == "ERROR"
        assert "FAILED" in swarm.peer_status(0).text
    reset(swarm)
    names = [name for each in swarm.engine.containers() for name in each["Names"]]
    assert names == ["/swop-demo-other"]


def test_a_swop_in_a_container_drives_the_engine_whose_socket_it_was_given(contained):
    swarm = contained
    swarm.contain_swop(2)
    swarm.build([f"FROM {python_image(swarm.engine)}"])
    swarm.make_training(MIN_PEERS=2)
    swarm.assign("train", "WITH 2 PEERS")
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE", status.text
    assert swarm.result_of(0) == swarm.result_of(1) == [0.5] * 4
    reset(swarm)
