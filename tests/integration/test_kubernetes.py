"""Tasks of a SWOP in pods of a cluster that is none (`launcher/cluster.py`): programs and training are real."""

import pathlib
import tempfile

import pytest
from harness import BIN, until
from launcher.cluster import Cluster
from launcher.operators import DEFAULT_TASKRUNNER
from launcher.processes import says
from operated import TestSwarm

IMAGE = "registry.example:5000/trainer:1"


@pytest.fixture
def swarm(request, folder, certs):
    swarm = TestSwarm(folder, certs)
    place = tempfile.TemporaryDirectory(prefix="swarmd-cluster-")
    swarm.cluster = Cluster(pathlib.Path(place.name), str(BIN))
    yield swarm
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(swarm.report())
    swarm.clean_up()
    swarm.cluster.stop()
    place.cleanup()


def begin(swarm, nodes):
    """A SWOP whose nodes are at the gate of a training."""
    swarm.start_sn()
    cluster = swarm.cluster
    where = {"server": cluster.address, "namespace": "swarm", "tokenfile": str(cluster.token_file),
             "cafile": str(cluster.ca_file)}  # fmt: skip
    swop = swarm.add_trainers(nodes, manager="KUBERNETES", cluster=where)
    pull = {
        "Name": "image", "TaskType": "PULL_IMAGE", "Author": "tests", "Prereq": "ROOTTASK", "Outcome": IMAGE,
        "Body": {"OrgAndReg": "registry.example:5000/", "RepoName": "trainer", "Tag": "1", "Auth": None},
    }  # fmt: skip
    swarm.make_task(pull)
    swarm.assign("image", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE", swop.log()
    swarm.make_training(MIN_PEERS=nodes, SYNCS=2, gated=True, prereq="image")
    swarm.assign("train", f"WITH {nodes} PEERS")
    swarm.wait_at_gate(*range(nodes))
    return swop


def test_two_pairs_train_in_two_pods(swarm):
    swop = begin(swarm, 2)
    store = swarm.cluster.store
    assert [len(store.objects[kind]) for kind in ("jobs", "pods", "secrets")] == [2, 2, 2]
    pod = next(iter(store.objects["pods"].values()))
    assert [each["name"] for each in pod["spec"]["containers"]] == ["ml", "sl"]
    assert not list(swop.data_dir.glob("*/parts/*/*/channel/*")), "pipes are in the pod"
    # The SWOP is killed, the server is away, versions are forgotten, the token is another one: nobody is lost.
    swop.kill9()
    swarm.cluster.tell("token")
    swop.start().wait_listening()
    swarm.cluster.tell("away")
    swarm.open_gate()
    until(lambda: swop.log().count("it is asked again") > 0, "the SWOP to say that nobody answers", alive=[swop])
    swarm.cluster.tell("gone")
    swarm.cluster.tell("back")
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE", swop.log()
    assert [merge.round_num for merge in swarm.sn.merges()] == [1, 2, 3]
    assert [swarm.result_of(user) for user in range(2)] == [[0.5] * 4] * 2
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    until(lambda: not any(store.objects.values()), "the Jobs to be removed")


def test_a_pod_that_is_evicted_fails_its_pair_and_reset_cleans_up(swarm):
    swarm.cluster.tell("other somebody")
    swop = begin(swarm, 2)
    swarm.cluster.tell("evict")
    until(lambda: swarm.status().field("TASK_STATE") == "ERROR", "the task to fail", alive=[swop])
    assert says(swop.log(), "Evicted: The node was low on resource: memory.")
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    jobs = swarm.cluster.store.objects["jobs"]
    until(lambda: list(jobs) == ["swarmd-of-somebody"], "all but the other Job to be removed")
