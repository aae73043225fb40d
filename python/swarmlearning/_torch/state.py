"""The shared tensors of a PyTorch model: their names, and how they are read and loaded."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

import numpy as np
import torch

from .._session.arrays import BFLOAT16, ITEM_SIZE, Params, dtype_name, is_integer, pack, unpack_as
from .._session.messages import NDArray
from .._training.inventory import Inventory, LocalPart, SharedTensor, why_left_out
from .._training.readback import check_names, check_shape, is_that_integer
from .._training.shared import Sharing, check_size, mebibytes, plain_names
from ..errors import SwarmError

EXTRA_STATE = "_extra_state"  # the end of its key in a state_dict


class Part(NamedTuple):
    """One array that travels: a tensor of the state_dict, or the real or imaginary part of one."""

    key: str
    tensor: torch.Tensor


class TorchState:
    """Reads and loads what `sharing` chooses of a model's state_dict()."""

    def __init__(self, model: torch.nn.Module, sharing: Sharing):
        self._model = model
        self._sharing = sharing

    def check(self) -> None:
        """Raises when something that is to be shared cannot be, with its name and size. A parameter that has no shape
        yet is left for later."""
        for module in self._model.modules():
            if "FullyShardedDataParallel" in _classes(module):
                raise SwarmError(
                    f"{type(module).__name__}: each rank holds a part of the model only, which cannot be shared; use "
                    "DistributedDataParallel"
                )
        tensors = self._chosen()
        if any(_is_lazy(tensor) for tensor in tensors.values()):
            return
        for name, (_, tensor) in self.parts().items():
            check_tensor(name, tensor)
        check_size({name: tensor.numel() * tensor.element_size() for name, (_, tensor) in self.parts().items()})

    def parts(self) -> Dict[str, Part]:
        """By the name under which it is shared."""
        tensors = self._chosen()
        found: Dict[str, Part] = {}
        for key, name in plain_names(tensors).items():
            for suffix, part in _real_parts(tensors[key]):
                if name + suffix in found:
                    raise SwarmError(f"two parameters of the model would be shared as {name + suffix}")
                found[name + suffix] = Part(key, part)
        return found

    def read(self) -> Params:
        """Views of the model's memory where that is possible."""
        return {name: pack_tensor(name, tensor) for name, (_, tensor) in self.parts().items()}

    def load(self, params: Params) -> None:
        """In place, cast to the model's types, each to its own device. What is not shared stays as it is."""
        parts = self.parts()
        check_names(parts, params)
        loaded: "OrderedDict[str, torch.Tensor]" = OrderedDict()
        # The versions of its layers: without them an old BatchNorm takes the state for one of before it counted.
        loaded._metadata = getattr(self._model.state_dict(), "_metadata", None)  # type: ignore[attr-defined]
        for name, (key, tensor) in parts.items():
            check_shape(name, params[name].shape, tensor.shape)
            loaded[key] = _joined(loaded.get(key), unpack_tensor(params[name], tensor))
        own = self._chosen()
        for key in [key for key in loaded if _repeats(own[key]) and torch.equal(own[key].cpu(), loaded[key])]:
            del loaded[key]  # a constant of few values in memory, which nothing can be copied into
        try:
            result = self._model.load_state_dict(loaded, strict=False)
        except TypeError:  # one of the model's own, without that argument
            result = self._model.load_state_dict(loaded)
        unknown = sorted(set(getattr(result, "unexpected_keys", ())) & set(loaded))
        if unknown:
            raise SwarmError(f"the model's load_state_dict() does not know {unknown[0]}, which its state_dict() has")

    def inventory(self) -> Inventory:
        """What is shared, and what stays on this node and why."""
        state = {key: value for key, value in self._model.state_dict().items() if isinstance(value, torch.Tensor)}
        trained = _trained_keys(self._model, state)
        parts = self.parts()
        shared = []
        for name, (key, tensor) in parts.items():
            if not _is_lazy(tensor):
                size = tensor.numel() * tensor.element_size()
                shared.append(SharedTensor(name, key, type_name(tensor), tuple(tensor.shape), size, key in trained))
        taken = {part.key for part in parts.values()}
        local = [LocalPart(key, self._why_local(key)) for key in self._model.state_dict() if key not in taken]
        present = set(self._model.state_dict())
        others = {name: "it is no persistent buffer" for name, _ in self._model.named_buffers()}
        others.update((name, "the model's state_dict() leaves it out") for name, _ in self._model.named_parameters())
        local += [LocalPart(name, why) for name, why in others.items() if name not in present]
        return Inventory(shared, local)

    def _why_local(self, key: str) -> str:
        is_extra = key.rpartition(".")[2] == EXTRA_STATE
        return "an extra state is this node's own" if is_extra else why_left_out(self._sharing)

    def tensors(self) -> List[torch.Tensor]:
        """The shared tensors themselves, in the same order in every process."""
        chosen = self._chosen()
        return [chosen[key] for key in sorted(chosen)]

    def _chosen(self) -> Dict[str, torch.Tensor]:
        """Of the state_dict; its extra states are this node's own."""
        state = {}
        for key, value in self._model.state_dict().items():
            if key.rpartition(".")[2] == EXTRA_STATE:
                continue
            if not isinstance(value, torch.Tensor):
                if not self._sharing.all:
                    continue
                raise SwarmError(
                    f"state_dict entry {key} is a {type(value).__name__}; only tensors can be shared. Leave it "
                    "out with sharedParameters"
                )
            state[key] = value
        if not state:
            raise SwarmError("the model's state_dict() has no tensors, there is nothing to share")
        if self._sharing.all:
            return state
        names = plain_names(state)
        trained = _trained_keys(self._model, state) if self._sharing.trainable else set()
        chosen = self._sharing.select(names.values(), {names[key] for key in state if key in trained})
        return {key: value for key, value in state.items() if names[key] in chosen}


