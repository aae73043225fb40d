"""The demo with real swarmd processes and real programs, as `./run demo` runs it, also when something is killed."""

import http.client
import importlib
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import pytest
from launcher.forks import python_with
from launcher.operators import why_no_sandboxes
from launcher.processes import until
from repository import ROOT

BIN = pathlib.Path(os.environ.get("SWARM_BIN", pathlib.Path(ROOT, "build", "release", "bin")))

pytest.importorskip("torch")
pytest.importorskip("sklearn")
needs_swarmd = pytest.mark.skipif(not (BIN / "swarmd").exists(), reason=f"{BIN} has no swarmd")


def demo(folder, *flags):
    """The outcome as JSON, after a run that ended well."""
    report = folder / "outcome.json"
    script = "digits/demo.py"
    if "--operators" in flags:
        if why := why_no_sandboxes():
            pytest.skip(why)
        script, flags = "operators/operate.py", [flag for flag in flags if flag != "--operators"]
    # Its programs begin with what they import, as it does itself.
    python = python_with("keras-torch" if "--keras" in flags else "torch")
    command = [python, pathlib.Path(ROOT, "examples", script), "--json", report, *flags]
    environment = {**os.environ, "SWARM_BIN": str(BIN), "TMPDIR": str(folder)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert not list(folder.glob("swarmd-demo-*")), "the demo left its folder behind"
    return json.loads(report.read_text())


def check_digests(swarm, nodes):
    assert len(swarm["final_digest"]) == nodes
    assert set(swarm["final_digest"]) == {swarm["chain_digest"]}
    assert swarm["contributors"] == nodes


def check_accuracy(outcome):
    accuracy = outcome["accuracy"]
    assert len(accuracy["alone"]) == len(accuracy["swarm"]) == 4
    assert min(accuracy["swarm"]) >= max(accuracy["alone"])
    assert min(accuracy["swarm"]) >= accuracy["central"] - 0.02
    assert accuracy["central"] > 0.95


@pytest.fixture
def short(tmp_path_factory):
    """A folder with a short path, as the path of a Unix socket has at most 107 bytes."""
    folder = tmp_path_factory.mktemp("d")
    assert len(str(folder)) < 70
    return folder


# Without a fault is what the last two are; nine programs with a framework make each of these dear, so most train half
# as long as people are shown.
@needs_swarmd
@pytest.mark.parametrize(
    "flags", [["--fault", "kill-sn"], ["--fault", "kill-sl"], ["--keras"], ["--operators"]], ids="-".join
)
def test_swarm_beats_every_node_alone(short, flags):
    shorter = [] if "--operators" in flags else ["--epochs", "15"]
    outcome = demo(short, *flags, *shorter)
    check_digests(outcome, 4)
    check_accuracy(outcome)
    rounds = outcome["rounds"]
    assert rounds >= (45 if shorter else 90) and outcome["block_num"] > rounds
    assert 0 < outcome["seconds_in_sync"] < outcome["seconds_total"]


@needs_swarmd
def test_two_swarms_at_once(short):
    outcome = demo(short, "--contracts", "2", "--nodes", "2", "--epochs", "5")
    first, second = outcome["swarms"]
    for swarm in (first, second):
        check_digests(swarm, 2)
    assert first["chain_digest"] != second["chain_digest"]
    assert [first["contract"], second["contract"]] == ["defaultbb.cqdb.sml.hpe", "digits-2"]


def get(host, path, cookie=""):
    """Status, headers and body of a page that is served without TLS."""
    link = http.client.HTTPConnection(host, timeout=30)
    try:
        link.request("GET", path, headers={"Cookie": cookie})
        answer = link.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        link.close()


def shown_trainings(host, cookie):
    """What the page is told of the trainings."""
    from websockets.sync.client import connect

    headers = {"Cookie": cookie}
    with connect(f"ws://{host}/feed", origin=f"http://{host}", additional_headers=headers, max_size=None) as feed:
        feed.send(json.dumps({"type": "watch", "topic": "trainings"}))
        while (message := json.loads(feed.recv(timeout=60)))["type"] != "state":
            pass
        return message["data"]["contracts"]


@needs_swarmd
def test_the_page_stays_until_ctrl_c(short):
    script = pathlib.Path(ROOT, "examples", "digits", "demo.py")
    command = [python_with("torch"), script, "--ui", "--nodes", "2", "--epochs", "1", "--json", short / "outcome.json"]
    environment = {**os.environ, "SWARM_BIN": str(BIN), "TMPDIR": str(short)}
    log = short / "log"
    with open(log, "w") as out:
        demo = subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT, process_group=0)
    try:
        until(lambda: "Ctrl-C" in log.read_text() or demo.poll() is not None, "the demo to say where the page is")
        said = re.search(r"the page is at http://(\S+); this link opens it once: http://\1(\S+)", log.read_text())
        assert said, log.read_text()
        host, link = said.groups()
        status, headers, _ = get(host, link)
        assert status == 200 and get(host, link)[0] == 403
        cookie = headers["Set-Cookie"].split(";")[0]
        assert get(host, "/")[0] == 401 and get(host, "/", cookie)[0] == 200
        shown = shown_trainings(host, cookie)["defaultbb.cqdb.sml.hpe"]
        assert shown["phase"] == "complete"
        assert shown["merged_round"] == json.loads((short / "outcome.json").read_text())["rounds"]
        os.killpg(demo.pid, signal.SIGINT)
        assert demo.wait(60) == 0, log.read_text()
    finally:
        print(log.read_text())
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGTERM)
            demo.wait(60)
    assert not list(short.glob("swarmd-demo-*")), "the demo left its folder behind"
    name, port = host.split(":")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((name, int(port))):
        pass


