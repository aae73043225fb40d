"""Tasks on chain, SWCI and SWOP with real processes in sandboxes."""

import json
import re
import socket

import pytest
from harness import reported, says, until
from launcher.operators import DEFAULT_TASKRUNNER, build_task, node_definition, run_task, swop_profile
from operated import TestSwarm

HELLO = 'import os; print("hello", os.getcwd(), sorted(os.listdir(".")), os.environ["SCRATCH_DIR"], flush=True)\n'


@pytest.fixture
def swarm(request, folder, certs):
    yield from reported(request, TestSwarm(folder, certs))


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


def sl_names(swop):
    """How the SWOP has its SLs named, by their index."""
    out = {}
    for file in swop.data_dir.glob("*/programs/*.sl/spec.json"):
        words = json.loads(file.read_text())["argv"]
        out[int(file.parent.name.split(".")[-2])] = words[words.index("--node-name") + 1]
    return out


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
    for swop in swarm.swops:
        enrolls = "swarm.swop : INFO : SWOPExecutor: ENROLL TO Task : train , opId : 1 - "
        assert re.findall(re.escape(enrolls) + "(.*)", swop.log()) == ["Begins", "Ends"]
    assert len({sl_names(swop)[index] for swop in swarm.swops for index in (0, 1)}) == 4, "nodes of one group"


def add_programs(swarm, certs, programs, nodes=1, variables=()):
    """A SWOP with so many nodes, and in USR/model a program for each name in `programs`."""
    (swarm.usr / "model").mkdir(exist_ok=True)
    for name, text in programs.items():
        (swarm.usr / "model" / f"{name}.py").write_text(text)
        swarm.make_task(run_task(name, f"model/{name}.py", shared=[("/platform/swarm/usr/model", "/tmp/test/model")]))
    return swarm.add_swop(swop_profile([node_definition(certs, idx, None, variables) for idx in range(nodes)]))


def outcome(swarm, task, how="WITH 1 PEERS"):
    """Assigns the task; what STATUS and PEER STATUS say at its end."""
    swarm.assign(task, how)
    state = swarm.wait_task().field("TASK_STATE")
    return state, swarm.peer_status(0)


def test_a_program_that_fails_is_reported_with_its_exit_code(swarm, certs):
    swarm.start_sn()
    text = "import sys\nfor n in range(30): print('line', n)\nsys.exit(3)\n"
    swop = add_programs(swarm, certs, {"fails": text, "still_works": "print('fine')\n"})
    state, peer = outcome(swarm, "fails")
    assert state == "ERROR"
    row = peer.rows("STATUS")[0]
    assert (row[0], row[-1]) == ("FAILED", "the program exited (exit code 3)")
    log = swop.log()
    assert "    line 29\n" in log and "    line 10\n" in log and "    line 9\n" not in log, "the last 20 lines, no more"
    assert outcome(swarm, "still_works")[0] == "COMPLETE"


def test_a_program_without_a_session_ends_its_peer(swarm, certs):
    swarm.start_sn()
    add_programs(swarm, certs, {"alone": "print('loopback')\n"}, nodes=2)
    state, peer = outcome(swarm, "alone", "WITH 2 PEERS")
    assert state == "COMPLETE"
    assert [(row[0], row[-1]) for row in peer.rows("STATUS")] == [("COMPLETE", "ended")] * 2
    assert swarm.sn.merges() == []


@pytest.mark.parametrize(
    "change, said",
    [
        ({"Entrypoint": "no-such-program"}, "the program cannot be started"),
        ({"SharedContent": [{"Src": "/etc", "Tgt": "/tmp/test/etc", "MType": "BIND"}]}, "a path is not allowed"),
        (
            {"SharedContent": [{"Src": "/platform/swarm/usr/none", "Tgt": "/tmp/test/x", "MType": "BIND"}]},
            "a path is missing",
        ),
        ({"SharedContent": [{"Src": "none", "Tgt": "/tmp/test/x", "MType": "VOLUME"}]}, "a volume is missing"),
    ],
)  # fmt: skip
def test_what_a_host_cannot_do_is_said(swarm, certs, change, said):
    swarm.start_sn()
    swop = swarm.add_swop(swop_profile([node_definition(certs, 0)]))
    task = run_task("cannot", "x.py")
    task["Body"].update(change)
    swarm.make_task(task)
    state, peer = outcome(swarm, "cannot")
    assert state == "ERROR"
    assert [row[-1] for row in peer.rows("STATUS")] == [said]
    assert "cannot: " in swop.log()


