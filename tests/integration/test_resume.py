"""Swarms that are cut off, everywhere or in one place, and go on from the last merge; models that are kept for that."""

import json
import signal
import subprocess

import numpy as np
import pytest
from harness import DEFAULT_CONTRACT, Meeting, Program, inspect_program, read_safetensors, trains, until
from test_faults import Gate, model
from wire_client import SLError

OTHER = {"w": np.zeros(7, np.float32), "b": np.zeros(1, np.float32)}


def resumes(values, between=None, first=None, **session):
    """As `trains`, of a program that is new: its first sync brings the last merge, and no more."""

    def work(client):
        client.open(minPeers=2, resume=True, takesNotices=False, **session)
        client.began = client.sync(first or model(-1)).mergedRound
        for number, value in enumerate(values, 1):
            if between:
                between(number, client)
            client.sync(value)
        if between:
            between(len(values) + 1, client)
        client.close(values[-1] if values else model(-1))
        return client

    return work


def start_again(swarm, sns, sls):
    for sn in sns:
        sn.start().wait_up()
    for sl in sls:
        sl.start()


def check_end(swarm, programs, rounds=None):
    """All ended with one model, which is the last one on the chain; no round was lost or made twice. Without `rounds`
    their number depends on who comes first."""
    clients = [program.result() for program in programs]
    merges = swarm.sn.merges()
    assert [merge.round_num for merge in merges] == list(range(1, (rounds or len(merges)) + 1)) and swarm.sn.completed()
    for sl, client in zip(swarm.sls, clients):
        assert sl.wait_exit() == 0
        assert np.array_equal(client.merged[-1]["w"], sl.model(merges[-1].digest)["w"])
    return clients, merges


@pytest.mark.parametrize("moment", ["between rounds", "within a round"])
def test_a_swarm_that_is_killed_everywhere_goes_on_from_the_last_merge(swarm, moment):
    sns = [swarm.start_sn(), swarm.join_sn("sn-2")]
    sls = [swarm.add_sl(sn_port=sn.port) for sn in sns]
    gates = [Gate(1, 3), Gate(1, 3)]
    programs = [
        Program(sl, trains([model(i)] * 9, None, gate, minPeers=2)) for i, (sl, gate) in enumerate(zip(sls, gates))
    ]
    for gate in gates:
        gate.wait_for(1)
    if moment == "within a round":
        gates[0].opened.set()
        until(lambda: len(swarm.sn.events("check_ins")) == 5, "one to be in", alive=sls)
    before = swarm.sn.merges()
    for process in [*sls, *sns]:
        process.kill9()
    for gate, program in zip(gates, programs):
        gate.opened.set()
        program.failure()
    start_again(swarm, sns, sls)
    again = [Program(sl, resumes([model(4 + i)] * 2)) for i, sl in enumerate(sls)]
    clients, merges = check_end(swarm, again, 5)
    assert [merge.digest for merge in merges[:2]] == [merge.digest for merge in before]
    for client in clients:
        assert client.opened.resumes and client.opened.resumeRound == client.began == 2
        assert np.array_equal(client.merged[0]["w"], np.full(1000, 0.5, np.float32))  # what they had agreed on
        assert np.array_equal(client.merged[1]["w"], np.full(1000, 4.5, np.float32))  # nothing of the fresh model
    assert all(len(merge.contributors) == 2 for merge in merges)


@pytest.mark.parametrize("dies", ["the program", "the node"])
def test_a_new_process_of_one_peer_resumes_while_the_others_go_on(swarm, dies):
    swarm.start(sls=3)
    gates = [Gate(1, 3) for _ in range(3)]
    programs = [Program(sl, trains([model(i)] * 4, model(i), gate, minPeers=2)) for i, (sl, gate) in
                enumerate(zip(swarm.sls, gates))]  # fmt: skip
    for gate in gates:
        gate.wait_for(1)
    victim = swarm.sls[2]
    if dies == "the node":
        victim.kill9()
    programs[2].client.disconnect()
    if dies == "the node":
        victim.start()
    until(lambda: swarm.sn.departures(), "the victim to have left", alive=swarm.sls[:2])
    hold = Gate(1, 1)
    again = Program(victim, resumes([model(2)], hold))
    hold.wait_for(1)  # it has begun, before the others go on
    assert again.client.began == 2 and np.array_equal(again.client.merged[0]["w"], np.ones(1000, np.float32))
    for gate in [*gates[:2], hold]:
        gate.opened.set()
    gates[2].opened.set()
    programs[2].failure()
    clients, merges = check_end(swarm, [*programs[:2], again], 5)
    assert all(np.array_equal(client.merged[-1]["w"], clients[0].merged[-1]["w"]) for client in clients)
    assert victim.node_account in merges[-1].contributors


