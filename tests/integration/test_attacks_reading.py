"""Who is no member of a network reads nothing of it, and who ceases to be one is gone within seconds.

Each attack fails, and log and status of the honest SN name the attacker's organisation and certificate.
"""

import contextlib
import http.client
import json
import pathlib
import shutil
import threading
import time

import pytest
from harness import NODE_REGISTRY, PATIENCE, SN, Certs, Program, until
from outsider import SL, SWCI, Outsider, training
from registration import Node, encoded
from test_attacks import ORGANISATION, Client, attacker, request, sn  # noqa: F401
from test_certificates import trains_until
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import connect

GONE_WITHIN = 5  # seconds, from the block that ends a membership
FOR_MEMBERS = [
    ("eth_getBlockByNumber", "latest", True),
    ("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"}),
    ("eth_call", {"to": training(), "data": encoded("head()")}, "latest"),
    ("eth_call", {"to": NODE_REGISTRY, "data": encoded("nodes(uint256,uint256)", (0, 10))}, "latest"),
    ("swarm_provedCall", [{"to": training(), "data": encoded("head()")}]),
    ("eth_getStorageAt", NODE_REGISTRY, "0x0", "latest"),
    ("eth_getProof", NODE_REGISTRY, ["0x0"], "latest"),
    ("eth_newFilter", {"fromBlock": "0x0"}),
    ("eth_subscribe", "newHeads"),
    ("eth_subscribe", "logs", {}),
    ("swarm_nodes",),
    ("swarm_silentNodes",),
    ("swarm_proveMerge", "defaultbb.cqdb.sml.hpe", 1),
]


def refused(answer):
    error = answer.get("error", {})
    return "only members read this chain" in error.get("message", "")


def test_who_is_no_member_registers_and_reads_nothing(sn, attacker):  # noqa: F811
    with Client(sn, attacker) as client:
        for call in FOR_MEMBERS:
            answer = client.ask(*call)
            assert refused(answer), (call, answer)
        # What a newcomer needs, and the reason why it gets no more.
        assert client.ask("swarm_genesis")["result"]["genesisHash"]
        assert client.ask("swarm_validatorChanges")["result"]
        assert client.ask("eth_getBlockByNumber", "0x0", False)["result"]["number"] == "0x0"
        message = client.ask("swarm_nodes")["error"]
        assert message["data"]["reason"] == "no_member"
        for part in ("CN=sl-1", "register a node with it first"):
            assert part in message["message"], message
        detail = sn.admin("actor", name="/sn/api")["detail"]
        assert detail["refused_readings"] >= len(FOR_MEMBERS)
        for part in ("CN=sl-1", ORGANISATION):
            assert part in detail["last_refused_reading"], detail
        sn.wait_log(f"of the organisation {ORGANISATION}, is refused: only members read .*CN=sl-1")
    link = http.client.HTTPSConnection("127.0.0.1", sn.port, context=attacker.context(), timeout=30)
    link.request("GET", "/is_up")
    assert link.getresponse().read().strip() == b"OK"
    link.request("POST", "/", "[" + ",".join(request(*call) for call in FOR_MEMBERS) + "]")
    assert all(refused(answer) for answer in json.loads(link.getresponse().read()))
    link.close()


def test_a_newcomer_reads_once_it_is_a_member(sn, attacker):  # noqa: F811
    with Client(sn, attacker) as client:
        assert refused(client.ask("swarm_nodes"))
        answer = client.register("SL")
        assert answer["result"]["status"] == "0x1", answer
        until(lambda: "result" in client.ask("swarm_nodes"), "the newcomer to be a member", alive=[sn])
        assert all("result" in client.ask(*call) for call in FOR_MEMBERS[:3])


def test_a_ca_that_no_organisation_has_gets_no_blocks_from_other_sns(swarm, sn, attacker, folder):  # noqa: F811
    """An SN has to see the chain before it can register; so it needs to be of an organisation of this chain."""
    stranger = Certs(pathlib.Path(folder) / "stranger", "sn-7")
    shutil.copy(stranger.capath / "ca-cert.pem", attacker.trusted / "stranger.pem")
    context = stranger.context("sn-7")
    for file in attacker.trusted.iterdir():
        context.load_verify_locations(file)

    def closed():
        try:
            with connect(f"wss://127.0.0.1:{sn.p2p_port}/p2p", ssl=context) as link:
                while True:
                    link.recv(PATIENCE)
        except ConnectionClosed as end:
            return end.rcvd and end.rcvd.reason
        except (OSError, WebSocketException):  # its CA is not read yet
            return None

    reason = until(closed, "the SN to know the stranger's CA", alive=[sn])
    assert reason.startswith("no organisation of this chain has the CA")
    assert "CN=sn-7" in sn.admin("actor", name="/sn/peers/hub")["detail"]["last_unwanted"]


