"""What is wrong with a program, or may be, by the record of a check."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

from .._training.shared import mebibytes, some

Finding = Dict[str, str]  # code, for tools; text, for people


def problems_of(record: Dict[str, Any]) -> List[Finding]:
    """What keeps the program from taking part in a swarm."""
    return [{"code": code, "text": text} for code, text in _problems(record)]


def warnings_of(record: Dict[str, Any]) -> List[Finding]:
    """What may not be meant so."""
    found = [*_session_warnings(record), *_validation_warnings(record), *_model_warnings(record)]
    return [{"code": code, "text": text} for code, text in found]


def _problems(record: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    run = record["run"]
    for text in record["errors"]:
        yield "refused", text
    if record["not_finite"]:
        yield "not-finite", f"NaN or infinite values in {some(record['not_finite'])}: the model is left out of merges"
    if record["errors"] or record["failure"] or not record["callbacks"]:
        return
    if not run["began"]:
        yield "no-begin", "on_train_begin() was never called: the program does not take part in any merge"
    elif not run["batches"]:
        yield "no-batches", "on_batch_end() was never called: the model is merged at the start and the end only"
    elif not run["stopped"]:
        yield "no-end", "on_train_end() was never called: the program ends without the swarm's final model"


def _session_warnings(record: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    session = record["session"]
    if session is None:
        return
    if session["minPeers"] == 1:
        yield "min-peers", "minPeers is 1: a node that is alone merges with nobody, and trains as if without a swarm"
    if session["totalEpochs"] is None:
        yield "total-epochs", "totalEpochs is not given: the swarm cannot show how far this node is"
    if session["checkinModelOnTrainEnd"] == "inactive":
        yield "inactive", "checkinModelOnTrainEnd is 'inactive': not all nodes may be so, somebody must give a model"
    if record["callbacks"] > 1:
        yield "callbacks", f"{record['callbacks']} SwarmCallbacks were made; one at a time has the session"
    if record["run"]["batches"]:
        yield from _sync_warnings(session, record["run"])


def _sync_warnings(session: Dict[str, Any], run: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    """The first sync by count comes with batch syncFrequency + 1."""
    frequency, epoch, epochs = session["syncFrequency"], run["epoch_batches"], session["totalEpochs"]
    if epoch is None:
        if not run["ended"] and run["batches"] <= frequency:
            yield "sync-unseen", (
                f"syncFrequency is {frequency}, and whether an epoch has so many batches was not seen in "
                f"{run['batches']} of them; --batches {frequency + 1} looks further"
            )
        return
    if frequency < epoch:
        return
    if epochs and frequency >= epoch * epochs:
        yield "no-sync", (
            f"syncFrequency is {frequency}, but the whole training has {epoch * epochs} batches: nodes merge at its "
            "start and its end only"
        )
    else:
        rest = f"the first sync comes in epoch {frequency // epoch + 1}" if epoch else "there is none"
        yield "rare-sync", f"syncFrequency is {frequency}, but an epoch has {epoch} batches: {rest}"


def _validation_warnings(record: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    validation, session = record["validation"], record["session"]
    if session is None:
        return
    if validation is None:
        yield "no-validation", "no adsValData: merged models are not judged, and the swarm shows no loss of this node"
    elif validation["works"]:
        if isinstance(validation["loss"], str):
            yield "loss", f"the loss on the first batch of adsValData is {validation['loss']}"
        elif validation["loss"] == 0 and not validation["loss_function"]:
            yield "no-loss", "no lossFunction, and the model gives no loss itself: every loss is reported as 0"


def _model_warnings(record: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    shared, run = record["shared"], record["run"]
    if record["unchanged"]:
        yield "unchanged", (
            f"the model has not changed in {run['batches']} batches: is it the one that the program trains?"
        )
    integers = [one["name"] for one in shared if one["shape"] and ("int" in one["dtype"] or one["dtype"] == "bool")]
    if integers:
        yield "integers", f"not averaged, but merged by majority, as they are no floating point: {some(integers)}"
    for wrapper in record["wrappers"]:
        yield "wrapper", f"the model is wrapped by {wrapper}; what is in it is shared, under its own names"
    frozen = [one for one in shared if not one["trained"] and "float" in one["dtype"] and one["size"] >= 1 << 20]
    total = sum(one["size"] for one in shared)
    size = sum(one["size"] for one in frozen)
    if size * 2 >= total > 0:
        yield "frozen", (
            f"{mebibytes(size)} of {mebibytes(total)} take no gradients, and travel in each merge all the same: "
            "sharedParameters='trainable' leaves them out"
        )
