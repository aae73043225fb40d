"""SLs whose SN lies: whatever it says, they believe nothing false, name it and go over to another one."""

import pathlib
import shutil
import threading

import numpy as np
import pytest
from harness import PATIENCE, Certs, Program, Swarm, until
from lying_sn import LyingSN, Stale, forged, reluctant, silent, withheld
from outsider import SL, Outsider

MODELS = [{"w": np.arange(500, dtype=np.float64) + value} for value in (0, 2)]
MEAN = MODELS[0]["w"] + 1


@pytest.fixture
def liar(swarm):
    swarm.start_sn()
    made = LyingSN(swarm.sn)
    yield made
    made.clean_up()


class Trusting:
    """Certificates of one authority, for hosts that trust two."""

    def __init__(self, certs, trusted):
        self.certs, self.trusted = certs, trusted

    def flags(self, name):
        return self.certs.flags(name, self.trusted)

    def context(self, *args):
        return self.certs.context(*args)


class Held:
    """A program that trains, and stops before its second sync until the test lets it go on."""

    def __init__(self):
        self.stopped, self.go = threading.Event(), threading.Event()

    def work(self, model):
        def run(client):
            client.open(minPeers=2)
            client.sync(model)
            self.stopped.set()
            assert self.go.wait(PATIENCE)
            client.sync(model)
            client.close(model)
            return client.merged

        return run


def sn_of(sl):
    answer = sl.admin("actor", name="/sl/sn")
    return answer["detail"] if answer else {"sn": "", "lies": 0}


def train(swarm, liar, lie):
    """One SL at the liar, which lies from the second round on, one at the real SN."""
    sls = [swarm.add_sl(sn_port=liar.port), swarm.add_sl()]
    held = Held()
    programs = [Program(sl, held.work(model)) for sl, model in zip(sls, MODELS, strict=True)]
    assert held.stopped.wait(PATIENCE)
    real = f"127.0.0.1:{swarm.sn.port}"
    until(lambda: sn_of(sls[0])["sns_known"] > 1, "the SL to hear of the real SN", alive=sls)
    assert sn_of(sls[0])["sn"] == liar.endpoint
    liar.lie = lie
    held.go.set()
    for merged in [each.result() for each in programs]:
        assert np.array_equal(merged[-1]["w"], MEAN)
    return sls[0], real


@pytest.mark.parametrize("lie", [forged, withheld])
def test_a_forged_view_is_a_lie_and_the_training_ends_right(swarm, liar, lie):
    sl, real = train(swarm, liar, lie)
    until(lambda: sn_of(sl)["sn"] == real, "the SL to go over to the real SN", alive=[sl])
    assert "LIES" in sl.log() and liar.endpoint in sl.log()
    assert sn_of(sl)["lies"] == 1


def test_an_old_head_is_not_believed_and_the_training_ends_right(swarm, liar):
    sl, real = train(swarm, liar, Stale())
    until(lambda: sn_of(sl)["sn"] == real, "the SL to go over to the real SN", alive=[sl])


def test_events_that_are_kept_back_do_not_keep_a_training_from_its_end(swarm, liar):
    train(swarm, liar, silent)


def test_an_sn_that_nobody_calls_the_newest_is_left(swarm, liar):
    sl = swarm.add_sl(sn_port=liar.port)
    sl.wait_ready()
    liar.lie = reluctant
    real = f"127.0.0.1:{swarm.sn.port}"
    until(lambda: sn_of(sl)["sn"] == real, "the SL to go over to the real SN", alive=[sl])
    assert "does not show that its chain is the newest" in sl.log()


def test_a_node_belongs_to_one_network_for_good(swarm, folder):
    swarm.start_sn()
    genesis = swarm.sn.rpc("swarm_genesis")["genesisHash"]
    sl = swarm.add_sl()
    sl.wait_ready()
    kept = sl.store.parent / "genesis-hash"
    until(kept.exists, "the network to be remembered", alive=[sl])
    assert kept.read_text().strip() == genesis
    assert "--genesis-hash says it beforehand" in sl.log() and genesis in sl.log()
    right = swarm.add_sl(flags=["--genesis-hash", genesis])
    right.wait_ready()
    assert "--genesis-hash says it beforehand" not in right.log()
    wrong = swarm.add_sl(flags=["--genesis-hash", "0x" + "12" * 32])
    until(lambda: "belongs to another network" in wrong.log(), "another network to be refused", alive=[wrong])
    sl.terminate()
    sl.wait_exit()
    kept.write_text("0x" + "34" * 32 + "\n")
    sl.start()
    until(lambda: "belongs to another network" in sl.log(), "another network to be refused", alive=[sl])
    assert str(kept) in sl.log()


