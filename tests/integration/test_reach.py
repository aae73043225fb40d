"""Two hospitals that reach each other by port 443 and proxies only: squid leads out, nginx or HAProxy in, by names."""

import subprocess
import threading

import numpy as np
import pytest
from harness import BIN, PATIENCE, Program, shown, trains, until
from hospitals import Hospitals, why_no_hospitals
from launcher.swci_web import run_swci

ROUNDS, SITES = 4, 4


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


def start(swarm, hospitals):
    one, two = hospitals.all
    swarm.sn = one.start_sn(swarm.folder, swarm.certs)
    second = two.start_sn(swarm.folder, swarm.certs, joins="api.sn-1.h1")
    swarm.others = [second]
    places = ((one, swarm.sn), (one, swarm.sn), (two, second), (two, second))
    swarm.sls = [
        place.add_sl(swarm.folder, swarm.certs, sn, f"sl-{number}") for number, (place, sn) in enumerate(places, 1)
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
    models = [program.result().merged[-1]["w"] for program in programs]
    for model in models:
        np.testing.assert_array_equal(model, models[0])
    np.testing.assert_allclose(models[0], np.full(1000, np.mean(range(SITES)) + ROUNDS - 1, np.float32))
    merges = one.inside.visit(swarm.sn.merges)
    assert len(merges) >= ROUNDS and all(len(merge.contributors) == SITES for merge in merges)
    assert all(sl.wait_exit() == 0 for sl in swarm.sls)

    check_doctor(swarm, one, two)
    swarm.stop()  # proxies note a way when it ends
    until(lambda: "CONNECT p2p.sn-" in one.squid_log.read_text() + two.squid_log.read_text(), "P2P in a squid's log")
    assert "CONNECT fs.sl-3.h2:443" in one.squid_log.read_text()
    assert {"api.sn-1.h1", "fs.sl-1.h1"} <= one.names_asked() <= {*one.names, "-"}


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
