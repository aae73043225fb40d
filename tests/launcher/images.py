"""Images of what this host has: an SL, and Python."""

import pathlib
import re
import subprocess
import sys
import sysconfig

from .processes import BIN

STDLIB = pathlib.Path(sysconfig.get_path("stdlib"))
VENV = pathlib.Path(sys.prefix).resolve()


def libraries(programs):
    """The shared libraries of programs, {path in an image: file of this host}, with the loader."""
    found = {}
    for program in programs:
        text = subprocess.run(["ldd", program], capture_output=True, text=True, check=False).stdout
        for path in re.findall(r"(/\S+) \(0x", text):
            found[path] = pathlib.Path(path).resolve()
    return found


def sl_image(engine):
    """Of the programs that the tests use."""
    programs = {f"/usr/bin/{name}": BIN / name for name in ("swarmd", "swarm-merge-worker") if (BIN / name).exists()}
    return engine.make_image("swarmd/sl:test", {**libraries(programs.values()), **programs}, ["ENV PATH=/bin:/usr/bin"])


def python_image(engine):
    """This host's Python without its packages, with what numpy's own wheel needs of the system."""
    python = pathlib.Path("/usr/bin/python3").resolve()
    modules = STDLIB.glob("lib-dynload/*.so")
    numpy = [
        file for name in ("numpy", "numpy.libs") for file in VENV.glob(f"lib/python3*/site-packages/{name}/**/*.so*")
    ]
    files = {
        **libraries([python, *modules, *numpy]),
        "/usr/bin/python3": python,
        str(python): python,
        str(STDLIB): STDLIB,
    }
    files = {path: file for path, file in files.items() if not str(file).startswith(str(VENV))}
    return engine.make_image("python:test", files, ["ENV PATH=/usr/bin:/bin"])
