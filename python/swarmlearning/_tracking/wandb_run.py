"""Rounds as rows of a run of Weights & Biases."""

from __future__ import annotations

import hashlib
import os
import sys
from typing import Any, Dict, List, Sequence

from .tracker import TRAINING_TAG, NamedTracker, of_kind

PROJECT_VARIABLE = "WANDB_PROJECT"
DEFAULT_PROJECT = "swarm"
TAG_MAX = 64
HELD_MAX = 10_000  # rounds that wait for a row of the user's

#: A run of its own says nothing of the host and of the program.
SETTINGS = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "save_code": False,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}


def make() -> WandbTracker:
    """Raises ImportError."""
    if "wandb" not in sys.modules:  # else it is the program's own choice
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    return WandbTracker()


class WandbTracker(NamedTracker):
    """In a run of the user's the rows keep the numbers that the user gives them: a round is added to the row that the
    user writes next, and rounds for which none came are rows of their own at the end."""

    label = "Weights & Biases"
    remedy = "Is this host logged in (`wandb login`)? With WANDB_MODE=offline nothing is sent until `wandb sync`."

    def __init__(self) -> None:
        import wandb

        self._wandb: Any = wandb
        self._run: Any = None
        self._is_own = True
        self._held: List[Dict[str, Any]] = []
        self._ids_tried = 0
        self._step_given = -1  # of the user's row to which a round was added

    def adopt(self, loggers: Sequence[Any]) -> None:
        logger = of_kind(loggers, "WandbLogger")
        self._run = logger.experiment if logger is not None else self._wandb.run
        self._is_own = self._run is None

    def begin(self, name: str, parameters: Dict[str, Any], tags: Dict[str, str]) -> None:
        if self._run is None:
            run_id, self._ids_tried = self._id_of(tags), self._ids_tried + 1
            known = getattr(self._wandb.Settings, "model_fields", SETTINGS)
            settings = {key: value for key, value in SETTINGS.items() if key in known}
            self._run = self._wandb.init(
                project=os.environ.get(PROJECT_VARIABLE) or DEFAULT_PROJECT,
                name=name,
                tags=[tags["swarm.contract"][:TAG_MAX]],
                settings=self._wandb.Settings(host=tags["swarm.node"], **settings),
                reinit="create_new",
                **({"id": run_id, "resume": "allow"} if run_id else {}),
            )
        self._run.config.update({**parameters, **tags}, allow_val_change=True)
        self._run.define_metric("swarm/round")
        self._run.define_metric("swarm/*", step_metric="swarm/round")

    def _id_of(self, tags: Dict[str, str]) -> str:
        """The same for a node that comes back to its training. Empty: W&B is to choose one, as the user has said which,
        or as this one was refused: that of a run which was deleted is never given again."""
        if TRAINING_TAG not in tags or self._ids_tried > 0 or os.environ.get("WANDB_RUN_ID"):
            return ""
        return hashlib.sha256("\n".join(tags[name] for name in sorted(tags)).encode()).hexdigest()[:16]

    def log_round(self, number: int, values: Dict[str, float], tags: Dict[str, str]) -> None:
        row: Dict[str, Any] = {"swarm/round": number, **values}
        row.update({key.replace(".", "/"): text for key, text in tags.items() if key != "swarm.round"})
        if self._is_own:
            self._run.log(row)
            return
        self._held.append(row)
        if self._run.step != self._step_given or len(self._held) > HELD_MAX:
            self._run.log(self._held.pop(0), commit=False)
            self._step_given = self._run.step

    def end(self, finished: bool) -> None:
        if self._is_own:
            self._run.finish(exit_code=0 if finished else 1)
            self._run, self._ids_tried = None, 0
            return
        if self._held and self._run.step == self._step_given:
            self._run.log({}, commit=True)  # the row that has a round already
        while self._held:
            self._run.log(self._held.pop(0))
