"""Two hospitals that reach each other by port 443 and proxies only: squid leads out, nginx or HAProxy in, by names;
with certificate files, and with SVIDs. By hand, these rotate every 20 s with SWARM_ROTATION=20 SWARM_TEST_PATIENCE=300.
"""

import itertools
import os
import subprocess
import threading
import time

import numpy as np
import pytest
from harness import BIN, PATIENCE, Program, shown, trains, until
from hospitals import Hospitals, why_no_hospitals
from launcher.swci_web import run_swci
from registration import Node
from spiffe_agent import Agents, TrustDomain

ROUNDS, SITES = 4, 4
ROTATION = float(os.environ.get("SWARM_ROTATION", "2.5"))  # seconds
SVID_LIFE = 4 * ROTATION


@pytest.fixture
def hospitals():
    if why := why_no_hospitals():
        pytest.skip(why)
    with Hospitals(2) as made:
        yield made


class Halt:
    """As `between` of `trains`: all programs stand still before the second sync until `go_on`."""

    def __init__(self):
        self.reached, self.goes_on = threading.Barrier(SITES + 1), threading.Event()

    def __call__(self, number, client):
        if number == 2:
            self.reached.wait(PATIENCE)
            assert self.goes_on.wait(PATIENCE)

    def wait(self):
        self.reached.wait(PATIENCE)

    def go_on(self):
        self.goes_on.set()


class Pace:
    """Has all programs sync another time, until `end`."""

    def __init__(self):
        self.barrier = threading.Barrier(SITES, self._look)
        self.goes_on, self.ended, self.over = threading.Event(), threading.Event(), False
        self.goes_on.set()

    def _look(self):
        assert self.goes_on.wait(PATIENCE)
        self.over = self.ended.wait(0.1)

    def values(self, site):
        for number in itertools.count():
            self.barrier.wait(PATIENCE)
            if self.over:
                return
            yield {"w": np.full(1000, site + number, np.float32)}


def start(swarm, hospitals, certs=None):
    """`certs`: of the nodes of each hospital."""
    one, two = hospitals.all
    first, other = certs or (swarm.certs, swarm.certs)
    swarm.sn = one.start_sn(swarm.folder, first)
    second = two.start_sn(swarm.folder, other, joins="api.sn-1.h1")
    swarm.others = [second]
    places = ((one, first, swarm.sn), (one, first, swarm.sn), (two, other, second), (two, other, second))
    swarm.sls = [
        place.add_sl(swarm.folder, its, sn, f"sl-{number}") for number, (place, its, sn) in enumerate(places, 1)
    ]
    hospitals.open()
    for sn in (swarm.sn, second):
        sn.start().wait_up()
    for sl in swarm.sls:
        sl.start()


def doctor(hospital, swarm, *flags, login=None):
    """What it says of the way to an SN, of an SL in there that is still to be started."""
    command = [
        *hospital.inside.enter, BIN / "swarmd", "doctor", "--role", "sl", "--sl-fs-port", "30399",
        "--sl-fs-service", "fs.sl-9.h9", "--data-dir", swarm.folder / "doctor", *swarm.certs.flags("sl-1"), *flags,
    ]  # fmt: skip
    words = [str(word) for word in command]
    environment = {"PATH": "/usr/bin:/bin", **hospital.variables(login)}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment)
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines() if line.startswith("  ")]
    found = {check: (verdict, text) for verdict, check, *text in lines for text in [" ".join(text)]}
    return found, done.stdout


def test_hospitals_train_by_port_443_while_their_proxies_restart(swarm, hospitals):
    one, two = hospitals.all
    start(swarm, hospitals)
    halt = Halt()
    values = [[{"w": np.full(1000, site + number, np.float32)} for number in range(ROUNDS)] for site in range(SITES)]
    programs = [
        Program(sl, trains(values[site], between=halt, minPeers=SITES)) for site, sl in enumerate(swarm.sls)
    ]
    halt.wait()
    check_names(swarm, two)
    for each in (one, two):
        each.shut()
    swarm.others[0].wait_log(shown(f"the proxy {two.proxy}: connection refused"))
    halt.go_on()
    for each in (one, two):
        each.open()
    check_end(swarm, one, programs, ROUNDS)
    check_doctor(swarm, one, two)
    swarm.stop()  # proxies note a way when it ends
    until(lambda: "CONNECT p2p.sn-" in one.squid_log.read_text() + two.squid_log.read_text(), "P2P in a squid's log")
    assert "CONNECT fs.sl-3.h2:443" in one.squid_log.read_text()
    assert {"api.sn-1.h1", "fs.sl-1.h1"} <= one.names_asked() <= {*one.names, "-"}


