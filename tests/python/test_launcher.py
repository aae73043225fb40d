"""What starts the processes of tests, benchmarks and examples: its own promises."""

import os
import pathlib
import socket
import sys
import time

import pytest
from launcher.chain import EVENTS, Merge
from launcher.keccak import keccak256
from launcher.nodes import SN, Swarmd
from launcher.processes import Failure, Process, ask_admin, free_port, stop_all, until


@pytest.fixture
def start(tmp_path):
    started = []

    def make(text, name="program", **options):
        process = Process(name, [sys.executable, "-u", "-c", text], tmp_path, **options)
        started.append(process)
        return process.start()

    yield make
    for process in started:
        process.clean_up()


def alive(pid):
    """Not even a zombie is left, or one that nobody has asked after yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_wait_that_fails_says_for_what_and_shows_the_log(start):
    process = start("print('here I am'); raise SystemExit(3)")
    with pytest.raises(Failure, match="program ended during the wait for: rain(.|\n)*here I am"):
        until(lambda: False, "rain", patience=60, alive=[process])
    assert process.exit_code == 3
    with pytest.raises(Failure, match="waited 0.05 s for: snow"):
        until(lambda: False, "snow", patience=0.05)
    assert until(lambda: "value", "nothing") == "value"


def test_the_log_is_kept_and_looked_at_from_the_present_start_on(start):
    process = start("print('once')")
    assert process.wait_exit() == 0
    process.arguments[-1] = "print('twice'); import time; time.sleep(600)"
    process.start().wait_log("twice")
    assert process.log() == "twice\n"
    assert "once" in process.tail() and "twice" in process.tail()


def test_children_end_with_their_parent(start):
    sleep = "import time; time.sleep(600)"
    process = start(f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', '{sleep}']).pid); {sleep}")
    child = int(process.wait_log(r"(\d+)\n")[1])
    assert alive(child)
    process.kill9()
    until(lambda: not alive(child), "the child to end")
    process.kill9()  # nobody is left to be hit


def test_what_steers_a_swarm_does_not_reach_programs(start, monkeypatch):
    monkeypatch.setenv("SL_REQUEST_CHANNEL", "/of/somebody/else")
    text = "import os; print(sorted(name for name in os.environ if name[:3] in ('SL_', 'SN_')))"
    process = start(text, environment={"SN_X": "1"})
    assert process.wait_exit() == 0
    assert process.log() == "['SN_X']\n"


def test_who_does_not_end_is_killed(start, monkeypatch):
    monkeypatch.setattr("launcher.processes.STOP_SECONDS", 0.3)
    ignoring = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); time.sleep(600)"
    deaf, polite = start(ignoring, "deaf"), start("print('ready'); __import__('time').sleep(600)", "polite")
    deaf.wait_log("deaf")
    polite.wait_log("ready")
    polite.pause()
    stop_all([deaf, polite])
    assert (deaf.exit_code, polite.exit_code) == (-9, -15)


def test_ports_are_free_and_given_out_once():
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    for port in ports[:5]:
        socket.create_server(("127.0.0.1", port)).close()


def test_an_admin_socket_that_is_dead_mute_or_cut_off_answers_nothing(tmp_path):
    assert ask_admin(tmp_path, "tree", {}, patience=1) is None
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(tmp_path / "admin.sock"))
        server.listen()
        begun = time.monotonic()
        assert ask_admin(tmp_path, "tree", {}, patience=0.1) is None
        assert time.monotonic() - begun < 30
    node = Swarmd("node", tmp_path, [])
    assert node.admin("tree") is None and node.glance("tree") == {}


def test_an_sn_joins_or_begins(tmp_path):
    class NoCerts:
        @staticmethod
        def flags(name):
            return ["--cert", name]

    first = SN(tmp_path, NoCerts, contracts=["a", "b"])
    second = SN(tmp_path, NoCerts, "sn-2", joins=first, flags=["--observer"])
    assert "--sentinel" in first.arguments and first.arguments.count("--contract") == 2
    assert "--sentinel" not in second.arguments and second.arguments[-3:] == ["--cert", "sn-2", "--observer"]
    assert str(first.port) in second.arguments


def test_topics_and_merges():
    assert keccak256("").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(EVENTS["merges"]).hex() == "06b89fb5f2f9353d9f5af4ef1cf3df37f436e2227ba686ef78b59495d151043a"

    def word(number):
        return f"{number:064x}"

    data = [word(2), word(1), "ab" * 32, word(1000), word(8 * 32), word(10 * 32), word(12 * 32), word(4)]
    data += [word(1), word(0xA), word(1), word(0xB), word(1), word(2)]
    topics = ["0x" + "00" * 32, "0x" + word(7), "0x" + word(0xC)]
    merge = Merge({"data": "0x" + "".join(data), "topics": topics, "blockNumber": "0x11"})
    assert (merge.generation, merge.term, merge.round_num, merge.block_num) == (2, 1, 7, 17)
    assert (merge.digest, merge.size, merge.leader) == ("ab" * 32, 1000, "0x" + "0" * 39 + "c")
    assert merge.contributors == ["0x" + "0" * 39 + "a"] and merge.excluded == ["0x" + "0" * 39 + "b"]
    assert merge.reasons == ["not finite"] and merge.shards == 4
