"""SWCI's web mode: commands and uploads over HTTP and mutual TLS, by good clients and bad ones."""

import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import threading

import pytest
from harness import Certs, Failure, says, until
from launcher.swci_web import SWCI

TASK = """Name: {name}
TaskType: MAKE_SWARM_USER_CONTENT
Author: tests
Prereq: ROOTTASK
Outcome: {name}
Body:
  ContentType: BUILDCONTENT
  OpsList:
    - Operation: DOWNLOAD
      Target: file:///nowhere
      Options:
        - Out: x
"""
RUNNER = "defaulttaskbb.taskdb.sml.hpe"


@pytest.fixture
def start(request, folder, certs):
    """Starts SWCIs in web mode; at the end they are ended, and a failed test shows what they logged."""
    started = []

    def one(**options):
        swci = SWCI(folder, certs, f"swci-{len(started) + 1}", **options)
        started.append(swci)
        return swci.start().wait_up()

    yield one
    failed = getattr(request.node, "report_call", None)
    for swci in started:
        if failed is not None and failed.failed:
            print(swci.tail())
        swci.clean_up()


@pytest.fixture
def swci(start, sn):
    swci = start()
    assert swci.exec(f"create context t with ip 127.0.0.1 {sn.port}") == ["API Server is UP!", "CONTEXT CREATED : t"]
    assert swci.exec("switch context t") == ["DEFAULT CONTEXT SET TO : t"]
    return swci


def form(name, content, part="file"):
    head = f'--mark\r\nContent-Disposition: form-data; name="{part}"; filename="{name}"\r\n\r\n'
    return head.encode() + content + b"\r\n--mark--\r\n", {"Content-Type": "multipart/form-data; boundary=mark"}


def upload(swci, name, content, **options):
    body, headers = form(name, content if isinstance(content, bytes) else content.encode())
    status, text = swci.post("/uploadTaskDef", body, headers, **options)
    return status, json.loads(text)["CONTENT"][0]


def lines_of(swci, command):
    """As the original product's client reads an answer: no body, an element that begins with ERROR means none."""
    lines = []
    for element in swci.exec(command):
        if element.startswith("ERROR "):
            return []
        lines.extend(line.strip() for line in element.splitlines())
    return lines


def raw(swci, data, limit=1 << 16):
    """What comes back to these bytes before the connection ends."""
    out = b""
    with socket.create_connection(("127.0.0.1", swci.port), timeout=60) as link:
        try:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            while len(out) < limit and (more := link.recv(4096)):
                out += more
        except OSError:  # it has ended the connection before it had read all
            return out
    return out


