"""A member that wants other peers' models, or their disks."""

import stat
import threading

import numpy as np
import pytest
from harness import PATIENCE, Program, trains, until
from outsider import SL, SWCI, Head, Outsider, check_ins, reveals
from wire_client import SLError

OK, REFUSED, UNKNOWN, LATER = 200, 403, 404, 503
MODELS = [{"w": np.arange(500, dtype=np.float64) + value} for value in (0, 2)]
MEAN = MODELS[0]["w"] + 1


class Held:
    """Programs that stop before each sync until the test lets all of them go on."""

    def __init__(self, swarm, syncs, flags=()):
        swarm.start(sls=2, flags=["--wait-for-full-quorum", "600", *flags])
        self.steps = [threading.Event() for _ in range(syncs)]
        self.opened = threading.Semaphore(0)
        self.programs = [Program(sl, self.trains(model)) for sl, model in zip(swarm.sls, MODELS, strict=True)]
        for _ in self.programs:
            assert self.opened.acquire(timeout=PATIENCE)

    def trains(self, model):
        def work(client):
            client.open(minPeers=2)
            self.opened.release()
            for step in self.steps:
                assert step.wait(PATIENCE)
                client.sync(model)
            client.close(model)
            return client.merged

        return work

    def end(self):
        for step in self.steps:
            step.set()
        return [program.result() for program in self.programs]


def refused_by(sl):
    return {each["certificate"]: each for each in sl.admin("actor", name="/sl/files")["detail"]["refused"]}


def requests_of(sl):
    return sl.admin("actor", name="/sl/files")["detail"]["requests"]


def wait_in(swarm, count):
    until(lambda: len(check_ins(swarm.sn)) == count, f"{count} models to be in", alive=swarm.sls)
    return check_ins(swarm.sn)


def test_a_peers_model_is_for_the_leader_of_its_round_alone(swarm):
    held = Held(swarm, 2, flags=["--make-me-admin=false"])  # so that the attacker is the leader
    attacker, reader = Outsider(swarm.sn, "sl-2", SL), Outsider(swarm.sn, "probe", SL)
    operator = Outsider(swarm.sn, "swci-1", SWCI)
    attacker.join(min_peers=2, can_lead=True)
    held.steps[0].set()
    brought = wait_in(swarm, 2)
    ways = ("", "/manifest")
    for sl in swarm.sls:
        digest, _ = brought[sl.node_account]
        (other,) = (each.node_account for each in swarm.sls if each is not sl)
        for part in ways:
            assert attacker.ask(sl, digest, part) == UNKNOWN  # nobody knows which model that is
            assert reader.ask(sl, digest, part) == UNKNOWN
            assert operator.ask(sl, digest, part) == UNKNOWN
            assert reader.ask(sl, digest, part, account=other) == REFUSED  # of another certificate
            assert sl.ask_files(digest, part)[0] == REFUSED  # nobody
        assert attacker.ask(sl, digest, "/layout") == OK
        assert reader.ask(sl, digest, "/layout") == REFUSED
        named = refused_by(sl)["0x" + reader.fingerprint.hex()]
        assert named["count"] >= 4 and "probe" in named["subject"] and "Swarm-CA" in named["organisation"]
        assert attacker.account in sl.log() and attacker.fingerprint.hex() in sl.log()
        sl.wait_log(r"refused a model to .*probe of .*Swarm-CA")

    _, size = brought[swarm.sls[0].node_account]
    attacker.check_in(b"\x01" * 32, size, Head(swarm.sn).layout)
    until(lambda: len(reveals(swarm.sn)) == 2, "both to reveal their models", alive=swarm.sls)
    brought = {account: (digest, size) for account, digest in reveals(swarm.sn).items()}
    for sl in swarm.sls:
        for part in ways:
            assert attacker.ask(sl, brought[sl.node_account][0], part) == REFUSED  # nobody merges yet
    attacker.reveal(b"\x01" * 32)
    head = Head(swarm.sn)
    assert head.is_merging and head.leader == attacker.account
    for sl in swarm.sls:
        digest, _ = brought[sl.node_account]
        (other,) = (each for each in swarm.sls if each is not sl)
        assert attacker.ask(sl, digest) == OK
        assert reader.ask(sl, digest, account=attacker.account) == REFUSED
        assert operator.ask(sl, digest) == REFUSED
        assert attacker.ask(other, digest) == UNKNOWN  # who did not bring it does not pass it on
    attacker.leave()
    assert not Head(swarm.sn).is_merging or Head(swarm.sn).leader != attacker.account
    for sl in swarm.sls:
        assert attacker.ask(sl, brought[sl.node_account][0]) in (REFUSED, UNKNOWN)
    until(swarm.sn.merges, "the round to be merged without the attacker", alive=swarm.sls)

    merge = swarm.sn.merges()[0]
    until(lambda: all((sl.store / f"{merge.digest}.safetensors").exists() for sl in swarm.sls),
          "both to have the merge", alive=swarm.sls)  # fmt: skip
    for sl in swarm.sls:
        assert operator.ask(sl, merge.digest) == OK
        assert attacker.ask(sl, merge.digest) == REFUSED  # it has left
        assert reader.ask(sl, merge.digest) == REFUSED
        assert reader.ask(sl, merge.digest, account=operator.account) == REFUSED
        assert sl.ask_files(merge.digest)[0] == REFUSED
        for each in brought.values():  # the round is over
            assert attacker.ask(sl, each[0]) in (REFUSED, UNKNOWN)
    for merged in held.end():
        assert all(np.array_equal(each["w"], MEAN) for each in merged)


