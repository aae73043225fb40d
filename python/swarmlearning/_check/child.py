"""Runs a program for the check, in a process of its own: `child REPORT BATCHES SECONDS [-m] PROGRAM [ARGUMENTS]`."""

from __future__ import annotations

import os
import runpy
import sys
from typing import List

from .._training import watch
from .._training.validation import describe_failure
from .recorder import Recorder, Stopped


def main(arguments: List[str]) -> None:
    """Leaves a record in the file `report`; the exit status says nothing."""
    report, batches, seconds, *program = arguments
    recorder = Recorder(report, int(batches), float(seconds))
    watch.watchers.append(recorder)
    try:
        run(program)
    except Stopped:
        pass
    except SystemExit as error:
        if error.code not in (None, 0):
            recorder.record["failure"] = recorder.record["failure"] or f"it ended itself with {error.code!r}"
            raise
    except BaseException as error:
        recorder.note_error(error)
        recorder.record["failure"] = describe_failure(error)
        raise
    finally:
        recorder.record["finished"] = True
        recorder.write()


def run(program: List[str]) -> None:
    """As `python PROGRAM ARGUMENTS` would."""
    if program[0] == "-m":
        sys.argv = program[1:]
        runpy.run_module(program[1], run_name="__main__", alter_sys=True)
        return
    sys.argv = program
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.path.dirname(os.path.abspath(program[0]))
    runpy.run_path(program[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
