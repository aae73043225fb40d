"""What a node says when it registers, with the proof by its certificate (transport/identity/registration_proof)."""

import hashlib
import pathlib
import ssl
import subprocess

import eth_abi
from launcher.chain import NODE_REGISTRY
from launcher.keccak import keccak256

ORGANISATIONS = "0x0000000000000000000000000000000000005005"
NOBODY = "0x" + "0" * 40
REGISTER = "register(uint8,uint16,bytes32,uint64,uint64,address,string,string,bytes)"
NODE = "(address,uint8,bool,bool,uint64,uint16,bytes32,uint64,uint64,address,string,string)"
TAG = b"swarmd registers a node, version 1\n"


def encoded(signature, values=()):
    types = signature[signature.index("(") + 1 : -1].split(",") if values else []
    return "0x" + keccak256(signature)[:4].hex() + eth_abi.encode(types, values).hex()


def asked(rpc, to, signature, values, answer):
    raw = rpc("eth_call", {"to": to, "data": encoded(signature, values)}, "latest")
    return eth_abi.decode([answer], bytes.fromhex(raw[2:]))[0]


class Node:
    """What the NodeRegistry says of an account."""

    def __init__(self, rpc, account):
        fields = asked(rpc, NODE_REGISTRY, "node(address)", [account], NODE)
        self.type, self.active, self.pending, self.since_block, self.organisation = fields[1:6]
        self.identity, self.expiry, self.sequence = fields[6:9]
        self.parent, self.name, self.endpoint = fields[9:]


class Certificate:
    """A certificate with its key, and the CA that has signed it."""

    def __init__(self, cert, key, authority):
        self.file, self.key = pathlib.Path(cert), pathlib.Path(key)
        self.chain = [ssl.PEM_cert_to_DER_cert(self.file.read_text())]
        self.anchor = fingerprint_of(authority)
        self.identity = hashlib.sha256(self.chain[0]).digest()
        end = openssl("x509", "-in", self.file, "-noout", "-enddate").decode().strip()
        self.expiry = ssl.cert_time_to_seconds(end.removeprefix("notAfter="))

    @classmethod
    def of(cls, certs, name):
        """One that gen-cert has made."""
        folder = certs.folder
        return cls(folder / f"{name}-cert.pem", folder / f"{name}-key.pem", certs.capath / "ca-cert.pem")

    def sign(self, message):
        """With RSA-PSS or ECDSA, by the kind of the key."""
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
        kind = openssl("pkey", "-in", self.key, "-noout", "-text")
        return openssl(
            "dgst", "-sha256", *(pss if b"modulus" in kind else ()), "-sign", self.key, "-binary", words=message
        )


def openssl(*command, words=None):
    return subprocess.run(["openssl", *map(str, command)], input=words, check=True, capture_output=True).stdout


def fingerprint_of(pem):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pathlib.Path(pem).read_text())).digest()


def prove(certificate, chain_id, genesis, account, organisation, role, sequence, identity=None):
    """The proof; `identity` lies about the certificate."""
    message = TAG + chain_id.to_bytes(8, "big") + bytes.fromhex(genesis[2:]) + bytes.fromhex(account[2:])
    message += organisation.to_bytes(2, "big") + bytes([role]) + (identity or certificate.identity)
    message += certificate.expiry.to_bytes(8, "big") + sequence.to_bytes(8, "big")
    sized = lambda part: len(part).to_bytes(2, "big") + part  # noqa: E731
    parts = [*certificate.chain, certificate.sign(message)]
    return bytes([1, len(certificate.chain)]) + b"".join(map(sized, parts))


def registration(rpc, certificate, account, role, name="x", endpoint="127.0.0.1:1", **lies):
    """The arguments of `register`. `rpc` asks an SN; `lies` stand in place of what is true."""
    account = account.lower()
    organisation = lies.pop("organisation", None)
    if organisation is None:
        organisation = asked(rpc, ORGANISATIONS, "anchorOwner(bytes32)", [certificate.anchor], "uint16")
    sequence = lies.pop("sequence", None) or Node(rpc, account).sequence + 1
    genesis = rpc("eth_getBlockByNumber", "0x0", False)["hash"]
    chain_id = int(rpc("eth_chainId"), 16)
    identity = lies.pop("identity", None) or certificate.identity
    proof = lies.pop("proof", None)
    if proof is None:
        proof = prove(certificate, chain_id, genesis, account, organisation, role, sequence, identity)
    assert not lies, lies
    return (role, organisation, identity, certificate.expiry, sequence, NOBODY, name, endpoint, proof)
