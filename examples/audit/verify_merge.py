#!/usr/bin/env python3
"""Checks a merge proof of `swarm-inspect proof` with nothing of swarmd: no node, no code, only the file.

    pip install "eth-hash[pycryptodome]" eth-keys rlp
    verify_merge.py FILE --genesis HASH          trust the genesis block: the validators follow from the file
    verify_merge.py FILE --validators ADDR,...   trust these validators: they must have sealed every block

Prints the merge record and exits with 0 when it is proved; otherwise says what does not hold and exits with 1.
"""
import argparse
import hashlib
import json
import sys

import rlp
from eth_hash.auto import keccak
from eth_keys import keys

REGISTRY = bytes.fromhex("5001").rjust(20, b"\0")  # its slot 256: number of validators, then the validators
MERGED = keccak(b"MergeCommitted(uint64,uint64,uint32,address,bytes32,uint64,address[],address[],uint8[],uint32)")
SHARD = keccak(b"ShardCommitted(address,uint64,uint64,uint32,uint32,bytes32[])")
ACCEPTED = keccak(b"MergeAccepted(uint64,uint64,uint32,address,bytes32,address[])")
ATTESTED = keccak(b"Attested(address,uint64,uint64,uint32,uint32)")
EXCLUDED = ("not available", "other parameters", "not finite")  # why, by the code in the event
REVEALED = keccak(b"Revealed(address,uint64,uint64,bytes32,uint64,uint32,uint64,bytes32)")


class Refused(Exception):
    pass


def demand(holds, text):
    if not holds:
        raise Refused(text)


def raw(text):
    demand(text.startswith("0x"), "bytes that do not start with 0x")
    return bytes.fromhex(text[2:])


def number(big_endian):
    return int.from_bytes(big_endian, "big")


def word(value):
    return value.to_bytes(32, "big")


def recover(digest, signature):
    return keys.Signature(signature).recover_public_key_from_msg_hash(digest).to_canonical_address()


def trie_value(root, key, nodes, what):
    """What a Merkle Patricia trie has under `key`; `nodes` lead there from the root."""
    path, below, nodes = key.hex(), root, [raw(node) for node in nodes]
    while True:
        if isinstance(below, bytes):  # a hash; a node of less than 32 bytes stands in its parent itself
            demand(nodes and keccak(nodes[0]) == below, f"{what}: a trie node is not the one that its parent names")
            below = rlp.decode(nodes.pop(0))
        if len(below) == 17 and path:
            below, path = below[int(path[0], 16)], path[1:]
            continue
        demand(len(below) == 2, f"{what}: the path ends in a branch")
        kind, part = below[0].hex()[0], below[0].hex()[1:]
        part = part if kind in "13" else part[1:]  # odd paths have no padding
        demand(path.startswith(part), f"{what}: there is no such entry")
        path, below = path[len(part) :], below[1]
        if kind in "23":
            demand(not path and not nodes, f"{what}: the proof does not end with its entry")
            return below


def validators_of(state_root, block):
    account = rlp.decode(trie_value(state_root, keccak(REGISTRY), block["registry_proof"], "registry"))
    proofs = [block["count_proof"], *block["validator_proofs"]]
    slots = [rlp.decode(trie_value(account[2], keccak(word(256 + i)), p, "validators")) for i, p in enumerate(proofs)]
    demand(number(slots[0]) == len(slots) - 1 > 0, "validators: not as many as there are")
    return {slot.rjust(20, b"\0") for slot in slots[1:]}


def sealed_header(file, block, validators):
    """The fields of a header that at least two thirds of the validators have sealed."""
    header = rlp.decode(raw(block["header"]))
    at = f"block {number(header[8])}"
    demand(number(header[8]) > 0 and validators, f"{at}: nobody can have sealed it")
    signed = [b"swarm commit seal", file["chain_id"], raw(file["genesis_hash"]), keccak(raw(block["header"]))]
    digest = keccak(rlp.encode([*signed, block["seal_round"]]))
    authors = [recover(digest, raw(seal)) for seal in block["seals"]]
    demand(set(authors) <= validators, f"{at}: sealed by somebody who is no validator of this block")
    demand(len(set(authors)) == len(authors), f"{at}: a validator sealed it twice")
    demand(3 * len(authors) >= 2 * len(validators), f"{at}: {len(authors)} seals of {len(validators)} validators")
    return header


def history(file):
    """[(first block, its validators)], newest first, from the genesis block over all handovers."""
    sets, (first, *rest) = [], file["handovers"]
    genesis = rlp.decode(raw(first["header"]))
    demand(keccak(raw(first["header"])) == raw(file["genesis_hash"]), "handovers: not from the genesis block on")
    demand(not first["seals"] and not first["seal_round"], "a genesis block with seals")
    sets.insert(0, (1, validators_of(genesis[3], first)))
    for block in rest:
        header = sealed_header(file, block, sets[0][1])
        demand(number(header[8]) >= sets[0][0], "handovers that do not follow each other")
        sets.insert(0, (number(header[8]) + 1, validators_of(header[3], block)))
    return sets


