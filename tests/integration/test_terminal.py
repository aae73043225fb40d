"""SWCI at a terminal: what a person sees who works with it. The screens of whole sessions are in screens/."""

import os
import pathlib
import re
import signal
import stat
import subprocess
import sys

import pytest
from harness import BIN, Failure, Process, says, until
from launcher.processes import scrambled
from launcher.swci_web import SWCI, run_swci
from tmux import Tmux

HERE = pathlib.Path(__file__).parent
RUNNER = "defaulttaskbb.taskdb.sml.hpe"
CONTRACT = "defaultbb.cqdb.sml.hpe"
TASK = """\
Name : hello_task
TaskType : RUN_SWARM
Author : me
Prereq : ROOTTASK
Outcome : hello_task
Body :
    Command : model/hello.py
    Entrypoint : python3
    WorkingDir : /tmp/test
    Envvars : [ "MAX_EPOCHS": 2 ]
    PrivateContent : /tmp/test/
    SharedContent : null
"""


class Seat(Tmux):
    """Somebody at a SWCI, with a user folder and a data directory in `folder`."""

    def __init__(self, swarm, **size):
        self.swarm, self.folder = swarm, swarm.folder
        self.data_dir = self.folder / "swci"
        usr = self.folder / "usr"
        (usr / "taskdefs").mkdir(parents=True, exist_ok=True)
        (usr / "taskdefs" / "hello.yaml").write_text(TASK)
        arguments = [
            *("--role", "swci", "--usr-dir", usr, "--data-dir", self.data_dir, *swarm.certs.flags("swci-1")),
        ]
        self.process = Process("swci", self.folder, arguments)  # for its admin socket; tmux starts it
        super().__init__(self.folder, [BIN / "swarmd", *arguments], **size)
        self.prompt(0)

    def knows(self, **counts):
        """Waits until completion has that many names of each kind."""

        def names():
            return self.process.admin("actor", name="/swci/session")["detail"]["names"]

        try:
            until(lambda: counts.items() <= names().items(), f"SWCI to know {counts}")
        except Failure as why:
            raise Failure(f"{why}; it knows {names()}") from None

    def connects(self):
        port = self.swarm.sn.port
        self.enters(f"create context demo with ip 127.0.0.1 {port}", 0)
        self.enters("switch context demo", 1)

    def leaves(self):
        self.types("exit")
        self.keys("Enter")
        self.shows("terminal as before")

    def pid(self):
        shell = int(self.call("list-panes", "-F", "#{pane_pid}"))
        children = pathlib.Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
        return next(int(child) for child in children if pathlib.Path(f"/proc/{child}/comm").read_text() == "swarmd\n")

    def is_screen(self, name):
        is_golden(name, self.screen(), self.folder, PORT=self.swarm.sn.port)


def is_golden(name, text, folder, **ports):
    """Compares a screen with the golden file, in which what varies has been replaced."""
    text = text.replace(str(folder), "FOLDER")
    for word, port in ports.items():
        text = text.replace(str(port), word)
    text = re.sub("0x[0-9a-f]{40}", "0x" + "u" * 40, text)
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d( UTC|Z)?", "<time>", text)
    text = re.sub(r"(ORGANISATION +: ).*", r"\1<name>", text)
    text = re.sub("#+", "#", text)
    text = "".join(line.rstrip() + "\n" for line in text.splitlines())
    golden = HERE / "screens" / f"{name}.txt"
    if not golden.exists() or scrambled(golden.read_text()) != scrambled(text):
        (pathlib.Path.cwd() / f"{name}.txt.actual").write_text(text)
    assert golden.exists(), f"there is no {golden}; see the .actual file in the working folder"
    assert scrambled(text) == scrambled(golden.read_text())


@pytest.fixture
def seat(swarm):
    swarm.start_sn()
    seats = []

    def sit_down(**size):
        seats.append(Seat(swarm, **size))
        return seats[-1]

    yield sit_down
    for each in seats:
        each.close()


def test_a_task_from_its_file_to_its_assignment(seat):
    at = seat()
    at.connects()
    at.prompt(2)
    at.types("create task from task")
    at.keys("Tab")
    at.shows(r"from taskdefs/$")
    at.keys("Tab")
    at.shows(r"from taskdefs/hello\.yaml $|from taskdefs/hello\.yaml$")
    at.keys("Enter")
    at.prompt(3)
    at.knows(contexts=1, contracts=1, tasks=2, taskrunners=1)
    at.types("FINALIZE TASK ")
    at.keys("Tab")
    at.shows(r"^ROOTTASK +hello_task\s+SWCI:3 > FINALIZE TASK$")
    at.types("he")
    at.keys("Tab")
    at.shows(r"FINALIZE TASK hello_task$")
    at.keys("Enter")
    at.enters("get task info hello_task", 4)
    at.enters("get task body hello_task", 5)
    at.enters("list tasks", 6)
    at.prompt(7)
    at.types("ass")
    at.keys("Tab")
    at.shows("SWCI:7 > assign$")
    at.types("task hello_task to ")
    at.keys("Tab")
    at.shows(rf"to {re.escape(RUNNER)}$")
    at.types("with 1 p")
    at.keys("Tab")
    at.shows("with 1 peers$")
    at.keys("Enter")
    at.prompt(8)
    at.enters(f"assign task hello_task to {RUNNER} with 1 peers", 8)
    at.keys("C-d")
    at.shows("terminal as before")
    at.is_screen("task")


