"""SWOP, SL, ML, SN and SWCI end by kill -9 in mid-task, and each actor of a SWOP as a crash would end it.

A task's programs wait after their first sync (`TestSwarm.wait_at_gate`): then it is in mid-task. Afterwards the status
tells what is, RESET leaves none of the task's processes, and the next ASSIGN works.
"""

import pytest
from harness import until
from launcher.operators import DEFAULT_TASKRUNNER, end_process, lives
from operated import TestSwarm


@pytest.fixture
def swarm(request, folder, certs):
    swarm = TestSwarm(folder, certs)
    swarm.start_sn()
    swarm.add_trainers(1, first=0)
    swarm.add_trainers(1, first=1)
    swarm.make_training(gated=True, MIN_PEERS=2)
    yield swarm
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(swarm.report())
    swarm.clean_up()


def begin(swarm):
    """The training, until its programs stand in mid-task."""
    swarm.assign("train", "WITH 2 PEERS")
    swarm.wait_at_gate(0, 1)


def complete(swarm):
    """It goes on and is complete, and right."""
    swarm.open_gate()
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE", status.text
    assert status.field("COMPLETED_PEERS") == "2"
    assert swarm.result_of(0) == swarm.result_of(1) == [0.5] * 4


def reset_and_again(swarm, training_over=True):
    """RESET ends what the task has started, and the next ASSIGN works."""
    left = [process for swop in swarm.swops for process in swop.processes()]
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    until(lambda: not any(map(lives, left)), "the processes of the task to end", patience=20)
    until(lambda: not any(swop.programs() for swop in swarm.swops), "the sandboxes to go", patience=20)
    swarm.close_gate()
    if training_over:
        until(swarm.sn.completed, "the training to be over")
    swarm.order("RESET CONTRACT defaultbb.cqdb.sml.hpe")
    begin(swarm)
    complete(swarm)


def peers(swarm):
    """STATUS and DESCRIPTION of the pair of each SWOP, by the SWOP's UID."""
    out = {}
    for index in (0, 1):
        answer = swarm.peer_status(index)
        row = answer.rows("STATUS")[0]
        out[answer.field("SWOP_UID")] = (row[0], row[-1])
    return out


def wait_peer(swarm, swop, *wanted):
    uid = swop.wait_listening()
    until(lambda: peers(swarm)[uid] == wanted, f"{swop.name}'s pair to be {wanted}", patience=20)


def test_a_killed_program_ends_its_peer_and_only_that(swarm):
    begin(swarm)
    victim = swarm.swops[0]
    end_process(victim.process_of("ml"))
    wait_peer(swarm, victim, "FAILED", "the program was killed (signal 9)")
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "ERROR"
    assert status.field("FAILED_PEERS") == "1"
    assert "the program was killed" in victim.log() and "    sync 1" in victim.log()
    reset_and_again(swarm, training_over=False)


def test_a_killed_sl_fails_its_peer(swarm):
    begin(swarm)
    victim = swarm.swops[1]
    end_process(victim.process_of("sl"))
    wait_peer(swarm, victim, "FAILED", "SL exited (exit code 137)")
    assert swarm.wait_task().field("TASK_STATE") == "ERROR"
    reset_and_again(swarm, training_over=False)


def test_a_killed_swop_adopts_its_pair(swarm):
    begin(swarm)
    victim = swarm.swops[0]
    before = victim.processes()
    victim.kill9()
    assert all(map(lives, before))
    victim.start().wait_listening()
    assert victim.processes() == before
    complete(swarm)
    reset_and_again(swarm)


def test_what_ended_while_its_swop_was_dead_is_reported_as_it_was(swarm):
    begin(swarm)
    victim = swarm.swops[0]
    program = victim.process_of("ml")
    victim.kill9()
    end_process(program)
    victim.start()
    wait_peer(swarm, victim, "FAILED", "the program was killed (signal 9)")
    reset_and_again(swarm, training_over=False)


def test_a_swop_that_comes_back_after_reset_cleans_up(swarm):
    begin(swarm)
    victim = swarm.swops[0]
    victim.kill9()
    left = victim.processes()
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    assert all(map(lives, left))
    victim.start().wait_listening()
    until(lambda: not any(map(lives, left)), "the processes of the former task to end", patience=20)
    reset_and_again(swarm, training_over=False)


def test_an_sn_that_dies_in_mid_task_changes_nothing(swarm):
    begin(swarm)
    for swop in swarm.swops:
        wait_peer(swarm, swop, "ACTIVE", "training (round 2)")
    shown = [swarm.status(), *map(swarm.peer_status, (0, 1))]
    swarm.sn.kill9()
    swarm.sn.start().wait_up()
    for before, after in zip(shown, [swarm.status(), *map(swarm.peer_status, (0, 1))]):
        assert after.printed(3) == before.printed(3)
    complete(swarm)
    reset_and_again(swarm)


def test_a_swci_that_dies_while_it_waits_changes_nothing(swarm):
    begin(swarm)
    swarm.swci.begin(swarm.opening() + f"WAIT FOR TASKRUNNER {DEFAULT_TASKRUNNER}\nEXIT\n")
    swarm.swci.wait_log("WAITING FOR TASKRUNNER")
    swarm.swci.kill9()
    assert swarm.status().field("TASK_STATE") == "RUNNING"
    complete(swarm)
    reset_and_again(swarm)


def test_reset_ends_programs_that_wait(swarm):
    begin(swarm)
    reset_and_again(swarm, training_over=False)


@pytest.mark.parametrize("actor", ["/swop/runner", "/swop/task:train", "/swop/sn", "/swop/lines"])
def test_an_actor_of_a_swop_may_die_in_mid_task(swarm, inspect, actor):
    begin(swarm)
    for swop in swarm.swops:
        tree = inspect(swop, "tree")
        assert "runner" in tree and "task:train" in tree, tree
        inspect(swop, "kill", actor)
        until(lambda: swop.admin("actor", name=actor)["restarts"] == 1, f"{actor} to start again")  # noqa: B023
    complete(swarm)
    reset_and_again(swarm)
