"""What browsers get of the page's server beside topics: proofs, models, whom to trust; and votes for motions."""

import contextlib
import hashlib
import http.client
import json
import os
import re
import signal
import ssl
import subprocess

import numpy as np
import pytest
from feed_client import Feed
from harness import (
    BIN,
    DEFAULT_CONTRACT,
    ROOT,
    Certs,
    Meeting,
    Program,
    inspect_program,
    says,
    trains,
    until,
)
from launcher.page import Page
from launcher.processes import free_port

MODELS = [{"w": np.full(300_000, value, np.float32)} for value in (1.5, 2.5, 3.5)]
UI = ROOT / "ui"


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def trained(swarm, certs, folder):
    """A training of two SLs that is over, and a page; swci-1 may only look."""
    swarm.start(sls=2)
    meet = Meeting(2)
    programs = [Program(sl, trains(MODELS[:2], MODELS[2], meet, minPeers=2)) for sl in swarm.sls]
    page = Page(folder, certs, swarm.sn.port, flags=["--ui-operator", "probe"])
    swarm.others.append(page)
    page.start().wait_up()
    for program in programs:
        program.result()
    return swarm, page


def test_readers_save_proofs_and_models(trained):
    swarm, page = trained
    merges = {merge.round_num: merge for merge in swarm.sn.merges()}
    newest = max(merges)
    with Feed(page, certificate="swci-1").watch("network") as feed:
        feed.until(lambda f: f.topics["network"]["standing"]["connected"], "the network")
        assert feed.hello["you"]["rights"] == "reader"
        text = feed.ask("proof", contract=DEFAULT_CONTRACT, round=newest)["text"]
        file = swarm.folder / "proof.json"
        file.write_text(text)
        genesis = feed.until(lambda f: f.topics["network"]["genesis"], "the genesis block")
        done = run(inspect_program(), "verify", file, "--genesis", genesis)
        assert done.returncode == 0, (done.stdout, done.stderr)
        for contract, number, why in (("none", 1, "none"), (DEFAULT_CONTRACT, 99, "99")):
            for what in ("proof", "model"):
                refused = feed.ask(what, contract=contract, round=number)
                assert refused["type"] == "refused" and says(refused["why"], why), refused
        check_model(swarm, page, feed, merges)


def asked(certs, certificate, port, path):
    """Status and body of what a node answers to this certificate."""
    link = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=certs.context(certificate))
    with contextlib.closing(link):
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read()


def test_sns_and_sls_tell_their_logs_to_their_own_organisation(swarm, certs, folder):
    swarm.start(sls=1)
    page = Page(folder, certs, swarm.sn.port)
    swarm.others.append(page)
    page.start().wait_up()
    with Feed(page, cookie=page.log_in()).watch("network") as feed:
        nodes = feed.until(lambda f: len(f.topics["network"]["nodes"]) == 3 and f.topics["network"]["nodes"], "nodes")
        by_name = {node["name"]: uid for uid, node in nodes.items()}
        until(lambda: sn_of(feed), "the address of the SN's API")
        for name, source in (("sn-1", "swarm.blCnt"), ("sl-1", "swarm.SL")):
            lines = feed.ask("log", node=by_name[name])["lines"]
            assert source in {line["source"] for line in lines}
            assert [line["number"] for line in lines] == list(range(lines[0]["number"], lines[-1]["number"] + 1))
            newer = feed.ask("log", node=by_name[name], after=lines[-1]["number"])["lines"]
            assert all(line["number"] > lines[-1]["number"] for line in newer)
            anew = feed.ask("log", node=by_name[name], after=10**9)["lines"]
            assert anew[0] == lines[0], "who knows more lines than there are has seen another process"
        refused = feed.ask("log", node=next(uid for uid, node in nodes.items() if node["role"] == "SWCI"))
        assert refused["code"] == "not_found" and "on its host" in refused["why"]
    for port in (swarm.sn.port, swarm.sls[0].files_port):
        assert asked(certs, "swci-1", port, "/log/0")[0] == 200
        for other in ("sl-1", "sn-2", "swop-1"):
            status, said = asked(certs, other, port, "/log/0")
            assert status == 403 and b"swarm." not in said, (other, port)
        for odd in ("/log/", "/log/-1", "/log/0/", "/log/99999999999999999999"):
            assert asked(certs, "swci-1", port, odd)[0] in (400, 403, 404), (odd, port)


