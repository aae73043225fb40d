"""/metrics of a running swarm: what docs/metrics.md lists; a real Prometheus, the dashboard's queries, the alerts."""

import contextlib
import http.client
import json
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

import numpy as np
import pytest
from harness import DEFAULT_CONTRACT, ROOT, SL, Certs, Failure, Meeting, Process, Program, free_port, trains, until
from launcher.operators import OperatorSwarm, node_definition, swop_profile
from launcher.page import Page
from launcher.processes import Process as AnyProcess

RULES = ROOT / "deploy" / "prometheus" / "swarm-alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "swarm.json"
NODES = ("sn-1", "sn-2", "sn-3", "sl-1", "sl-2", "swop-1", "swci-1")

pytestmark = pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package prometheus is not installed")


def scrape(process):
    link = http.client.HTTPConnection("127.0.0.1", process.metrics_port, timeout=30)
    with contextlib.closing(link):
        link.request("GET", "/metrics")
        answer = link.getresponse()
        assert (answer.status, answer.getheader("Content-Type")[:10]) == (200, "text/plain")
        return answer.read().decode()


class Prometheus(AnyProcess):
    """With the rules of deploy/prometheus, whose waits are made short."""

    def __init__(self, folder, targets):
        self.port = free_port()
        rules = re.sub(r"\bfor: 1m", "for: 1s", re.sub(r"\bfor: 10m", "for: 2s", RULES.read_text()))
        (folder / "rules.yml").write_text(rules.replace("[1m]", "[3s]"))
        config = {
            "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms", "evaluation_interval": "200ms"},
            "rule_files": ["rules.yml"],
            "scrape_configs": [
                {"job_name": "swarmd", "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in targets]}]}
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(config))
        words = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
        super().__init__(
            "prometheus", ["prometheus", *words, f"--web.listen-address=127.0.0.1:{self.port}"], folder
        )

    def ask(self, path, **query):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(link):
            link.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
            answer = json.loads(link.getresponse().read())
        assert answer["status"] == "success", answer
        return answer["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def is_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return len(self.query("up == 1")) == len(self.query("up")) > 0
        return False

    def alerts(self):
        """Those that fire: (name, node)."""
        firing = [one["labels"] for one in self.ask("alerts")["alerts"] if one["state"] == "firing"]
        return {(labels["alertname"], labels.get("node")) for labels in firing}


class Watched(OperatorSwarm):
    """Three SNs, two SLs that train, a SWOP, and a Prometheus. The programs hold before each of their syncs until they
    are let go on."""

    sl_type = SL

    def __init__(self, folder, certs):
        super().__init__(folder, certs)
        self.gates = [threading.Semaphore(0), threading.Semaphore(0)]
        ports = [free_port() for _ in range(6)]
        flags = [("--metrics", port) for port in ports]
        self.start_sn(flags=flags[0])
        self.followers = [self.join_sn(f"sn-{n}", flags=flags[n - 1]) for n in (2, 3)]
        self.add_swop(swop_profile([node_definition(certs, 0)]), flags=flags[5])
        for n in (1, 2):
            self.add_sl(name=f"sl-{n}", identity=certs.flags(f"sl-{n}"), flags=flags[2 + n])
        for process, port in zip([self.sn, *self.followers, *self.sls, *self.swops], ports):
            process.metrics_port = port
        self.prometheus = Prometheus(self.folder, ports)
        self.others.append(self.prometheus.start())
        meeting = Meeting(2)
        values = [{"w": np.full(64, number, np.float32)} for number in range(8)]

        def between(index):
            def hold(number, client):
                if number == 1:
                    meeting(number, client)
                self.gates[index].acquire()

            return hold

        self.programs = [
            Program(sl, trains(values, between=between(index), minPeers=2, loss=lambda merged: (0.5, 0.75)))
            for index, sl in enumerate(self.sls)
        ]
        until(lambda: len(self.sn.validators()) == 3, "three validators", alive=[self.sn, *self.followers])

    def let_on(self, *indices):
        for index in indices:
            self.gates[index].release()

    def wait_round(self, number):
        until(lambda: any(merge.round_num == number for merge in self.sn.merges()), f"the merge of round {number}")


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    folder = tempfile.mkdtemp(prefix="swarmd-test-")
    swarm = Watched(folder, Certs(tmp_path_factory.mktemp("certs"), *NODES))
    try:
        for number in (1, 2):
            swarm.let_on(0, 1)
            swarm.wait_round(number)
        until(swarm.prometheus.is_ready, "Prometheus to reach all targets", alive=[swarm.prometheus])
        yield swarm
    finally:
        for gate in swarm.gates:
            gate.release(100)
        swarm.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


def documented():
    """{series: its labels} by the tables of docs/metrics.md."""
    rows = re.findall(r"^\| `(\w+)(?:\{([\w,]+)\})?` \|", (ROOT / "docs" / "metrics.md").read_text(), re.M)
    return {name: set(labels.split(",")) - {""} for name, labels in rows if not name.startswith("Swarm")}


def exposed(text):
    """The same by what is served; of a histogram its name alone."""
    kinds = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    found = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.M):
        base = re.sub(r"_(bucket|sum|count)$", "", name)
        name = base if kinds.get(base) == "histogram" else name
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels or ""))
    return {name: labels - {"le"} for name, labels in found.items()}