def test_a_missing_swarmd_is_named(tmp_path):
    command = [sys.executable, pathlib.Path(ROOT, "examples", "digits", "demo.py")]
    done = subprocess.run(command, env={**os.environ, "SWARM_BIN": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 1 and "swarmd is not there; ./run build makes it" in done.stderr


@pytest.fixture
def examples(monkeypatch):
    monkeypatch.syspath_prepend(pathlib.Path(ROOT, "examples"))
    monkeypatch.syspath_prepend(pathlib.Path(ROOT, "examples", "digits"))


def test_data_is_dealt_out_once(examples):
    data = importlib.import_module("data")
    for nodes in (2, 4, 7):
        parts = [data.load(node, nodes)[0] for node in range(nodes)]
        sizes = [len(y) for _, y in parts]
        everything = data.load(-1, nodes)[0]
        assert sum(sizes) == len(everything[1])
        images = {x.tobytes() + bytes([y]) for x, y in zip(*everything)}
        dealt = [x.tobytes() + bytes([y]) for part in parts for x, y in zip(*part)]
        assert set(dealt) == images
        assert all(len(set(y.tolist())) <= 7 for _, y in parts)
        assert sizes == sorted(sizes)


def test_data_is_split_as_scikit_learn_splits_it(examples):
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    wanted = train_test_split(labels, images, test_size=0.25, random_state=1, stratify=labels)
    (_, trained), (tests, tested) = importlib.import_module("data").load(-1, 4)
    assert (trained == wanted[0]).all() and (tested == wanted[1]).all()
    assert (tests.reshape(-1, 64) * 16 == wanted[3]).all()


@needs_swarmd
@pytest.mark.parametrize("flags", [[], ["--from-index"]], ids="-".join)
def test_the_files_of_the_operators_example_are_good_as_they_are(short, flags):
    command = [sys.executable, pathlib.Path(ROOT, "examples", "operators", "operate.py"), "--files", short / "new"]
    environment = {**os.environ, "SWARM_BIN": str(BIN)}
    done = subprocess.run([*command, *flags], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    programs = done.stdout.splitlines()
    assert len(programs) == 3 and "/opt/swarm" not in done.stdout
    for program in programs:
        checked = subprocess.run([*program.split(), "--check"], capture_output=True, text=True)
        assert checked.returncode == 0, (program, checked.stdout, checked.stderr)
    again = subprocess.run([*command, *flags], env=environment, capture_output=True, text=True)
    assert again.returncode == 1 and "is there already" in again.stderr