def test_gpus_and_limits_of_the_profile_hold_for_the_program(swarm, certs):
    swarm.start_sn()
    program = """import os
print("GPUs", os.environ.get("CUDA_VISIBLE_DEVICES"), flush=True)
if os.environ["NAME"] == "small":
    try:
        bytearray(400 * 1024 * 1024)
        print("not limited")
    except MemoryError:
        print("limited")
"""
    wanted = [(None, None), ("all", ",".join(map(str, range(16)))), (2, "0,1"), ("device=3,5", "3,5")]
    wanted.append(('"device=1,2"', "1,2"))
    nodes = [node_definition(certs, idx, None, {"NAME": "any"}) for idx in range(len(wanted))]
    for node, (gpus, _) in zip(nodes, wanted):
        node["slnodedef"]["usrcontaineropts"] = gpus and [{"gpus": gpus}]
    small = node_definition(certs, len(wanted), None, {"NAME": "small"})
    small["slnodedef"]["usrlimits"] = {"memory": "100m"}
    (swarm.usr / "show.py").write_text(program)
    shared = [("/platform/swarm/usr", "/tmp/test")]
    swarm.make_task(run_task("show", "show.py", shared=shared))
    swop = swarm.add_swop(swop_profile([*nodes, small]))
    _, peer = outcome(swarm, "show", f"WITH {len(wanted)} PEERS")
    outputs = {int(name.split(".")[-2]): text for name, text in swop.outputs().items() if name.endswith("ml")}
    assert [outputs[idx] for idx in range(len(wanted))] == [f"GPUs {shown}\n" for _, shown in wanted]
    limited = outputs[len(wanted)].endswith("limited\n") and "not" not in outputs[len(wanted)]
    assert limited or peer.rows("STATUS")[-1][-1] == "out of memory", "where a cgroup limits it, the kernel ends it"


def test_a_port_that_is_taken_is_said(swarm, certs):
    swarm.start_sn()
    (swarm.usr / "wait.py").write_text("import time\nwhile True: time.sleep(60)\n")  # the SL ends first, then this
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = taken.getsockname()[1]
        node = node_definition(certs, 0)
        node["slnodedef"]["slport"] = port
        swop = swarm.add_swop(swop_profile([node]))
        swarm.make_task(run_task("task", "wait.py", shared=[("/platform/swarm/usr", "/tmp/test")]))
        state, peer = outcome(swarm, "task")
        assert state == "ERROR"
        assert peer.rows("STATUS")[0][-1] == "SL exited (exit code 1)"
        assert says(swop.log(), f"port {port} on 0.0.0.0 is in use by another program")


def test_a_prerequisite_that_was_not_carried_out_here(swarm, certs):
    swarm.start_sn()
    swarm.add_swop(swop_profile([node_definition(certs, 0)]))
    swarm.make_task(build_task("build", ["no-such-package"], "some-env"))
    swarm.make_task(run_task("run", "x.py", prereq="build"))
    state, peer = outcome(swarm, "run")
    assert state == "ERROR"
    assert [row[-1] for row in peer.rows("STATUS")] == ["the prerequisite is missing"]


def test_a_busy_runner_refuses_and_target_adds_a_swop(swarm):
    swarm.start_sn()
    swarm.add_trainers(1, first=0)
    swarm.make_training(gated=True, MIN_PEERS=1)
    swarm.assign("train", "WITH 1 PEERS")
    swarm.wait_at_gate(0)
    late = swarm.add_trainers(1, first=1)
    again = swarm.opening() + f"ASSIGN TASK train TO {DEFAULT_TASKRUNNER} WITH 1 PEERS\nEXIT\n"
    refused = swarm.swci.run(again)
    assert refused.code == 1
    assert says(refused.text, "the taskrunner has the task 'train', which is RUNNING: reset it first"), refused.text
    assert swarm.status().field("TASK_STATE") == "RUNNING"
    assert swarm.status().field("ENROLLED_PEERS") == "1"
    swarm.order(f"ASSIGN TASK train TO {DEFAULT_TASKRUNNER} TARGET {late.wait_listening()}")
    swarm.wait_at_gate(0, 1)
    assert swarm.status().field("ENROLLED_PEERS") == "2"
    swarm.open_gate()
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    until(lambda: swarm.status().field("COMPLETED_PEERS") == "2", "the added SWOP's pair to complete, too")


