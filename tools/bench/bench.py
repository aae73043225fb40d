"""Runs the benchmarks and puts their figures into one table: ./run bench [NAME...] [--json FILE] [--smoke]

A benchmark is a program build/release/bin/bench_X or a script tools/bench/X/bench.py. It prints one JSON object per
figure on a line of its own: name, value, unit, reference, reference_value, ratio, target, met. The names of its figures
begin with X, so that a NAME given here selects the programs to run as well as the figures to show; a script is given
the NAMEs too, as it may do less for fewer. A figure that only informs has null as its target. Every benchmark knows
--smoke: tiny sizes, which prove that it works.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SWARM_BIN", ROOT / "build/release/bin"))
FIELDS = ("name", "value", "unit", "reference", "reference_value", "ratio", "target", "met")


def benchmarks():
    """(X, command) of every benchmark there is."""
    for program in sorted(BIN.glob("bench_*")):
        yield program.name.removeprefix("bench_"), [str(program)]
    for script in sorted((ROOT / "tools/bench").glob("*/bench.py")):
        yield script.parent.name, [sys.executable, str(script)]


def is_wanted(stem, command, names):
    """A script may have figures of other names; what they are called stands in it."""
    script = pathlib.Path(command[-1])
    text = script.read_text(encoding="utf-8") if script.suffix == ".py" else ""
    return not names or any(name.startswith(stem) or stem.startswith(name) or f'"{name}"' in text for name in names)


def figures_of(command, names):
    """The figures that one benchmark prints; what else it prints is passed on."""
    environment = {"SWARM_BENCH_PYTHON": sys.executable, **os.environ}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    for line in process.stdout:
        try:
            figure = json.loads(line)
        except ValueError:
            print(line, end="", file=sys.stderr)
            continue
        missing = [field for field in FIELDS if field not in figure]
        if missing:
            sys.exit(f"{' '.join(command)}: a figure without {', '.join(missing)}: {line.strip()}")
        if not names or any(figure["name"].startswith(name) for name in names):
            yield figure
    if process.wait() != 0:
        sys.exit(f"{' '.join(command)} failed with status {process.returncode}")


def number(value):
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def print_table(figures):
    rows = [("figure", "value", "reference", "", "ratio", "target", "")]
    for f in figures:
        reference = f"{number(f['reference_value'])} {f['unit']}" if f["reference_value"] is not None else ""
        verdict = "" if f["target"] is None else "met" if f["met"] else "MISSED"
        rows.append((f["name"], f"{number(f['value'])} {f['unit']}", reference, f["reference"], number(f["ratio"]),
                     number(f["target"]), verdict))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    parser = argparse.ArgumentParser(prog="./run bench", description="measure, each figure beside a reference")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only figures whose names begin so")
    parser.add_argument("--json", metavar="FILE", help="also write the figures as a JSON list")
    parser.add_argument("--smoke", action="store_true", help="tiny sizes, which prove that the benchmarks work")
    options = parser.parse_args()
    wanted = [(stem, command) for stem, command in benchmarks() if is_wanted(stem, command, options.names)]
    if not wanted:
        there = ", ".join(stem for stem, _ in benchmarks()) or "none"
        sys.exit(f"no benchmark is called {' '.join(options.names) or 'so'}; there are: {there}")
    figures = []
    for stem, command in wanted:
        print(f"measuring {stem} ...", file=sys.stderr, flush=True)
        names = options.names if command[-1].endswith("bench.py") else []
        figures += figures_of([*command, *names, *(["--smoke"] if options.smoke else [])], options.names)
    if not figures:
        sys.exit(f"no figure is called {' '.join(options.names)}")
    print_table(figures)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
