"""Names of a Keras model's weights by their place in the model.

Keras numbers the layers of a process on (`dense`, `dense_1`, ...), so what else a program has built, or a notebook cell
that is run again, shows in its names. Here the numbers count the layers of this model only, as they would in a program
that builds nothing else; there the names are those of the original's client too (`dense/kernel:0`).
"""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Tuple

#: Classes whose own name is not part of a weight's: their layers stand for themselves.
_CONTAINERS = ("Sequential", "Functional")


def weight_names(model: Any) -> Dict[str, Any]:
    """All weights by name, in the order of the model. Names that are given twice are numbered in that order."""
    layers = [model, *model._flatten_layers(include_self=False, recursive=True)]
    places = _place_names(layers)
    containers = {layer.name for layer in layers if _is_container(layer)}
    named: Dict[str, Any] = {}
    for variable in made_weights(model):
        *scopes, own = own_path(variable).split("/")
        path = "/".join([places.get(scope, scope) for scope in scopes if scope not in containers] + [own])
        name, number = f"{path}:0", 1
        while name in named:
            number += 1
            name = f"{path}#{number}:0"
        named[name] = variable
    return named


def made_weights(model: Any) -> List[Any]:
    """The weights that a model has by now; tf.keras 2 raises instead of saying that there are none yet."""
    try:
        return list(model.weights)
    except ValueError:
        return []


def own_path(variable: Any) -> str:
    """`dense_1/kernel`: Keras 3 keeps it beside the name, Keras 2 in it."""
    return str(getattr(variable, "path", None) or variable.name).split(":")[0]


def _is_container(layer: Any) -> bool:
    return any(cls.__name__ in _CONTAINERS and cls.__module__.split(".")[0] in ("keras", "tensorflow", "tf_keras")
               for cls in type(layer).__mro__)  # fmt: skip


def _place_names(layers: Iterable[Any]) -> Dict[str, str]:
    """What each layer that Keras has named is called when the numbers of its class begin at 0."""
    numbered: Dict[str, List[Tuple[int, str]]] = {}
    for layer in layers:
        own = snake_case(type(layer).__name__)
        match = re.fullmatch(rf"((?:forward_|backward_)?{re.escape(own)})(?:_(\d+))?", layer.name)
        if match:  # Bidirectional names what it wraps after it
            numbered.setdefault(match[1], []).append((int(match[2] or 0), layer.name))
    places = {}
    for base, found in numbered.items():
        for place, (_, name) in enumerate(sorted(set(found))):
            places[name] = base if place == 0 else f"{base}_{place}"
    return places


def snake_case(class_name: str) -> str:
    """As Keras makes a name of a class.

    >>> snake_case("LayerNormalization"), snake_case("LSTM"), snake_case("Conv2D")
    ('layer_normalization', 'lstm', 'conv2d')
    """
    name = re.sub(r"\W+", "", class_name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