def check_end(swarm, hospital, programs, rounds):
    """All have the same model, which is right, and none was left out of any round."""
    models = [program.result().merged[-1]["w"] for program in programs]
    for model in models:
        np.testing.assert_array_equal(model, models[0])
    np.testing.assert_allclose(models[0], np.full(1000, np.mean(range(SITES)) + rounds - 1, np.float32))
    merges = hospital.inside.visit(swarm.sn.merges)
    assert len(merges) >= rounds and all(len(merge.contributors) == SITES for merge in merges)
    assert all(sl.wait_exit() == 0 for sl in swarm.sls)


@pytest.fixture
def agents(folder, swarm):
    """Of two organisations that federate with each other, those of each hospital."""
    domains = [TrustDomain("hospital-1.example"), TrustDomain("hospital-2.example")]
    made = [
        Agents(f"{folder}/a{number}", domain, seconds=SVID_LIFE, rotate_every=ROTATION, federated=[other])
        for number, (domain, other) in enumerate(zip(domains, reversed(domains)), 1)
    ]
    yield made
    swarm.clean_up()
    for each in made:
        each.stop()


def test_hospitals_train_with_svids_that_rotate(swarm, hospitals, agents):
    """Longer than an SVID lives; then anew on connections of which each begins with a later one."""
    one, two = hospitals.all
    start(swarm, hospitals, agents)
    begun, pace = time.time(), Pace()
    programs = [Program(sl, trains(pace.values(site), minPeers=SITES)) for site, sl in enumerate(swarm.sls)]

    def merges(more=2):
        before = len(one.inside.visit(swarm.sn.merges))
        until(lambda: len(one.inside.visit(swarm.sn.merges)) >= before + more, "merges", alive=swarm.processes())

    def member_again(account):
        node = one.inside.visit(lambda: Node(swarm.sn.rpc, account))
        return node.active and node.expiry > begun + 2 * SVID_LIFE

    merges()
    for sl in swarm.sls:
        until(lambda: member_again(sl.node_account), f"{sl.name} to renew its membership", alive=swarm.processes())  # noqa: B023
    pace.goes_on.clear()
    for each in (one, two):
        each.shut()
        each.open()
    pace.goes_on.set()
    merges()
    pace.ended.set()
    check_end(swarm, one, programs, len(programs[0].result().merged) - 1)  # at its end comes one more
    for node in swarm.processes():
        assert "the connection ends" not in node.log() and "has expired" not in node.log(), node.name


def check_names(swarm, hospital):
    """LIST NODES, from the other hospital than that of the SN, shows services: of SNs once they have given a sign."""
    lines = ["create context t with service api.sn-1.h1", "switch context t", "list nodes"]
    around = {"within": hospital.inside.enter, "environment": hospital.variables()}
    names = {*(f"api.sn-{n}.h{n}" for n in (1, 2)), *(f"fs.sl-{n}.h{(n + 1) // 2}" for n in (1, 2, 3, 4))}

    def are_shown():
        status, printed, errors = run_swci(swarm.folder, swarm.certs, lines, **around)
        assert status == 0, (printed, errors)
        rows = [[word.strip() for word in line.split(",")] for line in printed.splitlines() if line.count(",") >= 6]
        return {tuple(row[1:3]) for row in rows[1:]} == {(name, "443") for name in names}

    until(are_shown, "LIST NODES to show services", alive=swarm.processes())


def check_doctor(swarm, one, two):
    found, said = doctor(two, swarm, "--sn-api-service", "api.sn-1.h1")
    assert found["proxy"][0] == "ok" and found["sn-port"][0] == "ok", said
    assert found["proxy"][1].startswith(f"the SN is reached by the proxy {two.proxy}, and not directly: "), said
    place = ("--sn-ip", two.inside.address, "--sn-api-port", swarm.others[0].port)
    found, said = doctor(two, swarm, *place)
    assert found["proxy"] == ("ok", "the SN is reached directly, as no_proxy says"), said
    found, said = doctor(two, swarm, "--sn-api-service", "api.sn-1.h1", login="ward:hush")
    assert found["proxy"][0] == "wrong" and "sn-port" not in found, said
    assert "refuses the user 'ward' or its password (status 407)" in said and "hush" not in said
    found, said = doctor(one, swarm, "--sn-api-service", "api.sn-1.h1:30304")
    assert found["proxy"][0] == "wrong", said
    assert "does not allow this way (status 403" in said and "port 443 only" in said
