"""Programs that a server forks (tests/launcher/forks.py) are as those that are started: what they see, how they end."""

import json
import os
import signal
import subprocess

import pytest
from launcher.forks import python_with

PLACE = """
import json, os, signal, sys
print(json.dumps([os.getpid(), os.getpgid(0), os.getsid(0), sys.argv, os.getcwd(), os.environ.get("HERE")]), flush=True)
"""
WAIT = PLACE + "signal.pause()"


@pytest.fixture(scope="module")
def python():
    return python_with("json")


def run(python, text, *arguments, **options):
    return subprocess.run([python, "-c", text, *arguments], capture_output=True, text=True, timeout=60, **options)


def start(python, text, **options):
    """A program, and what it tells of itself."""
    program = subprocess.Popen([python, "-c", text], stdout=subprocess.PIPE, **options)
    return program, json.loads(program.stdout.readline())


def test_arguments_folder_environment_and_streams(python, tmp_path):
    script = tmp_path / "program.py"
    script.write_text("import beside, sys; print(__name__, __file__, beside.HERE, sys.stdin.read(), file=sys.stderr)")
    (tmp_path / "beside.py").write_text("HERE = 'beside'")
    done = subprocess.run([python, "-u", script], input="said", capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, f"__main__ {script} beside said\n")
    done = run(python, PLACE, "a b", "-c", cwd=tmp_path, env={**os.environ, "HERE": "ä"})
    assert json.loads(done.stdout)[3:] == [["-c", "a b", "-c"], str(tmp_path), "ä"]
    done = subprocess.run([python, "-m", "beside"], cwd=tmp_path, timeout=60)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "text, status, said",
    [
        ("import sys; sys.exit(7)", 7, ""),
        ("import sys; sys.exit('enough')", 1, "enough\n"),
        ("import atexit, sys; atexit.register(print, 'end', file=sys.stderr)", 0, "end\n"),
        ("raise KeyError('key')", 1, "KeyError: 'key'\n"),
        ("import os; os._exit(9)", 9, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -2, "KeyboardInterrupt\n"),
        ("import threading, time, os; threading.Thread(target=lambda: (time.sleep(0.2), os._exit(5))).start()", 5, ""),
    ],
)
def test_it_ends_as_the_program_does(python, text, status, said):
    done = run(python, text)
    assert done.returncode == status and done.stderr.endswith(said)


def test_a_program_starts_others_in_the_same_way(python):
    done = run(python, f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PLACE!r}])")
    assert json.loads(done.stdout)[3] == ["-c"]


@pytest.mark.parametrize("options", [{}, {"process_group": 0}, {"start_new_session": True}])
def test_a_killed_one_takes_its_program_with_it(python, options):
    program, _ = start(python, WAIT, **options)
    program.kill()
    assert program.wait() == -signal.SIGKILL
    assert program.stdout.read() == b""  # which nobody has open any more


def test_its_process_group_has_its_program(python):
    program, (_, group, *_) = start(python, WAIT, process_group=0)
    assert group == program.pid
    os.killpg(program.pid, signal.SIGTERM)
    assert program.wait() == -signal.SIGTERM


def test_a_session_of_its_own_passes_signals_on(python):
    program, (number, group, session, *_) = start(python, WAIT, start_new_session=True)
    assert number == group == session
    program.send_signal(signal.SIGTERM)
    assert program.wait() == -signal.SIGTERM
