"""web3.py and eth-account, unmodified, on a running node; what it shows is checked with eth-hash, rlp and trie."""

import asyncio
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
import requests
import rlp
from eth_account import Account
from eth_utils import keccak
from harness import BIN, DEFAULT_CONTRACT, PATIENCE, ROOT, Swarm, says, shown, until
from outsider import Outsider
from registration import Certificate, registration
from trie import HexaryTrie
from trie.exceptions import BadTrieProof
from web3 import AsyncWeb3, HTTPProvider, Web3, WebSocketProvider
from web3.exceptions import (
    BlockNotFound,
    ContractLogicError,
    MethodUnavailable,
    TransactionNotFound,
    Web3RPCError,
)
from web3.middleware import SignAndSendRawMiddlewareBuilder

CHAIN_ID = 21335
REGISTRY = Web3.to_checksum_address("0x" + "5001".zfill(40))
TRAININGS = Web3.to_checksum_address("0x" + "5002".zfill(40))
SWCI = 4  # kind of node, see INodeRegistry.sol
EMPTY_CODE = keccak(b"")
EMPTY_TRIE = keccak(rlp.encode(b""))
# Slots of the registry, laid out as solc does it (contracts/registry/node_records.hpp).
SLOT_NODES, SLOT_ACCOUNTS, SLOT_RECORDS = 0, 1, 2

MODULES = pathlib.Path(os.environ.get("NODE_PATH", ROOT / "build/npm/node_modules"))


# Connections


class AnyHostName(requests.adapters.HTTPAdapter):
    """The chain of certificates alone is checked, as swarmd itself does without --verify-host."""

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, assert_hostname=False, **kwargs)


class Node:
    """An SN that an SL has joined, as web3.py sees it."""

    def __init__(self, swarm, abis):
        self.swarm, self.certs, self.abis = swarm, swarm.certs, abis
        folder = swarm.certs.folder
        session = requests.Session()
        session.mount("https://", AnyHostName())
        self.w3 = Web3(
            HTTPProvider(
                f"https://127.0.0.1:{swarm.sn.port}/",
                request_kwargs={
                    "verify": str(swarm.certs.capath / "ca-cert.pem"),
                    "cert": (str(folder / "swci-1-cert.pem"), str(folder / "swci-1-key.pem")),
                    "timeout": PATIENCE,
                },
                session=session,
            )
        )
        self.eth = self.w3.eth
        self.registry = self.contract(REGISTRY, "INodeRegistry")
        self.trainings = self.contract(TRAININGS, "ITrainingRegistry")
        self.certificate = Certificate.of(swarm.certs, "swci-1")

    def contract(self, address, interface):
        return self.eth.contract(address=address, abi=self.abis[interface])

    def raw(self, method, *params):
        """The answer to one request, past everything that web3.py does with results."""
        return self.w3.provider.make_request(method, list(params))

    def result(self, method, *params):
        answer = self.raw(method, *params)
        assert "error" not in answer, answer
        return answer["result"]

    def registration(self, account, name, kind=SWCI):
        """A call that registers the account, with the certificate of an SWCI."""
        return self.registry.functions.register(
            *registration(self.result, self.certificate, account.address, kind, name, "")
        )

    def is_member(self, account):
        return self.registry.functions.node(account.address).call()[2]

    def registered(self, name, **more):
        """A new account that has registered and is a member, and the receipt of its registration."""
        account = Account.create()
        fields = {"from": account.address, "nonce": 0, **more}
        signed = account.sign_transaction(self.registration(account, name).build_transaction(fields))
        receipt = self.eth.wait_for_transaction_receipt(self.eth.send_raw_transaction(signed.raw_transaction), PATIENCE)
        assert receipt["status"] == 1
        until(lambda: self.is_member(account), f"{name} to be vouched for")
        return account, receipt

    def last_blocks(self, count=20, full=False):
        head = self.eth.block_number
        return [self.eth.get_block(number, full) for number in range(max(1, head - count), head + 1)]


@pytest.fixture(scope="module")
def abis(tmp_path_factory):
    """The published interfaces, as check_interfaces writes them for users' programs."""
    if shutil.which("node") is None or not (MODULES / "solc").is_dir():
        pytest.skip("needs node and the npm packages ethers and solc in build/npm (./run deps test)")
    folder = tmp_path_factory.mktemp("abi")
    subprocess.run(
        [
            *(ROOT / "tests/contracts/check_interfaces", "--dump", BIN / "dump_contracts"),
            *("--out", folder, "--modules", MODULES),
        ],
        check=True,
        capture_output=True,
        timeout=300,
    )
    return {file.stem: json.loads(file.read_text()) for file in folder.glob("*.json")}


