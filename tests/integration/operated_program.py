"""A training program for the nodes of a SWOP: numpy and the conformance client of tests/python.

The environment says what it does: SYNCS before it closes; MIN_PEERS and CONTRACT of its session; GATE, a folder: after
its first sync, or that of number GATE_AFTER, it writes GATE/NAME, and goes on when GATE/go is there; NAME, whose result
it writes to NAME.json; NEEDS, a module that has to be there; FALLING: it reports losses that fall; SIZE of its model (4
parameters). With SWARM_LOOPBACK it trains with nobody.
"""

import importlib
import json
import os
import pathlib
import time

import numpy as np
from wire_client import WireClient


def main():
    env = os.environ
    name, syncs = env["NAME"], int(env.get("SYNCS", 3))
    importlib.import_module(env.get("NEEDS", "json"))
    if env.get("SWARM_LOOPBACK") == "True":
        return
    client = WireClient(env["SL_REQUEST_CHANNEL"], env["SL_RESPONSE_CHANNEL"])
    client.open(minPeers=int(env["MIN_PEERS"]), trainingContract=env.get("CONTRACT", "defaultbb.cqdb.sml.hpe"))
    model = {"w": np.full(int(env.get("SIZE", 4)), float(env["VALUE"]), np.float32)}
    for number in range(syncs):
        falling = (1 / (number + 1) + float(env["VALUE"]) / 10, 1 - 0.5 / (number + 1))
        shown = falling if "FALLING" in env else (0.0, 0.0)
        client.sync(model, loss=lambda merged, shown=shown: shown)
        model = {"w": np.array(client.merged[-1]["w"])}
        print(f"sync {number + 1}", flush=True)
        if number + 1 == int(env.get("GATE_AFTER", 1)) and "GATE" in env:
            gate = pathlib.Path(env["GATE"])
            (gate / name).touch()
            while not (gate / "go").exists():
                time.sleep(0.02)
    client.close(model)
    pathlib.Path(f"{name}.json").write_text(json.dumps(client.merged[-1]["w"][:4].tolist()))


if __name__ == "__main__":
    main()