# What every command answers: the first line, or a part of the error.
COMMANDS = [
    ("pwd", r"/platform/swarm/usr"),
    ("pwd()", r"/platform/swarm/usr"),
    ("ls", r"\(none\)"),
    ("ls -l", r"\(none\)"),
    ("ls nowhere", r"ERROR : .*nowhere"),
    ("cd /platform/swarm/usr", r"Current Directory : /platform/swarm/usr"),
    ("cd nowhere", r"ERROR : .*nowhere"),
    ("cd ../..", r"ERROR : .*outside"),
    ("sleep 0", r"OK"),
    ("sleep long", r"ERROR "),
    ("# a remark", r"OK"),
    ("", r"OK"),
    ("help", r"ADMIT ORGANISATION\nAPPEND TASK BODY"),
    ("help assign task", r"ASSIGN TASK"),
    ("help nonsense", r"ERROR "),
    ("nonsense", r"ERROR : unknown command"),
    ("wait for ip 127.0.0.1 {port} 1", r"API Server is UP!"),
    ("wait for ip 127.0.0.1 1 1", r"ERROR : Unable to contact API-Server"),
    ("wait for service 127.0.0.1:{port} 1", r"API Server is UP!"),
    ("create context t with ip 127.0.0.1 1", r"ERROR : .*'t'"),
    ("create context u with service", r"ERROR "),
    ("switch context nobody", r"ERROR : .*'nobody'"),
    ("list contexts", r"CONTEXT "),
    ("get context info", r"CONTEXT +: t"),
    ("get context info nobody", r"ERROR "),
    ("get context version", r"CONTEXT +: t"),
    ("set context env t A b", r"CONTEXT.*|.*A.*"),
    ("get context env t A", r"(?s).*b"),
    ("get context env t Z", r"ERROR "),
    ("list context env t", r"VARIABLE +VALUE"),
    ("list contracts", r"defaultbb.cqdb.sml.hpe"),
    ("create contract web-1", r"CONTRACT CREATED : web-1"),
    ("create contract web-1", r"ERROR "),
    ("create contract", r"ERROR "),
    ("get contract info web-1", r"CONTRACT +: web-1"),
    ("get contract info none", r"ERROR : there is no contract 'none'"),
    ("get contract status web-1", r"CONTRACT +: web-1"),
    ("get contract status none", r"ERROR "),
    ("perfdata web-1", r"CONTRACT : web-1"),
    ("perfdata contract web-1", r"CONTRACT : web-1"),
    ("perfdata none", r"ERROR "),
    ("reset contract web-1", r"CONTRACT RESET : web-1"),
    ("reset contract none", r"ERROR "),
    ("watch contract web-1", r"ERROR : WATCH CONTRACT has no end here"),
    ("create task MAKE_USER_CONTAINER web-t me ROOTTASK image", r".*web-t"),
    ("create task NO_TYPE web-u me ROOTTASK image", r"ERROR "),
    ("append task body web-t 1 BuildContext: null", r".*web-t"),
    ("append task body none 1 text", r"ERROR "),
    ("get task info web-t", r"TASK +: web-t"),
    ("get task info none", r"ERROR "),
    ("get task body web-t", r"0000: ---"),
    ("get task body none", r"ERROR "),
    ("delete task web-t", r".*web-t"),
    ("delete task web-t", r"ERROR "),
    ("finalize task none", r"ERROR "),
    ("list tasks", r"ROOTTASK"),
    ("create task from nowhere.yaml", r"ERROR : .*nowhere.yaml"),
    ("create taskrunner web-r", r".*web-r"),
    ("create taskrunner web-r", r"ERROR "),
    ("list taskrunners", r"defaulttaskbb.taskdb.sml.hpe"),
    ("get taskrunner info web-r", r"TASKRUNNER +: web-r"),
    ("get taskrunner info none", r"ERROR "),
    ("get taskrunner status web-r", r"TASKRUNNER +: web-r"),
    ("get taskrunner status none", r"ERROR "),
    ("list taskrunner peers web-r", r"No SWOP takes part\."),
    ("get taskrunner peer status web-r 0", r"ERROR "),
    ("reset taskrunner web-r", r".*web-r"),
    ("reset taskrunner none", r"ERROR "),
    ("assign task none to web-r with 1 peers", r"ERROR "),
    ("assign task none to web-r with all peers", r"ERROR "),
    ("assign task none to web-r with no peers", r"ERROR "),
    ("wait for taskrunner none", r"ERROR "),
    ("list organisations", r"ID +ORGANISATION"),
    ("list organisations now", r"ERROR "),
    ("admit organisation x from nowhere.pem", r"ERROR : .*nowhere.pem"),
    ("admit organisation x", r"ERROR "),
    ("remove organisation none", r"ERROR : there is no organisation 'none'"),
    ("replace ca of none from nowhere.pem", r"ERROR : .*nowhere.pem"),
    ("remove node none", r"ERROR "),
    ("list Nodes", r"NodeType"),
    ("doctor", r"CHECK"),
    ("exit on failure off", r"EXIT ON FAILURE IS TURNED OFF"),
    ("get model none to x.safetensors", r"ERROR "),
    ("prove none round 1 to x.json", r"ERROR "),
]


