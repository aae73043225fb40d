"""What swarmLogCollector takes from a host, and what it never takes; the client wheel under its names."""

import json
import re
import subprocess
import sys
import tarfile
import zipfile

import pytest
from harness import ROOT, until
from scripts import Scripts

PASSWORD, TOKEN = "correct-horse", "s3cr3t-t0ken"


@pytest.fixture
def scripts(folder, certs):
    scripts = Scripts(folder, certs, {"SWARM_ENGINE": "", "PATH": "/usr/bin:/bin"})
    yield scripts
    scripts.clean_up()


def collect(scripts, *arguments):
    """The files of the archive: {name: text}."""
    archive = scripts.run("swarmLogCollector", *arguments, "--output", scripts.folder / "logs").strip()
    assert re.fullmatch(r".*/logs/swarm_logs_[^/]+_\d{8}_\d{6}\.tar\.gz", archive)
    with tarfile.open(archive) as tar:
        files = [each for each in tar.getmembers() if each.isfile()]
        return {each.name.split("/", 1)[1]: tar.extractfile(each).read().decode() for each in files}


def make_workspace(scripts, key):
    workspace = scripts.folder / "workspace"
    for name in ("swop", "swci/taskdefs", "cert"):
        (workspace / name).mkdir(parents=True)
    (workspace / "cert" / "sl-1-key.pem").write_text(key)
    (workspace / "swop" / "swop1_profile.yaml").write_text(
        f"groupname : demo\nenvvars : [ http_proxy : 'http://me:{PASSWORD}@10.0.0.1:80', API_TOKEN : '{TOKEN}' ]\n"
    )
    (workspace / "swci" / "taskdefs" / "pull.yaml").write_text(
        "Name : pull\nTaskType : PULL_IMAGE\nOutcome : other\n"
        f"Body :\n  Auth :\n    Username : me\n    Password : {PASSWORD}\n"
    )
    (workspace / "swci" / "taskdefs" / "build.yaml").write_text(
        "Name : build\nTaskType : MAKE_USER_CONTAINER\nOutcome : user-env-tf\n"
    )
    return workspace


def lines_of_key(text):
    return [line for line in text.splitlines() if not line.startswith("-----")]


def log_of_started_sn(scripts):
    log = scripts.state / "sn1" / "log"
    until(lambda: "Starting SWARM-API-SERVER" in log.read_text(), "the SN to be up")
    return log


def test_a_node_tells_all_of_itself_but_its_secrets(scripts):
    identity = scripts.certs.folder
    key = (identity / "sn-1-key.pem").read_text()
    scripts.start_sn("--no-container", "-e", f"DB_PASSWORD={PASSWORD}")
    log = log_of_started_sn(scripts)
    account_key = next((scripts.state / "sn1" / "data").glob("*/node.key")).read_text().strip()
    with open(log, "a") as out:
        out.write(f"someone logged a key:\n{key}\nand one in a line: {json.dumps(key)}\n")
        out.write(f"half of it: {lines_of_key(key)[0]}\nthe account's: {account_key}\n")
        out.write(f"token={TOKEN}, password: {PASSWORD}\nhttps://me:{PASSWORD}@example.org/x\nthe end\n")
    files = collect(scripts, f"workspace={make_workspace(scripts, key)}")
    assert {"out.log", "sn1.log", "sn1.flags", "sn1.tree.json", "sn1.chain.json", "sn1.blocks.json"} <= set(files)
    assert json.loads(files["sn1.doctor.json"])["verdict"] == "ok"
    assert {"swop_swop1_profile.yaml", "taskdefs_pull.yaml", "taskdefs_build.yaml"} <= set(files)
    everything = "\n".join(files.values())
    for secret in (*lines_of_key(key), account_key, PASSWORD, TOKEN, "BEGIN PRIVATE KEY"):
        assert secret not in everything
    assert "Starting SWARM-API-SERVER" in files["sn1.log"] and files["sn1.log"].endswith("the end\n")
    assert "https://(removed)@example.org/x" in files["sn1.log"] and "Username : me" in files["taskdefs_pull.yaml"]
    assert json.loads(files["sn1.chain.json"])["chain_id"] and "Linux" in files["out.log"]
    blocks = [json.loads(line)["result"] for line in files["sn1.blocks.json"].splitlines()]
    assert [int(block["number"], 16) for block in blocks] == list(range(len(blocks) - 1, -1, -1))


def test_logs_of_programs_and_of_nodes_that_have_ended_are_there(scripts):
    scripts.start_sn("--no-container")
    log_of_started_sn(scripts)
    scripts.run(
        "run-sl", "--no-container", *scripts.sl_arguments("sl1"), "--ml-name=ml1", "--ml-entrypoint=echo",
        "--ml-cmd='trained in vain'",
    )  # fmt: skip
    scripts.wait_ended("ml1")
    scripts.run("stop-swarm", "--keep", "--sn")
    files = collect(scripts)
    assert files["ml1.log"] == "trained in vain\n" and "Starting SWARM-API-SERVER" in files["sn1.log"]
    assert "sl1.round.json" in files and "sn1.tree.json" not in files


@pytest.mark.parametrize("state", ["", "something\n"])
def test_a_host_without_nodes_gives_what_there_is(scripts, state):
    if state:
        (scripts.state / "half").mkdir(parents=True)
        (scripts.state / "half" / "process").write_text(state)
    assert "out.log" in collect(scripts, "hub.example.org/swarm-learning", "mlimage=none")


def test_the_client_wheel_has_the_name_that_users_copy(scripts):
    environment = {"PYTHON": sys.executable}
    wheel = scripts.run("make-client-wheel", scripts.folder / "lib", environment=environment).strip()
    named = scripts.folder / "lib" / "swarmlearning-client-py3-none-manylinux_2_24_x86_64.whl"
    assert named.is_symlink() and str(named.resolve()) == wheel
    with zipfile.ZipFile(named) as inside:
        names = set(inside.namelist())
    assert {"swarmlearning/pyt.py", "swarmlearning/tf.py", "swarmlearning/swci/__init__.py"} <= names
    said = subprocess.run(
        scripts.command("make-client-wheel", scripts.folder / "lib"), env={**scripts.environment, **environment},
        capture_output=True, text=True,
    ).stderr  # fmt: skip
    assert "24.1" in said and "swarmlearning-0.2.0-py3-none-any.whl" in said
    target = scripts.folder / "installed"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", "--target", target]
    version = subprocess.run([*pip[:3], "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    old = tuple(int(part) for part in version.split(".")[:2]) < (24, 1)
    done = subprocess.run([*pip, named if old else wheel], capture_output=True, text=True)
    assert done.returncode == 0 and (target / "swarmlearning" / "pyt.py").exists(), done.stderr


def test_the_wheel_is_of_the_sources_and_leaves_them_as_they_are(scripts):
    before = {file for file in (ROOT / "python").rglob("*") if "__pycache__" not in file.parts}
    scripts.run("make-client-wheel", scripts.folder / "lib", environment={"PYTHON": sys.executable})
    assert {file for file in (ROOT / "python").rglob("*") if "__pycache__" not in file.parts} == before