class Host(Certs):
    """A host with a CA of its own."""

    def __init__(self, folder, number, others=()):
        super().__init__(pathlib.Path(folder) / f"host-{number}", f"sn-{number}", "sl-1", "sl-2", "swci-1", *others)


@pytest.fixture
def hosts(folder):
    """Two organisations that trust each other."""
    made = [Host(folder, 1), Host(folder, 2)]
    for one, other in (made, made[::-1]):
        shutil.copy(other.capath / "ca-cert.pem", one.capath / "other.pem")
    return made


@pytest.fixture
def pair(swarm, folder, hosts):
    """An SN of each, and a SWCI of each that votes."""
    swarm.certs = hosts[0]
    first = swarm.start_sn()
    second = SN(folder, hosts[1], "sn-2", joins=first)
    swarm.others.append(second)
    second.start().wait_up()
    until(lambda: len(first.rpc("swarm_nodes")) == 2, "both SNs to be members", alive=[first, second])
    voters = [Outsider(one, "swci-1", SWCI) for one in (first, second)]
    return Pair(first, second, voters)


class Pair:
    def __init__(self, first, second, voters):
        self.first, self.second, self.voters = first, second, voters

    def remove(self, account):
        """A vote of both; the time at which it counts."""
        for voter in self.voters:
            if Node(self.first.rpc, account).active:
                voter.call(NODE_REGISTRY, "removeNode(address)", (account,))
        until(lambda: not Node(self.first.rpc, account).active, "the removal", alive=[self.first, self.second])
        return time.monotonic()


@pytest.fixture
def opened():
    with contextlib.ExitStack() as stack:
        yield stack


def wait_gone(condition, what, since, alive):
    until(condition, what, alive=alive)
    took = time.monotonic() - since
    assert took < GONE_WITHIN, f"{what} took {took:.1f} s"


def test_connections_of_a_removed_node_end_at_every_sn(pair, hosts, opened):
    """Also those that it only listens on; and with the same certificate it does not come back."""
    for sn_, certs in ((pair.first, hosts[0]), (pair.second, hosts[1])):
        member = Outsider(sn_, "sl-1", SL)
        links = [
            opened.enter_context(
                connect(f"wss://127.0.0.1:{to.port}/", ssl=certs.context("sl-1"), ping_interval=None)
            )
            for to in (pair.first, pair.second)
        ]
        for link in links:
            link.send(request("eth_subscribe", "newHeads"))
            assert "result" in json.loads(link.recv())
        since = pair.remove(member.account)
        wait_gone(lambda: all(not is_open(link) for link in links), "the ends", since, [pair.first])  # noqa: B023
        for to in (pair.first, pair.second):
            to.wait_log(rf"connections end, as the node {member.account} was removed from the network by a vote")
        again = Outsider(sn_, "sl-1")
        with pytest.raises(AssertionError, match="only members read this chain.* was removed by a vote"):
            again.rpc("swarm_nodes")
        with pytest.raises(AssertionError, match="was removed by vote in block"):
            again.register(SL)


def is_open(link):
    try:
        while True:
            link.recv(timeout=0)
    except TimeoutError:
        return True
    except ConnectionClosed:
        return False


def test_a_removed_sn_is_no_neighbor_any_more(pair):
    account = next(node["account"] for node in pair.first.rpc("swarm_nodes") if node["name"] == "sn-2")
    since = pair.remove(account)
    neighbors = lambda: pair.first.admin("actor", name="/sn/peers/hub")["detail"]["peers"]  # noqa: E731
    wait_gone(lambda: not neighbors(), "the end of its connection", since, [pair.first])
    # It dials again and again, and does not come in.
    unwanted = lambda: pair.first.admin("actor", name="/sn/peers/hub")["detail"]  # noqa: E731
    until(lambda: "was removed by a vote" in unwanted()["last_unwanted"], "it to come back", alive=[pair.first])
    assert not neighbors()
    # The chain goes on without it.
    before = pair.first.block_num()
    pair.voters[0].call(NODE_REGISTRY, "leave()")
    assert pair.first.block_num() > before


