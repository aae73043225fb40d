"""Organisations with real processes: who is one from the start, and votes through an SN."""

import hashlib
import json
import ssl

import pytest
from harness import Certs, says, until
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
    swarm = OperatorSwarm(folder, certs)
    yield swarm
    failed = getattr(request.node, "report_call", None)
    if failed is not None and failed.failed:
        print(swarm.report())
    swarm.clean_up()


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


def listed(swarm):
    """What LIST ORGANISATIONS answers."""
    swci = SWCI(swarm.folder, swarm.certs, swarm.usr, flags=("--json",))
    answer = swci.run(swarm.opening() + "LIST ORGANISATIONS\nEXIT\n")
    assert answer.code == 0, answer.text
    return next(json.loads(line) for line in answer.text.splitlines() if line.startswith('{"answer":"organisations"'))


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
    assert anchors_of(first, by_members[1]) == [fingerprint(only_ca(certs))]  # the sentinel's own
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


def test_who_is_of_no_organisation_has_no_vote_and_is_told_so(swarm, clinic, inspect):
    begin(swarm)
    (swarm.usr / "clinic.pem").write_text(clinic.read_text())
    (name,) = [row["organisation"] for row in listed(swarm)["organisations"]]
    orders = (
        'ADMIT ORGANISATION "Clinic C" FROM clinic.pem',
        f'REMOVE ORGANISATION "{name}"',
        f'REPLACE CA OF "{name}" FROM clinic.pem',
        "REMOVE ORGANISATION Nobody",
        'ADMIT ORGANISATION "Clinic C" FROM nowhere.pem',
        "ADMIT ORGANISATION x FROM swci-1-script",
    )
    opening = swarm.opening().replace("EXIT ON FAILURE\n", "")
    answer = swarm.swci.run(opening + "\n".join(orders) + "\nEXIT\n")
    for number in (2, 3, 4):
        said = answer.printed(number)
        assert "ERROR" in said and says(said, "has no vote") and says(said, "swarm-inspect vote"), said
    assert says(answer.printed(5), "there is no organisation 'Nobody'")
    assert "ERROR" in answer.printed(6) and says(answer.printed(6), "nowhere.pem")
    assert says(answer.printed(7), "holds no certificate")
    other = swarm.join_sn("sn-2")
    until(
        lambda: says(inspect(other, "vote", "admit", "Clinic C", clinic, status=1), "belongs to no organisation"),
        "sn-2 is registered and refused as of no organisation",
    )
