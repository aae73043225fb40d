"""SWOPs with mgrtype DOCKER, on a real Docker and a real Podman: tasks of all kinds, killed SWOPs and engines."""

import functools
import http.server
import pathlib
import re
import tempfile
import threading

import pytest
from contained import ContainedSwarm, ask_engine, start_engine
from harness import until
from launcher.images import python_image
from launcher.operators import DEFAULT_TASKRUNNER, content_task, run_task
from launcher.processes import says
from launcher.registry import PASSWORD, USER, Registry, why_no_registry

SWOP_NAME = re.compile(r"swop-demo-train-[su]-[01]-[0-9a-f]{8}")
RESET = f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}"


@pytest.fixture(scope="module", params=["docker", "podman"])
def engine(request):
    """One for all tests of this file, which find it empty but for its images."""
    with tempfile.TemporaryDirectory(prefix="swarmd-test-") as folder:
        engine = start_engine(folder, request.param)
        try:
            yield engine
        finally:
            engine.clean_up()


@pytest.fixture
def contained(request, folder, certs, engine):
    swarm = ContainedSwarm(folder, certs, engine)
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
    volumes = swarm.engine.call("GET", "/volumes")["Volumes"]
    volumes = {each["Name"]: each["Labels"]["swarmd.volume"] for each in volumes}
    assert volumes == {"scripts": "scripts", "mnist-msn-0": "mnist-msn", "mnist-msn-1": "mnist-msn"}
    # A volume of somebody else's is neither shown nor replaced.
    swarm.engine.call("POST", "/volumes/create", {"Name": "foreign"})
    task["Name"], task["Body"]["SharedContent"][0]["Src"] = "steal", "foreign"
    swarm.make_task(task)
    swarm.assign("steal", "WITH 2 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert says(swarm.swops[0].log(), "may not use the volume 'foreign'")
    swarm.make_task(content_task("replace", [("DOWNLOAD", f"{address}/data.txt", "d")], "foreign", "BUILDCONTENT"))
    swarm.assign("replace", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert swarm.engine.call("GET", "/volumes/foreign")["Labels"] in ({}, None)


def test_two_swops_with_the_same_profile_share_an_engine(contained, web):
    swarm, (address, files) = contained, web
    (files / "data.txt").write_bytes(b"data\n" * 100_000)
    swarm.add_trainers(1)
    swarm.add_trainers(2, first=1)  # whose first node has the same number
    swarm.make_task(content_task("fill", [("DOWNLOAD", f"{address}/data.txt", "data.txt")], "shared"))
    swarm.assign("fill", "WITH 2 PEERS")
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE", [swop.log() for swop in swarm.swops]
    swarm.build([f"FROM {python_image(swarm.engine)}"])
    swarm.make_training(MIN_PEERS=3)
    swarm.assign("train", "WITH 3 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE", [swop.log() for swop in swarm.swops]
    assert swarm.result_of(0) == swarm.result_of(1) == swarm.result_of(2) == [1.0] * 4
    assert len(swarm.containers()) == 6
    reset(swarm)
    volumes = swarm.engine.call("GET", "/volumes")["Volumes"]
    assert sorted(each["Name"] for each in volumes) == ["shared-0", "shared-1"]
    assert not swarm.engine.containers()


def test_a_build_that_fails_says_why_and_one_of_no_image_too(contained):
    swarm = contained
    swop = swarm.add_trainers(1)
    steps = [f"FROM {swarm.engine.base}", "RUN true", "RUN echo the reason; echo more >&2; exit 3"]
    answer = swarm.build(steps, name="bad")
    assert answer.field("TASK_STATE") == "ERROR"
    assert "the reason" in swop.log() and "more" in swop.log()
    assert "the build failed" in swarm.peer_status(0).text
    swarm.build(["FROM no-such-image-anywhere:1"], name="none")
    assert says(swop.log(), "the image user-env:1 was not built")
    # A program in an image that is not there, and a program that its image lacks.
    swarm.make_task(run_task("early", "x", "sh", prereq="bad"))
    swarm.assign("early", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert says(swop.log(), "the image 'user-env:1' is not there")
    swarm.build([f"FROM {swarm.engine.base}"], name="good")
    swarm.make_task(run_task("lacks", "x", "pyhton3", prereq="good"))
    swarm.assign("lacks", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    assert says(swop.log(), "pyhton3")
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
    registry = Registry(folder).start()
    known = {"HUB": PASSWORD, "BAD": "guess", "OTHER": PASSWORD, "LONELY": PASSWORD}
    known |= {"HUB_REGISTRY": registry.address, "BAD_REGISTRY": registry.address, "OTHER_REGISTRY": "docker.io"}
    swop = swarm.add_trainers(1, environment=known)
    try:
        image = registry.take(swarm.engine, swarm.engine.base, "org/base:7")
        right, wrong = (swarm.usr / name for name in ("right.json", "wrong.json"))
        registry.config_json(right)
        registry.config_json(wrong, "guess")
        refused = f"the image {image} was not pulled"

        def pull(auth, state, said, image=image):
            name = f"pull-{len(seen)}"
            swarm.make_task(pull_task(name, image, "localhost/mine:1", auth))
            swarm.assign(name, "WITH 1 PEERS")
            assert swarm.wait_task().field("TASK_STATE") == state, (auth, swop.log())
            assert says(swop.log()[seen[-1] :], said), auth
            seen.append(len(swop.log()))
            if state == "COMPLETE":
                assert "localhost/mine:1" in str(swarm.engine.call("GET", "/images/json"))
                for each in ("localhost/mine:1", image):
                    swarm.engine.call("DELETE", f"/images/{each}")

        seen = [0]
        pull(None, "ERROR", refused)
        pull(f"/platform/swarm/usr/{wrong.name}", "ERROR", refused)
        pull(f"/platform/swarm/usr/{right.name}", "COMPLETE", "the image localhost/mine:1 is there")
        pull({"Username": USER, "Password": "$HUB"}, "COMPLETE", "the image localhost/mine:1 is there")
        pull({"Username": USER, "Password": "${BAD}"}, "ERROR", refused)
        pull({"Username": USER, "Password": "$NONE"}, "ERROR", "this SWOP has no NONE")
        pull({"Username": USER, "Password": "$LONELY"}, "ERROR", f"LONELY_REGISTRY={registry.address}")
        pull({"Username": USER, "Password": "$OTHER"}, "ERROR", "OTHER_REGISTRY says that it is for docker.io")
        other = image.removesuffix("7") + "8"
        pull({"Username": USER, "Password": "$HUB"}, "ERROR", f"the image {other} was not pulled", other)
        registry.terminate()
        pull({"Username": USER, "Password": "$HUB"}, "ERROR", "connection refused")
        assert PASSWORD not in swop.log() and PASSWORD not in swarm.order("GET TASK BODY pull-4").text
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
    for name in before:
        if "-s-" in name:  # as the health check of its image does
            ask_engine(swarm.engine, "exec", "--env=SWARMD_ROLE=sl", name, "swarmd", "--health")
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
