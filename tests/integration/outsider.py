"""A client of one's own, with a certificate of its own, that says to nodes whatever a test wants."""

import contextlib
import hashlib
import http.client
import json
import ssl
import time

import eth_abi
from eth_account import Account
from launcher.chain import DEFAULT_CONTRACT, NODE_REGISTRY
from launcher.keccak import keccak256
from launcher.processes import until
from registration import REGISTER, Certificate, Node, encoded, registration

SL, SWOP, SWCI = 2, 3, 4
SEED = b"seed".ljust(32)


def training(name=DEFAULT_CONTRACT):
    return "0x" + keccak256("swarmd/training/" + name)[-20:].hex()


class Outsider:
    """An account with a certificate, and a member if it says what it is."""

    def __init__(self, sn, name, kind=None, endpoint="127.0.0.1:1", contract=DEFAULT_CONTRACT):
        self.endpoint, self.contract = endpoint, contract
        self.sn, self.certs, self.name = sn, sn.certs, name
        self.key, self.nonce = Account.create(), 0
        self.account = self.key.address.lower()
        pem = (self.certs.folder / f"{name}-cert.pem").read_text()
        self.fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()
        if kind:
            self.register(kind)

    def register(self, kind):
        values = registration(
            self.rpc, Certificate.of(self.certs, self.name), self.account, kind, f"outsider-{self.account[2:8]}",
            self.endpoint,
        )  # fmt: skip
        self.call(NODE_REGISTRY, REGISTER, values)
        until(lambda: Node(self.rpc, self.account).active, f"{self.name} to be vouched for")

    def call(self, to, signature, values=()):
        """One call of a contract by transaction; fails when it is reverted."""
        return self.call_as_it_is(to, encoded(signature, values), signature)

    def call_as_it_is(self, to, data, signature=""):
        fields = {"to": bytes.fromhex(to[2:]), "data": data, "value": 0, "gas": 5_000_000}
        signed = self.key.sign_transaction({**fields, "gasPrice": 0, "chainId": 21335, "nonce": self.nonce})
        self.nonce += 1
        receipt = self.rpc("eth_sendRawTransactionSync", signed.raw_transaction.to_0x_hex())
        assert int(receipt["status"], 16) == 1, (signature, receipt)
        return receipt

    def rpc(self, method, *params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        link = http.client.HTTPSConnection(
            self.sn.host, self.sn.port, context=self.certs.context(self.name), timeout=60
        )
        try:
            link.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(link.getresponse().read())
        finally:
            link.close()
        assert "result" in answer, (method, answer)
        return answer["result"]

    def ask(self, sl, digest, part="", account=None, block_num=None, patience=20):
        """Status of a request for a model of this SL; as often as it says "later"."""
        seen = self.sn.block_num() if block_num is None else block_num
        for _ in range(patience + 1):
            status, _ = sl.ask_files(digest, part, account or self.account, self.name, seen)
            if status != 503:
                break
            time.sleep(0.3)  # who was refused often is made to wait a little
        return status

    # As a peer of its training

    def join(self, min_peers, can_lead, method="mean"):
        values = (min_peers, method, 1, 1, 0, can_lead)
        self.call(training(self.contract), "registerPeer(uint32,string,uint32,uint8,uint32,bool)", values)

    def check_in(self, digest, size, layout, round_num=1):
        """Commits to this digest; `reveal` opens it."""
        words = (self.account, 1, round_num, digest, b"salt".ljust(32), keccak256(SEED))
        kinds = ["address", "uint64", "uint64", "bytes32", "bytes32", "bytes32"]
        self.check_in_as_it_is(keccak256(eth_abi.encode(kinds, words)), size, layout, round_num)

    def check_in_as_it_is(self, commitment, size, layout, round_num=1):
        values = (1, round_num, commitment, size, layout, 1, round_num - 1, False)
        self.call(training(self.contract), "checkIn(uint64,uint64,bytes32,uint64,bytes32,uint32,uint64,bool)", values)

    def reveal(self, digest, round_num=1):
        values = (1, round_num, digest, b"salt".ljust(32), keccak256(SEED))
        self.call(training(self.contract), "reveal(uint64,uint64,bytes32,bytes32,bytes32)", values)

    def propose(self, digest, size, contributors, excluded=(), reasons=(), round_num=1, term=0):
        values = (1, round_num, term, digest, size, sorted(contributors), list(excluded), list(reasons))
        kinds = "uint64,uint64,uint32,bytes32,uint64,address[],address[],uint8[]"
        self.call(training(self.contract), f"commitMerge({kinds})", values)

    def open_seed(self, round_num=1, term=0):
        self.call(training(self.contract), "revealSeed(uint64,uint64,uint32,bytes32)", (1, round_num, term, SEED))

    def attest(self, round_num=1, term=0, attempt=1):
        self.call(training(self.contract), "attest(uint64,uint64,uint32,uint32)", (1, round_num, term, attempt))

    def challenge(self, chunk, round_num=1, term=0, attempt=1):
        kinds = "uint64,uint64,uint32,uint32,uint8,uint64"
        self.call(training(self.contract), f"challenge({kinds})", (1, round_num, term, attempt, 0, chunk))

    def leave(self):
        """Unless the others have put it out, as it gives no sign of life."""
        with contextlib.suppress(AssertionError):
            self.call(training(self.contract), "leavePeer(uint8)", (0,))


def check_ins(sn, contract=DEFAULT_CONTRACT):
    """Commitment and size of each peer's model, by account; of the newest round."""
    out = {}
    for log in sn.events("check_ins", contract):
        data = bytes.fromhex(log["data"][2:])
        out["0x" + log["topics"][1][-40:]] = (data[32:64].hex(), int.from_bytes(data[64:96], "big"))
    return out


def reveals(sn):
    """Digest of each peer's model in the default training, by account; of the newest round."""
    return {"0x" + log["topics"][1][-40:]: bytes.fromhex(log["data"][2:])[32:64].hex() for log in sn.events("reveals")}


HEAD = (
    "(uint64,uint64,uint8,uint32,address,uint32,string,bytes32,uint32,uint32,uint32,uint64,bytes32,uint64,address,"
    "uint32,uint64,uint8)"
)


class Head:
    """What a training says of itself."""

    def __init__(self, sn, contract=DEFAULT_CONTRACT):
        raw = sn.rpc("eth_call", {"to": training(contract), "data": encoded("head()", ())}, "latest")
        (head,) = eth_abi.decode([HEAD], bytes.fromhex(raw[2:]))
        self.round_num, self.phase, self.term, self.leader = head[1:5]
        self.layout = head[7]
        self.is_merging, self.is_revealing, self.is_stopped = self.phase == 1, self.phase == 3, self.phase == 6
        self.is_checked = self.phase == 4
