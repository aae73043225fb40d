"""A SWOP carries out the tasks that its policy takes, with real processes."""

import json

import pytest
from harness import reported, says
from launcher.operators import SWOP, node_definition, run_task, swop_profile
from operated import TestSwarm

# So far the chain knows the organisation of no SWCI, whose tasks only '*' fits; with one, no rule here fits it.
OTHERS = """rules:
  - { organisations: [Nobody we know], take: true }
"""
ALL = """rules:
  - { organisations: ["*"], types: [RUN_SWARM], take: true }
"""


@pytest.fixture
def swarm(request, folder, certs):
    yield from reported(request, TestSwarm(folder, certs))


def add_swop(swarm, certs, policy):
    """`policy`: the text of the file that the profile names; None: none is named."""
    profile = swop_profile([node_definition(certs, 0)])
    if policy is not None:
        (swarm.usr / "policy.yaml").write_text(policy)
        profile["policyuri"] = "policy.yaml"
    return swarm.add_swop(profile)


def run_hello(swarm):
    (swarm.usr / "model").mkdir()
    (swarm.usr / "model" / "hello.py").write_text("print('hello', flush=True)\n")
    shared = [("/platform/swarm/usr/model", "/tmp/test/model")]
    swarm.make_task(run_task("hello", "model/hello.py", shared=shared))
    swarm.assign("hello", "WITH 1 PEERS")
    return swarm.order("GET TASK INFO hello")


def test_a_task_that_the_policy_does_not_take_is_refused_on_the_chain_and_in_the_log(swarm, certs):
    swarm.start_sn()
    swop = add_swop(swarm, certs, OTHERS)
    run_hello(swarm)
    status = swarm.order("WAIT FOR TASKRUNNER defaulttaskbb.taskdb.sml.hpe", patience=60)
    assert "ERROR" in status.text
    peer = swarm.peer_status(0)
    assert "the SWOP's policy does not take it" in peer.text, peer.text
    assert says(swop.log(), "task hello: 'hello' (author tests): no rule of"), swop.log()
    assert says(swop.log(), "policy.yaml takes a RUN_SWARM task"), swop.log()
    assert not swop.outputs()  # nothing of it was started


@pytest.mark.parametrize("policy", [ALL, None])
def test_a_task_that_the_policy_takes_is_carried_out(swarm, certs, policy):
    swarm.start_sn()
    swop = add_swop(swarm, certs, policy)
    run_hello(swarm)
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    advice = "policyuri of the SWOP profile can name a file of rules"
    assert says(swop.log(), advice) == (policy is None)


def test_a_policy_that_is_none_keeps_the_swop_from_starting(swarm, certs):
    swarm.start_sn()
    (swarm.usr / "policy.yaml").write_text("rules:\n  - { organisations: [A], take: perhaps }\n")
    for policy, told in (
        ("policy.yaml", "policy.yaml:2:33: rules[0].take"),
        ("nowhere.yaml", "nowhere.yaml"),
        ("http://policies/all", "policyuri: give the path of a file of rules"),
    ):
        profile = swop_profile([node_definition(certs, 0)]) | {"policyuri": policy}
        file = swarm.usr / "bad.yaml"
        file.write_text(json.dumps(profile))
        swop = SWOP(swarm.folder, certs, swarm.sn.port, swarm.usr, file.name, "swop-1")
        swarm.swops.append(swop)
        assert swop.start().wait_exit() != 0
        assert says(swop.log(), told), swop.log()
