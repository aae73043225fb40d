"""docs/compatibility.md: every name that users of the original know has a row, and the row says what is so."""

import ast
import functools
import json
import os
import pathlib
import re
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml
from repository import ROOT

TREE = pathlib.Path(ROOT)
BIN = pathlib.Path(os.environ.get("SWARM_BIN", TREE / "build" / "release" / "bin"))
SCRIPTS = TREE / "deploy" / "bin"
DOCUMENT = TREE / "docs" / "compatibility.md"
NAMES = yaml.safe_load(pathlib.Path(__file__).with_name("original_names.yaml").read_text(encoding="utf-8"))
STATES = {"same", "accepted", "replaced", "not there"}
SOURCES = {".cpp", ".hpp", ".py", ".sh", ".md", ".yaml", ".json", ""}
NO_LICENCE = "no licence is needed"
SN = ["--role", "sn", "--sentinel", "--host-ip", "h", "--key", "k", "--cert", "c", "--capath", "."]

# What else a script needs to come as far as the option that is tried.
BESIDE = {
    "run-sn": ["--host-ip=10.0.0.1", "--sentinel"],
    "run-sl": ["--host-ip=10.0.0.1", "--sn-ip=10.0.0.2", "--ml-image=i"],
    "run-swop": ["--usr-dir=.", "--profile-file-name=profile.yaml", "--sn-ip=10.0.0.2"],
    "run-swci": ["--usr-dir=."],
    "run-slm-ui": ["--sn-ip=10.0.0.2"],
}
# A word that is no engine: nothing is started in a dry run, and it is asked for the address of a container alone.
ENGINE = '#!/bin/sh\n[ "$2" != inspect ] || echo 10.0.0.9\n'


def rows():
    """{heading: {name: (state, text)}} of all tables of the document."""
    found, heading = {}, ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line[3:]
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("| `") else []
        if len(cells) == 3 and (name := re.fullmatch("`(.+)`", cells[0])):
            assert name[1] not in found.setdefault(heading, {}), f"{heading}: {name[1]} has two rows"
            found[heading][name[1]] = cells[1], cells[2]
    return found


def cases(kind):
    """Heading, name, value, and what its row says, of all names that are tried so."""
    for heading, group in NAMES.items():
        if re.fullmatch(kind, group["tried"]):
            names = group["names"]
            for name in names:
                yield heading, name, names[name] if isinstance(names, dict) else None, *rows()[heading][name]


def text_of(place):
    """All that stands in a folder's sources, or in one file."""
    found = [place] if place.is_file() else sorted(place.rglob("*"))
    wanted = [file for file in found if file.is_file() and file.suffix in SOURCES and ".test." not in file.name]
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in wanted)


def swarmd(*words, **variables):
    environment = {"PATH": os.environ["PATH"], **variables}
    return subprocess.run([BIN / "swarmd", *words], capture_output=True, text=True, timeout=60, env=environment)


@functools.cache
def help_of_swarmd():
    return swarmd("--help").stdout


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Calls a script of deploy/bin beside the stand-in for an engine."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "bin").mkdir()
    (folder / "bin" / "docker").write_text(ENGINE)
    (folder / "bin" / "docker").chmod(stat.S_IRWXU)
    for name in ("cert.pem", "profile.yaml"):
        (folder / name).touch()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SWARM", "DOCKER"))}
    environment |= {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "SWARM_STATE_DIR": str(folder / "state"),
                    "SWARM_BIN": str(BIN)}

    def call(script, *words):
        return subprocess.run([SCRIPTS / script, *words], cwd=folder, capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, env=environment)  # fmt: skip

    return call


def test_every_name_has_a_row_with_a_state():
    documented = {heading: set(of) for heading, of in rows().items()}
    assert documented == {heading: set(map(str, group["names"])) for heading, group in NAMES.items()}
    assert {state for of in rows().values() for state, _ in of.values()} <= STATES
    # What is not as it was is explained.
    replaced = {name: text for of in rows().values() for name, (state, text) in of.items() if state == "replaced"}
    assert replaced and all(replaced.values())


