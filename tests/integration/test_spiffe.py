"""Nodes whose certificates come from a SPIFFE agent: rotated, federated, withdrawn, refused, and left alone by it."""

import re
import socket
import ssl
import subprocess
import threading
import time

import grpc
import numpy as np
import pytest
import spiffe
from harness import BIN, PATIENCE, Program, until
from launcher.page import Page
from registration import Node
from spiffe_agent import Agent, Agents, TrustDomain

AT_ONCE = ["--wait-for-full-quorum", "1"]


def model(value):
    return {"w": np.full(1000, value, np.float32)}


def trains_until(done, **session):
    """A program's work: a sync after the other until `done` is set."""

    def work(client):
        client.open(**session)
        while not done.wait(0.1):
            client.sync(model(1))
        client.close(model(1))
        return client

    return work


@pytest.fixture
def domain():
    return TrustDomain("org1.example")


@pytest.fixture
def make(folder, swarm):
    """Makes agents; they end after the swarm."""
    made = []

    def make(domain, **options):
        made.append(Agents(f"{folder}/a{len(made)}", domain, **options))
        return made[-1]

    yield make
    swarm.clean_up()
    for each in made:
        each.stop()


@pytest.fixture
def agents(swarm, make, domain):
    swarm.certs = make(domain)
    return swarm.certs


def identity(swarm, agents, **options):
    """An SL with an SVID of these agents."""
    return swarm.add_sl(identity=agents.flags("sl-1"), **options)


def train(sn, sls, while_training, **session):
    """Runs programs until `while_training` is over, and a merge after it; gives their results."""
    done = threading.Event()
    programs = [Program(sl, trains_until(done, **session)) for sl in sls]
    until(lambda: len(sn.merges()) >= 1, "a first merge", alive=[sn, *sls])
    while_training()
    merges = len(sn.merges())
    until(lambda: len(sn.merges()) > merges + 1, "merges after that", alive=[sn, *sls])
    done.set()
    for program in programs:
        program.result()
    until(sn.completed, "the training to be complete", alive=[sn])


