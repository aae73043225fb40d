"""RUN_NODE: the SWOP of a host starts and stops an SN of its own organisation, on the word of a SWCI."""

import contextlib
import json
import os
import shutil
import signal
import socket
import threading

import pytest
from harness import Certs, reported, says, until
from launcher.chain import Chain
from launcher.operators import DEFAULT_TASKRUNNER, SWCI, node_task, sn_definition, swop_profile
from launcher.processes import free_port
from operated import TestSwarm

CLINIC_SWCI = "swci-9"


@pytest.fixture
def swarm(request, folder, certs):
    yield from reported(request, TestSwarm(folder, certs))


def add_swop(swarm, *sns, **more):
    return swarm.add_swop({**swop_profile([]), "snnodes": list(sns), **more})


def script(swarm, task):
    """What puts a task onto the chain, has one SWOP carry it out and says how that went."""
    (swarm.usr / "taskdefs" / f"{task['Name']}.yaml").write_text(json.dumps(task))
    make = f"CREATE TASK FROM taskdefs/{task['Name']}.yaml\nFINALIZE TASK {task['Name']}\n"
    return make + carry_out(task["Name"])


def carry_out(name):
    return (
        f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}\nASSIGN TASK {name} TO {DEFAULT_TASKRUNNER} WITH 1 PEERS\n"
        f"WAIT FOR TASKRUNNER {DEFAULT_TASKRUNNER}\nGET TASKRUNNER PEER STATUS {DEFAULT_TASKRUNNER} 0\nLIST NODES"
    )


def known(answer, name):
    """The UIDs of the SNs of this name, as LIST NODES has them."""
    return [row[4] for row in answer.rows("NodeType") if row[0] == "SN" and row[3] == name]


def test_an_sn_is_started_stopped_and_goes_on(swarm, certs):
    sn = swarm.start_sn()
    port = free_port()
    swop = add_swop(swarm, sn_definition(certs, "sn-2", port))
    started = swarm.order(script(swarm, node_task("start", "sn-2")))
    assert started.field("STATUS") == "COMPLETE", started.text
    (uid,) = known(started, "sn-2")
    other = Chain(port, certs, reader="sn-2")
    until(lambda: other.block_num() == sn.block_num(), "it to have all blocks")
    process = swop.process_of("sn", "sn-2")

    # It runs already, and goes on after the run, without its SWOP, and with the next one.
    again = swarm.order(f"{carry_out('start')}\nRESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    assert again.field("STATUS") == "COMPLETE"
    assert says(swop.log(), "the SN sn-2 runs already")
    swop.terminate()
    swop.wait_exit()
    swop.start().wait_listening()
    assert process is not None and swop.process_of("sn", "sn-2") == process

    stop = script(swarm, node_task("stop", "sn-2", "STOPPED"))
    stopped = swarm.order(f"{stop}\n{carry_out('stop')}")
    assert [stopped.field("STATUS", place) for place in (0, 1)] == ["COMPLETE"] * 2, stopped.text
    assert says(swop.log(), "the SN sn-2 is stopped") and says(swop.log(), "the SN sn-2 does not run")
    assert swop.process_of("sn", "sn-2") is None and not swop.programs()
    (data,) = swop.data_dir.glob("*/nodes/sn-sn-2/data")
    assert list(data.glob("*/node.key"))
    assert "Starting SWARM-API-SERVER" in (data.parent / "log" / "output.log").read_text()

    again = swarm.order(carry_out("start"))
    assert again.field("STATUS") == "COMPLETE", again.text
    assert known(again, "sn-2") == [uid], "it has its key, and its chain"
    until(lambda: other.block_num() == sn.block_num(), "it to have all blocks again")

    # To a SWOP it went down with its host when who watched it was killed.
    swop.kill9()
    for state in swop.programs().values():
        os.kill(state["shim"]["pid"], signal.SIGKILL)
    until(lambda: not lives_at(port), "it to end")
    swop.start().wait_listening()
    swop.wait_log(r"the SN sn-2 went down with its host, and is started again")
    until(lambda: lives_at(port) and other.block_num() == sn.block_num(), "it to be back")

    # What ends it by itself is told where its operators look.
    os.kill(swop.process_of("sn", "sn-2"), signal.SIGKILL)
    swop.wait_log(r"the SN sn-2 has ended: the program was killed \(signal 9\); its last lines:")


def lives_at(port):
    with socket.socket() as link:
        return link.connect_ex(("127.0.0.1", port)) == 0


class Door:
    """Hands on what comes to its port, until it is shut."""

    def __init__(self, target):
        self.target, self.links = target, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                here, _ = self.listener.accept()
                there = socket.create_connection(("127.0.0.1", self.target))
                self.links += [here, there]
                for source, sink in ((here, there), (there, here)):
                    threading.Thread(target=pump, args=(source, sink), daemon=True).start()

    def shut(self):
        for each in (self.listener, *self.links):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def pump(source, sink):
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)


