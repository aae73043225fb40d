"""SWOP, its pairs, SWCI and the management page as members by SVIDs; a trust domain that an operator admits."""

import copy

import pytest
from feed_client import Feed
from harness import SL, Program, free_port, says, trains, until
from hospitals import NGINX_OWN, PROXIES, answers, find
from launcher.operators import OperatorSwarm
from launcher.page import Page
from launcher.processes import Process
from operated import TestSwarm
from spiffe_agent import Agents, TrustDomain
from test_spiffe import AT_ONCE, model
from websockets.exceptions import InvalidStatus

ROLES = ("sn", "sl", "swci", "swop")


@pytest.fixture
def domain():
    return TrustDomain("org1.example")


@pytest.fixture
def clinic():
    return TrustDomain("clinic.example")


@pytest.fixture
def agents(folder, domain):
    made = Agents(f"{folder}/a", domain, roles=ROLES)
    yield made
    made.stop()


@pytest.fixture
def clinics(folder, domain, clinic):
    """Agents of its SLs."""
    made = Agents(f"{folder}/b", clinic, roles=["sl"], federated=[domain])
    yield made
    made.stop()


@pytest.fixture
def swarm(request, folder, agents, clinics):
    """Its nodes end before the agents do."""
    made = getattr(request, "param", OperatorSwarm)(folder, agents)
    made.sl_type = SL
    yield made
    if request.node.report_call.failed:
        print(made.report())
    made.clean_up()


def test_a_trust_domain_is_admitted_by_its_name(swarm, agents, clinics, clinic):
    swarm.start_sn()
    for agent in agents.of.values():
        agent.federate(clinic)
    ours = swarm.add_sl(flags=AT_ONCE)
    theirs = swarm.add_sl(identity=clinics.flags("sl-2"), flags=AT_ONCE)
    theirs.wait_log(r"the certificate spiffe://clinic.example/sl leads to the CA spiffe://clinic.example, "
                    r"which no organisation of this chain has")  # fmt: skip
    opening = swarm.opening().replace("EXIT ON FAILURE\n", "")
    orders = [f'ADMIT ORGANISATION "Clinic C" FROM {what}' for what in (f"{clinic.id}/sl", "spiffe://", clinic.id)]
    answer = swarm.swci.run(opening + "\n".join(orders) + "\nLIST ORGANISATIONS\nEXIT\n")
    for number, said in ((2, f"'{clinic.id}/sl' is no trust domain"), (3, "'spiffe://' is no trust domain")):
        assert "ERROR" in answer.printed(number) and says(answer.printed(number), said), answer.text
    assert "ERROR" not in answer.printed(4) and "Clinic C" in answer.printed(5), answer.text
    programs = [Program(sl, trains([model(1)] * 2, minPeers=2)) for sl in (ours, theirs)]
    for program in programs:
        program.result()
    assert all(len(merge.contributors) == 2 for merge in swarm.sn.merges())


@pytest.mark.parametrize("swarm", [TestSwarm], indirect=True, ids=["sandboxes"])
def test_swop_and_its_pairs_are_members_by_svids(swarm, agents):
    """Their agent is ended and started again meanwhile: in the sandbox it is found by its folder, with a new socket."""
    swarm.start_sn()
    swop = swarm.add_trainers(2)
    swarm.make_training(gated=True, MIN_PEERS=2, SYNCS=3)
    swarm.assign("train", "WITH 2 PEERS")
    swarm.wait_at_gate(0, 1)

    def said(text):
        texts = [output for name, output in swop.outputs().items() if name.endswith(".sl")]
        return len(texts) == 2 and all(text in each for each in texts)

    assert said("gives the SVID spiffe://org1.example/sl (serial ")
    agents.of["sl"].stop()
    until(lambda: said("spiffe://org1.example/sl stays in use until"), "SLs to miss their agent", alive=[swop])
    agents.of["sl"].rotate()
    agents.of["sl"].start()
    serial = f"{agents.of['sl'].made[0].serial_number:X}"
    until(lambda: said(f"(serial {serial})"), "SLs to have the next SVID", alive=[swop])
    swarm.open_gate()
    status = swarm.wait_task()
    assert (status.field("TASK_STATE"), status.field("COMPLETED_PEERS")) == ("COMPLETE", "2")
    assert swarm.result_of(0) == swarm.result_of(1) == [0.5] * 4


def entrance(folder, certs, page, port):
    """The nginx of the example, with a certificate that browsers know; gives the page as they see it."""
    own = folder / "nginx"
    own.mkdir()
    key, cert, _ = certs.flags("probe")[1::2]
    text = (PROXIES / "page.conf").read_text().replace("worker_processes auto;", NGINX_OWN.format(own=own))
    for there, here in (
        ("listen 443", f"listen 127.0.0.1:{port}"), ("127.0.0.1:30302", f"127.0.0.1:{page.port}"),
        ("/etc/ssl/certs/page.pem", cert), ("/etc/ssl/private/page.key", key), ("page.h1;", "localhost;"),
    ):  # fmt: skip
        assert text.count(there) == 1, there
        text = text.replace(there, str(here))
    (own / "nginx.conf").write_text(text)
    outside = copy.copy(page)
    outside.host, outside.port, outside.certs = f"localhost:{port}", port, certs
    return Process("nginx", [find("nginx"), "-c", own / "nginx.conf", "-e", own / "error.log"], folder), outside


@pytest.mark.skipif(not find("nginx"), reason="no nginx: install the package nginx-light")
def test_the_page_behind_an_nginx_acts_by_its_svid(swarm, agents, certs):
    swarm.start_sn()
    port = free_port()
    page = Page(swarm.folder, agents, swarm.sn.port, flags=["--ui-plain", "--ui-host", f"localhost:{port}"])
    nginx, outside = entrance(swarm.folder, certs, page, port)
    swarm.others += [page, nginx]
    page.start().wait_up()
    nginx.start()
    until(lambda: answers("127.0.0.1", port), "nginx to listen", alive=[nginx])
    assert outside.ask().status == 401
    assert outside.ask(certificate="swci-1").status == 401  # it stays with the proxy
    answer = outside.ask(path=page.link())
    assert answer.status == 200 and "Secure" in answer.headers["Set-Cookie"]
    cookie = answer.headers["Set-Cookie"].split(";")[0]
    assert outside.ask(headers=[("Cookie", cookie)]).status == 200
    stranger = outside.ask(headers=[("Cookie", cookie), ("Host", f"127.0.0.1:{port}")])
    assert stranger.status == 403 and b"--ui-host NAME adds one" in stranger.content
    with pytest.raises(InvalidStatus) as refusal, Feed(outside, cookie=cookie, origin="https://elsewhere.example"):
        pass
    assert refusal.value.response.status_code == 403
    with Feed(outside, cookie=cookie).watch("network", "trainings") as feed:
        nodes = lambda f: [node for node in f.topics["network"]["nodes"].values() if node["role"] == "SWCI"]  # noqa: E731
        (node,) = feed.until(nodes, "the page among the nodes")
        assert (node["name"], node["organisation"]) == ("ui-1", 1), node
        assert feed.act("create_contract", contract="first")["done"] == "CONTRACT CREATED : first"
        agents.of["swci"].rotate()
        page.wait_log(f"the SPIFFE agent gives the SVID .*{agents.of['swci'].made[0].serial_number:X}")
        assert feed.act("create_contract", contract="second")["done"] == "CONTRACT CREATED : second"
        feed.until(lambda f: {"first", "second"} <= f.topics["trainings"]["contracts"].keys(), "both contracts")
