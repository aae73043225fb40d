"""A program holds the model that the swarm names, or hears that it does not (PyTorch)."""

import copy

import pytest

torch = pytest.importorskip("torch")

from older import compiled
from swarmlearning import SwarmArgumentError, SwarmError
from swarmlearning._torch.judge import evaluating
from swarmlearning.pyt import SwarmCallback
from torch import nn
from wire_schema import CLOSE, SYNC, SYNCED

X = torch.randn(16, 4, generator=torch.Generator().manual_seed(1))
Y = (X.sum(1) > 0).long()


def make_callback(model, **options):
    return SwarmCallback(**{**dict(syncFrequency=2, minPeers=1, model=model, totalEpochs=1), **options})


def train(model, batches=5, end=True, **options):
    callback = make_callback(model, **options)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, 0.01) if trained else None
    callback.on_train_begin()
    for batch in range(batches):
        if optimizer:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(X), Y).backward()
            optimizer.step()
        callback.on_batch_end(batch)
    if end:
        callback.on_train_end()
    return callback


class LowRank(nn.Linear):
    """Folds its low-rank part into the weight for evaluation, as adapters do."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.weight.requires_grad_(False)
        self.a, self.b = nn.Parameter(torch.randn(2, inputs) * 0.1), nn.Parameter(torch.randn(outputs, 2) * 0.1)
        self.folded, self.switched = False, []

    def train(self, mode=True):
        super().train(mode)
        self.switched.append(mode)
        if mode == self.folded:
            with torch.no_grad():
                self.weight += (-1 if mode else 1) * (self.b @ self.a)
            self.folded = not mode
        return self

    def forward(self, x):
        out = super().forward(x)
        return out if self.folded else out + x @ self.a.T @ self.b.T


def test_a_layer_that_folds_itself_for_evaluation(swarm):
    ghost = swarm(ghost=True)
    model = nn.Sequential(LowRank(4, 8), nn.ReLU(), nn.Linear(8, 2)).train()
    callback = train(model, adsValData=(X, Y), lossFunction="CrossEntropyLoss")
    assert not model[0].folded and model[0].training
    assert callback.modelDigest() == ghost.digest


def test_modes_are_restored_by_train_and_only_where_they_change():
    model = nn.Sequential(LowRank(4, 4), nn.BatchNorm1d(4), LowRank(4, 4), nn.Sequential(LowRank(4, 4), nn.Dropout()))
    model.train()
    model[1].eval()
    model[3].eval()
    for module in model.modules():
        if isinstance(module, LowRank):
            module.switched.clear()
    before = [module.training for module in model.modules()]
    with evaluating(model):
        assert not any(module.training for module in model.modules())
    assert [module.training for module in model.modules()] == before
    assert model[0].switched == [False, True] == model[2].switched
    assert model[3][0].switched == [False] and model[3][0].folded  # was in evaluation before


def test_a_parent_with_a_train_of_its_own():
    class Frozen(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm, self.out = nn.BatchNorm1d(4), nn.Linear(4, 2)

        def train(self, mode=True):
            super().train(mode)
            self.norm.eval()
            return self

    model = nn.Sequential(Frozen()).train()
    with evaluating(model):
        pass
    assert model[0].training and model[0].out.training and not model[0].norm.training


def test_a_model_in_evaluation_mode_is_not_switched():
    model = nn.Sequential(LowRank(4, 4)).eval()
    model[0].switched.clear()
    with evaluating(model):
        pass
    assert model[0].switched == []


class Wrapper(nn.Module):
    """Has a head, and hands what it lacks on to its base."""

    def __init__(self, base):
        super().__init__()
        self.base, self.head = base, nn.Linear(8, 2)

    def __getattr__(self, name):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(self.base, name)

    def forward(self, x):
        return self.head(self.base(x).relu())


@pytest.mark.parametrize("wrap", [compiled, nn.DataParallel], ids=["compile", "dp"])
def test_a_wrapper_with_a_head_of_its_own(swarm, wrap):
    model = Wrapper(wrap(nn.Linear(4, 8)))
    ghost = swarm(ghost=True)
    callback = train(model)
    names = set(ghost.sls[0].of_type(CLOSE)[0].inputParams.weights)
    assert names == {"base.weight", "base.bias", "head.weight", "head.bias"}
    assert callback.modelDigest() == ghost.digest


def test_a_state_dict_that_gives_other_values_than_it_takes(swarm):
    class Odd(nn.Linear):
        def state_dict(self, *args, **kwargs):
            return {name: value * 2 for name, value in super().state_dict(*args, **kwargs).items()}

    swarm(ghost=True)
    with pytest.raises(SwarmError, match="after loading the model does not hold the merged parameters: 2 of 2 differ, "
                       "bias, weight. Likely: the model's state_dict"):  # fmt: skip
        train(Odd(4, 2))


def test_a_buffer_that_is_computed_again_on_load(swarm):
    class Counting(nn.Linear):
        def __init__(self):
            super().__init__(4, 2)
            self.register_buffer("scale", torch.ones(3))

        def _load_from_state_dict(self, *args):
            super()._load_from_state_dict(*args)
            self.scale.fill_(1.0)

    swarm(ghost=True)
    with pytest.raises(SwarmError, match="1 of 3 differ, scale"):
        train(Counting())


def test_an_evaluation_that_changes_the_model_is_undone(swarm):
    class Drifting(nn.Linear):
        def forward(self, x):
            if not self.training:
                with torch.no_grad():
                    self.bias += 1.0
            return super().forward(x)

    ghost = swarm(ghost=True)
    callback = train(Drifting(4, 2), adsValData=(X, Y), lossFunction="CrossEntropyLoss")
    assert callback.modelDigest() == ghost.digest


def test_another_type_than_the_swarm_s_is_named(swarm):
    def script(sl, kind, message):
        if kind == SYNC:
            for entry in message.inputParams.weights.values():
                count = len(entry.data) // 4
                entry.dtype, entry.data = "dtype('float64')", b"\0" * 8 * count
        return None

    swarm(script=script)
    with pytest.raises(SwarmError, match="this program's parameters are float32 instead of float64"):
        train(nn.Linear(4, 2))


def test_an_end_without_a_final_model_is_an_error(swarm):
    from wire_schema import CLOSED, MESSAGES

    def script(sl, kind, message):
        if kind != CLOSE:
            return None
        sl.send(CLOSED, MESSAGES["SyncResponse"](sessionID=message.sessionID, syncSeqNum=1, trainingOver=True))
        return False

    swarm(script=script)
    with pytest.raises(SwarmError, match="ended the training without a final model"):
        train(nn.Linear(4, 2))


def test_a_node_with_nan_hears_that_it_was_left_out(swarm):
    class Logger(list):
        debug = error = info = warning = list.append

    def script(sl, kind, message):
        """The swarm's merge is finite whatever this node sends."""
        if kind in (SYNC, CLOSE):
            entry = message.inputParams.weights["weight"]
            entry.data = b"\0" * len(entry.data)
        return None

    swarm(script=script)
    model, logger = nn.Linear(4, 2), Logger()
    callback = make_callback(model, logger=logger)
    callback.on_train_begin()
    assert not any("left out" in text for text in logger)
    with torch.no_grad():
        model.weight[0, 1] = float("nan")
        model.weight[1, 1] = float("inf")
    for _ in range(3):
        callback.on_batch_end()
    told = [text for text in logger if "left out of the merge" in text]
    assert len(told) == 1 and "weight has 1 NaN and 1 infinite of 8 values" in told[0]
    callback.on_train_end()
    assert bool(model.weight.isfinite().all())


