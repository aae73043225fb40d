"""What each merge method makes of two hostile nodes among eight of a real swarm.

    ./run build && .venv/bin/python examples/digits/hostile.py [--rounds 20] [--one-sided] [--methods "mean;krum:2"]

Every node trains a small network on its share of the digits and sends it to its SL; a hostile one sends something else
(`ATTACKS`). The table has the accuracy of the merged model on the common test set after the last round, as every node
gets it; below it stand the cells that are more than `BOUND` under the same method's honest run.
"""

import argparse
import pathlib
import queue
import sys
import tempfile
import threading

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/python")]

import data
from launcher.certificates import Certs
from launcher.processes import PATIENCE, until
from launcher.swarm import Swarm
from wire_client import WireClient

NODES, HOSTILE, HIDDEN, STEPS, BATCH = 8, 2, 32, 15, 32
METHODS = [
    "mean", "coordmedian", "geomedian", "trimmedmean:0.25", "krum:2", "multikrum:2,4", "clippedmean:1",
]  # fmt: skip
ATTACKS = {
    "none": "what it has learnt since the last merge, as an honest one does",
    "scaled": "that times 100",
    "flipped": "that times -10",
    "noisy": "that, and noise of deviation 1 on every value",
    "nan": "no number at all",
    "copied": "what the first honest node sends, which so counts three times",
}
BOUND = 0.03


def deal_evenly(node):
    """Every eighth sample of all."""
    (x, y), test = data.load(-1, NODES)
    order = np.random.default_rng(3).permutation(len(x))[node::NODES]
    return (x[order], y[order]), test


class Network:
    """64 pixels, one hidden layer, ten digits; the same start on all nodes."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.params = {
            "w1": (rng.normal(size=(64, HIDDEN)) / 8).astype(np.float32),
            "b1": np.zeros(HIDDEN, np.float32),
            "w2": (rng.normal(size=(HIDDEN, 10)) / 6).astype(np.float32),
            "b2": np.zeros(10, np.float32),
        }

    def scores(self, x):
        p = self.params
        with np.errstate(all="ignore"):  # a spoiled model may overflow
            return np.maximum(x @ p["w1"] + p["b1"], 0) @ p["w2"] + p["b2"]

    def step(self, x, y, rate=0.3):
        p = self.params
        hidden = np.maximum(x @ p["w1"] + p["b1"], 0)
        scores = hidden @ p["w2"] + p["b2"]
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        error = (shares / shares.sum(axis=1, keepdims=True) - np.eye(10)[y]).astype(np.float32) / len(x)
        back = (error @ p["w2"].T) * (hidden > 0)
        for name, slope in {"w2": hidden.T @ error, "b2": error.sum(0), "w1": x.T @ back, "b1": back.sum(0)}.items():
            p[name] = (p[name] - rate * slope).astype(np.float32)

    def accuracy(self, x, y):
        return float((self.scores(x).argmax(axis=1) == y).mean())


def spoil(attack, before, after, rng):
    """What a hostile node sends instead of what it has learnt since the last merge."""
    out = {}
    for name, start in before.items():
        way = after[name] - start
        if attack == "scaled":
            way = 100 * way
        elif attack == "flipped":
            way = -10 * way
        elif attack == "noisy":
            way = way + rng.normal(size=way.shape)
        elif attack == "nan":
            way = np.full_like(way, np.nan)
        out[name] = (start + way).astype(np.float32)
    return out


def train(client, node, args, method, attack, meet, copies):
    """`copies`: a queue for each hostile node, by which it gets what the first honest one sends."""
    (x, y), (x_test, y_test) = data.load(node, NODES) if args.one_sided else deal_evenly(node)
    x, x_test = x.reshape(-1, 64), x_test.reshape(-1, 64)
    rng = np.random.default_rng(node)
    network = Network()
    client.open(minPeers=NODES, mergeMethod=method)
    meet.wait(PATIENCE)
    for number in range(args.rounds):
        before = dict(network.params)
        for _ in range(STEPS):
            rows = rng.integers(len(x), size=BATCH)
            network.step(x[rows], y[rows])
        sent = spoil(attack, before, network.params, rng) if node < HOSTILE else network.params
        if node == HOSTILE:
            for each in copies:
                each.put(sent)
        elif node < HOSTILE and attack == "copied":
            sent = copies[node].get(timeout=PATIENCE)
        (client.sync if number + 1 < args.rounds else client.close)(sent)
        network.params = {name: np.array(value) for name, value in client.merged[-1].items()}
    return network.accuracy(x_test, y_test)


def run_swarm(certs, args, method, attack):
    """The accuracy at the end of one training."""
    with tempfile.TemporaryDirectory(prefix="hostile-") as folder:
        swarm = Swarm(folder, certs)
        try:
            swarm.start(sls=NODES)
            accuracies, errors = [], []
            meet, copies = threading.Barrier(NODES), [queue.SimpleQueue() for _ in range(HOSTILE)]

            def program(node, sl):
                try:
                    sl.wait_ready()
                    until(lambda: sl.pipes() == "waiting", f"{sl.name} to wait for a program", alive=[sl])
                    with WireClient(str(sl.request), str(sl.response), PATIENCE) as client:
                        accuracies.append(train(client, node, args, method, attack, meet, copies))
                except Exception as error:
                    errors.append(error)
                    meet.abort()

            threads = [threading.Thread(target=program, args=each) for each in enumerate(swarm.sls)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            if errors:
                raise errors[0]
            assert len(set(accuracies)) == 1, "every node has the same merged model"
            swarm.stop()
            return accuracies[0]
        finally:
            swarm.clean_up()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--methods", default=";".join(METHODS), help="separated by ;")
    parser.add_argument("--attacks", default=";".join(ATTACKS), help="separated by ;")
    parser.add_argument("--one-sided", action="store_true", help="every node lacks some digits, as in the demo")
    args = parser.parse_args()
    attacks = args.attacks.split(";")
    print("| method | " + " | ".join(attacks) + " |")
    print("|---" * (len(attacks) + 1) + "|")
    below = []
    with tempfile.TemporaryDirectory() as folder:
        certs = Certs(pathlib.Path(folder), "sn-1", "sl-1", "probe")
        for method in args.methods.split(";"):
            cells = {attack: run_swarm(certs, args, method, attack) for attack in attacks}
            print(f"| `{method}` | " + " | ".join(f"{value:.3f}" for value in cells.values()) + " |", flush=True)
            lost = {attack: cells.get("none", 0.0) - value for attack, value in cells.items()}
            below += [f"{method}, {attack}: {100 * loss:.1f} points" for attack, loss in lost.items() if loss > BOUND]
    if below:
        print(f"\nMore than {100 * BOUND:.0f} points below the honest run:", *below, sep="\n")


if __name__ == "__main__":
    main()
