"""The logger of a program that brings none, and what one that it brings must be able to do."""

from __future__ import annotations

import logging
import sys
from typing import Any

from ..errors import SwarmArgumentError

LOG_FORMAT = "%(asctime)s : SwarmCallback : %(levelname)s : %(message)s"


def make_logger() -> logging.Logger:
    """The logger of a program that brings none: INFO and above on standard output."""
    logger = logging.getLogger("SwarmCallback")
    if not logger.handlers:
        handler = _StdoutHandler()
        handler.setFormatter(logging.Formatter(LOG_FORMAT))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
        logger.propagate = False
    return logger


class _StdoutHandler(logging.StreamHandler):  # type: ignore[type-arg]  # it takes one from Python 3.11 on
    """Writes to whatever sys.stdout is at the time, so that redirecting it works."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(sys.stdout, "closed", sys.stdout is None):  # as in a program without a console
            super().emit(record)

    @property
    def stream(self) -> Any:
        return sys.stdout


def check_logger(logger: Any) -> None:
    missing = [name for name in ("info", "debug", "error") if not callable(getattr(logger, name, None))]
    if missing:
        raise SwarmArgumentError(f"logger: a {type(logger).__name__} has no method {' and no '.join(missing)}")
