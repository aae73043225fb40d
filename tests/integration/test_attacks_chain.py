"""What a member puts on the chain of every SN: its organisation's day and not a byte more, with however many keys."""

import time

from eth_account import Account
from harness import until
from registration import Node
from test_attacks import Client, attacker, sn  # noqa: F401  (fixtures)

LIMIT = 300_000
NOWHERE = "0x" + "42" * 20


def chain_use(sn):  # noqa: F811
    """By organisation."""
    return {row["organisation"]: row for row in sn.admin("actor", name="/sn/chain")["detail"]["chain_use"]}


def register(sn, client, key):  # noqa: F811
    assert client.register("SL", key=key)["result"]["status"] == "0x1"
    until(lambda: Node(client.rpc, key.address).active, "it to be vouched for", alive=[sn])


def flood(client, key, kilobytes=5):
    """Until it is refused; the refusal, and the bytes that were taken."""
    taken = 0
    for nonce in range(1, 200):
        raw = client.signed(key, NOWHERE, "0x" + "07" * (kilobytes * 1000), nonce=nonce)
        answer = client.ask("eth_sendRawTransactionSync", raw)
        if "error" in answer:
            return answer["error"], taken
        taken += len(raw) // 2
    raise AssertionError(f"{taken} bytes were taken")


def test_a_flood_of_transactions_ends_with_the_organisations_day(sn, attacker, inspect, swarm):  # noqa: F811
    keys = [Account.create() for _ in range(3)]
    while time.time() % 86_400 > 86_400 - 120:
        time.sleep(1)  # not across midnight, when there is room again
    with Client(sn, attacker) as client:
        for key in keys:
            register(sn, client, key)
        (name,) = [name for name, row in chain_use(sn).items() if row["registrations_bytes"] > 0]
        inspect(sn, "vote", "limits", name, "--chain-bytes-per-day", str(LIMIT))
        refusals = [flood(client, key) for key in keys]
        assert LIMIT * 0.7 < sum(taken for _, taken in refusals) <= LIMIT
        for error, _ in refusals:
            assert error["data"]["reason"] == "day_full" and error["code"] == -32005, error
            for part in (name, str(LIMIT), "there is room again from", "00:00 UTC"):
                assert part in error["message"], error
    # Log and status name who it is; the honest organisation's day is another.
    sn.wait_log(f"the organisation '{name}' may put {LIMIT} bytes on the chain a day")
    use = chain_use(sn)
    assert use[name]["bytes_per_day"] == LIMIT and LIMIT * 0.8 < use[name]["bytes_today"] <= LIMIT * 0.9
    assert sum(row["bytes_today"] for other, row in use.items() if other != name) < LIMIT * 0.1
    before = sn.block_num()
    inspect(sn, "vote", "limits", name, "--chain-bytes-per-day", str(LIMIT + 50_000))
    assert sn.block_num() > before
    with Client(sn, attacker) as client:
        error, taken = flood(client, Account.create())
        assert error["data"]["reason"] == "no_member" and taken == 0  # another key is no way around