def test_every_command_answers_by_http_with_its_error_first(swci, sn):
    wrong = []
    for command, pattern in COMMANDS:
        command = command.format(port=sn.port)
        first = swci.exec(command)[0]
        if not re.match(pattern, first):
            wrong.append((command, pattern, first))
    assert wrong == []


def test_clients_of_the_original_find_what_they_look_for(swci):
    assert upload(swci, "one.yaml", TASK.format(name="one")) == (200, "Uploaded : /platform/swarm/usr/one.yaml")
    registered = [line for line in lines_of(swci, "create task from one.yaml") if "Task Registered" in line]
    assert [line.split(":")[1].strip() for line in registered] == ["one"]
    assert lines_of(swci, "finalize task one")
    assert "one" in lines_of(swci, "list tasks")

    def state():
        (line,) = [line for line in lines_of(swci, f"get taskrunner status {RUNNER}") if "TASK_STATE" in line]
        return line.split(":")[1].strip()

    assert state() == "IDLE"
    assert lines_of(swci, f"assign task one to {RUNNER} with 1 peers")
    assert state() not in ("IDLE", "COMPLETE", "ERROR")
    assert lines_of(swci, f"assign task one to {RUNNER} with 1 peers") == []
    assert lines_of(swci, f"reset taskrunner {RUNNER}")
    assert state() == "IDLE"
    header, *rows = lines_of(swci, "list Nodes")
    assert header.startswith("NodeType")
    assert [row.split(",")[0] for row in rows] == ["SENTINEL"] and len(rows[0].split(",")) >= 7


def test_every_sl_hangs_below_an_sn_that_is_listed(swarm, start):
    """The original's client draws the network along these columns, and fails at a parent that is in no row."""
    swarm.start(sls=2)
    for sl in swarm.sls:
        sl.wait_ready()
    swci = start()
    swci.exec(f"create context t with ip 127.0.0.1 {swarm.sn.port}")
    swci.exec("switch context t")
    rows = [[cell.strip() for cell in row.split(",")] for row in lines_of(swci, "list Nodes")[1:]]
    assert sorted(row[0] for row in rows) == ["SENTINEL", "SL", "SL"]
    sns = {row[4] for row in rows if row[0] == "SENTINEL"}
    assert {row[5] for row in rows if row[0] == "SL"} == sns
    assert sorted(row[3] for row in rows) == ["sl-1", "sl-2", "sn-1"]


def test_nodes_hang_below_the_sn_that_they_talk_to(swarm, start):
    swarm.start_sn()
    near = swarm.join_sn("sn-2")
    for sn in (swarm.sn, near):
        swarm.add_sl(sn_port=sn.port).wait_ready()
    swci = start()
    swci.exec(f"create context t with ip 127.0.0.1 {swarm.sn.port}")
    swci.exec("switch context t")

    def rows():
        return [[cell.strip() for cell in row.split(",")] for row in lines_of(swci, "list Nodes")[1:]]

    until(lambda: len(rows()) == 4, "all nodes to be registered")
    uids, parents = ({row[3]: row[column] for row in rows()} for column in (4, 5))
    assert parents == {"sn-1": "-", "sn-2": "-", "sl-1": uids["sn-1"], "sl-2": uids["sn-2"]}


def test_characters_that_clients_do_not_escape(start):
    swci = start()
    (swci.usr / "a+b&c").mkdir()
    for target, at in {
        "/exec?cmd=cd%20a+b&c": "a+b&c",
        "/exec?cmd=cd%20/platform/swarm/usr": "",
        "/exec?cmd=cd%20%61%2Bb%26c": "a+b&c",
        "/exec?cmd=cd%20..": "",
    }.items():
        status, _ = swci.post(target)
        assert status == 200
        assert swci.exec("pwd") == [("/platform/swarm/usr/" + at).rstrip("/")], target
    assert swci.post("/exec?cmd=ls%0Apwd")[0] == 400
    assert swci.post("/exec")[0] == 400
    assert swci.post("/elsewhere")[0] == 404