@pytest.fixture(scope="module")
def node(certs, abis):
    folder = tempfile.mkdtemp(prefix="swarmd-test-")
    swarm = Swarm(folder, certs)
    try:
        swarm.start(sls=1)
        swarm.sls[0].wait_ready()
        Outsider(swarm.sn, "swci-1", SWCI)  # an operator's node; others do not read
        yield Node(swarm, abis)
    finally:
        swarm.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


# Encodings, from the yellow paper and the EIPs


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def word(value):
    return value.to_bytes(32, "big")


def header_rlp(block):
    names = (
        *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
        *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce", "baseFeePerGas"),
    )
    return rlp.encode([field(block[name]) for name in names])


def field(value):
    if isinstance(value, str):
        return bytes.fromhex(value[2:])
    return number(value) if isinstance(value, int) else bytes(value)


def txn_raw(txn):
    """A transaction as it was sent: legacy, EIP-2930 or EIP-1559."""
    to = field(txn["to"])
    what = [number(txn["gas"]), to, number(txn["value"]), bytes(txn["input"])]
    signature = [number(int.from_bytes(txn[part], "big")) for part in ("r", "s")]
    if txn["type"] == 0:
        return rlp.encode([number(txn["nonce"]), number(txn["gasPrice"]), *what, number(txn["v"]), *signature])
    fees = ["gasPrice"] if txn["type"] == 1 else ["maxPriorityFeePerGas", "maxFeePerGas"]
    access = [[field(item["address"]), [field(key) for key in item["storageKeys"]]] for item in txn["accessList"]]
    start = [number(txn["chainId"]), number(txn["nonce"]), *(number(txn[fee]) for fee in fees)]
    assert txn["v"] == txn["yParity"]
    return bytes([txn["type"]]) + rlp.encode([*start, *what, access, number(txn["yParity"]), *signature])


def receipt_raw(receipt):
    logs = [
        [field(log["address"]), [bytes(topic) for topic in log["topics"]], bytes(log["data"])]
        for log in receipt["logs"]
    ]
    body = [number(receipt["status"]), number(receipt["cumulativeGasUsed"]), bytes(receipt["logsBloom"]), logs]
    return (bytes([receipt["type"]]) if receipt["type"] else b"") + rlp.encode(body)


def root_of(items):
    tree = HexaryTrie({})
    for index, item in enumerate(items):
        tree[rlp.encode(number(index))] = item
    return tree.root_hash


def shown_by(proof, root, key):
    """What a proof shows at a key of a trie whose keys are hashed; empty when there is nothing."""
    return HexaryTrie.get_from_proof(bytes(root), keccak(key), [rlp.decode(bytes(one)) for one in proof])


def check_proof(proof, state_root):
    """That all that an answer to eth_getProof says is so below the root; the values of its slots."""
    raw = shown_by(proof["accountProof"], state_root, field(proof["address"]))
    item = [number(proof["nonce"]), number(proof["balance"]), bytes(proof["storageHash"]), bytes(proof["codeHash"])]
    if raw:
        assert rlp.decode(raw) == item
    else:
        assert item == [b"", b"", EMPTY_TRIE, EMPTY_CODE]
    values = []
    for slot in proof["storageProof"]:
        key = word(int.from_bytes(bytes(slot["key"]), "big"))
        stored = shown_by(slot["proof"], proof["storageHash"], key)
        value = int.from_bytes(rlp.decode(stored), "big") if stored else 0
        assert int.from_bytes(bytes(slot["value"]), "big") == value
        values.append(value)
    return values


# Tests


def test_blocks_link_and_hash(node):
    assert node.w3.is_connected()
    assert node.eth.chain_id == CHAIN_ID and node.w3.net.version == str(CHAIN_ID)
    assert node.eth.syncing is False and node.eth.accounts == []
    parent = node.eth.get_block("earliest")
    assert parent["number"] == 0
    head = node.eth.block_number
    for num in range(1, min(head, 20) + 1):
        block = node.eth.get_block(num)
        assert block["parentHash"] == parent["hash"]
        assert keccak(header_rlp(block)) == block["hash"]
        assert block["timestamp"] >= parent["timestamp"] and len(block["extraData"]) <= 32
        assert node.eth.get_block(block["hash"]) == block
        assert node.eth.get_block_transaction_count(num) == len(block["transactions"])
        assert node.result("eth_getUncleCountByBlockHash", "0x" + bytes(block["hash"]).hex()) == "0x0"
        parent = block
    for tag in ("latest", "safe", "finalized", "pending"):
        assert node.eth.get_block(tag)["number"] >= head
    for absent in (head + 10_000, keccak(b"no block")):
        with pytest.raises(BlockNotFound):
            node.eth.get_block(absent)


