"""The server of the management page: who is let in, what its feed shows of real swarms, what attacks on it come to."""

import contextlib
import gzip
import pathlib
import re
import socket

import numpy as np
import pytest
from feed_client import Feed
from harness import SN, Meeting, Program, trains, until
from launcher.page import Page
from websockets.exceptions import ConnectionClosed, InvalidStatus

MODEL = {"w": np.full(100, 1.5, np.float32)}
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW")
GUARDS = {
    "Content-Security-Policy": "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.fixture(scope="module")
def page(certs, sn, tmp_path_factory):
    """A page whose operator by certificate is `probe`; swci-1 and swci-2 of the same authority may look."""
    page = Page(tmp_path_factory.mktemp("page"), certs, sn.port, flags=["--ui-operator", "probe"])
    try:
        yield page.start().wait_up()
    finally:
        print(page.tail())
        page.clean_up()


@pytest.fixture(scope="module")
def cookie(page):
    return page.log_in()


def refused_upgrade(page, **how):
    """The status with which a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as refusal, Feed(page, **how):
        pass
    return refusal.value.response.status_code


def test_nobody_gets_in_without_link_or_certificate(page):
    answer = page.ask()
    assert answer.status == 401
    assert b"login" in answer.content
    for path in ("/index.html", "/feed", "/login", "/login?token=", "/login?token=" + "0" * 64, "/nothing", "/../key"):
        assert page.ask(path=path).status in (401, 403)
    forged = f"swarmd_ui_{page.port}={'0' * 64}"
    assert page.ask(headers=[("Cookie", forged)]).status == 401
    for how in ({}, {"cookie": forged}, {"certificate": "sl-1"}):
        with Feed(page, **how) as feed:
            assert feed.close_code() == 4401
    assert page.ask(certificate="sl-1").status == 401  # an SL of the same organisation


def test_the_link_opens_the_page_once(page):
    link = page.link()
    answer = page.ask("HEAD", link)
    assert answer.status == 401  # whatever looks at links does not use them up
    answer = page.ask(path=link)
    assert answer.status == 200
    cookie = answer.headers["Set-Cookie"]
    for word in ("HttpOnly", "Secure", "SameSite=Strict", "Path=/"):
        assert word in cookie
    assert page.ask(path=link).status == 403
    assert page.link() != link
    value = cookie.split(";")[0]
    page_itself = page.ask(headers=[("Cookie", value)])
    assert page_itself.status == 200
    assert gzip.decompress(page_itself.content).lstrip().lower().startswith(b"<!doctype html>")
    assert page_itself.headers["Cache-Control"] == "no-cache"
    with Feed(page, cookie=value) as feed:
        feed.until(lambda f: f.hello["you"]["rights"] == "operator", "the hello")
        out = page.ask("POST", "/logout", [("Cookie", value), ("Origin", f"https://{page.host}")])
        assert out.status == 200
        assert feed.close_code() == 4401
    assert page.ask(headers=[("Cookie", value)]).status == 401


def test_every_answer_keeps_other_sites_out(page, cookie):
    for answer in (
        page.ask(),
        page.ask(headers=[("Cookie", cookie)]),
        page.ask(path="/nothing", headers=[("Cookie", cookie)]),
        page.ask(headers=[("Host", "evil.example.org")]),
        page.ask("POST", headers=[("Origin", "https://evil.example.org")]),
        page.ask(path="/login?token=x"),
    ):
        for name, part in GUARDS.items():
            assert part in answer.headers[name], (answer.status, name)
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", METHODS)
def test_other_pages_and_names_are_refused_by_every_method(page, cookie, method):
    own = ("Origin", f"https://{page.host}")
    for headers in (
        [("Origin", "https://evil.example.org")],
        [("Origin", f"http://{page.host}")],
        [("Origin", "null")],
        [own, ("Origin", "https://evil.example.org")],
        [("Host", f"evil.example.org:{page.port}"), ("Origin", f"https://evil.example.org:{page.port}")],
        [("Host", f"evil.example.org:{page.port}")],
        [("Host", page.host), ("Host", "evil.example.org")],
    ):
        for extra in ([("Cookie", cookie)], []):
            assert page.ask(method, "/", [*headers, *extra]).status in (400, 403), headers
        assert page.ask(method, "/", headers, certificate="probe").status in (400, 403)
    if method in ("GET", "HEAD"):
        assert page.ask(method, "/", [own, ("Cookie", cookie)]).status == 200
        return
    assert page.ask(method, "/", [("Cookie", cookie)]).status == 403  # a form of another page has no origin at times
    assert page.ask(method, "/", [own, ("Cookie", cookie)]).status == 405


def test_the_feed_is_for_this_page_alone(page, cookie):
    assert refused_upgrade(page, cookie=cookie, origin="https://evil.example.org") == 403
    assert refused_upgrade(page, certificate="probe", origin="https://evil.example.org") == 403
    assert refused_upgrade(page, cookie=cookie, origin=None) == 403
    assert refused_upgrade(page, cookie=cookie, origin=f"http://{page.host}") == 403
    assert refused_upgrade(page, cookie=cookie, path="/other") == 404


def test_rebinding_a_name_to_this_host_opens_nothing(page, cookie):
    """What a browser sends when evil.example.org has come to mean 127.0.0.1."""
    evil = f"evil.example.org:{page.port}"
    lines = [
        "GET /feed HTTP/1.1", f"Host: {evil}", f"Origin: https://{evil}", f"Cookie: {cookie}", "Upgrade: websocket",
        "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "", "",
    ]  # fmt: skip
    with socket.create_connection(("127.0.0.1", page.port), timeout=30) as raw:
        link = page.context().wrap_socket(raw)
        link.sendall("\r\n".join(lines).encode())
        assert b" 403 " in link.recv(100)


def test_without_tls_nobody_is_served_unless_asked(page, certs, sn, folder):
    with pytest.raises(OSError):
        page.ask(plain=True)
    other = Page(folder, certs, sn.port, name="ui-2", flags=["--ui-plain"])
    try:
        other.start().wait_up()
        answer = other.ask(path=other.link(), plain=True)
        assert answer.status == 200
        cookie = answer.headers["Set-Cookie"].split(";")[0]
        assert other.ask(headers=[("Cookie", cookie)], plain=True).status == 200
        own = [("Cookie", cookie), ("Origin", f"http://{other.host}")]
        assert other.ask("POST", "/logout", own, plain=True).status == 200
        assert other.ask(headers=[("Cookie", cookie)], plain=True).status == 401
    finally:
        other.clean_up()


def test_readers_read_and_operators_act(page, sn):
    with Feed(page, certificate="swci-1") as reader, Feed(page, certificate="probe") as operator:
        reader.watch("network", "trainings")
        assert reader.until(lambda f: f.hello, "the hello")["you"]["rights"] == "reader"
        assert operator.until(lambda f: f.hello, "the hello")["you"]["rights"] == "operator"
        reader.until(lambda f: f.topics["network"]["standing"]["connected"], "the network")
        for fields in ({}, {"rights": "operator"}, {"by": "probe"}, {"session": "x"}):
            refused = reader.act("create_contract", contract="forbidden", **fields)
            assert refused["code"] in ("not_allowed", "invalid")
        assert operator.act("create_contract", contract="allowed")["done"] == "CONTRACT CREATED : allowed"
        reader.until(lambda f: "allowed" in f.topics["trainings"]["contracts"], "the new contract")
        assert "forbidden" not in reader.topics["trainings"]["contracts"]
        again = operator.act("create_contract", contract="allowed")
        assert again["code"] == "refused"
        assert "allowed" in again["why"]  # the contract's words


TASK = """Name: {name}
TaskType: MAKE_SWARM_USER_CONTENT
Author: tests
Prereq: ROOTTASK
Outcome: {name}
Body:
  ContentType: BUILDCONTENT
  OpsList:
    - Operation: DOWNLOAD
      Target: file:///nowhere
      Options:
        - Out: x
"""


def test_tasks_and_taskrunners_by_orders(page, sn):
    """What SWCI's commands do, and their refusals in the contracts' words."""
    with Feed(page, certificate="probe").watch("tasks", "taskrunners", "network") as feed:
        feed.until(lambda f: f.topics["network"]["standing"]["connected"], "the network")
        dry = feed.act("create_task", yaml=TASK.format(name="t1"), dry_run=True)
        assert "could be created" in dry["done"]
        wrong = feed.act("create_task", yaml=TASK.format(name="t1").replace("Author", "Autor"))
        assert wrong["code"] == "refused" and "Autor" in wrong["why"] and "the task:3" in wrong["why"]
        assert feed.act("create_task", yaml=TASK.format(name="t1"))["done"] == "TASK FINALIZED : t1"
        task = feed.until(lambda f: f.topics["tasks"]["tasks"]["t1"], "the task")
        assert task["finalized"] and task["type"] == "MAKE_SWARM_USER_CONTENT"
        body = feed.ask("task", name="t1")["body"]
        assert body[0] == "---" and len(body) == task["lines"]
        assert feed.act("create_task", yaml=TASK.format(name="t2"), finalize=False)["done"] == "TASK CREATED : t2"
        assert feed.act("finalize_task", task="t2")["done"]
        assert feed.act("delete_task", task="nothing")["code"] in ("refused", "not_found")
        assert feed.act("create_taskrunner", taskrunner="r1")["done"] == "TASKRUNNER CREATED : r1"
        runner = feed.until(lambda f: f.topics["taskrunners"]["taskrunners"]["r1"], "the taskrunner")
        assert (runner["state"], runner["listening"]) == ("IDLE", 0)
        assert feed.act("assign_task", task="t1", taskrunner="r1", all_peers=True)["code"] == "not_found"
        assert feed.act("assign_task", task="t1", taskrunner="r1", peers=1)["done"] == "TASK ASSIGNED : t1"
        feed.until(lambda f: f.topics["taskrunners"]["taskrunners"]["r1"]["state"] == "ENROLLING", "the run")
        assert "1 more SWOPs to enrol" in feed.topics["taskrunners"]["taskrunners"]["r1"]["waits"]
        refused = feed.act("assign_task", task="t2", taskrunner="r1", peers=1)
        assert refused["code"] == "refused", refused
        assert feed.act("reset_taskrunner", taskrunner="r1", note="x" * 161)["code"] == "invalid"
        assert feed.act("reset_taskrunner", taskrunner="r1", note="not <b>needed</b>")["done"]
        assert feed.act("remove_node", node="0x12")["code"] == "invalid"
        assert feed.ask("last_lines", taskrunner="r1", swop="0x" + "0" * 40)["code"] == "not_found"


@pytest.mark.parametrize(
    "message",
    [
        "", "{", "[]", "null", '{"type":"login","token":"x"}', '{"type":"watch","topic":"network","rights":"operator"}',
        '{"type":"watch","topic":"/etc/passwd"}', b"\x00\x01", "[" * 5000,
    ],
)  # fmt: skip
def test_what_no_page_of_ours_says_ends_the_connection(page, cookie, message):
    with Feed(page, cookie=cookie) as feed:
        feed.say(message)
        assert feed.close_code() == 1008


def test_messages_are_bounded_in_size_and_number(page, cookie):
    with Feed(page, cookie=cookie) as feed:
        with contextlib.suppress(ConnectionClosed):
            feed.say("x" * 200_000)
        assert feed.close_code() in (1009, 1006)
    with Feed(page, cookie=cookie) as feed:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(500):
                feed.say({"type": "unwatch", "topic": "network"})
        assert feed.close_code() in (1008, 1006)
    assert page.ask(headers=[("Cookie", cookie)]).status == 200


def detail(page):
    return page.admin("actor", name="/ui/feed")["detail"]


def resident(page):
    """Its memory, in bytes."""
    (line,) = re.findall(r"VmRSS:\s+(\d+) kB", pathlib.Path(f"/proc/{page.pid}/status").read_text())
    return int(line) * 1024


def test_fifty_browsers_watch(page, cookie, sn):
    before = resident(page)
    feeds = [Feed(page, cookie=cookie).watch("network", "trainings", "tasks", "taskrunners") for _ in range(50)]
    try:
        for feed in feeds:
            feed.until(lambda f: len(f.topics) == 4, "four topics")
        with Feed(page, certificate="probe") as operator:
            operator.act("create_contract", contract="fifty")
        for feed in feeds:
            feed.until(lambda f: "fifty" in f.topics["trainings"]["contracts"], "the contract")
        assert detail(page)["browsers"] >= 50
        assert resident(page) - before < 64 * 1024 * 1024
    finally:
        for feed in feeds:
            feed.__exit__()


def test_a_training_is_shown_while_it_goes_on(swarm, certs, folder):
    swarm.start_sn()
    page = Page(folder, certs, swarm.sn.port)
    swarm.others.append(page)
    page.start().wait_up()
    name = "defaultbb.cqdb.sml.hpe"
    with Feed(page, cookie=page.log_in()).watch("network", "trainings", f"training/{name}") as feed:
        feed.watch("training/none").until(lambda f: f.absent["training/none"], "what is not there")
        feed.until(lambda f: f.topics[f"training/{name}"]["phase"] == "collecting", "the contract")
        sls = [swarm.add_sl(), swarm.add_sl()]
        meet = Meeting(2)
        programs = [
            Program(sl, trains([MODEL] * 3, between=meet, loss=lambda _: (0.5, 0.75), minPeers=2)) for sl in sls
        ]
        feed.until(lambda f: f.topics["trainings"]["contracts"][name]["merged_round"] >= 1, "a merge")
        for program in programs:
            program.result()

        def ended(feed):
            training = feed.topics[f"training/{name}"]
            return training["phase"] == "complete" and training

        done = feed.until(ended, "the end")
        assert done["progress"] == 1
        assert {peer["name"] for peer in done["members"].values()} == {"sl-1", "sl-2"}
        assert done["merged"]["size"] > 0
        nodes = feed.topics["network"]["nodes"].values()
        assert {node["role"] for node in nodes} == {"SN", "SL", "SWCI"}
        assert all(node["expires_ms"] > 0 for node in nodes)
        check_history(feed, swarm.sn, name)


def proved_rounds(feed, name):
    """The newest rounds, once the contract was read with what the newest one has."""
    newest = feed.ask("rounds", contract=name, count=2)
    return newest if newest["rounds"][0].get("reports_proved") else None


def check_history(feed, sn, name):
    """What questions say of a training that is over is what the chain says."""
    merges = sn.merges()
    run = next(run for run in feed.ask("runs")["runs"] if run["contract"] == name)
    assert (run["state"], run["rounds"], run["peers"]) == ("complete", len(merges), 2)
    assert run["digest"] == f"0x{merges[-1].digest}"
    assert run["loss"] == run["best_loss"] == 0.5
    newest = until(lambda: proved_rounds(feed, name), "the newest reports to be compared with the contract")
    assert [each["round_num"] for each in newest["rounds"]] == [len(merges), len(merges) - 1]
    assert newest["more"]
    for each, merge in zip(newest["rounds"], reversed(merges)):
        assert each["merge"]["digest"] == f"0x{merge.digest}"
        assert each["merged_ms"] >= each["opened_ms"] > 0
        kinds = [event["kind"] for event in each["events"]]
        assert kinds.count("checked_in") == 2
        assert kinds.index("checked_in") < kinds.index("merge_committed") < kinds.index("merge_accepted")
        assert all(event["txn"].startswith("0x") and event["time_ms"] for event in each["events"])
    older = feed.ask("rounds", contract=name, before=len(merges) - 1)
    assert [each["round_num"] for each in older["rounds"]] == list(range(len(merges) - 2, 0, -1))
    assert not older["more"]
    series = feed.ask("series", contract=name)
    assert series["rounds"] == list(range(1, len(merges) + 1))
    assert {peer["name"] for peer in series["peers"].values()} == {"sl-1", "sl-2"}
    assert all(peer["loss"] == [0.5] * len(merges) for peer in series["peers"].values())
    block = feed.ask("block", number=newest["rounds"][0]["merge"]["block_num"])
    assert newest["rounds"][0]["merge"]["txn"] in [txn["hash"] for txn in block["transactions"]]
    txn = feed.ask("transaction", hash=block["transactions"][0]["hash"])
    assert txn["ok"] and txn["block_num"] == block["block_num"]
    assert feed.ask("rounds", contract="nobody")["code"] == "not_found"
    assert feed.ask("transaction", hash="0x00")["code"] == "invalid"


def test_all_sns_gone_and_back(certs, folder):
    sn = SN(folder, certs)
    page = Page(folder, certs, sn.port)
    try:
        sn.start().wait_up()
        page.start().wait_up()
        with Feed(page, cookie=page.log_in()).watch("network", "trainings") as feed:
            feed.until(lambda f: f.topics["network"]["standing"]["connected"] and f.topics["trainings"], "the network")
            nodes = feed.until(lambda f: f.topics["network"]["nodes"], "nodes")
            feed.until(lambda f: f.topics["network"]["standing"]["read_ms"], "the time of reading")
            sn.kill9()
            feed.until(lambda f: not f.topics["network"]["standing"]["connected"], "the trouble")
            gone = feed.topics["network"]
            assert gone["standing"]["trouble"]
            assert gone["standing"]["read_ms"] > 0
            assert gone["nodes"].keys() == nodes.keys()
            refused = feed.act("create_contract", contract="x")
            assert refused["code"] == "unavailable"
            sn.start().wait_up()
            feed.until(lambda f: f.topics["network"]["standing"]["connected"], "the SN to be back")
            assert feed.act("create_contract", contract="y")["done"]
            feed.until(lambda f: "y" in f.topics["trainings"]["contracts"], "the contract")
    finally:
        page.clean_up()
        sn.clean_up()
