"""Models through shared memory, against an SL in a thread that reads and writes it by the book."""

import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from dict_program import DictCallback, train
from fake_memory import every_kind, file_of, weights_of
from repository import ROOT
from swarmlearning import SwarmError
from swarmlearning._session import memory
from swarmlearning._session.arrays import pack, unpack
from swarmlearning._session.memory import SharedMemory, read_safetensors
from swarmlearning._session.messages import MemoryPlace
from wire_end import Array, encode_weights
from wire_schema import CLOSE, MESSAGES, OPEN, SYNC

pytestmark = pytest.mark.skipif(not memory.can_share(), reason="this system has no memory that can be shared")


class EveryKind(DictCallback):
    """A model of every type of parameter."""

    def _get_parameters(self):
        return {
            name: pack(np.frombuffer(value.data, "<u2").reshape(value.shape), "bfloat16")
            if isinstance(value, Array)
            else pack(value)
            for name, value in self.values.items()
        }

    def _load_parameters(self, params):
        for name, value in self.values.items():
            if isinstance(value, Array):
                value.data = bytes(params[name].data)
            else:
                self.values[name] = unpack(params[name]).astype(value.dtype)

    def _evaluate(self):
        return 0.0, 0.0


def test_models_go_both_ways_and_the_memory_is_used_again(swarm):
    sl = swarm(memory=True, ghost=True).sls[0]
    callback = DictCallback({"w": np.arange(6, dtype=np.float32), "n": np.array(4)}, syncFrequency=1)
    train(callback, batches=4)
    assert [len(m.inputParams.weights) for m in sl.of_type(SYNC) + sl.of_type(CLOSE)] == [0] * 5
    assert sl.memory.datagrams == 1
    # The last merge stays where it is while the next model is written.
    assert sl.memory.places == [(1, slot) for slot in (0, 0, 1, 1, 0, 0, 1, 1, 0, 0)]
    np.testing.assert_array_equal(callback.values["w"], np.arange(6, dtype=np.float32) + 5 / 8)
    assert callback.modelDigest() == sl.swarm.digest
    assert callback.bytesSent > 5 * 24 and callback.bytesReceived > 5 * 24


@pytest.mark.parametrize("shared", [True, False], ids=["memory", "FIFO"])
def test_every_type_goes_either_way_and_makes_the_same_model(swarm, shared):
    sl = swarm(memory=shared, ghost=True).sls[0]
    callback = EveryKind(every_kind(), syncFrequency=1)
    train(callback, batches=2)
    assert len(sl.memory.places) == 6 if shared else sl.memory is None
    assert callback.modelDigest() == sl.swarm.digest
    assert int(callback.values["count"]) == 4


def test_a_session_that_is_killed_or_ends_with_active_weights(swarm):
    sl = swarm(memory=True, ghost=True).sls[0]
    callback = DictCallback(checkinModelOnTrainEnd="active", syncFrequency=1)
    train(callback, batches=3)
    assert len(sl.memory.places) == 8
    assert callback.modelDigest() == sl.swarm.digest


def test_an_sl_without_gets_the_bytes_that_it_knows(swarm):
    sl = swarm().sls[0]
    train(DictCallback(), batches=4)
    assert all(message.inputParams.weights and not message.HasField("inputMemory") for message in sl.of_type(SYNC))


@pytest.mark.parametrize("value", ["False", "0", "off", "no"])
def test_it_can_be_switched_off(swarm, monkeypatch, value):
    monkeypatch.setenv(memory.MEMORY_VARIABLE, value)
    sl = swarm(memory=True).sls[0]
    train(DictCallback(), batches=1)
    (request,) = sl.of_type(OPEN)
    assert not request.sharesMemory and sl.memory.places == []


