"""The shared weights of a Keras model: how they are read and loaded, through the hooks of its layers."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

import keras
import numpy as np

from .._session.arrays import BFLOAT16, ITEM_SIZE, Params, is_integer, pack, unpack_as
from .._session.messages import NDArray
from .._training.inventory import Inventory, LocalPart, SharedTensor, why_left_out
from .._training.readback import check_names, check_shape, holds, is_that_integer
from .._training.shared import Sharing, check_size, mebibytes
from ..errors import SwarmError
from .names import made_weights, own_path, weight_names

COMPLEX_PARTS = (".real", ".imag")


class Weight(NamedTuple):
    name: str
    variable: Any

    @property
    def dtype(self) -> str:
        return dtype_of(self.variable)

    @property
    def is_complex(self) -> bool:
        return self.dtype.startswith("complex")

    def names(self) -> List[str]:
        """Under which it is shared: a complex one as two."""
        return [self.name + part for part in COMPLEX_PARTS] if self.is_complex else [self.name]


class KerasState:
    """Reads and loads what `sharing` chooses of a model's weights."""

    def __init__(self, model: Any, sharing: Sharing):
        self.model = model
        self._sharing = sharing

    def weights(self) -> List[Weight]:
        named = weight_names(self.model)
        if not named:
            raise SwarmError("the model has no weights yet: build it, or give its first layer an input shape")
        trained = {id(variable) for variable in self.model.trainable_weights}
        trainable = {name for name, variable in named.items() if id(variable) in trained}
        chosen = self._sharing.select(named, trainable)
        return [Weight(name, variable) for name, variable in named.items() if name in chosen]

    def check(self) -> None:
        """Raises when something that is to be shared cannot be, with its name and size."""
        sizes = {}
        for name, variable in self.weights():
            check_type(name, variable)
            sizes[name] = int(np.prod(variable.shape)) * item_size(dtype_of(variable))
        check_size(sizes)

    def inventory(self) -> Inventory:
        """What is shared, and what stays on this node and why."""
        weights = self.weights()
        trained = {id(variable) for variable in self.model.trainable_weights}
        shared = []
        for weight in weights:
            size = int(np.prod(weight.variable.shape)) * item_size(weight.dtype) // len(weight.names())
            own_name, is_trained = own_path(weight.variable), id(weight.variable) in trained
            shape = tuple(int(extent) for extent in weight.variable.shape)
            shared += [SharedTensor(name, own_name, weight.dtype, shape, size, is_trained) for name in weight.names()]
        taken = {weight.name for weight in weights}
        why = why_left_out(self._sharing)
        return Inventory(shared, [LocalPart(name, why) for name in weight_names(self.model) if name not in taken])

    def read(self) -> Params:
        params: Params = {}
        for weight in self.weights():
            params.update(zip(weight.names(), _pack(weight)))
        return params

    def load(self, params: Params) -> None:
        weights = self.weights()
        check_names([name for weight in weights for name in weight.names()], params)
        for weight in weights:
            for name in weight.names():
                check_shape(name, params[name].shape, weight.variable.shape)
        changed = {id(weight.variable) for weight in weights if _assign(weight, params)}
        if changed:
            self._refresh_layers(changed)

    def _refresh_layers(self, changed: "set[int]") -> None:
        """Layers that keep something computed from their weights (Normalization) compute it anew; what was compiled
        with the former values is compiled again."""
        stale = False
        for layer in self.model._flatten_layers(include_self=False, recursive=True):
            own = {id(variable) for variable in layer.weights}
            if own & changed and _refresh(layer):
                stale = True
        if stale and keras.backend.backend() != "torch":
            for name in ("train_function", "test_function", "predict_function"):
                if getattr(self.model, name, None) is not None:
                    getattr(self.model, f"make_{name}")(force=True)


def is_built(model: Any) -> bool:
    """Whether it has all of its weights. On TensorFlow fit() makes those of a model without an input shape when the
    first batch runs, on other backends before training begins."""
    if not made_weights(model):
        return False
    layers = model._flatten_layers() if keras.backend.backend() == "tensorflow" else ()
    return all(layer.built for layer in layers)


def _refresh(layer: Any) -> bool:
    empty = getattr(keras.layers.Layer, "finalize_state", None)  # that of every layer in tf.keras 2
    if getattr(type(layer), "finalize_state", None) is not empty:
        layer.finalize_state()
        return True
    loader = type(layer).__dict__.get("load_own_variables")
    if loader is None or type(layer).__module__.split(".")[0] in ("keras", "tensorflow"):
        return False
    store: Dict[str, Any] = {}
    layer.save_own_variables(store)
    layer.load_own_variables({key: np.array(value) for key, value in store.items()})
    return True


def _assign(weight: Weight, params: Params) -> bool:
    """False when the weight has these values already."""
    arrays = [params[name] for name in weight.names()]
    if all(holds(own, merged) for own, merged in zip(_pack(weight), arrays)):
        return False
    if weight.is_complex:
        real, imaginary = (unpack_as(array, "float64") for array in arrays)
        values = real + 1j * imaginary
    elif weight.variable.shape == () and is_integer(weight.dtype) and is_that_integer(_pack(weight)[0], arrays[0]):
        return False
    else:
        values = unpack_as(arrays[0], weight.dtype)
    # A copy, because a backend may go on using, and changing, the memory it is given.
    weight.variable.assign(np.array(values))
    return True


def dtype_of(variable: Any) -> str:
    """`float32`, of variables of Keras 3 and of tf.keras 2."""
    standardize = getattr(keras.backend, "standardize_dtype", None)
    return str(standardize(variable.dtype) if standardize else getattr(variable.dtype, "name", variable.dtype))


def item_size(dtype: str) -> int:
    return ITEM_SIZE.get(dtype, {"complex64": 8, "complex128": 16}.get(dtype, 1))


def check_type(name: str, variable: Any) -> None:
    dtype = dtype_of(variable)
    if dtype in ITEM_SIZE or dtype in ("complex64", "complex128"):
        return
    size = mebibytes(int(np.prod(variable.shape)) * item_size(dtype))
    raise SwarmError(
        f"weight {name} has dtype {dtype}, shape {list(variable.shape)}, {size}; only "
        f"{', '.join(sorted(ITEM_SIZE))} can be shared. Leave it out with sharedParameters"
    )


def _pack(weight: Weight) -> Tuple[NDArray, ...]:
    check_type(weight.name, weight.variable)
    values = np.asarray(weight.variable.numpy())
    if weight.is_complex:
        return pack(values.real), pack(values.imag)
    return (pack(values, BFLOAT16) if weight.dtype == BFLOAT16 else pack(values),)
