"""round_1mb, round_45mb, round_500mb: what a sync costs the program, four peers with so much each, of which the largest
takes 16 GB of memory; round_64sl: 64 SLs with tiny models on one SN;
verify_1mb, verify_40mb: the same where merges are verified, beside rounds of trainings whose owner trusts its leaders;
verify_40mb_behind: what a sync then costs a program that trains while merges are verified.

The programs do nothing but sync, so the time of a sync is all overhead: weights to the SL, check-ins, reveals, leader's
fetches, merge, commit, fetch of the result, and back into the program. Each program is a process of its own for the
1 MB figure; 64 tiny ones are threads of one. Beside it, measured before and after: what moving and hashing these bytes,
answering as many requests and syncing as many blocks takes on this machine by itself.
"""

import functools
import hashlib
import os
import pathlib
import socket
import ssl
import statistics
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), *(str(HERE.parents[2] / each) for each in ("python", "tests"))]
from exchanges import CONTRACT, in_processes, in_threads, round_seconds  # noqa: E402
from figures import figure, options  # noqa: E402
from launcher.operators import SWCI  # noqa: E402
from swarms import Swarm  # noqa: E402

ROUNDS = 40
WARM_UP = 5
REPEATS = 5  # of the reference, before and after
REQUESTS = 200  # to learn what one costs
BLOCKS = 5  # of a round: check-ins, reveals, merge, attestations, losses
# Times the least that a round must cost, see `least_seconds`.
LARGE = {"45mb": (45_000_000 // 4, 12), "500mb": (125_000_000, 3)}  # floats, and rounds that count
TARGET_1MB = 2.0
TARGET_LARGE = 1.5
TARGET_64SL = 40.0
VERIFY_1MB = 0.020  # seconds that the checks may add
VERIFY_40MB = 1.6  # times the round without them
BEHIND_40MB = 1.1
TRAINS = 3.0  # seconds between two syncs, where checks have time to be made


def run_round(swarm, peers, floats, rounds, start):
    return round_seconds(start(peers, swarm.start_sls(peers), floats, rounds), WARM_UP)


def tls_seconds(swarm, size, count):
    """`count` bodies of `size` bytes over one TLS connection on the loopback interface."""
    context = swarm.certs.context("sl-1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(swarm.certs.folder / "sl-2-cert.pem", swarm.certs.folder / "sl-2-key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def give():
            with server.wrap_socket(listener.accept()[0], server_side=True) as link:
                link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                body = bytes(size)
                for _ in range(count):
                    link.recv(1)
                    link.sendall(body)

        giver = threading.Thread(target=give, daemon=True)
        giver.start()
        with context.wrap_socket(socket.create_connection(listener.getsockname())) as link:
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            begun = time.monotonic()
            for _ in range(count):
                link.sendall(b"?")
                missing = size
                while missing > 0:
                    missing -= len(link.recv(min(missing, 1 << 18)))
            seconds = time.monotonic() - begun
        giver.join()
    return seconds


def pipe_seconds(size, count):
    """`count` bodies of `size` bytes through a pipe."""
    reader, writer = os.pipe()

    def give():
        body = memoryview(bytes(size))
        for _ in range(count):
            sent = 0
            while sent < size:
                sent += os.write(writer, body[sent:])

    giver = threading.Thread(target=give, daemon=True)
    begun = time.monotonic()
    giver.start()
    missing = size * count
    while missing > 0:
        missing -= len(os.read(reader, 1 << 16))
    seconds = time.monotonic() - begun
    giver.join()
    os.close(reader)
    os.close(writer)
    return seconds


def hash_seconds(size, count):
    body = bytes(size)
    begun = time.monotonic()
    for _ in range(count):
        hashlib.sha256(body).digest()
    return time.monotonic() - begun


def synced_write_seconds(folder, count):
    """Appends of one page, each on the disk before the next."""
    begun = time.monotonic()
    with open(folder / "synced", "ab", buffering=0) as file:
        for _ in range(count):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
    return time.monotonic() - begun


def synced_models_seconds(folder, size, count):
    """`count` files, each written by a thread of its own and on the disk before it ends."""

    def write(number):
        with open(folder / f"model-{number}", "wb", buffering=0) as file:
            file.write(bytes(size))
            os.fdatasync(file.fileno())

    threads = [threading.Thread(target=write, args=(number,)) for number in range(count)]
    begun = time.monotonic()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return time.monotonic() - begun


def least_seconds(swarm, peers, size):
    """The reference: what a round must do, one thing after the other and by the plainest means. Every model goes to its
    SL and to the leader, the merged one to the other SLs and into every program; all of them are hashed where they
    arrive. The peers' models are brought to the disk at the same time, and so is the merge. Each peer sends four
    transactions (the leader proposes, the others attest), which count as requests that only say that the SN is up, and
    fill five blocks."""
    return (tls_seconds(swarm, size, 2 * (peers - 1)) + pipe_seconds(size, 2 * peers)
            + hash_seconds(size, 4 * peers - 2) + 4 * peers / swarm.plain_answers(REQUESTS)
            + synced_models_seconds(swarm.folder, size, peers) + synced_models_seconds(swarm.folder, size, 1)
            + synced_write_seconds(swarm.folder, BLOCKS))


def tell(name, peers, floats, rounds, start, target, repeats=REPEATS):
    with Swarm() as swarm:
        swarm.start_sn()
        least = [least_seconds(swarm, peers, 4 * floats) for _ in range(repeats)]
        value = statistics.median(run_round(swarm, peers, floats, rounds, start))
        least = statistics.median([*least, *(least_seconds(swarm, peers, 4 * floats) for _ in range(repeats))])
    figure(name, value * 1000, "ms", "its bytes moved and hashed, its requests answered, its blocks synced",
           least * 1000, target, value <= target * least)


def verify(swarm, contract, how):
    """Has a training's owner say how its merges are verified."""
    swci = SWCI(swarm.folder, swarm.certs, swarm.folder)
    said = swci.run(f"EXIT ON FAILURE\nCREATE CONTEXT c WITH IP 127.0.0.1 {swarm.sn.port}\nSWITCH CONTEXT c\n"
                    f"CREATE CONTRACT {contract}\n{how.format(contract)}\nEXIT\n")
    if said.code != 0:
        sys.exit(said.text)


def tell_verification(name, floats, rounds, target, added):
    """Rounds of a training that is verified beside those of one that is not, in turns; `added`: the target is what is
    added, else how many times as long."""
    times = {"trusted": [], CONTRACT: []}
    for _ in range(2):
        for contract, seen in times.items():
            with Swarm((*(f"sn-{i}" for i in range(1, 3)), *(f"sl-{i}" for i in range(1, 9)), "swci-1")) as swarm:
                swarm.start_sn()
                if contract != CONTRACT:
                    verify(swarm, contract, "TRUST MERGES {}")
                seen += run_round(swarm, 4, floats, rounds, lambda *what, of=contract: in_processes(*what, of))
    plain, checked = (statistics.median(seen) for seen in times.values())
    met = checked - plain <= target if added else checked <= target * plain
    figure(name, checked * 1000, "ms", "the same where its owner trusts the leaders", plain * 1000, target, met)


def tell_behind(name, floats, rounds):
    times = {}
    for how in 2 * ("TRUST MERGES {}", "VERIFY MERGES {} BEHIND"):
        with Swarm((*(f"sn-{i}" for i in range(1, 3)), *(f"sl-{i}" for i in range(1, 9)), "swci-1")) as swarm:
            swarm.start_sn()
            verify(swarm, "own", how)
            start = functools.partial(in_processes, contract="own", trains=TRAINS if floats > 1 << 20 else 0.1)
            times.setdefault(how, []).extend(run_round(swarm, 4, floats, rounds, start))
    plain, behind = (statistics.median(seen) for seen in times.values())
    figure(name, behind * 1000, "ms", "the same where its owner trusts the leaders", plain * 1000, BEHIND_40MB,
           behind <= BEHIND_40MB * plain)


given = options(__doc__)
if given.wants("round_1mb"):
    tell("round_1mb", 4, 1 << 18, 8 if given.smoke else ROUNDS, in_processes, TARGET_1MB)
for size, (floats, rounds) in {} if given.smoke else LARGE.items():
    # What takes all of the memory is measured for those who name it alone.
    if given.wants(f"round_{size}") and (size == "45mb" or f"round_{size}" in given.names):
        tell(f"round_{size}", 4, floats, WARM_UP + rounds, in_processes, TARGET_LARGE, repeats=2)
if given.wants("round_64sl"):
    peers = 4 if given.smoke else 64
    tell("round_64sl", peers, 64, 8 if given.smoke else 15, in_threads, TARGET_64SL)
if given.wants("verify_1mb"):
    tell_verification("verify_1mb", 1 << 18, 8 if given.smoke else ROUNDS, VERIFY_1MB, added=True)
if given.wants("verify_40mb"):
    floats, rounds = (1 << 10, 8) if given.smoke else (10 << 20, 15)
    tell_verification("verify_40mb", floats, rounds, VERIFY_40MB, added=False)
if given.wants("verify_40mb_behind"):
    tell_behind("verify_40mb_behind", 1 << 10 if given.smoke else 10 << 20, 8)
