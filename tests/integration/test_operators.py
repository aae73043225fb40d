"""Tasks on chain, SWCI and SWOP with real processes in sandboxes."""

import re

import pytest
from launcher.operators import DEFAULT_TASKRUNNER, node_definition, run_task, swop_profile
from operated import TestSwarm

HELLO = 'import os; print("hello", os.getcwd(), sorted(os.listdir(".")), os.environ["SCRATCH_DIR"], flush=True)\n'


@pytest.fixture
def swarm(request, folder, certs):
    swarm = TestSwarm(folder, certs)
    yield swarm
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(swarm.report())
    swarm.clean_up()


def test_a_program_runs_with_the_folders_of_its_task(swarm, certs):
    swarm.start_sn()
    (swarm.usr / "model").mkdir()
    (swarm.usr / "model" / "hello.py").write_text(HELLO)
    (swarm.usr / "private").mkdir()
    (swarm.usr / "private" / "data.csv").write_text("1,2\n")
    node = node_definition(certs, 0, swarm.usr / "private", {"SCRATCH_DIR": "user1"})
    swop = swarm.add_swop(swop_profile([node]))
    shared = [("/platform/swarm/usr/model", "/tmp/test/model")]
    swarm.make_task(run_task("hello", "model/hello.py", shared=shared, private="/tmp/test/"))
    swarm.assign("hello", "WITH 1 PEERS")
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE"
    assert status.field("COMPLETED_PEERS") == "1"
    assert "hello /tmp/test ['data.csv', 'model'] user1\n" in swop.outputs().values()
    peer = swarm.peer_status(0)
    assert peer.field("STATUS") == "COMPLETE"
    assert peer.field("SWOP_UID") == swop.wait_listening()
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")


def test_two_swops_train_with_two_nodes_each(swarm):
    swarm.start_sn()
    swarm.add_trainers(2, first=0)
    swarm.add_trainers(2, first=2)
    swarm.make_training(MIN_PEERS=4, SYNCS=3)
    swarm.assign("train", "WITH 4 PEERS")
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE"
    assert status.field("COMPLETED_PEERS") == "4"
    for swop in (0, 1):
        rows = swarm.peer_status(swop).rows("STATUS")
        assert [row[0] for row in rows] == ["COMPLETE", "COMPLETE"], rows
        assert all(re.fullmatch("0x[0-9a-f]{40}", row[3]) for row in rows), rows
    merges = swarm.sn.merges()
    assert [merge.round_num for merge in merges] == [1, 2, 3, 4]
    assert all(len(merge.contributors) == 4 and not merge.excluded for merge in merges)
    for user in range(4):
        assert swarm.result_of(user) == [1.5] * 4
