"""A feed whose every text looks like HTML, as members might write it, each with a word of its own."""

from made_feed import SN, MadeFeed

HTML = """<img src=x onerror="window.hacked=1">'"&{}"""
SL, OTHER_SL, SWOP, CONTRACT = "0x" + "1" * 40, "0x" + "8" * 40, "0x" + "2" * 40, "0x" + "7" * 40
HASH = "0x" + "4" * 64


class HostileFeed(MadeFeed):
    """`words`: of all texts that were told."""

    def __init__(self):
        self.words = set()
        super().__init__(2, 12)
        self.you = {"name": self.evil("you"), "rights": "operator", "expires_ms": 0}

    def evil(self, word):
        self.words.add(word)
        return f"{HTML} {word}."

    def node_of(self, role, endpoint=""):
        node = {**self.node(self.evil(f"name of {role}"), role, 0), "organisation": 1}
        return {**node, "endpoint": endpoint or f"{self.evil(f'host of {role}')}:30305"}

    def state(self, topic):
        if topic == "network":
            return self.network()
        if topic == "trainings":
            return {"contracts": {self.evil("contract"): self.summary()}}
        if topic == "tasks":
            return {"tasks": {self.evil("task"): self.task()}}
        return {"taskrunners": {self.evil("runner"): self.runner()}} if topic == "taskrunners" else self.training()

    def network(self):
        limits = dict.fromkeys(
            ("nodes", "trainings", "peers_per_training", "chain_bytes_per_day", "p2p_places", "model_bytes"), 9
        )
        organisation = {
            "name": self.evil("organisation"), "since_block": 0, "anchors": {HASH: True}, "members": 1,
            "limits": limits, "chain_bytes_today": 1,
        }  # fmt: skip
        motion = {
            "kind": "admit", "organisation": 0, "name": self.evil("to be admitted"), "anchors": {HASH: True},
            "expires_block": 9, "voters": {}, "needed": 1,
        }  # fmt: skip
        sn = {**self.node_of("SN"), "api_endpoint": f"{self.evil('API of SN')}:30304"}
        nodes = {SN: sn, SL: self.node_of("SL"), SWOP: self.node_of("SWOP"), "0x" + "3" * 40: self.node_of("SWCI")}
        return {
            **super().state("network"), "sn_version": self.evil("version of the SN"), "nodes": nodes,
            "organisations": {"1": organisation}, "motions": {HASH: motion},
        }  # fmt: skip

    def summary(self):
        wait = {"name": self.evil("awaited"), "why": self.evil("why it is awaited"), "silent": True, "since_ms": 1}
        return {
            **super().summary(), "merge_method": self.evil("method"), "waits": {SL: wait}, "leader": SL,
            "leader_name": self.evil("leader"), "phase": "disputed",
        }  # fmt: skip

    def training(self):
        here = {
            **self.member(self.evil("member"), 0), "endpoint": f"{self.evil('host of a member')}:1",
            "waits_for": self.evil("waits for"),
        }  # fmt: skip
        member = {
            **self.member(self.evil("who left"), 0), "state": "left", "reason": self.evil("reason"),
        }  # fmt: skip
        return {
            **self.summary(), "owner": 1, "invited": {"1": True}, "reset_votes": {"1": True}, "verify": "before",
            "layout_digest": "", "term": 1, "members": {SL: member, OTHER_SL: here}, "check_ins": {},
            "last_reset": {"by": SN, "note": self.evil("note"), "block_num": 1},
            "proposal": {"round_num": 13, "term": 1, "leader": SL, "digest": HASH, "size": 1, "contributors": {},
                         "excluded": {SL: self.evil("why it is excluded")}, "attested": {}},
            "checks": {"attempt": 1, "until_ms": 1, "chunks": 1, "awaited": {SL: True}, "challenger": OTHER_SL,
                       "challenge": self.evil("challenge")},
        }  # fmt: skip

    def task(self):
        return {
            "type": "RUN_SWARM", "author": self.evil("author"), "prerequisite": self.evil("prerequisite"),
            "outcome": self.evil("outcome"), "finalized": True, "lines": 1, "body_bytes": 1, "organisation": 1,
            "created_block": 1, "finalized_block": 2,
        }  # fmt: skip

    def runner(self):
        part = {"status": "FAILED", "since_ms": 1, "alive": True, "listening": True, "slots": 1, "attempt": 1}
        failed = {"status": "FAILED", "name": self.evil("pair"), "failure": self.evil("failure of a pair")}
        works = {"status": "ACTIVE", "name": self.evil("other pair"), "step": self.evil("step of a pair")}
        swop = {**part, "name": self.evil("SWOP"), "failure": self.evil("failure"), "pairs": {"0": failed, "1": works}}
        return {
            "uid": CONTRACT, "owner": 1, "state": "ERROR", "task": self.evil("task"), "task_type": "RUN_SWARM",
            "mode": "WITH PEERS", "run": 1, "quorum": 1, "listening": 1, "slots": 1, "enrolled": 1, "active": 0,
            "complete": 0, "failed": 1, "waits": self.evil("what the runner waits for"), "swops": {SWOP: swop},
        }  # fmt: skip

    def answer(self, question):
        what = question["what"]
        if what not in ("rounds", "series"):
            return getattr(self, f"answer_{what}")()
        answer = super().answer(question)
        if what == "series":
            answer["peers"] = {CONTRACT: {**next(iter(answer["peers"].values())), "name": self.evil("curve")}}
            return answer
        event = {"kind": self.evil("kind of event"), "peer": SL, "text": self.evil("event"), "block_num": 1,
                 "txn": HASH, "time_ms": 1}  # fmt: skip
        merge = {"digest": HASH, "size": 1, "leader": SL, "term": 0, "contributors": [SL], "checkers": [SL],
                 "excluded": {SL: self.evil("why it was left out")}, "block_num": 1, "txn": HASH}  # fmt: skip
        for each in answer["rounds"]:
            each.update(events=[event], merge=merge)
        return answer

    def answer_runs(self):
        run = {"contract": self.evil("contract"), "generation": 1, "state": "running", "min_peers": 2, "peers": 2,
               "merge_method": self.evil("method"), "rounds": 1}  # fmt: skip
        return {"runs": [run]}

    def answer_block(self):
        return {
            "block_num": 1, "hash": HASH, "parent_hash": HASH, "state_root": HASH, "time_ms": 1, "proposer": SN,
            "gas_used": 1, "size": 1, "transactions": [self.answer_transaction()], "transaction_count": 1,
        }  # fmt: skip

    def answer_blocks(self):
        return {"blocks": [{**self.answer_block(), "transactions": []}]}

    def answer_transaction(self):
        event = {"contract": self.evil("contract of an event"), "kind": self.evil("what happened"),
                 "text": self.evil("what it says")}  # fmt: skip
        return {
            "hash": HASH, "block_num": 1, "index": 0, "from": SL, "to": CONTRACT, "to_name": self.evil("called"),
            "call": self.evil("call"), "ok": False, "revert": self.evil("refusal"), "gas_used": 1, "nonce": 1,
            "input_bytes": 4, "events": [event],
        }  # fmt: skip

    def answer_task(self):
        return {"task": self.task(), "body": ["---", self.evil("body")]}

    def answer_last_lines(self):
        return {"outputs": [{"of": self.evil("program"), "lines": [self.evil("what it wrote")]}]}

    def answer_version(self):
        return {"version": self.evil("version")}

    def answer_anchors(self):
        return {"anchors": [{"subject": self.evil("subject"), "fingerprint": HASH, "expires_ms": 0, "own": True,
                             "pem": self.evil("PEM")}]}  # fmt: skip

    def answer_log(self):
        line = {"number": 1, "time_ms": 1, "level": "error", "source": self.evil("source"), "text": self.evil("log")}
        return {"lines": [line]}

    def answer_host(self):
        return {"engine": self.evil("engine"), "gpus": [self.evil("GPU")], "cores": 1, "version": self.evil("release")}
