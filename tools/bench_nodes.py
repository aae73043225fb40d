"""Real swarmd processes for benchmarks: an SN and any number of SLs on free ports of the loopback interface."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("SWARM_BIN", ROOT / "build/release/bin"))


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


class Swarm(contextlib.AbstractContextManager):
    """A directory, certificates, and the processes started here; all gone at the end."""

    def __init__(self, names=("sn-1", "sl-1")):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="swarm-bench-"))
        self.processes = []
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

    def start_sn(self):
        self.sn_port, p2p = free_ports(2)
        sn = self.start("sn", BIN / "swarmd", "--role", "sn", "--sentinel", "--host-ip", "127.0.0.1", "--sn-api-port",
                        self.sn_port, "--sn-p2p-port", p2p, "--data-dir", self.dir / "sn", *self.identity("sn-1"))
        wait_until(lambda: "Starting SWARM-API-SERVER" in self.log("sn"), "the SN's start", sn)

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
