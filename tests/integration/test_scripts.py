"""The scripts of deploy/bin with processes: a swarm from run-sn to stop-swarm."""

import json
import os
import re
import signal
import subprocess

import pytest
from harness import BIN, says, until
from launcher.operators import DEFAULT_TASKRUNNER, lives, node_definition, run_task, swop_profile, why_no_sandboxes
from scripts import Scripts

NO_ENGINE = "--no-container"


@pytest.fixture
def scripts(folder, certs):
    scripts = Scripts(folder, certs)
    yield scripts
    scripts.clean_up()


def log_of(scripts, name):
    return (scripts.state / name / "log").read_text()


def test_two_pairs_train_by_hand_and_stop_swarm_ends_all(scripts):
    assert scripts.start_sn(NO_ENGINE, "--rm", "--network=host-1-net").split() == ["sn1"]
    until(lambda: f"Starting SWARM-API-SERVER on port: {scripts.api_port}" in log_of(scripts, "sn1"), "the SN's API")
    for number, value in ((1, 1.0), (2, 3.0)):
        started = scripts.run(
            "run-sl", NO_ENGINE, *scripts.sl_arguments(f"sl{number}"),
            *scripts.training(f"ml{number}", value, peers=2), f"--ml-w={scripts.folder}/out",
        )  # fmt: skip
        assert started.split() == [f"ml{number}", f"sl{number}"], started
    for name in ("ml1", "ml2", "sl1", "sl2"):
        scripts.wait_ended(name)
    assert scripts.result("ml1") == scripts.result("ml2") == [2.0] * 4
    assert [(scripts.state / name / "exit").read_text() for name in ("ml1", "ml2")] == ["0\n", "0\n"]
    sn = scripts.process("sn1")
    assert lives(sn)
    assert scripts.run("stop-swarm", NO_ENGINE).split() == ["sn1"]
    assert not lives(sn)
    assert sorted(each.name for each in scripts.state.iterdir()) == ["ml1", "ml2"]


def test_the_mounts_of_a_program_are_where_it_looks_for_them(scripts):
    scripts.start_sn(NO_ENGINE)
    options = scripts.training("ml1", 5.0, peers=1)
    scripts.run(
        "run-sl", NO_ENGINE, *scripts.sl_arguments("sl1"), *options,
        f"--ml-v=./out:{scripts.folder}/seen/result", f"--ml-w={scripts.folder}/seen/result",
    )  # fmt: skip
    for name in ("ml1", "sl1"):
        scripts.wait_ended(name)
    assert scripts.result("ml1") == [5.0] * 4