def signer_and_receiver(txn, chain_id):
    if txn[0] < 0xC0:  # EIP-2718: a type byte in front
        fields = rlp.decode(txn[1:])
        demand(number(fields[0]) == chain_id, "transaction: of another chain")
        to, parity, digest = fields[{1: 4, 2: 5}[txn[0]]], fields[-3], keccak(txn[:1] + rlp.encode(fields[:-3]))
    else:  # EIP-155
        fields = rlp.decode(txn)
        to, parity = fields[3], word(number(fields[6]) - 35 - 2 * chain_id)
        digest = keccak(rlp.encode([*fields[:6], chain_id, b"", b""]))
    signature = fields[-2].rjust(32, b"\0") + fields[-1].rjust(32, b"\0") + bytes([number(parity)])
    return recover(digest, signature), to


def proved_event(file, headers, place, topic, who, what):
    """The words of an event of the contract, whose transaction `who` must have signed; none: anybody."""
    demand(place["block"] in headers, f"{what}: block {place['block']} is not in the file")
    header, key = headers[place["block"]], rlp.encode(place["transaction"])
    txn = trie_value(header[4], key, place["transaction_proof"], f"{what}: transaction")
    receipt = trie_value(header[5], key, place["receipt_proof"], f"{what}: receipt")
    status, _, _, logs = rlp.decode(receipt[1:] if receipt[0] < 0xC0 else receipt)
    demand(status == b"\x01" and place["log"] in range(len(logs)), f"{what}: no such log")
    emitter, topics, data = logs[place["log"]]
    contract = keccak(b"swarmd/training/" + file["contract"].encode())[12:]
    signer, receiver = signer_and_receiver(txn, file["chain_id"])
    demand(emitter == receiver == contract, f"{what}: of another contract")
    demand(topics[0] == topic, f"{what}: another event")
    demand(who is None or signer == raw(who), f"{what}: signed by 0x{signer.hex()}")
    return topics, data


def items(data, at, read):
    """A dynamic array of an event: the word `at` of its head says where it is."""
    start = number(data[32 * at : 32 * at + 32]) + 32
    return [read(data[start:], i) for i in range(number(data[start - 32 : start]))]


def one_address(data, i):
    return "0x" + data[32 * i + 12 : 32 * i + 32].hex()


def one_reason(data, i):
    return EXCLUDED[number(data[32 * i : 32 * i + 32])]


def one_hash(data, i):
    return data[32 * i : 32 * i + 32]


def moment(at):
    return at["block"], at["transaction"]


def verify(file, genesis, validators):
    demand((file["format"], file["version"]) == ("swarmd merge proof", 4), "a file of another format")
    demand(genesis is None or genesis == raw(file["genesis_hash"]), "of a chain with another genesis block")
    sets, headers = history(file), {}
    for block in file["blocks"]:
        num = number(rlp.decode(raw(block["header"]))[8])
        in_force = next((members for first, members in sets if first <= num), set())
        for trusted in [in_force] * (genesis is not None) + [validators] * (validators is not None):
            headers[num] = sealed_header(file, block, trusted)

    place, models = file["merge"], file["models"]
    topics, data = proved_event(file, headers, place, MERGED, None, "merge")
    makers = number(data[224:256])  # 0: the leader has made the merge, and signed that
    if makers == 0:
        proved_event(file, headers, place, MERGED, file["leader"], "merge")
        demand(file["shards"] == [], "shards: of a merge that the leader has made")
    else:
        verify_shards(file, headers, makers)
    fields = [topics[1], *(data[i : i + 32] for i in range(0, 128, 32)), topics[2]]
    claimed = [*(word(file[k]) for k in ("round", "generation", "term")), raw(file["digest"]), word(file["size"])]
    demand(fields == [*claimed, raw(file["leader"]).rjust(32, b"\0")], "merge: the chain says something else")
    excluded = [(m["peer"], m["excluded"]) for m in models if m["excluded"] is not None]
    peers = items(data, 4, one_address) + items(data, 5, one_address)
    demand([m["peer"] for m in models] == peers, "models: not those that the merge names")
    recorded = list(zip(items(data, 5, one_address), items(data, 6, one_reason)))
    demand(recorded == excluded, "models: others were excluded, or for other reasons")

    for m in models:
        what, at = f"model of {m['peer']}", m["reveal"]
        topics, data = proved_event(file, headers, at, REVEALED, m["peer"], what)
        fields = [*topics[1:], *(data[i : i + 32] for i in range(0, 160, 32))]
        claimed = [raw(m["peer"]).rjust(32, b"\0"), word(file["round"]), word(file["generation"]), raw(m["digest"])]
        claimed += [word(m[k]) for k in ("size", "weightage", "base_round")]
        demand(fields == claimed, f"{what}: the chain says something else")
        demand(moment(at) < moment(place), f"{what}: not before the merge")

    verify_checks(file, headers)


