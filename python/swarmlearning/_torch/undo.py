"""What a training is put back to when a merge is taken back."""

from __future__ import annotations

import copy
from typing import Any, Callable, List, Sequence

import torch

from ..errors import SwarmArgumentError


def optimizers_of(given: Any) -> List[Any]:
    """The argument `optimizer`: one or several; none where nothing was given."""
    if given is None:
        return []
    all_of_them = list(given) if isinstance(given, (list, tuple)) else [given]
    for one in all_of_them:
        if not (hasattr(one, "state_dict") and hasattr(one, "load_state_dict")):
            raise SwarmArgumentError(
                "optimizer: wanted the torch.optim.Optimizer of this model, or a list of them, got "
                f"{type(one).__name__}"
            )
    return all_of_them


def keep(model: torch.nn.Module, optimizers: Sequence[Any]) -> Callable[[], None]:
    """Copies all tensors of the model and the states of its optimizers; what it returns puts them back."""
    tensors = [*model.parameters(), *model.buffers()]
    copies = [tensor.detach().clone() for tensor in tensors]
    states = [copy.deepcopy(optimizer.state_dict()) for optimizer in optimizers]

    def put_back() -> None:
        with torch.no_grad():
            for tensor, kept in zip(tensors, copies):
                tensor.copy_(kept)
        for optimizer, state in zip(optimizers, states):
            optimizer.load_state_dict(copy.deepcopy(state))

    return put_back
