"""Certificates that are renewed, revoked or come in while everything runs. Nothing is restarted."""

import hashlib
import http.client
import shutil
import ssl
import subprocess
import threading
import time

import numpy as np
import pytest
from harness import PATIENCE, ROOT, Certs, Program, until
from registration import Node

NODES = (*(f"sn-{number}" for number in range(1, 5)), *(f"sl-{number}" for number in range(1, 5)))
GONE_WITHIN = 5  # seconds
AT_ONCE = ["--wait-for-full-quorum", "1"]


def model(value):
    return {"w": np.full(1000, value, np.float32)}


def merges_of(sn):
    """How many there are; 0 while its server starts."""
    try:
        return len(sn.merges())
    except (OSError, http.client.HTTPException):
        return 0


def trains_until(done, **session):
    """A program's work: a sync after the other until `done` is set, with something to compute between them."""

    def work(client):
        client.open(**session)
        while not done.wait(0.2):
            client.sync(model(1))
        client.close(model(1))
        return client

    return work


def registered(sn, account):
    """The fingerprint of the certificate with which a node is a member."""
    return Node(sn.rpc, account).identity.hex()


class Own(Certs):
    """Certificates of this test alone, which may change."""

    def renew(self, name):
        command = [ROOT / "deploy" / "bin" / "gen-cert", "-o", self.folder, "--force", name]
        subprocess.run(command, check=True, capture_output=True)

    def fingerprint(self, name):
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert((self.folder / f"{name}-cert.pem").read_text())).hexdigest()

    def authority(self):
        """The command that stands for the authority, and its folder."""
        place = self.folder / "authority"
        place.mkdir(exist_ok=True)
        (place / "index").touch()
        (place / "config").write_text(
            f"[ca]\ndefault_ca = own\n[own]\ndatabase = {place}/index\ndefault_md = sha256\ndefault_crl_days = 1\n"
            f"new_certs_dir = {place}\nrand_serial = yes\npolicy = any\nunique_subject = no\n"
            "[any]\norganizationalUnitName = optional\ncommonName = supplied\n"
        )
        authority = ["-keyfile", self.folder / "ca" / "ca-key.pem", "-cert", self.capath / "ca-cert.pem"]
        return ["openssl", "ca", "-config", place / "config", *authority], place

    def shorten(self, name, seconds):
        """In place of its certificate one that ends so soon; gives the time of that."""
        command, place = self.authority()
        cert, key = self.folder / f"{name}-cert.pem", self.folder / f"{name}-key.pem"
        subject = ["-subj", f"/OU=Swarm-Learning/CN={name}"]
        asked = ["openssl", "req", "-new", "-key", key, *subject, "-out", place / "wanted"]
        subprocess.run(asked, check=True, capture_output=True)
        end = int(time.time()) + seconds
        until_then = ["-enddate", time.strftime("%Y%m%d%H%M%SZ", time.gmtime(end))]
        made = ["-batch", "-notext", "-preserveDN", *until_then, "-in", place / "wanted", "-out", cert]
        subprocess.run([*command, *made], check=True, capture_output=True)
        return end

    def revoke(self, *names):
        """A CRL beside the authority's certificate."""
        command, place = self.authority()
        for name in names:
            subprocess.run([*command, "-revoke", self.folder / f"{name}-cert.pem"], check=True, capture_output=True)
        subprocess.run([*command, "-gencrl", "-out", place / "crl"], check=True, capture_output=True)
        shutil.copy(place / "crl", self.capath / ".crl.pem")
        (self.capath / ".crl.pem").rename(self.capath / "crl.pem")


@pytest.fixture
def own(swarm, folder):
    swarm.certs = Own(f"{folder}/own", *NODES)
    return swarm.certs


