"""containers_*: what a SWOP with mgrtype DOCKER adds to its engine, Docker and Podman each.

From ASSIGN TASK to the start of the first training program's container, beside two empty containers (an SL comes before
it); the same for the last of 20 nodes, beside 40 empty ones that are started at once; and the share of a core that a
SWOP takes which waits for a task, while somebody else's containers come and go.
"""

import concurrent.futures
import datetime
import pathlib
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "operators"), str(HERE.parents[2] / "tests")]
from figures import cpu_seconds, figure, options  # noqa: E402
from launcher.engines import Engine, leave_network, return_to_network, why_no_engine  # noqa: E402
from launcher.images import sl_image  # noqa: E402
from launcher.operators import (  # noqa: E402
    DEFAULT_TASKRUNNER,
    OperatorSwarm,
    build_task,
    node_definition,
    run_task,
    swop_profile,
)
from session import begin_session  # noqa: E402
from swarms import Swarm, until  # noqa: E402

ADDED_TARGET = 2000.0  # ms, beside what the engine takes itself
IDLE_TARGET = 0.5  # percent of a core
RUNNER = DEFAULT_TASKRUNNER


class Contained(OperatorSwarm):
    def begin(self, engine, nodes):
        self.engine = engine
        self.start_sn()
        definitions = [node_definition(self.certs, i) for i in range(nodes)]
        profile = {**swop_profile(definitions, manager="DOCKER"), "network": "host"}
        flags = ["--manager", "docker", "--docker-socket-file", str(engine.socket), "--sl-image", sl_image(engine)]
        self.add_swop(profile, flags=flags)
        self.make_task(build_task("env", [f"FROM {engine.base}"], "user-env:1", "INLINE"))
        self.make_task(run_task("short", "-c true", "sh", prereq="env", working_dir="/tmp"))
        self.session = begin_session(self, self.usr, "swci-2")
        self.run("env", 1)

    def run(self, task, peers):
        """When it was assigned, seconds since 1970."""
        self.session.order(f"RESET TASKRUNNER {RUNNER}")
        until(lambda: not self.engine.containers(), "the SWOP to clean up", alive=self.swops)
        begun = time.time()
        self.session.order(f"ASSIGN TASK {task} TO {RUNNER} WITH {peers} PEERS")
        until(self.has_ended, "the task to complete", 300, self.swops)
        return begun

    def has_ended(self):
        state = self.session.order(f"GET TASKRUNNER STATUS {RUNNER}")["task_state"]
        if state == "ERROR":
            sys.exit(f"the task failed:\n{self.report()}")
        return state == "COMPLETE"

    def starts(self, peers):
        """Milliseconds from ASSIGN to the start of each training program's container, the first one first."""
        begun = self.run("short", peers)
        started = []
        for each in self.engine.containers():
            if each["Labels"].get("swarmd.kind") == "ml":
                facts = self.engine.call("GET", f"/containers/{each['Id']}/json")
                started.append(seconds_of(facts["State"]["StartedAt"]) - begun)
        if len(started) != peers:
            sys.exit(f"{len(started)} of {peers} programs were started")
        return sorted(1000 * each for each in started)


def seconds_of(text):
    """Of an engine's time, whose fraction has nine digits."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    moment = datetime.datetime.fromisoformat(whole + "+00:00")
    return moment.timestamp() + float(f"0.{fraction[:9].split('+')[0] or 0}")


def empty_container(engine, name):
    body = {"Image": engine.base, "Cmd": ["true"], "HostConfig": {"NetworkMode": "host"}}
    engine.call("POST", f"/containers/create?name={name}", body)
    engine.call("POST", f"/containers/{name}/start")


def empty_ones(engine, count, at_once):
    """Milliseconds that the engine takes for so many."""
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        for done in [pool.submit(empty_container, engine, f"empty-{i}") for i in range(count)]:
            done.result()
    took = time.monotonic() - begun
    for i in range(count):
        engine.call("POST", f"/containers/empty-{i}/wait")  # Podman removes none that is just ending
        engine.call("DELETE", f"/containers/empty-{i}?force=1")
    return 1000 * took


def tell(name, value, reference, alone, limited):
    met = value - alone < ADDED_TARGET if limited else None
    figure(name, value, "ms", reference, alone, f"+{ADDED_TARGET:.0f} ms" if limited else None, met)


def measure_assign(swarm, kind, count):
    alone = statistics.median(empty_ones(swarm.engine, 2, 1) for _ in range(count))
    first = statistics.median(swarm.starts(1)[0] for _ in range(count))
    tell(f"containers_{kind}_assign", first, "two empty containers", alone, True)


def measure_many(swarm, kind, nodes, count):
    alone = statistics.median(empty_ones(swarm.engine, 2 * nodes, 2 * nodes) for _ in range(count))
    runs = [swarm.starts(nodes) for _ in range(count)]
    for which, at in (("first", 0), ("last", -1)):
        value = statistics.median(run[at] for run in runs)
        tell(f"containers_{kind}_{nodes}nodes_{which}", value, f"{2 * nodes} empty containers at once", alone, False)


def measure_idle(swarm, kind, seconds):
    swarm.session.order(f"RESET TASKRUNNER {RUNNER}")
    until(lambda: not swarm.engine.containers(), "the SWOP to clean up", alive=swarm.swops)
    time.sleep(min(seconds, 3))  # what went before has its aftermath
    pid, begun = swarm.swops[0].pid, time.monotonic()
    before, number = cpu_seconds(pid), 0
    while time.monotonic() < begun + seconds:
        empty_ones(swarm.engine, 1, 1)
        number += 1
        time.sleep(0.5)
    percent = (cpu_seconds(pid) - before) / (time.monotonic() - begun) * 100
    figure(f"containers_{kind}_idle_cpu", percent, f"% of a core, {number} foreign containers", target=IDLE_TARGET,
           met=percent < IDLE_TARGET)


def with_swarm(kind, nodes, work):
    """A SWOP starts all of its nodes, so each number of them has a swarm of its own."""
    with Swarm(("sn-1", "sl-1", "swci-1", "swci-2", "swop-1")) as base:
        engine = Engine(base.folder, kind).start()
        swarm = Contained(base.folder, base.certs)
        try:
            swarm.begin(engine, nodes)
            work(swarm)
        finally:
            swarm.stop()
            swarm.clean_up()
            engine.clean_up()


def measure(kind, given):
    nodes, count = (2, 1) if given.smoke else (20, 5)

    def one(swarm):
        if given.wants(f"containers_{kind}_assign"):
            measure_assign(swarm, kind, count)
        if given.wants(f"containers_{kind}_idle_cpu"):
            measure_idle(swarm, kind, 1 if given.smoke else 30)

    if given.wants(f"containers_{kind}_assign") or given.wants(f"containers_{kind}_idle_cpu"):
        with_swarm(kind, 1, one)
    if given.wants(f"containers_{kind}_{nodes}nodes"):
        with_swarm(kind, nodes, lambda swarm: measure_many(swarm, kind, nodes, min(count, 3)))


def main():
    given = options(__doc__)
    kinds = [kind for kind in ("docker", "podman") if given.wants(f"containers_{kind}")]
    kinds = kinds[:1] if given.smoke else kinds
    for kind in kinds:
        if why := why_no_engine(kind):
            print(why, file=sys.stderr)
            continue
        old = leave_network()
        measure(kind, given)
        return_to_network(old)


main()
