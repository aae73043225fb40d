"""Clients of the JSON-RPC interface that do not behave."""

import contextlib
import json
import secrets
import socket
import subprocess
import threading

import pytest
from harness import NODE_REGISTRY, PATIENCE, inspect_program, until
from launcher.certificates import READER
from outsider import SL, SWCI, Outsider
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

BATCH = json.dumps(
    [
        {
            "jsonrpc": "2.0",
            "id": i,
            "method": "eth_getBlockByNumber",
            "params": ["0x1", True],
        }
        for i in range(100)
    ]
)
TRANSACTIONS = 5000  # each makes a block, of which every subscription tells
BATCHES = 1000  # some 200 KB each in answers, far more than the SN keeps for one client


def make_member(sn, name):
    """A node of its own for this certificate, as only members read the chain."""
    made = sn.__dict__.setdefault("made_members", {})
    if name not in made:
        made[name] = Outsider(sn, name, SWCI if name.startswith("swci") else SL)
    return made[name]


def link_to(swarm, name="probe", **options):
    """A WebSocket to the SN, of a member."""
    make_member(swarm.sn, name)
    context = swarm.certs.context(name)
    options = {
        "ping_interval": None,
        "max_size": None,
        "close_timeout": PATIENCE,
        **options,
    }
    return connect(f"wss://127.0.0.1:{swarm.sn.port}/", ssl=context, **options)


def session_of(swarm, context, request, session=None):
    """The TLS session that a connection has after one request, and whether it resumed `session`."""
    with (
        socket.create_connection(("127.0.0.1", swarm.sn.port), PATIENCE) as plain,
        context.wrap_socket(plain, session=session) as link,
    ):
        assert link.version() == "TLSv1.3"
        link.sendall(request)
        assert link.recv(1 << 16).startswith(b"HTTP/1.1 ")
        return link.session, link.session_reused


