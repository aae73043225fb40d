"""Real processes for benchmarks, on free ports of the loopback interface: SNs, SLs, etcd; and how figures are told."""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SWARM_BIN", ROOT / "build/release/bin"))

CLIENTS = 8  # that have a certificate, and with it a rate limit, of their own


def free_ports(count):
    """`count` ports that nobody listens on; held open together so that they differ."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


def wait_until(condition, what, process=None, seconds=30):
    """Polls `condition`; gives up when `process` has ended or nothing has come for `seconds`."""
    limit = time.monotonic() + seconds
    while not condition():
        if process is not None and process.poll() is not None:
            raise SystemExit(f"{what}: the process ended with {process.returncode}")
        if time.monotonic() > limit:
            raise SystemExit(f"{what}: not in {seconds} s")
        time.sleep(0.02)


def options(description):
    """What every script takes: the names of the figures that are wanted, and --smoke for sizes that prove only that
    the script works."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("names", nargs="*", metavar="NAME", help="only figures whose names begin so")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes; the figures mean nothing")
    given = parser.parse_args()
    given.wants = lambda name: not given.names or any(name.startswith(n) or n.startswith(name) for n in given.names)
    return given


def figure(name, value, unit, reference="", reference_value=None, target=None, met=None, ratio=None):
    """Prints one. Without a target it only informs."""
    if ratio is None and reference_value:
        ratio = value / reference_value
    print(json.dumps({"name": name, "value": value, "unit": unit, "reference": reference,
                      "reference_value": reference_value, "ratio": ratio, "target": target, "met": met}), flush=True)


def run_json(*command):
    """What a program prints as JSON."""
    outcome = subprocess.run([str(each) for each in command], stdout=subprocess.PIPE, text=True)
    if outcome.returncode != 0:
        raise SystemExit(f"{command[0]} failed with status {outcome.returncode}")
    return json.loads(outcome.stdout)


def cpu_seconds(process):
    """User and system time that a process has taken so far."""
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(process):
    """Resident, with what it shares with others."""
    for line in pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("no VmRSS in /proc: is this Linux?")


def disk_bytes(folder):
    return sum(file.stat().st_blocks * 512 for file in pathlib.Path(folder).rglob("*") if file.is_file())


class Sn:
    """One SN. `joins`: the SN whose chain it follows; without it this one is the sentinel. `flags`: more of them."""

    def __init__(self, swarm, name, joins=None, flags=()):
        self.swarm, self.name, self.joins, self.flags = swarm, name, joins, flags
        self.data_dir = swarm.dir / name
        self.home = self.data_dir / "sn-1"  # of the first SN in this process: its key and its chain
        self.port, self.p2p_port = free_ports(2)
        self.process = None

    def start(self, wait=True):
        origin = ("--sentinel-ip", "127.0.0.1", "--sentinel-api-port", self.joins.port) if self.joins else (
            "--sentinel",)
        self.process = self.swarm.start(
            self.name, BIN / "swarmd", "--role", "sn", *origin, "--node-name", self.name, "--host-ip", "127.0.0.1",
            "--sn-api-port", self.port, "--sn-p2p-port", self.p2p_port, "--data-dir", self.data_dir,
            *self.swarm.identity(self.name), *self.flags)
        if wait:
            wait_until(lambda: "Starting SWARM-API-SERVER" in self.swarm.log(self.name), f"{self.name}'s start",
                       self.process, 120)
        return self

    def stop(self):
        self.last_block_num = self.block_num()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.swarm.processes.remove(self.process)

    def admin(self, method, **params):
        """The result of one request on the admin socket; None while nobody serves it."""
        with socket.socket(socket.AF_UNIX) as link:
            try:
                link.connect(str(self.data_dir / "admin.sock"))
            except OSError:
                return None
            link.sendall(json.dumps({"id": 1, "method": method, "params": params}).encode() + b"\n")
            answer = json.loads(link.makefile().readline())
        return answer.get("result")

    def cpu(self):
        return cpu_seconds(self.process)

    def chain(self):
        return self.admin("chain") or {}

    def block_num(self):
        return self.chain().get("block_num", -1)

    def validators(self):
        """How many there are, as this SN sees it."""
        found = self.admin("actor", name="/sn/consensus") or {}
        return (found.get("detail") or {}).get("validators", 0)


