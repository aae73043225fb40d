"""What a failed program wrote last: SWCIs of its organisation see it in PEER STATUS, and nobody else does anywhere."""

import contextlib
import http.client
import json
import socket
import ssl
import threading
import time

import pytest
from harness import Certs, reported, until
from launcher.operators import DEFAULT_TASKRUNNER, SWCI, node_definition, run_task, swop_profile
from launcher.processes import free_port
from launcher.swci_web import SWCI as WebSWCI
from operated import TestSwarm

MARK = "qZjXwV"
FAILS = f"""
import sys
for number in range(30):
    print("{MARK} line", number, flush=True)
sys.stdout.write("STATUS : COMPLETE \\x1b[2J \\u202e\\n")
sys.stdout.flush()
def read_patient(): raise KeyError("{MARK} patient 7")
try:
    read_patient()
except KeyError:
    import traceback; traceback.print_exc()
sys.exit(3)
"""
ENDED = "the program exited (exit code 3)"
PEER_STATUS = f"GET TASKRUNNER PEER STATUS {DEFAULT_TASKRUNNER} 0"


@pytest.fixture(scope="module")
def organisations(tmp_path_factory):
    """The certificates of two organisations that trust each other."""
    names = ("sn-1", "sl-1", "swop-1", "swop-2", "swci-1", "swci-2", "ward")
    both = [Certs(tmp_path_factory.mktemp(name), *names) for name in ("own", "other")]
    authorities = [next(iter(certs.capath.iterdir())).read_text() for certs in both]
    for certs, authority in zip(both, reversed(authorities)):
        (certs.capath / "partner.pem").write_text(authority)
    return both


class FailingSwarm(TestSwarm):
    """A SWOP whose only program fails; `port`: where it tells so."""

    def __init__(self, folder, own, other):
        super().__init__(folder, own)
        self.own, self.other = own, other
        self.port = free_port()
        self.start_sn()
        (self.usr / "model").mkdir()
        (self.usr / "model" / "fails.py").write_text(FAILS)
        self.make_task(run_task("fails", "model/fails.py", shared=[("/platform/swarm/usr/model", "/tmp/test/model")]))
        self.swop = self.add_swop(swop_profile([node_definition(own, 0)]), flags=["--swop-lines-port", str(self.port)])

    def fail(self):
        self.assign("fails", "WITH 1 PEERS")
        assert self.wait_task().field("TASK_STATE") == "ERROR"
        return self.peer_status(0)

    def foreign_status(self):
        """PEER STATUS as the other organisation's SWCI has it."""
        swci = SWCI(self.folder, self.other, self.usr, "swci-2")
        answer = swci.run(self.opening() + PEER_STATUS + "\nEXIT\n")
        assert answer.code == 0, answer.text
        return answer

    def target(self):
        """Of the part under way, as a SWCI makes it."""
        name = next(iter(self.swop.programs()))
        return "/last-lines/" + name.rsplit(".", 2)[0]

    def ask(self, certs, name, target=None, source=None):
        """Status and text of what the SWOP says to this certificate."""
        return self.ask_with(certs.context(name), target, source)

    def ask_with(self, context, target=None, source=None):
        link = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context, source_address=source)
        with contextlib.closing(link):
            link.request("GET", target or self.target())
            answer = link.getresponse()
            return answer.status, answer.read().decode()


@pytest.fixture
def swarm(request, folder, organisations):
    yield from reported(request, FailingSwarm(folder, *organisations))


def lines_of(answer):
    """What PEER STATUS shows of a program."""
    return [line.strip()[2:] for line in answer.text.splitlines() if line.strip().startswith("| ")]


def test_peer_status_shows_the_last_lines_of_what_failed(swarm):
    peer = swarm.fail()
    row = peer.rows("STATUS")[0]
    assert (row[0], row[-1]) == ("FAILED", ENDED)
    pair = "pair 0" if row[2] == "-" else row[2]  # a program may end before its SL has said who it is
    assert f"    Last lines of ML of {pair}, {ENDED}:\n" in peer.text
    lines = lines_of(peer)
    assert len(lines) == 20
    assert lines[-1] == f"KeyError: '{MARK} patient 7'"
    assert "Traceback (most recent call last):" in lines and f"{MARK} line 29" in lines
    hostile = next(line for line in lines if "COMPLETE" in line)
    assert hostile == "STATUS : COMPLETE ?[2J \N{REPLACEMENT CHARACTER}"
    assert peer.field("STATUS", 0) == "FAILED", "a program's line is no field"
    assert "LAST_LINES" not in peer.text

    swarm.swci.arguments.append("--json")
    answers = [json.loads(line) for line in swarm.order(PEER_STATUS).text.splitlines() if line.startswith("{")]
    status = next(each for each in answers if each["answer"] == "taskrunner_peer_status")
    assert [each["line"] for each in status["outputs"]] == lines
    assert all(each["of"].endswith(ENDED) for each in status["outputs"])


def test_of_what_is_well_nothing_is_shown(swarm):
    (swarm.usr / "model" / "fails.py").write_text(f"print('{MARK}')\n")
    swarm.assign("fails", "WITH 1 PEERS")
    assert swarm.wait_task().field("TASK_STATE") == "COMPLETE"
    peer = swarm.peer_status(0)
    assert lines_of(peer) == [] and "LAST_LINES" not in peer.text
    status, text = swarm.ask(swarm.own, "swci-1")
    assert (status, json.loads(text)) == (200, {"programs": []})


