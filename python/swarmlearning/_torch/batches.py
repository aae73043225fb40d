"""Validation data as batches for a PyTorch model: what goes into it, what it should give, and how much that counts.

Floating point values get the model's type and all values its device; texts name types, never values.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Dict, FrozenSet, Iterator, NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from .._training.validation import TARGET_NAMES, batches_of, slices, whole_arrays
from ..errors import SwarmArgumentError

DEFAULT_BATCH_SIZE = 128


class Batch(NamedTuple):
    inputs: Tuple[Any, ...]
    named: Dict[str, Any]  # inputs by name
    target: Any  # None: the model computes its loss itself
    weight: Optional[torch.Tensor]  # of each sample

    def samples(self) -> int:
        for value in (self.target, *self.inputs, *self.named.values()):
            tensor = _first_tensor(value)
            if tensor is not None:
                return len(tensor)
        raise SwarmArgumentError("adsValData: a batch has no tensor with samples")


class Weighted(NamedTuple):
    """A batch of three whose last part is known to be sample weights, and no second input's target."""

    inputs: Any
    target: Any
    weight: Any


class Inputs(NamedTuple):
    """What a model's forward() takes."""

    required: int
    most: float  # by place
    names: Optional[FrozenSet[str]]  # None: any

    @classmethod
    def of(cls, model: torch.nn.Module) -> "Inputs":
        try:
            parameters = list(inspect.signature(model.forward).parameters.values())
        except (TypeError, ValueError):
            return cls(0, float("inf"), None)
        kinds = inspect.Parameter
        placed = [p for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
        any_count = any(p.kind == kinds.VAR_POSITIONAL for p in parameters)
        any_name = any(p.kind == kinds.VAR_KEYWORD for p in parameters)
        return cls(
            sum(p.default is kinds.empty for p in placed),
            float("inf") if any_count else len(placed),
            None if any_name else frozenset(p.name for p in parameters),
        )

    def takes(self, count: int) -> bool:
        return self.required <= count <= self.most

    def takes_named(self, names: Any) -> bool:
        return self.names is None or set(names) <= self.names


class Batches:
    """Runs through `data` for `model` as often as it is asked to."""

    def __init__(self, model: torch.nn.Module, data: Any, size: Optional[int]):
        self._inputs = Inputs.of(model)
        self._model = model
        self._data = data
        self._size = size or DEFAULT_BATCH_SIZE

    def __iter__(self) -> Iterator[Batch]:
        device, dtype = place_of(self._model)

        def moved(value: Any) -> Any:
            return to_tensors(value, device, dtype)

        for inputs, named, target, weight in map(self._read, self._raw()):
            yield Batch(moved(inputs), moved(named), moved(target), None if weight is None else moved(weight).float())

    def _raw(self) -> Iterator[Any]:
        data = self._data
        whole = whole_arrays(data)
        if whole is not None:
            rows = slices(tuple(_sliceable(part) for part in whole), self._size)
            return (Weighted(*parts) for parts in rows) if len(whole) == 3 else rows
        if isinstance(data, Dataset) or _is_list_of_samples(data):
            return batches_of(DataLoader(data, batch_size=self._size))
        return batches_of(data)

    def _read(self, batch: Any) -> Tuple[Tuple[Any, ...], Dict[str, Any], Any, Any]:
        if isinstance(batch, Mapping):
            return self._read_mapping(dict(batch))
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            raise SwarmArgumentError(
                "adsValData must yield (inputs, target), (inputs, target, sample_weight) or dict batches, got a "
                f"{type(batch).__name__}"
            )
        *inputs, target = batch
        weight = None
        if isinstance(batch, Weighted) or (len(batch) == 3 and not self._inputs.takes(2)):
            inputs, target, weight = [batch[0]], batch[1], batch[2]
        if len(inputs) == 1 and isinstance(inputs[0], Mapping) and self._inputs.takes_named(inputs[0]):
            return (), dict(inputs[0]), target, weight
        if len(inputs) == 1 and isinstance(inputs[0], (tuple, list)) and self._spreads(inputs[0]):
            inputs = list(inputs[0])
        return tuple(inputs), {}, target, weight

    def _spreads(self, inputs: Any) -> bool:
        """Whether a nest of inputs goes in one by one: a model that needs several takes them so."""
        return self._inputs.required > 1 and self._inputs.takes(len(inputs))

    def _read_mapping(self, batch: Dict[str, Any]) -> Tuple[Tuple[Any, ...], Dict[str, Any], Any, Any]:
        weight = batch.pop("sample_weight", None)
        key = next((name for name in TARGET_NAMES if name in batch), None)
        target = batch[key] if key else None
        if key and not self._inputs.takes_named([key]):
            del batch[key]
        if not self._inputs.takes_named(batch) and len(batch) == 1:  # the one input is called otherwise
            return tuple(batch.values()), {}, target, weight
        batch = {name: value for name, value in batch.items() if self._inputs.takes_named([name])} or batch
        return (), batch, target, weight


def to_tensors(value: Any, device: torch.device, dtype: torch.dtype) -> Any:
    """Every array of a nest as a tensor; texts and None are left alone."""
    if isinstance(value, Mapping):
        return {key: to_tensors(part, device, dtype) for key, part in value.items()}
    if isinstance(value, tuple) or (isinstance(value, list) and any(map(_is_tensor_like, value))):
        return tuple(to_tensors(part, device, dtype) for part in value)
    if value is None or isinstance(value, (str, bytes)):
        return value
    tensor = _as_tensor(value).to(device)
    return tensor.to(dtype) if tensor.is_floating_point() else tensor


def _as_tensor(value: Any) -> torch.Tensor:
    if isinstance(value, torch.Tensor):
        return value.detach()
    array = np.asarray(value)
    if array.dtype.kind in "OUS":
        raise SwarmArgumentError(f"adsValData: a {type(value).__name__} of {array.dtype} cannot become a tensor")
    if not array.flags.writeable or not array.dtype.isnative or any(step < 0 for step in array.strides):
        array = array.astype(array.dtype.newbyteorder("="))
    return torch.as_tensor(array)


def _sliceable(part: Any) -> Any:
    """Rows given as a plain list become an array once."""
    if isinstance(part, list) and not any(map(_is_tensor_like, part)):
        return np.asarray(part)
    return part


def _is_tensor_like(value: Any) -> bool:
    return isinstance(value, (torch.Tensor, np.ndarray))


def _first_tensor(value: Any) -> Optional[torch.Tensor]:
    if isinstance(value, Mapping):
        value = tuple(value.values())
    if isinstance(value, tuple):
        return next((t for t in map(_first_tensor, value) if t is not None), None)
    return value if isinstance(value, torch.Tensor) and value.dim() > 0 else None


def _is_list_of_samples(data: Any) -> bool:
    """A list like a Dataset: each entry is one sample, whose target is a single number."""
    if not isinstance(data, list) or not data:
        return False
    first = data[0]
    if isinstance(first, Mapping):
        target = next((first[name] for name in TARGET_NAMES if name in first), None)
    else:
        target = first[1] if isinstance(first, (tuple, list)) and len(first) in (2, 3) else None
    return target is not None and np.ndim(target) == 0


def place_of(model: torch.nn.Module) -> Tuple[torch.device, torch.dtype]:
    """Device and floating point type of the model's first parameter."""
    device, dtype = torch.device("cpu"), None
    for tensor in (*model.parameters(), *model.buffers()):
        if device.type == "cpu":
            device = tensor.device
        if tensor.is_floating_point() and dtype is None:
            dtype = tensor.dtype
        elif tensor.is_complex() and dtype is None:
            dtype = torch.float64 if tensor.dtype == torch.complex128 else torch.float32
    return device, dtype or torch.get_default_dtype()
