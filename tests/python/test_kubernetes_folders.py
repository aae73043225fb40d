"""deploy/kubernetes: the folders are rendered, and what comes out is what Kubernetes takes."""

import pathlib
import shutil
import subprocess

import kubernetes_validate
import pytest
import yaml

FOLDERS = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"
API_VERSION = "1.30"


def rendered(folder):
    if not shutil.which("kubectl"):
        pytest.skip("no kubectl: install kubernetes-client")
    said = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return list(yaml.safe_load_all(said.stdout))


@pytest.mark.parametrize("name", ["sn", "swop", "page"])
def test_a_folder_renders_to_objects_that_kubernetes_takes(name):
    objects = rendered(FOLDERS / name)
    assert len(objects) >= 2
    for each in objects:
        kubernetes_validate.validate(each, API_VERSION, strict=True)
        assert each["metadata"]["namespace"] == "swarm"
    pods = [each["spec"]["template"]["spec"] for each in objects if each["kind"] in ("StatefulSet", "Deployment")]
    assert len(pods) == 1
    for container in pods[0]["containers"]:
        assert ":" in container["image"] and container["securityContext"]["readOnlyRootFilesystem"]
        mounted = {each["name"] for each in container["volumeMounts"]}
        templates = [each for one in objects for each in one.get("spec", {}).get("volumeClaimTemplates", [])]
        claims = {each["metadata"]["name"] for each in templates}
        assert mounted == {each["name"] for each in pods[0]["volumes"]} | claims


def test_only_the_swop_has_a_token_and_no_rights_beyond_its_namespace():
    for name in ("sn", "swop", "page"):
        kinds = {each["kind"] for each in rendered(FOLDERS / name)}
        assert not kinds & {"ClusterRole", "ClusterRoleBinding"}
        assert ("Role" in kinds) == (name == "swop")
    role = next(each for each in rendered(FOLDERS / "swop") if each["kind"] == "Role")
    assert not [rule for rule in role["rules"] if "*" in rule["verbs"] + rule["resources"]]


def test_the_profile_of_the_swop_is_one():
    jsonschema = pytest.importorskip("jsonschema")
    schema = FOLDERS.parents[1] / "config" / "schema" / "swop-profile.schema.json"
    profile = yaml.safe_load((FOLDERS / "swop" / "swop-profile.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(profile, yaml.safe_load(schema.read_text(encoding="utf-8")))
