"""The callback for the Trainer of transformers, with real Trainers and tiny models made from a configuration."""

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
pytest.importorskip("accelerate")

from fake_sl import FakeSwarm
from swarmlearning import SwarmArgumentError
from swarmlearning.hf import SwarmCallback
from wire_schema import CLOSE, LOSS, SYNC

ROWS = [{"input_ids": [(i + j) % 7 for j in range(6)], "labels": [(i + j) % 7 for j in range(6)]} for i in range(12)]


def make_model(seed=0):
    torch.manual_seed(seed)
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=8, n_positions=8, n_embd=8, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
        )
    )


def train(model, swarm, folder, epochs=1, **options):
    settings = dict(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=2,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        seed=1,
        logging_strategy="no",
    )
    arguments = transformers.TrainingArguments(**{**settings, **options})
    trainer = transformers.Trainer(
        model,
        arguments,
        train_dataset=ROWS,
        eval_dataset=ROWS[:4],
        callbacks=[swarm],
        data_collator=transformers.default_data_collator,
    )
    trainer.train()
    return trainer


def fail_at(batch):
    seen = []

    def hook(*_):
        seen.append(None)
        if len(seen) > batch:
            raise RuntimeError("an error of the user's")

    return hook


def callback(**options):
    return SwarmCallback(**{**dict(syncFrequency=3, minPeers=1), **options})


def test_everything_is_shared_and_what_is_held_is_the_merge(swarm, tmp_path):
    sl = swarm().sls[0]
    model, swarm_callback = make_model(), callback()
    train(model, swarm_callback, tmp_path, epochs=2)
    assert set(sl.of_type(CLOSE)[0].inputParams.weights) == set(model.state_dict())
    assert len(sl.of_type(SYNC)) == 4  # at the start, after 3, 6 and 9 of 12 batches
    assert sl.of_type(LOSS)[-1].totalepochs == 2 and sl.of_type(LOSS)[-1].epochsdone == 2
    assert swarm_callback.swarm.modelDigest()


def test_batches_are_counted_whatever_is_accumulated(swarm, tmp_path):
    sl = swarm().sls[0]
    train(make_model(), callback(), tmp_path, gradient_accumulation_steps=2)
    assert len(sl.of_type(SYNC)) == 2  # of 6 batches


def test_the_trainer_stops_when_the_swarm_is_over(swarm, tmp_path):
    swarm(over_after=2)
    trainer = train(make_model(), callback(), tmp_path, epochs=50)
    assert trainer.state.epoch < 3


def test_adapters_travel_alone(swarm, tmp_path):
    peft = pytest.importorskip("peft")
    sl = swarm().sls[0]
    model = peft.get_peft_model(make_model(), peft.LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True))
    swarm_callback = callback()
    train(model, swarm_callback, tmp_path)
    sent = sl.of_type(CLOSE)[0].inputParams.weights
    assert sent and all("lora_" in name for name in sent)
    assert not any(name.startswith("base_model.") for name in sent)
    assert len(sent) == sum(parameter.requires_grad for parameter in model.parameters())


def test_the_best_model_is_given_and_the_merge_is_kept(swarm, tmp_path):
    sl = swarm().sls[0]
    model, swarm_callback = make_model(), callback()
    train(
        model,
        swarm_callback,
        tmp_path,
        epochs=2,
        eval_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=True,
        learning_rate=0.5,
    )
    close = sl.of_type(CLOSE)
    assert len(close) == 1
    given = torch.frombuffer(
        bytearray(close[0].inputParams.weights["transformer.h.0.ln_1.weight"].data), dtype=torch.float32
    )
    assert torch.allclose(model.state_dict()["transformer.h.0.ln_1.weight"], given)


def test_a_training_that_failed_is_followed_by_another(swarm, tmp_path, monkeypatch):
    sl = swarm().sls[0]
    swarm_callback = callback()
    model = make_model()
    with pytest.raises(RuntimeError, match="an error of the user's"):
        model.register_forward_pre_hook(fail_at(4))
        train(model, swarm_callback, tmp_path)
    (tmp_path / "again").mkdir()
    again = FakeSwarm(tmp_path / "again").start()
    for name, value in again.sls[0].environment.items():
        monkeypatch.setenv(name, value)
    train(make_model(), swarm_callback, tmp_path)
    again.join()
    sl.thread.join(30)
    assert not sl.thread.is_alive() and len(again.sls[0].of_type(CLOSE)) == 1


def test_wrong_arguments():
    with pytest.raises(SwarmArgumentError, match="model: it is the trainer's"):
        callback(model=make_model())


@pytest.mark.parametrize("rows", [ROWS[:5], [{"input_ids": row["input_ids"], "label": 1} for row in ROWS[:5]]])
def test_rows_as_the_trainer_has_them_are_validation_data(swarm, tmp_path, rows):
    sl = swarm().sls[0]
    model = make_model()
    if "label" in rows[0]:
        model = transformers.GPT2ForSequenceClassification(transformers.GPT2Config(
            vocab_size=8, n_positions=8, n_embd=8, n_layer=1, n_head=2, pad_token_id=0))  # fmt: skip
    callback = SwarmCallback(50, 1, adsValData=rows, adsValBatchSize=2)
    data = [dict(row, labels=1) if "label" in rows[0] else row for row in ROWS]
    arguments = transformers.TrainingArguments(str(tmp_path), num_train_epochs=1, save_strategy="no", report_to=[],
                                               disable_tqdm=True, use_cpu=True)  # fmt: skip
    transformers.Trainer(model, arguments, train_dataset=data, callbacks=[callback]).train()
    assert all(message.loss > 0.1 for message in sl.of_type(LOSS))
