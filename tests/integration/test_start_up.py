"""What an operator can get wrong: an exit status other than 0 and a line that says what it was."""

import os
import pathlib
import signal
import socket
import subprocess

import numpy as np
import pytest
from harness import SL, SN, Certs, Process, Program, free_port, says, shown, trains, until


@pytest.fixture
def start(folder):
    started = []

    def make(*arguments, name="node", **options):
        process = Process(name, folder, arguments, **options)
        started.append(process)
        return process.start()

    yield make
    for process in started:
        process.clean_up()


def refused(process, *expected):
    """Ends by itself with status 1 and one line that says why."""
    assert process.wait_exit() == 1
    lines = [line for line in process.log().splitlines() if line.startswith("swarmd: ")]
    assert len(lines) == 1, process.log()
    for word in expected:
        assert says(process.log(), word), process.log()


def sn_flags(folder):
    return ["--role", "sn", "--sentinel", "--host-ip", "127.0.0.1", "--data-dir", f"{folder}/node"] + [
        *("--sn-api-port", str(free_port()), "--sn-p2p-port", str(free_port()))
    ]


def test_no_certificates(start, folder):
    refused(start(*sn_flags(folder)), "--key", "--cert")


def test_missing_certificate_file(start, folder, certs):
    flags = certs.flags("sn-1")
    flags[3] = f"{folder}/nothing.pem"
    refused(start(*sn_flags(folder), *flags), "nothing.pem")


def test_key_of_another_certificate(start, folder, certs):
    flags = certs.flags("sn-1")
    flags[1] = certs.folder / "sl-1-key.pem"
    refused(start(*sn_flags(folder), *flags), "sl-1-key.pem", "sn-1-cert.pem")


def test_certificate_that_is_none(start, folder, certs):
    broken = f"{folder}/broken.pem"
    with open(broken, "w") as file:
        file.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    flags = certs.flags("sn-1")
    flags[3] = broken
    refused(start(*sn_flags(folder), *flags), "broken.pem")


def test_rules_about_members_that_are_wrong(start, folder, certs):
    rules = pathlib.Path(folder) / "members.yaml"
    flags = [*sn_flags(folder), *certs.flags("sn-1"), "--members", rules]
    refused(start(*flags), "members", str(rules), "is not there")
    rules.write_text("rules:\n  - match: {}\n    roles: [boss]\n")
    refused(start(*flags), f"--members: {rules}:3:13: rules[0].roles[0]: ", "SN")
    refused(start(*flags, "--check"), f"--members: {rules}:3:13: rules[0].roles[0]: ")
    rules.write_text("rules:\n  - match: { subject: { CN: sn-1 } }\n    roles: [SL, SWOP]\n")
    refused(start(*flags), "is for SL and SWOP by the rule in line 2", "not for SN", "roles: [SN]")


def test_expired_certificate(start, folder, certs):
    key, request, expired = certs.folder / "sn-1-key.pem", f"{folder}/request.pem", f"{folder}/expired.pem"
    ca = ["-CA", certs.capath / "ca-cert.pem", "-CAkey", certs.folder / "ca" / "ca-key.pem", "-set_serial", "77"]
    for command in (
        ["req", "-new", "-key", key, "-subj", "/CN=sn-1", "-out", request],
        ["x509", "-req", "-in", request, *ca, "-days", "0", "-out", expired],  # over as soon as it is made
    ):
        subprocess.run(["openssl", *command], check=True, capture_output=True)
    flags = certs.flags("sn-1")
    flags[3] = expired
    refused(start(*sn_flags(folder), *flags), expired, "expired on")


