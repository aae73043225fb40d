"""Clients of the JSON-RPC interface that do not behave."""

import json

import pytest
from harness import PATIENCE, until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

BATCH = json.dumps(
    [{"jsonrpc": "2.0", "id": i, "method": "eth_getBlockByNumber", "params": ["0x1", True]} for i in range(100)]
)
BATCHES = 1000  # some 200 KB each in answers, far more than the SN keeps for one client


def counted(sn, actor, what):
    return sn.admin("actor", name=actor)["detail"][what]


def test_a_websocket_that_is_not_read_is_closed(swarm):
    sn = swarm.start_sn()
    until(lambda: sn.block_num() >= 1, "a first block", alive=[sn])
    options = {"ssl": swarm.certs.context(), "ping_interval": None, "max_size": None, "close_timeout": PATIENCE}
    with connect(f"wss://127.0.0.1:{sn.port}/", max_queue=1, **options) as greedy:
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
    until(lambda: counted(sn, "/sn/api", "websockets") == 0, "the connection to be gone", alive=[sn])
    with connect(f"wss://127.0.0.1:{sn.port}/", **options) as again:
        again.send(BATCH)
        assert len(json.loads(again.recv(PATIENCE))) == 100


def test_subscriptions_end_with_their_connection(swarm):
    sn = swarm.start_sn()
    options = {"ssl": swarm.certs.context()}
    with connect(f"wss://127.0.0.1:{sn.port}/", **options) as link:
        link.send('{"jsonrpc":"2.0","id":0,"method":"eth_subscribe","params":["newHeads"]}')
        answer = json.loads(link.recv(PATIENCE))
        assert answer["id"] == 0
        with connect(f"wss://127.0.0.1:{sn.port}/", **options) as other:
            ask = {"jsonrpc": "2.0", "id": 1, "method": "eth_unsubscribe", "params": [answer["result"]]}
            other.send(json.dumps(ask))
            assert json.loads(other.recv(PATIENCE))["result"] is False  # it belongs to the first
        swarm.add_sl().wait_ready()  # registers, which makes blocks
        told = json.loads(link.recv(PATIENCE))["params"]
        assert told["subscription"] == answer["result"]
        assert int(told["result"]["number"], 16) >= 1
        subscriptions = counted(sn, "/sn/chain", "subscriptions")
    until(lambda: counted(sn, "/sn/chain", "subscriptions") == subscriptions - 1, "it to be forgotten", alive=[sn])
