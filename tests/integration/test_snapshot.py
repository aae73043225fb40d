"""An SN that is far behind takes a snapshot of the state, and fetches the blocks before it afterwards."""

import http.client
import json
import subprocess
import threading

import pytest
from harness import Meeting, Program, inspect_program, says, until
from test_network import grow, model, one_chain, same_history

GAP = ["--snapshot-gap", "30"]
TAKEN = r"took a snapshot of the state after block (\d+) (0x[0-9a-f]+)"


def snapshot(sn):
    answer = sn.admin("chain")
    return answer and answer.get("snapshot")


def start_again(sn):
    sn.start().wait_log("listening for other SNs on port")  # it has its chain


def rpc_error(sn, method, *params):
    link = http.client.HTTPSConnection("127.0.0.1", sn.port, context=sn.context(), timeout=30)
    link.request("POST", "/", json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}))
    answer = json.loads(link.getresponse().read())
    link.close()
    return answer["error"]["message"]


@pytest.fixture
def training(swarm):
    """Two programs that train until they are told to stop: returns the functions that begin and end it."""
    lock = threading.Lock()
    plan = {"stop": False, "rounds": None}
    programs = []

    def goes_on(rounds):
        with lock:
            if plan["stop"] and plan["rounds"] is None:
                plan["rounds"] = rounds + 3  # nobody is so far: both stop after the same round
            return plan["rounds"] is None or rounds < plan["rounds"]

    def work(client, index, meet):
        client.open(minPeers=2)
        meet(1, client)
        rounds = 0
        while goes_on(rounds):
            client.sync(model(index))
            rounds += 1
        client.close(model(index))

    def start(sns, blocks):
        sls = [swarm.add_sl(sn_port=sn.port) for sn in sns[:2]]
        meet = Meeting(2)
        for index, sl in enumerate(sls):
            programs.append(Program(sl, lambda client, index=index: work(client, index, meet)))
        until(lambda: sns[0].block_num() >= blocks, f"{blocks} blocks", patience=300, alive=[*sns, *sls])

    def stop():
        with lock:
            plan["stop"] = True
        for program in programs:
            program.result()

    return start, stop


def whole(sn, sns):
    until(lambda: (snapshot(sn) or {}).get("phase") == "complete", "history", alive=[sn])
    head = one_chain([*sns, sn])
    same_history([*sns, sn])
    return head


def test_a_newcomer_joins_by_snapshot_while_sls_train(swarm, training):
    start, stop = training
    sns = grow(swarm, 4)
    start(sns, 120)
    newcomer = swarm.join_sn("sn-5", flags=GAP)
    pivot = int(newcomer.wait_log(TAKEN).group(1))
    assert pivot > 60
    until(lambda: len(sns[0].validators()) == 5, "the newcomer to be a validator", alive=[*sns, newcomer])
    stop()
    whole(newcomer, sns)
    shown = snapshot(newcomer)
    assert shown["pivot"] >= pivot and pivot - 1 <= shown["blocks_skipped"] < shown["pivot"]
    assert shown["blocks_missing"] == 0
    pivot = shown["pivot"]  # with so small a gap, a busy chain may make it take another one
    # What it did not execute it can tell nevertheless.
    registration = newcomer.rpc("eth_getBlockByNumber", "0x2", True)
    assert registration == sns[0].rpc("eth_getBlockByNumber", "0x2", True)
    for txn in registration["transactions"]:
        assert newcomer.rpc("eth_getTransactionReceipt", txn["hash"]) == sns[0].rpc(
            "eth_getTransactionReceipt", txn["hash"]
        )
    told = [(merge.round_num, merge.digest, merge.block_num) for merge in newcomer.merges()]
    assert told == [(merge.round_num, merge.digest, merge.block_num) for merge in sns[0].merges()]
    assert told[0][2] < pivot
    # The states that it skipped stay with those who executed them.
    account = sns[0].admin("chain")["account"]
    refused = rpc_error(newcomer, "eth_getTransactionCount", account, "0x2")
    assert says(refused, "missing trie node: no state of block 2")
    assert newcomer.rpc("eth_getTransactionCount", account, hex(pivot)) == sns[0].rpc(
        "eth_getTransactionCount", account, hex(pivot)
    )
    # A merge before the snapshot can be proved from this node alone.
    proof = swarm.folder / "merge.json"
    genesis = newcomer.rpc("eth_getBlockByNumber", "0x0", False)["hash"]
    inspect = inspect_program()
    subprocess.run(
        [inspect, "--data-dir", newcomer.data_dir, "proof", "defaultbb.cqdb.sml.hpe", "1", "-o", proof], check=True
    )
    subprocess.run([inspect, "verify", proof, "--genesis", genesis], check=True)
    # And without the others it decides and serves as any validator.
    sns[1].kill9()
    sl = swarm.add_sl(sn_port=newcomer.port)
    until(lambda: newcomer.block_num() > pivot, "the chain to go on", alive=[newcomer, sl])


def test_a_snapshot_that_is_killed_goes_on(swarm, training):
    start, stop = training
    sns = grow(swarm, 3)
    start(sns, 100)
    stop()
    newcomer = swarm.join_sn("sn-4", flags=[*GAP, "--observer"])
    newcomer.wait_log("taking a snapshot from")
    newcomer.kill9()
    for moment in ("proving", "fetching"):
        start_again(newcomer)
        until(lambda: snapshot(newcomer)["phase"] != "none", moment, alive=[newcomer])
        newcomer.kill9()
    start_again(newcomer)
    until(lambda: snapshot(newcomer)["pivot"], "a pivot", alive=[newcomer])
    newcomer.kill9()  # in the history, or before
    start_again(newcomer)
    head = whole(newcomer, sns)
    assert snapshot(newcomer)["pivot"] > 30
    newcomer.kill9()
    start_again(newcomer)
    assert newcomer.head() == head
    assert snapshot(newcomer)["phase"] == "complete"


def test_from_a_snapshot_another_one_is_taken_and_a_small_gap_takes_none(swarm, training):
    start, stop = training
    sns = grow(swarm, 3)
    start(sns, 100)
    stop()
    second = swarm.join_sn("sn-4", flags=[*GAP, "--observer"])
    second.wait_log(TAKEN)
    whole(second, sns)
    for sn in sns[1:]:
        sn.kill9()  # the chain stands still, and only one that executed everything is left
    third = swarm.join_sn("sn-5", flags=[*GAP, "--observer"])
    third.wait_log(TAKEN)
    whole(third, [sns[0], second])
    follower = swarm.join_sn("sn-6", flags=["--snapshot-gap", "0", "--observer"])
    one_chain([sns[0], follower])
    assert snapshot(follower)["phase"] == "none"
    assert follower.rpc("eth_getTransactionCount", sns[0].admin("chain")["account"], "0x2") == "0x1"