def test_a_system_without_memfd_does_not_ask(swarm, monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    sl = swarm(memory=True).sls[0]
    train(DictCallback(), batches=1)
    assert not sl.of_type(OPEN)[0].sharesMemory


def test_what_cannot_be_sent_goes_through_the_fifo(swarm, monkeypatch):
    """The socket is gone, or belongs to others; it is not tried again."""
    sl = swarm(memory=True).sls[0]
    callback = DictCallback(syncFrequency=1)
    os.unlink(sl.memory.path)
    train(callback, batches=3)
    assert sl.memory.places == [] and len(sl.of_type(SYNC)) == 3
    assert all(message.inputParams.weights for message in sl.of_type(SYNC))
    assert "Error" in callback._session._memory.failure


def test_a_full_socket_does_not_stop_a_program(swarm):
    sl = swarm(memory=True).sls[0]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.setblocking(False)
        other.connect(sl.memory.path)
        with pytest.raises(BlockingIOError):
            while True:
                other.send(b"x")
        train(DictCallback(), batches=1)
    assert sl.memory.places == []


def test_a_model_that_grows_gets_other_memory(swarm):
    sl = swarm(memory=True).sls[0]
    callback = DictCallback({"w": np.zeros(10, np.float32)}, syncFrequency=1)
    callback.on_train_begin()
    before = len(os.listdir("/proc/self/fd"))
    for size in (5, 5_000, 20, 50_000):
        callback.values = {"w": np.ones(size, np.float32)}
        callback._countdown = 0
        callback.on_batch_end()
    assert [region for region, _ in sl.memory.places[::2]] == [1, 1, 2, 2, 3]
    assert len(os.listdir("/proc/self/fd")) <= before + 2  # the SL of this test is in the same process
    callback.on_train_end()


def test_two_merges_in_one_request_do_not_lie_upon_each_other(swarm):
    """As while others go on after this node's training has ended."""
    seen = []

    def script(sl, msg_type, message):
        if msg_type != CLOSE:
            return None
        weights = sl._weights(message)
        for shift in (1.0, 2.0, 3.0):
            merged = MESSAGES["Weights"]()
            encode_weights({"w": np.full(4, shift, np.float32)}, merged)
            sl.ask_loss(message, merged)
        assert weights.weights
        sl.send(5, sl._response(message))
        return False

    class Watching(DictCallback):
        def _take_merged(self, params):
            last = None if self._last_merged is None else self._last_merged["w"]
            seen.append((last is None or float(unpack(last)[0]), float(unpack(params["w"])[0])))
            return super()._take_merged(params)

    swarm(memory=True, script=script)
    train(Watching({"w": np.zeros(4, np.float32)}), batches=0)
    assert seen == [(True, 0.0), (0.0, 1.0), (1.0, 2.0), (2.0, 3.0)]


@pytest.mark.parametrize("place", [(2, 0, 64), (1, 2, 64), (1, -1, 64), (1, 0, 1 << 40), (0, 0, 64)])
def test_a_place_that_is_none_is_an_error(swarm, place):
    def script(sl, msg_type, message):
        if msg_type == SYNC:
            sl._weights(message)
            fields = dict(zip(("region", "slot", "size"), place))
            lie = MESSAGES["LossRequest"](sessionID=message.sessionID, syncSeqNum=1, lossSeqNum=1)
            lie.mergedMemory.CopyFrom(MESSAGES["MemoryPlace"](**fields))
            sl.send(8, lie)
            assert sl.receive()[1].status.code == 2
            return False
        return None

    swarm(memory=True, script=script)
    callback = DictCallback()
    with pytest.raises(SwarmError, match="was not sent|lacks|'w'"):
        callback.on_train_begin()


def test_memory_that_an_sl_names_unasked_is_an_error(swarm):
    def script(sl, msg_type, message):
        if msg_type == SYNC:
            sl.send(8, MESSAGES["LossRequest"](sessionID=message.sessionID, syncSeqNum=1,
                                               mergedMemory=MESSAGES["MemoryPlace"](region=1, size=9)))
            sl.receive()
            return False
        return None

    swarm(script=script)
    with pytest.raises(SwarmError, match="shared memory, which this session does not have"):
        DictCallback().on_train_begin()


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/x", "..", "a/b"])
def test_a_socket_elsewhere_is_an_error(name):
    with pytest.raises(SwarmError, match="no file name"):
        SharedMemory("/tmp/channel/request", name, "s-1")


def good_file():
    weights = MESSAGES["Weights"]()
    encode_weights({"w": np.arange(4, dtype=np.float32), "n": np.array(1.0)}, weights)
    return file_of(weights)


def test_files_are_read_as_they_are():
    params = read_safetensors(memoryview(good_file()))
    np.testing.assert_array_equal(unpack(params["w"]), np.arange(4, dtype=np.float32))
    assert params["n"].shape == () and set(weights_of(good_file()).weights) == set(params)


@pytest.mark.parametrize("old, new", [
    (b"[0,8]", b"[0,9]"), (b"[0,8]", b"[8,0]"), (b"[8,24]", b"[9,25]"), (b"[8,24]", b"[8,99]"), (b'"F32"', b'"F64"'),
    (b"[4]", b"[5]"), (b"[4]", b"[-4]"), (b"[4]", b"4"), (b'{"n"', b'["n"'), (b'"shape"', b'"shade"'),
    (b"[4]", b'["4"]'), (b'"F32"', b'"X32"'), (b"[8,24]", b"[true,24]"), (b"[0,8]", b"[0.0,8]"),
])  # fmt: skip
def test_headers_that_lie_are_refused(old, new):
    file = good_file()
    length = int.from_bytes(file[:8], "little")
    text = file[8 : 8 + length]
    assert old in text
    text = text.replace(old, new)
    text += b" " * (-len(text) % 8)
    with pytest.raises(SwarmError, match="cannot be read"):
        read_safetensors(memoryview(len(text).to_bytes(8, "little") + text + file[8 + length :]))


@pytest.mark.parametrize("cut", [0, 7, 8, 60])
def test_files_that_are_cut_off_are_refused(cut):
    with pytest.raises(SwarmError, match="cannot be read"):
        read_safetensors(memoryview(good_file()[:cut]))


def test_no_sl_can_make_the_memory_smaller(tmp_path, monkeypatch):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sl:
        folder = tmp_path / ("long" * 40)
        folder.mkdir()
        with monkeypatch.context() as there:
            there.chdir(folder)  # for the socket's name only
            sl.bind("s")
        shared = SharedMemory(str(folder / "request"), "s", "s-1")
        place = shared.put({"w": pack(np.ones(100_000, np.float32))})
        assert place == MemoryPlace(1, 0, place.size) and place.size > 400_000
        message, (fd,), _, _ = socket.recv_fds(sl, 100, 1)
        assert message == b"s-1 1"
        for size in (0, 1 << 30):
            with pytest.raises(PermissionError):
                os.ftruncate(fd, size)
        os.close(fd)
        assert unpack(shared.take(place)["w"]).sum() == 100_000


def test_large_models_are_copied_by_several_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "COPIED_AT_ONCE", 1000)
    target = bytearray(10_000)
    pieces = [bytes([n]) * size for n, size in enumerate((3, 0, 2500, 1, 4000, 999, 2000))]
    memory._copy(memoryview(target), pieces)
    expected = b"".join(pieces)
    assert target[: len(expected)] == expected and not any(target[len(expected) :])


NO_CONSOLE = """
import os, sys
sys.path[:0] = [{python!r}, {tests!r}]
from swarmlearning._session import memory
for fd in (0, 1, 2):
    os.close(fd)
with memory._low_descriptors_taken():
    fd = memory._make_memfd()
    assert fd > 2
assert not os.path.exists("/proc/self/fd/1")
"""


def test_a_program_without_a_console_does_not_print_into_a_model():
    text = NO_CONSOLE.format(python=os.path.join(ROOT, "python"), tests=os.path.join(ROOT, "tests", "python"))
    assert subprocess.run([sys.executable, "-c", text]).returncode == 0