def check_model(swarm, page, feed, merges):
    newest, reader = max(merges), {"certificate": "swci-1"}
    digest = merges[newest].digest
    found = feed.ask("model", contract=DEFAULT_CONTRACT)
    assert (found["path"], found["round_num"]) == (f"/models/{digest}.safetensors", newest)
    answer = page.ask(path=found["path"], **reader)
    raw = swarm.sls[0].model_file(digest)
    assert answer.status == 200 and answer.content == raw and len(raw) == found["bytes"]
    assert answer.headers["Content-Disposition"] == "attachment"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    part = page.ask(path=found["path"], headers=[("Range", "bytes=8-15")], **reader)
    assert (part.status, part.content) == (206, raw[8:16])
    # It has the gate of everything else.
    assert page.ask(path=found["path"]).status == 401
    assert page.ask(path=found["path"], headers=[("Origin", "https://evil.example.org")], **reader).status == 403
    assert page.ask(path=found["path"], headers=[("Host", "evil.example.org")], **reader).status == 403
    for odd in ("", "../node.key", f"{digest[:-1]}x.safetensors", f"{'0' * 64}.safetensors"):
        odd = f"/models/{odd}"
        assert page.ask(path=odd, **reader).status == 404, odd
    # One model is kept, and what nobody serves any more is refused in words.
    again = feed.ask("model", contract=DEFAULT_CONTRACT, round=newest - 1)
    assert page.ask(path=again["path"], **reader).status == 200
    assert page.ask(path=found["path"], **reader).status == 404
    assert len(list(page.data_dir.glob("*/models/*"))) == 1
    for sl in swarm.sls:
        sl.kill9()
    refused = feed.ask("model", contract=DEFAULT_CONTRACT)
    assert refused["code"] == "unavailable" and says(refused["why"], "no peer serves the model")


def test_how_merges_are_verified_is_an_order(certs, sn, folder):
    page = Page(folder, certs, sn.port, flags=["--ui-operator", "probe"])
    try:
        page.start().wait_up()
        with Feed(page, certificate="probe").watch("network", "training/verified") as feed:
            feed.until(lambda f: f.topics["network"]["standing"]["connected"], "the network")
            assert feed.act("create_contract", contract="verified")["done"]
            shown = feed.until(lambda f: f.topics["training/verified"], "the contract")
            assert shown["verify"] == "before"
            for when in ("behind", "off", "before"):
                assert feed.act("verify_merges", contract="verified", when=when)["done"]
                feed.until(lambda f, when=when: f.topics["training/verified"]["verify"] == when, when)
            refused = feed.act("verify_merges", contract=DEFAULT_CONTRACT, when="off")
            assert refused["code"] == "refused", refused
            assert feed.act("verify_merges", contract="verified", when="never")["code"] == "invalid"
            lines = feed.ask("log")["lines"]
            assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
            assert any(says(line["text"], "verified") for line in lines), "every order is logged"
            assert not any(page.link().split("=")[1] in line["text"] for line in lines)
            newer = feed.ask("log", after=lines[-2]["number"])["lines"]
            assert newer[0] == lines[-1]
        with Feed(page, certificate="swci-1") as reader:
            assert reader.act("verify_merges", contract="verified", when="off")["code"] == "not_allowed"
            assert reader.ask("log")["code"] == "not_allowed"
    finally:
        page.clean_up()


def test_an_organisation_votes_for_what_another_one_has_moved(swarm, tmp_path, inspect):
    own, other, third = (Certs(tmp_path / name, "sn-1", "swci-1") for name in ("own", "other", "third"))
    authorities = [next(iter(certs.capath.iterdir())) for certs in (own, other, third)]
    (own.capath / "partner.pem").write_text(authorities[1].read_text())
    (other.capath / "partner.pem").write_text(authorities[0].read_text())
    swarm.certs = own
    swarm.start_sn()
    page = Page(swarm.folder, other, swarm.sn.port)
    swarm.others.append(page)
    page.start().wait_up()
    with Feed(page, cookie=page.log_in()).watch("network") as feed:
        # Both organisations have a member that votes, so neither decides alone.
        feed.until(
            lambda f: [each["members"] > 0 for each in f.topics["network"]["organisations"].values()] == [True, True],
            "both organisations",
        )
        uid = next(uid for uid, node in feed.topics["network"]["nodes"].items() if node["role"] == "SN")
        until(lambda: sn_of(feed), "the address of the SN's API")
        assert feed.ask("log", node=uid)["code"] == "not_allowed", "its SN is another organisation's"
        inspect(swarm.sn, "vote", "admit", "Clinic C", authorities[2])
        motions = feed.until(lambda f: f.topics["network"]["motions"], "the motion")
        (key,) = motions
        assert len(motions[key]["voters"]) == 1
        assert feed.act("vote_for", motion="0x" + "1" * 64)["code"] == "not_found"
        assert "ADMIT" in feed.act("vote_for", motion=key)["done"]
        feed.until(
            lambda f: "Clinic C" in [each["name"] for each in f.topics["network"]["organisations"].values()],
            "the organisation to be admitted",
        )
        # In a network by SPIFFE an organisation is a trust domain.
        for odd in ("spiffe://", "spiffe://clinic.example/sl"):
            refused = feed.act("admit_organisation", organisation="Clinic S", anchors=odd)
            assert refused["type"] == "refused" and says(refused["why"], "is no trust domain"), refused
        assert "ADMIT" in feed.act("admit_organisation", organisation="Clinic S", anchors="spiffe://clinic.example")["done"]
        motions = feed.until(lambda f: f.topics["network"]["motions"], "the motion")
        assert [(each["name"], len(each["anchors"])) for each in motions.values()] == [("Clinic S", 1)]


