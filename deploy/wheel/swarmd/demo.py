"""`swarmd demo`: a swarm on this host, with nothing but numpy. One SN, and four SLs with a program beside each, which
has never seen three of ten classes; at the end, how well each does alone and in the swarm."""

import argparse
import importlib.util
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from . import BIN

PATIENCE = 120  # seconds for a node to come up, or a training to go on


class Trouble(Exception):
    """Something that the person has to know."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Demo:
    def __init__(self, folder, nodes):
        self.folder, self.nodes, self.children = folder, nodes, {}

    def start(self, name, command, **environment):
        with open(self.folder / f"{name}.log", "wb") as log:
            self.children[name] = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **environment},
            )  # fmt: skip

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def wait(self, condition, name, what):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self.children[name].poll() not in (None, 0) or time.monotonic() > deadline:
                raise Trouble(f"{name} {what}:\n{self.log(name)[-3000:]}")
            time.sleep(0.05)

    def identity(self, name):
        cert = self.folder / "cert"
        own = ("--key", cert / f"{name}-key.pem", "--cert", cert / f"{name}-cert.pem")
        return (*own, "--capath", cert / "ca" / "capath")

    def make_certificates(self):
        names = ["sn-1", *(f"sl-{node}" for node in range(self.nodes))]
        made = subprocess.run([BIN / "gen-cert", "-o", self.folder / "cert", *names], capture_output=True, text=True)
        if made.returncode != 0:
            raise Trouble(f"no certificates: {made.stderr.strip()}")

    def start_sn(self):
        self.port = free_port()
        self.start("sn-1", [
            BIN / "swarmd", "--role", "sn", "--sentinel", "--host-ip", "127.0.0.1", "--bind-address", "127.0.0.1",
            "--sn-api-port", self.port, "--sn-p2p-port", free_port(), "--data-dir", self.folder / "sn-1",
            *self.identity("sn-1"),
        ])  # fmt: skip
        self.wait(lambda: "Starting SWARM-API-SERVER" in self.log("sn-1"), "sn-1", "does not come up")

    def start_pair(self, node):
        name, pipes = f"sl-{node}", self.folder / f"pipes-{node}"
        pipes.mkdir()
        request, response = pipes / "request", pipes / "response"
        self.start(name, [
            BIN / "swarmd", "--role", "sl", "--node-name", name, "--host-ip", "127.0.0.1",
            "--bind-address", "127.0.0.1", "--sn-ip", "127.0.0.1", "--sn-api-port", self.port,
            "--sl-fs-port", free_port(), "--request-channel", request, "--response-channel", response,
            "--data-dir", self.folder / name, *self.identity(name),
        ])  # fmt: skip
        result = self.folder / f"result-{node}.json"
        program = [sys.executable, "-m", "swarmd.demo_program", node, self.nodes, result]
        self.start(f"program-{node}", program, SL_REQUEST_CHANNEL=str(request), SL_RESPONSE_CHANNEL=str(response))

    def run(self):
        self.make_certificates()
        self.start_sn()
        for node in range(self.nodes):
            self.start_pair(node)
        for node in range(self.nodes):
            name = f"program-{node}"
            self.wait(lambda name=name: self.children[name].poll() == 0, name, "has not trained to its end")
        return [json.loads((self.folder / f"result-{node}.json").read_text()) for node in range(self.nodes)]

    def stop(self):
        for child in self.children.values():
            child.terminate()
        for child in self.children.values():
            try:
                child.wait(10)
            except subprocess.TimeoutExpired:
                child.kill()


def missing():
    """What is not there, for the person; empty when all is."""
    if shutil.which("openssl") is None:
        return "it makes certificates with the command openssl, which is not installed: apt install openssl"
    for package in ("numpy", "swarmlearning"):
        if importlib.util.find_spec(package) is None:
            return f"its programs need the package {package}: pip install {package}"
    return ""


def main(arguments):
    parser = argparse.ArgumentParser(prog="swarmd demo", description=__doc__)
    parser.add_argument("--nodes", type=int, choices=range(2, 9), default=4)
    nodes = parser.parse_args(arguments).nodes
    if why := missing():
        print(f"swarmd demo: {why}", file=sys.stderr)
        return 1
    # Short, because the path of a Unix socket has at most 107 bytes.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="swarmd-demo-"))
    demo = Demo(folder, nodes)
    try:
        results = demo.run()
    except Trouble as trouble:
        print(f"swarmd demo: {trouble}", file=sys.stderr)
        return 1
    finally:
        demo.stop()
        shutil.rmtree(folder, ignore_errors=True)
    print("accuracy on the common test set\n  node    alone    in the swarm")
    for node, each in enumerate(results):
        print(f"  {node:>4}   {each['alone']:6.2%}   {each['swarm']:6.2%}")
    return 0
