"""Trains a swarm on this host and shows what it is good for: `./run demo`.

One SN, and per node an SL with its training program, as separate processes with certificates of their own. At the
end: how well each node does alone, how well with all data in one place, and how well the swarm does, whose data never
left their programs; and the record of the last merge, read back from the chain.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import sys
import tempfile
import time
from typing import Any, Callable, List

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests")]

import data
import numpy as np
import options
from beside import CERTIFICATE, PageBeside
from faults import FAULTS
from launcher.certificates import Certs
from launcher.chain import DEFAULT_CONTRACT, Merge
from launcher.pairs import Pair, PairSwarm
from launcher.processes import BIN, Failure, Process, stop_all

INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLL_SECONDS = 0.1
REDRAW_SECONDS = 0.3  # in a terminal
STATUS_SECONDS = 5  # between two status lines where there is none


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="./run demo")
    parser.add_argument("--keras", action="store_true", help="the programs use Keras (KERAS_BACKEND, default torch)")
    parser.add_argument("--nodes", type=int, default=4, help="nodes of a swarm, 2 to 16")
    parser.add_argument("--contracts", type=int, default=1, help="swarms at once, each under a contract of its own")
    parser.add_argument("--epochs", type=int, default=options.EPOCHS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--min-peers", type=int, help="nodes that a merge needs (default: all)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the outcome to FILE too")
    parser.add_argument("--keep", action="store_true", help="keep the folder with data, certificates and logs")
    parser.add_argument("--ui", action="store_true", help="with the management page, which stays until Ctrl-C")
    parser.add_argument("--fault", choices=sorted(FAULTS), help="kill -9 something in mid-training and start it again")
    parser.add_argument("--fault-round", type=int, default=20, help="when: after this many rounds")
    args = parser.parse_args()
    for name, least, most in (("nodes", 2, 16), ("contracts", 1, 4), ("epochs", 1, 1000)):
        if not least <= getattr(args, name) <= most:
            parser.error(f"--{name}: {least} to {most}")
    args.min_peers = args.min_peers or args.nodes
    return args


class Demo:
    """One run, from certificates to the table."""

    def __init__(self, args: argparse.Namespace, folder: pathlib.Path):
        self.args, self.folder = args, folder
        self.started = time.monotonic()
        if not (BIN / "swarmd").exists():
            raise Failure(f"{BIN}/swarmd is not there; ./run build makes it")
        self.contracts = [DEFAULT_CONTRACT, *(f"digits-{number}" for number in range(2, args.contracts + 1))]
        names = [f"sl-{number + 1}" for number in range(args.contracts * args.nodes)]
        certs = Certs(folder / "certificates", "sn-1", *names, CERTIFICATE)
        self.swarm = PairSwarm(folder, names, self.contracts[1:], certs)
        self.page = PageBeside(folder, certs, self.swarm.sn.port) if args.ui else None
        self.names = names
        self.program = "digits_keras" if args.keras else "digits_pyt"
        self.environment = {
            "PYTHONPATH": str(ROOT / "python"),
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
            "KERAS_BACKEND": os.environ.get("KERAS_BACKEND", "torch"),
            "DATA_DIR": str(folder),
        }
        images, labels = data.digits()
        np.savez(folder / data.FILE, images=images, labels=labels)
        self.baselines = self._baselines()
        self.bytes_between_sls = dict.fromkeys(names, 0)
        self.screen = Screen()

    def run(self) -> dict:
        self.swarm.start_sn()
        if self.page:
            self.page.start()
        self.baselines.start()
        for index, name in enumerate(self.names):
            self._start_pair(index, name)
        self.trained_from = time.monotonic()
        self._watch()
        self.trained_to = time.monotonic()
        self._wait_for_the_rest()
        return self._outcome()

    def stop(self) -> None:
        if self.page:
            self.page.stop()
        stop_all([self.baselines])
        self.swarm.stop()

    def _start_pair(self, index: int, name: str) -> Pair:
        args, node = self.args, index % self.args.nodes
        swarm = index // args.nodes
        contract = self.contracts[swarm]
        # A second swarm gets another seed: it trains another model on the same data.
        numbers = ["--node", node, "--nodes", args.nodes, "--epochs", args.epochs, "--seed", args.seed + swarm]
        flags = [*numbers, "--min-peers", args.min_peers, "--contract", contract, "--result"]
        script = HERE / f"{self.program}.py"

        def command(result: pathlib.Path) -> List[object]:
            return [sys.executable, script, *flags, result]

        return self.swarm.add_pair(name, contract, command, self.environment)

    def _baselines(self) -> Process:
        args = self.args
        numbers = ["--nodes", args.nodes, "--epochs", args.epochs, "--seed", args.seed]
        result = self.folder / "baselines.json"
        command = [sys.executable, HERE / "baselines.py", "--program", self.program, *numbers, "--result", result]
        return Process("baselines", command, self.folder, {**self.environment, "MODEL_DIR": str(self.folder)})

    def _watch(self) -> None:
        """Until all programs have ended well."""
        fault = FAULTS[self.args.fault](self.swarm, self.args.fault_round) if self.args.fault else None
        while any(pair.program.exit_code != 0 for pair in self.swarm.pairs):
            if fault is None or not fault.under_way():
                self.swarm.check_running()
            self._check_baselines()
            self.screen.show(self.swarm.pairs, fault.text if fault else "")
            self._count_bytes()
            time.sleep(POLL_SECONDS)
        if fault is not None and not fault.done:
            raise Failure(f"training was over before --fault {self.args.fault} could happen")
        self.screen.show(self.swarm.pairs, fault.text if fault else "", last=True)

    def _count_bytes(self) -> None:
        for pair in self.swarm.pairs:
            self.bytes_between_sls[pair.sl.name] = max(self.bytes_between_sls[pair.sl.name], pair.bytes_between_sls())

    def _check_baselines(self) -> None:
        if self.baselines.exit_code not in (None, 0):
            raise Failure(f"baselines failed:\n{self.baselines.tail()}")

    def _wait_for_the_rest(self) -> None:
        """The SLs end by themselves when the training is over; the baselines may take a little longer."""
        if self.baselines.running():
            print("the swarm has finished; waiting for the baselines", flush=True)
        while self.baselines.running():
            time.sleep(POLL_SECONDS)
        self._check_baselines()
        for pair in self.swarm.pairs:
            self.swarm.wait(pair.sl.has_ended, f"{pair.sl.name} to end after the training", [self.swarm.sn])
        self.swarm.check_running()

    def _outcome(self) -> dict:
        accuracy = json.loads((self.folder / "baselines.json").read_text())
        swarms = []
        for contract in self.contracts:
            results = [json.loads(p.result.read_text()) for p in self.swarm.pairs if p.contract == contract]
            merges = self.swarm.sn.merges(contract)
            if not merges:
                raise Failure(f"the chain has no merge of {contract}")
            swarms.append(self._swarm_outcome(contract, results, merges))
        return {
            **swarms[0],
            "accuracy": {**accuracy, "swarm": swarms[0]["accuracy_swarm"]},
            "platform": self.program,
            "seconds_total": time.monotonic() - self.started,
            "seconds_training": self.trained_to - self.trained_from,
            "fault": self.args.fault,
            "swarms": swarms,
        }

    def _swarm_outcome(self, contract: str, results: List[dict], merges: List[Merge]) -> dict:
        pairs = [pair for pair in self.swarm.pairs if pair.contract == contract]
        return {
            "contract": contract,
            "accuracy_swarm": [result["accuracy"] for result in results],
            "final_digest": [result["digest"] for result in results],
            "chain_digest": merges[-1].digest,
            "block_num": merges[-1].block_num,
            "contributors": len(merges[-1].contributors),
            "rounds": len(merges),
            "model_bytes": merges[-1].size,
            "seconds_in_sync": sum(result["seconds_in_sync"] for result in results) / len(results),
            "bytes_between_sls": sum(self.bytes_between_sls[pair.sl.name] for pair in pairs),
            "bytes_program_to_sl": sum(result["bytes_to_sl"] for result in results),
            "bytes_sl_to_program": sum(result["bytes_from_sl"] for result in results),
        }


class Screen:
    """One line per node, redrawn, in a terminal; otherwise one line per swarm every few seconds."""

    def __init__(self) -> None:
        self.redraw = sys.stdout.isatty()
        self.lines = 0
        self.started = self.shown_at = time.monotonic()

    def show(self, pairs: List[Pair], note: str, last: bool = False) -> None:
        now = time.monotonic()
        if not last and now - self.shown_at < (REDRAW_SECONDS if self.redraw else STATUS_SECONDS):
            return
        self.shown_at = now
        programs = [(pair, Progress(pair.program.log())) for pair in pairs]
        if self.redraw:
            lines = [f"{pair.sl.name:>6}  {progress.text()}" for pair, progress in programs]
            lines.append(f"        {note}")
            up = f"\x1b[{self.lines}A" if self.lines else ""
            print(up + "\n".join("\x1b[2K" + line for line in lines), flush=True)
            self.lines = len(lines)
            return
        for contract in dict.fromkeys(pair.contract for pair in pairs):
            members = [progress for pair, progress in programs if pair.contract == contract]
            rounds = " ".join(str(progress.rounds) for progress in members)
            slowest = min(members, key=lambda progress: progress.rounds)
            text = f"{now - self.started:4.0f} s  {contract}: rounds {rounds}; {slowest.text()}"
            print(f"{text}; {note}" if note else text, flush=True)


class Progress:
    """What a program's log says of its training."""

    def __init__(self, log: str):
        self.log = log
        self.rounds = log.count("Merge Done")
        self.epochs = re.findall(r"^epoch (\d+/\d+)", log, re.MULTILINE)
        self.losses = [float(loss) for loss in re.findall(r"merged parameters = (\S+)", log)]

    def text(self) -> str:
        if "accuracy on the common test set" in self.log:
            return f"finished after {self.rounds} rounds, loss of the final model {self.losses[-1]:.4f}"
        if "Final merging starts" in self.log:
            return f"round {self.rounds}, waits for the others to finish"
        if not self.losses:
            return "waits for its first merge" if "Starting Swarm merging" in self.log else "starts"
        epoch = f"epoch {self.epochs[-1]}, " if self.epochs else ""
        return f"round {self.rounds}, {epoch}loss of the merged model {self.losses[-1]:.4f}"