def test_whoever_poses_as_an_sn_without_its_certificate_is_named_and_left(swarm):
    swarm.start_sn()
    poser = LyingSN(swarm.sn, name="sl-2")
    try:
        sl = swarm.add_sl(sn_port=poser.port)
        sl.wait_log("presents a certificate that is not that of an SN of this network")
        assert "CN=sl-2" in sl.log() and poser.endpoint in sl.log()
        assert not sn_of(sl)["registered"]
        # An SL that knows another one goes over to it.
        sl.terminate()
        sl.wait_exit()
        (sl.store.parent / "known-sns").write_text(f"127.0.0.1:{swarm.sn.port}\n")
        sl.start()
        real = f"127.0.0.1:{swarm.sn.port}"
        until(lambda: sn_of(sl)["sn"] == real and sn_of(sl)["registered"], "the SL to go over to the SN", alive=[sl])
    finally:
        poser.clean_up()


def test_the_next_sn_hears_who_lied(swarm):
    swarm.start_sn()
    second = swarm.join_sn("sn-2")
    until(lambda: len(swarm.sn.rpc("swarm_nodes")) == 2, "the second SN to be a member", alive=[second])
    liar = LyingSN(second, name="sn-2")
    first = f"127.0.0.1:{swarm.sn.port}"

    def hides(method, answer):  # so that the SL goes to the first one
        if method == "swarm_apiEndpoints":
            answer["result"] = [first]
        return answer

    try:
        liar.lie = hides
        sl = swarm.add_sl(sn_port=liar.port)
        sl.wait_ready()
        until(lambda: sn_of(sl)["sns_known"] > 1, "the SL to hear of the first SN", alive=[sl])
        liar.lie = lambda method, answer: forged(method, hides(method, answer))
        claims = until(
            lambda: swarm.sn.admin("actor", name="/sn/rpc")["detail"]["lies"], "the SN to hear of the lie", alive=[sl]
        )
        assert sn_of(sl)["sn"] == first
        (claim,) = claims
        assert (claim["accused"], claim["about"], claim["reporter"], claim["times"]) == ("sn-2", "view", "SL sl-1", 1)
        assert claim["accused_organisation"] and claim["accused_organisation"] == claim["reporter_organisation"]
        swarm.sn.wait_log("SL sl-1 of .* says that the SN sn-2 of .* lied to it about what a contract says")
    finally:
        liar.clean_up()


def test_a_member_that_reports_lies_without_end_has_one_line_and_a_little_room(swarm):
    swarm.start_sn()
    member = Outsider(swarm.sn, "sl-2", SL)
    refused = Outsider(swarm.sn, "swop-1")
    with pytest.raises(AssertionError):
        refused.rpc("swarm_reportLie", "0x" + "11" * 32, "view")
    for number in range(200):
        member.rpc("swarm_reportLie", f"0x{number:064x}", "receipt")
    detail = swarm.sn.admin("actor", name="/sn/rpc")["detail"]
    assert detail["lies_reported"] == 200
    assert len(detail["lies"]) == 16
    assert swarm.sn.log().count(" lied to it about ") == 1


def lying_about_receipts(method, answer):
    """Says that calls failed; registrations are not proved by receipts."""
    if method == "eth_sendRawTransactionSync" and answer.get("result", {}).get("status") == "0x1":
        answer["result"]["status"] = "0x0"
    return answer


def test_an_sn_that_says_that_calls_failed_is_left_and_the_training_ends_right(swarm, liar):
    sl, real = train(swarm, liar, lying_about_receipts)
    until(lambda: sn_of(sl)["sn"] == real, "the SL to go over to the real SN", alive=[sl])
    assert "LIES" in sl.log() and "succeeded" in sl.log()


def test_a_newcomer_joins_nothing_while_two_organisations_show_different_networks(folder, certs):
    other = Certs(f"{folder}/other", "sn-1", "sl-1")
    both = pathlib.Path(folder) / "both"
    both.mkdir()
    for name, of in (("a", certs), ("b", other)):
        shutil.copy(of.capath / "ca-cert.pem", both / f"{name}.pem")
    networks = []
    for name, of in (("a", certs), ("b", other)):
        (pathlib.Path(folder) / name).mkdir()
        networks.append(Swarm(pathlib.Path(folder) / name, Trusting(of, both)))
    try:
        sns = [each.start_sn() for each in networks]
        hashes = [sn.rpc("swarm_genesis")["genesisHash"] for sn in sns]
        sl = networks[0].sl_type(networks[0].folder, networks[0].certs, sns[0].port)
        networks[0].sls.append(sl)
        kept = networks[0].folder / sl.name / sl.name
        kept.mkdir(parents=True, mode=0o700)
        (kept / "known-sns").write_text(f"127.0.0.1:{sns[1].port}\n")
        sl.start()
        sl.wait_log("one of them lies, and --genesis-hash says which is right")
        assert all(each in sl.log() for each in hashes)
        assert not (kept / "genesis-hash").exists()
        sl.terminate()
        sl.wait_exit()
        right = networks[0].add_sl(name="sl-2", flags=["--genesis-hash", hashes[0]])
        right.wait_ready()
    finally:
        for each in networks:
            each.clean_up()
