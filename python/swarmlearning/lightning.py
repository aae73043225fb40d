"""SwarmCallback for Lightning (the packages `lightning` and `pytorch_lightning`)."""

from __future__ import annotations

import sys
from typing import Any, Optional

from ._torch.hosted import HostedSwarm
from ._training.options import DEFAULT_CONTRACT
from .errors import SwarmArgumentError, SwarmError

if "pytorch_lightning" in sys.modules and "lightning.pytorch" not in sys.modules:
    from pytorch_lightning import Callback
else:
    try:
        from lightning.pytorch import Callback
    except ImportError:
        from pytorch_lightning import Callback

__all__ = ["SwarmArgumentError", "SwarmCallback", "SwarmError"]


class SwarmCallback(Callback):
    """Lets a Lightning program take part in a swarm: `Trainer(..., callbacks=[SwarmCallback(...)])`.

    Arguments are those of `swarmlearning.pyt.SwarmCallback`, but for the model, which is the one being fitted.
    totalEpochs is the trainer's max_epochs, if not given. Batches are counted as the trainer counts them, whatever
    accumulate_grad_batches is. Further:
        submodule: the name of the part of the LightningModule that is shared, e.g. "net"; all of it, if not given. With
            it, nodes with a plain PyTorch program and nodes with Lightning train one model.

    When the swarm has finished before this node, the trainer is told to stop. An error or Ctrl-C in the training ends
    the session; `fit` may be called again.

    Attributes:
        swarm: the `swarmlearning.pyt.SwarmCallback` at work, e.g. for modelDigest(); None before the first fit.

    Raises SwarmArgumentError for an argument that cannot be, SwarmError when the session with the SL fails.

    A whole program beside an SL:

        >>> import torch
        >>> from lightning.pytorch import LightningModule, Trainer
        >>> from swarmlearning.lightning import SwarmCallback
        >>> class Module(LightningModule):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.net = torch.nn.Linear(4, 2)
        ...     def training_step(self, batch):
        ...         return torch.nn.functional.cross_entropy(self.net(batch[0]), batch[1])
        ...     def configure_optimizers(self):
        ...         return torch.optim.SGD(self.parameters(), 0.1)
        >>> data = torch.utils.data.TensorDataset(torch.randn(64, 4), torch.randint(0, 2, (64,)))
        >>> loader = torch.utils.data.DataLoader(data, batch_size=4)
        >>> swarm = SwarmCallback(syncFrequency=16, minPeers=2, submodule="net",
        ...                       adsValData=loader, lossFunction="CrossEntropyLoss")
        >>> trainer = Trainer(max_epochs=2, callbacks=[swarm], accelerator="cpu", logger=False,
        ...                   enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
        >>> trainer.fit(Module(), loader)
        >>> swarm.swarm.syncs  # at the start, after 16 batches, and at the end
        3
    """

    def __init__(
        self,
        syncFrequency: int,
        minPeers: int,
        trainingContract: str = DEFAULT_CONTRACT,
        *,
        submodule: Optional[str] = None,
        **arguments: Any,
    ):
        super().__init__()
        self._submodule = submodule
        self._hosted = HostedSwarm(
            dict(arguments, syncFrequency=syncFrequency, minPeers=minPeers, trainingContract=trainingContract)
        )

    @property
    def swarm(self) -> Any:
        return self._hosted.swarm

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Opens the session; all nodes start from the same merged model."""
        epochs = trainer.max_epochs
        epochs = epochs if epochs is not None and epochs > 0 else None
        has_bar = trainer.progress_bar_callback is not None
        module, loggers = self._shared(pl_module), list(trainer.loggers)
        optimizers = list(trainer.optimizers)
        self._hosted.begin(module, epochs, trainer.num_training_batches, has_bar, loggers, optimizer=optimizers)

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """After every batch; syncs when it is time."""
        if self._hosted.batch():
            trainer.should_stop = True

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Counts epochs."""
        self._hosted.epoch()

    def on_train_end(self, trainer: Any, pl_module: Any) -> None:
        """Waits until all nodes have finished, and loads the final model."""
        self._hosted.end()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Ends the session; the other nodes go on without this one."""
        self._hosted.leave()

    def _shared(self, module: Any) -> Any:
        if self._submodule is None:
            return module
        try:
            return module.get_submodule(self._submodule)
        except AttributeError:
            raise SwarmArgumentError(
                f"submodule: {type(module).__name__} has no part {self._submodule!r}; it has "
                f"{', '.join(name for name, _ in module.named_children())}"
            ) from None
