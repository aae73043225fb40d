"""A SPIFFE agent for tests: the Workload API on Unix sockets, as SPIRE's agent serves it, with authorities of its own.

A `TrustDomain` makes SVIDs and has a bundle. An `Agent` serves one SPIFFE ID at one socket, or refuses to; it rotates
by itself every few seconds if it is told so. `Agents` are as many as a swarm's roles, in the place of launcher.Certs.
"""

import concurrent.futures
import datetime
import pathlib
import ssl
import threading

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM
HOUR = 3600
USAGES = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
USES = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])


def field(number, data):
    """A field of a protobuf message that has a length."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def pkcs8(key, encoding=DER):
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


class TrustDomain:
    """An authority: SPIRE's server."""

    def __init__(self, name):
        self.name, self.id = name, f"spiffe://{name}"
        self.key = ec.generate_private_key(ec.SECP256R1())
        usage = ("key_cert_sign", "crl_sign")
        self.certificate = self._sign(self.key, f"SPIRE of {name}", [self.id], HOUR, True, usage)

    def _sign(self, key, subject, uris, seconds, authority, usage):
        now = datetime.datetime.now(datetime.timezone.utc)
        named = lambda text: x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, text)])  # noqa: E731
        made = (
            x509.CertificateBuilder(named(f"SPIRE of {self.name}"), named(subject), key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(minutes=5))
            .not_valid_after(now + datetime.timedelta(seconds=seconds))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**{name: name in usage for name in USAGES}), critical=True)
        )
        if uris:
            names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri) for uri in uris])
            made = made.add_extension(names, critical=False)
        if not authority:
            made = made.add_extension(USES, critical=False)
        return made.sign(self.key, hashes.SHA256())

    def svid(self, path, seconds=HOUR, uris=None, authority=False, usage=("digital_signature",)):
        """A certificate and its key; `uris`, `authority` and `usage` make a wrong one."""
        key = ec.generate_private_key(ec.SECP256R1())
        uris = [self.id + path] if uris is None else uris
        return self._sign(key, "SPIRE", uris, seconds, authority, usage), key

    def bundle(self):
        return self.certificate.public_bytes(DER)

    def context(self, path, side=ssl.PROTOCOL_TLS_CLIENT, folder=None, **faults):
        """Of a program that has such an SVID, and takes those of this domain."""
        certificate, key = self.svid(path, **faults)
        file = pathlib.Path(folder) / f"{threading.get_ident()}.pem"
        file.write_bytes(pkcs8(key, PEM) + certificate.public_bytes(PEM))
        context = ssl.SSLContext(side)
        context.check_hostname = False
        context.load_verify_locations(cadata=self.certificate.public_bytes(PEM).decode())
        context.load_cert_chain(file)
        file.unlink()
        return context


class Agent:
    """Serves `domain`'s ID with this path. What is changed is told at once to all that listen; `refusal` is a gRPC
    status and a text in place of an answer. `rotate_every` seconds there is a new SVID, which lives for `seconds`."""

    def __init__(self, socket, domain, path, federated=(), seconds=HOUR, rotate_every=None):
        self.socket, self.domain, self.path = pathlib.Path(socket), domain, path
        self.federated, self.seconds, self.rotate_every = list(federated), seconds, rotate_every
        self.changed = threading.Condition()
        self.refusal = None
        self.faults = {}  # of `TrustDomain.svid`
        self.calls = self.serial = 0
        self.server = None
        self.ending = threading.Event()
        self.rotation = None
        self.rotate()
        self.start()

    def rotate(self, **faults):
        with self.changed:
            self.faults = faults
            self.made = self.domain.svid(self.path, **{"seconds": self.seconds, **faults})
            self.serial += 1
            self.changed.notify_all()

    def federate(self, *domains):
        """From now on gives the bundles of these, and no others."""
        with self.changed:
            self.federated = list(domains)
            self.serial += 1
            self.changed.notify_all()

    def refuse(self, status=grpc.StatusCode.PERMISSION_DENIED, text="no identity issued"):
        with self.changed:
            self.refusal = (status, text)
            self.changed.notify_all()

    def allow(self):
        with self.changed:
            self.refusal = None

    def message(self):
        certificate, key = self.made
        svid = field(1, (self.domain.id + self.path).encode()) + field(2, certificate.public_bytes(DER))
        svid += field(3, pkcs8(key)) + field(4, self.domain.bundle()) + field(5, b"internal")
        others = (field(1, other.id.encode()) + field(2, other.bundle()) for other in self.federated)
        return field(1, svid) + b"".join(field(3, other) for other in others)

    def _answer(self, _, context):
        if ("workload.spiffe.io", "true") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
        context.add_callback(self._wake)
        self.calls += 1
        told = None
        while context.is_active() and self.server:
            refusal, message, serial = self._news(told, context)
            if refusal:
                context.abort(*refusal)
            if serial != told:
                told = serial
                yield message

    def _news(self, told, context):
        with self.changed:
            self.changed.wait_for(lambda: self.refusal or self.serial != told or not context.is_active(), 5)
            return self.refusal, self.message(), self.serial

    def _wake(self):
        with self.changed:
            self.changed.notify_all()

    def start(self):
        answer = grpc.unary_stream_rpc_method_handler(self._answer)  # bytes in, bytes out
        handlers = grpc.method_handlers_generic_handler("SpiffeWorkloadAPI", {"FetchX509SVID": answer})
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=32))
        self.server.add_generic_rpc_handlers([handlers])
        self.server.add_insecure_port(f"unix:{self.socket}")
        self.server.start()
        self.ending.clear()
        if self.rotate_every:
            self.rotation = threading.Thread(target=self._rotate, daemon=True)
            self.rotation.start()
        return self

    def _rotate(self):
        while not self.ending.wait(self.rotate_every):
            self.rotate(**self.faults)

    def stop(self):
        """As if it were killed: its calls break off, and nobody answers at its socket."""
        self.ending.set()
        server, self.server = self.server, None
        self._wake()
        if server:
            server.stop(None).wait()
        self.socket.unlink(missing_ok=True)


class Agents:
    """In the place of launcher.Certs: an agent for each role, whose SVIDs are of one trust domain."""

    def __init__(self, folder, domain, roles=("sn", "sl", "swci"), **options):
        self.folder, self.domain = pathlib.Path(folder), domain
        self.of = {}
        for role in roles:
            (self.folder / role).mkdir(parents=True)
            self.of[role] = Agent(self.folder / role / "api.sock", domain, f"/{role}", **options)

    def flags(self, name):
        return ["--socket-path", self.of[name.split("-")[0]].socket]

    def identity(self, name):
        """By the folder, in which an agent that starts again has another socket."""
        return [("SPIFFE_SOCKETPATH", self.of[name.split("-")[0]].socket.parent, "/tmp/spire-agent")]

    def context(self, name="sn-1", side=ssl.PROTOCOL_TLS_CLIENT):
        return self.domain.context(f"/{name.split('-')[0]}", side, self.folder)

    def stop(self):
        for agent in self.of.values():
            agent.stop()
