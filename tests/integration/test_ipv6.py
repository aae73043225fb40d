"""Nodes that reach each other by IPv6: what is printed, registered and exchanged has it in brackets."""

import socket
import subprocess

import numpy as np
import pytest
from harness import ROOT, SL, SN, Certs, Program, trains, until
from launcher.keccak import keccak256


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not has_ipv6(), reason="this host has no IPv6")
VALUES = {"w": np.ones(3, np.float32)}


def test_a_swarm_on_ipv6(swarm):
    swarm.start_sn(host="::1")
    second = swarm.join_sn("sn-2", host="::1")
    for sn in (swarm.sn, second):
        assert sn.is_up()
    swarm.add_sl(host="::1")
    swarm.sls.append(SL(swarm.folder, swarm.certs, second.port, "sl-2", host="::1"))
    swarm.sls[1].start()
    programs = [Program(sl, trains([VALUES] * 2, VALUES, minPeers=2)) for sl in swarm.sls]
    for program in programs:
        assert program.result().sync_count == 2
    assert swarm.sn.completed() and all(len(merge.contributors) == 2 for merge in swarm.sn.merges())
    for sl in swarm.sls:
        assert sl.wait_exit() == 0

    registry = "0x0000000000000000000000000000000000005001"
    call = {"to": registry, "data": "0x" + keccak256("nodes(uint256,uint256)").hex()[:8] + f"{0:064x}{10:064x}"}
    nodes = bytes.fromhex(swarm.sn.rpc("eth_call", call, "latest")[2:])
    for sl in swarm.sls:
        assert f"[::1]:{sl.files_port}".encode() in nodes
    second.wait_log(rf"\[::1\]:{swarm.sn.p2p_port}")  # by which sn-2 names the other one


def test_an_sl_whose_sn_is_gone_finds_the_next_one_by_ipv6(swarm):
    swarm.start_sn(host="::1")
    second = swarm.join_sn("sn-2", host="::1")
    sl = swarm.add_sl(host="::1").wait_ready()
    until(lambda: sl.admin("actor", name="/sl/sn")["detail"]["sns_known"] == 2, "the SL to know sn-2", alive=[sl])
    swarm.sn.kill9()
    sl.wait_log(rf"\[::1\]:{second.port}")


@pytest.mark.parametrize("names", ["IP:::1", "IP:10.0.0.1"])
def test_host_names_are_verified_against_addresses(folder, names):
    made = Certs(f"{folder}/cert", "sl-1")
    subprocess.run(
        [ROOT / "deploy/bin/gen-cert", "-o", f"{folder}/cert", "--san", names, "sn-1"], check=True, capture_output=True
    )
    sn = SN(folder, made, host="::1")
    sl = SL(folder, made, sn.port, host="::1", flags=["--verify-host"])
    try:
        sn.start().wait_up()
        sl.start()
        sl.wait_log("Opening pipes" if names == "IP:::1" else r"is for .*10.0.0.1.*, not for ::1")
        if names == "IP:::1":
            sl.wait_ready()
    finally:
        sl.clean_up()
        sn.clean_up()


def test_ipv4_still_reaches_a_node_of_ipv6(swarm):
    swarm.start_sn(host="::1")
    swarm.sn.host = "127.0.0.1"
    assert swarm.sn.is_up()