def verify_shards(file, headers, makers):
    """Each maker, or the leader for it, has signed the roots of its units, and these are put together to the merge."""
    chunks, level = -(-file["size"] >> 20), 0
    while 8 * makers << level <= chunks:
        level += 1
    each, more = divmod(-(-chunks >> level), makers)
    with_units = [p for p in range(makers) if each + (p < more)]
    demand([s["shard"] for s in file["shards"]] == with_units, "shards: not all, or not in order")
    roots = []
    for s in file["shards"]:
        what = f"shard {s['shard']}"
        topics, data = proved_event(file, headers, s["commit"], SHARD, s["peer"], what)
        fields = [*topics[1:], *(data[i : i + 32] for i in range(0, 96, 32))]
        claimed = [raw(s["peer"]).rjust(32, b"\0"), *(word(file[k]) for k in ("round", "generation", "term"))]
        demand(fields == [*claimed, word(s["shard"])], f"{what}: the chain says something else")
        demand(moment(s["commit"]) <= moment(file["merge"]), f"{what}: behind the merge")
        own = items(data, 3, one_hash)
        demand(len(own) == each + (s["shard"] < more), f"{what}: not a root for each of its units")
        roots += own
    while len(roots) > 1:  # one without a sibling is handed up
        pairs = [roots[i : i + 2] for i in range(0, len(roots), 2)]
        roots = [hashlib.sha256(b"\1" + b"".join(p)).digest() if len(p) == 2 else p[0] for p in pairs]
    numbers = file["size"].to_bytes(8, "big") + (1 << 20).to_bytes(8, "big")
    digest = hashlib.sha256(b"swarmd model v2" + numbers + roots[0]).digest()
    demand(digest == raw(file["digest"]), "shards: not put together to the merge")


def verify_checks(file, headers):
    """The proposal was accepted, after all who are named had signed that their part of it is right."""
    place = file["acceptance"]
    topics, data = proved_event(file, headers, place, ACCEPTED, None, "acceptance")
    fields = [topics[1], *(data[i : i + 32] for i in range(0, 96, 32)), topics[2]]
    claimed = [*(word(file[k]) for k in ("round", "generation", "term")), raw(file["digest"])]
    demand(fields == [*claimed, raw(file["leader"]).rjust(32, b"\0")], "acceptance: the chain says something else")
    named = items(data, 3, one_address)
    demand([c["peer"] for c in file["checkers"]] == named, "checkers: not those of the acceptance")

    demand(moment(file["merge"]) <= moment(place), "acceptance: before the merge")
    attempts = set()
    for c in file["checkers"]:
        what = f"checker {c['peer']}"
        topics, data = proved_event(file, headers, c["attest"], ATTESTED, c["peer"], what)
        fields = [*topics[1:], data[:32], data[32:64]]
        claimed = [raw(c["peer"]).rjust(32, b"\0"), *(word(file[k]) for k in ("round", "generation", "term"))]
        demand(fields == claimed, f"{what}: the chain says something else")
        in_order = moment(file["merge"]) <= moment(c["attest"]) <= moment(place)
        demand(in_order, f"{what}: not between merge and acceptance")
        attempts.add(data[64:96])
    demand(len(attempts) <= 1, "checkers: of different attempts")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--genesis", type=raw)
    parser.add_argument("--validators", type=lambda text: {raw(one) for one in text.split(",")})
    given = parser.parse_args()
    if given.genesis is None and given.validators is None:
        parser.error("say whom you trust: --genesis or --validators")
    try:
        with open(given.file, encoding="utf-8") as text:
            file = json.load(text)
        verify(file, given.genesis, given.validators)
    except Exception as why:  # whatever is wrong with the file, it proves nothing
        sys.exit(f"not proved: {why if isinstance(why, Refused) else f'malformed: {why!r}'}")
    print(f"proved: round {file['round']} of '{file['contract']}', generation {file['generation']}")
    makers = ", ".join(s["peer"] for s in file["shards"]) or file["leader"]
    print(f"merged {file['digest']} ({file['size']} bytes) by {makers}, term {file['term']}, from")
    for m in file["models"]:
        left_out = "" if m["excluded"] is None else f", left out: {m['excluded']}"
        print(f"  {m['peer']}: {m['digest']} ({m['size']} bytes), weightage {m['weightage']}{left_out}")
    print("checked by " + (", ".join(c["peer"] for c in file["checkers"]) or "nobody"))


if __name__ == "__main__":
    main()