def test_a_node_in_the_foreground_shows_its_log_and_stops_at_ctrl_c(scripts):
    command = scripts.command(
        "run-sn", NO_ENGINE, "--rm", "--name=sn1", "--host-ip=127.0.0.1", "--sentinel",
        f"--sn-api-port={scripts.api_port}", f"--sn-p2p-port={scripts.p2p_port}", *scripts.identity("sn-1"),
    )  # fmt: skip
    with subprocess.Popen(
        command, cwd=scripts.folder, env=scripts.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as shown:
        line = next(line for line in shown.stdout if "Starting SWARM-API-SERVER" in line)
        assert re.search(r"swarm.blCnt : INFO : Starting SWARM-API-SERVER on port: \d+", line)
        sn = scripts.process("sn1")
        shown.send_signal(signal.SIGINT)
        shown.stdout.read()
        assert shown.wait() == 0
    assert not lives(sn) and not (scripts.state / "sn1").exists()


def test_who_is_stopped_and_what_is_kept(scripts):
    scripts.start_sn(NO_ENGINE)
    scripts.run("run-sl", NO_ENGINE, *scripts.sl_arguments("sl1"))
    sn, sl = scripts.process("sn1"), scripts.process("sl1")
    assert scripts.run("stop-swarm", NO_ENGINE, "--SL", "--keep").split() == ["sl1"]
    assert lives(sn) and not lives(sl) and (scripts.state / "sl1" / "log").exists()
    with pytest.raises(AssertionError, match="runs already as process"):
        scripts.start_sn(NO_ENGINE)
    assert scripts.run("stop-swarm", NO_ENGINE, "--keep").split() == ["sn1"]
    # What was kept goes on: the chain that it has, by its own data.
    scripts.start_sn(NO_ENGINE)
    until(lambda: "Starting SWARM-API-SERVER" in log_of(scripts, "sn1"), "the SN to be up again")
    assert "founder of the chain" not in log_of(scripts, "sn1")
    scripts.run("stop-swarm", NO_ENGINE)
    assert list(scripts.state.iterdir()) == []


def test_swarmd_says_whether_the_one_of_a_data_directory_is_well(scripts):
    def health():
        asked = [BIN / "swarmd", "--role", "sn", "--data-dir", scripts.state / "sn1" / "data", "--health"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout

    assert health()[0] == 1 and health()[1].startswith("not well: ")
    scripts.start_sn(NO_ENGINE)
    said = until(lambda: (now := health())[0] == 0 and now[1], "the SN to be well")
    assert re.fullmatch(r"well: \d+ actors, the root is running\n", said)
    number, _ = scripts.process("sn1")
    os.kill(number, signal.SIGSTOP)
    try:
        assert health()[0] == 1  # within seconds, though nobody answers
    finally:
        os.kill(number, signal.SIGCONT)
    assert health()[0] == 0


def test_a_process_that_has_the_number_of_a_node_is_left_alone(scripts):
    """The number of a node that has died may be another's by now."""
    with subprocess.Popen(["sleep", "600"]) as foreign:
        try:
            node = scripts.state / "sn1"
            node.mkdir(parents=True)
            (node / "process").write_text(f"{foreign.pid} 1 sn\n")
            assert scripts.run("stop-swarm", NO_ENGINE) == ""
            assert foreign.poll() is None and not node.exists()
        finally:
            foreign.kill()


def test_a_program_outlives_stop_swarm_and_is_named(scripts):
    scripts.start_sn(NO_ENGINE)
    scripts.run(
        "run-sl", NO_ENGINE, *scripts.sl_arguments("sl1"), "--ml-name=ml1", "--ml-entrypoint=sleep", "--ml-cmd=600"
    )
    done = subprocess.run(
        scripts.command("stop-swarm", NO_ENGINE), env=scripts.environment, capture_output=True, text=True
    )
    assert sorted(done.stdout.split()) == ["sl1", "sn1"]
    assert re.search(r"ml1, process \d+, is a training program: not stopped", done.stderr)
    assert lives(scripts.process("ml1"))


def test_swop_and_swci_of_two_scripts_run_a_task(scripts, certs):
    """An init script of SWCI, in the foreground, with a SWOP that runs its program in a sandbox."""
    if why := why_no_sandboxes():
        pytest.skip(why)
    there, runner = f"127.0.0.1 {scripts.api_port}", DEFAULT_TASKRUNNER
    usr = scripts.folder / "usr"
    (usr / "user0").mkdir(parents=True)
    profile = swop_profile([node_definition(certs, 0, usr / "user0")], manager="DOCKER")
    (usr / "swop1_profile.yaml").write_text(json.dumps(profile))
    (usr / "task.yaml").write_text(json.dumps(run_task("hello", "was_here", "touch", private="/tmp/test")))
    (usr / "swci-init").write_text(
        f"EXIT ON FAILURE\nWAIT FOR IP {there}\nCREATE CONTEXT c WITH IP {there}\nSWITCH CONTEXT c\n"
        "cd /platform/swarm/usr\nCREATE TASK FROM task.yaml\nFINALIZE TASK hello\n"
        f"RESET TASKRUNNER {runner}\nASSIGN TASK hello TO {runner} WITH 1 PEERS\nWAIT FOR TASKRUNNER {runner}\nEXIT\n"
    )
    scripts.start_sn(NO_ENGINE)
    scripts.run(
        "run-swop", NO_ENGINE, "-d", "--rm", "--name=swop1", "--network=host-1-net", "--sn-ip=127.0.0.1",
        f"--sn-api-port={scripts.api_port}", "--host-ip=127.0.0.1", "--usr-dir=usr",
        "--profile-file-name=swop1_profile.yaml", *scripts.identity("swop-1"),
        *("-e", "http_proxy=", "-e", "https_proxy=", "--apls-ip=10.9.9.9"),
    )  # fmt: skip
    printed = scripts.run(
        "run-swci", NO_ENGINE, "--rm", "--name=swci1", "--usr-dir=usr", "--init-script-name=swci-init",
        *scripts.identity("swci-1"),
    )  # fmt: skip
    assert "COMPLETE" in printed and (usr / "user0" / "was_here").exists(), printed
    assert not (scripts.state / "swci1" / "remove").exists() or not lives(scripts.process("swci1"))
    assert "swop1" in scripts.run("stop-swarm", NO_ENGINE, "--swop").split()


@pytest.mark.parametrize(
    "script, arguments, part",
    [
        ("run-sn", ["--sentinel"], "--host-ip is needed"),
        ("run-sn", ["--host-ip=127.0.0.1"], "--sentinel, --sentinel-ip or --sentinel-api-service is needed"),
        ("run-sn", ["--sentinel", "--host-ip=127.0.0.1", "--key=nowhere.pem"], "--key: nowhere.pem does not exist"),
        ("run-sn", ["--sentinel", "--host-ip=127.0.0.1"], "--key"),
        ("run-sl", ["--host-ip=127.0.0.1"], "--sn-ip, --sn-api-service or --sn-docker-name is needed"),
        (
            "run-sl",
            ["--host-ip=127.0.0.1", "--sn-ip=127.0.0.1", "--ml-w=/tmp"],
            "--ml-entrypoint or --ml-cmd is needed",
        ),
        ("run-swop", ["--profile-file-name=x"], "--usr-dir is needed"),
        ("run-swop", ["--usr-dir=.", "--profile-file-name=x"], "--profile-file-name: there is no x in ."),
        ("run-swci", ["--usr-dir=nowhere"], "--usr-dir: nowhere is no folder"),
        ("run-swci", ["--init-script-name=x"], "--init-script-name is a file in --usr-dir, which is not given"),
    ],
)
def test_what_is_missing_is_named(scripts, script, arguments, part):
    said = scripts.run(script, NO_ENGINE, *arguments, status=1)
    assert said.startswith(f"{script}: ") and says(said, part), said
    assert not list(scripts.state.glob("*/process"))


def test_a_node_that_cannot_start_says_why_and_leaves_nothing_running(scripts):
    key, certificate = (scripts.certs.folder / name for name in ("sn-1-key.pem", "sl-1-cert.pem"))
    identity = ("--key", key, "--cert", certificate, "--capath", scripts.certs.capath)
    said = scripts.run("run-sn", NO_ENGINE, "-d", "--sentinel", "--host-ip=127.0.0.1", *identity, status=1)
    assert said.startswith("run-sn: ") and says(said, "certificate")
    assert not list(scripts.state.iterdir())
