"""Every wait of a training ends: leaders and contributors that stand still, pretend to work or are gone."""

import http.server
import json
import socket
import ssl
import threading

import numpy as np
import pytest
from harness import Program, trains, until
from launcher.model_files import digest_of, manifest_of
from outsider import SL, Head, Outsider, check_ins, reveals, training
from test_faults import Gate

MODELS = [{"w": np.arange(500, dtype=np.float64) + value} for value in (0, 2)]
MEAN = MODELS[0]["w"] + 1
LEADER_SECONDS = 5


class Files(http.server.ThreadingHTTPServer):
    """The file server of a member that answers as `answers(handler)` does."""

    daemon_threads = True

    def __init__(self, certs, name, answers):
        self.ended = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            do_GET = answers

            def log_message(self, *unused):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        context = certs.context(name, ssl.PROTOCOL_TLS_SERVER)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *unused):
        pass

    def clean_up(self):
        self.ended.set()
        self.shutdown()
        self.server_close()


def say(handler, body, size=None):
    handler.send_response(200)
    handler.send_header("Content-Length", size or len(body))
    handler.end_headers()
    handler.wfile.write(body)


def test_a_leader_that_pretends_to_merge_is_replaced(swarm):
    """It says that it gets on, for as long as it is asked."""
    swarm.start_sn()
    claimed = iter(range(1, 1 << 40))

    def pretends(handler):
        say(handler, json.dumps({"round_num": 1, "term": 0, "progress": next(claimed)}).encode())

    files = Files(swarm.certs, "sl-2", pretends)
    try:
        attacker = Outsider(swarm.sn, "sl-2", SL, files.endpoint)
        attacker.join(min_peers=3, can_lead=True)  # the first peer leads first
        for _ in MODELS:
            swarm.add_sl(flags=["--leader-failure-base-timeout", LEADER_SECONDS])
        programs = [
            Program(sl, trains([model], minPeers=3)) for sl, model in zip(swarm.sls, MODELS, strict=True)
        ]
        until(lambda: len(check_ins(swarm.sn)) == 2, "both models to be in", alive=swarm.sls)
        size = next(iter(check_ins(swarm.sn).values()))[1]
        attacker.check_in(b"\x01" * 32, size, Head(swarm.sn).layout)
        attacker.reveal(b"\x01" * 32)
        until(lambda: Head(swarm.sn).is_merging, "all to have revealed", alive=swarm.sls)
        assert Head(swarm.sn).leader == attacker.account
        until(swarm.sn.merges, "the next leader to merge", alive=swarm.sls)
        assert next(claimed) > 4, "it was believed for a while"
        attacker.leave()
        merge = swarm.sn.merges()[0]
        assert merge.term == 1 and merge.leader in [sl.node_account for sl in swarm.sls]
        assert merge.excluded == [attacker.account] and merge.reasons == ["not available"]
        for program in programs:
            np.testing.assert_array_equal(program.result().merged[0]["w"], MEAN)
    finally:
        files.clean_up()


def test_contributors_that_drip_or_say_nothing_are_passed_over(swarm):
    """One gives its model at a byte in two seconds, another takes connections and is silent."""
    swarm.start_sn()
    size, manifest = 0, b""

    def drips(handler):
        if handler.path.endswith("/manifest"):
            return say(handler, manifest)
        say(handler, b"", size)
        while not handler.server.ended.wait(2):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    files = Files(swarm.certs, "sl-2", drips)
    mute = socket.create_server(("127.0.0.1", 0))
    try:
        dripping = Outsider(swarm.sn, "sl-2", SL, files.endpoint)
        silent = Outsider(swarm.sn, "probe", SL, f"127.0.0.1:{mute.getsockname()[1]}")
        for _ in MODELS:
            swarm.add_sl()
        programs = [
            Program(sl, trains([model], minPeers=4)) for sl, model in zip(swarm.sls, MODELS, strict=True)
        ]
        until(lambda: len(check_ins(swarm.sn)) == 2, "both models to be in", alive=swarm.sls)
        size = next(iter(check_ins(swarm.sn).values()))[1]
        chunks = [bytes(32)]
        manifest = manifest_of(size, chunks)
        for attacker, digest in ((dripping, digest_of(size, chunks)), (silent, b"\x02" * 32)):
            attacker.join(min_peers=4, can_lead=False)
            attacker.check_in(digest, size, Head(swarm.sn).layout)
        for attacker, digest in ((dripping, digest_of(size, chunks)), (silent, b"\x02" * 32)):
            attacker.reveal(digest)
        until(swarm.sn.merges, "the honest models to be merged", alive=swarm.sls)
        merge = swarm.sn.merges()[0]
        assert merge.term == 0, "no leader was at fault"
        assert set(merge.excluded) == {dripping.account, silent.account}
        assert merge.reasons == ["not available"] * 2
        for attacker in (dripping, silent):
            attacker.leave()
        for program in programs:
            np.testing.assert_array_equal(program.result().merged[0]["w"], MEAN)
    finally:
        mute.close()
        files.clean_up()


