"""Cells of a real notebook kernel, beside an SL in a thread of this process."""

import os
import queue
import sys
import time

import pytest
from repository import ROOT

pytest.importorskip("ipykernel")
manager_module = pytest.importorskip("jupyter_client.manager")

SETUP = "from dict_program import DictCallback, train"
CELL = """
swarm = DictCallback(minPeers=1)
swarm.on_train_begin()
for step in range(4):
    {body}
    swarm.on_batch_end()
swarm.on_train_end()
print("ended")
"""


@pytest.fixture
def kernel():
    tests = os.path.dirname(os.path.abspath(__file__))
    paths = os.pathsep.join([tests, os.path.join(ROOT, "python")])
    manager = manager_module.KernelManager(kernel_name="python3")
    manager.kernel_cmd = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    started = []

    def start():
        manager.start_kernel(env={**os.environ, "PYTHONPATH": paths})
        client = manager.client()
        client.start_channels()
        client.wait_for_ready(timeout=60)
        started.append(client)
        return client

    yield start, manager
    for client in started:
        client.stop_channels()
    if started:
        manager.shutdown_kernel(now=True)


def run(client, text, patience=60, meanwhile=lambda shown: None):
    """Everything that a cell prints, shows and raises, once it has ended."""
    sent = client.execute(text)
    shown, deadline = "", time.monotonic() + patience
    while time.monotonic() < deadline:
        meanwhile(shown)
        try:
            message = client.get_iopub_msg(timeout=0.2)
        except queue.Empty:
            continue
        if message["parent_header"].get("msg_id") != sent:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "stream":
            shown += content["text"]
        elif kind in ("display_data", "update_display_data"):
            shown += content["data"]["text/plain"] + "\n"
        elif kind == "error":
            shown += f"{content['ename']}: {content['evalue']}"
        elif kind == "status" and content["execution_state"] == "idle":
            return shown
    raise AssertionError(f"the cell does not end: {shown[-500:]}")


def test_a_cell_that_failed_is_corrected_and_run_again(swarm, kernel):
    swarm(sessions=2)
    client = kernel[0]()
    run(client, SETUP)
    assert "ZeroDivisionError" in run(client, CELL.format(body="1 / 0"))
    shown = run(client, CELL.format(body="pass"))
    assert "ended" in shown and "ending the session of this program's SwarmCallback before this one" in shown
    assert "batches" in shown  # the live view


def test_an_interrupted_cell_is_run_again(swarm, kernel):
    swarm(sessions=2)
    start, manager = kernel
    client = start()
    run(client, SETUP)
    interrupted = []

    def interrupt(shown):
        if "sleeping" in shown and not interrupted:
            interrupted.append(True)
            manager.interrupt_kernel()

    body = "print('sleeping', flush=True); __import__('time').sleep(60)"
    assert "KeyboardInterrupt" in run(client, CELL.format(body=body), meanwhile=interrupt)
    assert "ended" in run(client, CELL.format(body="pass"))