def test_target_and_all_peers_say_who_takes_part(swarm):
    swarm.start_sn()
    first, second = swarm.add_trainers(1, first=0), swarm.add_trainers(2, first=1)
    swarm.make_training("two", MIN_PEERS=2)
    swarm.make_training("three", MIN_PEERS=3)
    swarm.assign("two", f"TARGET {second.wait_listening()}")
    status = swarm.wait_task()
    assert (status.field("TASK_STATE"), status.field("COMPLETED_PEERS")) == ("COMPLETE", "2")
    assert first.programs() == {}
    until(swarm.sn.completed, "the training to be over")
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}\nRESET CONTRACT defaultbb.cqdb.sml.hpe")
    swarm.assign("three", "WITH ALL PEERS")
    status = swarm.wait_task()
    assert (status.field("NEEDED_PEERS"), status.field("COMPLETED_PEERS")) == ("3", "3")


def test_two_taskrunners_side_by_side_on_one_host(swarm):
    swarm.start_sn()
    swarm.order("CREATE TASKRUNNER second-runner\nCREATE CONTRACT second")
    swarm.add_trainers(2, first=0)
    swarm.add_trainers(2, first=2, group="other", taskrunner="second-runner")
    swarm.make_training("one", gated=True, MIN_PEERS=2)
    swarm.make_training("two", gated=True, MIN_PEERS=2, CONTRACT="second")
    swarm.assign("one", "WITH 2 PEERS")
    swarm.assign("two", "WITH 2 PEERS", "second-runner")
    swarm.wait_at_gate(0, 1, 2, 3)
    swarm.open_gate()
    for runner, task in ((DEFAULT_TASKRUNNER, "one"), ("second-runner", "two")):
        status = swarm.wait_task(runner)
        assert status.field("TASK_NAME") == task
        assert (status.field("TASK_STATE"), status.field("COMPLETED_PEERS")) == ("COMPLETE", "2")
    assert [swarm.result_of(user) for user in range(4)] == [[0.5] * 4] * 2 + [[2.5] * 4] * 2
    assert len(swarm.sn.merges()) == len(swarm.sn.merges("second")) == 4


def test_everything_is_shown_as_before_when_all_sns_have_restarted(swarm):
    swarm.start_sn()
    others = [swarm.join_sn(f"sn-{number}") for number in (2, 3)]
    swarm.add_trainers(1, first=0)
    swarm.make_training(MIN_PEERS=1)
    swarm.make_task(build_task("build", ["no-such-package"], "some-env"))
    swarm.order("CREATE TASKRUNNER second-runner\nCREATE CONTRACT second")
    swarm.assign("train", "WITH 1 PEERS")
    swarm.wait_task()
    shown = [
        *("LIST TASKS", "LIST TASKRUNNERS", "LIST CONTRACTS", f"LIST TASKRUNNER PEERS {DEFAULT_TASKRUNNER}"),
        *("GET TASK INFO train", "GET TASK BODY train", "GET TASK INFO build", "GET TASK BODY build"),
        *(f"GET TASKRUNNER {what} {DEFAULT_TASKRUNNER}" for what in ("INFO", "STATUS", "PEER STATUS")),
        *("GET TASKRUNNER STATUS second-runner", "GET CONTRACT INFO second", "GET CONTRACT STATUS second"),
        *(f"GET CONTRACT {what} defaultbb.cqdb.sml.hpe" for what in ("INFO", "STATUS")),
        "PERFDATA defaultbb.cqdb.sml.hpe",
    ]
    shown = [line + " 0" if "PEER STATUS" in line else line for line in shown]
    before = swarm.order("\n".join(shown))
    sns = [swarm.sn, *others]
    for sn in sns:
        sn.kill9()
    for sn in sns:
        sn.start()
    for sn in sns:
        sn.wait_up()
    after = swarm.order("\n".join(shown))
    for number, line in enumerate(shown, 3):
        assert after.printed(number) == before.printed(number), line
