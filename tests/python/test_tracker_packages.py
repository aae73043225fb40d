"""Rounds in MLflow, TensorBoard and Weights & Biases, each by its real package, read back from what it has written."""

import contextlib
import getpass
import socket
import sys

import pytest
from dict_program import DictCallback, train
from launcher.chain import DEFAULT_CONTRACT
from test_tracker import Lines
from tracker_files import tensorboard_values, wandb_records, wandb_rows
from wire_schema import OPEN

NAME = f"{DEFAULT_CONTRACT} sl-1"
ROUNDS = [11, 12, 13]


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
def bench(swarm):
    return swarm(ghost=True, tells_rounds=True)


def run(lines, tracker, **options):
    """Three rounds."""
    callback = DictCallback(tracker=tracker, logger=lines, adsValData=[1], **options)
    train(callback, batches=5)
    return callback


# MLflow ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "")  # so that what set_experiment sets is taken back
    monkeypatch.delenv("MLFLOW_EXPERIMENT_ID")
    module = pytest.importorskip("mlflow")
    yield module
    while module.active_run():
        module.end_run()
    module.tracking.fluent._active_experiment_id = None


def runs_of(mlflow, experiment):
    client = mlflow.MlflowClient()
    return client, client.search_runs([client.get_experiment_by_name(experiment).experiment_id])


def test_a_run_of_mlflow(bench, lines, mlflow):
    callback = run(lines, "mlflow", nodeWeightage=2)
    client, (found,) = runs_of(mlflow, DEFAULT_CONTRACT)
    assert (found.info.run_name, found.info.status) == (NAME, "FINISHED") and mlflow.active_run() is None
    assert found.data.params["swarm.nodeWeightage"] == "2" and found.data.params["swarm.syncFrequency"] == "3"
    for name, last in [("loss", float(callback.values["w"].sum())), ("metric", 0.25), ("mean_loss", 0.5)]:
        history = client.get_metric_history(found.info.run_id, f"swarm/{name}")
        assert [one.step for one in history] == ROUNDS and history[-1].value == pytest.approx(last)
    assert found.data.tags == {  # and nothing of the program or its host
        "mlflow.runName": NAME,
        "swarm.contract": DEFAULT_CONTRACT,
        "swarm.node": "sl-1",
        "swarm.training": bench.training,
        "swarm.round": "13",
        "swarm.digest": bench.digest,
    }
    assert not lines.of_tracker()


def test_a_run_of_mlflow_that_is_open_is_used_and_stays_open(bench, lines, mlflow):
    experiment = mlflow.create_experiment("experiment of mine")
    mine = mlflow.start_run(run_name="mine", experiment_id=experiment, tags={"swarm.contract": "?"})
    mlflow.log_param("swarm.nodeWeightage", "another training's")
    run(lines, "mlflow")
    assert mlflow.active_run().info.run_id == mine.info.run_id
    client, (found,) = runs_of(mlflow, "experiment of mine")
    assert found.info.run_name == "mine" and found.info.status == "RUNNING"
    assert [one.step for one in client.get_metric_history(mine.info.run_id, "swarm/loss")] == ROUNDS
    assert found.data.params["swarm.nodeWeightage"] == "another training's"
    assert found.data.params["swarm.syncFrequency"] == "3" and found.data.tags["swarm.digest"] == bench.digest


def test_a_run_of_mlflow_that_the_user_ends_gets_the_later_rounds_too(bench, lines, mlflow):
    """As a Trainer of transformers ends its own before the last merge."""
    mine = mlflow.start_run()
    callback = DictCallback(tracker="mlflow", logger=lines, adsValData=[1])
    callback.on_train_begin()
    mlflow.end_run()
    for _ in range(5):
        callback.on_batch_end()
    callback.on_train_end()
    client = mlflow.MlflowClient()
    assert client.get_run(mine.info.run_id).info.status == "FINISHED"
    assert [one.step for one in client.get_metric_history(mine.info.run_id, "swarm/loss")] == ROUNDS
    assert callback.modelDigest() == bench.digest and not lines.of_tracker()


def comes_back(bench, lines, tracker):
    """A program is lost after round 12, and one that resumes gets the merge of that round again."""
    lost = DictCallback(tracker=tracker, logger=lines, adsValData=[1])
    lost.on_train_begin()
    for _ in range(4):
        lost.on_batch_end()
    lost.close()
    run(lines, tracker)
    assert not lines.of_tracker()


@pytest.fixture
def two_sessions(swarm):
    def go_on(sl, msg_type, message):
        if msg_type == OPEN and len(sl.of_type(OPEN)) == 2:
            sl.swarm.round_num, sl.swarm.training = sl.swarm.second

    bench = swarm(ghost=True, tells_rounds=True, sessions=2, script=go_on)
    bench.second = (1, bench.training)
    return bench


