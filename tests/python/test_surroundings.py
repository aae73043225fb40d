"""Where programs run: without a console, from cron, in containers, in threads, beside children and signals of their
own. Each is a process of its own beside an SL in a thread of this one."""

import os
import shutil
import subprocess
import sys

import pytest
from fake_sl import FakeSwarm
from repository import ROOT
from wire_schema import MESSAGES, OPEN, OPENED

PACKAGE = os.path.join(ROOT, "python")
HERE = os.path.dirname(os.path.abspath(__file__))
HEAD = """
import os, sys
sys.path[:0] = [{tests!r}, {package!r}]
import numpy as np
from dict_program import DictCallback, train
"""
TRAIN = """
train(DictCallback(logger=logger), 5)
open(done, "w").write("trained")
"""
LOGGER = """
logger, done = None, os.path.abspath("done")
"""


@pytest.fixture
def run(tmp_path):
    """Runs a program in its own folder, to its end; `trained` says whether it came to the end of its training."""
    swarms = []

    def start(body, shell="{python} {program}", script=None, package=PACKAGE, **environment):
        channel = tmp_path / "channel"
        channel.mkdir()
        swarms.append(FakeSwarm(channel, script=script).start())
        program = tmp_path / "program.py"
        program.write_text(HEAD.format(tests=HERE, package=str(package)) + LOGGER + body, encoding="utf-8")
        variables = {**os.environ, **swarms[0].sls[0].environment, **environment}
        command = shell.format(python=sys.executable, program=program)
        done = subprocess.run(
            ["bash", "-c", command], env=variables, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        done.trained = (tmp_path / "done").exists()
        swarms[0].join()  # the SL has seen the end
        return done

    return start


# Standard streams ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&- >&-", ">&-", "2>&-"])
def test_without_a_console_what_libraries_print_stays_out_of_the_pipes(run, closed):
    noise = """
swarm = DictCallback()
for descriptor in (0, 1, 2):
    try:
        os.write(descriptor, b"noise of a library in C" * 9)
    except OSError:
        pass
train(swarm, 5)
open(done, "w").write("trained")
"""
    assert run(noise, "{python} {program} " + closed).trained


def test_a_reader_of_the_output_that_is_gone(run):
    assert run(TRAIN, "{python} {program} | true").trained


def test_a_closed_stdout_is_not_complained_of_line_by_line(run):
    done = run("sys.stdout.close()\n" + TRAIN)
    assert done.trained and "Logging error" not in done.stderr


def test_a_terminal_without_umlauts(run):
    body = """
swarm = DictCallback({"größe": np.zeros(2)})
swarm._warn("größe")
train(swarm, 3)
open(done, "w").write("trained")
"""
    plain = dict(LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    done = run(body, **plain)
    assert done.trained, done.stderr


# Folders and paths ---------------------------------------------------------------------------------------------------


def test_a_working_directory_that_is_gone(run):
    assert run("os.mkdir('here'); os.chdir('here'); os.rmdir('../here')\n" + TRAIN).trained


def test_without_a_home_and_with_files_that_nobody_may_read(run):
    done = run(TRAIN, "unset HOME USER LOGNAME; umask 777; {python} {program}; chmod 644 *_sw.log done")
    assert done.trained, done.stderr


def test_relative_paths_of_the_pipes(run):
    body = """
swarm = DictCallback()
os.mkdir("elsewhere")
os.chdir("elsewhere")
train(swarm, 5)
open(done, "w").write("trained")
"""
    assert run(body, SL_REQUEST_CHANNEL="channel/request.0", SL_RESPONSE_CHANNEL="channel/response.0").trained


def test_one_pipe_for_both_ways_is_refused(tmp_path, monkeypatch):
    from dict_program import DictCallback
    from swarmlearning import SwarmError

    os.mkfifo(tmp_path / "pipe")
    os.symlink(tmp_path / "pipe", tmp_path / "other")
    monkeypatch.setenv("SL_REQUEST_CHANNEL", str(tmp_path / "pipe"))
    monkeypatch.setenv("SL_RESPONSE_CHANNEL", str(tmp_path / "other"))
    with pytest.raises(SwarmError, match="pipe: is named as both the request and the response FIFO"):
        DictCallback()


def test_a_package_behind_a_link_writes_its_log(run, tmp_path):
    os.symlink(PACKAGE, tmp_path / "link")
    assert run(TRAIN, package=tmp_path / "link").trained
    assert "Final Swarm model was loaded" in (tmp_path / "program_sw.log").read_text()


# Processes and threads -----------------------------------------------------------------------------------------------


def test_children_that_outlive_the_program_do_not_hold_the_session(run):
    body = """
import subprocess
DictCallback().on_train_begin()
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
child = subprocess.Popen(["sleep", "300"], close_fds=False, **quiet)
print(child.pid, flush=True)
sys.exit(3)
"""
    done = run(body)
    os.kill(int(done.stdout.split()[-1]), 9)
    assert done.returncode == 3


def test_the_training_in_a_thread(run):
    body = """
import threading
thread = threading.Thread(target=lambda: train(DictCallback(), 5))
thread.start()
thread.join()
open(done, "w").write("trained")
"""
    assert run(body).trained


def test_the_training_in_a_daemon(run):
    """Forked twice before the callback is made."""
    body = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        train(DictCallback(), 5)
        open(done, "w").write("trained")
    else:
        os.wait()
    os._exit(0)
os.wait()
"""
    assert run(body).trained


def test_a_pool_of_spawned_processes_gets_copies(run):
    body = """
import multiprocessing

def digest(swarm):
    return swarm.modelDigest()

if __name__ == "__main__":
    swarm = DictCallback()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(digest, (swarm,)) == swarm.modelDigest()
    train(swarm, 5)
    open(done, "w").write("trained")
"""
    assert run(body).trained


# Ends and signals ----------------------------------------------------------------------------------------------------


def test_the_end_of_training_at_the_end_of_the_program(run):
    body = """
import atexit
swarm = DictCallback()
atexit.register(lambda: (swarm.on_train_end(), open(done, "w").write("trained")))
swarm.on_train_begin()
swarm.on_batch_end()
sys.exit("enough")
"""
    done = run(body)
    assert done.trained and done.returncode == 1


def test_a_program_that_is_told_to_end(run):
    """By its scheduler; the SL sees it at once."""
    body = """
import signal
DictCallback().on_train_begin()
os.kill(os.getpid(), signal.SIGTERM)
"""
    assert run(body, "{python} {program}; exit $?").returncode == 128 + 15


def test_a_timer_that_interrupts_every_call(run):
    body = """
import signal
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
train(DictCallback({"w": np.zeros(1_000_000)}), 5)
signal.setitimer(signal.ITIMER_REAL, 0)
open(done, "w").write("trained")
"""
    assert run(body).trained


def opens_and_ends(sl, kind, message):
    if kind != OPEN:
        return None
    sl.send(OPENED, MESSAGES["SessionResponse"](sessionID="short"))
    return False


def test_a_program_that_ends_by_broken_pipes_hears_that_its_sl_is_gone(run):
    """`signal.signal(SIGPIPE, SIG_DFL)` is the recipe for programs whose output goes to a pipe."""
    body = """
import signal, select
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
swarm = DictCallback({"w": np.zeros(1_000_000)})
poll = select.poll()
poll.register(swarm._channel._request_fd, 0)
assert poll.poll(30_000)  # the SL has closed its end
swarm.on_train_begin()
"""
    done = run(body, script=opens_and_ends)
    assert done.returncode == 1 and "the SL closed the pipe" in done.stderr


@pytest.mark.skipif(shutil.which("nohup") is None, reason="no nohup")
def test_started_to_outlive_its_terminal(run):
    assert run(TRAIN, "nohup {python} {program} > out 2>&1 < /dev/null & wait").trained