def test_without_a_merge_a_program_that_resumes_begins_as_always(swarm):
    swarm.start(sls=2)
    programs = [Program(sl, resumes([model(i)], first=model(i))) for i, sl in enumerate(swarm.sls)]
    clients, _ = check_end(swarm, programs)
    assert all(client.opened.resumes and client.opened.resumeRound == 0 for client in clients)
    assert all(np.array_equal(client.merged[0]["w"], np.full(1000, 0.5, np.float32)) for client in clients)


def trained(swarm, rounds=2, sls=2, noted=False, **options):
    """A swarm that has merged `rounds` rounds, and was killed; its SN is up again. `noted`: all SLs have written down
    what they keep of the last merge, which they do beside all else."""
    swarm.start(sls=sls, **options)
    gates = [Gate(1, rounds + 1) for _ in range(sls)]
    programs = [
        Program(sl, trains([model(10 * i + n) for n in range(rounds + 1)], None, gate, minPeers=sls))
        for i, (sl, gate) in enumerate(zip(swarm.sls, gates))
    ]
    for gate in gates:
        gate.wait_for(1)
    last = swarm.sn.merges()[-1].digest
    records = [sl.store.parent / "kept-merges" for sl in swarm.sls if noted]
    until(
        lambda: all(last in record.read_text() for record in records), "the last merge to be noted", alive=swarm.sls
    )
    for process in [*swarm.sls, swarm.sn]:
        process.kill9()
    for gate, program in zip(gates, programs):
        gate.opened.set()
        program.failure()
    swarm.sn.start().wait_up()
    return swarm.sn.merges()


def test_a_program_with_other_parameters_cannot_resume_and_hears_which(swarm):
    trained(swarm)
    sl = swarm.sls[0].start()  # nobody else is there to be asked
    error = Program(sl, resumes([], first=OTHER)).failure()
    assert isinstance(error, SLError)
    assert "cannot go on from the merge of round 2" in str(error) and "'b'" in str(error) and "shape" in str(error)
    swarm.sls[1].start()
    check_end(swarm, [Program(each, resumes([model(i)])) for i, each in enumerate(swarm.sls)])


def test_a_merge_that_nobody_gives_is_waited_for(swarm):
    merges = trained(swarm)
    one, two = swarm.sls
    (one.store / f"{merges[-1].digest}.safetensors").unlink()
    waits = Program(one.start(), resumes([model(0)]))
    until(lambda: "which nobody gives now" in str((one.round() or {}).get("waiting_for")), "it to wait", alive=[one])
    assert len(swarm.sn.events("check_ins")) == 4  # nothing of its own has come into the training
    two.start()
    clients, _ = check_end(swarm, [waits, Program(two, resumes([model(1)]))])
    assert [client.began for client in clients] == [2, 2]


def test_a_training_that_is_over_gives_its_final_model_to_a_program_that_resumes(swarm):
    swarm.start(sls=2)
    meet = Meeting(2)
    for program in [Program(sl, trains([model(i)], model(i), meet, minPeers=2)) for i, sl in enumerate(swarm.sls)]:
        program.result()
    assert [sl.wait_exit() for sl in swarm.sls] == [0, 0]
    final = swarm.sn.merges()[-1]

    def work(client):
        client.open(minPeers=2, resume=True)
        reply = client.sync(model(9))
        client.kill("it has the final model")
        return reply, client

    sl = swarm.sls[0].start()
    reply, client = Program(sl, work).result()
    assert reply.trainingOver and reply.mergedRound == final.round_num == client.opened.resumeRound
    assert np.array_equal(client.merged[0]["w"], sl.model(final.digest)["w"])
    assert sl.wait_exit() == 0 and len(swarm.sn.merges()) == 2