def test_a_task_definition_is_stored_where_create_task_finds_it(swci):
    (swci.usr / "taskdefs").mkdir()
    swci.exec("cd taskdefs")
    stored = upload(swci, "two.yaml", TASK.format(name="two"))
    assert stored == (200, "Uploaded : /platform/swarm/usr/taskdefs/two.yaml")
    assert (swci.usr / "taskdefs" / "two.yaml").read_text() == TASK.format(name="two")
    assert "Task Registered : two" in "\n".join(swci.exec("create task from two.yaml"))
    # Again, with another content, and broken, and whole again.
    for content in (TASK.format(name="three"), "Name: [", TASK.format(name="four")):
        assert upload(swci, "two.yaml", content)[0] == 200
        assert (swci.usr / "taskdefs" / "two.yaml").read_text() == content
    assert sorted(file.name for file in (swci.usr / "taskdefs").iterdir()) == ["two.yaml"]


def test_uploads_replace_task_definitions_only_and_stay_in_the_folder(start, folder):
    outside = pathlib.Path(folder) / "outside"
    outside.write_text("kept")
    swci = start(script="pwd\n")
    (swci.usr / "link.yaml").symlink_to(outside)
    (swci.usr / "folder.yaml").mkdir()
    (swci.usr / "task.yaml").write_text(TASK.format(name="old"))
    for name in ("swci-init", "link.yaml", "folder.yaml"):
        status, said = upload(swci, name, TASK.format(name="new"))
        assert status == 200 and said.startswith("ERROR : "), (name, said)
    assert (swci.usr / "swci-init").read_text() == "pwd\n"
    assert outside.read_text() == "kept"
    assert upload(swci, "task.yaml", TASK.format(name="new"))[0] == 200
    assert "new" in (swci.usr / "task.yaml").read_text()
    for name in ("../up.yaml", "/etc/up.yaml", "a/b.yaml", "..", ".bashrc", "", "x" * 200):
        assert upload(swci, name, "x")[0] == 400, name
    assert upload(swci, "large.yaml", b"#" * (1024 * 1024 + 1))[0] == 413
    head = b"POST /uploadTaskDef HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n"
    assert raw(swci, head).startswith(b"HTTP/1.1 413")
    assert upload(swci, "binary.yaml", b"\xff\xfe")[0] == 400
    assert swci.post("/uploadTaskDef", *form("a.yaml", b"x", part="data"))[0] == 400
    assert swci.post("/uploadTaskDef", b"x", {"Content-Type": "text/plain"})[0] == 400
    assert swci.post("/uploadTaskDef")[0] == 400
    left = {"swci-init", "link.yaml", "folder.yaml", "task.yaml"}
    assert {file.name for file in swci.usr.iterdir()} == left


def test_with_tls_a_certificate_for_swci_of_its_organisation_is_needed(start, certs, tmp_path):
    swci = start()
    # Whose SWCI it is acts in the network's name for tasks that run on other hosts.
    for path in ("/exec?cmd=pwd", "/interrupt"):
        status, text = swci.post(path, context=certs.context("sl-1"))
        assert status == 403 and says(text, "may not command this SWCI: its certificate is not for SWCI"), text
    assert "refused: OU=Swarm-Learning, CN=sl-1" in swci.log() and "CN=sl-1) commands" not in swci.log()
    other = Certs(tmp_path / "other", "swci-1")
    trusting = start(flags=("--cacert", next(other.capath.iterdir())))
    context = other.context("swci-1")
    context.load_verify_locations(next(certs.capath.iterdir()))
    status, text = trusting.post("/exec?cmd=pwd", context=context)
    assert status == 403 and says(text, "its certificate is of another organisation"), text
    assert swci.exec("pwd", context=certs.context("swci-1")) == ["/platform/swarm/usr"]
    assert "CN=swci-1) commands: pwd" in swci.log()
    assert swci.exec("pwd") == ["/platform/swarm/usr"]  # from this host, without
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    nobody.check_hostname, nobody.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        swci.exec("pwd", context=nobody)
    foreign = Certs(tmp_path, "swci-1").context("swci-1")
    foreign.verify_mode = ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        swci.exec("pwd", context=foreign)
    assert swci.exec("pwd") == ["/platform/swarm/usr"]