def test_without_the_chain_or_a_block_of_it_nobody_is_answered(swarm):
    held = Held(swarm, 1)
    attacker = Outsider(swarm.sn, "sl-2", SL)
    attacker.join(min_peers=2, can_lead=False)
    held.steps[0].set()
    brought = wait_in(swarm, 2)
    sl = swarm.sls[0]
    swarm.sn.pause()
    assert attacker.ask(sl, brought[sl.node_account][0], block_num=0, patience=0) == LATER
    swarm.sn.go_on()
    assert attacker.ask(sl, brought[sl.node_account][0], block_num=10**9, patience=0) == LATER
    assert attacker.ask(sl, brought[sl.node_account][0]) == UNKNOWN
    attacker.leave()
    held.end()


def test_a_contributor_that_cannot_see_the_chain_is_waited_for(swarm):
    swarm.start_sn()
    other = swarm.join_sn("sn-2")
    leader, away = swarm.add_sl(), swarm.add_sl(sn_port=other.port, flags=["--make-me-admin=false"])
    third = Outsider(swarm.sn, "sl-2", SL)  # the last one to reveal, so that the test knows when
    third.join(min_peers=3, can_lead=False)
    programs = [Program(sl, trains([model], minPeers=3)) for sl, model in zip(swarm.sls, MODELS, strict=True)]
    wait_in(swarm, 2)
    third.check_in(b"\x01" * 32, 1, Head(swarm.sn).layout)
    until(lambda: len(reveals(swarm.sn)) == 2, "both to reveal their models", alive=swarm.sls)
    other.pause()
    third.reveal(b"\x01" * 32)
    until(lambda: requests_of(away) >= 2, "it to have said 'later' and to be asked again", alive=[away])
    assert not swarm.sn.merges()
    other.go_on()
    until(swarm.sn.merges, "the round to be merged", alive=swarm.sls)
    third.leave()
    for program in programs:
        assert np.array_equal(program.result().merged[0]["w"], MEAN)
    merge = swarm.sn.merges()[0]
    assert set(merge.contributors) == {leader.node_account, away.node_account} and merge.excluded == [third.account]
    assert leader.node_account not in away.log(), "who is refused is named there"


def test_a_claimed_size_takes_no_disk(swarm):
    held = Held(swarm, 1)
    attacker = Outsider(swarm.sn, "sl-2", SL)
    attacker.join(min_peers=2, can_lead=False)
    held.steps[0].set()
    wait_in(swarm, 2)
    attacker.check_in(b"\x01" * 32, 20 << 30, Head(swarm.sn).layout)
    attacker.reveal(b"\x01" * 32)
    until(swarm.sn.merges, "the honest models to be merged", alive=swarm.sls)
    attacker.leave()
    for merged in held.end():
        assert np.array_equal(merged[0]["w"], MEAN)
    merge = swarm.sn.merges()[0]
    assert merge.excluded == [attacker.account] and merge.reasons == ["other parameters"]
    leader = next(sl for sl in swarm.sls if sl.node_account == merge.leader)
    assert "claims a model of 21474836480 bytes" in leader.log() and attacker.account in leader.log()
    for sl in swarm.sls:
        files = [file for file in sl.store.iterdir() if file.is_file()]
        assert sum(512 * file.stat().st_blocks for file in files) < 1 << 20


def test_a_store_keeps_to_its_quota(swarm):
    swarm.start(sls=1, flags=["--store-quota", "2K"])
    with swarm.sls[0].connect() as client:
        client.open(minPeers=1)
        with pytest.raises(SLError, match="full.*--store-quota"):
            client.sync(MODELS[0])


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_pipes_and_data_are_for_their_owner_unless_opened(swarm):
    swarm.start_sn()
    usual, opened = swarm.add_sl(), swarm.add_sl(flags=["--channel-open"])
    for sl, mode in ((usual, 0o660), (opened, 0o777)):
        sl.wait_ready()
        assert mode_of(sl.request) == mode_of(sl.response) == mode
        assert ("channel-open: every user" in sl.log()) == (mode == 0o777)
        assert mode_of(sl.data_dir) == mode_of(sl.store.parent) == 0o700
        assert mode_of(sl.data_dir / "admin.sock") == mode_of(sl.store.parent / "node.key") == 0o600
    usual.terminate()
    usual.wait_exit()
    usual.data_dir.chmod(0o770)
    assert usual.start().wait_exit() == 1
    assert "lets others put their own keys and files in it; run: chmod 700" in usual.log()