@pytest.fixture
def small_disk(folder):
    """A folder that can be filled; only root may have one."""
    disk = pathlib.Path(folder) / "disk"
    disk.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=96m", "swarmd-test", disk], capture_output=True, text=True
        )
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if mounted.returncode != 0:
        pytest.skip(f"this user cannot mount a small disk: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def fill(disk):
    """A file that takes all room that is left."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        piece = bytes(1 << 20)
        while piece:
            try:
                file.write(piece)
            except OSError:
                piece = piece[: len(piece) // 2]
    return filler


def test_full_disk_at_start(start, folder, certs, small_disk):
    fill(small_disk)
    flags = sn_flags(folder)
    flags[flags.index("--data-dir") + 1] = small_disk / "node"
    process = start(*flags, *certs.flags("sn-1"))
    assert process.wait_exit() not in (0, None)
    assert says(process.log(), small_disk) and says(process.log().lower(), "space left"), process.log()


def test_an_sn_waits_for_room_on_its_disk(swarm, small_disk):
    sn = swarm.sn = SN(swarm.folder, swarm.certs)
    sn.data_dir = small_disk / "node"
    sn.arguments[sn.arguments.index("--data-dir") + 1] = str(sn.data_dir)
    sn.start().wait_up()
    until(sn.block_num, "the SN to have registered itself", alive=[sn])
    filler, before = fill(small_disk), sn.block_num()
    sl = swarm.add_sl()
    sn.wait_log(rf"cannot write to the chain: .*{shown('disk')}")
    assert sn.block_num() == before
    os.unlink(filler)
    sn.wait_log(r"the disk takes blocks again, at block \d+")
    sl.wait_log(r"NODE UID")
    assert sn.block_num() > before


def test_bad_role(start):
    refused(start("--role", "captain"), "captain")


def test_no_role(start):
    refused(start(), "--role")


def test_unknown_flag(start):
    refused(start("--role", "sn", "--sentinal"), "--sentinal")


def test_unknown_profile_key(start, folder):
    profile = f"{folder}/host.yaml"
    with open(profile, "w") as file:
        file.write("sn:\n  sentinel: true\n  colour: blue\n")
    refused(start("--profile", profile), f"{profile}:3:3", "colour")


def test_wrong_type_in_profile(start, folder):
    profile = f"{folder}/host.yaml"
    with open(profile, "w") as file:
        file.write("sn:\n  sentinel: true\n  sn-api-port: many\n")
    refused(start("--profile", profile), f"{profile}:3:", "many")


def test_unreadable_profile(start, folder):
    refused(start("--profile", f"{folder}/absent.yaml"), "absent.yaml")


def test_port_in_use(start, folder, certs):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", free_port()))
        taken.listen()
        port = taken.getsockname()[1]
        flags = sn_flags(folder)
        flags[flags.index("--sn-api-port") + 1] = str(port)
        process = start(*flags, *certs.flags("sn-1"))
        assert process.wait_exit() not in (0, None)
        assert says(process.log(), port) and says(process.log(), "in use"), process.log()


def test_data_dir_of_another_process(swarm):
    swarm.start_sn()
    second = SN(swarm.folder, swarm.certs)
    second.log_path = second.folder / "second.log"
    swarm.others.append(second)
    assert second.start().wait_exit() not in (0, None)
    assert says(second.log(), swarm.sn.data_dir), second.log()
    assert swarm.sn.running() and swarm.sn.block_num() >= 0


def test_foreign_authority_is_named_and_tried_again(swarm, tmp_path):
    swarm.start_sn()
    foreign = Certs(tmp_path / "foreign", "sl-1")
    sl = swarm.add_sl(identity=foreign.flags("sl-1"))
    sl.wait_log(rf"Unable to contact API-Server .*{shown('certif')}")
    until(lambda: "attempt 3" in str(sl.admin("actor", name="/sl/sn")), "a third attempt", alive=[sl])
    assert sl.running() and sl.terminate() == 0


def test_an_sl_before_its_sn_goes_on_when_it_appears(swarm):
    port = free_port()
    sl = SL(swarm.folder, swarm.certs, port)
    swarm.sls.append(sl)
    sl.start().wait_log(rf"Unable to contact API-Server 127.0.0.1:{port}: .*{shown('refused')}")
    program = Program(sl, trains([{"w": np.ones(3)}]))
    swarm.start_sn(port=port)
    assert program.result().sync_count == 1
    assert sl.wait_exit() == 0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_every_role_in_order(swarm, stop):
    sl = swarm.start().sls[0].wait_ready()
    program = Program(sl, trains([{"w": np.ones(3)}], minPeers=2))  # waits for a second peer
    until(lambda: swarm.sn.events("check_ins"), "the program to wait in a round", alive=[sl])
    for process in (sl, swarm.sn):
        process.child.send_signal(stop)
        assert process.child.wait(5) == 0, process.log()  # the promise: within 5 seconds
    program.failure()


def test_verify_store(start, folder, certs):
    node = start(*sn_flags(folder), *certs.flags("sn-1"), name="sn")
    until(lambda: "with genesis" in node.log(), "the chain", alive=[node])
    look = ["--role", "sn", "--data-dir", f"{folder}/node", "--verify-store"]
    busy = start(*look, name="busy")
    assert busy.wait_exit() == 1
    assert says(busy.log(), "another process uses this directory")
    node.kill9()
    sound = start(*look, name="sound")
    assert sound.wait_exit() == 0
    assert ": sound: " in sound.log()
    repaired = start(*look, "--repair", name="repaired")
    assert repaired.wait_exit() == 0
    chain = pathlib.Path(folder) / "node" / "sn-1" / "chain"
    for table in chain.glob("*.sst"):
        table.write_bytes(table.read_bytes()[:-1])
    damaged = start(*look, name="damaged")
    assert damaged.wait_exit() == 1
    assert says(damaged.log(), "move the directory away")