def own_address():
    """One of this host that is not the loopback interface's, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def test_from_other_hosts_plain_http_is_refused_unless_the_operator_says_so(start, certs):
    address = own_address()
    if address is None:
        pytest.skip("this host has no address besides the loopback interface's")
    swci = start(host=address)
    status, text = swci.post("/exec?cmd=pwd")
    assert status == 403 and says(text, "HTTPS with a client certificate")
    assert swci.exec("pwd", context=certs.context("swci-1")) == ["/platform/swarm/usr"]
    assert "ANYBODY" not in swci.log()
    open_to_all = start(host=address, flags=("--swci-web-plain",))
    assert open_to_all.exec("pwd") == ["/platform/swarm/usr"]
    assert "ANYBODY who reaches" in open_to_all.log()


def test_web_pages_command_nothing(start):
    swci = start()
    for origin in ("http://evil.example", "null", f"http://127.0.0.1:{swci.port}"):
        status, text = swci.post("/exec?cmd=pwd", headers={"Origin": origin})
        assert status == 403 and says(text, "web pages")


def test_garbage_and_huge_requests_harm_nobody(start):
    swci = start()
    assert raw(swci, os.urandom(3000).replace(b"\x16", b"\x17")).startswith((b"HTTP/1.1 400", b""))
    assert raw(swci, b"\x16\x03\x01" + os.urandom(500)) is not None
    assert raw(swci, b"") == b""
    assert raw(swci, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 404")
    assert raw(swci, b"GET /exec?cmd=pwd HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 405")
    assert raw(swci, b"POST /exec?cmd=" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 431")
    assert raw(swci, b"POST /exec?cmd=" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 400")
    upgrade = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    assert raw(swci, upgrade + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n").startswith(b"HTTP/1.1 404")
    assert swci.exec("pwd") == ["/platform/swarm/usr"]


def test_slow_clients_hold_nobody_up(start):
    swci = start()
    slow = [socket.create_connection(("127.0.0.1", swci.port)) for _ in range(40)]
    try:
        for link in slow:
            link.sendall(b"POST /exec?cmd=sle")
        for _ in range(20):
            assert swci.exec("pwd") == ["/platform/swarm/usr"]
    finally:
        for link in slow:
            link.close()


class Request(threading.Thread):
    """A command in a thread of its own."""

    def __init__(self, swci, command):
        super().__init__(daemon=True)
        self.swci, self.command, self.answer, self.status = swci, command, None, None
        self.start()

    def run(self):
        self.status, text = self.swci.post("/exec?cmd=" + self.command.replace(" ", "%20"))
        self.answer = json.loads(text)["CONTENT"]

    def result(self):
        self.join(60)
        assert not self.is_alive(), f"{self.command} hangs"
        return self.answer


def test_a_command_under_way_makes_the_others_wait_in_order(start):
    swci = start()
    (swci.usr / "d").mkdir()
    begins = Request(swci, "sleep 600")
    until(lambda: "commands: sleep 600" in swci.log(), "the sleep to begin")
    into = Request(swci, "cd d")
    until(lambda: "commands: cd d" in swci.log(), "the cd to come in")
    where = Request(swci, "pwd")
    until(lambda: "commands: pwd" in swci.log(), "the pwd to come in")
    assert begins.answer is into.answer is where.answer is None
    assert swci.post("/interrupt")[0] == 200
    assert begins.result() == ["ERROR : interrupted"]
    assert into.result() == ["Current Directory : /platform/swarm/usr/d"]
    assert where.result() == ["/platform/swarm/usr/d"]
    status, text = swci.post("/interrupt")
    assert (status, json.loads(text)["CONTENT"]) == (200, ["ERROR : no command is under way"])


def test_more_requests_than_can_wait_are_refused(start):
    swci = start()
    begins = Request(swci, "sleep 600")
    until(lambda: "commands: sleep 600" in swci.log(), "the sleep to begin")
    others = [Request(swci, "pwd") for _ in range(70)]
    until(lambda: sum(each.status == 503 for each in others) == 6, "what is too much to be refused")
    assert swci.post("/interrupt")[0] == 200
    begins.result()
    answers = [each.result() for each in others]
    assert answers.count(["/platform/swarm/usr"]) == 64
    assert all(answer[0].startswith("ERROR : 64 requests wait already") for answer in answers if len(answer[0]) > 30)


def test_many_clients_at_once_share_one_session(swci):
    clients = [Request(swci, command) for command in ("list tasks", "pwd", "list contracts", "nonsense") * 12]
    for each in clients:
        first = each.result()[0]
        assert first.startswith("ERROR : unknown command") == (each.command == "nonsense"), (each.command, first)
        if each.command == "list tasks":
            assert first.startswith("ROOTTASK")


def test_exit_begins_a_new_session_and_the_service_stays(swci, sn):
    assert swci.exec("exit")[0].startswith("The session has ended")
    assert swci.exec("list contexts") == ["(none)"]
    assert swci.exec(f"create context t with ip 127.0.0.1 {sn.port}")[-1] == "CONTEXT CREATED : t"
    assert swci.exec(f"create context u with ip 127.0.0.1 {sn.port}")[-1] == "CONTEXT CREATED : u"
    swci.exec("switch context u")
    assert swci.exec("exit on failure") == ["EXIT ON FAILURE IS TURNED ON"]
    failed = swci.exec("get task info nobody")
    assert failed[0].startswith("ERROR ") and "EXIT ON FAILURE is on" in failed[1]
    assert swci.exec("list contexts") == ["(none)"]
    assert swci.exec("get task info nobody")[0].startswith("ERROR : there is no default context")
    assert swci.running()


def test_the_init_script_runs_first_and_may_end_with_exit(start, sn):
    lines = [f"wait for ip 127.0.0.1 {sn.port}", f"create context t with ip 127.0.0.1 {sn.port}", "switch context t"]
    swci = start(script="\n".join([*lines, ""]))
    assert swci.exec("list tasks")[0].startswith("ROOTTASK")
    assert "SWCI:2 > switch context t" in swci.log()
    ended = start(script="\n".join([*lines, "exit"]))
    assert ended.exec("list contexts") == ["(none)"]
    failed = start(script="exit on failure\nlist tasks\npwd\n")
    assert failed.exec("pwd") == ["/platform/swarm/usr"]
    assert "ERROR : swci-init:2: there is no default context" in failed.log()


def test_a_session_that_is_started_again_answers_what_was_under_way(start, inspect):
    swci = start()
    lost = Request(swci, "sleep 600")
    until(lambda: "command 0 is under way" in inspect(swci, "tree"), "the sleep to begin", alive=[swci])
    inspect(swci, "kill", "/swci/session")
    assert lost.result()[0].startswith("ERROR : the session had to be started anew")
    assert swci.exec("pwd") == ["/platform/swarm/usr"]


def test_it_ends_in_order_while_a_request_waits(start):
    swci = start()
    link = http.client.HTTPConnection("127.0.0.1", swci.port, timeout=60)
    link.request("POST", "/exec?cmd=sleep%20600")
    until(lambda: "commands: sleep 600" in swci.log(), "the sleep to begin")
    assert swci.terminate() == 0
    link.close()


def test_a_port_that_is_taken_is_said(start, folder, certs):
    swci = start()
    other = SWCI(folder, certs, "swci-9")
    other.arguments[other.arguments.index(str(other.port))] = str(swci.port)
    assert other.start().wait_exit() == 1
    assert says(other.log(), "in use by another program")
    with pytest.raises(Failure):
        other.wait_log("web mode on", patience=0.1)
