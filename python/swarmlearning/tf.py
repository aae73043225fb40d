"""SwarmCallback for Keras 3, on TensorFlow, JAX or torch."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

import keras
import numpy as np

from .arrays import BFLOAT16, ITEM_SIZE, Params, pack, unpack_as
from .callback import SwarmCallbackBase, check_names, check_shape
from .errors import SwarmArgumentError, SwarmError
from .messages import NDArray
from .options import DEFAULT_CONTRACT, Options

__all__ = ["SwarmArgumentError", "SwarmCallback", "SwarmError"]


_PLATFORM_DOC = """
    Pass it to `model.fit(..., callbacks=[..., swarm_callback])`, after other callbacks that change the weights at the
    end of training (EarlyStopping with restore_best_weights). All weights of the model are shared, also those that
    are not trained. adsValData is judged by `model.evaluate`: its loss and its first metric. Arguments for PyTorch
    (lossFunction, lossFunctionArgs, metricFunction, metricFunctionArgs) are ignored.
    """


class SwarmCallback(SwarmCallbackBase, keras.callbacks.Callback):
    __doc__ = f"{SwarmCallbackBase.__doc__}{_PLATFORM_DOC}"

    platforms = ("KERAS", "TF")

    def __init__(
        self,
        syncFrequency: int,
        minPeers: int,
        useAdaptiveSync: bool = False,
        adsValData: Any = None,
        adsValBatchSize: Optional[int] = None,
        checkinModelOnTrainEnd: str = "snapshot",
        trainingContract: str = DEFAULT_CONTRACT,
        nodeWeightage: int = 1,
        mlPlatform: Optional[str] = None,
        mergeMethod: str = "mean",
        logger: Any = None,
        totalEpochs: Optional[int] = None,
        lossFunction: Any = None,
        lossFunctionArgs: Any = None,
        metricFunction: Any = None,
        metricFunctionArgs: Any = None,
    ):
        keras.callbacks.Callback.__init__(self)
        self._start(
            Options(
                syncFrequency,
                minPeers,
                useAdaptiveSync,
                adsValData,
                adsValBatchSize,
                checkinModelOnTrainEnd,
                trainingContract,
                nodeWeightage,
                mlPlatform,
                mergeMethod,
                totalEpochs,
            ),
            logger,
        )

    def set_params(self, params: Dict[str, Any]) -> None:
        super().set_params(params)
        if params.get("verbose"):
            self._progress.enabled = False  # Keras draws its own

    def _get_parameters(self) -> Params:
        return {name: _pack_variable(name, variable) for name, variable in self._variables().items()}

    def _load_parameters(self, params: Params) -> None:
        variables = self._variables()
        check_names(variables, params)
        for name, variable in variables.items():
            check_shape(name, params[name].shape, variable.shape)
        for name, variable in variables.items():
            # A copy, because a backend may go on using, and changing, the memory it is given.
            variable.assign(np.array(unpack_as(params[name], _dtype_name(variable))))

    def _evaluate(self) -> Tuple[float, float]:
        model = self.model
        # In the middle of an epoch the metrics hold that epoch's figures so far, and evaluate() resets them.
        metrics = list({id(v): v for metric in model.metrics for v in metric.variables}.values())
        figures = [np.array(v.numpy()) for v in metrics]
        modes = _torch_modes(model)
        try:
            return self._judge(model)
        finally:
            for variable, figure in zip(metrics, figures):
                variable.assign(figure)
            for module, mode in modes:
                module.training = mode
            _restore_sharding(model)

    def _judge(self, model: Any) -> Tuple[float, float]:
        data, size = self.options.adsValData, self.options.adsValBatchSize
        if isinstance(data, tuple) and len(data) == 2:
            scores = model.evaluate(data[0], data[1], batch_size=size, verbose=0)
        elif isinstance(data, list):  # what a generator gave
            scores = model.evaluate((batch for batch in data), steps=len(data), verbose=0)
        else:
            scores = model.evaluate(data, verbose=0)
        scores = [*np.ravel(scores), 0.0]
        return float(scores[0]), float(scores[1])

    def _stop_training(self) -> None:
        self.model.stop_training = True

    def _variables(self) -> Dict[str, Any]:
        """All weights by name. Names that Keras gives twice are numbered in the order of the model's layers, which
        is the same on every node."""
        variables: Dict[str, Any] = {}
        for variable in self.model.weights:
            path = getattr(variable, "path", None) or variable.name
            name, number = path, 1
            while name in variables:
                number += 1
                name = f"{path}#{number}"
            variables[name] = variable
        if not variables:
            raise SwarmError("the model has no weights yet: build it, or give its first layer an input shape")
        return variables


def _dtype_name(variable: Any) -> str:
    return str(keras.backend.standardize_dtype(variable.dtype))


def _pack_variable(name: str, variable: Any) -> NDArray:
    dtype = _dtype_name(variable)
    if dtype not in ITEM_SIZE:
        raise SwarmError(f"weight {name} has dtype {dtype}; only {', '.join(sorted(ITEM_SIZE))} can be shared")
    values = np.asarray(variable.numpy())
    return pack(values, BFLOAT16) if dtype == BFLOAT16 else pack(values)


def _torch_modes(model: Any) -> List[Tuple[Any, bool]]:
    """On the torch backend layers are torch modules, which evaluate() leaves in evaluation mode."""
    if keras.backend.backend() != "torch":
        return []
    return [(module, module.training) for module in model.modules()]


def _restore_sharding(model: Any) -> None:
    """Keras up to 3.10 on JAX: evaluate() forgets where fit(), in whose middle we are, keeps its variables."""
    record = getattr(model, "_record_training_state_sharding_spec", None)
    if record is not None:
        record()
