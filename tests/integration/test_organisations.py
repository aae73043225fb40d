"""Organisations with real processes: who is one from the start, and votes through an SN."""

import hashlib
import json
import ssl

import numpy as np
import pytest
from harness import SL, Certs, Meeting, Program, reported, says, trains, until
from launcher.operators import SWCI, OperatorSwarm

DEFAULT_LIMITS = {
    "nodes": 256,
    "trainings": 64,
    "peers_per_training": 256,
    "chain_bytes_per_day": 64 << 20,
    "p2p_places": 8,
    "model_bytes": 64 << 30,
}


@pytest.fixture
def swarm(request, folder, certs):
    yield from reported(request, OperatorSwarm(folder, certs))


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """The file of another authority's certificate."""
    return only_ca(Certs(tmp_path_factory.mktemp("clinic"), "sn-1"))


def only_ca(certs):
    (file,) = certs.capath.iterdir()
    return file


def fingerprint(pem):
    return "0x" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.read_text())).hexdigest()


def begin(swarm, **options):
    """Starts the sentinel; gives it once it is registered and so can vote."""
    swarm.start_sn(**options)
    until(lambda: swarm.sn.block_num() >= 1, "the sentinel registers")
    return swarm.sn


def listed(swarm, what="organisations"):
    """What LIST ORGANISATIONS, or another list, answers."""
    swci = SWCI(swarm.folder, swarm.certs, swarm.usr, flags=("--json",))
    answer = swci.run(swarm.opening() + f"LIST {what.upper()}\nEXIT\n")
    assert answer.code == 0, answer.text
    return next(json.loads(line) for line in answer.text.splitlines() if line.startswith('{"answer":"%s"' % what))


def without_use(answer):
    """Apart from what grows with every transaction."""
    rows = [{key: row[key] for key in row if key != "chain_bytes_today"} for row in answer["organisations"]]
    return answer | {"organisations": rows}


def named(answer, name):
    (row,) = [row for row in answer["organisations"] if row["organisation"] == name]
    return row


def anchors_of(answer, name):
    return [row["ca_sha256"] for row in answer["anchors"] if row["organisation"] == name]


def test_the_founders_are_whom_the_sentinel_trusts(swarm, certs, clinic):
    trusted = swarm.folder / "trusted.pem"
    trusted.write_text(clinic.read_text())
    begin(swarm, flags=("--cacert", trusted))
    first = listed(swarm)
    rows = first["organisations"]
    assert [row["id"] for row in rows] == [1, 2]
    assert all(row[name] == limit for row in rows for name, limit in DEFAULT_LIMITS.items()), rows
    by_members = {row["members"]: row["organisation"] for row in rows}
    assert anchors_of(first, by_members[2]) == [fingerprint(only_ca(certs))]  # the sentinel's own, and this SWCI's
    assert anchors_of(first, by_members[0]) == [fingerprint(clinic)]
    assert first["votes"] == []
    # What is trusted later changes neither founders nor chain.
    swarm.sn.terminate()
    trusted.write_text(only_ca(certs).read_text())
    swarm.sn.start().wait_up()
    assert without_use(listed(swarm)) == without_use(first)


def test_an_sn_votes_for_its_organisation(swarm, certs, clinic, inspect):
    begin(swarm)
    assert "admit 'Clinic C': done" in inspect(swarm.sn, "vote", "admit", "Clinic C", clinic)
    answer = listed(swarm)
    assert named(answer, "Clinic C")["id"] == 2 and named(answer, "Clinic C")["since"].endswith("Z")
    assert anchors_of(answer, "Clinic C") == [fingerprint(clinic)]
    again = inspect(swarm.sn, "vote", "admit", "clinic c", clinic, status=1)
    assert says(again, "there is an organisation 'clinic c' already")
    inspect(swarm.sn, "vote", "limits", "Clinic C", "--nodes", "7")
    assert named(listed(swarm), "Clinic C").items() >= (DEFAULT_LIMITS | {"nodes": 7}).items()
    other = next(iter(Certs(swarm.folder / "new", "sn-1").capath.iterdir()))
    inspect(swarm.sn, "vote", "replace-ca", "Clinic C", other)
    assert anchors_of(listed(swarm), "Clinic C") == [fingerprint(other)]
    assert says(inspect(swarm.sn, "vote", "remove", "Nobody", status=1), "no organisation 'Nobody'")
    assert says(inspect(swarm.sn, "vote", "replace-ca", "Clinic C", "nowhere.pem", status=1), "no such file")


