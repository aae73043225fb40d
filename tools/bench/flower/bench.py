"""flower_40mb, flower_100mb: an exchange of models of that size among four nodes, beside Flower's among four SuperNodes
and a SuperLink, as processes; flower_memory_40mb, flower_memory_100mb: the most memory that aggregating took.

Ours by mutual TLS and verified, by the client package; Flower's without TLS. Nodes do nothing but exchange: here they
sync, there they send back what they get with one added. Flower's server is its SuperLink with the processes that it
starts, looked at again and again; ours the SL that took most, as each of them leads in turn.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), *(str(ROOT / each) for each in ("python", "tests"))]
from exchanges import in_processes, round_seconds  # noqa: E402
from figures import figure, memory_bytes, options  # noqa: E402
from launcher.engines import leave_network  # noqa: E402
from launcher.processes import Process, free_port, until  # noqa: E402
from swarms import Swarm  # noqa: E402

VERSION = "1.42.0"
PLACE = ROOT / "build/flower"  # a virtual environment that only this benchmark uses
NODES, ROUNDS, WARM_UP = 4, 5, 2
TARGETS = {"40mb": (10 << 20, 1 / 12), "100mb": (25 << 20, 1 / 5)}  # floats; part of Flower's time
MEMORY_TARGET = 0.25
PATIENCE = 600  # seconds; bounds a hang


def why_not(may_install=True):
    """Why Flower cannot be measured here, or nothing."""
    if os.geteuid() != 0:
        return "it asks its makers for news, so it runs in a network of its own, which only root can make"
    if (PLACE / "bin/flower-superlink").exists():
        return ""
    if not may_install:
        return f"it is not in {PLACE}, and a smoke run does not install it"
    for command in ([sys.executable, "-m", "venv", PLACE], [PLACE / "bin/pip", "install", "-q", f"flwr=={VERSION}"]):
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if done.returncode != 0:
            return f"it cannot be installed: {done.stderr.strip()[-500:]}"
    return ""


def family(pid):
    """A process and all that descend from it."""
    parents = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text(encoding="ascii").rsplit(")", 1)[1].split()[1])
        except OSError:
            continue  # it has just ended
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def family_memory(pid):
    total = 0
    for each in family(pid):
        try:
            total += memory_bytes(each)
        except (OSError, SystemExit):
            continue  # it has just ended
    return total


class Flower:
    """A SuperLink and its SuperNodes, below `folder`."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        (folder / "home").mkdir()
        (folder / "home/config.toml").write_text(
            '[superlink]\ndefault = "bench"\n\n'
            f'[superlink.bench]\naddress = "127.0.0.1:{self.port}"\ninsecure = true\n')
        package = folder / "app/exchange"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        for name, place in (("pyproject.toml", folder / "app"), ("client.py", package), ("server.py", package)):
            shutil.copy(HERE / name, place)
        self.environment = {"FLWR_HOME": str(folder / "home"), "FLWR_TELEMETRY_ENABLED": "0",
                            "PATH": f"{PLACE}/bin:{os.environ['PATH']}"}
        self.link = self._process("flower-superlink", "superlink", "--host", "127.0.0.1", "--port", self.port,
                                  "--disable-runtime-dependency-installation")
        self.nodes = [
            self._process("flower-supernode", f"supernode-{i}", "--superlink", f"127.0.0.1:{self.port}",
                          "--port", free_port(), "--node-config", f"number={i}") for i in range(NODES)]

    def _process(self, program, name, *arguments):
        return Process(name, [PLACE / "bin" / program, "--insecure", *arguments], self.folder, self.environment)

    def start(self):
        self.link.start().wait_log("Uvicorn running", PATIENCE)
        for node in self.nodes:
            node.start()
        until(lambda: self.link.log().count("Activated node_id") == NODES, "the SuperNodes", PATIENCE, [self.link])

    def exchange(self, floats, rounds):
        """Seconds of each round, and the most memory that the server had."""
        report, most = self.folder / "report.json", 0
        settings = f'floats={floats} rounds={rounds} report="{report}"'
        done = subprocess.run([PLACE / "bin/flwr", "run", self.folder / "app", "bench", "--run-config", settings],
                              env={**os.environ, **self.environment}, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"flwr run failed:\n{done.stdout}{done.stderr}")

        def reported():
            nonlocal most
            most = max(most, family_memory(self.link.pid))
            return report.exists()

        until(reported, "Flower's rounds", PATIENCE, [self.link, *self.nodes])
        begun = json.loads(report.read_text())
        return [later - earlier for earlier, later in zip(begun, begun[1:])], most

    def stop(self):
        for process in [*self.nodes, self.link]:
            for pid in family(process.pid) - {process.pid} if process.running() else ():
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            process.clean_up()


def flowers(swarm, floats, rounds):
    flower = Flower(swarm.folder)
    try:
        flower.start()
        seconds, memory = flower.exchange(floats, rounds)
    finally:
        flower.stop()
    return statistics.median(seconds[WARM_UP:]), memory


def ours(swarm, floats, rounds):
    swarm.start_sn()
    sls = [swarm.add_sl(identity=swarm.certs.flags(f"sl-{i}")) for i in range(1, NODES + 1)]
    for sl in sls:
        sl.wait_ready()
    most, over = [0], threading.Event()

    def watch():
        while not over.wait(0.1):
            for sl in sls:
                try:
                    most[0] = max(most[0], memory_bytes(sl.pid, "VmHWM"))
                except (OSError, SystemExit):
                    continue  # the training is over

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    spans = in_processes(NODES, [(sl.request, sl.response) for sl in sls], floats, rounds)
    over.set()
    watcher.join()
    return statistics.median(round_seconds(spans, WARM_UP)), most[0]


def tell(size, floats, rounds, target):
    with Swarm() as swarm:
        seconds, memory = ours(swarm, floats, rounds)
        their_seconds, their_memory = flowers(swarm, floats, rounds)
    figure(f"flower_{size}", seconds * 1000, "ms", "an exchange by Flower, without TLS", their_seconds * 1000, target,
           seconds <= target * their_seconds)
    figure(f"flower_memory_{size}", memory / 1e6, "MB", "Flower's server", their_memory / 1e6, MEMORY_TARGET,
           memory <= MEMORY_TARGET * their_memory)


given = options(__doc__)
if why := why_not(not given.smoke):
    print(f"flower is skipped: {why}", file=sys.stderr)
    sys.exit(0)
leave_network()
for size, (floats, target) in TARGETS.items():
    if given.smoke and size != "40mb":
        continue  # to start Flower takes half a minute
    if given.wants(f"flower_{size}") or given.wants(f"flower_memory_{size}"):
        tell(size, 1 << 10 if given.smoke else floats, 4 if given.smoke else WARM_UP + ROUNDS, target)
