"""How benchmarks are told what to measure, and how they tell figures."""

import argparse
import json
import os
import pathlib
import subprocess


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


def cpu_seconds(pid):
    """User and system time that a process has taken so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid, which="VmRSS"):
    """Resident, with what it shares with others; as "VmHWM" the most that it has been so far."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{which}:"):
            return int(line.split()[1]) * 1024
    raise SystemExit(f"no {which} in /proc: is this Linux?")


def disk_bytes(folder):
    return sum(file.stat().st_blocks * 512 for file in pathlib.Path(folder).rglob("*") if file.is_file())
