"""What tests ask of a framework that old versions of it do not have."""

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


def py_dataset():
    """The class of Keras 3, which is called Sequence in Keras 2."""
    import keras

    return getattr(keras.utils, "PyDataset", None) or keras.utils.Sequence
