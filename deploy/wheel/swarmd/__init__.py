"""The programs of swarmd. A command becomes the program of its name; only `swarmd demo` is Python."""

import os
import pathlib
import sys

#: The folder of swarmd, swarm-shim, swarm-merge-worker and gen-cert.
BIN = pathlib.Path(__file__).resolve().parent / "bin"


def _become(name, called=None):
    program = BIN / name
    try:
        os.execv(program, [called or str(program), *sys.argv[1:]])
    except OSError as problem:
        sys.exit(f"{program} cannot be executed: {problem}")


def run_swarmd():
    if sys.argv[1:2] == ["demo"]:
        from . import demo

        sys.exit(demo.main(sys.argv[2:]))
    _become("swarmd")


def run_inspect():
    _become("swarmd", called="swarm-inspect")


def run_gen_cert():
    _become("gen-cert")
