"""Programs that begin with their frameworks imported: a server has imported them, and forks for each program.

`python_with("torch")` is the path of a Python that may be used wherever the tests' own may be; a program that it runs
finds it as `sys.executable`. What is forked is a process like any other, with the command line's arguments, environment
and folder, in the process group of the one that was started (`forked.py`), or in a session of its own where that has
one. To import PyTorch takes 3 s of a processor, Keras 12.
"""

import atexit
import gc
import importlib
import json
import os
import pathlib
import random
import runpy
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types

HERE = pathlib.Path(__file__).resolve().parent
# What Keras and TensorFlow import only because it is there.
OPTIONAL = ("jax", "matplotlib", "sklearn", "tensorflow", "torch")
_servers = {}


def python_with(kind):
    """The path of a Python that has imported a module, such as "torch", or Keras for a backend, "keras-tensorflow"."""
    if kind not in _servers:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="swarmd-forks-"))
        python, path = folder / "python", folder / "socket"
        start = f"{sys.executable} -ISE {HERE}/forked.py {path} {os.getsid(0)}"
        python.write_text(f'#!/bin/sh\nexec {start} "$@"\n')
        python.chmod(0o755)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        own = {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
        if kind.startswith("keras-"):
            own["KERAS_BACKEND"] = kind.removeprefix("keras-")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(64)
            command = [sys.executable, HERE / "forks.py", str(listener.fileno()), kind, python]
            # It ends with its standard input, and so with this process, and removes the folder.
            server = subprocess.Popen(
                command, stdin=subprocess.PIPE, env={**environment, **own}, pass_fds=[listener.fileno()]
            )
        _servers[kind] = (server, str(python))
    return _servers[kind][1]


class Server:
    """Takes what forked.py asks for, and tells it how its program ended."""

    def __init__(self, listener, folder):
        self.listener, self.folder = listener, folder
        self.programs = {}  # the connection of who has started it, by process number
        self.selector = selectors.DefaultSelector()

    def serve(self):
        """Returns in each program, with what was asked for; ends with the standard input."""
        woken, waker = os.pipe()
        os.set_blocking(waker, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for source in (self.listener, woken, 0):
            self.selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select():
                if key.fileobj == 0:
                    self.end()
                elif key.fileobj == woken:
                    os.read(woken, 512)
                    self.reap()
                elif key.fileobj is self.listener:
                    if wanted := self.accept():
                        signal.set_wakeup_fd(-1)
                        os.close(woken)
                        os.close(waker)
                        return wanted
                else:
                    self.pass_on(key.fileobj, key.data)

    def accept(self):
        """In the program that was forked: what was asked for."""
        link, _ = self.listener.accept()
        size, streams, _, _ = socket.recv_fds(link, 8, 3)
        with link.makefile("rb") as file:
            wanted = json.loads(file.read(int.from_bytes(size, "big")))
        number = os.fork()
        if number == 0:
            for each in (self.listener, link, *self.programs.values()):
                each.close()
            self.selector.close()
            return {**wanted, "streams": streams}
        for each in streams:
            os.close(each)
        self.programs[number] = link
        self.selector.register(link, selectors.EVENT_READ, number)
        return None

    def pass_on(self, link, number):
        """A signal, or that who has started the program is gone."""
        try:
            text = link.recv(1)
        except ConnectionError:
            text = b""
        if not text:
            self.selector.unregister(link)
        kill(number, text[0] if text else signal.SIGKILL)

    def reap(self):
        while self.programs:
            number, status = os.waitpid(-1, os.WNOHANG)
            if number == 0:
                return
            with self.programs.pop(number) as link:
                if link in self.selector.get_map():
                    self.selector.unregister(link)
                    try:
                        link.sendall(b"%d\n" % status)
                    except ConnectionError:
                        pass

    def end(self):
        for number in self.programs:
            kill(number, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)
        os._exit(0)


def kill(number, sign):
    """A program, and if it has a session of its own all that is in its process group."""
    try:
        (os.killpg if os.getsid(number) == number else os.kill)(number, sign)
    except ProcessLookupError:
        pass


def become(wanted):
    """Makes this process what was asked for; gives the arguments."""
    try:
        os.setpgid(0, wanted["group"])
    except PermissionError:  # another session's
        os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(wanted["streams"]):
        os.dup2(stream, number)
        os.close(stream)
    os.umask(wanted["umask"])
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.stdin = open(0, closefd=False)
    sys.stdout = open(1, "w", closefd=False)
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    return wanted["arguments"]


def run(arguments):
    """As `python ARGUMENTS` does."""
    buffered = "PYTHONUNBUFFERED" not in os.environ
    while arguments and arguments[0] == "-u":
        buffered, arguments = False, arguments[1:]
    if not buffered:
        sys.stdout.reconfigure(write_through=True)
    sys.path[0:1] = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    module = sys.modules["__main__"] = types.ModuleType("__main__")
    module.__builtins__ = __builtins__
    what, *rest = arguments
    if what == "-m":
        sys.argv = rest
        sys.path.insert(0, os.getcwd())
        runpy._run_module_as_main(rest[0])
        return
    if what == "-c":
        text, sys.argv, folder = rest[0], ["-c", *rest[1:]], ""
    else:
        text, sys.argv, folder = pathlib.Path(what).read_bytes(), arguments, str(pathlib.Path(what).resolve().parent)
        module.__file__ = what
    sys.path.insert(0, folder)
    exec(compile(text, what, "exec"), module.__dict__)


def finish(program, *arguments):
    """Runs it and ends this process as Python would, but leaves to the kernel what the server has imported: to free
    that takes a second."""
    status, interrupted = 0, False
    try:
        program(*arguments)
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        if isinstance(ending.code, str):
            print(ending.code, file=sys.stderr)
    except BaseException as error:
        sys.excepthook(type(error), error, error.__traceback__)
        status, interrupted = 1, isinstance(error, KeyboardInterrupt)
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            pass  # the program has replaced or closed it
    if interrupted:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status & 0xFF)


def main():
    listener, kind, python = sys.argv[1:]
    server = Server(socket.socket(fileno=int(listener)), pathlib.Path(python).parent)
    module, _, backend = kind.partition("-")
    unused = [name for name in OPTIONAL if backend and name != backend]
    sys.modules.update(dict.fromkeys(unused))
    importlib.import_module(module)
    if "torch" in kind:
        importlib.import_module("torch._dynamo")  # as the first step of an optimizer does
    for name in unused:
        del sys.modules[name]
    gc.freeze()  # nobody counts or frees again what all have in common
    arguments = become(server.serve())
    sys.executable = python
    finish(run, arguments)


if __name__ == "__main__":
    main()
