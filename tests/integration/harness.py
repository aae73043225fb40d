"""Real swarmd processes with small programs beside them, and the ways to look at them from outside.

Everything waits for a condition and gives up after `PATIENCE` seconds with the logs of all processes; no test passes
or fails by the clock.
"""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time

import numpy as np
from keccak import keccak256
from wire_client import WireClient

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(
    os.environ.get("SWARMD_BIN_DIR") or os.environ.get("SWARM_BIN") or ROOT / "build" / "release" / "bin"
)
DEFAULT_CONTRACT = "defaultbb.cqdb.sml.hpe"
NODE_REGISTRY = "0x0000000000000000000000000000000000005001"
PATIENCE = float(os.environ.get("SWARM_TEST_PATIENCE", 90))  # seconds; bounds a hang


def until(condition, what, patience=PATIENCE, alive=()):
    """Waits for a true value of `condition()` and returns it. `alive`: processes that must not end meanwhile."""
    deadline = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        for process in alive:
            assert process.running(), f"{process.name} ended while the test waited for: {what}\n{process.tail()}"
        assert time.monotonic() < deadline, f"waited {patience} s for: {what}\n" + "\n".join(p.tail() for p in alive)
        time.sleep(0.02)


_given_out = set()


def free_port():
    """A port nobody listens on, below the range from which outgoing connections take theirs."""
    while True:
        port = 20000 + int.from_bytes(os.urandom(2), "big") % 12000
        if port in _given_out:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                continue
        _given_out.add(port)
        return port