def test_transactions_and_receipts_are_those_of_the_roots(node):
    node.registered("roots")
    seen = 0
    for block in node.last_blocks(full=True):
        raws, receipts = [], node.eth.get_block_receipts(block["number"])
        for txn, receipt in zip(block["transactions"], receipts, strict=True):
            raw = txn_raw(txn)
            assert keccak(raw) == txn["hash"] == receipt["transactionHash"]
            assert Account.recover_transaction(raw) == txn["from"] == receipt["from"]
            assert node.eth.get_transaction(txn["hash"]) == txn
            assert node.eth.get_transaction_receipt(txn["hash"]) == receipt
            assert node.eth.get_transaction_by_block(block["hash"], txn["transactionIndex"]) == txn
            assert receipt["gasUsed"] <= txn["gas"]
            raws.append(raw)
        seen += len(raws)
        assert root_of(raws) == block["transactionsRoot"]
        assert root_of([receipt_raw(one) for one in receipts]) == block["receiptsRoot"]
        assert node.eth.get_block_receipts(block["hash"]) == receipts
        logs = [log for one in receipts for log in one["logs"]]
        assert [log["logIndex"] for log in logs] == list(range(len(logs)))
        assert node.eth.get_logs({"blockHash": block["hash"]}) == logs
    assert seen > 0
    for ask in (node.eth.get_transaction, node.eth.get_transaction_receipt):
        with pytest.raises(TransactionNotFound):
            ask(keccak(b"no transaction"))


def test_events_and_calls_decode_with_the_published_interfaces(node):
    account, receipt = node.registered("decoded")
    registered = node.registry.events.NodeRegistered
    (event,) = registered().process_receipt(receipt)
    assert event["args"]["account"] == account.address and event["args"]["name"] == "decoded"
    assert registered().get_logs(from_block=0, argument_filters={"account": account.address}) == [event]
    assert event in registered().get_logs(from_block=0)
    (admitted,) = node.registry.events.NodeAdmitted().get_logs(
        from_block=0, argument_filters={"account": account.address}
    )
    assert admitted["blockNumber"] > event["blockNumber"]

    shown = node.registry.functions.node(account.address).call()
    assert shown[0] == account.address and shown[1] == SWCI and shown[6] == node.certificate.identity
    assert shown in node.registry.functions.nodes(0, 100).call()
    where = node.trainings.functions.addressOf(DEFAULT_CONTRACT).call()
    training = node.contract(where, "ITraining")
    assert len(node.eth.get_code(where)) > 0
    assert training.functions.name().call() == DEFAULT_CONTRACT
    assert training.functions.peerCount().call() == len(training.functions.peers(0, 100).call())


def test_state_of_old_blocks(node):
    account, receipt = node.registered("old state")
    assert node.eth.get_transaction_count(account.address, receipt["blockNumber"] - 1) == 0
    assert node.eth.get_transaction_count(account.address, receipt["blockNumber"]) == 1
    (admitted,) = node.registry.events.NodeAdmitted().get_logs(
        from_block=0, argument_filters={"account": account.address}
    )
    block = node.eth.get_block(admitted["blockNumber"])
    count = node.registry.functions.nodeCount()
    before, after = (count.call(block_identifier=num) for num in (block["number"] - 1, block["number"]))
    assert after == before + 1
    assert count.call(block_identifier=block["hash"]) == after
    call = {"to": REGISTRY, "data": count._encode_transaction_data()}
    block_hash, parent_hash = ("0x" + bytes(block[name]).hex() for name in ("hash", "parentHash"))
    for which, wanted in (
        ({"blockHash": block_hash}, after),
        ({"blockHash": parent_hash, "requireCanonical": True}, before),
        ({"blockNumber": hex(block["number"])}, after),
    ):
        assert int(node.result("eth_call", call, which), 16) == wanted
    both = {"blockHash": block_hash, "blockNumber": "0x1"}
    assert node.raw("eth_call", call, both)["error"]["code"] == -32602
    assert says(node.raw("eth_call", call, {"blockHash": "0x" + "77" * 32})["error"]["message"], "unknown block")


