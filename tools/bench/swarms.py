"""Swarms for benchmarks, made by tests/launcher: SNs that tell what they cost, SLs of one process, etcd beside them."""

import contextlib
import http.client
import pathlib
import shutil
import sys
import tempfile
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tests"))
import launcher.nodes  # noqa: E402
import launcher.swarm  # noqa: E402
from figures import cpu_seconds, memory_bytes, run_json  # noqa: E402
from launcher.certificates import Certs  # noqa: E402
from launcher.processes import BIN, Process, free_port, stop_all, until  # noqa: E402

SIGNATURE_MS = 1000  # how long to count, for a steady figure

CLIENTS = 8  # that have a certificate, and with it a rate limit, of their own


def signatures_per_second(smoke=False):
    """How many this machine recovers on all cores, beside whatever else it does just now."""
    return run_json(BIN / "signature_rate", 10 if smoke else SIGNATURE_MS)["per_second"]


class Sn(launcher.nodes.SN):
    """What is asked here goes over the admin socket, which costs the measured API nothing."""

    last_block_num = None  # when it was stopped

    @property
    def home(self):
        """Its key and its chain."""
        return self.data_dir / "sn-1"

    def chain(self):
        return self.glance("chain")

    def block_num(self):
        return self.chain().get("block_num", -1)

    def validator_count(self):
        found = self.glance("actor", name="/sn/consensus")
        return (found.get("detail") or {}).get("validators", 0)

    def stop(self):
        self.last_block_num = self.block_num()
        self.terminate()

    def cpu(self):
        return cpu_seconds(self.pid)

    def memory(self):
        return memory_bytes(self.pid)


class Swarm(launcher.swarm.Swarm, contextlib.AbstractContextManager):
    """A directory, certificates, and the processes started here; all gone at the end."""

    sn_type = Sn

    def __init__(self, names=(*(f"sn-{i}" for i in range(1, 8)), *(f"sl-{i}" for i in range(1, CLIENTS + 1)))):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="swarm-bench-"))
        super().__init__(folder, Certs(folder / "certs", *names))
        self.sns = []
        self.clusters = 0  # of etcd

    def __exit__(self, *unused):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def load(self, program, *arguments, client=1):
        """What a load generator measured; `arguments` follow the client's certificate, key and CA."""
        return run_json(BIN / program, *self.client(client), *arguments)

    def client(self, number=1):
        """Certificate, key and CA of one of `CLIENTS`, as the load generators take them."""
        place = self.certs.folder
        return [place / f"sl-{number}-cert.pem", place / f"sl-{number}-key.pem", self.certs.capath / "ca-cert.pem"]

    def plain_answers(self, count):
        """GETs of "/is_up" that the sentinel's server answers in a second, which is its network part alone; asked by
        four threads of a plain client that keeps one connection each."""

        def ask():
            link = http.client.HTTPSConnection("127.0.0.1", self.sn.port, context=self.certs.context("sl-1"))
            for _ in range(count // 4):
                link.request("GET", "/is_up")
                link.getresponse().read()
            link.close()

        threads = [threading.Thread(target=ask) for _ in range(4)]
        begun = time.monotonic()
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return count // 4 * 4 / (time.monotonic() - begun)

    def start_sn(self, **options):
        """The sentinel, once its chain says that it is a member."""
        self.sns = [super().start_sn(**options)]

        def state():
            return (self.sn.admin("actor", name="/sn/membership") or {}).get("state", "")

        until(lambda: state().startswith("registered"), "the sentinel to register", alive=self.sns)
        return self.sn

    def more_sn(self, name, joins=None, flags=()):
        """One more, not started: on the chain of `joins`, or with a chain of its own."""
        sn = Sn(self.folder, self.certs, name, joins=joins, flags=flags)
        self.others.append(sn)
        return sn

    def grow(self, count):
        """Starts SNs until there are `count`, and waits until all that can be are validators."""
        if not self.sns:
            self.start_sn()
        while len(self.sns) < count:
            self.sns.append(self.join_sn(f"sn-{len(self.sns) + 1}"))
        wanted = 1 if count == 2 else count
        until(lambda: all(sn.validator_count() == wanted for sn in self.sns), f"{wanted} validators", 120, self.sns)
        return self.sns

    def cpu(self):
        """Seconds that all SNs have taken."""
        return sum(sn.cpu() for sn in self.sns)

    def start_etcd(self, count):
        """A cluster of `count`; the port of a client's connection to its leader, and the processes."""
        ports = [(free_port(), free_port()) for _ in range(count)]
        self.clusters += 1
        names = [f"etcd-{self.clusters}-{i}" for i in range(1, count + 1)]
        cluster = ",".join(f"{name}=http://127.0.0.1:{peer}" for name, (_, peer) in zip(names, ports))
        started = []
        for name, (client, peer) in zip(names, ports):
            command = [
                "etcd", "--name", name, "--data-dir", self.folder / name,
                "--listen-client-urls", f"http://127.0.0.1:{client}",
                "--advertise-client-urls", f"http://127.0.0.1:{client}",
                "--listen-peer-urls", f"http://127.0.0.1:{peer}",
                "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}", "--initial-cluster", cluster]
            started.append(Process(name, command, self.folder).start())
        self.others += started
        for process in started:
            process.wait_log("ready to serve client requests")
        for client, _ in ports:
            with urllib.request.urlopen(f"http://127.0.0.1:{client}/metrics", timeout=10) as answer:
                if b"etcd_server_is_leader 1" in answer.read():
                    return client, started
        raise SystemExit("no etcd leads")

    def end(self, processes):
        stop_all(processes)
        self.others = [process for process in self.others if process not in processes]

    def start_sls(self, count, ports=None, services=None):
        """All of them in one process, from a profile. Returns the (request, response) pipes of each. `ports`: of their
        file servers; `services`: where others find these."""
        pipes = [(self.folder / f"{i}.request", self.folder / f"{i}.response") for i in range(count)]
        place = self.certs.folder
        lines = ["host-ip: 127.0.0.1", f"data-dir: {self.folder / 'sls'}", f"key: {place / 'sl-1-key.pem'}",
                 f"cert: {place / 'sl-1-cert.pem'}", f"capath: {self.certs.capath}", "sl:"]
        for i, (request, response) in enumerate(pipes):
            lines += [f"  - node-name: sl-{i + 1}", "    sn-ip: 127.0.0.1", f"    sn-api-port: {self.sn.port}",
                      f"    sl-fs-port: {ports[i] if ports else free_port()}", f"    request-channel: {request}",
                      f"    response-channel: {response}"]
            lines += [f"    sl-fs-service: {services[i]}"] if services else []
        profile = self.folder / "sls.yaml"
        profile.write_text("\n".join(lines) + "\n", encoding="utf-8")
        sls = launcher.nodes.Swarmd("sls", self.folder, ["--profile", profile]).start()
        self.sls.append(sls)
        until(lambda: all(response.exists() for _, response in pipes), "the SLs' start", alive=[sls])
        return pipes
