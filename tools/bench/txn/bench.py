"""txn_final_*: one transaction final at the client, beside an etcd put; txn_among_reads_*: the same on one SN while
other clients make it read as much as it can, beside itself without them; txn_rate_4sn: as many as four SNs take.

The put is one of one node beside one SN, and of three nodes beside more. The rate is that of eight clients who keep 128
transactions open each, two at every SN; where its time goes is told by samples of `perf`, if that is there. Beside it:
how many transactions this machine could take if it did nothing but recover their signatures, once for each SN.
"""

import json
import pathlib
import secrets
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from figures import figure, options  # noqa: E402
from swarms import BIN, Process, Swarm, signatures_per_second  # noqa: E402

FINAL_TARGETS = {1: 2.0, 4: 4.0}  # times an etcd put, by SNs
RATE_TARGET = 0.19  # of what the signatures allow; 3,000/s where 62,000 signatures are recovered in a second
CLIENTS = 8
AMONG_READS_TARGET = 10.0  # times the same without the reads; one core of two is theirs
READERS = range(2, 9)  # numbers of clients: so many that none of them comes to its rate limit
READS_OPEN = 8  # of each


def long_read():
    """Little to answer, much to look for."""
    topics = [None, [f"0x{secrets.token_hex(32)}" for _ in range(256)]]
    return "eth_getLogs", json.dumps([{"fromBlock": "0x0", "topics": topics}])


# Which part of an SN's work a sampled function belongs to; the first that matches counts.
PARTS = (
    ("signatures", ("libsecp256k1", "secp256k1")),
    ("rocksdb", ("librocksdb", "rocksdb")),
    ("hashes", ("cryptopp", "CryptoPP", "KeccakF", "keccak")),
    ("tries", ("trie", "state_overlay", "state_view")),
    ("json", ("boost::json", "to_hex", "from_hex")),
    ("tls", ("libcrypto", "libssl")),
    ("memory", ("malloc", "free", "memcpy", "memmove", "memset", "operator new", "operator delete", "memcmp")),
    ("kernel", ("[kernel", "[k]", "vdso")),
)


def etcd_reference(swarm, sns):
    nodes = 1 if sns == 1 else 3
    port, processes = swarm.start_etcd(nodes)
    return port, processes, f"etcd put, {nodes} node{'s' if nodes > 1 else ''}, JSON gateway"


def measure_final(swarm, sns, count):
    port, processes, reference = etcd_reference(swarm, sns)
    times = swarm.load("txn_latency", count, port, swarm.sns[0].port)
    swarm.end(processes)
    target = FINAL_TARGETS.get(sns)
    for share in ("p50", "p99"):
        value, put = times[f"txn_{share}"], times[f"put_{share}"]
        figure(f"txn_final_{sns}sn_{share}", value, "ms", reference, put, target,
               None if target is None else value <= target * put)


def measure_among_reads(swarm, count):
    sn = swarm.sns[0]
    alone = swarm.load("txn_latency", max(count, 100), 0, sn.port)  # makes the blocks that are read
    floods = [Process(f"reads-{i}", [BIN / "rpc_load", *swarm.client(i), 1, 10**9, READS_OPEN, sn.port, *long_read()],
                      swarm.folder).start() for i in READERS]
    swarm.others += floods
    time.sleep(0.5)
    among = swarm.load("txn_latency", count, 0, sn.port)
    for flood in floods:
        if flood.has_ended():
            raise SystemExit(f"the reads ended: {flood.log()}")
    swarm.end(floods)
    for share in ("p50", "p99"):
        value, before = among[f"txn_{share}"], alone[f"txn_{share}"]
        figure(f"txn_among_reads_{share}", value, "ms", "without the reads", before, AMONG_READS_TARGET,
               value <= AMONG_READS_TARGET * before)


def part_of(line):
    return next((part for part, words in PARTS if any(word in line for word in words)), "other")


def shares(data):
    """Of the samples, by part, in percent; the largest functions go to stderr."""
    report = subprocess.run(
        ["perf", "report", "-i", data, "--stdio", "--no-children", "-F", "overhead,dso,symbol", "-w", "0,30,150",
         "--percent-limit", "0.01"], capture_output=True, text=True).stdout
    lines = [line.strip() for line in report.splitlines() if line.strip() and not line.startswith("#")]
    out = dict.fromkeys([*(part for part, _ in PARTS), "other"], 0.0)
    for line in lines:
        if "%" in line:
            out[part_of(line)] += float(line.split("%")[0])
    print("\n".join(lines[:40]), file=sys.stderr)
    return out


def measure_rate(swarm, count, smoke, batch=32, open_batches=4):
    signatures = signatures_per_second(smoke)
    command = [BIN / "txn_load", *swarm.client(), CLIENTS, count, batch, open_batches, *(sn.port for sn in swarm.sns)]
    load = subprocess.Popen([str(each) for each in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if load.stderr.readline() != "ready\n":
        raise SystemExit("txn_load does not start")
    data, perf = swarm.folder / "perf.data", None
    if shutil.which("perf"):
        pids = ",".join(str(sn.pid) for sn in swarm.sns)
        perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock", "-F", "250", "-o", data, "-p", pids],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before = swarm.cpu()
    output, errors = load.communicate()
    if load.returncode != 0:
        raise SystemExit(f"txn_load failed: {errors}")
    spent = swarm.cpu() - before
    outcome = json.loads(output)
    rate = outcome["per_second"]
    signatures = (signatures + signatures_per_second(smoke)) / 2
    allowed = signatures / len(swarm.sns)
    figure("txn_rate_4sn", rate, "/s", "recovering their signatures alone, on four SNs", allowed, RATE_TARGET,
           rate >= RATE_TARGET * allowed)
    figure("txn_rate_4sn_cpu", spent / count * 1e6, "us per transaction, all SNs")
    figure("txn_rate_4sn_batch_p99", outcome["batch_p99_ms"], "ms")
    if perf is None:
        return print("perf is not installed: no shares of the time", file=sys.stderr)
    perf.send_signal(signal.SIGINT)
    perf.wait()
    for part, percent in shares(data).items():
        figure(f"txn_rate_4sn_share_{part}", percent, "% of the SNs' time")


def main():
    given = options(__doc__)
    count = 20 if given.smoke else 1000
    with Swarm() as swarm:
        for sns in (1, 4) if given.smoke else (1, 3, 4, 7):
            rate = sns == 4 and given.wants("txn_rate_4sn")
            final = given.wants(f"txn_final_{sns}sn")
            among = sns == 1 and given.wants("txn_among_reads")
            if not rate and not final and not among:
                continue
            swarm.grow(sns)
            if final:
                measure_final(swarm, sns, count)
            if among:
                measure_among_reads(swarm, count)
            if rate:
                measure_rate(swarm, 400 if given.smoke else 30_000, given.smoke)


main()
