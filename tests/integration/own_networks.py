"""Hosts of a test's own, each a network namespace, that are joined by a switch which the test can cut and slow down.

The namespaces have no names: each is there as long as a process is in it, so that nothing is left of them when the test
ends, however it does.
"""

import asyncio
import concurrent.futures
import contextlib
import os
import subprocess
import threading

from launcher.engines import leave_network, return_to_network
from launcher.processes import Failure, free_port

SWITCH = "10.77.0.254"


def ip(*words):
    run("ip", *words)


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, words))}: {done.stderr.strip()}")


class OwnNetwork:
    """While it is entered, this thread and what it starts are at the switch, whose address is `SWITCH`."""

    def __init__(self):
        self.hosts, self.old = {}, None

    def __enter__(self):
        self.old = leave_network()
        try:
            ip("link", "add", "switch", "type", "bridge")
            ip("address", "add", f"{SWITCH}/24", "dev", "switch")
            ip("link", "set", "switch", "up")
        except BaseException:
            return_to_network(self.old)
            raise
        return self

    def __exit__(self, *unused):
        for host in self.hosts.values():
            host.close()
        return_to_network(self.old)

    def host(self, name):
        """The one of this name; it is made when it is first named."""
        if name not in self.hosts:
            self.hosts[name] = OwnHost(f"p{len(self.hosts) + 1}", f"10.77.0.{len(self.hosts) + 1}")
        return self.hosts[name]


class Namespace:
    """A host's own network, in which there is the loopback interface only."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.holder.stdin.write(b"\n")
        self.holder.stdin.flush()
        self.holder.stdout.readline()  # it has its namespace
        self.enter = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net", "--"]
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *words):
        run(*self.enter, *words)

    def take(self, interface, address):
        """An interface that was made for it."""
        self.run("ip", "address", "add", f"{address}/24", "dev", interface)
        self.run("ip", "link", "set", interface, "up")

    def move_in(self, process):
        """Has a process of the launcher, which has not started yet, run here."""
        process.arguments = [*self.enter[1:], process.program, *process.arguments]
        process.program = self.enter[0]
        return process

    def visit(self, action):
        """What `action()` gives, called by a thread that is here."""
        with concurrent.futures.ThreadPoolExecutor(1, initializer=self._go_in) as thread:
            return thread.submit(action).result()

    def _go_in(self):
        return_to_network(os.open(f"/proc/{self.holder.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC))

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()


class OwnHost(Namespace):
    """`plug`: the interface of the switch that leads there."""

    def __init__(self, plug, address):
        super().__init__()
        self.plug, self.address = plug, address
        ip("link", "add", "name", plug, "type", "veth", "peer", "name", "eth0", "netns", self.holder.pid)
        ip("link", "set", plug, "master", "switch", "up")
        self.take("eth0", address)

    def cut(self):
        """Nothing gets through any more, and nobody is told."""
        ip("link", "set", self.plug, "down")

    def mend(self):
        ip("link", "set", self.plug, "up")

    def slow_down(self, rate):
        """Both ways, such as "1mbit"."""
        words = ("root", "tbf", "rate", rate, "burst", "16kb", "latency", "300ms")
        run("tc", "qdisc", "add", "dev", self.plug, *words)
        self.run("tc", "qdisc", "add", "dev", "eth0", *words)


class InnerHost(Namespace):
    """Joined to `gate` alone, whose interface is called `in0`."""

    def __init__(self, gate, address, gate_address):
        super().__init__()
        self.address, self.gate_address = address, gate_address
        ends = ("name", "in0", "netns", gate.holder.pid, "type", "veth", "peer", "name", "eth0")
        ip("link", "add", *ends, "netns", self.holder.pid)
        self.take("eth0", address)
        gate.take("in0", gate_address)


def why_no_network():
    """Why this host can have no such networks, or nothing."""
    try:
        with OwnNetwork() as network:
            network.host("a").slow_down("1mbit")
    except (Failure, OSError) as error:
        return f"no networks of a test's own: {error}"
    return ""


class Relay:
    """Hands on, at the switch, what comes to `port` there, and what is answered, each part `delay` seconds later. While
    it stalls it hands on nothing, takes what comes, and keeps connections open."""

    def __init__(self, host, port, delay=0.0):
        self.target, self.delay, self.port = (host.address, port), delay, free_port()
        self.loop = asyncio.new_event_loop()
        self.flows = asyncio.Event()
        self.flows.set()
        self.loop.run_until_complete(asyncio.start_server(self._accept, SWITCH, self.port))
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True, name=f"relay {self.port}")
        self.thread.start()

    def stall(self):
        self.loop.call_soon_threadsafe(self.flows.clear)

    def go_on(self):
        self.loop.call_soon_threadsafe(self.flows.set)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def _accept(self, reader, writer):
        try:
            there, back = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while part := await source.read(65536):
                await asyncio.sleep(self.delay)
                await self.flows.wait()
                sink.write(part)
                await sink.drain()
        sink.close()