def bare_model(model: torch.nn.Module) -> torch.nn.Module:
    """The module within the wrappers of parallel training and torch.compile, known by their types: an attribute may be
    one that a wrapper hands on from its base."""
    while True:
        if isinstance(model, (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)):
            model = model.module
        elif "OptimizedModule" in _classes(model):
            model = getattr(model, "_orig_mod")  # noqa: B009
        else:
            return model


def wrappers_of(model: torch.nn.Module) -> List[str]:
    """Names of the types that bare_model() takes off, the outermost first."""
    found: List[str] = []
    bare, inner = bare_model(model), model
    while inner is not bare:
        found.append(type(inner).__name__)
        inner = next(inner.children())
    return found


def _classes(module: torch.nn.Module) -> Set[str]:
    """Names of a module's class and base classes that come from torch itself."""
    return {cls.__name__ for cls in type(module).__mro__ if cls.__module__.split(".")[0] == "torch"}


def _trained_keys(model: torch.nn.Module, state: Dict[str, torch.Tensor]) -> Set[str]:
    """Keys of parameters that take gradients, under every name that they have. Wrappers, as of activation
    checkpointing, hide their own segments of a name from state_dict(): such a parameter is known by its memory."""
    names: Set[str] = set()
    places = {_place(parameter) for parameter in model.parameters() if parameter.requires_grad} - {None}
    names.update(key for key, tensor in state.items() if _place(tensor) in places)
    for prefix, module in model.named_modules(remove_duplicate=False):
        for name, parameter in module._parameters.items():
            if parameter is not None and parameter.requires_grad:
                names.add(f"{prefix}.{name}" if prefix else name)
    return names


def _place(tensor: torch.Tensor) -> Optional[Tuple[Any, ...]]:
    """Where a tensor lies in memory; None for one that has no memory of its own."""
    if _is_lazy(tensor) or _is_composed(tensor) or tensor.layout != torch.strided or tensor.is_meta:
        return None
    if tensor.numel() == 0:
        return None
    return tensor.device, tensor.data_ptr(), tuple(tensor.shape), tensor.stride()


