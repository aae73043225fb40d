"""An SN that is none: it stands between a node and a real SN, and says whatever a test wants."""

import json
import ssl
import threading

import rlp
from harness import free_port
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import serve

TLS = {"max_size": 16 << 20, "compression": None}


class LyingSN:
    """Passes JSON-RPC on. To nodes it shows the SN's certificate, unless told of another one, to the SN that of the
    node, as one registers with its own only. `lie(method, answer)` may change an answer, a dict; a method of "" stands
    for a notification; None keeps the message back."""

    def __init__(self, sn, name="sn-1", node="sl-1"):
        self.sn, self.node, self.port = sn, node, free_port()
        self.lie = lambda method, answer: answer
        self.met = 0  # connections
        self.server = serve(
            self.meet, "127.0.0.1", self.port, ssl=sn.certs.context(name, ssl.PROTOCOL_TLS_SERVER), **TLS
        )
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    def meet(self, node):
        self.met += 1
        asked = {}
        with connect(f"wss://127.0.0.1:{self.sn.port}", ssl=self.sn.certs.context(self.node), **TLS) as real:
            back = threading.Thread(target=self.answer, args=(real, node, asked), daemon=True)
            back.start()
            try:
                for text in node:
                    for each in json.loads(text):
                        asked[each["id"]] = each["method"]
                    real.send(text)
            except ConnectionClosed:
                pass
        back.join()

    def answer(self, real, node, asked):
        try:
            for text in real:
                message = json.loads(text)
                batch = message if isinstance(message, list) else [message]
                told = [self.lie(asked.pop(each.get("id"), ""), each) for each in batch]
                told = [each for each in told if each is not None]
                if told:
                    node.send(json.dumps(told if isinstance(message, list) else told[0]))
        except ConnectionClosed:
            pass
        node.close()

    def clean_up(self):
        self.server.shutdown()
        self.thread.join()


def forged(method, answer):
    """A trie node of a proof has another byte."""
    if method == "swarm_provedCall" and "result" in answer:
        raw = bytearray.fromhex(answer["result"][2:])
        raw[-1] ^= 1
        answer["result"] = "0x" + raw.hex()
    return answer


def withheld(method, answer):
    """As if nothing had changed since the proof before: no node is shown."""
    if method == "swarm_provedCall" and "result" in answer:
        header, seals, _nodes = rlp.decode(bytes.fromhex(answer["result"][2:]))
        answer["result"] = "0x" + rlp.encode([header, seals, []]).hex()
    return answer


class Stale:
    """The first proof counts for ever: an old head."""

    def __init__(self):
        self.kept = None

    def __call__(self, method, answer):
        if method == "swarm_provedCall" and "result" in answer:
            self.kept = self.kept or answer["result"]
            answer["result"] = self.kept
        return answer


def silent(method, answer):
    """Events are kept back."""
    return None if method == "" and "method" in answer else answer


def reluctant(method, answer):
    """Says nothing of what other validators see."""
    if method == "swarm_validatorSigns":
        answer["result"] = []
    return answer
