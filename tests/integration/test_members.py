"""Who becomes a member of a network of several organisations, with a CA for each host, and who does not."""

import pathlib
import shutil
import subprocess

import numpy as np
import pytest
from eth_account import Account
from harness import NODE_REGISTRY, SN, Certs, Program, says, trains, until
from launcher.keccak import keccak256
from registration import REGISTER, Certificate, Node, encoded, registration

SWCI = 4


class Host(Certs):
    """A host with a CA of its own; the files of all CAs are exchanged before the start."""

    def __init__(self, folder, number):
        super().__init__(folder, f"sn-{number}", f"sn-{number + 1}", f"sl-{number}", f"swci-{number}")

    def trusts(self, *others):
        for other in others:
            shutil.copy(other.capath / "ca-cert.pem", self.capath / f"{other.folder.name}.pem")


@pytest.fixture
def hosts(folder):
    made = [Host(pathlib.Path(folder) / f"host-{number}", number) for number in (1, 2)]
    made[0].trusts(made[1])
    made[1].trusts(made[0])
    return made


@pytest.fixture
def sns(swarm, folder, hosts):
    """An SN of each host."""
    swarm.certs = hosts[0]
    first = swarm.start_sn()
    second = SN(folder, hosts[1], "sn-2", joins=first)
    swarm.others.append(second)
    second.start().wait_up()
    until(lambda: len(members(first)) == 2, "both SNs to be members", alive=[first, second])
    return first, second


def members(sn):
    """The organisation of each member, by name."""
    return {node["name"]: Node(sn.rpc, node["account"]).organisation for node in sn.rpc("swarm_nodes")}


def logs(sn, event, account=None):
    topics = ["0x" + keccak256(event).hex()] + (["0x" + account[2:].rjust(64, "0")] if account else [])
    wanted = {"address": NODE_REGISTRY, "topics": topics, "fromBlock": "0x0", "toBlock": "latest"}
    return sn.rpc("eth_getLogs", wanted)


def vouchers(sn, account):
    """The organisations that have vouched for an account."""
    found = logs(sn, "NodeVouched(address,uint16,bytes32)", account)
    return sorted({int(log["topics"][2], 16) for log in found})


def send(sn, certs, name, kind, key, **lies):
    """Registers a new account with this certificate, over the SN."""
    values = registration(sn.rpc, Certificate.of(certs, name), key.address, kind, **lies)
    fields = {"chainId": 21335, "nonce": 0, "to": NODE_REGISTRY, "value": 0, "gas": 5_000_000, "gasPrice": 0}
    signed = key.sign_transaction({**fields, "data": encoded(REGISTER, values)})
    return sn.rpc("eth_sendRawTransaction", signed.raw_transaction.to_0x_hex())


def test_two_hosts_with_a_ca_each_train_together(swarm, hosts, sns):
    sls = [swarm.add_sl(identity=hosts[i].flags(f"sl-{i + 1}"), sn_port=sn.port) for i, sn in enumerate(sns)]
    model = {"w": np.ones(10, np.float32)}
    for program in [Program(sl, trains([model, model], minPeers=2)) for sl in sls]:
        program.result()
    until(sns[0].completed, "the training to be complete", alive=sns)
    found = members(sns[0])
    assert found["sn-1"] == found["sl-1"] and found["sn-2"] == found["sl-2"] and found["sn-1"] != found["sn-2"]
    # Both organisations have an SN, so both have vouched for each SL.
    for sl in sls:
        assert vouchers(sns[1], sl.node_account) == [1, 2]


def test_a_training_of_two_organisations_is_reset_when_both_ask_for_it(swarm, hosts, sns, inspect):
    contract = "defaultbb.cqdb.sml.hpe"
    sls = [swarm.add_sl(identity=hosts[i].flags(f"sl-{i + 1}"), sn_port=sn.port) for i, sn in enumerate(sns)]
    model = {"w": np.ones(10, np.float32)}
    for sl in sls:
        Program(sl, trains([model], minPeers=3))
    until(lambda: len(sns[0].events("check_ins")) == 2, "both to be in", alive=[*sns, *sls])
    asked = inspect(sns[0], "reset", contract, "--force")
    assert says(asked, "is asked for by") and says(asked, "more than half of the organisations in it have to")
    assert "generation 2" in inspect(sns[1], "reset", contract, "--force")


def test_a_host_without_an_sn_is_vouched_for_by_the_others(swarm, hosts):
    swarm.certs = hosts[0]
    sn = swarm.start_sn()
    sls = [swarm.add_sl(identity=hosts[i].flags(f"sl-{i + 1}")) for i in range(2)]
    model = {"w": np.ones(10, np.float32)}
    for program in [Program(sl, trains([model], minPeers=2)) for sl in sls]:
        program.result()
    own = Node(sn.rpc, sls[0].node_account).organisation
    assert vouchers(sn, sls[1].node_account) == [own] != [Node(sn.rpc, sls[1].node_account).organisation]


