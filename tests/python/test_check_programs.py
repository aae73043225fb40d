"""`python -m swarmlearning check` on programs of every framework, each in a process of its own."""

import json
import os
import subprocess
import sys

import pytest
from launcher.forks import python_with
from repository import ROOT

FRAMEWORKS = {"import keras": "keras-torch", "import torch": "torch"}  # what a program of such a text begins with
TORCH = """
import sys
import torch
from torch import nn
from swarmlearning.pyt import SwarmCallback
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))
x, y = torch.randn(64, 4), torch.randint(0, 2, (64,))
arguments = dict(syncFrequency=3, minPeers=2, totalEpochs=2, adsValData=(x, y), lossFunction="CrossEntropyLoss")

def train(model, swarm, epochs=2, batches=4):
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)
    swarm.on_train_begin()
    for epoch in range(epochs):
        for _ in range(batches):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            swarm.on_batch_end()
        swarm.on_epoch_end(epoch)
    swarm.on_train_end()
    open("trained", "w").close()
"""


@pytest.fixture
def check(tmp_path):
    """Checks a program of this text; returns exit status, report and what went to standard error."""

    def run(text, *options, arguments=(), program=("train.py",), report=json.loads, kind=None):
        (tmp_path / "train.py").write_text(text)
        flags = ["--json", *options] if report is json.loads else list(options)
        kind = kind or next((kind for word, kind in FRAMEWORKS.items() if word in text), None)
        python = python_with(kind) if kind else sys.executable
        command = [python, "-m", "swarmlearning", "check", *flags, *program, *arguments]
        environment = {**os.environ, "PYTHONPATH": os.path.join(ROOT, "python"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        assert done.stdout, done.stderr
        return done.returncode, report(done.stdout), done.stderr

    return run


def codes(report, kind="warnings"):
    return [one["code"] for one in report[kind]]


def test_pytorch(check, tmp_path):
    pytest.importorskip("torch")
    text = TORCH + "print('said', *sys.argv)\ntrain(model, SwarmCallback(**arguments, model=nn.DataParallel(model)))"
    status, report, said = check(text, arguments=["this"])
    assert (status, report["outcome"], report["failure"], report["problems"]) == (0, "fine", None, [])
    assert codes(report) == ["wrapper"] and report["wrappers"] == ["DataParallel"]
    assert report["platform"] == "PYTORCH" and {"torch", "numpy", "Python"} < set(report["versions"])
    assert report["session"]["syncFrequency"] == 3 and "adsValData" not in report["session"]
    assert report["run"] == {"began": True, "ended": False, "batches": 4, "epochs": 1, "epoch_batches": 4,
                             "stopped": "after its first epoch"}  # fmt: skip
    assert report["shared"][0] == {"name": "0.weight", "own_name": "0.weight", "dtype": "float32", "shape": [8, 4],
                                   "size": 128, "trained": True}  # fmt: skip
    assert len(report["shared"]) == 9 and report["bytes"] == 368 and report["bytes_max"] > 1 << 30
    assert report["validation"]["works"] and report["validation"]["loss"] > 0
    assert "said train.py this" in said and not (tmp_path / "trained").exists()


def test_text_for_people(check):
    pytest.importorskip("torch")
    text = TORCH + """
model[0].requires_grad_(False)
model[0].register_buffer("scratch", torch.zeros(2), persistent=False)
swarm = SwarmCallback(syncFrequency=99, minPeers=1, model=model, sharedParameters=["2.*"])
train(torch.nn.Sequential(*map(__import__("copy").deepcopy, model)), swarm)
"""
    status, lines, _ = check(text, "--batches", "3", report=str.splitlines)
    assert status == 0
    assert lines[0] == "train.py: it can take part; 0 problems and 5 warnings"
    assert "Run         alone, 3 batches; stopped after 3 batches" in lines
    assert "            syncFrequency = 99" in lines and "            sharedParameters = ['2.*']" in lines
    assert "Shared: 2 tensors, 72 bytes of at most 1048560.0 MiB" in lines
    assert "  float32  2x8  64 bytes  2.weight" in lines
    assert "  0.weight: sharedParameters does not name it" in lines
    assert "  0.scratch: it is no persistent buffer" in lines
    warned = [line.split(":")[0].strip() for line in lines[lines.index("Warnings:") + 1 :]]
    assert warned == ["min-peers", "total-epochs", "sync-unseen", "no-validation", "unchanged"]


@pytest.mark.parametrize(
    "more, problem, said",
    [
        ("train(model, SwarmCallback(**{**arguments, 'minPeers': 0}, model=model))", "refused", "minPeers: wanted"),
        ("arguments['adsValData'] = (x[:, :3], y)\ntrain(model, SwarmCallback(**arguments, model=model))",
         "refused", "adsValData: the model cannot be judged on its first batch"),
        ("model[0].register_buffer('q', torch.zeros(3).to(torch.float8_e5m2))\n"
         "train(model, SwarmCallback(**arguments, model=model))", "refused", "0.q"),
        ("model[2].bias.data[1] = float('inf')\ntrain(model, SwarmCallback(**arguments, model=model))", "not-finite",
         "2.bias"),
        ("SwarmCallback(**arguments, model=model)", "no-begin", "on_train_begin() was never called"),
        ("SwarmCallback(**arguments, model=model).on_train_begin()", "no-batches", "on_batch_end() was never"),
        ("swarm = SwarmCallback(**arguments, model=model)\nswarm.on_train_begin()\nswarm.on_batch_end()", "no-end",
         "without the swarm's final model"),
    ],
    ids=["argument", "validation", "type", "inf", "no-begin", "no-batches", "no-end"],
)  # fmt: skip
def test_problems(check, more, problem, said):
    pytest.importorskip("torch")
    status, report, _ = check(TORCH + more)
    assert (status, report["outcome"], codes(report, "problems")) == (1, "problems", [problem])
    assert said in report["problems"][0]["text"]


@pytest.mark.parametrize(
    "text, failure",
    [
        ("print('nothing')", "it makes no SwarmCallback"),
        ("raise KeyError('private')", "KeyError at "),
        ("import sys; sys.exit('private')", "it ended itself with 'private'"),
        ("import os; os._exit(7)", "it ended with exit status 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "it was ended by signal 9"),
        ("import time; time.sleep(600)", "it had not trained so far after 3 s"),
    ],
    ids=["nothing", "error", "exit", "_exit", "killed", "hangs"],
)
def test_programs_that_fail(check, text, failure):
    status, report, _ = check(text, "--timeout", "3")
    assert (status, report["outcome"]) == (2, "failed")
    assert report["failure"].startswith(failure)


def test_a_program_that_does_not_let_itself_be_stopped(check, tmp_path):
    """What it has started ends with it."""
    pytest.importorskip("torch")
    text = TORCH + """
import os, signal, subprocess, time
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("pids", "w").write(str(helper.pid))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
try:
    train(model, SwarmCallback(**arguments, model=model))
except BaseException:
    time.sleep(600)
"""
    status, report, _ = check(text)
    assert (status, report["outcome"]) == (0, "fine")
    helper = f"/proc/{(tmp_path / 'pids').read_text()}/stat"
    assert not os.path.exists(helper) or open(helper).read().rpartition(")")[2].split()[0] == "Z"


def test_a_module(check, tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("")
    (tmp_path / "package" / "train.py").write_text(
        TORCH + "from . import __name__ as name\nassert name == 'package'\n"
        "train(model, SwarmCallback(**arguments, model=model), epochs=int(sys.argv[1]))"
    )
    status, report, _ = check("", arguments=["1"], program=["-m", "package.train"], kind="torch")
    assert (status, report["program"], report["problems"]) == (0, "-m package.train 1", [])


def test_no_program():
    for arguments in ([], ["-m"], ["/no/such/program.py"]):
        command = [sys.executable, "-m", "swarmlearning", "check", *arguments]
        environment = {**os.environ, "PYTHONPATH": os.path.join(ROOT, "python")}
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 2 and "program" in done.stderr and "Traceback" not in done.stderr


def test_keras(check):
    pytest.importorskip("keras")
    text = """
import numpy as np
import keras
from swarmlearning.tf import SwarmCallback
keras.layers.Dense(3)
inputs = keras.Input((4,))
model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.BatchNormalization()(inputs)))
model.compile("sgd", "mse", metrics=["mae"])
x, y = np.ones((64, 4), "float32"), np.ones((64, 2), "float32")
swarm = SwarmCallback(syncFrequency=128, minPeers=2, adsValData=(x, y), totalEpochs=40)
model.fit(x, y, batch_size=8, epochs=40, callbacks=[swarm], verbose=0)
"""
    status, report, _ = check(text, "--batches", "3")
    assert (status, report["problems"]) == (0, [])
    assert report["platform"] == "KERAS" and "keras" in report["versions"]
    assert report["run"]["epoch_batches"] == 8 and report["run"]["batches"] == 3
    assert codes(report) == ["rare-sync"] and "comes in epoch 17" in report["warnings"][0]["text"]
    names = {one["name"]: one["own_name"] for one in report["shared"]}
    assert names["dense/kernel:0"] == "dense_1/kernel"
    assert report["validation"]["loss"] > 0 and report["validation"]["metric"] > 0


def test_lightning(check):
    pytest.importorskip("lightning")
    text = TORCH + """
import lightning
from swarmlearning.lightning import SwarmCallback

class Module(lightning.LightningModule):
    def __init__(self):
        super().__init__()
        self.net = model
    def training_step(self, batch):
        return nn.functional.cross_entropy(self.net(batch[0]), batch[1])
    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)

loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=4)
swarm = SwarmCallback(syncFrequency=100, minPeers=2, submodule="net")
trainer = lightning.Trainer(max_epochs=2, callbacks=[swarm], logger=False, enable_checkpointing=False,
                            accelerator="cpu", enable_progress_bar=False)
trainer.fit(Module(), loader)
"""
    status, report, _ = check(text, "--batches", "3")
    assert (status, report["problems"], report["run"]["batches"]) == (0, [], 3)
    assert "lightning" in report["versions"] and report["session"]["totalEpochs"] == 2
    assert report["run"]["epoch_batches"] == 16 and report["shared"][0]["name"] == "0.weight"
    assert codes(report) == ["no-sync", "no-validation"]


def test_transformers_with_adapters(check):
    pytest.importorskip("transformers")
    peft = pytest.importorskip("peft")
    assert peft
    text = """
import torch
from peft import LoraConfig, get_peft_model
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments
from swarmlearning.hf import SwarmCallback
config = BertConfig(vocab_size=50, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)
model = get_peft_model(BertForSequenceClassification(config), LoraConfig(target_modules=["query"]))
data = [{"input_ids": torch.randint(0, 50, (8,)), "labels": 1} for _ in range(32)]
args = TrainingArguments("out", num_train_epochs=1, per_device_train_batch_size=4, use_cpu=True, report_to=[],
                         save_strategy="no", disable_tqdm=True)
swarm = SwarmCallback(syncFrequency=4, minPeers=2, adsValData=data[:4], adsValBatchSize=2)
Trainer(model, args, train_dataset=data, callbacks=[swarm]).train()
"""
    status, report, _ = check(text, "--batches", "3")
    assert (status, report["run"]["batches"], report["run"]["epoch_batches"]) == (0, 3, 8), report["problems"]
    assert report["session"]["sharedParameters"] == "trainable"
    assert all("lora" in one["name"] and "base_model" not in one["name"] for one in report["shared"])
    kept = {one["name"]: one["why"] for one in report["local"]}
    assert kept["base_model.model.bert.embeddings.word_embeddings.weight"] == "it takes no gradients"
    assert "it is no persistent buffer" in kept.values()
    assert {"transformers", "peft"} < set(report["versions"]) and codes(report) == []