def test_links_of_the_document_lead_somewhere():
    links = re.findall(r"\]\(([a-z-]+\.md)(?:#([a-z-]+))?\)", DOCUMENT.read_text(encoding="utf-8"))
    assert len(links) > 10
    for file, anchor in links:
        text = (TREE / "docs" / file).read_text(encoding="utf-8")
        titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, (file, anchor)


def test_scripts_are_there(run):
    for _, script, _, state, _ in cases("script"):
        done = run(script, "--help")
        assert state == "same" and done.returncode == 0 and script in done.stdout, (script, done.stderr)


def test_scripts_take_the_options(run):
    def tried(case):
        heading, option, value, state, _ = case
        script = NAMES[heading]["tried"].removeprefix("option of ")
        beside = [word for word in BESIDE[script] if word.partition("=")[0] != option]
        if option.startswith("--sentinel-"):
            beside[beside.index("--sentinel")] = "" if option != "--sentinel-api-port" else "--sentinel-ip=10.0.0.9"
        if option == "--sn-docker-name":
            beside.remove("--sn-ip=10.0.0.2")
        done = run(script, "--dry-run", *filter(None, beside), option, *([value] if value else []))
        taken = done.returncode == 0 and (option == "--help" or "container create" in done.stdout)
        answered = NO_LICENCE in done.stderr and f"{script}: {option}" in done.stderr
        return None if taken and answered == (state == "accepted") else (script, option, done.stdout, done.stderr)

    with ThreadPoolExecutor(4) as several:
        wrong = [said for said in several.map(tried, cases("option of .*")) if said]
    assert wrong == []
    # The same stand-in for an engine says so when an option is none.
    assert run("run-sn", "--dry-run", *BESIDE["run-sn"], "--nonsense").returncode == 1


def test_every_run_script_answers_what_the_licence_server_needed(run):
    options = [option for _, option, *_ in cases("option of run-sn") if "apls" in option]
    assert len(options) == 6
    words = [word for option in options for word in (option, "1")]
    for script, beside in BESIDE.items():
        done = run(script, "--dry-run", *beside, *words)
        assert done.returncode == 0 and done.stderr == f"{script}: {' '.join(sorted(options))}: {NO_LICENCE}\n"
        assert "apls" not in done.stdout


def test_the_other_scripts_explain_their_options(run):
    for _, name, _, state, _ in cases("help"):
        script, word = name.split()
        done = run(script, "--help")
        assert state == "same" and word in re.split(r"[\s\[\],|]+", done.stdout), (name, done.stdout)


def test_nodes_read_the_variables():
    for _, name, place, state, _ in cases("variable"):
        read = f"[{name}]" in help_of_swarmd()
        if place:
            read = name in text_of(TREE / place)
        elif state == "accepted" and not read:
            done = swarmd(*SN, "--check", **{name: "1"})
            read = f"{name} is not needed: " in done.stdout + done.stderr
        elif name == "swarm_node_type":
            read = True  # the scripts pass on every variable
        assert read == (state != "not there"), name


def test_every_role_answers_flags_of_the_licence_server():
    flags = [option for _, option, *_ in cases("option of run-sn") if "apls" in option]
    for role in ("sl", "swop", "swci", "ui"):
        said = swarmd("--role", role, "--check", *(word for flag in flags for word in (flag, "1")))
        # The settings of a role are incomplete here, so it is refused, but for none of these flags.
        assert "apls" not in said.stderr, role
    said = swarmd(*SN, "--check", *(word for flag in flags for word in (flag, "1")))
    assert [flag for flag in flags if f"{flag} is not needed: {NO_LICENCE}" not in said.stdout + said.stderr] == []