def test_every_series_is_documented_and_nothing_else(watched):
    until(lambda: "swarmd_training_loss{" in scrape(watched.sls[0]), "an SL to show its training")
    served = {}
    for process in [watched.sn, *watched.sls, *watched.swops]:
        for name, labels in exposed(scrape(process)).items():
            served.setdefault(name, set()).update(labels)
    assert served == documented()


def test_the_page_serves_them_too(watched, folder):
    port = free_port()
    page = Page(folder, watched.certs, watched.sn.port, flags=["--metrics", port])
    page.metrics_port = port
    try:
        page.start().wait_up()
        served = exposed(scrape(page))
        assert {"swarmd_build_info", "process_cpu_seconds_total", "swarmd_mailbox_messages"} <= set(served)
        assert set(served) <= set(documented())
    finally:
        page.clean_up()


MEMBERS = [("sn-2", "SN"), ("sn-3", "SN"), ("sl-1", "SL"), ("swop-1", "SWOP")]
USES = {"own": 365, "authority": 3650}  # the days of deploy/bin/gen-cert


def test_values_are_those_of_the_swarm(watched):
    def value(process, line):
        found = re.search(rf"^{re.escape(line)} (\S+)$", scrape(process), re.M)
        return found and float(found[1])

    training = '{contract="defaultbb.cqdb.sml.hpe",node="sl-1"}'
    sl = watched.sls[0]
    until(lambda: value(sl, "swarmd_training_merged_round" + training) == 2, "the last merge to be shown")
    until(lambda: value(sl, "swarmd_training_loss" + training) == 0.5, "its loss to be shown")
    assert value(sl, "swarmd_training_metric" + training) == 0.75
    assert value(sl, "swarmd_training_peers" + training) == 2
    assert value(sl, 'swarmd_training_session{node="sl-1"}') == 1

    def merges_led(phase):
        line = 'swarmd_training_merge_seconds_count{{contract="defaultbb.cqdb.sml.hpe",node="{}",phase="{}"}}'
        return sum(value(each, line.format(each.name, phase)) or 0 for each in watched.sls)

    for phase in ("fetch", "merge", "verify"):
        until(lambda phase=phase: merges_led(phase) >= 1, f"the phase '{phase}' of a merge")
    sn = 'node="sn-1"'
    until(lambda: value(watched.sn, f"ethereum_blockchain_height{{{sn}}}") == watched.sn.block_num(), "the head")
    until(lambda: value(watched.sn, f"swarmd_consensus_validators{{{sn}}}") == 3, "the validators")
    until(lambda: value(watched.sn, f"ethereum_peer_count{{{sn}}}") == 2, "the other SNs")
    assert value(watched.sn, f"ethereum_peer_limit{{{sn}}}") == 64
    calls = 'swarmd_rpc_requests_total{method="eth_blockNumber",node="sn-1",outcome="ok"}'
    before = until(lambda: value(watched.sn, calls), "requests to be counted")
    watched.sn.block_num()
    until(lambda: value(watched.sn, calls) > before, "a request to be counted")
    with pytest.raises(AssertionError):
        watched.sn.rpc("no_such_method_" + "x" * 40)
    others = calls.replace("eth_blockNumber", "other").replace("ok", "error")
    until(lambda: value(watched.sn, others), "one that there is not to be counted")
    assert "no_such_method" not in scrape(watched.sn)
    late = f"swarmd_consensus_late_votes_total{{{sn}}}"
    until(lambda: value(watched.sn, late) > 0, "the third validator's votes, which two need not wait for")
    seen = [f'swarmd_peer_last_seen_seconds{{{sn},peer="{peer}",role="{role}"}}' for peer, role in MEMBERS]
    until(lambda: all((age := value(watched.sn, line)) is not None and age < 60 for line in seen), "signs of life")
    assert 'peer="sn-1"' not in scrape(watched.sn), "it shows itself"
    days = {use: value(sl, f'swarmd_certificate_expiry_timestamp_seconds{{node="sl-1",use="{use}"}}') for use in USES}
    assert USES == {use: round((ends - time.time()) / 86400) for use, ends in days.items()}
    until(lambda: value(watched.swops[0], 'swarmd_task_state{node="swop-1",state="idle"}') == 1, "the idle taskrunner")