@pytest.mark.parametrize(
    "kind",
    [
        {"gasPrice": 0},
        {"type": 1, "gasPrice": 0, "accessList": [{"address": REGISTRY, "storageKeys": ["0x" + "00" * 32]}]},
        {"maxFeePerGas": 10**9, "maxPriorityFeePerGas": 0},
        {},
    ],
    ids=["legacy", "EIP-2930", "EIP-1559", "defaults"],
)
def test_transactions_of_every_type_are_taken(node, kind):
    account = Account.create()
    name = f"type {kind}"[:40]
    fields = node.registration(account, name).build_transaction({"from": account.address, "nonce": 0, **kind})
    signed = account.sign_transaction(fields)
    sent = node.eth.send_raw_transaction(signed.raw_transaction)
    assert sent == signed.hash
    receipt = node.eth.wait_for_transaction_receipt(sent, PATIENCE)
    txn = node.eth.get_transaction(sent)
    assert receipt["status"] == 1 and receipt["contractAddress"] is None
    assert txn["type"] == receipt["type"] == (2 if not kind else kind.get("type", 0 if "gasPrice" in kind else 2))
    assert txn_raw(txn) == bytes(signed.raw_transaction)
    assert node.eth.get_transaction_count(account.address, "pending") == 1


def test_an_account_that_web3_signs_for(node):
    account = Account.create()
    node.w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0, name="signer")
    try:
        for name in ("first", "second"):
            sent = node.registration(account, name).transact({"from": account.address})
            assert node.eth.wait_for_transaction_receipt(sent, PATIENCE)["status"] == 1
    finally:
        node.w3.middleware_onion.remove("signer")
    assert node.registry.functions.node(account.address).call()[10] == "second"


def test_reverts_say_why(node):
    account, _ = node.registered("refused")
    refused = node.registration(account, "refused", kind=9)
    for attempt in (refused.call, refused.estimate_gas, lambda fields: refused.build_transaction(fields)):
        with pytest.raises(ContractLogicError, match=shown("execution reverted: ") + ".+"):
            attempt({"from": account.address})
    fields = refused.build_transaction({"from": account.address, "nonce": 1, "gas": 200_000})
    sent = node.eth.send_raw_transaction(account.sign_transaction(fields).raw_transaction)
    receipt = node.eth.wait_for_transaction_receipt(sent, PATIENCE)
    assert receipt["status"] == 0 and receipt["logs"] == []


def test_refusals_have_the_usual_words(node):
    account, _ = node.registered("refusals")
    again = {"to": REGISTRY, "value": 0, "gas": 100_000, "gasPrice": 0, "nonce": 0, "chainId": CHAIN_ID}
    for change, words, reason in (
        ({}, "nonce too low", "nonce_too_low"),
        ({"nonce": 1, "chainId": 1}, "chain", "wrong_chain"),
        ({"nonce": 1, "gas": 1000}, "intrinsic gas too low", "gas_below_intrinsic"),
        ({"nonce": 1, "value": 10**18}, "insufficient funds", "insufficient_funds"),
    ):
        signed = account.sign_transaction({**again, **change})
        with pytest.raises(Web3RPCError, match=shown(words)):
            node.eth.send_raw_transaction(signed.raw_transaction)
        error = node.raw("eth_sendRawTransaction", "0x" + bytes(signed.raw_transaction).hex())["error"]
        assert error["data"] == {"reason": reason}
    with pytest.raises(Web3RPCError, match=shown("insufficient funds")):  # and no ContractLogicError, as a revert is
        node.eth.call({"to": REGISTRY, "value": 1})
    with pytest.raises(Web3RPCError, match=shown("invalid block range")):
        node.eth.get_logs({"fromBlock": 5, "toBlock": 1})
    with pytest.raises(MethodUnavailable, match=shown("does not exist")):
        node.w3.manager.request_blocking("eth_mining", [])
    assert node.raw("eth_call")["error"]["code"] == -32602


