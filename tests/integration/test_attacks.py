"""What a member does that is not allowed, with nothing but the SL certificate of its organisation.

Each attack fails, and log and status of the honest SN name the attacker's organisation and certificate.
"""

import hashlib
import json
import pathlib
import shutil
import ssl

import pytest
from eth_account import Account
from harness import NODE_REGISTRY, SN, Certs, until
from registration import REGISTER, Certificate, Node, encoded, registration
from websockets.sync.client import connect

ORGANISATION = "Hospital B"
KINDS = {"SN": 1, "SL": 2, "SWOP": 3, "SWCI": 4}
# A certificate of this organisation is what its CN says; only its name is the honest SN's own word.
NAMED = """rules:
  - match: {{ anchor: {anchor} }}
    organisation: {organisation}
"""
# What the attacker says of itself.
SELF_MADE = """rules:
  - match: { subject: { CN: sl-1 } }
    roles: [SN, SL, SWOP, SWCI]
"""


class Attacker:
    """Another organisation: an authority of its own, and a certificate of it for an SL."""

    def __init__(self, folder, honest):
        self.certs = Certs(pathlib.Path(folder) / "attacker", "sl-1")
        self.anchor = self.certs.capath / "ca-cert.pem"
        # As founders do: each trusts the authorities of both.
        self.trusted = pathlib.Path(folder) / "trusted"
        self.trusted.mkdir()
        shutil.copy(honest.capath / "ca-cert.pem", self.trusted / "a.pem")
        shutil.copy(self.anchor, self.trusted / "b.pem")
        self.members = pathlib.Path(folder) / "self-made.yaml"
        self.members.write_text(SELF_MADE)

    def fingerprint(self):
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(self.anchor.read_text())).hexdigest()

    def context(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        for file in self.trusted.iterdir():
            context.load_verify_locations(file)
        context.load_cert_chain(self.certs.folder / "sl-1-cert.pem", self.certs.folder / "sl-1-key.pem")
        return context

    def certificate(self):
        return Certificate.of(self.certs, "sl-1")

    def flags(self):
        return self.certs.flags("sl-1", self.trusted)


class Foreign:
    """The attacker's certificate where the launcher wants certificates."""

    def __init__(self, attacker, more=()):
        self.attacker, self.more = attacker, more

    def flags(self, name):
        return [*self.attacker.flags(), *self.more]

    def context(self, name=None):
        return self.attacker.context()


@pytest.fixture
def attacker(folder, certs):
    return Attacker(folder, certs)


@pytest.fixture
def sn(swarm, folder, certs, attacker):
    members = pathlib.Path(folder) / "members.yaml"
    members.write_text(NAMED.format(anchor=attacker.fingerprint(), organisation=ORGANISATION))

    class Trusting:
        context = certs.context

        @staticmethod
        def flags(name):
            return [*certs.flags(name, attacker.trusted), "--members", members]

    swarm.certs = Trusting()
    sn = swarm.start_sn()
    until(lambda: len(sn.rpc("swarm_nodes")) == 1, "the SN to register", alive=[sn])
    return sn


def request(method, *params):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


class Client:
    """A WebSocket of the attacker to the honest SN."""

    def __init__(self, sn, attacker):
        self.connecting = connect(f"wss://127.0.0.1:{sn.port}/", ssl=attacker.context())
        self.certificate = attacker.certificate()

    def __enter__(self):
        self.link = self.connecting.__enter__()
        self.chain_id = int(self.ask("eth_chainId")["result"], 16)
        return self

    def __exit__(self, *how):
        self.connecting.__exit__(*how)

    def ask(self, method, *params):
        self.link.send(request(method, *params))
        return json.loads(self.link.recv())

    def rpc(self, method, *params):
        return self.ask(method, *params)["result"]

    def registration(self, role, key=None, **lies):
        """A signed transaction that registers a new account as this kind of node, with the attacker's certificate."""
        key = key or Account.create()
        values = registration(self.rpc, self.certificate, key.address, KINDS[role], **lies)
        return self.signed(key, NODE_REGISTRY, encoded(REGISTER, values))

    def signed(self, key, to, data, nonce=0):
        fields = {"type": 2, "chainId": self.chain_id, "nonce": nonce, "to": to, "value": 0, "data": data}
        fields |= {"gas": 5_000_000, "maxFeePerGas": 0, "maxPriorityFeePerGas": 0}
        return "0x" + bytes(key.sign_transaction(fields).raw_transaction).hex()

    def register(self, role, method="eth_sendRawTransactionSync", **how):
        return self.ask(method, self.registration(role, **how))


def refused_for_role(answer, role):
    error = answer["error"]
    assert error["data"]["reason"] == "role_not_allowed"
    for part in (f"not for {role}", "CN=sl-1", ORGANISATION, "--members", f"roles: [{role}]"):
        assert part in error["message"], error


@pytest.mark.parametrize("role", ["SWCI", "SWOP", "SN"])
def test_an_sl_registers_itself_as_something_else(sn, attacker, role):
    with Client(sn, attacker) as client:
        registers_as(sn, attacker, role, client)
    # Log and status name who it was.
    sn.wait_log(rf"a registration is refused: the certificate .*CN=sl-1 of the organisation {ORGANISATION}")
    detail = sn.admin("actor", name="/sn/api")["detail"]
    assert detail["refused_roles"] == 5
    assert ORGANISATION in detail["last_refused_role"] and "CN=sl-1" in detail["last_refused_role"]


def registers_as(sn, attacker, role, client):
    """As `role` in every way that there is, in vain; then as an SL."""
    before = len(sn.admin("nodes")["nodes"])
    for method in ("eth_sendRawTransaction", "eth_sendRawTransactionSync"):
        refused_for_role(client.register(role, method), role)
    # In a batch, too, and by plain HTTP.
    one = request("eth_sendRawTransaction", client.registration(role))
    client.link.send(f"[{one},{one}]")
    for answer in json.loads(client.link.recv()):
        refused_for_role(answer, role)
    as_attacker = SN.__new__(SN)
    as_attacker.port, as_attacker.host, as_attacker.certs = sn.port, "127.0.0.1", attacker
    raw = client.registration(role)
    refused_for_role(json.loads(as_attacker._request("POST", "/", request("eth_sendRawTransaction", raw))), role)
    # As what its certificate says it is welcome.
    assert client.register("SL")["result"]["status"] == "0x1"
    until(lambda: len(sn.admin("nodes")["nodes"]) == before + 1, "the SL to be vouched for", alive=[sn])


def test_processes_with_an_sl_certificate_do_not_start_as_sns(swarm, sn, attacker, folder):
    refused = SN(folder, Foreign(attacker), "sn-8", joins=sn)
    refused.start()
    assert refused.wait_exit() != 0
    for part in ("sl-1-cert.pem", "not for SN", "--members", "roles: [SN]"):
        assert part in refused.log()


def test_two_sns_with_an_sl_certificate_become_no_validators(swarm, sn, attacker, folder):
    """They say of themselves that they are SNs; the honest one does not believe it."""
    before = sn.validators()
    foreign = Foreign(attacker, ("--members", attacker.members))
    intruders = [SN(folder, foreign, f"sn-{number}", joins=sn) for number in (8, 9)]
    try:
        for intruder in intruders:
            intruder.start()
        sn.wait_log(rf"is refused: the certificate .*CN=sl-1 of the organisation {ORGANISATION} is for SL")
        unwanted = lambda: sn.admin("actor", name="/sn/peers/hub")["detail"]["unwanted"]  # noqa: E731
        # Each dials again and again; none gets in.
        until(lambda: unwanted() >= 4, "the intruders to be refused several times", alive=[sn, *intruders])
        detail = sn.admin("actor", name="/sn/peers/hub")["detail"]
        assert detail["peers"] == [] and ORGANISATION in detail["last_unwanted"]
        # What they send past P2P does not help them either.
        with Client(sn, attacker) as client:
            for _ in intruders:
                refused_for_role(client.register("SN"), "SN")
        assert sn.validators() == before
        assert [node["type"] for node in sn.admin("nodes")["nodes"]] == ["SN"]
    finally:
        for intruder in intruders:
            intruder.clean_up()


def said(answer, *parts, reason=None):
    error = answer["error"]
    for part in parts:
        assert part in error["message"], error
    assert reason is None or error["data"]["reason"] == reason, error


def test_transactions_of_who_is_no_member_are_taken_by_nobody(sn, attacker):
    with Client(sn, attacker) as client:
        before = sn.block_num()
        for _ in range(20):
            key = Account.create()
            answer = client.ask("eth_sendRawTransaction", client.signed(key, NODE_REGISTRY, "0x" + "00" * 1000))
            said(answer, "no member of this network", key.address.lower(), reason="no_member")
        # Who has only asked to be one is none either; as soon as others have vouched for it, it may.
        key = Account.create()
        assert client.register("SL", key=key)["result"]["status"] == "0x1"
        until(lambda: Node(client.rpc, key.address).active, "it to be vouched for", alive=[sn])
        leave = client.signed(key, NODE_REGISTRY, encoded("leave()"), nonce=1)
        assert client.ask("eth_sendRawTransactionSync", leave)["result"]["status"] == "0x1"
        assert sn.block_num() == before + 3  # registration, vouch, departure


def test_a_registration_without_its_proof_is_not_taken(sn, attacker):
    """What the attacker says of itself must be signed with the key of the certificate that it presents."""
    with Client(sn, attacker) as client:
        before, key = sn.block_num(), Account.create()
        rpc, own = client.rpc, client.certificate
        values = registration(rpc, own, key.address, KINDS["SL"])
        other = registration(rpc, own, Account.create().address, KINDS["SL"])
        send = lambda fields: client.ask(  # noqa: E731
            "eth_sendRawTransaction", client.signed(key, NODE_REGISTRY, encoded(REGISTER, fields))
        )
        said(send((*values[:8], b"")), "no proof of a registration")
        said(send((*values[:8], bytes(9000))), "no proof of a registration")
        said(send((*values[:8], other[8])), "not signed with the key of the certificate", "CN=sl-1")
        said(send((*values[:4], values[4] + 1, *values[5:])), "not signed with the key of the certificate")
        said(send((*values[:2], bytes([7] * 32), *values[3:])), "a node registers with its own", ORGANISATION)
        said(send((*values[:3], values[3] + 1, *values[4:])), "the registration names")
        # Another organisation's node: signed, but with a certificate of one's own.
        foreign = 3 - values[1]
        said(send(registration(rpc, own, key.address, KINDS["SL"], organisation=foreign)), "leads to a CA of the")
        said(send(registration(rpc, own, key.address, KINDS["SL"], organisation=9)), "leads to a CA of the")
        assert sn.block_num() == before and not Node(rpc, key.address).active


def test_who_registers_as_many_accounts_as_he_likes_fills_his_own_places_only(swarm, sn, attacker, inspect):
    limit = 20
    with Client(sn, attacker) as client:

        def registers():
            key = Account.create()
            answer = client.register("SL", key=key)
            if "result" in answer:
                until(lambda: Node(client.rpc, key.address).active, "it to be vouched for", alive=[sn])
            return answer

        registers()
        use = sn.admin("actor", name="/sn/chain")["detail"]["chain_use"]
        (name,) = [row["organisation"] for row in use if row["registrations_bytes"] > 0]
        inspect(sn, "vote", "limits", name, "--nodes", str(limit))
        for _ in range(limit - 1):
            assert registers()["result"]["status"] == "0x1"
        for _ in range(10):
            said(registers(), f"the organisation '{name}' has {limit} nodes, all that its limit allows")
    # Log and status name who it is, and others' places are others'.
    sn.wait_log(rf"a registration is refused: the organisation '{name}' has {limit} nodes")
    detail = sn.admin("actor", name="/sn/chain")["detail"]
    assert detail["registrations_refused"] >= 10 and name in detail["last_registration_refused"]
    honest = swarm.add_sl().wait_ready()
    until(lambda: Node(sn.rpc, honest.node_account).active, "an SL of the others to be a member", alive=[sn, honest])
