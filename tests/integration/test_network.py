"""Several SNs on one chain: they join, agree, die, come back, and never fork."""

import random
import subprocess

import numpy as np
from harness import BIN, DEFAULT_CONTRACT, PATIENCE, SN, Meeting, Program, says, shown, trains, until


def model(value, size=1000):
    return {"w": np.full(size, value, np.float32)}


def grow(swarm, count, **options):
    """Starts `count` SNs one after the other; returns all, once all that can be are validators."""
    sns = [swarm.start_sn(**options)]
    for number in range(2, count + 1):
        sns.append(swarm.join_sn(f"sn-{number}", **options))
        wanted = 1 if number == 2 else number
        until(lambda: len(sns[0].validators()) == wanted, f"{wanted} validators", alive=sns)  # noqa: B023
    return sns


def one_chain(sns):
    """Waits until all heads are equal and returns the head."""

    def equal():
        heads = {sn.head() for sn in sns}
        return heads.pop() if len(heads) == 1 else None

    return until(equal, "equal heads", alive=sns)


def same_history(sns):
    """No block differs between any two."""
    top = min(sn.block_num() for sn in sns)
    for number in range(top + 1):
        hashes = {sn.rpc("eth_getBlockByNumber", hex(number), False)["hash"] for sn in sns}
        assert len(hashes) == 1, f"block {number}: {hashes}"


def test_validators_grow_from_one_to_four_without_two(swarm):
    sns = grow(swarm, 4)
    assert one_chain(sns)[0] >= 7
    assert sorted(sns[3].validators()) == sorted(sn.admin("chain")["account"] for sn in sns)
    same_history(sns)


def test_an_observer_follows_and_serves_sls_but_never_votes(swarm):
    sns = grow(swarm, 3)
    observer = swarm.join_sn("sn-4", flags=["--observer"])
    sl = swarm.add_sl(sn_port=observer.port)
    program = Program(sl, trains([model(1)] * 3, minPeers=1))
    assert program.result().sync_count == 3
    one_chain([*sns, observer])
    assert len(observer.validators()) == 3
    same_history([*sns, observer])


def test_sls_of_different_sns_train_together_while_sns_die_and_come_back(swarm):
    sns = grow(swarm, 4)
    sls = [swarm.add_sl(sn_port=sn.port) for sn in sns]
    chance = random.Random(7)
    meet = Meeting(4)
    programs = [Program(sl, trains([model(i)] * 12, model(i), meet, minPeers=4)) for i, sl in enumerate(sls)]
    for _ in range(4):
        at = swarm.sn.block_num()
        until(lambda: swarm.sn.block_num() > at + 5 or not any(p.is_alive() for p in programs), "blocks")  # noqa: B023
        victim = chance.choice(sns[1:])
        victim.kill9()
        victim.start().wait_up()
    for program in programs:
        assert program.result().sync_count == 12
    one_chain(sns)
    same_history(sns)
    merges = swarm.sn.merges()
    assert [merge.round_num for merge in merges] == list(range(1, 14))
    assert all(len(merge.contributors) == 4 for merge in merges)


def test_a_validator_that_missed_its_turn_comes_last_and_is_named(swarm):
    sns = grow(swarm, 4)
    gone = sns.pop()
    account = gone.admin("chain")["account"]
    gone.kill9()
    program = Program(swarm.add_sl(sn_port=sns[0].port), trains([model(1)] * 6, minPeers=1))
    assert program.result().sync_count == 6
    for sn in sns:
        until(lambda: account in sn.admin("consensus")["resting"], "it rests", alive=sns)  # noqa: B023
        sn.wait_log(f"the validator {account} .* missed its turn to make block")
    top = one_chain(sns)[0]
    late = [n for n in range(1, top + 1) if int(sns[0].rpc("eth_getBlockByNumber", hex(n), False)["nonce"], 16) > 0]
    assert len(late) <= 2, f"rounds failed for blocks {late}"
    same_history(sns)


def test_the_network_goes_on_without_its_sentinel(swarm):
    sns = grow(swarm, 4)
    one_chain(sns)
    sns[0].kill9()
    sl = swarm.add_sl(sn_port=sns[2].port)
    assert Program(sl, trains([model(1)] * 3, minPeers=1)).result().sync_count == 3
    one_chain(sns[1:])
    sns[0].start().wait_up()
    one_chain(sns)
    same_history(sns)


