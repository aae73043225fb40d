"""SWOPs with mgrtype DOCKER, on a real Docker and a real Podman: tasks of all kinds, killed SWOPs and engines."""

import re

import pytest
from contained import ContainedSwarm, python_image
from harness import until
from launcher.operators import DEFAULT_TASKRUNNER

SWOP_NAME = re.compile(r"swop-demo-train-[su]-[01]-[0-9a-f]{8}")


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
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    until(lambda: not swarm.containers(), "the containers to be removed")
