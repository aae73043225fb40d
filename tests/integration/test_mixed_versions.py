"""SNs of two releases in one network: they train together, or are refused by a line that says what to do.

The older one is this swarmd that speaks with others as release 0.2 did (SWARMD_P2P_VERSIONS=2), byte for byte:
transport/p2p/testdata has what 0.2 said. With the programs of a real older release in the folder that SWARM_OLDER_BIN
names, those take its place, SLs too. Then the network begins with the rules that those know (--rules-known).
"""

import os
import pathlib

import numpy as np
import pytest
import rlp
from harness import SN, Meeting, Program, says, trains
from p2p_client import HELLO, P2PClient, number
from test_network import one_chain, same_history

OLDER_BIN = os.environ.get("SWARM_OLDER_BIN")
OLDER = {"SWARMD_P2P_VERSIONS": "2"}


def make_older(process):
    """Before its start."""
    process.environment = dict(OLDER)
    if OLDER_BIN:
        process.program = str(pathlib.Path(OLDER_BIN) / "swarmd")
    return process


def start_sn(swarm, name, older, joins=None):
    flags = ("--rules-known", "1") if OLDER_BIN and joins is None and not older else ()
    sn = SN(swarm.folder, swarm.certs, name, joins=joins, flags=flags)
    swarm.others.append(sn)
    (make_older(sn) if older else sn).start().wait_up()
    return sn


def model(value):
    return {"w": np.full(300, value, np.float32)}


@pytest.mark.parametrize("older_begins", [True, False], ids=["the older one begins", "the newer one begins"])
def test_sns_of_two_releases_train_together(swarm, older_begins):
    swarm.sn = start_sn(swarm, "sn-1", older_begins)
    sns = [swarm.sn, start_sn(swarm, "sn-2", not older_begins, swarm.sn), start_sn(swarm, "sn-3", False, swarm.sn)]
    older = sns[0 if older_begins else 1]
    newer = [sn for sn in sns if sn is not older]
    # The newer ones speak the newest version with each other, and the older one's with that.
    newer[1].wait_log(r"neighbor .* is connected, .*; swarmd [0-9.]+, P2P version 3")
    for sn in newer:
        sn.wait_log(r"neighbor .* is connected, .*; swarmd.*, P2P version 2")
    sls = []
    for sn in sns[:2]:
        sl = swarm.sl_type(swarm.folder, swarm.certs, sn.port, f"sl-{len(sls) + 1}")
        swarm.sls.append(make_older(sl) if sn is older else sl)
        sls.append(sl.start())
    meeting = Meeting(2)
    programs = [Program(sl, trains([model(i)] * 3, None, meeting, minPeers=2)) for i, sl in enumerate(sls)]
    merged = [program.result().merged[-1]["w"] for program in programs]
    assert np.array_equal(*merged) and swarm.sn.completed()
    one_chain(sns)
    same_history(sns)
    # What the newer ones know of each other only: 0.2 does not say which rules it knows.
    peers = newer[1].admin("actor", name="/sn/peers/hub")["detail"]["peers"]
    known = sorted(each["rules_known"] for each in peers)
    assert known[0] == 0 and known[1] >= 2


class Dialer(P2PClient):
    """`offers`: what stands in the header of versions; None: there is none, as with release 0.2."""

    def __init__(self, sn, certs, offers=None):
        headers = {} if offers is None else {"Swarm-P2P-Versions": offers}
        super().__init__(sn, certs.folder / "sn-2-cert.pem", certs.context("sn-2"), headers)

    def first_field(self):
        """Of the hello that it is greeted with: the version."""
        raw = self.link.recv(timeout=30)
        assert raw[0] == HELLO
        return rlp.decode(raw[1:])[0]


REMEDY = " speaks 2-3: upgrade the older swarmd"


@pytest.mark.parametrize(
    "offers, parts",
    [
        ("4-5", ("versions 4-5 of the P2P protocol; swarmd ", REMEDY)),
        ("1", ("versions 1 of the P2P protocol; swarmd ", REMEDY)),
        ("newest", ("Swarm-P2P-Versions: two numbers with a dash are needed, as in 2-3",)),
    ],
)
def test_who_speaks_no_version_of_ours_is_told_both(sn, certs, offers, parts):
    dialer = Dialer(sn, certs, offers)
    assert not dialer.wait_closed()
    assert all(says(dialer.closed, part) for part in parts), dialer.closed
    if offers == "4-5":  # of one address not each is written
        sn.wait_log(f"a connection from .* is refused: {parts[0]}.*{REMEDY}")


@pytest.mark.parametrize("offers, version", [(None, 2), ("2", 2), ("2-3", 3), ("3-9", 3)])
def test_who_is_dialled_takes_the_newest_version_that_both_speak(sn, certs, offers, version):
    dialer = Dialer(sn, certs, offers)
    assert dialer.first_field() == number(version)
    dialer.end()


def test_a_hello_of_a_version_that_was_not_agreed_on_is_refused(sn, certs):
    genesis = bytes.fromhex(sn.admin("chain")["genesis"][2:])
    for version, beginning in ((9, "hello: version 9"), (3, "hello refused: version 3")):
        dialer = Dialer(sn, certs)
        dialer.greet(genesis, version=version)
        assert not dialer.wait_closed()
        parts = (f"{beginning} of the P2P protocol; swarmd ", " speaks 2: upgrade the older swarmd")
        assert all(says(dialer.closed, part) for part in parts), dialer.closed
    # It is no offence: the same certificate is taken right after.
    dialer = Dialer(sn, certs).greet(genesis)
    sn.wait_log(r"neighbor .* is connected, .*; intruder, P2P version 2")
    dialer.end()
