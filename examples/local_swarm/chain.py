"""Reads the record of a training from an SN, as any Ethereum client could: JSON-RPC over mutual TLS."""

import dataclasses
import http.client
import json
import pathlib
import ssl
from typing import Any, List

TRAINING_REGISTRY = "0x0000000000000000000000000000000000005002"
# The first four bytes of keccak256("addressOf(string)")
ADDRESS_OF = "ccf1454a"
# keccak256("MergeCommitted(uint64,uint64,uint32,address,bytes32,uint64,address[],address[],string[])")
MERGE_COMMITTED = "0x6af671ca5a719dab5ad737576c2784cab53fde8099436c71beda6b6e35d96e54"


@dataclasses.dataclass
class Merge:
    """One merge as it is on the chain."""

    round_num: int
    block_num: int
    digest: str  # hex
    size: int  # bytes of the model file
    contributors: int


class Chain:
    """One SN's view of the chain."""

    def __init__(self, port: int, certificates: pathlib.Path, name: str):
        self.port = port
        # swarmd nodes know each other by certificates of their common authority, not by host names.
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.tls.check_hostname = False
        for file in (certificates / "ca" / "capath").iterdir():
            self.tls.load_verify_locations(file)
        self.tls.load_cert_chain(certificates / f"{name}-cert.pem", certificates / f"{name}-key.pem")

    def is_up(self) -> bool:
        try:
            return self._request("GET", "/is_up").strip() == b"OK"
        except (OSError, http.client.HTTPException):
            return False

    def merges(self, contract: str) -> List[Merge]:
        """All merges of a training contract, the newest last."""
        events = self._call(
            "eth_getLogs",
            {
                "address": self._address_of(contract),
                "topics": [MERGE_COMMITTED],
                "fromBlock": "0x0",
                "toBlock": "latest",
            },
        )
        return [_merge(event) for event in events]

    def _address_of(self, contract: str) -> str:
        text = contract.encode()
        words = (32).to_bytes(32, "big") + len(text).to_bytes(32, "big") + text + bytes(-len(text) % 32)
        answer = self._call("eth_call", {"to": TRAINING_REGISTRY, "data": "0x" + ADDRESS_OF + words.hex()}, "latest")
        return "0x" + answer[-40:]

    def _call(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        answer = json.loads(self._request("POST", "/", body))
        if "error" in answer:
            raise OSError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def _request(self, verb: str, path: str, body: str = "") -> bytes:
        link = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.tls, timeout=10)
        try:
            link.request(verb, path, body or None, {"Content-Type": "application/json"} if body else {})
            return link.getresponse().read()
        finally:
            link.close()


def _merge(event: dict) -> Merge:
    data = bytes.fromhex(event["data"][2:])

    def number(at: int) -> int:
        return int.from_bytes(data[at : at + 32], "big")

    contributors_at = number(4 * 32)
    return Merge(
        round_num=int(event["topics"][1], 16),
        block_num=int(event["blockNumber"], 16),
        digest=data[64:96].hex(),
        size=number(96),
        contributors=number(contributors_at),
    )