class Certs:
    """Certificates made by deploy/gen-cert in one folder."""

    def __init__(self, folder, *names):
        self.folder = pathlib.Path(folder)
        subprocess.run([ROOT / "deploy" / "gen-cert", "-o", folder, *names], check=True, capture_output=True)
        self.capath = self.folder / "ca" / "capath"

    def flags(self, name, capath=None):
        return [
            *("--key", self.folder / f"{name}-key.pem", "--cert", self.folder / f"{name}-cert.pem"),
            *("--capath", capath or self.capath),
        ]

    def context(self, name="probe"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        for file in self.capath.iterdir():
            context.load_verify_locations(file)
        context.load_cert_chain(self.folder / f"{name}-cert.pem", self.folder / f"{name}-key.pem")
        return context


class Process:
    """One swarmd. Its output is kept over restarts; `log(...)` looks at that of the present start."""

    def __init__(self, name, folder, arguments, environment=None):
        self.name, self.folder = name, pathlib.Path(folder)
        self.arguments = [str(argument) for argument in arguments]
        self.environment = environment or {}
        self.data_dir = self.folder / name
        self.log_path = self.folder / f"{name}.log"
        self.child = None
        self.offset = 0

    def start(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("SWARM", "SL_", "SN_"))}
        environment.update(self.environment)
        self.offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        with open(self.log_path, "ab") as out:
            self.child = subprocess.Popen(
                [str(BIN / "swarmd"), *self.arguments],
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        return self

    def running(self):
        return self.child is not None and self.child.poll() is None

    def log(self):
        with open(self.log_path, errors="replace") as file:
            file.seek(self.offset)
            return file.read()

    def tail(self):
        lines = self.log_path.read_text(errors="replace").splitlines() if self.log_path.exists() else []
        return f"--- {self.name} ---\n" + "\n".join(lines[-25:])

    def wait_log(self, pattern, patience=PATIENCE):
        """The match of a regular expression in the log of this start."""
        return until(lambda: re.search(pattern, self.log()), f"{self.name} to log {pattern!r}", patience, alive=[self])

    def wait_exit(self, patience=PATIENCE):
        until(lambda: not self.running(), f"{self.name} to end\n{self.tail()}", patience)
        return self.child.returncode

    def kill9(self):
        self.child.kill()
        self.child.wait()

    def pause(self):
        """Returns once every thread stands still."""
        self.child.send_signal(signal.SIGSTOP)
        tasks = pathlib.Path(f"/proc/{self.child.pid}/task")

        def stopped():
            return all((task / "stat").read_text().rsplit(")", 1)[1].split()[0] == "T" for task in tasks.iterdir())

        until(stopped, f"{self.name} to stand still")

    def go_on(self):
        self.child.send_signal(signal.SIGCONT)

    def terminate(self):
        """Exit status after SIGTERM."""
        self.child.terminate()
        return self.wait_exit()

    def clean_up(self):
        if self.running():
            self.child.kill()
            self.child.wait()

    def admin(self, method, **params):
        """The result of one request on the admin socket, or None while nobody serves it."""
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(30)
            try:
                link.connect(str(self.data_dir / "admin.sock"))
            except OSError:
                return None
            link.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = link.recv(1 << 16)
                if not part:
                    return None
                answer += part
        answer = json.loads(answer)
        assert "error" not in answer, answer
        return answer["result"]


class Merge:
    """One MergeCommitted event."""

    def __init__(self, log):
        data = bytes.fromhex(log["data"][2:])
        self.round_num = int(log["topics"][1], 16)
        self.leader = "0x" + log["topics"][2][-40:]
        self.block_num = int(log["blockNumber"], 16)
        self.generation, self.term = _word(data, 0), _word(data, 1)
        self.digest = data[64:96].hex()
        self.size = _word(data, 3)
        self.contributors = _array(data, 4, _address)
        self.excluded = _array(data, 5, _address)
        self.reasons = _array(data, 6, _text)


def _word(data, index):
    return int.from_bytes(data[32 * index : 32 * index + 32], "big")


def _address(data, index):
    return "0x" + data[32 * index + 12 : 32 * index + 32].hex()


def _text(data, index):
    at = _word(data, index)
    size = int.from_bytes(data[at : at + 32], "big")
    return data[at + 32 : at + 32 + size].decode()


def _array(data, index, item):
    at = _word(data, index)
    count = int.from_bytes(data[at : at + 32], "big")
    return [item(data[at + 32 :], i) for i in range(count)]


EVENTS = {
    "merges": "MergeCommitted(uint64,uint64,uint32,address,bytes32,uint64,address[],address[],string[])",
    "completed": "TrainingComplete(uint64,uint64,bytes32)",
    "absences": "PeerAbsent(address,uint64,uint64)",
    "registrations": "PeerRegistered(address,uint64,uint32,string,uint32)",
    "departures": "PeerLeft(address,uint64,string)",
    "leader_changes": "LeaderChanged(uint64,uint64,uint32,address)",
    "check_ins": "CheckedIn(address,uint64,uint64,bytes32,uint64,uint32,uint64,bool)",
    "closed": "RoundClosed(uint64,uint64,address,uint32,uint32)",
    "losses": "LossReported(address,uint64,uint64,int64,int64,uint32,uint32)",
}


class SN(Process):
    """`joins`: another SN whose chain this one follows; without it this one is the sentinel."""

    def __init__(self, folder, certs, name="sn-1", contracts=(), port=None, joins=None, flags=()):
        self.certs = certs
        self.port = port or free_port()
        self.p2p_port = free_port()
        origin = ("--sentinel-ip", "127.0.0.1", "--sentinel-api-port", joins.port) if joins else ("--sentinel",)
        super().__init__(
            name,
            folder,
            [
                *("--role", "sn", *origin, "--node-name", name, "--host-ip", "127.0.0.1"),
                *("--sn-api-port", self.port, "--sn-p2p-port", self.p2p_port),
                *("--data-dir", pathlib.Path(folder) / name),
                *(word for contract in contracts for word in ("--contract", contract)),
                *certs.flags(name),
                *flags,
            ],
        )

    def wait_up(self):
        self.wait_log(r"Starting SWARM-API-SERVER on port")
        return self

    def rpc(self, method, *params):
        """The result of one JSON-RPC call over a connection of its own."""
        link = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.certs.context(), timeout=30)
        body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})
        link.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(link.getresponse().read())
        link.close()
        assert "error" not in answer, answer
        return answer["result"]

    def validators(self):
        """By the registry at the head."""
        answer = self.rpc(
            "eth_call", {"to": NODE_REGISTRY, "data": "0x" + keccak256("getValidators()").hex()[:8]}, "latest"
        )
        return _array(bytes.fromhex(answer[2:]), 0, _address)

    def head(self):
        """Number, hash and state root of the newest block."""
        block = self.rpc("eth_getBlockByNumber", "latest", False)
        return int(block["number"], 16), block["hash"], block["stateRoot"]

    def block_num(self):
        return int(self.rpc("eth_blockNumber"), 16)

    def events(self, kind, contract=DEFAULT_CONTRACT):
        address = "0x" + keccak256("swarmd/training/" + contract)[-20:].hex()
        topic = "0x" + keccak256(EVENTS[kind]).hex()
        return self.rpc("eth_getLogs", {"address": address, "topics": [topic], "fromBlock": "0x0", "toBlock": "latest"})

    def merges(self, contract=DEFAULT_CONTRACT):
        return [Merge(log) for log in self.events("merges", contract)]

    def completed(self, contract=DEFAULT_CONTRACT):
        return bool(self.events("completed", contract))