def bundle(folder, wish):
    """The script that the page makes of these wishes."""
    code = folder / "join_bundle.mjs"
    esbuild = UI / "node_modules/.bin/esbuild"
    packed = [esbuild, UI / "src/base/join_bundle.ts", "--bundle", "--format=esm", f"--outfile={code}"]
    subprocess.run(packed, check=True, capture_output=True, timeout=60)
    text = (
        f"import {{ bundleOf, wrongWith }} from {json.dumps(str(code))};"
        f"const wish = {json.dumps(wish)}; if (wrongWith(wish)) throw new Error(wrongWith(wish));"
        "process.stdout.write(bundleOf(wish));"
    )
    done = run("node", "--input-type=module", "-e", text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def give(certs, folder, names):
    """What the organisation does: keys and certificates, under the names that the script wants."""
    target = folder / "cert"
    target.mkdir(parents=True, exist_ok=True)
    for name, source in names.items():
        for kind in ("key", "cert"):
            made = target / f"{name}-{kind}.pem"
            made.write_bytes((certs.folder / f"{source}-{kind}.pem").read_bytes())
            made.chmod(0o600)


def test_a_host_joins_by_the_script_that_the_page_makes(swarm, certs, folder):
    if not (UI / "node_modules/.bin/esbuild").exists():
        pytest.skip("the packages of ui/ are not there (./run deps test)")
    swarm.start_sn()
    page = Page(folder, certs, swarm.sn.port)
    swarm.others.append(page)
    page.start().wait_up()
    with Feed(page, cookie=page.log_in()).watch("network", "taskrunners") as feed:
        feed.until(lambda f: f.topics["network"]["genesis"] and f.topics["network"]["nodes"], "the network")
        network = feed.topics["network"]
        anchors = feed.ask("anchors")["anchors"]
        (mine,) = [each for each in anchors if each["own"]]
        assert mine["fingerprint"] == "0x" + hashlib.sha256(ssl.PEM_cert_to_DER_cert(mine["pem"])).hexdigest()
        assert "PRIVATE" not in json.dumps(anchors)
        at = until(lambda: sn_of(feed), "the SN's address")
        wish = {
            "host": "127.0.0.1", "sn": at, "genesis": network["genesis"], "anchors": anchors,
            "taskrunner": "defaulttaskbb.taskdb.sml.hpe", "pairs": 2, "manager": "PROCESS",
        }  # fmt: skip
        check_profiles(certs, swarm.folder, wish)
        joins(feed, certs, swarm, wish)


def sn_of(feed):
    feed.take(0.2)
    return next((n["api_endpoint"] for n in feed.topics["network"]["nodes"].values() if "api_endpoint" in n), None)


def run_script(folder, text, **more):
    script = folder / "join.sh"
    script.write_text(text)
    env = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.Popen(
        ["sh", script], cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **more
    )


def check_profiles(certs, folder, wish):
    """swarmd takes the profiles of all roles, and the script says which certificates are missing."""
    for role, ports, names in (
        ("SL", ["30305"], {"sl-9": "sl-1"}),
        ("SWOP", [], {"swop-9": "swop-1", "swop-9-sl-1": "sl-1", "swop-9-sl-2": "sl-2"}),
    ):
        name = next(iter(names))
        place = folder / "joined" / name
        text = bundle(folder, wish | {"role": role, "name": name, "folder": str(place), "ports": ports})
        text = re.sub(r"swarmd doctor .*\nexec (swarmd .*)", r"exec \1 --check", text)
        early = run_script(folder, text)
        assert f"{place}/cert/{name}-key.pem is missing" in early.communicate(timeout=60)[0]
        assert early.returncode == 1
        give(certs, place, names)
        checked = run_script(folder, text)
        said = checked.communicate(timeout=60)[0]
        assert checked.returncode == 0, said
        assert wish["genesis"] in said and str(place / "ca") in said


def is_sn_9(node):
    return node["name"] == "sn-9" and node["active"] and node["alive"]


def joins(feed, certs, swarm, wish):
    place = swarm.folder / "joined" / "sn-9"
    ports = [str(free_port()), str(free_port())]
    text = bundle(swarm.folder, wish | {"role": "SN", "name": "sn-9", "folder": str(place), "ports": ports})
    give(certs, place, {"sn-9": "sn-2"})
    joined = run_script(swarm.folder, text, start_new_session=True)
    try:
        feed.until(lambda f: any(map(is_sn_9, f.topics["network"]["nodes"].values())), "sn-9 to be a member")
    finally:
        os.killpg(joined.pid, signal.SIGTERM)  # the shell, and swarmd in it
        said = joined.communicate(timeout=60)[0]
    print(said)
