"""Rounds as metrics of a run of MLflow."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Dict, Sequence

from .tracker import TRAINING_TAG, NamedTracker, of_kind

TEXT_MAX = 250  # bytes of a parameter that every version takes


def make() -> MlflowTracker:
    """Raises ImportError."""
    if "mlflow" not in sys.modules:  # else it is the program's own choice
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    return MlflowTracker()


class MlflowTracker(NamedTracker):
    """Writes through a client of its own, so that no run becomes active by it and none of the program's surroundings
    (path, user, commit) are noted."""

    label = "MLflow"
    remedy = "Does MLFLOW_TRACKING_URI name a store that this host can reach and write to?"

    def __init__(self) -> None:
        import mlflow
        from mlflow import entities

        self._mlflow: Any = mlflow
        self._entities: Any = entities
        self._client: Any = None
        self._run_id = ""
        self._is_own = True
        self._rounds_there = 0  # in a run that is gone on with

    def adopt(self, loggers: Sequence[Any]) -> None:
        logger = of_kind(loggers, "MLFlowLogger")
        if logger is not None:
            self._client, self._run_id = logger.experiment, logger.run_id
        elif self._mlflow.active_run() is not None:
            self._run_id = self._mlflow.active_run().info.run_id
        self._is_own = not self._run_id

    def begin(self, name: str, parameters: Dict[str, Any], tags: Dict[str, str]) -> None:
        if self._client is None:
            self._client = self._mlflow.MlflowClient()
        if not self._run_id:
            experiment = self._experiment(tags["swarm.contract"])
            self._run_id = self._resumed(experiment, tags)
            if not self._run_id:
                self._run_id = self._client.create_run(experiment, run_name=name, tags=tags).info.run_id
        known = self._client.get_run(self._run_id).data.params  # of another training in this run
        news = {key: str(value)[:TEXT_MAX] for key, value in parameters.items() if key not in known}
        params = [self._entities.Param(key, text) for key, text in news.items()]
        self._client.log_batch(self._run_id, params=params, tags=self._tags(tags))

    def log_round(self, number: int, values: Dict[str, float], tags: Dict[str, str]) -> None:
        if number <= self._rounds_there:
            return
        now = int(time.time() * 1000)
        metrics = [self._entities.Metric(name, value, now, number) for name, value in values.items()]
        self._client.log_batch(self._run_id, metrics=metrics, tags=self._tags(tags))

    def end(self, finished: bool) -> None:
        if self._is_own:
            self._client.set_terminated(self._run_id, "FINISHED" if finished else "FAILED")
            self._run_id, self._rounds_there = "", 0

    def _resumed(self, experiment: str, tags: Dict[str, str]) -> str:
        """The run that this node has of this training already, open again; empty: there is none."""
        if TRAINING_TAG not in tags:
            return ""
        wanted = " and ".join(f"tags.`{key}` = {_quoted(value)}" for key, value in tags.items())
        found = self._client.search_runs([experiment], wanted, max_results=1)
        if not found:
            return ""
        self._rounds_there = int(found[0].data.tags.get("swarm.round", 0))
        self._client.update_run(found[0].info.run_id, status="RUNNING")
        return str(found[0].info.run_id)

    def _tags(self, tags: Dict[str, str]) -> Any:
        return [self._entities.RunTag(key, value) for key, value in tags.items()]

    def _experiment(self, contract: str) -> str:
        """The one that MLflow's own variables name, else that of the contract."""
        if os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return os.environ["MLFLOW_EXPERIMENT_ID"]
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or contract
        found = self._client.get_experiment_by_name(name)
        if found is None:
            try:
                return str(self._client.create_experiment(name))
            except self._mlflow.exceptions.MlflowException:  # another node was quicker
                found = self._client.get_experiment_by_name(name)
                if found is None:
                    raise
        return str(found.experiment_id)


def _quoted(text: str) -> str:
    """For a filter of MLflow's, which knows no escapes."""
    return f'"{text}"' if "'" in text else f"'{text}'"