class SL(Process):
    def __init__(self, folder, certs, sn_port, name="sl-1", flags=(), identity=None, environment=None):
        self.certs = certs
        self.files_port = free_port()
        self.node_account = None
        channel = pathlib.Path(folder) / f"{name}.channel"
        self.request, self.response = channel / "request", channel / "response"
        super().__init__(
            name,
            folder,
            [
                *("--role", "sl", "--node-name", name, "--host-ip", "127.0.0.1", "--sn-ip", "127.0.0.1"),
                *("--sn-api-port", sn_port, "--sl-fs-port", self.files_port),
                *("--request-channel", self.request, "--response-channel", self.response),
                *("--data-dir", pathlib.Path(folder) / name, *(identity or certs.flags("sl-1")), *flags),
            ],
            environment,
        )

    def connect(self):
        self.wait_ready()
        until(lambda: self.pipes() == "waiting", f"{self.name} to wait for a program", alive=[self])
        return WireClient(str(self.request), str(self.response), PATIENCE)

    def wait_ready(self):
        """Its pipes are there. Keeps its account for when it is gone."""
        self.wait_log(r"Opening pipes to communicate")
        self.node_account = until(self.round, f"{self.name} to tell its account", alive=[self])["account"]
        return self

    def round(self):
        """This node's view of its training contract; None while it is starting."""
        return self.admin("round") if "round" in (self.admin("methods") or ()) else None

    def pipes(self):
        return (self.admin("actor", name="/sl/channel") or {}).get("detail", {}).get("pipes")

    def model(self, digest):
        """The arrays of a model, from this node's file server."""
        link = http.client.HTTPSConnection("127.0.0.1", self.files_port, context=self.certs.context(), timeout=30)
        link.request("GET", f"/models/{digest}")
        answer = link.getresponse()
        raw = answer.read()
        link.close()
        assert answer.status == 200, (answer.status, raw[:200])
        return read_safetensors(raw)


def read_safetensors(raw):
    size = struct.unpack("<Q", raw[:8])[0]
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "U8": "u1", "BOOL": "?"}
    out = {}
    for name, entry in json.loads(raw[8 : 8 + size]).items():
        if name == "__metadata__":
            continue
        first, end = entry["data_offsets"]
        array = np.frombuffer(raw[8 + size + first : 8 + size + end], kinds[entry["dtype"]])
        out[name] = array.reshape(entry["shape"])
    return out


class Program(threading.Thread):
    """Runs `work(client)` against one SL in a thread; `result()` gives what it returned or raises what it raised."""

    def __init__(self, sl, work, connect=True):
        super().__init__(daemon=True, name=f"program of {sl.name}")
        self.sl, self.work, self.client, self.connects = sl, work, None, connect
        self.value = self.error = None
        self.start()

    def run(self):
        try:
            if not self.connects:
                self.value = self.work(None)
                return
            self.client = self.sl.connect()
            with self.client:
                self.value = self.work(self.client)
        except BaseException as error:
            self.error = error

    def result(self, patience=PATIENCE):
        self.join(patience)
        assert not self.is_alive(), f"{self.name} hangs\n{self.sl.tail()}\n{self.sl.round()}"
        if self.error is not None:
            raise self.error
        return self.value

    def failure(self, patience=PATIENCE):
        """The exception it ended with."""
        self.join(patience)
        assert not self.is_alive(), f"{self.name} hangs\n{self.sl.tail()}"
        assert self.error is not None, f"{self.name} ended well, with {self.value}"
        return self.error


def trains(values, final=None, between=None, loss=None, **session):
    """A program's work: open, one sync for each array dict of `values`, close with `final` (default: the last).

    Returns the client, whose `merged` has the models it got. `between(number, client)` runs before each sync.
    """

    def work(client):
        client.open(**session)
        params = None
        for number, params in enumerate(values, 1):
            if between:
                between(number, client)
            client.sync(params, loss=loss)
        if between:
            between(len(values) + 1, client)
        weightage = 0 if session.get("checkinModelOnTrainEnd") == "inactive" else 1
        client.close(params if final is None else final, loss=loss, weightage=weightage)
        return client

    return work


class Meeting:
    """As `between` of `trains`: lets programs go on once all of them have opened their sessions."""

    def __init__(self, programs):
        self.barrier = threading.Barrier(programs)

    def __call__(self, number, client):
        if number == 1:
            self.barrier.wait(PATIENCE)


class Swarm:
    """An SN with its SLs in one folder."""

    def __init__(self, folder, certs):
        self.folder, self.certs = pathlib.Path(folder), certs
        self.sn = None
        self.sls = []
        self.others = []

    def start_sn(self, **options):
        self.sn = SN(self.folder, self.certs, **options)
        self.sn.start().wait_up()
        return self.sn

    def add_sl(self, **options):
        options.setdefault("name", f"sl-{len(self.sls) + 1}")
        options.setdefault("sn_port", self.sn.port if self.sn else None)
        sl = SL(self.folder, self.certs, **options)
        self.sls.append(sl)
        sl.start()
        return sl

    def join_sn(self, name, **options):
        """One more SN on the chain of the first."""
        sn = SN(self.folder, self.certs, name, joins=self.sn, **options)
        self.others.append(sn)
        sn.start().wait_up()
        return sn

    def start(self, sls=1, contracts=(), **options):
        self.start_sn(contracts=contracts)
        for _ in range(sls):
            self.add_sl(**options)
        return self

    def clean_up(self):
        for process in [*self.sls, *self.others, self.sn]:
            if process is not None:
                process.clean_up()

    def report(self):
        return "\n".join(process.tail() for process in [self.sn, *self.sls, *self.others] if process is not None)


def inspect_program():
    path = BIN / "swarm-inspect"
    return path if path.exists() else shutil.which("swarm-inspect")