def refused(*arguments):
    """What swarmd says to these settings of an SN."""
    command = [BIN / "swarmd", "--check", "--role", "sn", "--sentinel", "--host-ip", "127.0.0.1", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1, done.stdout
    (line,) = done.stderr.strip().splitlines()
    return line


def test_an_agent_gives_two_nodes_what_they_train_with(swarm, agents):
    sn = swarm.start_sn()
    sn.wait_log(r"founder of the chain: the organisation 'org1.example' with 1 trusted CA, this SN's own")
    sls = [swarm.add_sl(), swarm.add_sl()]
    train(sn, sls, lambda: None, minPeers=2)
    assert Node(sn.rpc, sls[0].node_account).active


def test_svids_that_rotate_every_few_seconds_drop_no_training(swarm, make, domain):
    agents = swarm.certs = make(domain, seconds=10, rotate_every=2.5)
    sn = swarm.start_sn()
    second = swarm.join_sn("sn-2")
    sls = [swarm.add_sl(), swarm.add_sl(sn_port=second.port)]
    begun = time.time()

    def outlives_its_first_svids():
        """Membership is renewed on the chain before it ends, twice."""
        for sl in sls:
            until(lambda: Node(sn.rpc, sl.node_account).expiry > begun + 20, f"{sl.name} to renew", alive=[sn, *sls])  # noqa: B023
            assert Node(sn.rpc, sl.node_account).active

    train(sn, sls, outlives_its_first_svids, minPeers=2)
    assert agents.of["sl"].serial > 3
    for node in (sn, second, *sls):
        assert "the connection ends" not in node.log() and "has expired" not in node.log()


def test_a_trust_domain_is_federated_and_withdrawn(swarm, agents, make):
    theirs = TrustDomain("org2.example")
    foreign = make(theirs, roles=["sl"], federated=[agents.domain])
    agents.of["sn"].federate(theirs)
    agents.of["sl"].federate(theirs)
    sn = swarm.start_sn()
    sn.wait_log(r"founder of the chain: the organisation 'org2.example'")
    sls = [swarm.add_sl(flags=AT_ONCE), identity(swarm, foreign, flags=AT_ONCE)]
    done = threading.Event()
    programs = [Program(sl, trains_until(done, minPeers=1)) for sl in sls]
    until(lambda: any(len(merge.contributors) == 2 for merge in sn.merges()), "both to be merged", alive=[sn, *sls])
    gone = sls[1].node_account
    # Mostly the next merge is without it. Cut off between a check-in and what has to follow that, it is waited for by
    # the contract, 10 s of block time for each of these (docs/architecture.md, "A round").
    agents.of["sn"].federate()
    agents.of["sl"].federate()
    sn.wait_log(r"the connection ends, as its certificate spiffe://org2.example/sl of the organisation "
                r"spiffe://org2.example is one of a trust domain whose bundle")  # fmt: skip
    sn.wait_log(r"presented a certificate of a trust domain whose bundle .*: spiffe://org2.example/sl; to accept it")
    until(lambda: gone not in sn.merges()[-1].contributors, "a merge without it", alive=[sn, sls[0]])
    done.set()
    programs[0].result()


def test_an_agent_that_stays_away_until_its_svid_ends(swarm, agents, folder, domain):
    """An hour is seconds here. The node is left out, others go on, and it comes back with its agent."""
    brief = Agent(f"{folder}/brief.sock", domain, "/host-2/sl", seconds=8, rotate_every=2)
    try:
        sn = swarm.start_sn()
        sls = [swarm.add_sl(flags=AT_ONCE), swarm.add_sl(identity=["--socket-path", brief.socket], flags=AT_ONCE)]
        done = threading.Event()
        programs = [Program(sl, trains_until(done, minPeers=1)) for sl in sls]

        def merged_with(count, what):
            until(lambda: sn.merges() and len(sn.merges()[-1].contributors) == count, what, alive=[sn, *sls])

        merged_with(2, "both to be merged")
        brief.stop()
        sls[1].wait_log(r"the SVID spiffe://org1.example/host-2/sl has expired: other nodes take no new connection of "
                        r"this one until the SPIFFE agent at .*/brief.sock gives the next one")  # fmt: skip
        merged_with(1, "a merge without it")
        assert not Node(sn.rpc, sls[1].node_account).active
        brief.rotate()
        brief.start()
        merged_with(2, "both to be merged again")
        done.set()
        for program in programs:
            program.result()
        log = sls[1].log()
        for said in ("stays in use until", "has expired: other nodes", "answers again"):
            assert log.count(said) == 1, said
    finally:
        swarm.clean_up()
        brief.stop()


def test_a_peer_with_a_wrong_svid_is_refused_in_one_line(swarm, agents, folder, domain):
    sn = swarm.start_sn()
    foreign = TrustDomain("org9.example")
    cases = (
        (domain, "/old/sl", {"seconds": -60}, r"that has expired: spiffe://org1\.example/old/sl \(ended "),
        (domain, "/signs/sl", {"usage": ("digital_signature", "key_cert_sign")}, r"that may sign others.*/signs/sl"),
        (domain, "/ca/sl", {"authority": True}, r"that may sign others.*/ca/sl"),
        (foreign, "/sl", {}, r"of a trust domain whose bundle the SPIFFE agent does not give: spiffe://org9\.example/sl"),
        (domain, "/none", {"uris": []}, r"without a SPIFFE ID"),
        (domain, "/two", {"uris": [f"{domain.id}/a/sl", f"{domain.id}/b/sl"]}, r"with several URIs"),
        (foreign, "/lies", {"uris": [f"{domain.id}/lies/sl"]}, r"from an unknown CA: .*spiffe://org1\.example/lies/sl"),
    )
    for number, (of, path, faults, says) in enumerate(cases, 2):
        source = (f"127.0.0.{number}", 0)  # of one address there are few lines a minute
        context = of.context(path, folder=folder, **faults)
        context.verify_mode = ssl.CERT_NONE
        with socket.create_connection((sn.host, sn.port), PATIENCE, source) as raw, pytest.raises(OSError):
            with context.wrap_socket(raw) as link:
                link.sendall(b"POST / HTTP/1.1\r\n\r\n")
                assert link.recv(1), "it is refused by TLS"
        sn.wait_log(f"presented a certificate {says}")
        assert len(re.findall(f"presented a certificate {says}", sn.log())) == 1, says


def test_the_agent_is_killed_and_started_again_in_mid_training(swarm, agents):
    sn = swarm.start_sn()
    sls = [swarm.add_sl(), swarm.add_sl()]

    def dies():
        agents.of["sl"].stop()
        sls[0].wait_log(r"the SPIFFE agent at .*; spiffe://org1.example/sl stays in use until")
        merges = len(sn.merges())
        until(lambda: len(sn.merges()) > merges, "a merge without the agent", alive=[sn, *sls])
        agents.of["sl"].rotate()
        agents.of["sl"].start()
        sls[0].wait_log(r"the SPIFFE agent at .* answers again")
        sls[0].wait_log(r"the SPIFFE agent gives the SVID spiffe://org1.example/sl")

    train(sn, sls, dies, minPeers=2)
    assert sls[0].log().count("stays in use until") == 1


def test_what_cannot_be_used_is_said_in_one_line(folder, domain):
    socket = f"{folder}/agent.sock"
    absent = f"no SPIFFE agent answers at {socket}: No such file or directory; start it, or correct the path"
    assert absent in refused("--socket-path", socket)
    agent = Agent(socket, domain, "/sn")
    try:
        agent.refuse()
        said = refused("--socket-path", f"unix://{socket}")
        assert "gives this process no identity: it ended the call: PermissionDenied: no identity issued" in said
        agent.allow()
        other = TrustDomain("org9.example")
        for faults, says in (
            ({"seconds": -60}, "has in its chain a certificate that has expired (ended "),
            ({"uris": []}, "is a certificate without a SPIFFE ID"),
            ({"uris": [f"{domain.id}/sn", f"{domain.id}/sl"]}, "is a certificate with several URIs"),
            ({"uris": [f"{other.id}/sn"]}, "is a certificate of spiffe://org9.example/sn"),
            ({"authority": True}, "is a certificate that may sign others"),
            ({"usage": ("digital_signature", "key_cert_sign")}, "is a certificate that may sign others"),
        ):
            agent.rotate(**faults)
            assert says in refused("--socket-path", socket), faults
        agent.refuse(grpc.StatusCode.UNAVAILABLE, "starting")
        assert "it ended the call: Unavailable: starting" in refused("--socket-path", socket)
    finally:
        agent.stop()


def test_the_page_is_shown_to_the_svid_of_a_swci(swarm, agents):
    sn = swarm.start_sn()
    page = Page(swarm.folder, agents, sn.port)
    swarm.others.append(page)
    page.start().wait_up()
    assert page.ask(certificate="sl-1").status == 401
    assert page.ask(certificate="swci-1").status == 200


def test_a_node_waits_at_first_for_an_agent_that_is_late(swarm, folder, domain, make):
    agents = swarm.certs = make(domain, roles=["sn"])
    agents.of["sn"].refuse()
    sn = swarm.sn_type(swarm.folder, agents)
    swarm.sn = sn.start()
    sn.wait_log(r"gives this process no identity: .*; it is waited for, 30 s at most")
    agents.of["sn"].allow()
    sn.wait_up()


def test_doctor_says_what_the_agent_gave(agents, folder):
    agents.of["sl"].federate(TrustDomain("org2.example"))
    command = [BIN / "swarmd", "doctor", "--role", "sl", "--host-ip", "127.0.0.1", "--sn-ip", "127.0.0.1"]
    command += ["--data-dir", f"{folder}/sl", *agents.flags("sl-1")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout
    assert "spiffe://org1.example/sl of the organisation spiffe://org1.example" in said
    assert "the SPIFFE agent gives the bundles of org1.example and org2.example" in said
    agents.of["sl"].stop()
    said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout
    assert "no SPIFFE agent answers at" in said
    agents.of["sl"].start()


def test_the_agent_of_these_tests_is_one_for_the_spiffe_package_too(folder, domain):
    agent = Agent(f"{folder}/agent.sock", domain, "/sn", federated=[TrustDomain("org2.example")])
    try:
        with spiffe.WorkloadApiClient(f"unix://{agent.socket}") as client:
            context = client.fetch_x509_context()
            assert str(context.default_svid.spiffe_id) == "spiffe://org1.example/sn"
            assert len(context.x509_bundle_set.bundles) == 2
    finally:
        agent.stop()