def test_seats_are_bounded_and_no_training_is_stopped_by_that(swarm, certs, inspect):
    sn = begin(swarm)
    (row,) = listed(swarm, "seats")["seats"]
    assert (row["seats"], row["taken"], row["free"], row["sn"], row["swci"]) == (256, 2, 254, 1, 1)
    sls = [SL(swarm.folder, certs, sn.port, f"sl-{number}") for number in (1, 2)]
    swarm.others += sls
    meeting = Meeting(2)

    def between(number, client):
        meeting(number, client)
        if number == 2 and client is programs[0].client:
            inspect(sn, "vote", "limits", row["organisation"], "--nodes", "2")

    works = trains([{"w": np.ones(9, np.float32)}] * 4, None, between, minPeers=2)
    programs = [Program(sl.start(), works) for sl in sls]
    assert [program.result().sync_count for program in programs] == [4, 4]
    (now,) = listed(swarm, "seats")["seats"]
    assert (now["seats"], now["taken"], now["free"], now["sl"]) == (2, 4, 0, 2)
    late = SL(swarm.folder, certs, sn.port, "sl-3").start()
    swarm.others.append(late)
    sn.wait_log(f"a registration is refused: the organisation '{row['organisation']}' has 4 nodes, all that its limit")
    # A seat is free again when its node is removed.
    swci = SWCI(swarm.folder, certs, swarm.usr)
    assert swci.run(swarm.opening() + f"REMOVE NODE {sls[0].node_account}\nEXIT\n").code == 0
    (now,) = listed(swarm, "seats")["seats"]
    assert (now["taken"], now["sl"]) == (3, 1)


def test_seats_of_a_role_and_trainings_under_way_are_limited_and_nothing_is_stopped(swarm, certs):
    sn = begin(swarm)
    swci = SWCI(swarm.folder, certs, swarm.usr)

    def order(*lines):
        answer = swci.run(swarm.opening() + "".join(f"{line}\n" for line in lines) + "EXIT\n")
        assert answer.code == 0, answer.text
        return answer.text

    order("CREATE CONTRACT a", "CREATE CONTRACT b")
    sls = [SL(swarm.folder, certs, sn.port, f"sl-{number}").start() for number in (1, 2)]
    swarm.others += sls
    meeting = Meeting(2)
    (row,) = listed(swarm, "seats")["seats"]
    assert (row["trainings"], row["limits"]) == (0, None)

    def between(number, client):
        meeting(number, client)
        if number == 2 and client is programs[0].client:
            order("LIMIT SEATS SL 1", "LIMIT SEATS TRAININGS 1", f"LIMIT SEATS SWCI 5 OF '{row['organisation']}'")
            (now,) = listed(swarm, "seats")["seats"]
            limits = "SL 1 by itself, SWCI 5 by the network, TRAININGS 1 by itself"
            assert (now["sl"], now["trainings"], now["limits"]) == (2, 1, limits)
            late = SL(swarm.folder, certs, sn.port, "sl-3").start()
            swarm.others.append(late)
            late.wait_log("has 2 seats of SL nodes taken: it limits itself to 1, and its SNs and SWCIs can change that")

    works = trains([{"w": np.ones(9, np.float32)}] * 4, None, between, minPeers=2, trainingContract="a")
    programs = [Program(sl, works) for sl in sls]
    assert [program.result().sync_count for program in programs] == [4, 4]


def test_a_removal_needs_two_votes_and_a_vote_can_be_taken_back(swarm, clinic, inspect):
    begin(swarm)
    inspect(swarm.sn, "vote", "admit", "Clinic C", clinic)
    asked = json.loads(inspect(swarm.sn, "--json", "vote", "remove", "Clinic C"))
    assert (asked["outcome"], asked["votes"], asked["needed"]) == ("open", 1, 2)
    (vote,) = listed(swarm)["votes"]
    assert (vote["vote"], vote["organisation"], vote["motion"]) == ("remove", "Clinic C", asked["key"])
    assert (vote["votes"], vote["needed"]) == (1, 2)
    inspect(swarm.sn, "vote", "take-back", asked["key"])
    assert listed(swarm)["votes"] == []