def test_why_a_task_waits(seat):
    at = seat()
    at.connects()
    at.enters("create task from taskdefs/hello.yaml", 2)
    at.enters("finalize task hello_task", 3)
    at.enters(f"assign task hello_task to {RUNNER} with 2 peers", 4)
    at.enters(f"get taskrunner status {RUNNER}", 5)
    at.types(f"wait for taskrunner {RUNNER}")
    at.keys("Enter")
    at.shows("^ *#")
    at.keys("C-c")
    at.prompt(7)
    at.types(f"watch contract {CONTRACT}")
    at.keys("Enter")
    at.shows("MERGE_METHOD|MERGE METHOD")
    at.keys("C-c")
    at.prompt(8)
    at.enters("doctor", 8)
    at.enters(f"reset taskrunner {RUNNER}", 9)
    at.leaves()
    at.is_screen("waits")


def test_a_contract_is_watched_in_place(seat, swarm, certs):
    at = seat()
    at.connects()
    at.enters(f"get contract status {CONTRACT}", 2)
    before = at.screen()
    at.types(f"watch contract {CONTRACT}")
    at.keys("Enter")
    at.shows(rf"watch contract {re.escape(CONTRACT)}\n(.*\n)+ +LEADER +: -$")
    connecting = [f"create context t with ip 127.0.0.1 {swarm.sn.port}", "switch context t"]
    for resets in (2, 3, 4):
        status, _, errors = run_swci(swarm.folder, certs, [*connecting, f"reset contract {CONTRACT}"])
        assert status == 0, errors
        at.shows(rf"^ +RESETS +: {resets}$")
    at.keys("C-c")
    at.prompt(4)
    screen = at.screen()
    assert screen.count("RESETS ") == 2 and screen.startswith(before.removesuffix("SWCI:3 >\n"))
    at.enters(f"get contract status {CONTRACT}", 4)  # nothing of it is overwritten, nor overwrites
    assert at.screen().startswith(screen.removesuffix("SWCI:4 >\n")) and at.screen().count("RESETS ") == 3


def test_a_watched_contract_that_is_higher_than_the_window(seat, swarm, certs):
    at = seat(width=100, height=8)
    at.connects()
    at.types(f"watch contract {CONTRACT}")
    at.keys("Enter")
    at.shows(r" +LEADER +: -$")
    connecting = [f"create context t with ip 127.0.0.1 {swarm.sn.port}", "switch context t"]
    status, _, errors = run_swci(swarm.folder, certs, [*connecting, f"reset contract {CONTRACT}"])
    assert status == 0, errors
    history = lambda: at.call("capture-pane", "-p", "-S", "-")  # noqa: E731
    until(lambda: re.search(r"RESETS +: 2\n", history()), "the change to be shown")
    at.keys("C-c")
    at.prompt(3)
    assert re.search(r"RESETS +: 1\n", history())


def test_help_errors_and_lines_that_are_taken_back(seat):
    at = seat()
    at.enters("help assign", 0)
    at.enters("list taskz", 1)
    at.enters("frobnicate", 2)
    at.enters("get task info", 3)
    at.enters("list tasks", 4)
    at.types("something else")
    at.keys("C-c")
    at.prompt(5)
    at.enters("pwd", 5)
    at.types("lis")
    at.keys("Tab", "Tab")
    at.shows(r"^contexts +nodes")
    at.keys("C-c")
    at.prompt(6)
    at.leaves()
    at.is_screen("help")


def test_lines_of_earlier_sessions_come_back(seat):
    first = seat()
    first.enters("pwd", 0)
    first.enters("sleep 0", 1)
    first.leaves()
    history = first.data_dir / "swci-1" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600

    second = seat()
    second.keys("Up")
    second.shows("SWCI:0 > exit$")
    second.keys("Up")
    second.shows("SWCI:0 > sleep 0$")
    second.keys("Up")
    second.shows("SWCI:0 > pwd$")
    second.keys("Enter")
    second.prompt(1)
    second.leaves()

    history.write_bytes(b"\xff\x00 no history at all\n" * 3)
    third = seat()
    third.enters("pwd", 0)
    third.keys("Up")
    third.shows("SWCI:1 > pwd$")