def test_proofs_of_accounts_and_slots(node):
    account, receipt = node.registered("proven")
    block = node.eth.get_block("latest")
    record = int.from_bytes(keccak(word(int(account.address, 16)) + word(SLOT_RECORDS)), "big")
    first = int.from_bytes(keccak(word(SLOT_ACCOUNTS)), "big")
    slots = [SLOT_NODES, first, record, record + 1, 12345]
    proof = node.eth.get_proof(REGISTRY, slots, block["number"])
    count, zeroth, status, identity, nothing = check_proof(proof, block["stateRoot"])
    assert count == node.registry.functions.nodeCount().call(block_identifier=block["number"])
    assert zeroth == int(node.registry.functions.nodes(0, 1).call()[0][0], 16)
    assert status != 0 and nothing == 0
    assert word(identity) == node.certificate.identity
    for slot, value in zip(slots, (count, zeroth, status, identity, nothing), strict=True):
        assert int.from_bytes(node.eth.get_storage_at(REGISTRY, slot, block["number"]), "big") == value
    assert keccak(node.eth.get_code(REGISTRY)) == proof["codeHash"]

    own = node.eth.get_proof(account.address, [0], block["number"])
    assert own["nonce"] == 1 and check_proof(own, block["stateRoot"]) == [0]
    before = node.eth.get_block(receipt["blockNumber"] - 1)
    absent = node.eth.get_proof(account.address, [], before["number"])
    assert absent["nonce"] == 0 and check_proof(absent, before["stateRoot"]) == []
    with pytest.raises(BadTrieProof):
        check_proof(own, before["stateRoot"])
    with pytest.raises(AssertionError):
        check_proof({**own, "nonce": 2}, block["stateRoot"])


def test_filters_tell_what_is_new(node):
    registered = node.registry.events.NodeRegistered
    blocks, events = node.eth.filter("latest"), registered.create_filter(from_block="latest")
    assert events.get_new_entries() == []
    receipts = [node.registered(name)[1] for name in ("filter 1", "filter 2")]
    entries, hashes = [], []

    def all_told():
        entries.extend(events.get_new_entries())
        hashes.extend(blocks.get_new_entries())
        return len(entries) >= 2 and receipts[1]["blockHash"] in hashes

    until(all_told, "both filters to tell of two registrations")
    assert [entry["args"]["name"] for entry in entries] == ["filter 1", "filter 2"]
    assert {receipt["blockHash"] for receipt in receipts} <= set(hashes)
    assert len(hashes) == len(set(hashes)) and events.get_new_entries() == []
    everything = registered.create_filter(from_block=0)
    assert everything.get_all_entries() == registered().get_logs(from_block=0)
    for one in (blocks, events, everything):
        assert node.eth.uninstall_filter(one.filter_id)
        with pytest.raises(Web3RPCError, match=shown("filter not found")):
            one.get_new_entries()


def test_subscriptions_tell_of_heads_and_logs(node):
    account = Account.create()
    fields = {"from": account.address, "nonce": 0, "gasPrice": 0}
    signed = account.sign_transaction(node.registration(account, "subscribed").build_transaction(fields))
    url = f"wss://127.0.0.1:{node.swarm.sn.port}/"

    async def watch():
        provider = WebSocketProvider(url, websocket_kwargs={"ssl": node.certs.context("swci-1")})
        async with AsyncWeb3(provider) as w3:
            heads = await w3.eth.subscribe("newHeads")
            logs = await w3.eth.subscribe("logs", {"address": REGISTRY})
            sent = await w3.eth.send_raw_transaction(signed.raw_transaction)
            told, log = {}, None
            async for message in w3.socket.process_subscriptions():
                result = message["result"]
                if message["subscription"] == heads:
                    told[result["hash"]] = result
                elif result["transactionHash"] == sent:
                    log = result
                if log and log["blockHash"] in told:
                    break
            assert await w3.eth.unsubscribe(heads) and await w3.eth.unsubscribe(logs)
            return told[log["blockHash"]], log, await w3.eth.get_block(log["blockHash"])

    head, log, block = asyncio.run(asyncio.wait_for(watch(), PATIENCE))
    assert keccak(header_rlp(head)) == head["hash"] == block["hash"]
    assert {**block, **head} == dict(block)  # a head is a block without its transactions
    event = node.registry.events.NodeRegistered().process_log(log)
    assert event["args"]["account"] == account.address and event["args"]["name"] == "subscribed"


def test_a_batch_is_answered_in_one(node):
    head = node.eth.block_number
    with node.w3.batch_requests() as batch:
        for num in range(head + 1):
            batch.add(node.eth.get_block(num))
        batch.add(node.registry.functions.getValidators())
        *blocks, validators = batch.execute()
    assert [block["number"] for block in blocks] == list(range(head + 1))
    assert validators == node.registry.functions.getValidators().call() and len(validators) == 1