def test_a_swci_votes_for_its_organisation(swarm, clinic, inspect):
    begin(swarm)
    (swarm.usr / "clinic.pem").write_text(clinic.read_text())
    (name,) = [row["organisation"] for row in listed(swarm)["organisations"]]
    orders = (
        'ADMIT ORGANISATION "Clinic C" FROM clinic.pem',
        'ADMIT ORGANISATION "clinic c" FROM clinic.pem',
        f'REMOVE ORGANISATION "{name}"',
        'REMOVE ORGANISATION "Clinic C"',
        "REMOVE ORGANISATION Nobody",
        'ADMIT ORGANISATION "Clinic D" FROM nowhere.pem',
        "ADMIT ORGANISATION x FROM swci-1-script",
    )
    opening = swarm.opening().replace("EXIT ON FAILURE\n", "")
    answer = swarm.swci.run(opening + "\n".join(orders) + "\nEXIT\n")
    assert "ERROR" not in answer.printed(2), answer.text
    assert "ERROR" in answer.printed(3) and says(answer.printed(3), "there is an organisation 'clinic c' already")
    assert "ERROR" in answer.printed(4) and says(answer.printed(4), "has no vote on its own removal")
    assert "ERROR" not in answer.printed(5), answer.text
    assert says(answer.printed(6), "there is no organisation 'Nobody'")
    assert "ERROR" in answer.printed(7) and says(answer.printed(7), "nowhere.pem")
    assert says(answer.printed(8), "holds no certificate")
    seen = listed(swarm)
    assert anchors_of(seen, "Clinic C") == [fingerprint(clinic)]
    # One vote of two: its own and its SN's are the same organisation's.
    (vote,) = seen["votes"]
    assert (vote["organisation"], vote["votes"], vote["needed"]) == ("Clinic C", 1, 2)
    other = swarm.join_sn("sn-2")
    until(lambda: len(swarm.sn.rpc("swarm_nodes")) >= 3, "sn-2 is a member")
    again = inspect(other, "vote", "remove", "Clinic C", status=1)
    assert says(again, "votes so already") or says(again, "already"), again


def test_who_is_of_no_organisation_does_not_even_register(swarm):
    """Its authority is trusted, so it may connect; nobody has voted for it."""
    swarm.certs = Certs(swarm.folder / "own", "sn-1")
    begin(swarm)
    foreign = Certs(swarm.folder / "foreign", "swci-1")
    own_ca, foreign_ca = only_ca(swarm.certs).read_text(), only_ca(foreign).read_text()
    (swarm.certs.capath / "other.pem").write_text(foreign_ca)
    (foreign.capath / "other.pem").write_text(own_ca)
    swarm.sn.wait_log(r"the certificate files were read anew: 2 trusted authorities")
    swci = SWCI(swarm.folder, foreign, swarm.usr)
    answer = swci.run(swarm.opening() + "LIST ORGANISATIONS\nEXIT\n")
    assert answer.code != 0 and says(answer.text, "which no organisation of this chain has"), answer.text
    assert len(swarm.sn.rpc("swarm_nodes")) == 1


def test_a_node_that_is_removed_does_not_come_back_with_its_certificate(swarm):
    begin(swarm)
    other = swarm.join_sn("sn-2")

    def account():
        return next((node["account"] for node in swarm.sn.rpc("swarm_nodes") if node["name"] == "sn-2"), None)

    until(account, "sn-2 to be a member", alive=[swarm.sn, other])
    removed = account()
    opening = swarm.opening().replace("EXIT ON FAILURE\n", "")
    answer = swarm.swci.run(opening + f"REMOVE NODE {removed}\nREMOVE NODE {removed}\nEXIT\n")
    assert says(answer.printed(2), f"NODE REMOVED : {removed} (sn-2)"), answer.text
    assert "ERROR" in answer.printed(3) and says(answer.printed(3), "is no node that could be removed")
    until(lambda: account() is None, "sn-2 to be gone", alive=[swarm.sn])
    # It is still there, and still wants to belong to the network.
    other.wait_log(r"a node with this SN.s certificate, 0x[0-9a-f]{64}, was removed by vote in block \d+")
    assert account() is None