def test_the_session_outlives_its_actor(seat, inspect):
    at = seat()
    at.connects()
    at.enters("cd taskdefs", 2)
    inspect(at.process, "kill", "/swci/session")
    until(lambda: at.process.admin("actor", name="/swci/session")["restarts"] == 1, "the actor to start again")
    at.enters("pwd", 3)
    at.shows("/platform/swarm/usr/taskdefs")
    at.enters("list tasks", 4)
    at.types("sleep 600")
    at.keys("Enter")
    until(lambda: "under way" in at.process.admin("actor", name="/swci/session")["state"], "the command to begin")
    inspect(at.process, "kill", "/swci/session")
    at.prompt(6)
    at.shows(lambda screen: says(screen, "the session's actor had to be started again"), "what happened")
    at.enters("list contexts", 6)
    at.enters("list tasks", 7)
    assert at.screen().count("ROOTTASK") == 2


def test_the_screen_belongs_to_the_session(seat):
    at = seat()
    at.connects()
    log = at.data_dir / "swci.log"
    assert f"the log goes to {log}" in at.screen().replace("\n", "")
    assert " : INFO : " in log.read_text()
    assert " : INFO : " not in at.screen()


def test_the_client_of_a_context_is_started_again(seat, inspect):
    at = seat()
    at.connects()
    at.enters("list tasks", 2)
    inspect(at.process, "kill", "/swci/sn-0")
    until(lambda: at.process.admin("actor", name="/swci/sn-0")["restarts"] == 1, "the actor to start again")
    at.enters(f"create contract {CONTRACT}.2", 3)
    at.enters("list contracts", 4)
    at.shows(rf"^ +{re.escape(CONTRACT)}\.2$")


def test_lines_from_a_pipe(swarm, certs):
    usr = swarm.folder / "usr"
    usr.mkdir()
    data_dir = swarm.folder / "swci"
    command = [BIN / "swarmd", "--role", "swci", "--usr-dir", usr, "--data-dir", data_dir, *certs.flags("swci-1")]

    def session(lines):
        return subprocess.run(command, check=False, input=lines, capture_output=True, text=True, timeout=60)

    done = session("pwd\n" + "x" * 100_000 + "\nsleep 0")
    first, second, third, *_ = done.stdout.split("SWCI:")[1:]
    assert first == "0 > pwd\n    /platform/swarm/usr\n"
    assert says(second, "the line is longer than 4096 bytes")
    assert third == "2 > sleep 0\n"
    assert done.returncode == 0
    assert " : INFO : " in done.stderr
    assert not (data_dir / "swci.log").exists()
    assert session("exit on failure\nnonsense\npwd\n").returncode == 1


def test_a_smaller_window(seat):
    at = seat(width=100, height=40)
    at.call("resize-window", "-x", "40", "-y", "20")
    line = "# " + "0123456789" * 6
    at.call("send-keys", "-l", line)
    at.shows(
        lambda screen: screen.rstrip().split("\n")[-2:] == ["SWCI:0 > " + line[:31], line[31:]], "a line in two rows"
    )
    at.keys("C-c")
    at.prompt(0)


def test_the_topology_is_plotted(swarm):
    """From Python at a terminal, by way of a SWCI in web mode."""
    sn = swarm.start_sn()
    service = SWCI(swarm.folder, swarm.certs)
    picture = swarm.folder / "topology.png"
    at = Tmux(swarm.folder, ["env", "PYTHON_BASIC_REPL=1", sys.executable, "-q"])
    try:
        service.start().wait_up()
        for line in (
            "from swarmlearning.swci import Swci",
            f"s = Swci('127.0.0.1', port={service.port})",
            f"s.createContext('demo', ip='127.0.0.1', port={sn.port})",
            "s.switchContext('demo')",
            "[node.NodeType for node in s.nodes()]",
            f"open('{picture}', 'wb').write(s.plotTopology()) > 1000",
        ):
            at.shows(r"^>>>\s*\Z")
            at.types(line)
            at.keys("Enter")
        at.shows(r"^>>>\s*\Z")
        at.keys("C-d")
        at.shows("terminal as before")
        is_golden("topology", at.screen(), swarm.folder, PORT=sn.port, WEB=service.port)
    finally:
        at.close()
        service.clean_up()
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize("at_prompt", [True, False])
def test_sigterm_leaves_the_terminal_as_it_was(seat, at_prompt):
    at = seat()
    if at_prompt:
        at.types("half a line")
    else:
        at.types("sleep 600")
        at.keys("Enter")
        until(lambda: "under way" in at.process.admin("actor", name="/swci/session")["state"], "the command to begin")
    os.kill(at.pid(), signal.SIGTERM)
    at.shows("ended with 0")
    at.shows("terminal as before")
