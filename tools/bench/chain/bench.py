"""chain_*: what a long chain costs. SWARM_BENCH_BLOCKS says how long it is (100000).

A sentinel's chain is made longer without a network (make_chain). At 1,000, 10,000 and all blocks: how long the SN takes
until its unit is ready and until it answers clients, and how long one transaction takes to be final; a grown chain
should not be felt. Then an SN without a chain joins and catches up with all of it, on the machine that the other one
runs on; and another one that takes a snapshot and fetches the blocks before it afterwards. Blocks have one transaction,
as in a quiet network. For the disk, blocks of a busy network are measured too, with 100 transactions each.
"""

import os
import pathlib
import shutil
import socket
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from figures import disk_bytes, figure, options, run_json  # noqa: E402
from swarms import BIN, Swarm, signatures_per_second, until  # noqa: E402

CATCH_UP_TARGET = 0.065  # of what the signatures of its blocks allow; each has one transaction and one seal
READY_MS = 1000  # from the start of a unit until systemd may go on, with a chain of so many blocks
READY_BLOCKS = 10_000
TXNS = 100_000
MEMORY = pathlib.Path("/dev/shm")
ROOM = 4 << 30  # bytes


def grow(sn, up_to, txns_per_block):
    """Of a stopped SN. In memory where there is room, as waiting for the disk would be most of the time."""
    with tempfile.TemporaryDirectory(prefix="swarm-bench-", dir=MEMORY if has_room() else None) as fast:
        there = shutil.copytree(sn.home, pathlib.Path(fast) / "sn")
        made = run_json(BIN / "make_chain", there, up_to, txns_per_block)
        shutil.rmtree(sn.home)
        shutil.copytree(there, sn.home)
    os.sync()  # what is measured next does not pay for it
    return made


def has_room():
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM


def start(sn):
    """Starts it; after how many milliseconds its unit is ready, and after how many it answers clients."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(f"{folder}/notify")
        notices.settimeout(600)
        sn.environment = {"NOTIFY_SOCKET": f"{folder}/notify"}
        begun = time.monotonic()
        sn.start()
        while notices.recv(100) != b"READY=1":
            pass
        ready = time.monotonic()
        sn.wait_up()
        sn.environment = {}
        return (ready - begun) * 1000, (time.monotonic() - begun) * 1000


def measure_growth(swarm, sn, lengths, count):
    """Leaves the SN running at the last length."""
    first = None
    for length in lengths:
        sn.stop()
        made = grow(sn, length, 1)
        ready_ms, start_ms = start(sn)
        final = swarm.load("txn_latency", count, 0, sn.port)
        now = {"start": start_ms, "txn_final_p50": final["txn_p50"], "txn_final_p99": final["txn_p99"]}
        first = first or now
        for name, value in now.items():
            figure(f"chain_{length}_{name}", value, "ms", f"{lengths[0]} blocks", first[name])
        promised = length <= READY_BLOCKS
        figure(f"chain_{length}_ready", ready_ms, "ms", target=READY_MS if promised else None,
               met=ready_ms < READY_MS if promised else None)
        figure(f"chain_{length}_building", made["blocks_per_second"], "blocks/s")
        figure(f"chain_{length}_memory", sn.memory() / 1e6, "MB")


def measure_catching_up(swarm, sn, smoke):
    late = swarm.more_sn("sn-2", joins=sn, flags=("--snapshot-gap", 0))
    wanted = sn.block_num()
    signatures = signatures_per_second(smoke)
    begun = time.monotonic()
    late.start()
    until(lambda: late.block_num() >= wanted, "catching up", 1800, [late])
    seconds = time.monotonic() - begun
    rate = wanted / seconds
    allowed = (signatures + signatures_per_second(smoke)) / 2 / 2
    figure("chain_catch_up", rate, "blocks/s", "recovering the 2 signatures of a block alone", allowed, CATCH_UP_TARGET,
           rate >= CATCH_UP_TARGET * allowed)
    figure("chain_catch_up_cpu", sn.cpu() / wanted * 1e6, "us per block, who gives")
    figure("chain_catch_up_cpu_late", late.cpu() / wanted * 1e6, "us per block, who takes")
    figure("chain_catch_up_memory", late.memory() / 1e6, "MB")
    late.stop()
    measure_snapshot(swarm, sn, seconds)


def measure_snapshot(swarm, sn, executing_seconds):
    wanted = sn.block_num()
    late = swarm.more_sn("sn-4", joins=sn, flags=("--snapshot-gap", wanted // 2))
    begun = time.monotonic()
    late.start()
    until(lambda: late.block_num() >= wanted, "the snapshot", 1800, [late])
    seconds = time.monotonic() - begun
    figure("chain_snapshot", seconds, "s until the head", "executing every block", executing_seconds)
    until(lambda: late.chain()["snapshot"]["phase"] == "complete", "the history", 1800, [late])
    skipped = late.chain()["snapshot"]["blocks_skipped"]
    figure("chain_snapshot_history", skipped / (time.monotonic() - begun - seconds), "blocks/s")
    late.stop()


def measure_disk(swarm, sn, txns):
    """With the SN stopped."""
    blocks = sn.last_block_num
    figure("chain_disk_1_txn_per_block", disk_bytes(sn.home / "chain") / blocks * TXNS / 1e6, "MB per 100,000 txns")
    busy = swarm.more_sn("sn-3").start().wait_up()
    busy.stop()
    before = disk_bytes(busy.home / "chain")
    made = grow(busy, max(2, txns // 100), 100)
    grown = disk_bytes(busy.home / "chain") - before
    busy.start().wait_up()
    figure("chain_disk_100_txns_per_block", grown / txns * TXNS / 1e6, "MB per 100,000 txns")
    figure("chain_100_txns_per_block_building", made["blocks_per_second"] * 100, "txns/s")
    figure("chain_100_txns_per_block_memory", busy.memory() / 1e6, "MB")


def main():
    given = options(__doc__)
    blocks = int(os.environ.get("SWARM_BENCH_BLOCKS", 300 if given.smoke else 100_000))
    lengths = [length for length in (1_000, 10_000) if length < blocks] + [blocks]
    with Swarm() as swarm:
        sn = swarm.start_sn()
        measure_growth(swarm, sn, lengths, 20 if given.smoke else 500)
        if given.wants("chain_catch_up"):
            measure_catching_up(swarm, sn, given.smoke)
        if given.wants("chain_disk"):
            sn.stop()
            measure_disk(swarm, sn, 500 if given.smoke else TXNS)


main()