class Swarm(contextlib.AbstractContextManager):
    """A directory, certificates, and the processes started here; all gone at the end."""

    def __init__(self, names=(*(f"sn-{i}" for i in range(1, 8)), *(f"sl-{i}" for i in range(1, CLIENTS + 1)))):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="swarm-bench-"))
        self.processes = []
        self.sns = []
        self.clusters = 0  # of etcd
        self.certs = self.dir / "certs"
        subprocess.run([ROOT / "deploy/gen-cert", "-o", self.certs, *names], check=True, capture_output=True)

    def __exit__(self, *unused):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self, name, *command):
        log = open(self.dir / f"{name}.log", "w", encoding="utf-8")
        process = subprocess.Popen([str(part) for part in command], stdout=log, stderr=log, cwd=self.dir)
        self.processes.append(process)
        return process

    def log(self, name):
        return (self.dir / f"{name}.log").read_text(encoding="utf-8")

    def identity(self, name):
        return ("--key", self.certs / f"{name}-key.pem", "--cert", self.certs / f"{name}-cert.pem",
                "--capath", self.certs / "ca/capath")

    def load(self, program, *arguments, client=1):
        """What a load generator measured; `arguments` follow the client's certificate, key and CA."""
        return run_json(BIN / program, *self.client(client), *arguments)

    def client(self, number=1):
        """Certificate, key and CA of one of `CLIENTS`, as the load generators take them."""
        return [self.certs / f"sl-{number}-cert.pem", self.certs / f"sl-{number}-key.pem",
                self.certs / "ca/capath/ca-cert.pem"]

    def start_sn(self):
        """The sentinel."""
        self.sns = [Sn(self, "sn-1").start()]
        self.sn_port = self.sns[0].port
        return self.sns[0]

    def grow(self, count):
        """Starts SNs until there are `count`, and waits until all that can be are validators."""
        if not self.sns:
            self.start_sn()
        while len(self.sns) < count:
            self.sns.append(Sn(self, f"sn-{len(self.sns) + 1}", joins=self.sns[0]).start())
        wanted = 1 if count == 2 else count
        wait_until(lambda: all(sn.validators() == wanted for sn in self.sns), f"{wanted} validators",
                   self.sns[0].process, 120)
        return self.sns

    def cpu(self):
        """Seconds that all SNs have taken."""
        return sum(sn.cpu() for sn in self.sns)

    def start_etcd(self, count):
        """A cluster of `count`; the port of a client's connection to its leader."""
        ports = [free_ports(2) for _ in range(count)]
        self.clusters += 1
        names = [f"etcd-{self.clusters}-{i}" for i in range(1, count + 1)]
        cluster = ",".join(f"{name}=http://127.0.0.1:{peer}" for name, (_, peer) in zip(names, ports))
        started = []
        for name, (client, peer) in zip(names, ports):
            started.append(self.start(
                name, "etcd", "--name", name, "--data-dir", self.dir / name,
                "--listen-client-urls", f"http://127.0.0.1:{client}",
                "--advertise-client-urls", f"http://127.0.0.1:{client}",
                "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster", cluster))
        for name, process in zip(names, started):
            wait_until(lambda name=name: "ready to serve client requests" in self.log(name), f"the start of {name}",
                       process)
        for client, _ in ports:
            with urllib.request.urlopen(f"http://127.0.0.1:{client}/metrics", timeout=10) as answer:
                if b"etcd_server_is_leader 1" in answer.read():
                    return client, started
        raise SystemExit("no etcd leads")

    def end(self, processes):
        for process in processes:
            process.send_signal(signal.SIGTERM)
            process.wait()
            self.processes.remove(process)

    def start_sls(self, count):
        """All of them in one process, from a profile. Returns the (request, response) pipes of each."""
        pipes = [(self.dir / f"{i}.request", self.dir / f"{i}.response") for i in range(count)]
        lines = ["host-ip: 127.0.0.1", f"data-dir: {self.dir / 'sls'}",
                 f"key: {self.certs / 'sl-1-key.pem'}", f"cert: {self.certs / 'sl-1-cert.pem'}",
                 f"capath: {self.certs / 'ca/capath'}", "sl:"]
        for i, (port, (request, response)) in enumerate(zip(free_ports(count), pipes)):
            lines += [f"  - node-name: sl-{i + 1}", "    sn-ip: 127.0.0.1", f"    sn-api-port: {self.sn_port}",
                      f"    sl-fs-port: {port}", f"    request-channel: {request}", f"    response-channel: {response}"]
        profile = self.dir / "sls.yaml"
        profile.write_text("\n".join(lines) + "\n", encoding="utf-8")
        sls = self.start("sls", BIN / "swarmd", "--profile", profile)
        wait_until(lambda: all(response.exists() for _, response in pipes), "the SLs' start", sls)
        return pipes