def _real_parts(tensor: torch.Tensor) -> Iterator[Tuple[str, torch.Tensor]]:
    if not _is_lazy(tensor) and tensor.is_complex() and tensor.layout == torch.strided and not _is_sharded(tensor):
        pair = torch.view_as_real(tensor.detach().resolve_conj())
        yield ".real", pair[..., 0]
        yield ".imag", pair[..., 1]
    else:
        yield "", tensor


def _joined(real: Any, part: torch.Tensor) -> torch.Tensor:
    """The imaginary part comes after the real one."""
    return part if real is None else torch.complex(real, part)


def _is_lazy(tensor: Any) -> bool:
    return isinstance(tensor, (torch.nn.UninitializedParameter, torch.nn.UninitializedBuffer))


def _is_sharded(tensor: torch.Tensor) -> bool:
    return type(tensor).__name__ in ("DTensor", "ShardedTensor")


def _repeats(tensor: torch.Tensor) -> bool:
    """Shows a value of its memory in several places, as expand() does."""
    return any(step == 0 and extent > 1 for step, extent in zip(tensor.stride(), tensor.shape))


def _is_composed(tensor: torch.Tensor) -> bool:
    """Made of other tensors, which hold its values (those of torchao)."""
    return hasattr(type(tensor), "__tensor_flatten__")


def type_name(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).replace("torch.", "")


def check_tensor(name: str, tensor: torch.Tensor) -> None:
    """Raises SwarmError with the name of a tensor that cannot be shared, what it is, and its size."""
    if _is_lazy(tensor):
        raise SwarmError(f"parameter {name} has no shape yet: run one batch through the model before training begins")
    if _is_sharded(tensor):
        raise SwarmError(
            f"parameter {name} is a {type(tensor).__name__} of shape {list(tensor.shape)}, of which each rank holds a "
            "part only; use DistributedDataParallel, or leave it out with sharedParameters"
        )
    dtype = type_name(tensor)
    is_plain = tensor.layout == torch.strided and not (tensor.is_quantized or tensor.is_meta or _is_composed(tensor))
    if not is_plain or dtype not in ITEM_SIZE:
        raise SwarmError(
            f"parameter {name} is a {_kind(tensor)} tensor of {dtype}, shape {list(tensor.shape)}, "
            f"{mebibytes(tensor.numel() * tensor.element_size())}; only plain tensors of "
            f"{', '.join(sorted(ITEM_SIZE))} can be shared. Leave it out with sharedParameters"
        )


def _kind(tensor: torch.Tensor) -> str:
    if _is_composed(tensor):
        return type(tensor).__name__
    return "quantised" if tensor.is_quantized else "meta" if tensor.is_meta else str(tensor.layout)


def pack_tensor(name: str, tensor: torch.Tensor) -> NDArray:
    check_tensor(name, tensor)
    tensor = tensor.detach().cpu()
    if type_name(tensor) == BFLOAT16:
        return pack(tensor.contiguous().view(torch.int16).numpy(), BFLOAT16)
    return pack(tensor.resolve_neg().numpy())


def unpack_tensor(array: NDArray, own: torch.Tensor) -> torch.Tensor:
    """A merged array, ready to be loaded in the place of `own`."""
    dtype = type_name(own)
    if dtype == BFLOAT16 and dtype_name(array) == BFLOAT16:  # by its bits, which a cast may change
        bits = np.frombuffer(array.data, "<i2").reshape(array.shape)
        return torch.from_numpy(np.require(bits, requirements=["A", "W"])).view(torch.bfloat16)
    if own.dim() == 0 and is_integer(dtype) and is_that_integer(pack_tensor("", own), array):
        return own.detach().clone()
    values = unpack_as(array, dtype)
    return torch.from_numpy(values if values.flags.writeable else values.copy())