def test_a_full_store_lets_kept_merges_go_and_says_so_once(swarm):
    swarm.start(sls=2, flags=["--store-quota", "22K"])  # five models of 4 kB: a leader needs them without kept ones
    gates = [Gate(1, 6) for _ in range(2)]
    programs = [Program(sl, trains([model(100 * i + n) for n in range(7)], None, gate, minPeers=2)) for i, (sl, gate) in
                enumerate(zip(swarm.sls, gates))]  # fmt: skip
    for gate in gates:
        gate.wait_for(1)
    said = "no room for the last 3 merges of each training"
    until(lambda: any(said in sl.log() for sl in swarm.sls), "a leader to say so", alive=swarm.sls)
    for gate in gates:
        gate.opened.set()
    check_end(swarm, programs, 8)
    assert all(sl.log().count(said) <= 1 for sl in swarm.sls)


def run_inspect(sl, *arguments):
    """Of a shell: with the limit of a file's size at 1 kB."""
    command = f'ulimit -f 1; {arguments[0]} exec "$0" "$@"'
    return subprocess.run(
        ["bash", "-c", command, inspect_program(), "--data-dir", sl.data_dir, *arguments[1:]],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_kept_merge_is_written_as_a_file(swarm, inspect, tmp_path):
    merges = trained(swarm, rounds=5, noted=True)
    sl, out = swarm.sls[0], tmp_path / "m.safetensors"

    def write(number, *flags, **status):
        return inspect(sl, "model", DEFAULT_CONTRACT, str(number), "--out", out, *flags, **status)

    def check(merge):
        assert out.stat().st_mode & 0o777 == 0o600 and [path.name for path in tmp_path.iterdir()] == [out.name]
        assert out.read_bytes() == sl.model_file(merge.digest)
        assert read_safetensors(out.read_bytes())["w"][0] == merge.round_num + 4

    # Of a node that is stopped
    text = write(5)
    check(merges[4])
    assert "as this node noted it; the chain was not asked" in text and merges[4].digest in text
    text = write(1, status=1)  # of round 2 it depends on whether this node led the last one
    assert "the merge of round 1" in text and "3 (generation 1), 4 (generation 1), 5 (generation 1)" in text
    assert DEFAULT_CONTRACT in inspect(sl, "model", "another", "2", "--out", out, status=1)
    assert "exists: give another --out, or --force" in write(4, status=1)
    check(merges[4])
    write(4, "--force")
    check(merges[3])

    # Of one that runs
    program = Program(sl.start(), resumes([]))
    until(lambda: program.client is not None and program.client.opened, "the program to be let in", alive=[sl])
    answer = json.loads(write(3, "--force", "--json"))
    assert answer["compared"] and answer["digest"] == "0x" + merges[2].digest and answer["generation"] == 1
    check(merges[2])

    # What is not whole, or not the chain's, is not written
    out.unlink()
    killed = run_inspect(sl, "", "model", DEFAULT_CONTRACT, "3", "--out", out)
    assert killed.returncode == -signal.SIGXFSZ and not out.exists()
    for left in tmp_path.iterdir():
        left.unlink()
    failed = run_inspect(sl, "trap '' XFSZ;", "model", DEFAULT_CONTRACT, "3", "--out", out)
    assert failed.returncode == 1 and "too large" in failed.stderr.lower() and not list(tmp_path.iterdir())
    record = sl.store.parent / "kept-merges"
    record.write_text(record.read_text().replace(merges[2].digest, merges[3].digest))
    text = write(3, status=1)
    assert f"that on the chain 0x{merges[2].digest}" in text
    file = sl.store / f"{merges[3].digest}.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\x01")
    assert "it is damaged" in write(4, status=1)
    assert not list(tmp_path.iterdir())
    check_end(swarm, [program, Program(swarm.sls[1].start(), resumes([]))])
