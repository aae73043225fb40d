"""Profiles, tasks and init scripts of the examples: as the programs want them, and of one mind with the rest."""

import json
import os
import pathlib
import re
import subprocess

import pytest
import yaml
from repository import ROOT

BIN = pathlib.Path(os.environ.get("SWARM_BIN", pathlib.Path(ROOT, "build", "release", "bin")))
EXAMPLES = pathlib.Path(ROOT, "examples")
WALKED = ("mnist", "mnist-pyt", "cifar10", "fraud-detection", "breast-cancer")
KINDS = {"profile": "swop/*.yaml", "task": "swci/taskdefs/*.yaml"}
# As the user guide has sed put them in.
VALUES = {
    "<CURRENT-PATH>/examples": "/opt/swarm/workspace",
    "<PROJECT>": "/opt/swarm/workspace/example",
    "<PROJECT-MODEL>": "/opt/swarm/workspace/example/model",
    "<PROJECT-CERTS>": "/opt/swarm/workspace/example/cert",
    "<PROJECT-CACERTS>": "/opt/swarm/workspace/example/cert/ca/capath",
    "<SWARM-NETWORK>": "host-1-net",
    "<HOST_ADDRESS>": "172.1.1.1",
}


def files(kind):
    return sorted(file for example in WALKED for file in EXAMPLES.joinpath(example).rglob(KINDS[kind]))


def filled(file):
    text = file.read_text()
    for name, value in VALUES.items():
        text = text.replace(name, value)
    return text


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_accepted_without_a_warning(tmp_path, kind):
    copies = []
    for number, file in enumerate(files(kind)):
        copies.append(tmp_path / f"{number}.yaml")
        copies[-1].write_text(filled(file))
    assert len(copies) > 5
    done = subprocess.run([BIN / "tasks_check_files", kind, *copies], capture_output=True, text=True, timeout=60)
    for file, line in zip(files(kind), done.stdout.splitlines(), strict=True):
        answer = json.loads(line)
        assert answer["accepted"] and not answer["warnings"], (file, answer["errors"], answer["warnings"])


@pytest.mark.parametrize("file", files("profile"), ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_a_profile_is_the_originals(file):
    profile = yaml.safe_load(filled(file))
    keys = {"groupname", "taskrunner", "network", "policyuri", "resourcemgr", "apls", "apisrv", "envvars", "nodes"}
    assert set(profile) == keys
    assert profile["resourcemgr"] == {"mgrtype": "DOCKER", "accessinfo": {"accesstype": "FROMENV"}}
    nodes = [each["slnodedef"] for each in profile["nodes"]]
    assert [node["idx"] for node in nodes] == list(range(len(nodes)))
    assert len({node["slhostname"] for node in nodes}) == len(nodes)
    assert all("cert" not in node["privatedata"]["src"] for node in nodes), "programs see their own folder, no keys"


@pytest.mark.parametrize("example", [name for name in WALKED if name != "cifar10"])
def test_an_init_script_names_the_tasks_that_there_are(example):
    folder = EXAMPLES / example
    script = (folder / "swci" / "swci-init").read_text()
    tasks = {yaml.safe_load(filled(file))["Name"]: file for file in folder.rglob(KINDS["task"])}
    for name, file in tasks.items():
        assert file.name == f"{name}.yaml"
        assert f"create task from taskdefs/{name}.yaml\nfinalize task {name}\n" in script
    runs = dict(re.findall(r"ASSIGN TASK (\w+) TO defaulttaskbb.taskdb.sml.hpe WITH (\d) PEERS", script))
    assert set(runs) == set(tasks)
    (training,) = (task for file in tasks.values() if (task := yaml.safe_load(filled(file)))["TaskType"] == "RUN_SWARM")
    peers = next(each["MIN_PEERS"] for each in training["Body"]["Envvars"] if "MIN_PEERS" in each)
    assert int(runs[training["Name"]]) == peers
    for variant in {file.parent for file in folder.rglob(KINDS["profile"])}:
        nodes = [yaml.safe_load(filled(file))["nodes"] for file in variant.glob("*.yaml")]
        assert sum(map(len, nodes)) == peers
    program = training["Body"]["Command"]
    assert (folder / program).is_file()


def test_the_wheel_has_the_name_that_tasks_copy():
    version = re.search(r'^version = "(.+)"$', pathlib.Path(ROOT, "python", "pyproject.toml").read_text(), re.MULTILINE)
    wheel = f"swarmlearning-{version[1]}-py3-none-any.whl"
    images = [file for file in files("task") if "MAKE_USER_CONTAINER" in file.read_text()]
    for file in (*images, EXAMPLES / "cifar10" / "ml-context" / "Dockerfile"):
        assert set(re.findall(r"swarmlearning\S*\.whl", file.read_text())) == {wheel}, file


def test_variants_for_gpus_differ_in_profile_and_base_image_only():
    folder = EXAMPLES / "mnist-pyt"
    variants = [folder / "cpu-based", folder / "gpu-based" / "nvidia", folder / "gpu-based" / "amd"]
    names = {frozenset(str(file.relative_to(each)) for file in each.rglob("*.yaml")) for each in variants}
    assert names == {frozenset({"swop/swop_profile.yaml", "swci/taskdefs/build_pyt_user_image.yaml"})}
    for file in ("swop/swop_profile.yaml", "swci/taskdefs/build_pyt_user_image.yaml"):
        cpu, *others = [yaml.safe_load(filled(each / file)) for each in variants]
        for other in others:
            for node in [each["slnodedef"] for each in other.get("nodes", ())]:
                assert node.pop("usrcontaineropts")
                node["usrenvvars"] = [each for each in node["usrenvvars"] if "HIP_VISIBLE_DEVICES" not in each]
            for task in (cpu, other):
                task.get("Body", {}).pop("BuildSteps", None)
            assert other == cpu
