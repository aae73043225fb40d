"""Keras models and fits as people write them (practice_keras.py), on every backend that is installed."""

import numpy as np
import pytest
from older import needs_keras_3
from test_styles import FRAMEWORKS, check, outcomes_of

keras = pytest.importorskip("keras")

from swarmlearning import SwarmArgumentError
from test_keras import X, Y, fit, make_callback, make_model

CASES = """
a_model_of_ones_own_that_is_not_built one_that_is_judged_before_it_is_built a_sequence_without_an_input_shape
one_that_is_half_built a_layer_that_is_never_called only_what_is_trained_of_one_that_is_not_built mixed_precision
mixed_precision_with_a_scaled_loss random_layers averages_put_in_place_at_the_end averages_put_in_place_each_epoch
low_rank_adapters attention several_outputs weights_set_by_another_callback
a_normalization_that_is_compiled a_model_from_a_file a_copy_made_by_a_tuner texts
""".split()


@pytest.fixture(scope="module", params=[name for name in FRAMEWORKS if name != "torch"])
def outcomes(request, tmp_path_factory):
    return outcomes_of(request.param, "practice_keras", tmp_path_factory.mktemp("practice"))


@pytest.mark.parametrize("case", CASES)
def test_the_model_is_the_swarm_s(outcomes, case):
    check(outcomes[case])


def test_nothing_else_was_run(outcomes):
    assert set(outcomes) == set(CASES)


def endless_dataset():
    needs_keras_3("Sequence without a length")

    class Endless(keras.utils.PyDataset):
        @property
        def num_batches(self):
            return None

        def __getitem__(self, index):
            return X[:10], Y[:10]

    return Endless()


def endless_tf_data():
    data = pytest.importorskip("tensorflow").data.Dataset
    return data.from_tensor_slices((X, Y)).batch(10).repeat()


@pytest.mark.parametrize("make", [endless_dataset, endless_tf_data])
def test_validation_data_without_an_end_are_refused(swarm, make):
    data = make()
    swarm()
    with pytest.raises(SwarmArgumentError, match="repeats itself without an end; it must yield the validation data"):
        fit(make_model(), make_callback(adsValData=data))


def test_a_generator_trains_by_steps(swarm):
    ghost = swarm(ghost=True)

    def batches():
        while True:
            yield X[:10], Y[:10]

    model, callback = make_model(), make_callback(adsValData=[(X, Y, np.ones(60, "float32"))])
    model.fit(batches(), steps_per_epoch=4, epochs=2, verbose=0, callbacks=[callback])
    assert callback.syncs == 5 and callback.modelDigest() == ghost.digest
