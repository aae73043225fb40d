"""The report of a check as people read it."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List

from .._training.shared import mebibytes

TENSORS_SHOWN = 40
SESSION_ORDER = (
    "trainingContract", "syncFrequency", "minPeers", "mergeMethod", "nodeWeightage", "useAdaptiveSync",
    "checkinModelOnTrainEnd", "totalEpochs", "sharedParameters", "adsValBatchSize", "mlPlatform", "resume",
    "transferType",
)  # fmt: skip


def text_of(report: Dict[str, Any]) -> str:
    """Several lines."""
    return "\n".join([*_head(report), *_body(report), *_tensors(report), *_findings(report)])


def _head(report: Dict[str, Any]) -> Iterator[str]:
    numbers = [(len(report[kind]), kind) for kind in ("problems", "warnings")]
    counts = [f"{number} {kind if number != 1 else kind[:-1]}" for number, kind in numbers]
    verdict = {"fine": "it can take part", "problems": "it cannot take part as it is", "failed": "it failed"}
    yield f"{report['program']}: {verdict[report['outcome']]}; {' and '.join(counts)}"
    if report["failure"]:
        yield f"  {report['failure']}"
    yield ""
    yield _row("Versions", ", ".join(f"{name} {version}" for name, version in report["versions"].items()))


def _body(report: Dict[str, Any]) -> Iterator[str]:
    run, session, validation = report["run"], report["session"], report["validation"]
    if session is None:
        return
    yield _row("Platform", report["platform"])
    epoch = f", {run['epoch_batches']} in an epoch" if run["epoch_batches"] is not None else ""
    stopped = f"stopped {run['stopped']}" if run["stopped"] else "not stopped"
    yield _row("Run", f"alone, {run['batches']} batches{epoch}; {stopped}")
    for number, name in enumerate(SESSION_ORDER):
        if session[name] is not None:
            yield _row("" if number else "Session", f"{name} = {session[name]!r}")
    if validation is None:
        yield _row("Validation", "none")
    elif validation["works"]:
        scores = f"loss {_short(validation['loss'])}, metric {_short(validation['metric'])}"
        yield _row("Validation", f"{validation['data']}; first batch: {scores}, in {validation['seconds']:.2g} s")
    else:
        yield _row("Validation", f"{validation['data']}; it could not be judged")


def _tensors(report: Dict[str, Any]) -> Iterator[str]:
    shared, local = report["shared"], report["local"]
    if report["session"] is None:
        return
    yield ""
    yield f"Shared: {len(shared)} tensors, {mebibytes(report['bytes'])} of at most {mebibytes(report['bytes_max'])}"
    rows = [[one["dtype"], _shape(one["shape"]), mebibytes(one["size"]), _names(one)] for one in shared[:TENSORS_SHOWN]]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    for row in rows:
        yield "  " + "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]])
    if len(shared) > TENSORS_SHOWN:
        yield f"  and {len(shared) - TENSORS_SHOWN} more; --json has all"
    yield "Stays on this node:"
    for one in local[:TENSORS_SHOWN]:
        yield f"  {one['name']}: {one['why']}"
    if len(local) > TENSORS_SHOWN:
        yield f"  and {len(local) - TENSORS_SHOWN} more; --json has all"
    yield "  the state of the optimiser, the data, and all texts of the program"


def _findings(report: Dict[str, Any]) -> Iterator[str]:
    for kind in ("problems", "warnings"):
        found: List[Dict[str, str]] = report[kind]
        if found:
            yield ""
            yield f"{kind.capitalize()}:"
        for one in found:
            yield f"  {one['code']}: {one['text']}"


def _row(title: str, text: Any) -> str:
    return f"{title:<12}{text}"


def _short(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.4g}"


def _shape(shape: List[int]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _names(tensor: Dict[str, Any]) -> str:
    name, own = tensor["name"], tensor["own_name"]
    return str(name) if own == name or name.startswith(f"{own}:") else f"{name} (here {own})"
