"""Seats follow signs of life, with real processes: a crashed node's goes to the next, a living one's to nobody."""

import pytest
from harness import SL, reported, until
from launcher.operators import SWCI, OperatorSwarm

LEASE = ("--seat-lease", "5")


@pytest.fixture
def swarm(request, folder, certs):
    yield from reported(request, OperatorSwarm(folder, certs))


def active(sn):
    return {node["name"] for node in sn.rpc("swarm_nodes") if node["active"]}


def test_the_seat_of_a_killed_sl_goes_to_the_next_and_that_of_a_living_sn_to_nobody(swarm, certs):
    sn = swarm.start_sn(flags=LEASE)
    until(lambda: sn.block_num() >= 1, "the sentinel registers")
    other = swarm.join_sn("sn-2", flags=LEASE)
    first = swarm.add_sl().wait_ready()
    until(lambda: active(sn) >= {"sn-1", "sn-2", "sl-1"}, "all to be members", alive=[sn, other, first])
    swci = SWCI(swarm.folder, certs, swarm.usr)
    answer = swci.run(swarm.opening() + "LIMIT SEATS SL 1\nLIMIT SEATS SN 2\nEXIT\n")
    assert answer.code == 0, answer.text

    first.kill9()
    other.pause()
    sn.wait_log(r"the SL sl-1 \(0x[0-9a-f]{40}\) has given no sign of life for \d+ s")
    sn.wait_log(r"the SN sn-2 \(0x[0-9a-f]{40}\) has given no sign of life for \d+ s")
    other.go_on()
    late = SL(swarm.folder, certs, sn.port, "sl-2").start()
    swarm.others.append(late)
    late.wait_log("has 1 seats of SL nodes taken: it limits itself to 1, and its SNs and SWCIs can change that")
    blocks = sn.block_num()
    until(lambda: "sl-2" in active(sn), "sl-2 to have the seat", alive=[sn, other, late])
    assert active(sn) >= {"sn-1", "sn-2"} and "sl-1" not in active(sn)
    # The registration, its vouch, and at most the answer for sn-2: whoever waits, and whoever lives, adds nothing.
    assert sn.block_num() <= blocks + 3

    # Who comes back needs a seat, and there is none.
    first.start()
    first.wait_log("has 1 seats of SL nodes taken")
    assert "sl-1" not in active(sn)
