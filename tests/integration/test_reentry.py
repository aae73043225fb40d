"""Validators lose the record of their votes, so many that no quorum is left, and their operators have them vote again.

A validator loses its record with its chain: the key stays, the chain is fetched from the others again.
"""

import json
import shutil

import numpy as np
import pytest
from harness import Failure, Program, says, trains, until
from test_network import grow, one_chain, same_history

TRAINING = trains([{"w": np.ones(10, np.float32)}] * 3, minPeers=1)


def consensus(sn):
    return (sn.admin("actor", name="/sn/consensus") or {}).get("detail") or {}


def status(sn):
    return sn.admin("actor", name="/sn/consensus")["state"]


def head_of(sn):
    """None while it has no chain yet."""
    try:
        return sn.head()
    except Failure:
        return None


def lose_records(sns, alive):
    """All at once; returns when they have the chain again, and are silent."""
    for sn in sns:
        sn.kill9()
    for sn in sns:
        shutil.rmtree(sn.data_dir / "sn-1" / "chain")
        sn.start().wait_up()
    for sn in sns:
        until(lambda: head_of(sn) == alive.head(), f"{sn.name} to fetch the chain", alive=sns)  # noqa: B023
        until(lambda: consensus(sn).get("silent"), f"{sn.name} to know that its record is missing", alive=sns)  # noqa: B023
        sn.wait_log("keeps silent: the record of its votes is missing")


@pytest.fixture
def halted(swarm):
    """Makes a swarm of four in which so many, the last ones, have lost their records, and a training that waits."""

    def make(lost):
        sns = grow(swarm, 4)
        sl = swarm.add_sl(sn_port=sns[0].port).wait_ready()
        one_chain(sns)
        lose_records(sns[4 - lost :], alive=sns[0])
        return sns, Program(sl, TRAINING)

    return make


def stands_still(sns):
    """Every SN says so, and what to do; returns the number of the block that no quorum decides."""
    head = sns[0].head()
    for sn in sns:
        until(lambda: "the chain stands still" in status(sn), f"{sn.name} to say so", alive=sns)  # noqa: B023
        assert f"re-enter --block {head[0] + 1}" in status(sn), status(sn)
        assert "compare the heads of all SNs" in sn.log()
    assert [sn.head() for sn in sns] == [head] * len(sns)
    return head[0] + 1


def reenter(sn, inspect, block_num):
    assert sn.terminate() == 0
    word = json.loads(inspect(sn, "re-enter", "--block", str(block_num), "--json"))
    assert word["block_num"] == block_num and word["round_num"] == 100_000
    sn.start().wait_up()
    return word


def goes_on(sns, program):
    assert program.result().sync_count == 3
    one_chain(sns)
    until(lambda: not any(consensus(sn)["silent"] for sn in sns), "all to vote again", alive=sns)
    same_history(sns)
    assert all(not consensus(sn)["double_votes"] for sn in sns)
    assert len(sns[0].validators()) == 4


def test_one_of_two_that_lost_their_records_re_enters_and_the_other_learns(halted, inspect):
    sns, program = halted(2)
    block_num = stands_still(sns)
    word = reenter(sns[3], inspect, block_num)
    for sn in sns:
        line = f"the validator {word['account']} 'sn-4' of the organisation "
        until(lambda: line in sn.log(), f"{sn.name} to see the re-entry", alive=sns)  # noqa: B023
        assert f"votes again from block {block_num} on by its operator's word" in sn.log()
        shown = json.loads(inspect(sn, "chain", "--json"))["reentries"]
        assert [(one["account"], one["block_num"]) for one in shown] == [(word["account"], block_num)]
    goes_on(sns, program)


def test_three_of_four_lost_their_records(halted, inspect):
    sns, program = halted(3)
    block_num = stands_still(sns)
    for sn in sns[1:]:
        reenter(sn, inspect, block_num)
    goes_on(sns, program)


def test_what_the_command_refuses(halted, inspect):
    sns, program = halted(2)
    block_num = stands_still(sns)
    lost, whole = sns[3], sns[1]

    def refused(sn, *arguments, status=1):
        return inspect(sn, "re-enter", *arguments, status=status)

    assert says(refused(lost, "--block", str(block_num)), "another process uses this directory")
    assert lost.terminate() == 0
    for below in (0, block_num - 1):
        text = refused(lost, "--block", str(below))
        assert says(text, "final") and says(text, f"--block {block_num}"), text
    assert says(refused(lost, "--block", str(block_num + 1)), "let it catch up with the others")
    for none in (0, 7, 100_001, 500_000):
        assert says(refused(lost, "--block", str(block_num), "--round", str(none)), "a key re-enters in round")
    refused(lost, status=2)  # without a block
    refused(lost, "--block", "next", status=2)
    inspect(lost, "re-enter", "--block", str(block_num))
    assert says(refused(lost, "--block", str(block_num)), "already")
    assert whole.terminate() == 0
    assert says(refused(whole, "--block", str(block_num)), "the record of this key's votes is whole")
    whole.data_dir, there = whole.data_dir / "elsewhere", whole.data_dir
    assert says(refused(whole, "--block", str(block_num)), "not the data directory of an SN")
    assert not whole.data_dir.exists()
    whole.data_dir = there
    whole.start().wait_up()
    lost.start().wait_up()
    goes_on(sns, program)
