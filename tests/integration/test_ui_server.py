"""The server of the management page: who is let in, what the feed shows of real swarms, and what attacks on it come to."""

import gzip
import json
import socket
import threading

import pytest
from feed_client import Feed
from harness import SN, Failure, Swarm, trains, until
from launcher.page import Page
from websockets.exceptions import InvalidStatus

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
    evil = f"evil.example.org:{page.port}"
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
        assert other.ask("POST", "/logout", [("Cookie", cookie), ("Origin", f"http://{other.host}")], plain=True).status == 200
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
        feed.say("x" * 200_000)
        assert feed.close_code() in (1009, 1006)
    with Feed(page, cookie=cookie) as feed:
        for _ in range(500):
            try:
                feed.say({"type": "unwatch", "topic": "network"})
            except Exception:
                break
        assert feed.close_code() in (1008, 1006)
    assert page.ask(headers=[("Cookie", cookie)]).status == 200


def test_who_does_not_read_is_dropped_and_others_notice_nothing(page, cookie):
    with Feed(page, cookie=cookie) as good:
        good.watch("network")
        slow = Feed(page, cookie=cookie)
        slow.link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stop = threading.Event()

        def ask_and_never_read():
            number = 0
            while not stop.is_set():
                number += 1
                try:
                    slow.link.protocol.send_text(
                        json.dumps({"type": "watch", "topic": "network"}).encode()
                    )
                    for data in slow.link.protocol.data_to_send():
                        slow.link.socket.sendall(data)
                except Exception:
                    return
                stop.wait(0.02)

        thread = threading.Thread(target=ask_and_never_read, daemon=True)
        thread.start()
        until(lambda: not thread.is_alive() or detail(page)["dropped"] > 0, "the slow one to be dropped")
        stop.set()
        assert detail(page)["unread_bytes"] < 64 << 20
        good.until(lambda f: f.topics["network"]["head"]["block_num"] > 0, "the network")


def detail(page):
    return page.admin("actor", name="/ui/feed")["detail"]


def test_fifty_browsers_watch(page, cookie, sn):
    feeds = [Feed(page, cookie=cookie).watch("network", "trainings", "tasks", "taskrunners") for _ in range(50)]
    try:
        for feed in feeds:
            feed.until(lambda f: len(f.topics) == 4, "four topics")
        with Feed(page, certificate="probe") as operator:
            operator.act("create_contract", contract="fifty")
        for feed in feeds:
            feed.until(lambda f: "fifty" in f.topics["trainings"]["contracts"], "the contract")
        assert detail(page)["browsers"] >= 50
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
        programs = [trains(sl, rounds=3, min_peers=2) for sl in sls]
        feed.until(lambda f: f.topics["trainings"]["contracts"][name]["merged_round"] >= 1, "a merge")
        for program in programs:
            program.result()
        done = feed.until(lambda f: f.topics[f"training/{name}"]["phase"] == "complete" and f.topics[f"training/{name}"], "the end")
        assert done["progress"] == 1
        assert {peer["name"] for peer in done["members"].values()} == {"sl-1", "sl-2"}
        assert done["merged"]["size"] > 0
        nodes = feed.topics["network"]["nodes"].values()
        assert {node["role"] for node in nodes} == {"SN", "SL", "SWCI"}
        assert all(node["expires_ms"] > 0 for node in nodes)


def test_all_sns_gone_and_back(certs, folder):
    sn = SN(folder, certs)
    page = Page(folder, certs, sn.port)
    try:
        sn.start().wait_up()
        page.start().wait_up()
        with Feed(page, cookie=page.log_in()).watch("network", "trainings") as feed:
            feed.until(lambda f: f.topics["network"]["standing"]["connected"] and f.topics["trainings"], "the network")
            nodes = feed.until(lambda f: f.topics["network"]["nodes"], "nodes")
            sn.kill9()
            gone = feed.until(lambda f: not f.topics["network"]["standing"]["connected"] and f.topics["network"], "the trouble")
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