def test_connections_of_a_removed_organisation_end_at_every_sn(swarm, pair, hosts, folder, opened, inspect):
    """One that was admitted by a vote, with an SN and an SL of its own; its SN is no neighbor any more, either."""
    third = Host(folder, 3)
    for number, host in enumerate(hosts):
        shutil.copy(third.capath / "ca-cert.pem", host.capath / "third.pem")
        shutil.copy(host.capath / "ca-cert.pem", third.capath / f"of-{number}.pem")
    for sn_ in (pair.first, pair.second):
        inspect(sn_, "vote", "admit", "Third", third.capath / "ca-cert.pem")
    its = SN(folder, third, "sn-3", joins=pair.first)
    swarm.others.append(its)
    its.start().wait_up()
    names = lambda: [node["name"] for node in pair.first.rpc("swarm_nodes")]  # noqa: E731
    until(lambda: "sn-3" in names(), "its SN to be a member", alive=[pair.first, its])
    member = Outsider(its, "sl-1", SL)
    links = [
        opened.enter_context(connect(f"wss://127.0.0.1:{to.port}/", ssl=third.context("sl-1"), ping_interval=None))
        for to in (pair.first, pair.second)
    ]
    for link in links:
        link.send(request("eth_subscribe", "newHeads"))
        assert "result" in json.loads(link.recv())
    for sn_ in (pair.first, pair.second):
        inspect(sn_, "vote", "remove", "Third")
    since = time.monotonic()
    wait_gone(lambda: not any(map(is_open, links)), "the ends", since, [pair.first])

    def neighbors(of):
        return len(of.admin("actor", name="/sn/peers/hub")["detail"]["peers"])

    for sn_ in (pair.first, pair.second):
        wait_gone(lambda: neighbors(sn_) == 1, "the end of its SN's connection", since, [sn_])  # noqa: B023
        sn_.wait_log(rf"connections end, as the node {member.account} is no member of this network any more")
    # The others go on.
    before = pair.first.block_num()
    pair.voters[0].call(NODE_REGISTRY, "leave()")
    assert pair.first.block_num() > before


def test_a_training_goes_on_without_a_removed_peer(swarm, pair, hosts):
    sls = [
        swarm.add_sl(identity=hosts[0].flags("sl-1"), sn_port=pair.first.port),
        swarm.add_sl(identity=hosts[0].flags("sl-2"), sn_port=pair.first.port),
        swarm.add_sl(identity=hosts[1].flags("sl-1"), sn_port=pair.second.port),
    ]
    done = threading.Event()
    programs = [Program(sl, trains_until(done, minPeers=2)) for sl in sls]
    sn_ = pair.first
    alive = [pair.first, pair.second, *sls[:2]]
    until(lambda: any(len(merge.contributors) == 3 for merge in sn_.merges()), "all to be merged", alive=alive)
    gone = sls[2].node_account
    # One that stays connected to an honest SL's file server, and has read from it.
    digest = sn_.merges()[-1].digest
    link = http.client.HTTPSConnection(
        "127.0.0.1", sls[0].files_port, context=hosts[1].context("sl-1"), timeout=30
    )
    status = until(lambda: read_model(link, digest, gone, sn_) == 200, "a model to be read", alive=alive)
    assert status
    since = pair.remove(gone)
    merges = len(sn_.merges())
    link.sock.settimeout(GONE_WITHIN)
    assert link.sock.recv(1) == b"" and time.monotonic() - since < GONE_WITHIN
    until(lambda: len(sn_.merges()) > merges + 1, "merges without it", alive=alive)
    assert gone not in sn_.merges()[-1].contributors
    done.set()
    for program in programs[:2]:
        program.result()
    until(sn_.completed, "the training to be complete", alive=alive)


def read_model(link, digest, account, sn_):
    headers = {"Swarm-Account": account, "Swarm-Block": str(sn_.block_num())}
    link.request("GET", f"/models/{digest}", headers=headers)
    answer = link.getresponse()
    answer.read()
    return answer.status