def test_what_the_sl_says_of_a_merge_and_what_is_seen_in_it_are_told_as_one(swarm):
    class Logger(list):
        debug = error = info = warning = list.append

    notice = "this node's model was left out of the merge of round 2: not finite"

    def script(sl, kind, message):
        if kind in (SYNC, CLOSE):
            entry = message.inputParams.weights["weight"]
            entry.data = b"\0" * len(entry.data)
        if kind != SYNC or message.syncSeqNum != 2:
            return None
        sl.ask_loss(message, message.inputParams)
        sl.send(SYNCED, sl._response(message, status=dict(code=0, msg=notice)))
        return True

    swarm(script=script)
    model, logger = nn.Linear(4, 2), Logger()
    callback = make_callback(model, logger=logger)
    callback.on_train_begin()
    with torch.no_grad():
        model.weight[0, 1] = float("nan")
    for _ in range(3):
        callback.on_batch_end()
    (told,) = [text for text in logger if "left out" in text]
    assert told == f"{notice}; no numbers in this node's model: weight has 1 NaN of 8 values"
    assert callback.notices == [notice]
    callback.on_train_end()


def test_nan_on_all_nodes_is_told(swarm):
    class Logger(list):
        debug = error = info = warning = list.append

    swarm()
    model, logger = nn.Linear(4, 2), Logger()
    callback = make_callback(model, logger=logger)
    callback.on_train_begin()
    with torch.no_grad():
        model.weight.fill_(float("nan"))
    callback.on_train_end()
    assert any("weight has 8 NaN of 8 values" in text and "Since the last merge" in text for text in logger)


