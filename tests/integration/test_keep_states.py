"""An SN gives up old states while its swarm trains; what is permanent stays."""

import contextlib
import json
import re
import subprocess
import threading

import numpy as np
from harness import DEFAULT_CONTRACT, Program, inspect_program, until
from test_snapshot import rpc_error

KEPT = 1024  # the least that swarmd takes
BLOCKS = KEPT + KEPT // 8 + 40  # so many, and it is time to give some up


def run(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)


def states_from(sn):
    return (sn.admin("chain") or {}).get("states_from", 0)


@contextlib.contextmanager
def training(sl):
    """One peer trains meanwhile."""
    stop = threading.Event()

    def work(client):
        client.open(minPeers=1)
        params = {"w": np.ones(3)}
        while not stop.is_set():
            client.sync(params)
        client.close(params)

    program = Program(sl, work)
    try:
        yield program
    finally:
        stop.set()
    program.result()


def proof_of_first_round(swarm, name):
    file = swarm.folder / name
    made = run(inspect_program(), "--data-dir", swarm.sn.data_dir, "proof", DEFAULT_CONTRACT, 1, "-o", file)
    assert made.returncode == 0, made.stderr
    return file


def test_old_states_go_and_records_stay(swarm):
    sn = swarm.start_sn(flags=["--keep-states", KEPT])
    sl = swarm.add_sl()
    with training(sl):
        until(sn.merges, "a round", alive=[sn, sl])
        before = json.loads(proof_of_first_round(swarm, "before.json").read_text())
        until(lambda: sn.block_num() > BLOCKS, "enough blocks", patience=300, alive=[sn, sl])
        until(lambda: states_from(sn) > 0, "states to be given up", alive=[sn, sl])
    first, account = states_from(sn), sn.admin("chain")["account"]
    why = rpc_error(sn, "eth_getTransactionCount", account, "0x2")
    assert re.search(r"no state of block 2, this node keeps states from block \d+ on \(--keep-states\)", why), why
    assert int(sn.rpc("eth_getTransactionCount", account, hex(sn.block_num() - KEPT + 1)), 16) > 0
    assert int(sn.rpc("eth_getBlockByNumber", "0x2", False)["number"], 16) == 2

    after = proof_of_first_round(swarm, "after.json")
    assert json.loads(after.read_text()) == before
    verified = run(inspect_program(), "verify", after, "--genesis", sn.admin("chain")["genesis"])
    assert verified.returncode == 0, verified.stderr

    sn.kill9()  # perhaps in the middle of a sweep
    looked = run(sn.program, "--role", "sn", "--data-dir", sn.data_dir, "--node-name", sn.name, "--verify-store")
    assert looked.returncode == 0, looked.stdout + looked.stderr
    sn.start().wait_up()
    assert states_from(sn) >= first