def test_every_certificate_is_renewed_one_by_one_during_a_training(swarm, own):
    sns = [swarm.start_sn(), *(swarm.join_sn(f"sn-{number}") for number in range(2, 5))]
    until(lambda: len(sns[0].validators()) == 4, "four validators", alive=sns)
    sls = [swarm.add_sl(sn_port=sn.port, identity=own.flags(f"sl-{i}")) for i, sn in enumerate(sns, 1)]
    done = threading.Event()
    programs = [Program(sl, trains_until(done, minPeers=4)) for sl in sls]
    until(lambda: len(sns[0].merges()) >= 1, "a first merge", alive=sns + sls)
    for node, name in zip([*sns, *sls], NODES):
        own.renew(name)
        node.wait_log(rf"the certificate .*CN={name} \(serial \w+\) is in use from now on")
        merges = len(sns[0].merges())
        until(lambda: len(sns[0].merges()) > merges, f"a merge after {name}", alive=sns + sls)  # noqa: B023
    for sl, name in zip(sls, NODES[4:]):
        until(lambda: registered(sns[0], sl.node_account) == own.fingerprint(name), f"{name} to register")  # noqa: B023
    # The connections are made anew, now by the new certificates.
    merges = len(sns[0].merges())
    for sn in sns:
        sn.admin("kill", name="/sn/peers/hub")
    until(lambda: merges_of(sns[0]) > merges + 1, "merges after that", alive=sns + sls)
    done.set()
    for program in programs:
        program.result()
    until(sns[0].completed, "the training to be complete", alive=sns)


def test_a_certificate_is_revoked_during_a_training(swarm, own):
    sn = swarm.start_sn()
    sls = [swarm.add_sl(identity=own.flags(f"sl-{number}"), flags=AT_ONCE) for number in range(1, 4)]
    done = threading.Event()
    programs = [Program(sl, trains_until(done, minPeers=2)) for sl in sls]
    until(lambda: any(len(merge.contributors) == 3 for merge in sn.merges()), "all to be merged", alive=[sn, *sls])
    own.revoke("sl-3")
    revoked_at = time.monotonic()
    ends = sn.wait_log(r"the connection ends, as its certificate .*CN=(\S+) of the organisation .*has revoked")
    assert ends[1] == "sl-3" and time.monotonic() - revoked_at < GONE_WITHIN
    sls[2].wait_log(r"our certificate is revoked")
    gone = sls[2].node_account
    until(lambda: gone not in sn.merges()[-1].contributors, "a merge without it", alive=[sn, *sls[:2]])
    done.set()
    for program in programs[:2]:
        program.result()


def test_a_certificate_expires_during_a_training(swarm, own):
    sn = swarm.start_sn()
    end = own.shorten("sl-3", 25)
    sls = [swarm.add_sl(identity=own.flags(f"sl-{number}"), flags=AT_ONCE) for number in range(1, 4)]
    done = threading.Event()
    programs = [Program(sl, trains_until(done, minPeers=2)) for sl in sls]
    until(lambda: any(len(merge.contributors) == 3 for merge in sn.merges()), "all to be merged", alive=[sn, *sls])
    gone = sls[2].node_account
    assert Node(sn.rpc, gone).expiry == end
    sn.wait_log(r"the connection ends, as its certificate .*CN=sl-3 .*has expired")
    assert time.time() - end < GONE_WITHIN
    until(lambda: gone not in sn.merges()[-1].contributors, "a merge without it", alive=[sn, *sls[:2]])
    assert not Node(sn.rpc, gone).active
    done.set()
    for program in programs[:2]:
        program.result()


def test_an_authority_is_admitted_by_its_file_and_a_vote(swarm, own, folder, inspect):
    sn = swarm.start_sn()
    first = swarm.add_sl(identity=own.flags("sl-1"))
    other = Certs(f"{folder}/other", "sl-2")
    shutil.copy(own.capath / "ca-cert.pem", other.capath / "first.pem")
    second = swarm.add_sl(identity=other.flags("sl-2"))
    second.wait_log("does not know the CA of our certificate")
    shutil.copy(other.capath / "ca-cert.pem", own.capath / "other.pem")
    # Its connections are taken; a member it is by a vote.
    second.wait_log("which no organisation of this chain has; the organisations admit one by their votes")
    inspect(sn, "vote", "admit", "Clinic C", own.capath / "other.pem")
    done = threading.Event()
    programs = [Program(sl, trains_until(done, minPeers=2)) for sl in (first, second)]
    until(lambda: len(sn.merges()) >= 2, "merges of both", alive=[sn, first, second])
    done.set()
    for program in programs:
        program.result(2 * PATIENCE)