def test_a_node_that_comes_back_goes_on_in_its_run_of_mlflow(two_sessions, lines, mlflow):
    comes_back(two_sessions, lines, "mlflow")
    client, (found,) = runs_of(mlflow, DEFAULT_CONTRACT)
    history = client.get_metric_history(found.info.run_id, "swarm/loss")
    assert found.info.status == "FINISHED" and [one.step for one in history] == [*ROUNDS, 14]
    assert found.data.tags["swarm.digest"] == two_sessions.digest


def test_another_generation_is_another_run_of_mlflow(two_sessions, lines, mlflow):
    run(lines, "mlflow")
    two_sessions.second = (0, "01020304-2")
    run(lines, "mlflow")
    _, found = runs_of(mlflow, DEFAULT_CONTRACT)
    assert sorted(one.data.tags["swarm.training"] for one in found) == ["01020304-1", "01020304-2"]


def test_a_store_of_mlflow_that_cannot_be_harms_nothing(bench, lines, mlflow, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///proc/none")
    assert run(lines, "mlflow").modelDigest() == bench.digest
    assert "3 of 3 rounds are not in MLflow" in lines.of_tracker()[-1]


# TensorBoard -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("writer", ["tensorboardX", "torch"])
def test_an_event_file(bench, lines, tmp_path, monkeypatch, writer):
    pytest.importorskip("tensorboardX")
    if writer == "torch":
        monkeypatch.setitem(sys.modules, "tensorflow", None)
        pytest.importorskip("torch.utils.tensorboard")
        monkeypatch.setitem(sys.modules, "tensorboardX", None)
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "boards"))
    callback = run(lines, "TensorBoard")
    monkeypatch.undo()
    (folder,) = (tmp_path / "boards").iterdir()
    assert folder.name == f"{NAME}_{bench.training}".replace(" ", "_")
    found = tensorboard_values(folder)
    loss, digests = found["swarm/loss"], found["swarm/digest"]
    assert [step for step, _ in loss] == ROUNDS and loss[-1][1] == pytest.approx(float(callback.values["w"].sum()))
    assert found["swarm/mean_loss"] == [(number, 0.5) for number in ROUNDS]
    assert found["swarm/round"] == [(number, number) for number in ROUNDS]
    assert digests[-1] == (13, bench.digest) and len({digest for _, digest in digests}) == 3
    (parameters,) = found["swarm/parameters"]
    assert f"| swarm.contract | {DEFAULT_CONTRACT} |" in parameters[1] and "| swarm.minPeers | 1 |" in parameters[1]
    assert not lines.of_tracker()