def test_when_most_of_a_closed_round_die_the_rest_goes_on(swarm):
    """The leader and one of two others: the survivor alone is no majority until the dead count no more."""
    swarm.start(sls=3, environment={"SL_WAIT_FOR_FULL_QUORUM_SECONDS": "2"})
    gate, size = Gate(3, 2), 8_000_000
    models = [{"w": np.full(size, value, np.float32)} for value in range(3)]
    programs = [Program(sl, trains([model] * 2, model, gate, minPeers=1)) for sl, model in zip(swarm.sls, models)]
    gate.wait_for(3)
    gate.opened.set()
    until(lambda: len(swarm.sn.events("closed")) == 2, "the second round to close", alive=swarm.sls)
    account = "0x" + swarm.sn.events("closed")[1]["topics"][2][-40:]
    leader = next(sl for sl in swarm.sls if sl.node_account == account)
    other, survivor = (sl for sl in swarm.sls if sl is not leader)
    leader.kill9()
    other.kill9()
    assert len(swarm.sn.merges()) == 1, "the leader was faster than the test"
    (program,) = (one for one in programs if one.sl is survivor)
    program.result()
    assert swarm.sn.completed() and survivor.wait_exit() == 0
    assert {why for _, why in swarm.sn.departures()} == {"not heard"}
    assert len(swarm.sn.events("accusations")) == 2
    second = swarm.sn.merges()[1]
    assert second.leader == survivor.node_account and survivor.node_account in second.contributors


def test_a_peer_without_a_model_that_checks_in_with_anothers_gets_nothing(swarm):
    """It commits to what another one has committed to, and has what that one reveals; then it holds nobody up."""
    swarm.start_sn()
    copier = Outsider(swarm.sn, "sl-2", SL)
    copier.join(min_peers=2, can_lead=True)  # it would lead
    for _ in MODELS:
        swarm.add_sl()
    programs = [Program(sl, trains([model], minPeers=2)) for sl, model in zip(swarm.sls, MODELS, strict=True)]
    until(lambda: len(check_ins(swarm.sn)) == 2, "both models to be in", alive=swarm.sls)
    (owner, (commitment, size)), *_ = check_ins(swarm.sn).items()
    copier.check_in_as_it_is(bytes.fromhex(commitment), size, Head(swarm.sn).layout)
    until(lambda: len(reveals(swarm.sn)) == 2, "both models to be revealed", alive=swarm.sls)
    shown = next(log for log in swarm.sn.events("reveals") if log["topics"][1].endswith(owner[2:]))
    sent = copier.rpc("eth_getTransactionByHash", shown["transactionHash"])["input"]
    assert reveals(swarm.sn)[owner] in sent
    with pytest.raises(AssertionError):
        copier.call_as_it_is(training(), bytes.fromhex(sent[2:]))
    assert Head(swarm.sn).is_revealing
    until(swarm.sn.merges, "the round to go on without it", alive=swarm.sls)
    merge = swarm.sn.merges()[0]
    assert set(merge.contributors) == {sl.node_account for sl in swarm.sls} and not merge.excluded
    assert merge.leader != copier.account
    (withheld,) = swarm.sn.events("withheld")
    assert withheld["topics"][1].endswith(copier.account[2:])
    for sl in swarm.sls:
        sl.wait_log(rf"outsider-{copier.account[2:8]} .*has committed to a model and not revealed it")
    copier.leave()
    for program in programs:
        np.testing.assert_array_equal(program.result().merged[0]["w"], MEAN)