def test_masks_of_infinity_are_no_news(swarm):
    class Logger(list):
        debug = error = info = warning = list.append

    ghost = swarm()
    model, logger = nn.Linear(4, 2), Logger()
    model.register_buffer("mask", torch.full((3, 3), float("-inf")).triu(1))
    callback = train(model, logger=logger)
    assert torch.equal(model.mask, torch.full((3, 3), float("-inf")).triu(1))
    assert not any("NaN" in text or "infinite" in text for text in logger)
    assert ghost.sls and callback.syncs == 4


# Arguments ----------------------------------------------------------------------------------------------------------


def test_three_arguments_by_place(swarm):
    sl = swarm().sls[0]
    callback = SwarmCallback(2, 1, "study.two", model=nn.Linear(2, 2), totalEpochs=1)
    assert callback.options.trainingContract == "study.two"
    assert sl.opened.trainingContract == "study.two"
    callback.on_train_begin()
    callback.on_train_end()


@pytest.mark.parametrize(
    "bad, text",
    [
        (dict(trainingContract=False), "trainingContract: wanted the name of a contract.*got False"),
        (dict(syncFrequency=True), "syncFrequency: wanted a whole number.*True"),
        (dict(syncFrequency=2.5), "syncFrequency: wanted a whole number.*2.5"),
        (dict(minPeers="two"), "minPeers: wanted a whole number"),
        (dict(useAdaptiveSync="False"), "useAdaptiveSync: wanted True or False, got 'False'"),
        (dict(logger="stdout"), "logger: a str has no method info and no debug and no error"),
        (dict(lossFunction="MSELoss", lossFunctionArgs="sum"), "lossFunctionArgs: wanted a dict"),
        (dict(sharedParameters=3), "sharedParameters: wanted 'all', 'trainable', or patterns"),
        (dict(sharedParameters=[]), "sharedParameters: wanted"),
        (dict(sharedParameters=["a", 1]), "sharedParameters: wanted"),
    ],
)
def test_types_of_arguments(bad, text):
    with pytest.raises(SwarmArgumentError, match=text):
        make_callback(nn.Linear(2, 2), **bad)


def test_a_fourth_argument_by_place_is_refused():
    with pytest.raises(TypeError, match="positional"):
        SwarmCallback(2, 1, "contract", True, model=nn.Linear(2, 2))


def test_a_copy_of_the_model_shares_nothing(swarm):
    swarm()
    model = nn.Linear(4, 2)
    callback = make_callback(model)
    twin = copy.deepcopy(model)
    callback.on_train_begin()
    callback.on_train_end()
    assert twin.weight.data_ptr() != model.weight.data_ptr()