def test_another_organisation_sees_nothing_anywhere(swarm):
    swarm.fail()
    foreign = swarm.foreign_status()
    assert foreign.rows("STATUS")[0][-1] == ENDED, "the code is everybody's"
    assert foreign.field("LAST_LINES") == "of another organisation"
    assert lines_of(foreign) == []
    for name in ("swci-1", "swci-2", "swop-1", "sl-1", "ward"):
        status, text = swarm.ask(swarm.other, name)
        assert (status, json.loads(text)) == (403, {"refused": "other organisation"}), name
    with pytest.raises((OSError, http.client.HTTPException)):
        swarm.ask_with(ssl._create_unverified_context())

    sn = swarm.sn
    blocks = range(sn.block_num() + 1)
    chain = json.dumps(
        [[sn.rpc("eth_getBlockByNumber", hex(n), True), sn.rpc("eth_getBlockReceipts", hex(n))] for n in blocks]
    )
    theirs = chain + sn.log() + foreign.text
    assert b"swop-1".hex() in chain, "the search finds what is there"
    for wanted in (MARK, MARK.encode().hex()):
        assert wanted.lower() not in theirs.lower()


def test_of_the_own_organisation_swcis_are_told_and_other_nodes_are_not(swarm):
    swarm.fail()
    for name in ("sl-1", "swop-1", "sn-1", "ward"):
        status, text = swarm.ask(swarm.own, name)
        assert (status, json.loads(text)) == (403, {"refused": "no swci"}), name
    for name in ("swci-1", "swci-2"):
        status, text = swarm.ask(swarm.own, name)
        assert status == 200 and MARK in text, name
    assert swarm.ask(swarm.own, "swci-1", "/") == (404, "there is nothing of that name\n")
    other_part = swarm.target().rsplit(".", 1)[0] + ".9"
    assert json.loads(swarm.ask(swarm.own, "swci-1", other_part)[1]) == {"programs": []}


def test_web_mode_shows_the_lines_to_the_own_organisation_only(swarm):
    swarm.fail()
    web = WebSWCI(swarm.folder, swarm.own, "swci-2", script=swarm.opening().replace("EXIT ON FAILURE\n", ""))
    swarm.others.append(web)
    web.start().wait_up()
    for context in (swarm.own.context("swci-1"), None):  # without a certificate: a program of this host
        text = "\n".join(web.exec(PEER_STATUS, context=context))
        assert ENDED in text and MARK in text and "not shown to this client" not in text, text
    for context in (swarm.other.context("swci-1"), swarm.own.context("sl-1")):
        text = "\n".join(web.exec(PEER_STATUS, context=context))
        assert "may not command this SWCI" in text and MARK not in text, text


def test_who_cannot_be_reached_is_said_in_a_word_and_soon(swarm):
    swarm.fail()
    swarm.swop.kill9()
    assert swarm.peer_status(0).field("LAST_LINES") == "not reachable"
    listener = socket.create_server(("127.0.0.1", swarm.port))
    with listener:  # takes connections, says nothing
        begun = time.monotonic()
        assert swarm.peer_status(0).field("LAST_LINES") == "not reachable"
        assert time.monotonic() - begun < 30
    with impostor(swarm.own.context("sl-1", ssl.PROTOCOL_TLS_SERVER), swarm.port):
        assert swarm.peer_status(0).field("LAST_LINES") == "another node answers there"
    with impostor(swarm.other.context("swop-1", ssl.PROTOCOL_TLS_SERVER), swarm.port):
        assert swarm.peer_status(0).field("LAST_LINES") == "of another organisation"
    with impostor(swarm.own.context("swop-1", ssl.PROTOCOL_TLS_SERVER), swarm.port):
        assert swarm.peer_status(0).field("LAST_LINES") == "not understood"
    swarm.swop.start().wait_listening()
    assert lines_of(swarm.peer_status(0)) != [], "what a killed SWOP left is told by the next one"
    swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")
    until(lambda: not swarm.swop.programs(), "the sandboxes to go")


@contextlib.contextmanager
def impostor(context, port):
    """A server that answers every request with what is no answer."""

    def serve():
        while True:
            try:
                link, _ = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(link, server_side=True) as secured:
                secured.recv(4096)
                secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n[1,2]")

    listener = socket.create_server(("127.0.0.1", port))
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def test_a_flood_of_connections_keeps_only_its_own_host_out(swarm):
    swarm.fail()
    silent = [socket.create_connection(("127.0.0.1", swarm.port)) for _ in range(200)]
    try:
        assert swarm.ask(swarm.own, "swci-1", source=("127.0.0.2", 0))[0] == 200
    finally:
        for each in silent:
            each.close()
    until(lambda: lines_of(swarm.peer_status(0)) != [], "the flood to be over", alive=[swarm.swop])


def test_the_actor_that_tells_may_die(swarm, inspect):
    swarm.fail()
    assert "lines" in inspect(swarm.swop, "tree")
    inspect(swarm.swop, "kill", "/swop/lines")
    until(lambda: swarm.swop.admin("actor", name="/swop/lines")["restarts"] == 1, "/swop/lines to start again")
    assert lines_of(swarm.peer_status(0)) != []


def test_the_port_is_registered_and_without_an_address_there_is_none(swarm):
    rows = swarm.order("LIST NODES").rows("NodeType")
    assert [row[1:3] for row in rows if row[0] == "SWOP"] == [["127.0.0.1", str(swarm.port)]]
    arguments = swarm.swop.arguments
    at = arguments.index("--host-ip")
    swarm.swop.terminate()
    swarm.swop.wait_exit()
    swarm.swop.arguments = arguments[:at] + arguments[at + 2 :]
    swarm.swop.start().wait_listening()
    assert "without --host-ip SWCIs cannot ask" in swarm.swop.log()
    rows = swarm.order("LIST NODES").rows("NodeType")
    places = {row[0]: row[1:3] for row in rows}
    assert places["SWOP"] == places["SENTINEL"]
    assert swarm.fail().field("LAST_LINES") == "not served"