def test_an_sn_that_is_started_before_its_sentinel_joins_when_that_is_up(swarm):
    swarm.sn = SN(swarm.folder, swarm.certs)
    early = swarm.join_sn("sn-2")
    early.wait_log(
        f"Unable to contact API-Server 127.0.0.1:{swarm.sn.port}: .*{shown('refused')}.*; trying again until it answers"
    )
    state = early.admin("actor", name="/sn/membership")["state"]
    assert f"asking the SN 127.0.0.1:{swarm.sn.port}" in state, state
    swarm.sn.start().wait_up()
    until(lambda: len(swarm.sn.rpc("swarm_nodes")) == 2, "it to register", alive=[early, swarm.sn])
    one_chain([swarm.sn, early])


def test_an_sn_of_another_chain_is_not_let_in(swarm):
    first = swarm.start_sn()
    stranger = swarm.join_sn("sn-2")
    until(lambda: len(first.rpc("swarm_nodes")) == 2, "the second SN to register", alive=[first, stranger])
    stranger.terminate()
    # The same data directory begun anew as a sentinel would be another chain: it is refused by its own records.
    again = type(first)(swarm.folder, swarm.certs, "sn-2")
    swarm.others.append(again)
    again.start()
    assert again.wait_exit() != 0
    assert says(again.log(), "holds a chain that another SN began")


def test_an_sl_whose_sn_is_gone_for_good_changes_over_to_another(swarm):
    sns = grow(swarm, 4)
    sls = [swarm.add_sl(sn_port=sn.port) for sn in sns]
    for sl in sls:
        sl.wait_ready()
        until(lambda: sl.admin("actor", name="/sl/sn")["detail"]["sns_known"] == 4, "all SNs to be known")  # noqa: B023
    meet = Meeting(4)
    programs = [Program(sl, trains([model(i)] * 8, model(i), meet, minPeers=4)) for i, sl in enumerate(sls)]
    until(lambda: len(swarm.sn.merges()) >= 3 or not any(p.is_alive() for p in programs), "three rounds")
    sns[2].kill9()
    for program in programs:
        assert program.result().sync_count == 8
    rest = [sns[0], sns[1], sns[3]]
    # Also one that starts while its own SN is away finds the network, from what it noted down.
    generation = sns[0].admin("reset", contract=DEFAULT_CONTRACT)["generation"]  # for another training
    until(lambda: sns[0].admin("reset", contract=DEFAULT_CONTRACT, beyond=generation)["reset"], "the reset", alive=rest)
    sls[2].terminate()
    sls[2].start()
    assert Program(sls[2], trains([model(1)] * 2, minPeers=1)).result().sync_count == 2
    one_chain(rest)
    same_history(rest)


def test_every_sn_knows_which_sls_of_others_are_alive(swarm):
    sns = grow(swarm, 3)
    near, far = (swarm.add_sl(sn_port=sn.port) for sn in sns[:2])
    for sl in (near, far):
        sl.wait_ready()

    def silences():
        nodes = sns[2].rpc("swarm_nodes")
        return {node["account"]: node["silentMs"] for node in nodes if node["type"] == "SL"}

    until(lambda: len(silences()) == 2 and max(silences().values()) < 5000, "both SLs to be heard", alive=sns)
    until(lambda: len(sns[2].rpc("swarm_apiEndpoints")) == 3, "all SNs to be heard", alive=sns)
    far.kill9()
    until(lambda: sns[2].rpc("swarm_silentNodes") == [far.node_account], "the dead SL to be missed", alive=sns)
    assert sns[0].rpc("swarm_silentNodes") in ([], [far.node_account])


