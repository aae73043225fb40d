"""`python -m swarmlearning check`: starts the program in a process of its own, and reports what was seen."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, List, Optional

from .._training.callback import LOOPBACK_VARIABLE
from .._training.shared import shared_bytes_max
from .findings import problems_of, warnings_of
from .text import text_of

FINE, PROBLEMS, FAILED = 0, 1, 2
GRACE_SECONDS = 10.0  # for a program that was stopped to end
POLL_SECONDS = 0.05

DESCRIPTION = """\
Runs a training program alone, without a swarm, for a few batches, and tells what it would share, under which names,
with which parameters, and what keeps it from taking part or may not be meant so. What the program does before and
while it trains it really does; it is stopped before it comes to what follows. Its output goes to standard error.
"""
USAGE = "%(prog)s [--batches N] [--seconds S] [--timeout S] [--json] {program.py | -m module} [arguments]"
STATUS = "Exit status: 0 fine, 1 there are problems, 2 the program failed or makes no SwarmCallback."


def main(arguments: List[str]) -> int:
    """Returns the exit status."""
    wanted = _parser().parse_args(arguments)
    program = wanted.program if wanted.module is None else ["-m", *wanted.module]
    if program in ([], ["-m"]):
        _parser().error("which program? See --help")
    if program[0] != "-m" and not os.path.isfile(program[0]):
        _parser().error(f"there is no program {program[0]!r}")
    report = check(program, wanted.batches, wanted.seconds, wanted.timeout)
    print(json.dumps(report, indent=2) if wanted.json else text_of(report), flush=True)
    return {"fine": FINE, "problems": PROBLEMS, "failed": FAILED}[report["outcome"]]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m swarmlearning", epilog=STATUS)
    commands = parser.add_subparsers(metavar="check", required=True)
    help_text = "tell what a program would share, and what is wrong with it"
    check_parser = commands.add_parser("check", usage=USAGE, description=DESCRIPTION, epilog=STATUS, help=help_text)
    check_parser.add_argument("--batches", type=_positive, default=100, metavar="N",
                              help="stop after N batches (100), or the first epoch")  # fmt: skip
    check_parser.add_argument("--seconds", type=_positive, default=60, metavar="S",
                              help="stop with the first batch after S seconds of training (60)")  # fmt: skip
    check_parser.add_argument("--timeout", type=_positive, default=600, metavar="S",
                              help="give up when it has not come so far in S seconds (600)")  # fmt: skip
    check_parser.add_argument("--json", action="store_true", help="a report for tools")
    check_parser.add_argument("program", nargs=argparse.REMAINDER, metavar="program.py",
                              help="and its arguments, as after `python`")  # fmt: skip
    check_parser.add_argument("-m", nargs=argparse.REMAINDER, dest="module", metavar="module",
                              help="instead of a program, a module and its arguments")  # fmt: skip
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"wanted a whole number of at least 1, got {text}")
    return number


def check(program: List[str], batches: int, seconds: float, timeout: float) -> Dict[str, Any]:
    """The report. Its keys are described in docs/programs.md."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "record.json")
        command = [sys.executable, "-m", f"{__package__}.child", path, str(batches), str(seconds), *program]
        environment = {**os.environ, LOOPBACK_VARIABLE: "True"}
        # A session of its own, so that what the program has started ends with it.
        process = subprocess.Popen(command, stdout=2, env=environment, start_new_session=True)
        try:
            why = _await(process, path, timeout)
        finally:
            _end(process)
        record = _read(path)
    return _report(program, record, why, process.returncode)


def _await(process: "subprocess.Popen[bytes]", path: str, timeout: float) -> Optional[str]:
    """Until the process has ended, or was given its time; why it is to be ended, if it failed so."""
    deadline = time.monotonic() + timeout
    stopped = False
    while process.poll() is None:
        if not stopped and (_read(path) or {}).get("run", {}).get("stopped"):
            stopped = True
            deadline = time.monotonic() + GRACE_SECONDS
        if time.monotonic() >= deadline:
            return None if stopped else f"it had not trained so far after {timeout:g} s"
        time.sleep(POLL_SECONDS)
    return None


def _end(process: "subprocess.Popen[bytes]") -> None:
    """The process, and what it has started."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
        except (ProcessLookupError, PermissionError):
            break
        try:
            process.wait(2.0)
        except subprocess.TimeoutExpired:
            pass
    process.wait()


def _read(path: str) -> Optional[Dict[str, Any]]:
    try:
        with open(path, encoding="utf-8") as file:
            record: Dict[str, Any] = json.load(file)
            return record
    except FileNotFoundError:
        return None


def _report(program: List[str], record: Optional[Dict[str, Any]], why: Optional[str], code: int) -> Dict[str, Any]:
    if record is None:
        return _report(program, _no_record(), why or _ending(code), code)
    record["failure"] = why or record["failure"]
    if not record.pop("finished", False) and not record["run"]["stopped"] and not record["failure"]:
        record["failure"] = _ending(code)
    if not record["callbacks"] and not record["errors"] and not record["failure"]:
        record["failure"] = "it makes no SwarmCallback"
    size = sum(one["size"] for one in record["shared"])
    report = {"program": " ".join(program), **record, "bytes": size, "bytes_max": shared_bytes_max()}
    report["problems"], report["warnings"] = problems_of(record), warnings_of(record)
    report["outcome"] = "problems" if report["problems"] else "failed" if record["failure"] else "fine"
    return report


def _ending(code: int) -> str:
    return f"it was ended by signal {-code}" if code < 0 else f"it ended with exit status {code}"


def _no_record() -> Dict[str, Any]:
    from .recorder import Recorder

    return {**Recorder("", 0, 0).record, "finished": True}
