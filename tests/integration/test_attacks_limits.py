"""What a member, or anybody who reaches a port, uses up so that nothing is left for others.

Two organisations found the network. One attacks with certificates of its own authority, as many as it likes. The other
does not notice, and its SN names the attacker.
"""

import contextlib
import json
import pathlib
import re
import resource
import shutil
import socket
import ssl
import threading
import types

import pytest
from harness import NODE_REGISTRY, Certs, until
from outsider import SL, Outsider
from p2p_client import P2PClient, fingerprint

ORGANISATION = "Hospital B"
NAMED = """rules:
  - match: {{ anchor: {anchor} }}
    organisation: {organisation}
"""
KEYS = 64
SILENT = 2048


class Attacker:
    """An organisation with an authority of its own, which the honest one trusts, and what its certificates open."""

    NAMES = tuple(f"sn-{number}" for number in range(1, 9))
    READERS = tuple(f"sl-{number}" for number in range(1, 9))

    def __init__(self, folder, honest, certs):
        self.certs = certs
        self.folder, self.capath = self.certs.folder, self.certs.capath
        self.anchor = self.certs.capath / "ca-cert.pem"
        self.trusted = pathlib.Path(folder) / "trusted"
        self.trusted.mkdir()
        shutil.copy(honest.capath / "ca-cert.pem", self.trusted / "a.pem")
        shutil.copy(self.anchor, self.trusted / "b.pem")
        self.held = []

    def certificate(self, number):
        return self.certs.folder / f"{self.NAMES[number % len(self.NAMES)]}-cert.pem"

    def context(self, which):
        """Of a certificate, or of the SN with this number."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        for file in self.trusted.iterdir():
            context.load_verify_locations(file)
        name = which if isinstance(which, str) else self.NAMES[which % len(self.NAMES)]
        context.load_cert_chain(
            self.certs.folder / f"{name}-cert.pem",
            self.certs.folder / f"{name}-key.pem",
        )
        return context

    def p2p(self, sn, number):
        client = P2PClient(sn, self.certificate(number), self.context(number))
        self.held.append(client.end)
        return client

    def socket(self, port, source="127.0.0.1"):
        link = socket.create_connection(
            ("127.0.0.1", port), timeout=60, source_address=(source, 0)
        )
        self.held.append(link.close)
        return link

    def end(self):
        for close in self.held:
            close()


@pytest.fixture(scope="module")
def attackers_certs(tmp_path_factory):
    return Certs(tmp_path_factory.mktemp("attacker"), *Attacker.NAMES, *Attacker.READERS)


@pytest.fixture
def attacker(folder, certs, attackers_certs):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    made = Attacker(folder, certs, attackers_certs)
    yield made
    made.end()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def sn(swarm, folder, certs, attacker):
    members = pathlib.Path(folder) / "members.yaml"
    members.write_text(
        NAMED.format(
            anchor=fingerprint(attacker.anchor.read_text()).hex(),
            organisation=ORGANISATION,
        )
    )

    class Trusting:
        context = certs.context

        @staticmethod
        def flags(name):
            return [*certs.flags(name, attacker.trusted), "--members", members]

    swarm.certs = Trusting()
    sn = swarm.start_sn()
    until(lambda: len(sn.rpc("swarm_nodes")) == 1, "the SN to register", alive=[sn])
    return sn


def hub(sn):
    return sn.admin("actor", name="/sn/peers/hub")["detail"]


def api(sn):
    return sn.admin("actor", name="/sn/api")["detail"]


def neighbors(sn):
    return [each["organisation"] for each in hub(sn).get("peers", ())]


def test_p2p_places_are_not_taken_by_fresh_keys(swarm, sn, attacker):
    genesis = bytes.fromhex(sn.rpc("swarm_genesis")["genesisHash"][2:])
    intruders = [attacker.p2p(sn, number).greet(genesis) for number in range(KEYS)]
    until(
        lambda: neighbors(sn).count(ORGANISATION) >= 8,
        "intruders to be connected",
        alive=[sn],
    )
    # Each is a connection of its own to the end: it is refused, or has one of few places.
    until(
        lambda: sum(each.is_open() for each in intruders) <= 8,
        "the others to be refused",
        alive=[sn],
    )
    assert neighbors(sn).count(ORGANISATION) == 8
    others = [swarm.join_sn(f"sn-{number}") for number in (2, 3)]
    until(
        lambda: len(sn.validators()) == 3,
        "the honest SNs to be validators",
        alive=[sn, *others],
    )
    assert sum(each.is_open() for each in intruders) == 8
    sn.wait_log(rf"{ORGANISATION}.* has its 8 places")
    refused = hub(sn)["over_share"]
    assert refused["count"] >= KEYS - 8 and ORGANISATION in refused["last"]


def test_p2p_newcomers_that_say_nothing_keep_nobody_out(swarm, sn, attacker):
    """More than there are places for connections without a hello, always renewed."""
    going = threading.Event()
    going.set()

    def knock(number):
        while going.is_set():
            with contextlib.suppress(Exception):  # refused, displaced
                attacker.p2p(sn, number).link.recv(timeout=10)

    knockers = [
        threading.Thread(target=knock, args=(number,), daemon=True)
        for number in range(24)
    ]
    for each in knockers:
        each.start()
    try:
        until(
            lambda: hub(sn)["newcomers"] >= 16,
            "all places of newcomers to be taken",
            alive=[sn],
        )
        joined = swarm.join_sn("sn-2")
        until(
            lambda: neighbors(joined),
            "the honest SN to be connected",
            alive=[sn, joined],
        )
    finally:
        going.clear()
        attacker.end()
        for each in knockers:
            each.join(30)


@pytest.mark.parametrize(
    "sources", [("127.0.0.1",), tuple(f"127.0.0.{number}" for number in range(2, 10))]
)
def test_tcp_connections_without_a_handshake_keep_nobody_out(sn, attacker, sources):
    """From the address that honest ones come from, too; and from several."""
    for number in range(SILENT):
        attacker.socket(sn.port, sources[number % len(sources)])
    for _ in range(18):
        assert sn.is_up()
    until(lambda: sn.rpc("eth_blockNumber"), "requests to be answered", alive=[sn])
    sn.wait_log(rf"API: .*{sources[0]}.* TLS handshake")
    detail = api(sn)
    assert detail["handshakes_displaced"] >= SILENT - 512 and detail["refused"] == 0


def test_connections_with_a_certificate_keep_no_other_organisation_out(sn, attacker):
    contexts = [attacker.context(number) for number in range(len(attacker.NAMES))]
    for number in range(SILENT):
        link = attacker.socket(sn.port)
        attacker.held.append(contexts[number % len(contexts)].wrap_socket(link).close)
    until(
        lambda: api(sn)["connections"] >= SILENT - 16,
        "the attacker to have all connections",
        alive=[sn],
    )
    for _ in range(18):
        assert sn.is_up()
    sn.wait_log(rf"API: .*{ORGANISATION}.* has its share of connections")
    assert ORGANISATION in api(sn)["last_over_share"]


def heavy_batch(slots=256, calls=250):
    keys = [hex(number) for number in range(slots)]
    call = {
        "jsonrpc": "2.0",
        "method": "eth_getProof",
        "params": [NODE_REGISTRY, keys, "latest"],
    }
    return json.dumps([{**call, "id": number} for number in range(calls)]).encode()


def post(link, body):
    link.sendall(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    )


def test_rpc_work_of_one_organisation_delays_no_other(sn, attacker):
    """Batches that take seconds each, with several certificates and for as long as it takes; whoever asks for little is
    answered in between."""
    body = heavy_batch()
    answered = []
    going = threading.Event()
    going.set()

    def ask_for_much(context):
        while going.is_set():
            with contextlib.suppress(OSError):  # refused, or at the end
                link = context.wrap_socket(attacker.socket(sn.port))
                attacker.held.append(link.close)
                post(link, body)
                if link.recv(1):
                    answered.append(link)
                link.close()

    there = types.SimpleNamespace(host="127.0.0.1", port=sn.port, certs=attacker)
    for name in attacker.READERS:
        Outsider(there, name, SL)  # only members may ask for it at all
    contexts = [attacker.context(name) for name in attacker.READERS]
    threads = [threading.Thread(target=ask_for_much, args=(each,), daemon=True) for each in contexts]
    for each in threads:
        each.start()
    try:
        until(lambda: work_of(sn, ORGANISATION), "the attacker to be at work", alive=[sn])
        for _ in range(10):
            sn.rpc("eth_getBalance", NODE_REGISTRY, "latest")
        assert len(answered) <= 1, "honest requests waited for batches of others"
        named = re.compile(rf"{ORGANISATION} asks for more work by JSON-RPC than its share")
        until(
            lambda: sn.rpc("eth_getBalance", NODE_REGISTRY, "latest") and named.search(sn.log()),
            "the attacker to be named",
        )
        assert max(each["periods_over_share"] for each in organisations(sn)) >= 1
    finally:
        going.clear()
        attacker.end()


def organisations(sn):
    return sn.admin("actor", name="/sn/reader")["detail"]["organisations"]


def work_of(sn, organisation):
    return sum(
        each["units"]
        for each in organisations(sn)
        if each["organisation"] == organisation
    )
