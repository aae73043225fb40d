"""An SN's side of a P2P connection, as an attacker writes it: any certificate, any account, as many as it likes."""

import contextlib
import hashlib
import os
import ssl

import rlp
from eth_account import Account
from launcher.keccak import keccak256
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

VERSION = 2
HELLO = 0


def number(value):
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


class P2PClient:
    """A connection to an SN with the certificate behind `context`. `greet` says hello with a fresh account."""

    def __init__(self, sn, certificate, context, headers=None):
        self.sn, self.own = sn, fingerprint(certificate.read_text())
        self.closed = ""
        address = f"wss://127.0.0.1:{sn.p2p_port}/p2p"
        self.connecting = connect(
            address, ssl=context, max_size=None, open_timeout=60, close_timeout=1, additional_headers=headers
        )
        self.link = self.connecting.__enter__()

    def greet(self, genesis, chain_id=21335, version=VERSION):
        key = Account.create()
        peer = hashlib.sha256(self.link.socket.getpeercert(binary_form=True)).digest()
        said = [
            number(version),
            number(chain_id),
            genesis,
            b"",
            genesis,
            bytes.fromhex(key.address[2:]),
        ]
        said += [b"", b"intruder", number(1), os.urandom(7) + b"\x01", number(1)]
        said[9] = said[9].lstrip(b"\0")
        said += [number(2)] if version >= 3 else []  # the rules that it knows
        digest = keccak256(rlp.encode([b"swarm p2p hello", *said, self.own, peer]))
        signed = key.unsafe_sign_hash(digest)
        proof = (
            signed.r.to_bytes(32, "big")
            + signed.s.to_bytes(32, "big")
            + bytes([signed.v - 27])
        )
        with contextlib.suppress(ConnectionClosed):
            self.link.send(bytes([HELLO]) + rlp.encode([*said, proof]))
        return self

    def is_open(self):
        """Reads what came in meanwhile; tells whether the other side has ended the connection, and keeps why."""
        try:
            while True:
                self.link.recv(timeout=0)
        except TimeoutError:
            return True
        except ConnectionClosed as end:
            self.closed = end.rcvd.reason if end.rcvd else ""
            return False

    def wait_closed(self, patience=60):
        """Reads until the other side ends the connection, which is kept in `closed`; True when it does not."""
        try:
            while True:
                self.link.recv(timeout=patience)
        except TimeoutError:
            return True
        except ConnectionClosed as end:
            self.closed = end.rcvd.reason if end.rcvd else ""
            return False

    def end(self):
        with contextlib.suppress(OSError):
            self.link.socket.close()


def fingerprint(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).digest()
