"""What tests ask of a framework that old versions of it do not have."""

import importlib.metadata
import importlib.util

import pytest


def compiled(model):
    """torch.compile, from torch 2.0 on."""
    import torch

    if not hasattr(torch, "compile"):
        pytest.skip(f"torch {torch.__version__} has no compile()")
    return torch.compile(model, backend="eager")


def float8(tensor):
    """From torch 2.1 on."""
    import torch

    if not hasattr(torch, "float8_e5m2"):
        pytest.skip(f"torch {torch.__version__} has no float8")
    return tensor.to(torch.float8_e5m2)


def is_keras_2():
    return importlib.util.find_spec("keras") is not None and importlib.metadata.version("keras").startswith("2.")


def needs_keras_3(what):
    if is_keras_2():
        pytest.skip(f"Keras {importlib.metadata.version('keras')} has no {what}")


def as_numpy(variable):
    """The values of a Keras variable; Keras 2 has no keras.ops."""
    import keras

    return variable.numpy() if is_keras_2() else keras.ops.convert_to_numpy(variable)


def py_dataset():
    """The class of Keras 3, which is called Sequence in Keras 2."""
    import keras

    return getattr(keras.utils, "PyDataset", None) or keras.utils.Sequence
