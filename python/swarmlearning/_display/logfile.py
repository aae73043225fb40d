"""The swarm's lines in a file beside the program: `<program-name>_sw.log`, as the original's user guide has it.

It stands in the folder that the environment variable MODEL_DIR names, else in that of the program. Without a program
(a notebook, `python -c`), or where the file cannot be written, there is none.
"""

from __future__ import annotations

import logging
import os
import pathlib
import sys
from typing import Any, Optional

from .logger import LOG_FORMAT

MODEL_DIR_VARIABLE = "MODEL_DIR"

_PACKAGE = os.path.dirname(os.path.dirname(__file__)) + os.sep  # by the path on which its modules were found


def log_path() -> Optional[pathlib.Path]:
    """Where the file belongs; None without a program of its own name."""
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    if not program or not program.endswith(".py") or program.endswith("__main__.py"):
        return None
    path = pathlib.Path(program)
    folder = os.environ.get(MODEL_DIR_VARIABLE) or path.parent
    return pathlib.Path(folder) / f"{path.stem}_sw.log"


def attach(logger: Any) -> Any:
    """Lets a `logging.Logger`, also one that the user brought, write the lines of this package into the file as well.
    Returns `logger`; one of another kind is left alone."""
    path = log_path()
    if path is None or not isinstance(logger, logging.Logger):
        return logger
    for known in [one for one in logger.handlers if isinstance(one, _File)]:
        if known.baseFilename == os.path.abspath(path):
            return logger
        logger.removeHandler(known)
        known.close()
    try:
        handler = _File(path)
    except OSError:
        return logger
    logger.addHandler(handler)
    return logger


class _File(logging.FileHandler):
    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(path, encoding="utf-8")
        self.setFormatter(logging.Formatter(LOG_FORMAT))

    def filter(self, record: logging.LogRecord) -> bool:
        """Only what the package says: a logger that the user brought has lines of their own."""
        return record.pathname.startswith(_PACKAGE) and bool(super().filter(record))

    def handleError(self, record: logging.LogRecord) -> None:
        """A full disk is no reason to end a training."""