def test_a_scrape_takes_less_than_5_ms(watched):
    """The quickest of some, as other programs run here too; each is made anew."""
    link = http.client.HTTPConnection("127.0.0.1", watched.sn.metrics_port, timeout=30)
    took = []
    for _ in range(12):
        time.sleep(0.11)
        begun = time.perf_counter()
        link.request("GET", "/metrics")
        assert len(link.getresponse().read()) > 10_000
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.005, took


def queries():
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]


def test_every_query_of_the_dashboard_returns_data(watched):
    watched.let_on(0, 1)
    watched.wait_round(3)

    def without_data():
        filled = {"$__rate_interval": "30s", "$node": ".*", "$job": "swarmd"}
        missing = []
        for title, expression in queries():
            for name, value in filled.items():
                expression = expression.replace(name, value)
            if not watched.prometheus.query(expression):
                missing.append((title, expression))
        return missing

    try:
        until(lambda: not without_data(), "every query to return data")
    except Failure:
        pytest.fail(f"without data: {without_data()}")


def test_the_rules_pass_their_own_tests():
    for command in (["check", "rules", RULES.name], ["test", "rules", "swarm-alerts.test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=RULES.parent, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    tested = set(re.findall(r"alertname: (\w+)\n +exp_alerts", (RULES.parent / "swarm-alerts.test.yml").read_text()))
    assert tested == set(re.findall(r"alert: (\w+)", RULES.read_text()))
    done = subprocess.run(["promtool", "check", "config", "prometheus.yml"], cwd=RULES.parent, capture_output=True)
    assert done.returncode == 0


def test_alerts_are_silent_until_something_is_wrong(watched):
    """The last test of this file: it breaks the swarm."""
    prometheus = watched.prometheus
    assert not prometheus.alerts()
    watched.let_on(0)  # sl-2's program does not come
    until(lambda: ("SwarmPeerLongAwaited", "sl-1") in prometheus.alerts(), "sl-1 to await its peer for long")
    assert prometheus.alerts() == {("SwarmPeerLongAwaited", "sl-1")}
    watched.let_on(1)
    watched.wait_round(4)
    until(lambda: not prometheus.alerts(), "the alert to end")
    watched.followers[1].kill9()
    until(lambda: ("SwarmValidatorsNearQuorum", "sn-1") in prometheus.alerts(), "sn-1 to miss a validator")
    assert not {name for name, _ in prometheus.alerts()} - {"SwarmValidatorsNearQuorum"}
    watched.followers[0].kill9()
    watched.let_on(0, 1)
    until(lambda: ("SwarmNoBlockWhilePoolFills", "sn-1") in prometheus.alerts(), "transactions to wait in vain")


def test_two_of_one_host_do_not_share_a_port(folder, certs):
    port = free_port()
    words = ["--role", "sn", "--sentinel", "--host-ip", "127.0.0.1", "--sn-api-port", port, "--metrics", port]
    sn = Process("sn-1", folder, [*words, "--data-dir", f"{folder}/sn-1", *certs.flags("sn-1")])
    try:
        sn.start()
        until(lambda: not sn.running(), "a process with two users of one port to end")
        assert f"both use port {port}" in sn.log()
    finally:
        sn.clean_up()


def test_lines_for_programs_and_what_they_are_about(swarm):
    """--log-format json, from the first line on; and where an SL's lines for people have it."""
    swarm.start_sn(flags=["--log-format", "json"])
    swarm.add_sl(flags=["--log-format", "json"])
    swarm.add_sl()
    models = [{"w": np.full(4, number, np.float32)} for number in range(2)]
    programs = [Program(sl, trains(models, minPeers=2)) for sl in swarm.sls]
    for program in programs:
        program.result()
    lines = [json.loads(line) for line in swarm.sls[0].log().splitlines()]
    assert all({"time", "level", "actor", "message"} <= set(line) for line in lines)
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"]) for line in lines)
    about = [line for line in lines if "contract" in line]
    assert {line["actor"] for line in about} == {"swarm.SL"}
    assert {(line["contract"], line["generation"]) for line in about} == {(DEFAULT_CONTRACT, 1)}
    assert max(line["round"] for line in about) >= 2
    assert all(json.loads(line)["actor"] for line in swarm.sn.log().splitlines())
    assert f" [contract={DEFAULT_CONTRACT} generation=1 round=" in swarm.sls[1].log()