def test_an_sn_leaves_for_good_and_the_others_are_enough(swarm):
    sns = grow(swarm, 4)

    def leave(sn):
        command = [BIN / "swarm-inspect", "--data-dir", sn.data_dir, "leave"]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)

    left = leave(sns[3])
    assert left.returncode == 0, left.stderr
    assert "it left the network in block" in left.stdout
    until(lambda: len(sns[0].validators()) == 3, "three validators", alive=sns)
    before = sns[3].admin("actor", name="/sn/membership")["actor_id"]
    sns[3].admin("kill", name="/sn/membership")  # which does not make it forget that it left
    until(lambda: sns[3].admin("actor", name="/sn/membership")["actor_id"] not in (0, before), "it to be back")
    until(lambda: sns[3].admin("actor", name="/sn/membership")["state"].startswith("leaving"), "it to know")
    assert "it left the network in block" in leave(sns[3]).stdout
    assert sns[3].terminate() == 0
    sl = swarm.add_sl(sn_port=sns[1].port)
    assert Program(sl, trains([model(1)] * 3, minPeers=1)).result().sync_count == 3
    # Back again, as if it were new.
    sns[3].start().wait_up()
    until(lambda: len(sns[0].validators()) == 4, "four validators", alive=sns)
    one_chain(sns)


def test_the_last_validator_cannot_leave(swarm):
    sn = swarm.start_sn()
    until(sn.block_num, "the SN to register", alive=[sn])
    command = [BIN / "swarm-inspect", "--data-dir", sn.data_dir, "leave"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert refused.returncode == 1
    assert says(refused.stderr, "cannot leave"), refused.stderr
    assert sn.running()


def test_what_happens_to_one_neighbors_actor_is_its_connections_affair_alone(swarm):
    sns = grow(swarm, 4)
    first, *others = sns
    accounts = [sn.admin("chain")["account"] for sn in others]

    def connections():
        """By account: the connection and the actor that has it."""
        peers = {peer["account"]: peer for peer in first.admin("peers")["peers"]}
        tree = {actor["path"]: actor for actor in first.admin("tree")["actors"]}
        found = {}
        for account in accounts:
            actor = tree.get(f"/sn/peers/{account}")
            if account not in peers or not actor or actor["phase"] != "running":
                return None
            found[account] = (peers[account]["remote"], actor["actor_id"])
        return found

    before = until(connections, "three neighbors with an actor each", alive=sns)
    victim = f"/sn/peers/{accounts[1]}"
    detail = first.admin("actor", name=victim)["detail"]
    assert detail["account"] == accounts[1] and detail["bytes_received"] > 0
    says = f"{detail['endpoint']}, at block {first.block_num()}, "
    until(lambda: says in first.admin("actor", name=victim)["state"], "its head to be known", alive=sns)
    first.admin("kill", name=victim)
    until(lambda: (now := connections()) and now[accounts[1]] != before[accounts[1]], "a new one", alive=sns)
    after = connections()
    assert [after[account] for account in (accounts[0], accounts[2])] == [
        before[account] for account in (accounts[0], accounts[2])
    ]
    sl = swarm.add_sl(sn_port=first.port)
    assert Program(sl, trains([model(1)] * 2, minPeers=1)).result().sync_count == 2
    one_chain(sns)


def test_membership_and_the_hub_may_end_at_any_time(swarm):
    sns = grow(swarm, 3)

    def ids(*names):
        return {name: (first.admin("actor", name=name) or {}).get("actor_id") for name in names}

    first = sns[0]
    others = ("/sn/chain", "/sn/consensus", "/sn/api")
    before = ids(*others, "/sn/membership")
    first.admin("kill", name="/sn/membership")
    until(lambda: ids("/sn/membership")["/sn/membership"] not in (0, before["/sn/membership"]), "it to be back")
    assert ids(*others) == {name: before[name] for name in others}

    def neighbors():
        actors = first.admin("tree")["actors"]
        return {actor["actor_id"] for actor in actors if actor["path"].startswith("/sn/peers/0x")} - {0}

    first_ones = until(lambda: len(neighbors()) == 2 and neighbors(), "both others to be connected", alive=sns)
    first.admin("kill", name="/sn/peers/hub")
    until(lambda: len(neighbors() - first_ones) == 2, "both others to be connected again", alive=sns)
    assert ids("/sn/chain")["/sn/chain"] == before["/sn/chain"]
    sns.append(swarm.join_sn("sn-4"))  # is voted in by all three
    until(lambda: len(first.validators()) == 4, "four validators", alive=sns)
    one_chain(sns)