def test_a_node_that_comes_back_goes_on_in_its_folder(two_sessions, lines, tmp_path, monkeypatch):
    """As TensorBoard itself reads it."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # which it would import
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    pytest.importorskip("tensorboardX")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "boards"))
    comes_back(two_sessions, lines, "tensorboard")
    (folder,) = (tmp_path / "boards").iterdir()
    read = accumulator.EventAccumulator(str(folder))
    read.Reload()
    assert [one.step for one in read.Scalars("swarm/loss")] == [*ROUNDS, 14]


def test_a_folder_that_cannot_be_written_harms_nothing(bench, lines, monkeypatch):
    pytest.importorskip("tensorboardX")
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "/proc/none")
    assert run(lines, "tensorboard").modelDigest() == bench.digest
    assert "TENSORBOARD_LOGGING_DIR" in lines.of_tracker()[0] and "3 of 3 rounds are not in" in lines.of_tracker()[-1]


# Weights & Biases --------------------------------------------------------------------------------------------------


@pytest.fixture
def wandb(tmp_path, monkeypatch):
    for name, value in [("MODE", "offline"), ("ERROR_REPORTING", "false"), ("SILENT", "true"), ("DIR", str(tmp_path))]:
        monkeypatch.setenv(f"WANDB_{name}", value)
    module = pytest.importorskip("wandb")
    yield module
    with contextlib.suppress(AttributeError):
        module.run.finish()
    module.teardown()  # else the next test would have the settings of this one


def test_a_run_of_wandb(bench, lines, wandb, tmp_path, monkeypatch):
    private_place = tmp_path / "private-place"
    private_place.mkdir()
    monkeypatch.chdir(private_place)
    callback = run(lines, "wandb")
    assert wandb.run is None
    records = wandb_records(tmp_path)
    (begun,) = [record.run for record in records if record.WhichOneof("record_type") == "run"]
    config = {item.key: item.value_json for record in records for item in record.config.update}
    assert (begun.project, begun.display_name, list(begun.tags)) == ("swarm", NAME, [DEFAULT_CONTRACT])
    assert config["swarm.syncFrequency"] == "3" and config["swarm.contract"] == f'"{DEFAULT_CONTRACT}"'
    rows = wandb_rows(records)
    assert [row["swarm/round"] for row in rows] == ROUNDS
    assert rows[-1]["swarm/loss"] == pytest.approx(float(callback.values["w"].sum()))
    assert rows[-1]["swarm/digest"] == bench.digest and rows[-1]["swarm/mean_metric"] == 0.75
    assert any(record.exit.exit_code == 0 for record in records if record.WhichOneof("record_type") == "exit")
    written = b"".join(record.SerializeToString() for record in records)
    for private in (socket.gethostname(), private_place.name, sys.executable, "requirements", "numpy"):
        assert private.encode() not in written, private
    assert getpass.getuser().encode() not in written.replace(DEFAULT_CONTRACT.encode(), b"")
    assert not lines.of_tracker()


def test_a_node_that_comes_back_goes_on_in_its_run_of_wandb(two_sessions, lines, wandb, tmp_path):
    comes_back(two_sessions, lines, "wandb")
    begun = [record.run for record in wandb_records(tmp_path, runs=2) if record.WhichOneof("record_type") == "run"]
    assert len({one.run_id for one in begun}) == 1 and len(begun) == 2 and len(begun[0].run_id) == 16


def test_a_run_of_wandb_that_is_open_keeps_its_own_rows(bench, lines, wandb, tmp_path):
    """Numbered by the user, and fewer than there are rounds."""
    mine = wandb.init(name="mine", dir=str(tmp_path), settings=wandb.Settings(console="off"))
    callback = DictCallback(tracker="wandb", logger=lines)
    callback.on_train_begin()
    for batch in range(19):
        callback.on_batch_end()
        if batch % 6 == 5:
            mine.log({"mine": batch}, step=batch // 6)
    callback.on_train_end()
    assert wandb.run is mine
    mine.finish()
    rows = wandb_rows(wandb_records(tmp_path))
    assert [(row["_step"], row["mine"]) for row in rows if "mine" in row] == [(0, 5), (1, 11), (2, 17)]
    assert sorted(row["swarm/round"] for row in rows if "swarm/round" in row) == list(range(11, 11 + callback.syncs))
    assert not lines.of_tracker()


def test_a_run_of_wandb_that_the_user_ends_harms_nothing(bench, lines, wandb):
    mine = wandb.init(settings=wandb.Settings(console="off"))
    callback = DictCallback(tracker="wandb", logger=lines)
    callback.on_train_begin()
    mine.finish()
    for _ in range(5):
        callback.on_batch_end()
    callback.on_train_end()
    assert callback.modelDigest() == bench.digest
    assert "Weights & Biases does not take" in lines.of_tracker()[0]
    assert "rounds are not in Weights & Biases" in lines.of_tracker()[-1]


# Loggers of Trainers -----------------------------------------------------------------------------------------------


def test_a_logger_of_lightning_is_used(bench, tmp_path, monkeypatch):
    pytest.importorskip("lightning")
    pytest.importorskip("tensorboardX")
    from lightning.pytorch.loggers import TensorBoardLogger
    from test_lightning import Classifier, callback, fit

    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.chdir(tmp_path)
    logger = TensorBoardLogger(str(tmp_path), name="mine")
    swarm_callback = callback(tracker="tensorboard")
    fit(Classifier(), swarm_callback, logger=logger, log_every_n_steps=1)
    rounds = list(range(11, 11 + swarm_callback.swarm.syncs))
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_dir()) == ["mine"]
    found = tensorboard_values(tmp_path / "mine")
    assert found["swarm/digest"][-1] == (rounds[-1], bench.digest)
    assert [step for step, _ in found["swarm/round"]] == rounds


def test_the_run_that_a_trainer_of_transformers_reports_to_is_used(bench, tmp_path, mlflow, monkeypatch):
    pytest.importorskip("transformers")
    from test_hf import callback, make_model, train

    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "experiment of mine")
    monkeypatch.setenv("SWARM_TRACKER", "mlflow")  # of a program that knows nothing of it
    options = dict(report_to=["mlflow"], run_name="mine", logging_strategy="steps", logging_steps=2)
    train(make_model(), callback(), tmp_path, **options)
    client, (found,) = runs_of(mlflow, "experiment of mine")
    assert found.info.run_name == "mine" and "loss" in found.data.metrics
    assert found.data.tags["swarm.digest"] == bench.digest  # of the last merge, after the Trainer has ended the run
    assert found.data.params["swarm.syncFrequency"] == "3"
