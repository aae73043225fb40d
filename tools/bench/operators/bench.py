"""operators_*: what an operator waits for: a command's answer, a list of 10,000 tasks, the first program of a task.

operators_command_*: from a line at the SWCI's prompt to its answer, for two questions and for a transaction.
operators_list_tasks: LIST TASKS with 10,000 tasks on the chain. operators_reads_*: what a long chain adds to commands
that read. operators_assign: from ASSIGN TASK to the first instructions of the first training program, in a sandbox,
with two SWOPs of two nodes each; beside it two empty sandboxes, one after the other, which is the least that an SL and
its ML cost. SWARM_BENCH_TASKS and SWARM_BENCH_BLOCKS say how many tasks and blocks there are.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE), str(HERE.parents[2] / "tests")]
from figures import figure, options, run_json  # noqa: E402
from launcher.operators import (  # noqa: E402
    DEFAULT_TASKRUNNER,
    OperatorSwarm,
    node_definition,
    run_task,
    swop_profile,
    why_no_sandboxes,
)
from session import begin_session  # noqa: E402
from swarms import BIN, Swarm, until  # noqa: E402

COMMAND_TARGET = 15.0  # ms, as those that follow
LIST_TARGET = 100.0
ASSIGN_TARGET = 300.0
GROWTH_TARGET = 1.5  # times the same at the shorter chain
SHORT_CHAIN = 1_000
RUNNER = DEFAULT_TASKRUNNER


class Operator(Swarm):
    """An SN, and one session at a SWCI."""

    def __init__(self):
        super().__init__(("sn-1", "swci-1", "sl-1"))
        self.usr = self.folder / "usr"
        self.usr.mkdir()
        self.session = None

    def begin(self):
        """Starts what was stopped."""
        if self.sn is None:
            self.start_sn()
        elif self.sn.has_ended():
            self.sn.start().wait_up()
        self.session = begin_session(self, self.usr)

    def end_session(self):
        self.session.terminate()
        self.others.remove(self.session)


def milliseconds(session, command, count, warm_up=2):
    """Of each of `count` such commands; {} in it is a number."""
    return [session.seconds(command.format(number)) * 1000 for number in range(count + warm_up)][warm_up:]


def measure_commands(swarm, count):
    swarm.load("txn_latency", 20, 0, swarm.sn.port)
    final = swarm.load("txn_latency", count, 0, swarm.sn.port)["txn_p50"]
    number = 100 if count < 100 else 5_000
    asked = 1000 / swarm.plain_answers(number) * 4  # by four threads at a time
    for name, command, reference, value in (
        ("read", "GET TASK INFO ROOTTASK", "GET /is_up, four Python clients", asked),
        ("status", f"GET TASKRUNNER STATUS {RUNNER}", "GET /is_up, four Python clients", asked),
        ("txn", "CREATE TASKRUNNER runner-{}", "a transaction final at a client", final),
    ):
        tell(f"operators_command_{name}", milliseconds(swarm.session, command, count), COMMAND_TARGET, reference, value)


def tell(name, times, target=None, reference="", reference_value=None):
    times = sorted(times)
    value = statistics.median(times)
    figure(f"{name}_p50", value, "ms", reference, reference_value, target, None if target is None else value < target)
    figure(f"{name}_p95", times[int(len(times) * 0.95)], "ms")


def measure_list(swarm, tasks, count):
    swarm.end_session()
    swarm.sn.stop()
    run_json(BIN / "make_tasks", swarm.sn.home, tasks)
    swarm.begin()
    names = swarm.session.order("LIST TASKS")["names"]
    if len(names) != tasks + 1:
        sys.exit(f"{len(names)} of {tasks} tasks are listed")
    tell("operators_list_tasks", milliseconds(swarm.session, "LIST TASKS", count), LIST_TARGET)
    swarm.end_session()
    swarm.sn.stop()
    swarm.begin()  # nothing of the chain is in memory now
    figure("operators_list_tasks_first", swarm.session.seconds("LIST TASKS") * 1000, "ms, the SN has just started")
    figure("operators_list_tasks_memory", swarm.sn.memory() / 2**20, "MiB of that SN")


READS = {
    "list_tasks": "LIST TASKS",
    "task_body": "GET TASK BODY task-0",
    "task_info": "GET TASK INFO task-0",
    "taskrunner_info": f"GET TASKRUNNER INFO {RUNNER}",
    "taskrunner_status": f"GET TASKRUNNER STATUS {RUNNER}",
    "contract_status": "GET CONTRACT STATUS defaultbb.cqdb.sml.hpe",
}


def measure_growth(swarm, tasks, blocks, count):
    """The same questions about the same tasks, near the beginning of a chain and when it has become long."""
    swarm.end_session()
    swarm.sn.stop()
    run_json(BIN / "make_tasks", swarm.sn.home, tasks)
    before = None
    for length in (min(SHORT_CHAIN, blocks // 2), blocks):
        run_json(BIN / "make_chain", swarm.sn.home, length, 1)
        swarm.begin()
        times = {name: statistics.median(milliseconds(swarm.session, command, count))
                 for name, command in READS.items()}
        swarm.end_session()
        swarm.sn.stop()
        if before is None:
            before, short = times, length
    for name, value in times.items():
        figure(f"operators_reads_{name}", value, "ms", f"at {short} blocks, not {blocks}", before[name], GROWTH_TARGET,
               value <= GROWTH_TARGET * before[name])


MARK = """#!/bin/sh
exec date +%s.%N >/tmp/test/marks/$NAME
"""


class Operated(OperatorSwarm):
    """Two SWOPs with two nodes each, whose programs write down when they began, and end."""

    def __init__(self, folder, certs):
        super().__init__(folder, certs)
        self.marks, self.model = self.usr / "marks", self.usr / "model"
        for each in (self.marks, self.model):
            each.mkdir()
        (self.model / "mark.sh").write_text(MARK)
        self.session = None

    def begin(self, swops=2, nodes=2):
        self.start_sn()
        for swop in range(swops):
            definitions = [node_definition(self.certs, i, None, {"NAME": f"{swop}-{i}"}) for i in range(nodes)]
            self.add_swop(swop_profile(definitions))
        self.make_task(run_task("mark", "model/mark.sh", "sh", shared=[
            ("/platform/swarm/usr/model", "/tmp/test/model"), ("/platform/swarm/usr/marks", "/tmp/test/marks")]))
        self.session = begin_session(self, self.usr, "swci-2")

    def status(self):
        return self.session.order(f"GET TASKRUNNER STATUS {RUNNER}")

    def run(self, peers):
        """Seconds from ASSIGN to the beginnings of the programs, the first one first."""
        self.session.order(f"RESET TASKRUNNER {RUNNER}")
        until(lambda: not any(swop.programs() for swop in self.swops), "the SWOPs to clean up", alive=self.swops)
        for mark in self.marks.iterdir():
            mark.unlink()
        begun = time.time()
        self.session.order(f"ASSIGN TASK mark TO {RUNNER} WITH {peers} PEERS")
        until(lambda: self.status()["task_state"] == "COMPLETE", "the task to complete", alive=self.swops)
        return sorted(float(mark.read_text()) - begun for mark in self.marks.iterdir())


def empty_sandboxes(count):
    """How long it takes to make so many, one after the other."""
    begun = time.monotonic()
    for _ in range(count):
        subprocess.run(["bwrap", "--unshare-user", "--unshare-pid", "--ro-bind", "/", "/", "true"], check=True)
    return time.monotonic() - begun


def measure_assign(count):
    if why := why_no_sandboxes():
        return print(why, file=sys.stderr)
    with Swarm(("sn-1", "sl-1", "swci-1", "swci-2", "swop-1", "swop-2")) as base:
        swarm = Operated(base.folder, base.certs)
        try:
            swarm.begin()
            least = [empty_sandboxes(2) * 1000 for _ in range(5)]
            runs = [swarm.run(4) for _ in range(count + 1)][1:]
            least = statistics.median([*least, *(empty_sandboxes(2) * 1000 for _ in range(5))])
        finally:
            swarm.stop()
            swarm.clean_up()
    tell("operators_assign", [run[0] * 1000 for run in runs], ASSIGN_TARGET, "two empty sandboxes", least)
    tell("operators_assign_last", [run[-1] * 1000 for run in runs])


def main():
    given = options(__doc__)
    tasks = int(os.environ.get("SWARM_BENCH_TASKS", 30 if given.smoke else 10_000))
    blocks = int(os.environ.get("SWARM_BENCH_BLOCKS", 100 if given.smoke else 20_000))
    count = 3 if given.smoke else 200
    if given.wants("operators_assign"):
        measure_assign(2 if given.smoke else 20)
    if given.wants("operators_command") or given.wants("operators_list_tasks"):
        with Operator() as swarm:
            swarm.begin()
            if given.wants("operators_command"):
                measure_commands(swarm, count)
            if given.wants("operators_list_tasks"):
                measure_list(swarm, tasks, min(count, 20))
    if given.wants("operators_reads"):
        with Operator() as swarm:
            swarm.begin()
            measure_growth(swarm, min(tasks, 200), blocks, min(count, 50))


main()
