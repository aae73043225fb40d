"""The record of trainings, as any Ethereum client can read it from an SN: JSON-RPC over mutual TLS."""

import http.client
import json

from .keccak import keccak256
from .processes import Failure

DEFAULT_CONTRACT = "defaultbb.cqdb.sml.hpe"
NODE_REGISTRY = "0x0000000000000000000000000000000000005001"
EVENTS = {
    "merges": "MergeCommitted(uint64,uint64,uint32,address,bytes32,uint64,address[],address[],uint8[],uint32)",
    "accepted": "MergeAccepted(uint64,uint64,uint32,address,bytes32,address[])",
    "barred": "Barred(address,uint64,uint64,uint8,uint64)",
    "completed": "TrainingComplete(uint64,uint64,bytes32)",
    "absences": "PeerAbsent(address,uint64,uint64)",
    "registrations": "PeerRegistered(address,uint64,uint32,string,uint32)",
    "measured": "ModelsMeasured(uint64,uint64,uint32,bytes32[])",
    "departures": "PeerLeft(address,uint64,uint8)",
    "accusations": "PeerAccused(address,uint64,address)",
    "leader_changes": "LeaderChanged(uint64,uint64,uint32,address)",
    "check_ins": "CheckedIn(address,uint64,uint64,bytes32,uint64,uint32,uint64,bool)",
    "reveals": "Revealed(address,uint64,uint64,bytes32,uint64,uint32,uint64,bytes32)",
    "withheld": "Withheld(address,uint64,uint64,uint64)",
    "closed": "RoundClosed(uint64,uint64,address,uint32,uint32)",
    "losses": "LossReported(address,uint64,uint64,int64,int64,uint32,uint32)",
}
# What the codes of the contract are called; contracts/interfaces/ITraining.sol has them.
EXCLUDED = ("not available", "other parameters", "not finite")
BARRED = ("withheld seed", "false merge", "false challenge", "silent")
LEFT = (
    "program gone",
    "program failed",
    "program ended",
    "node stopped",
    "node restarted",
    "other parameters",
    "model not usable",
    "nothing to merge",
    "final model lost",
    "no final model",
    "disk failed",
    "other merge method",
    "other minPeers",
    "bad request",
    "not heard",
)


class Merge:
    """One MergeCommitted event."""

    def __init__(self, log):
        data = bytes.fromhex(log["data"][2:])
        self.round_num = int(log["topics"][1], 16)
        self.leader = "0x" + log["topics"][2][-40:]
        self.block_num = int(log["blockNumber"], 16)
        self.generation, self.term = _word(data, 0), _word(data, 1)
        self.digest = data[64:96].hex()
        self.size = _word(data, 3)  # bytes of the model file
        self.contributors = _array(data, 4, _address)
        self.excluded = _array(data, 5, _address)
        self.reasons = [EXCLUDED[code] for code in _array(data, 6, _word)]
        self.shards = _word(data, 7)  # of which it was put together; 0: the leader has made it


def _round_of(log):
    """Generation, round and term of a proposal, or of its acceptance."""
    data = bytes.fromhex(log["data"][2:])
    return _word(data, 0), int(log["topics"][1], 16), _word(data, 1)


def _word(data, index):
    return int.from_bytes(data[32 * index : 32 * index + 32], "big")


def _address(data, index):
    return "0x" + data[32 * index + 12 : 32 * index + 32].hex()


def _array(data, index, item):
    at = _word(data, index)
    count = int.from_bytes(data[at : at + 32], "big")
    return [item(data[at + 32 :], i) for i in range(count)]


class Chain:
    """The chain as the SN at this port of the loopback interface shows it to members. `reader`: whose certificate is
    presented."""

    reader = None

    def __init__(self, port, certs, host="127.0.0.1", reader=None):
        self.port, self.certs, self.host, self.reader = port, certs, host, reader

    def context(self):
        return self.certs.context(self.reader) if self.reader else self.certs.context()

    def is_up(self):
        try:
            return self._request("GET", "/is_up").strip() == b"OK"
        except (OSError, http.client.HTTPException):
            return False

    def rpc(self, method, *params):
        """The result of one JSON-RPC call over a connection of its own."""
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})
        answer = json.loads(self._request("POST", "/", body))
        if "error" in answer:
            raise Failure(f"{method}: {answer}")
        return answer["result"]

    def block_num(self):
        return int(self.rpc("eth_blockNumber"), 16)

    def head(self):
        """Number, hash and state root of the newest block."""
        block = self.rpc("eth_getBlockByNumber", "latest", False)
        return int(block["number"], 16), block["hash"], block["stateRoot"]

    def validators(self):
        """By the registry at the head."""
        answer = self.rpc(
            "eth_call", {"to": NODE_REGISTRY, "data": "0x" + keccak256("getValidators()").hex()[:8]}, "latest"
        )
        return _array(bytes.fromhex(answer[2:]), 0, _address)

    def events(self, kind, contract=DEFAULT_CONTRACT):
        address = "0x" + keccak256("swarmd/training/" + contract)[-20:].hex()
        topic = "0x" + keccak256(EVENTS[kind]).hex()
        return self.rpc("eth_getLogs", {"address": address, "topics": [topic], "fromBlock": "0x0", "toBlock": "latest"})

    def merges(self, contract=DEFAULT_CONTRACT):
        """All merges of a training contract, the newest last: proposals that were accepted."""
        accepted = {_round_of(log) for log in self.events("accepted", contract)}
        return [Merge(log) for log in self.events("merges", contract) if _round_of(log) in accepted]

    def barred(self, contract=DEFAULT_CONTRACT):
        """(account, why) of every peer that was barred."""
        logs = self.events("barred", contract)
        return [("0x" + log["topics"][1][-40:], BARRED[_word(bytes.fromhex(log["data"][2:]), 1)]) for log in logs]

    def departures(self, contract=DEFAULT_CONTRACT):
        """(account, why) of every peer that has left."""
        left = self.events("departures", contract)
        return [("0x" + log["topics"][1][-40:], LEFT[_word(bytes.fromhex(log["data"][2:]), 1)]) for log in left]

    def completed(self, contract=DEFAULT_CONTRACT):
        return bool(self.events("completed", contract))

    def _request(self, verb, path, body=None):
        link = http.client.HTTPSConnection(self.host, self.port, context=self.context(), timeout=30)
        try:
            link.request(verb, path, body, {"Content-Type": "application/json"} if body else {})
            return link.getresponse().read()
        finally:
            link.close()