def table(outcome: dict) -> str:
    accuracy = outcome["accuracy"]
    lines = ["", "accuracy on the common test set", "  node    alone    in the swarm"]
    for node, alone in enumerate(accuracy["alone"]):
        lines.append(f"  {node:>4}   {alone:6.2%}   {accuracy['swarm'][node]:6.2%}")
    lines.append(f"  all data in one place: {accuracy['central']:.2%}")
    for swarm in outcome["swarms"]:
        same = "equal to" if set(swarm["final_digest"]) == {swarm["chain_digest"]} else "DIFFERENT FROM"
        lines += [
            "",
            f"training contract {swarm['contract']}" + _accuracies(swarm, outcome),
            f"  {swarm['rounds']} rounds; a program spent {swarm['seconds_in_sync']:.1f} s of "
            f"{outcome['seconds_training']:.1f} s in them, waiting for others included",
            f"  model of {swarm['model_bytes']:,} bytes; moved between SLs: {swarm['bytes_between_sls'] / 1e6:.1f} MB, "
            f"programs to SLs: {swarm['bytes_program_to_sl'] / 1e6:.1f} MB, "
            f"SLs to programs: {swarm['bytes_sl_to_program'] / 1e6:.1f} MB",
            f"  final merge of {swarm['contributors']} models, on the chain in block {swarm['block_num']}:",
            f"    {swarm['chain_digest']}",
            f"  {same} the digest of the parameters that each program has loaded",
        ]
    lines.append(f"\n{outcome['seconds_total']:.1f} s in all")
    return "\n".join(lines)