def test_an_organisation_that_does_not_answer_keeps_nobody_waiting(swarm, hosts, sns):
    first, second = sns
    second.pause()
    try:
        sl = swarm.add_sl(identity=hosts[0].flags("sl-1")).wait_ready()
        account = sl.node_account
        until(lambda: Node(first.rpc, account).pending, "it to wait for vouches", alive=[first, sl])
        until(lambda: logs(first, "OrganisationAccused(uint16,address)"), "the silent one to be accused")
        until(lambda: Node(first.rpc, account).active, "it to be a member without the silent one", alive=[first, sl])
        assert len(vouchers(first, account)) == 1
    finally:
        second.go_on()
    # Back again it answers, and vouches as before.
    until(lambda: logs(first, "AccusationAnswered(uint16,address)"), "it to answer", alive=sns)
    late = swarm.add_sl(name="sl-late", identity=hosts[0].flags("sl-1")).wait_ready()
    until(lambda: len(vouchers(first, late.node_account)) == 2, "both to vouch", alive=sns)


def test_a_lying_sn_registers_nobody_of_its_own_making(swarm, folder, hosts):
    """One organisation's validator takes whatever its own people send and vouches for it; that is one vote of two."""
    swarm.certs = hosts[0]
    first = swarm.start_sn()
    swarm.join_sn("sn-2")
    rules = pathlib.Path(folder) / "self-made.yaml"
    rules.write_text("rules:\n  - match: { subject: { CN: sl-2 } }\n    roles: [SN, SL, SWOP, SWCI]\n")
    # Its certificate is one of an SN; what it believes of others is its own affair.
    liar = SN(folder, hosts[1], "sn-3", joins=first, flags=["--members", rules])
    swarm.others.append(liar)
    liar.start().wait_up()
    until(lambda: len(first.validators()) == 3, "three validators", alive=[first, liar])
    key = Account.create()
    send_as(hosts[1], liar, "sl-2", SWCI, key)
    until(lambda: Node(first.rpc, key.address).pending, "its proposal to bring the registration", alive=[first, liar])
    first.wait_log(r"this SN does not vouch for .*CN=sl-2 .* is for SL .*, not for SWCI")
    until(lambda: len(vouchers(first, key.address.lower())) >= 1, "the liar to vouch", alive=[first, liar])
    detail = first.admin("actor", name="/sn/vouching")["detail"]
    assert detail["refused"] >= 1 and says(detail["last_refused"], "CN=sl-2")
    # Accused, the honest organisation answers, so it stays needed.
    until(lambda: logs(first, "AccusationAnswered(uint16,address)"), "the honest one to answer", alive=[first, liar])
    assert not Node(first.rpc, key.address).active


def send_as(certs, sn, name, kind, key):
    """As `send`, over connections with this certificate."""
    as_node = SN.__new__(SN)
    as_node.port, as_node.host = sn.port, sn.host

    class Presents:
        context = staticmethod(lambda: certs.context(name))

    as_node.certs = Presents
    return send(as_node, certs, name, kind, key)


def test_who_is_removed_ends(swarm, hosts, sns, folder):
    """A certificate that its authority took back: the node's organisation removes it from the chain, too."""
    first, second = sns
    sl = swarm.add_sl(identity=hosts[0].flags("sl-1")).wait_ready()
    until(lambda: Node(first.rpc, sl.node_account).active, "the SL to be a member", alive=[first, sl])
    revoke(hosts[0], "sl-1")
    until(lambda: not Node(second.rpc, sl.node_account).active, "it to be removed", alive=sns)
    assert logs(second, "NodeRemoved(address,uint16)", sl.node_account)
    first.wait_log(r"the SL 0x\w+ is removed from the network: .*CN=sl-1 .*revoked")
    assert members(second).keys() == {"sn-1", "sn-2"}


def revoke(certs, name):
    """A CRL beside the authority's certificate, on its own host alone."""
    place = certs.folder / "revoked"
    place.mkdir()
    (place / "index").touch()
    (place / "config").write_text(
        f"[ca]\ndefault_ca = own\n[own]\ndatabase = {place}/index\ndefault_md = sha256\ndefault_crl_days = 1\n"
    )
    authority = ["-keyfile", certs.folder / "ca" / "ca-key.pem", "-cert", certs.capath / "ca-cert.pem"]
    command = ["openssl", "ca", "-config", place / "config", *authority]
    subprocess.run([*command, "-revoke", certs.folder / f"{name}-cert.pem"], check=True, capture_output=True)
    subprocess.run([*command, "-gencrl", "-out", place / "crl"], check=True, capture_output=True)
    shutil.copy(place / "crl", certs.capath / ".crl.pem")
    (certs.capath / ".crl.pem").rename(certs.capath / "crl.pem")
