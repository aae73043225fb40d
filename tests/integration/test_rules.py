"""Rules of the chain that no member bends: a validator that signs two different votes, and new rules by a vote."""

import rlp
from eth_keys import keys
from harness import PATIENCE, SN, until
from launcher.chain import NODE_REGISTRY
from launcher.keccak import keccak256
from outsider import SL, Outsider
from test_network import grow, one_chain, same_history

CHAIN_ID, PREPARE = 21335, 0x13
OLDER = ("--rules-known", "2")


def signs(key, genesis, block_num, round_num, block_hash):
    content = [
        b"swarm qbft",
        1,
        CHAIN_ID,
        genesis,
        PREPARE,
        block_num,
        round_num,
        block_hash,
    ]
    return key.sign_msg_hash(keccak256(rlp.encode(content))).to_bytes()


def two_prepares(sn, block_num=7, round_num=1):
    """Proof that this SN's key signed two prepares for one round, made by somebody who has the key."""
    key = keys.PrivateKey(bytes.fromhex(next(sn.data_dir.rglob("node.key")).read_text().strip().removeprefix("0x")))
    genesis = bytes.fromhex(sn.admin("chain")["genesis"][2:])
    votes = []
    for content in (b"\x01" * 32, b"\x02" * 32):
        votes += [content, signs(key, genesis, block_num, round_num, content)]
    return rlp.encode([1, PREPARE, block_num, round_num, *votes])


def upgraded(sn):
    sn.arguments = [word for word in sn.arguments if word not in OLDER]
    return sn


def test_a_validator_that_signed_two_votes_loses_its_seat_for_ever(swarm):
    sns = grow(swarm, 4)
    liar = sns[2]
    account = liar.admin("chain")["account"]
    outsider = Outsider(swarm.sn, "sl-2", SL)
    outsider.call(NODE_REGISTRY, "reportDoubleVote(bytes)", (two_prepares(liar),))
    until(lambda: len(swarm.sn.validators()) == 3, "the seat to be lost", alive=sns)
    assert account not in swarm.sn.validators()
    (organisation,) = (one["organisation"] for one in swarm.sn.admin("chain")["chain_use"])
    who = f"'{liar.name}' of the organisation '{organisation}'"
    for sn in sns:
        sn.wait_log(f"the validator {account} {who} has lost its seat: block .* for block 7, round 1")
        (named,) = sn.admin("chain")["double_votes"]
        assert (named["account"], named["name"], named["organisation"]) == (account, liar.name, organisation)
        assert f"{who} lost its seat for two different votes" in sn.admin("actor", name="/sn/chain")["state"]
    # It follows the chain, and nobody votes it in again.
    at = swarm.sn.block_num()
    for _ in range(5):
        Outsider(swarm.sn, "sl-2", SL)
    one_chain(sns)
    until(lambda: all(sn.block_num() >= at + 5 for sn in sns), "blocks", alive=sns)
    assert len(swarm.sn.validators()) == 3
    same_history(sns)
    # A restarted SN still knows it.
    sns[1].terminate()
    sns[1].start().wait_up()
    (named,) = sns[1].admin("chain")["double_votes"]
    assert (named["account"], named["organisation"]) == (account, organisation)


def test_a_new_network_begins_with_the_newest_rules_and_an_older_program_is_told(swarm, inspect):
    sn = swarm.start_sn()
    assert "version 3 is in force" in inspect(sn, "rules")
    older = SN(swarm.folder, swarm.certs, "sn-2", joins=sn, flags=OLDER)
    swarm.others.append(older)
    assert older.start().wait_exit(PATIENCE) == 1
    assert "from block 1 on this chain has version 3 of its rules, and this swarmd knows" in older.log()


def test_new_rules_begin_at_the_block_that_validators_vote_and_an_old_program_stops(swarm, inspect):
    """A network of an older release is upgraded, SN after SN, and then its validators vote."""
    sns = grow(swarm, 3, flags=OLDER)
    assert "version 2 is in force" in inspect(sns[0], "rules")
    genesis = sns[0].admin("chain")["genesis"]
    for sn in sns:
        sn.terminate()
        upgraded(sn).start().wait_up()
    assert "version 2 is in force" in inspect(sns[0], "rules")
    older = swarm.join_sn("sn-4", flags=OLDER)
    until(lambda: len(sns[0].validators()) == 4, "four validators", alive=[*sns, older])
    begin = sns[0].block_num() + 30
    for sn in sns:
        inspect(sn, "rules", "--version", "3", "--from", str(begin))
    until(
        lambda: f"3 from block {begin} on" in inspect(sns[0], "rules"),
        "the vote",
        alive=[*sns, older],
    )
    older.wait_log(f"version 3 of the chain's rules begins with block {begin}, .* it will stop there")
    while sns[0].block_num() < begin + 3:
        Outsider(sns[0], "sl-2", SL)
    assert older.wait_exit(PATIENCE) == 1
    assert f"from block {begin} on this chain has version 3 of its rules, and this swarmd knows" in older.log()
    assert "version 3 is in force" in inspect(sns[0], "rules")
    one_chain(sns)
    # Started again as it is, it says the same at once; the newer program goes on where this one stopped.
    assert older.start().wait_exit(PATIENCE) == 1
    upgraded(older).start().wait_up()
    one_chain([*sns, older])
    same_history([*sns, older])
    assert older.admin("chain")["genesis"] == genesis