def _accuracies(swarm: dict, outcome: dict) -> str:
    if len(outcome["swarms"]) == 1:
        return ""
    return ", accuracies " + ", ".join(f"{value:.2%}" for value in swarm["accuracy_swarm"])


def run(args: argparse.Namespace, folder: pathlib.Path, kind: Callable[..., Any] = Demo) -> int:
    """`kind`: what is run; examples/operators has another one."""
    demo: Any = None
    try:
        demo = kind(args, folder)
        outcome = demo.run()
        print(table(outcome), flush=True)
        if args.json:
            args.json.write_text(json.dumps(outcome, indent=2) + "\n")
        if demo.page:
            demo.page.stay()
    except Failure as failure:
        args.keep = demo is not None
        print(f"\ndemo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted", file=sys.stderr)
        return 130
    finally:
        for number in INTERRUPTIONS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave processes behind
        if demo is not None:
            demo.stop()
    if any(set(swarm["final_digest"]) != {swarm["chain_digest"]} for swarm in outcome["swarms"]):
        args.keep = True
        print("demo: a program's final model is not the one on the chain", file=sys.stderr)
        return 1
    return 0


def interrupt(*unused: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    args = parse()
    for number in INTERRUPTIONS:
        signal.signal(number, interrupt)
    # Short, because the path of a Unix socket has at most 107 bytes.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="swarmd-demo-"))
    code = run(args, folder)
    if args.keep:
        print(f"logs and data are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
