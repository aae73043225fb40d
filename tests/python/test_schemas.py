"""Task files and SWOP profiles: the programs judge them as PyPI's jsonschema does, and read YAML as PyYAML does."""

import copy
import datetime
import json
import math
import os
import pathlib
import random
import subprocess

import jsonschema
import pytest
import yaml
from repository import ROOT

BIN = pathlib.Path(os.environ.get("SWARM_BIN", pathlib.Path(ROOT, "build", "release", "bin")))
FILES = {"task": "task.schema.json", "profile": "swop-profile.schema.json"}
KINDS = ("RUN_SWARM", "MAKE_USER_CONTAINER", "PULL_IMAGE", "MAKE_SWARM_USER_CONTENT", "RUN_NODE")
EXAMPLES = pathlib.Path(ROOT, "config", "tasks", "testing", "examples")


def ask(kind, folder, texts):
    """What the programs say of each text."""
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.yaml")
        files[-1].write_text(text, encoding="utf-8")
    done = subprocess.run([BIN / "tasks_check_files", kind, *files], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def validator(kind):
    schema = json.loads(pathlib.Path(ROOT, "config", "schema", FILES[kind]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


class Generator:
    """Files that people might write, by a seed: good ones, and ones with a few things wrong."""

    LENGTHS = (0, 1, 2, 3, 5, 30, 71, 159, 160, 161, 240, 241, 253, 254)
    LETTERS = "abcXYZ0159 /._:-#'\"\\,[]{}&*!|>%@`~=?ü😀"

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.chance = self.random.random

    def text(self, least=1, most=40):
        return "".join(self.random.choice(self.LETTERS) for _ in range(self.random.randint(least, most)))

    def environment(self):
        if self.chance() < 0.3:
            return None
        values = (lambda: self.text(0), lambda: self.random.randint(-5, 99), lambda: True, lambda: None, lambda: 0.5)
        return [{f"NAME_{i}": self.random.choice(values)()} for i in range(self.random.randint(0, 4))]

    def mounted(self, source, target):
        return {source: self.text(2), target: "/" + self.text()}

    def task(self):
        kind = self.random.choice(KINDS)
        body = getattr(self, kind.lower())()
        names = {key: self.text(1, 160) for key in ("Name", "Author", "Prereq", "Outcome")}
        return self.shuffled({**names, "TaskType": kind, "Body": self.shuffled(body)})

    def run_node(self):
        return {"Node": self.random.choice(("sn-2", "x" * 40)), "State": self.random.choice(("RUNNING", "STOPPED"))}

    def run_swarm(self):
        shared = [
            {**self.mounted("Src", "Tgt"), "MType": self.random.choice(("BIND", "VOLUME"))}
            for _ in range(self.random.randint(1, 10))
        ]
        return {
            "Command": self.text(),
            "Entrypoint": self.text(),
            "WorkingDir": "/" + self.text(),
            "Envvars": self.environment(),
            "PrivateContent": self.random.choice((None, "/" + self.text())),
            "SharedContent": self.random.choice((None, shared)),
        }

    def make_user_container(self):
        return {
            "BuildContext": self.random.choice((None, self.text(3))),
            "BuildType": self.random.choice(("INLINE", "REMOTE", "VENV")),
            "BuildSteps": [self.text(0, 160) for _ in range(self.random.choice((1, 2, 80)))],
        }

    def pull_image(self):
        auth = (None, self.text(), {"Username": self.text(), "Password": self.random.choice(("$HUB_PASSWORD", "$P"))})
        return {**{key: self.text() for key in ("Tag", "RepoName", "OrgAndReg")}, "Auth": self.random.choice(auth)}

    def make_swarm_user_content(self):
        options = ({"Out": self.text()}, {"Sha256": "0aF3" * 16})
        return {
            "ContentType": self.random.choice(("BUILDCONTENT", "SWARMCONTENT")),
            "OpsList": [
                {
                    "Operation": self.random.choice(("DOWNLOAD", "EXTRACT")),
                    "Target": self.text(),
                    "Options": [option for option in options if self.chance() < 0.5],
                }
                for _ in range(self.random.choice((1, 2, 20)))
            ],
        }

    def profile(self):
        locator = {"host": self.random.choice((None, "10.0.0.1")), "port": self.random.choice((None, 0, 30304, 65535))}
        return self.shuffled(
            {
                "groupname": self.text(),
                "taskrunner": self.text(),
                "policyuri": None,
                "resourcemgr": self.random.choice(
                    ({"mgrtype": "PROCESS"}, {"mgrtype": "DOCKER", "accessinfo": {"accesstype": "FROMENV"}})
                ),
                "network": self.random.choice((None, "net")),
                "apls": {"locator": locator},
                "apisrv": {"locator": {**locator, "service": self.random.choice((None, "api.sn:443"))}},
                "envvars": self.environment(),
                "dns": self.random.choice((None, [], ["10.0.0.53"])),
                "snnodes": [{"snnodedef": self.sn(i)} for i in range(self.random.randint(0, 2))],
                "nodes": [{"slnodedef": self.node(i)} for i in range(self.random.randint(0, 3))],
            }
        )

    def sn(self, index):
        part = {"aType": "KEY", "mType": "BIND", "src": "/keys/key.pem", "tgt": "/k/key.pem"}
        return {
            "snname": f"sn-{index}",
            "identity": [{"attribute": part}],
            "snhostip": self.random.choice((None, "10.0.0.1")),
            "snapiport": 1000 + index,
            "snp2pport": 2000 + index,
            "snenvvars": self.environment(),
            "snpatience": self.random.choice((None, 1, 604800)),
        }

    def node(self, index):
        part = {"aType": self.random.choice(("KEY", "CERT", "CACERT", "CAPATH", "SPIFFE_SOCKETPATH")), "mType": "BIND"}
        node = {
            "idx": index,
            "identity": [{"attribute": {**part, **self.mounted("src", "tgt"), "subPath": None}} for _ in range(3)],
            "slhostname": "sl1",
            "privatedata": self.random.choice((None, {"src": self.text(2), "mType": "VOLUME"})),
            "slenvvars": self.environment(),
            "usrhostname": self.random.choice((None, "user1")),
            "usrenvvars": self.environment(),
        }
        more = {
            "slhostip": "10.0.0.1",
            "slport": self.random.choice((None, 16000)),
            "slfsservice": None,
            "sllabels": self.random.choice((None, ["a"], {"swarm-node-type": "sl"})),
            "slnetworkopts": [{"ip": "10.1.0.1"}],
            "sllimits": {
                "memory": self.random.choice((None, 1000, "512M", "16G")),
                "cpus": self.random.choice((1, 0.5)),
            },
            "usrcontaineropts": [{"gpus": "all"}, {"device": ["/dev/kfd"]}, {"privileged": True}],
        }
        return self.shuffled({**node, **{key: value for key, value in more.items() if self.chance() < 0.4}})

    def shuffled(self, mapping):
        members = list(mapping.items())
        self.random.shuffle(members)
        return dict(members)

    def places(self, tree, found):
        """Every (container, key) of a tree."""
        for key in tree if isinstance(tree, dict) else range(len(tree)):
            found.append((tree, key))
            if isinstance(tree[key], (dict, list)):
                self.places(tree[key], found)
        return found

    def other(self, old):
        """Something to stand in a value's place."""
        strange = [None, True, False, 0, 1, -1, 7, 1.0, 0.5, 65536, 2**40, [], {}, [None], [""], {"a": None}, "DOCKER"]
        strange += [self.text(n, n) for n in self.random.sample(self.LENGTHS, 3)]
        strange += [
            "4G",
            "04G",
            "4 G",
            "4G\n",
            "1",
            "0" * 64,
            "0" * 64 + "\n",
            "g" * 64,
        ]
        if isinstance(old, list) and old:
            strange += [old * self.random.choice((2, 5, 11, 21, 81))] * 8
        if isinstance(old, str):
            strange += [old.lower(), old + " ", old * 3]
        return self.random.choice(strange)

    def spoilt(self, tree):
        tree = copy.deepcopy(tree)
        for _ in range(self.random.choice((0, 1, 1, 1, 2, 4))):
            places = self.places(tree, [])
            if not places:
                break
            container, key = self.random.choice(places)
            act = self.chance()
            if act < 0.2:
                del container[key]
            elif act < 0.35 and isinstance(container, dict):
                container[self.random.choice(("Surplus", "x=y", "", "k" * 161, "Out", "idx"))] = self.other(None)
            else:
                container[key] = self.other(container[key])
        return tree


@pytest.mark.parametrize("kind", FILES)
def test_the_verdict_is_that_of_jsonschema(kind, tmp_path):
    generators = [Generator(seed) for seed in range(1500)]
    good = [getattr(each, kind)() for each in generators]
    trees = good[:300] + [each.spoilt(tree) for each, tree in zip(generators, good, strict=True)]
    # JSON is YAML: what stands in these files is the same for every reader.
    answers = ask(kind, tmp_path, [json.dumps(tree, ensure_ascii=False, indent=1) for tree in trees])
    reference = validator(kind)
    valid = 0
    for tree, answer in zip(trees, answers, strict=True):
        expected = reference.is_valid(tree)
        valid += expected
        shown = json.dumps(tree, ensure_ascii=False)
        assert answer.get("fits") == expected, (shown, answer, [e.message for e in reference.iter_errors(tree)])
        beyond = {error["keyword"] for error in answer["errors"]} == {"rule"}
        assert answer["accepted"] == (expected and not beyond), shown
        assert answer["accepted"] == (answer["errors"] == [])
        for error in answer["errors"]:
            assert error["text"]
    assert all(answer["fits"] for answer in answers[:300])
    assert 300 + 100 < valid < len(trees) - 100  # both verdicts are often met


def quirky(tree, chance):
    """The same tree with the quirks of people's files: keys in another case."""
    if isinstance(tree, list):
        return [quirky(item, chance) for item in tree]
    if not isinstance(tree, dict):
        return tree
    free = all(key.startswith("NAME_") or key in ("gpus", "device", "swarm-node-type") for key in tree)
    return {(key if free or chance() < 0.7 else key.swapcase()): quirky(value, chance) for key, value in tree.items()}


@pytest.mark.parametrize("kind", FILES)
def test_what_is_tolerated_comes_to_what_was_meant(kind, tmp_path):
    generators = [Generator(seed) for seed in range(300)]
    trees = [getattr(each, kind)() for each in generators]
    texts = [
        yaml.safe_dump(quirky(tree, each.chance), allow_unicode=True, sort_keys=False)
        for each, tree in zip(generators, trees, strict=True)
    ]
    reference = validator(kind)
    warned = 0
    for tree, answer in zip(trees, ask(kind, tmp_path, texts), strict=True):
        assert answer["accepted"], answer
        assert answer["document"] == tree
        assert reference.is_valid(answer["document"])
        warned += answer["warnings"] != []
    assert warned > 200


def plain_body(body):
    """A body without what may be written in several ways."""
    variables = [pair for item in body.pop("Envvars", None) or [] for pair in item.items()]
    body["variables"] = [(name, value if value is None else str(value)) for name, value in variables]
    for operation in body.get("OpsList", []):
        options = [pair for item in operation["Options"] for pair in item.items()]
        operation["Options"] = {key: text.lower() if key == "Sha256" else text for key, text in options}
    return body


def test_other_readers_find_the_same_in_what_goes_on_the_chain(tmp_path):
    tasks = [Generator(seed).task() for seed in range(300)]
    answers = ask("task", tmp_path, [json.dumps(task, ensure_ascii=False) for task in tasks])
    for task, answer in zip(tasks, answers, strict=True):
        lines = answer["body"]
        assert lines[0] == "---" and all(len(line.encode()) <= 79 for line in lines)
        assert plain_body(yaml.safe_load("\n".join(lines))) == plain_body(task["Body"])


def read_by_pyyaml(word):
    """What PyYAML reads in a plain scalar; None where it reads none, or fails on what its own rules call a number."""
    try:
        (read,) = yaml.safe_load(f"[ {word} ]")
    except (ValueError, yaml.YAMLError):  # 0b_, 1_:5, ::x
        return None
    if isinstance(read, datetime.date):
        return word
    if isinstance(read, float) and (":" in word or (math.isinf(read) and "inf" not in word.lower())):
        return word  # times of day with fractions, and what is too large, stay text
    return read


def test_plain_words_and_numbers_mean_what_pyyaml_reads(tmp_path):
    source = random.Random(5)
    words = "yes No on OFF true False .inf -.INF .nan y 1e5 1.5e+3 0o17".split()
    while len(words) < 20000:
        words.append("".join(source.choice("0123456789") for _ in range(source.randint(1, 4))))
        words.append("".join(source.choice("0123456789abf_.+-xbe:") for _ in range(source.randint(1, 7))))
    meant = {word: read_by_pyyaml(word) for word in words if not word.startswith("---")}
    meant = {word: read for word, read in meant.items() if isinstance(read, (str, bool, int, float))}
    assert len(meant) > 5000
    ours = ask("task", tmp_path, ["".join(f"- [ {word} ]\n" for word in meant)])[0]["document"]
    for (word, theirs), (read,) in zip(meant.items(), ours, strict=True):
        same_nan = isinstance(theirs, float) and math.isnan(theirs) and math.isnan(read)
        assert same_nan or (type(read), read) == (type(theirs), theirs), word


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_examples_of_the_unit_tests_fit(file, tmp_path):
    kind = "profile" if "profile" in file.stem else "task"
    (answer,) = ask(kind, tmp_path, [file.read_text(encoding="utf-8")])
    assert answer["accepted"] and validator(kind).is_valid(answer["document"])