def test_a_websocket_gets_no_tls_ticket(swarm):
    """Clients that read and write a connection in two threads, as Python's do, sometimes wait for ever for the end of
    a ticket that comes while they write their first request. It comes with the first answer, and not to WebSockets."""
    swarm.start_sn()
    context = swarm.certs.context("probe")
    upgrade = (
        b"GET / HTTP/1.1\r\nHost: sn\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    session, _ = session_of(swarm, context, upgrade)
    assert session is None or not session.has_ticket
    session, resumed = session_of(swarm, context, b"GET / HTTP/1.1\r\nHost: sn\r\n\r\n")
    assert session.has_ticket and not resumed
    _, resumed = session_of(swarm, context, b"GET / HTTP/1.1\r\nHost: sn\r\n\r\n", session)
    assert resumed


def counted(sn, actor, what):
    return sn.admin("actor", name=actor)["detail"][what]


def test_a_websocket_that_is_not_read_is_closed(swarm):
    sn = swarm.start_sn()
    until(lambda: sn.block_num() >= 1, "a first block", alive=[sn])
    with link_to(swarm, max_queue=1) as greedy:
        sent = 0
        while "too slowly" not in sn.log():
            assert sent < BATCHES, f"{sent} batches were taken\n{sn.tail()}"
            greedy.send(BATCH)
            sent += 1
        sn.wait_log(r"127\.0\.0\.1:\d+: reads its answers and notifications too slowly, \d+ bytes wait: closing")
        assert int(sn.rpc("eth_chainId"), 16) == 21335  # others are served
        # What it had asked for before is still there for it, and then the reason.
        answers = 0
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                assert len(json.loads(greedy.recv(PATIENCE))) == 100
                answers += 1
    assert 0 < answers < sent
    assert closed.value.rcvd.code == 1008 and "too slow" in closed.value.rcvd.reason
    until(
        lambda: counted(sn, "/sn/api", "websockets") == 0,
        "the connection to be gone",
        alive=[sn],
    )
    with link_to(swarm) as again:
        again.send(BATCH)
        assert len(json.loads(again.recv(PATIENCE))) == 100


def test_subscriptions_end_with_their_connection(swarm):
    sn = swarm.start_sn()
    with link_to(swarm) as link:
        link.send('{"jsonrpc":"2.0","id":0,"method":"eth_subscribe","params":["newHeads"]}')
        answer = json.loads(link.recv(PATIENCE))
        assert answer["id"] == 0
        with link_to(swarm) as other:
            ask = {
                "jsonrpc": "2.0",
                "id": 1,
                "method": "eth_unsubscribe",
                "params": [answer["result"]],
            }
            other.send(json.dumps(ask))
            assert json.loads(other.recv(PATIENCE))["result"] is False  # it belongs to the first
        swarm.add_sl().wait_ready()  # registers, which makes blocks
        told = json.loads(link.recv(PATIENCE))["params"]
        assert told["subscription"] == answer["result"]
        assert int(told["result"]["number"], 16) >= 1
        subscriptions = counted(sn, "/sn/rpc", "subscriptions")
    until(
        lambda: counted(sn, "/sn/rpc", "subscriptions") == subscriptions - 1,
        "it to be forgotten",
        alive=[sn],
    )


def subscribe(link, count, kind="newHeads"):
    for i in range(count):
        link.send(json.dumps({"jsonrpc": "2.0", "id": i, "method": "eth_subscribe", "params": [kind]}))
    answers = [json.loads(link.recv(PATIENCE)) for _ in range(count)]
    return {answer["result"] for answer in answers}


class Sender:
    """A member that makes blocks: each transaction is answered once its block is final."""

    def __init__(self, sn):
        self.sn = sn
        member = make_member(sn, READER)
        self.key, self.account, self.nonce = member.key, member.account, member.nonce

    def signed(self, data="0x", gas=100_000):
        fields = {
            "to": NODE_REGISTRY,
            "data": data,
            "value": 0,
            "gas": gas,
            "gasPrice": 0,
            "chainId": 21335,
        }
        signed = self.key.sign_transaction({**fields, "nonce": self.nonce})
        self.nonce += 1
        return signed.raw_transaction.to_0x_hex()

    def send(self):
        return int(self.sn.rpc("eth_sendRawTransactionSync", self.signed())["blockNumber"], 16)

    def post(self):
        """Without waiting for its block."""
        self.sn.rpc("eth_sendRawTransaction", self.signed())


def test_a_subscriber_that_does_not_read_is_dropped_and_holds_up_nobody(swarm):
    sn = swarm.start_sn()
    sender = Sender(sn)
    with link_to(swarm) as reader, link_to(swarm, max_queue=1) as sleeper:
        assert len(subscribe(reader, 1)) == 1
        assert len(subscribe(sleeper, 64)) == 64
        while "too slowly" not in sn.log():
            assert sender.nonce < TRANSACTIONS, f"{sender.nonce} transactions were told of\n{sn.tail()}"
            block_num = sender.send()
            told = json.loads(reader.recv(PATIENCE))["params"]["result"]  # who reads is told of each, at once
            assert int(told["number"], 16) == block_num
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                assert json.loads(sleeper.recv(PATIENCE))["method"] == "eth_subscription"
        assert closed.value.rcvd.code == 1008 and "too slow" in closed.value.rcvd.reason
        until(
            lambda: counted(sn, "/sn/rpc", "subscriptions") == 1,
            "its subscriptions to be gone",
            alive=[sn],
        )
        assert sn.log().count("too slowly") == 1
        block_num = sender.send()
        assert int(json.loads(reader.recv(PATIENCE))["params"]["result"]["number"], 16) == block_num


def test_one_client_cannot_fill_a_node_with_answers_that_it_does_not_read(swarm):
    """Each connection alone keeps to its bounds; together they are too many. Other clients are served."""
    sn = swarm.start_sn()
    Sender(sn).send()
    with contextlib.ExitStack() as links:
        link = links.enter_context(link_to(swarm))
        link.send(BATCH)
        size = len(link.recv(PATIENCE))
        for _ in range(8):
            link = links.enter_context(link_to(swarm, max_queue=1))
            links.callback(link.socket.shutdown, socket.SHUT_RDWR)  # it does not read its way to an orderly end
            for _ in range(30_000_000 // size):
                link.send(BATCH)
        sn.wait_log("reads its answers and notifications too slowly")
        other = links.enter_context(link_to(swarm, "sl-1"))
        other.send(BATCH)
        assert len(json.loads(other.recv(PATIENCE))) == 100
    until(
        lambda: counted(sn, "/sn/api", "websockets") == 0,
        "the connections to be gone",
        alive=[sn],
    )
    assert int(sn.rpc("eth_chainId"), 16) == 21335  # room for it again


def heavy_batch():
    """Little to answer, much to look for."""
    requests = []
    for i in range(128):
        topics = [None, ["0x" + secrets.token_hex(32) for _ in range(256)]]
        requests.append(
            {"jsonrpc": "2.0", "id": i, "method": "eth_getLogs", "params": [{"fromBlock": "0x0", "topics": topics}]}
        )
    return json.dumps(requests)


class BusyClient:
    """Has `WAITING` batches waiting at the SN, always."""

    WAITING = 12

    def __init__(self, link, batch):
        self.link, self.batch, self.answered, self.stop = link, batch, 0, False
        for _ in range(self.WAITING):
            link.send(batch)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stop:
            answer = json.loads(self.link.recv(PATIENCE))
            self.answered += isinstance(answer, list)  # not: over its rate
            self.link.send(self.batch)

    def end(self):
        self.stop = True
        self.thread.join(PATIENCE)
        self.link.socket.shutdown(socket.SHUT_RDWR)


def test_clients_that_ask_for_much_hold_up_neither_the_chain_nor_others(swarm):
    """Three of them together ask for more than an SN can do. A fourth one's transactions are final before what waits
    at the SN is done."""
    sn = swarm.start_sn()
    sender = Sender(sn)
    sender.send()
    batch = heavy_batch()
    with contextlib.ExitStack() as clients:
        busy = []
        for name in ("sl-1", "sl-2", "swci-1"):
            busy.append(BusyClient(clients.enter_context(link_to(swarm, name)), batch))
            clients.callback(busy[-1].end)
        until(lambda: all(each.answered for each in busy), "an answer for everybody", alive=[sn])
        before = sum(each.answered for each in busy)
        for _ in range(5):
            sender.send()
        done = sum(each.answered for each in busy) - before
        assert all(each.thread.is_alive() for each in busy)
        assert done < 5 * BusyClient.WAITING


def call_batch():
    """Executions at the head, and what the registry ever said."""
    call = {"to": NODE_REGISTRY, "data": "0xb7ab4db5"}  # getValidators()
    return json.dumps(
        [{"jsonrpc": "2.0", "id": i, "method": "eth_call", "params": [call, "latest"]} for i in range(200)]
        + [
            {"jsonrpc": "2.0", "id": 200 + i, "method": "eth_getLogs", "params": [{"fromBlock": "0x0"}]}
            for i in range(50)
        ]
    )


def test_what_a_client_was_told_of_is_there_when_it_reads(swarm):
    """Among floods of reads by others: a receipt comes when its block can be read, and the next nonce counts what was
    sent a moment before."""
    sn = swarm.start_sn()
    sender = Sender(sn)
    sender.send()
    with contextlib.ExitStack() as clients:
        busy = []
        for name, batch in (("sl-1", heavy_batch()), ("sl-2", call_batch()), ("swci-1", call_batch())):
            busy.append(BusyClient(clients.enter_context(link_to(swarm, name)), batch))
            clients.callback(busy[-1].end)
        until(lambda: all(each.answered for each in busy), "an answer for everybody", alive=[sn])
        reader = clients.enter_context(link_to(swarm))
        assert len(subscribe(reader, 1)) == 1
        for _ in range(20):
            block_num = sender.send()
            told = json.loads(reader.recv(PATIENCE))["params"]["result"]
            assert int(told["number"], 16) == block_num
            assert sn.block_num() >= block_num
            assert int(sn.rpc("eth_blockNumber"), 16) >= block_num
            assert sn.rpc("eth_getBlockByNumber", hex(block_num), False)["hash"] == told["hash"]
            count = [sn.rpc("eth_getTransactionCount", sender.account, tag) for tag in ("latest", "pending")]
            assert count == [hex(sender.nonce)] * 2
        for _ in range(20):
            sender.post()
            count = sn.rpc("eth_getTransactionCount", sender.account, "pending")
            assert count == hex(sender.nonce)
        sender.send()
        assert all(each.thread.is_alive() for each in busy)


def test_whoever_answers_clients_may_be_restarted(swarm):
    """Connections end, and with them what was subscribed over them. Nothing else is lost."""
    sn = swarm.start_sn()
    sender = Sender(sn)
    sender.send()
    for actor in ("/sn/reader", "/sn/rpc", "/sn/chain"):
        starts = sn.log().count("Starting SWARM-API-SERVER")
        with link_to(swarm) as reader:
            assert len(subscribe(reader, 1)) == 1
            subprocess.run([inspect_program(), "--data-dir", sn.data_dir, "kill", actor], check=True)
            with pytest.raises(ConnectionClosed):
                while True:
                    reader.recv(PATIENCE)
        until(
            lambda starts=starts: sn.log().count("Starting SWARM-API-SERVER") > starts,
            "the server after the kill",
            alive=[sn],
        )
        block_num = sender.send()
        assert int(sn.rpc("eth_getBlockByNumber", hex(block_num), False)["number"], 16) == block_num
        assert counted(sn, "/sn/rpc", "subscriptions") == 0
