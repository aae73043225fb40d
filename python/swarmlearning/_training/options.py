"""The arguments that every SwarmCallback has, checked before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, Optional, Sequence

import numpy as np

from .._session.messages import SessionRequest
from .._session.narrowing import TRANSFER_TYPES, transfer_type_of_environment
from ..errors import SwarmArgumentError
from .merge_methods import check_merge_method
from .shared import SharedParameters

DEFAULT_CONTRACT = "defaultbb.cqdb.sml.hpe"
CHECKIN_MODES = ("inactive", "snapshot", "active")
INT32_MAX = 2**31 - 1


@dataclass
class Options:
    """Described in `SwarmCallbackBase`, under the same names."""

    syncFrequency: int
    minPeers: int
    useAdaptiveSync: bool
    adsValData: Any
    adsValBatchSize: Optional[int]
    checkinModelOnTrainEnd: str
    trainingContract: str
    nodeWeightage: int
    mlPlatform: Optional[str]
    mergeMethod: str
    totalEpochs: Optional[int]
    sharedParameters: SharedParameters = "all"
    resume: bool = False
    transferType: Optional[str] = None

    def check(self, platforms: Sequence[str]) -> None:
        """Casts and checks; raises SwarmArgumentError. `platforms` are the values that mlPlatform may have."""
        self.syncFrequency = _whole("syncFrequency", self.syncFrequency, "batches between two syncs")
        self.minPeers = _whole("minPeers", self.minPeers, "nodes without which no merge takes place")
        self.nodeWeightage = _whole("nodeWeightage", self.nodeWeightage, "this node's weight in a merge", most=100)
        if self.adsValBatchSize is not None:
            self.adsValBatchSize = _whole("adsValBatchSize", self.adsValBatchSize, "samples of adsValData at a time")
        if self.totalEpochs is not None:
            self.totalEpochs = _whole("totalEpochs", self.totalEpochs, "epochs of local training", least=0)
        self.checkinModelOnTrainEnd = _choice("checkinModelOnTrainEnd", self.checkinModelOnTrainEnd, CHECKIN_MODES)
        self.useAdaptiveSync = _flag("useAdaptiveSync", self.useAdaptiveSync)
        self.resume = _flag("resume", self.resume)
        self.mergeMethod = check_merge_method(self.mergeMethod, self.minPeers)
        if self.transferType is None:
            self.transferType = transfer_type_of_environment() or None
        if self.transferType is not None:
            self.transferType = _choice("transferType", self.transferType, TRANSFER_TYPES)
        if self.mlPlatform is not None:
            self.mlPlatform = _choice("mlPlatform", self.mlPlatform, platforms)
        if not isinstance(self.trainingContract, str) or not self.trainingContract.strip():
            raise SwarmArgumentError(
                f"trainingContract: wanted the name of a contract, e.g. {DEFAULT_CONTRACT}, "
                f"got {self.trainingContract!r}. It is the third argument; the later ones are given by name"
            )
        if self.useAdaptiveSync and self.adsValData is None:
            raise SwarmArgumentError(
                "useAdaptiveSync needs adsValData, the validation data by which the next interval is chosen"
            )

    def shown(self) -> Dict[str, Any]:
        """The arguments by name, without the data."""
        return {name: value for name, value in vars(self).items() if name != "adsValData" and value is not None}

    def session_request(self, follows_rounds: bool = False) -> SessionRequest:
        return SessionRequest(
            syncInterval=self.syncFrequency,
            minPeers=self.minPeers,
            maxPeers=0,
            useAdaptiveSync=bool(self.useAdaptiveSync),
            checkinModelOnTrainEnd=self.checkinModelOnTrainEnd,
            nodeWeightage=self.nodeWeightage,
            trainingContract=self.trainingContract,
            mergeMethod=self.mergeMethod,
            resume=self.resume,
            followsRounds=follows_rounds,
        )


def _whole(name: str, value: Any, meaning: str, least: int = 1, most: int = INT32_MAX) -> int:
    number = None
    try:
        if not isinstance(value, (bool, np.bool_)):
            number = int(value)
    except (TypeError, ValueError, OverflowError):
        pass
    cast_away = number is not None and not isinstance(value, str) and number != value
    if number is None or cast_away or not least <= number <= most:
        bounds = f"from {least} to {most}" if most != INT32_MAX else f"of at least {least}"
        raise SwarmArgumentError(f"{name}: wanted a whole number {bounds} ({meaning}), got {value!r}")
    return number


def _flag(name: str, value: Any) -> bool:
    if isinstance(value, (bool, np.bool_)) or value in (0, 1):
        return bool(value)
    raise SwarmArgumentError(f"{name}: wanted True or False, got {value!r}")


def check_arguments(name: str, value: Any) -> None:
    """Of lossFunctionArgs and metricFunctionArgs."""
    if value is not None and not isinstance(value, dict):
        raise SwarmArgumentError(f"{name}: wanted a dict of arguments, got {value!r}")


def _choice(name: str, value: Any, allowed: Sequence[str]) -> str:
    for choice in allowed:
        if isinstance(value, str) and value.lower() == choice.lower():
            return choice
    raise SwarmArgumentError(f"{name}: wanted one of {', '.join(allowed)}, got {value!r}")