def test_ports_are_those_of_the_help():
    for _, port, _, state, _ in cases("port"):
        assert bool(re.search(rf"(\({port}\)|port {port}\b)", help_of_swarmd())) == (state == "same"), port


def test_swci_has_the_commands():
    text = (TREE / "actors/swci/language/testdata/help_of_all.txt").read_text(encoding="utf-8")
    usages = [line for line in text.splitlines() if line and not line.startswith(" ")]
    for _, name, _, state, _ in cases("command"):
        # Small letters of a name stand for what the user says, and brackets of a usage for what may be left out.
        pattern = re.sub(r"\b[a-z]\b", "<[a-z]+>", name).replace(" ", r" (?:\[[A-Z]+\] )?")
        pattern = pattern.replace("CONTRACT", r"\[?CONTRACT\]?")
        assert any(re.match(rf"{pattern}(\b|\W|$)", usage) for usage in usages) == (state == "same"), name


def schema_at(schema, path):
    """The part of a schema at a dotted path of keys; lists and references are gone through."""
    whole = schema
    for key in path:
        while "$ref" in schema or "items" in schema:
            schema = schema["items"] if "$ref" not in schema else functools.reduce(
                lambda at, name: at[name], schema["$ref"].removeprefix("#/").split("/"), whole
            )  # fmt: skip
        schema = schema["properties"][key]
    return schema


def test_schemas_have_the_keys():
    profile = json.loads((TREE / "config/schema/swop-profile.schema.json").read_text(encoding="utf-8"))
    for _, name, _, state, _ in cases("profile key"):
        assert schema_at(profile, name.split(".")) and state in ("same", "accepted"), name
    task = json.loads((TREE / "config/schema/task.schema.json").read_text(encoding="utf-8"))
    for _, name, _, state, _ in cases("task key"):
        kind, _, key = name.partition(".")
        body = task["$defs"][kind.lower()]["properties"] if key else task["properties"]
        assert (key or kind) in body and state == "same", name


def test_a_profile_with_a_licence_server_is_taken_with_a_warning(tmp_path):
    text = (TREE / "examples/mnist/swop/swop1_profile.yaml").read_text(encoding="utf-8")
    profile = yaml.safe_load(text)
    profile["apls"] = {"locator": {"host": "10.9.9.9", "port": 5814}}
    (tmp_path / "profile.yaml").write_text(yaml.safe_dump(profile))
    done = subprocess.run([BIN / "tasks_check_files", "profile", tmp_path / "profile.yaml"], capture_output=True,
                          text=True, check=True, timeout=60)  # fmt: skip
    assert NO_LICENCE in done.stdout, done.stdout


def test_what_is_waited_for_is_said_where_the_list_says():
    for _, name, place, state, _ in cases("place"):
        if place:
            assert (name in text_of(TREE / place)) == (state != "not there"), (name, place)


def parameters(path):
    """Names of the parameters of SwarmCallback there."""
    tree = ast.parse((TREE / path).read_text(encoding="utf-8"))
    (made,) = (each for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "SwarmCallback"
               for each in node.body if isinstance(each, ast.FunctionDef) and each.name == "__init__")  # fmt: skip
    return {each.arg for each in made.args.args + made.args.kwonlyargs}


def test_the_callbacks_have_the_arguments():
    torch, keras = (parameters(f"python/swarmlearning/{name}.py") for name in ("pyt", "tf"))
    for _, name, _, state, _ in cases("argument"):
        assert (name in torch) == (state == "same"), name
        assert (name in keras) == (state == "same" and name != "model"), name


def test_the_swci_class_has_the_methods():
    swci = pytest.importorskip("swarmlearning.swci")
    for _, name, _, state, _ in cases("method"):
        assert callable(getattr(swci.Swci, name, None)) == (state == "same"), name


def test_examples_are_there_or_not():
    for _, name, _, state, _ in cases("example"):
        assert (TREE / "examples" / name).is_dir() == (state == "same"), name
