"""Images of what this host has: an SL, and Python."""

import pathlib
import re
import subprocess
import sysconfig

from .processes import BIN

STDLIB = pathlib.Path(sysconfig.get_path("stdlib"))
MANYLINUX = (
    "libc.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libpthread.so.0", "libutil.so.1", "libgcc_s.so.1",
    "libstdc++.so.6",
)  # fmt: skip


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


def python_files():
    """This host's Python without its packages, with what their wheels may expect of a system."""
    python = pathlib.Path("/usr/bin/python3").resolve()
    found = libraries([python, *STDLIB.glob("lib-dynload/*.so")])
    place = next(file for path, file in found.items() if path.endswith("/libc.so.6")).parent
    for name in MANYLINUX:
        found[f"/lib/{place.name}/{name}"] = (place / name).resolve()
    return {**found, "/usr/bin/python3": python, str(python): python, str(STDLIB): STDLIB}


def python_image(engine):
    return engine.make_image("python:test", python_files(), ["ENV PATH=/usr/bin:/bin"])
