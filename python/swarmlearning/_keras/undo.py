"""What a training is put back to when a merge is taken back."""

from __future__ import annotations

from typing import Any, Callable, List

import numpy as np


def keep(model: Any) -> Callable[[], None]:
    """Copies all weights of the model and the state of its optimizer; what it returns puts them back."""
    variables = [*model.weights, *_variables_of(getattr(model, "optimizer", None))]
    copies = [np.array(variable) for variable in variables]

    def put_back() -> None:
        for variable, kept in zip(variables, copies):
            variable.assign(kept)

    return put_back


def _variables_of(optimizer: Any) -> List[Any]:
    """A property in Keras 3, a method in tf.keras 2."""
    variables = getattr(optimizer, "variables", None)
    return list(variables() if callable(variables) else variables or ())