def test_what_the_profile_does_not_offer_is_not_started(swarm, certs):
    clinic = Certs(swarm.folder / "clinic", CLINIC_SWCI, "sn-9")
    (authority,) = clinic.capath.iterdir()
    sn = swarm.start_sn(flags=("--cacert", authority))
    door = Door(sn.port)
    for file in certs.capath.iterdir():
        shutil.copy(file, clinic.capath / f"other-{file.name}")
    taken = socket.create_server(("127.0.0.1", 0))
    missing = sn_definition(certs, "missing", free_port(), "sn-3")
    missing["snnodedef"]["identity"][0]["attribute"]["src"] = str(swarm.folder / "nothing.pem")
    swop = add_swop(
        swarm,
        sn_definition(certs, "busy", taken.getsockname()[1], "sn-2"),
        sn_definition(certs, "cut-off", free_port(), "sn-3", patience=1),
        sn_definition(clinic, "stranger", free_port(), "sn-9"),
        sn_definition(certs, "an-sl", free_port(), "sl-1"),
        missing,
        apisrv={"locator": {"host": "127.0.0.1", "port": door.port, "service": None}},
    )
    outcomes = {
        "nobody": ("the SWOP's profile offers no such node", "the profile offers no SN 'nobody'; it offers busy,"),
        "stranger": ("the node's certificate is refused", "this SWOP starts nodes of its own organisation"),
        "an-sl": ("the node's certificate is refused", "is for SL by its CN"),
        "missing": ("a path is missing", "nothing.pem"),
        "busy": ("the program exited (exit code 1)", "the SN busy has ended before it was a member"),
        "cut-off": ("the time limit was reached (seconds 1)", "is no member after 1 s (snpatience): asking the SN"),
    }
    orders = {node: script(swarm, node_task(f"start-{node}", node)) for node in outcomes}
    cut_off = orders.pop("cut-off")
    answer = swarm.order("\n".join(orders.values()))
    door.shut()  # the SN by which one is to join is gone; its SWOP finds another way
    late = swarm.order(cut_off)
    told = [*(answer.field("DESCRIPTION", place) for place in range(len(orders))), late.field("DESCRIPTION")]
    assert told == [outcome for outcome, _ in outcomes.values()], answer.text + late.text
    for node, (_, reason) in outcomes.items():
        assert says(swop.log(), reason), swop.log()
        assert not known(late, node)
        until(lambda name=node: swop.process_of("sn", name) is None, "nothing of it to run")
    assert "Last lines of SN busy, the program exited (exit code 1):" in answer.text
    assert f"port {taken.getsockname()[1]}" in answer.text, "its last lines say what to do"

    # Another organisation's word counts where rules say so, and only there.
    stop = node_task("theirs", "busy", "STOPPED")
    swci = SWCI(swarm.folder, clinic, swarm.usr, CLINIC_SWCI)
    theirs = swci.run(f"{swarm.opening()}{script(swarm, stop)}\nEXIT\n")
    assert theirs.field("DESCRIPTION") == "the SWOP's policy does not take it", theirs.text
    assert says(swop.log(), "a RUN_NODE of another organisation is carried out only where rules say so")
    rules = 'rules:\n  - { organisations: ["*"], types: [RUN_NODE], take: true }\n'
    (swarm.usr / "policy.yaml").write_text(rules)
    profile = json.loads((swarm.usr / "swop-1.yaml").read_text())
    (swarm.usr / "swop-1.yaml").write_text(json.dumps({**profile, "policyuri": "policy.yaml", "snnodes": []}))
    swop.kill9()
    swop.start().wait_listening()
    theirs = swci.run(f"{swarm.opening()}{carry_out('theirs')}\n{carry_out('start-busy')}\nEXIT\n")
    assert theirs.field("STATUS", 0) == "COMPLETE", "what is offered no more can be stopped"
    assert theirs.field("DESCRIPTION") == outcomes["nobody"][0], theirs.text
    assert says(swop.log(), "the profile offers no SN 'busy'; it offers none: snnodes of the profile would name them")
    taken.close()
