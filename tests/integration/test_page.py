"""The management page in a browser, against a swarm of two SNs, two SWOPs and four SLs: an operator's day, in order."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

import pytest
from browser import SIZES, THEMES
from feed_client import Feed
from harness import BIN, Certs, inspect_program, says, until
from launcher.operators import run_task
from paged import (
    CONTRACT,
    GATE_AFTER,
    PYTHON,
    RUNNER,
    SHARED,
    WITHOUT_SEATS,
    Stage,
    asked_sn,
    begin_anew,
    choose,
    close_notes,
    cookie_of,
    execute,
    fill_in_task,
    give,
    give_file,
    kill_a_leader,
    leave_dialog,
    make_task,
    open_round,
    reset_runner,
    take_pictures,
)  # fmt: skip

HOSTILE = """<img src=x onerror="window.hacked=1">&'{}"""
PRINTABLE = "".join(map(chr, range(33, 127))) + "\u00e4\u20ac\U0001f600"
# A browser whose clock is ten days ahead.
WRONG_CLOCK = "const real = Date.now; Date.now = () => real() + 864e6;"

# Each test goes on where the one before it has left the swarm.


@pytest.fixture(scope="module")
def stage(certs):
    folder = tempfile.mkdtemp(prefix="swarmd-page-")
    made = Stage(folder, certs)
    try:
        yield made
    finally:
        made.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def browser(stage):
    return stage.browser


def test_it_shows_the_network_at_first_sight(stage, browser):
    browser.sees("Live", "Overview", "No training is under way", "Nobody waits.")
    browser.go("nodes")
    browser.sees("sn-1", "sn-2", "swop-1", "swop-2", "validator")
    browser.fill("Find a node", "swop")
    browser.until(lambda: "sn-2" not in browser.text("#all-nodes"), "the nodes to be filtered")
    browser.fill("Find a node", "")
    assert not browser.complaints()


def test_a_task_is_made_by_its_form(stage, browser):
    browser.go("tasks")
    browser.sees("ROOTTASK")
    browser.click("Create a task")
    fill_in_task(browser, "train")
    browser.click("Check without creating it", inside="dialog")
    browser.until(lambda: browser.text(".verdict"), "the verdict on the task")
    assert "train" not in browser.text("main table"), "it was only looked at"
    give(browser, "Create")
    browser.sees("train", "finalized", inside="main table")
    browser.go("tasks", "train")
    browser.sees("operated_program.py", "MIN_PEERS", inside=".detail")
    # What cannot be is refused in the contract's words, and nothing is lost of what was written.
    browser.click("Create a task")
    browser.fill("YAML", "Name : 1\n", "dialog")
    browser.click("Check without creating it", inside="dialog")
    browser.until(lambda: browser.text(".verdict .tone-bad"), "what is wrong with the task")
    file = stage.swarm.folder / "task.yaml"
    file.write_text("Name: from a file\n")
    give_file(browser, file, "dialog")
    written = "return document.querySelector('dialog textarea').value"
    browser.until(lambda: browser.run(written) == file.read_text(), "the file in the form")
    leave_dialog(browser)


def test_it_is_executed_and_watched_to_its_end(stage, browser):
    execute(browser)
    stage.swarm.wait_at_gate(0, 1, 2, 3)
    browser.go("training", CONTRACT)
    browser.sees("Collect", "127.0.0.1", "sn-1")
    browser.until(lambda: browser.count(".topology .sl") == 4, "four SLs on the picture")
    browser.go("overview")
    browser.sees("Under way", "0/4 checked in")
    stage.swarm.open_gate()
    browser.go("training", CONTRACT)
    browser.sees("Complete")
    browser.until(lambda: browser.count(".chart-canvas canvas") == 4, "two charts")
    browser.sees("Swarm (mean)", "Merged")
    browser.until(lambda: re.search(r"Started\n(now|\d+\s\S+ ago)", browser.text("#parameters")), "when it was started")
    browser.go("taskrunners")
    browser.sees("Complete", "4 of 4 complete")


def test_charts_and_topology_have_tables_and_work_by_keyboard(stage, browser):
    browser.go("training", CONTRACT)
    browser.sees("Swarm (mean)")
    browser.focus("Loss:", "[role=application]")
    browser.press("HOME")
    browser.sees("round 1", inside=".legend")
    browser.press("+", "0")
    browser.press("ARROW_RIGHT")
    browser.sees("round 2", inside=".legend")
    browser.focus("", ".topology .sl")
    browser.press("ENTER")
    browser.sees("Weightage", "Can lead", inside=".detail")
    browser.press("ENTER")
    for table, words in (("#topology", "Last sign of life"), (".chart", "Round")):
        browser.click("Table", inside=table)
        browser.sees(words, inside=f"{table} table")
    browser.click("Picture", inside="#topology")
    browser.click("Chart", inside=".chart")


def test_a_round_tells_its_events(stage, browser):
    browser.go("training", CONTRACT)
    browser.sees("Merged", inside="#rounds")
    browser.click("2", kind="#rounds button.link")
    browser.sees("Round 2", "Checked in", "Merge accepted", "Checked by", inside="#rounds .detail")
    browser.click("block", inside="#rounds .detail")
    browser.sees("Ledger", "State root", "Proposer")


def test_a_killed_leader_is_named(stage, browser):
    """Models so large that a merge takes a moment, and not so large that it is made in shards. Its pair has failed."""
    variables = {"PYTHONPATH": "/tmp/test/lib", "MIN_PEERS": 2, "FALLING": 1, "SYNCS": 100, "SIZE": 200_000}
    task = run_task("crash", "programs/operated_program.py", PYTHON, variables, SHARED, private="/tmp/test")
    begin_anew(browser)
    make_task(browser, json.dumps(task))
    execute(browser, "crash")
    browser.go("training", CONTRACT)
    name, round_num = kill_a_leader(stage.nodes())
    open_round(browser, round_num)
    browser.sees("Leader changed", "Given up", f"{name}, ", "leads then", inside="#rounds .detail")
    given_up = browser.text("#rounds .detail .facts")
    assert "suspected by" in given_up or "no sign of life" in given_up, given_up
    browser.go("taskrunners")
    browser.sees("1 failed")


def test_a_dead_node_is_named(stage, browser):
    begin_anew(browser)
    stage.swarm.close_gate()
    execute(browser)
    stage.swarm.wait_at_gate(0, 1, 2, 3)
    victim = until(lambda: stage.swarm.swops[0].process_of("sl"), "the process of an SL")
    os.kill(victim, signal.SIGSTOP)
    try:
        browser.go("overview")
        browser.sees("no sign of life", inside="#waits")
        take_pictures(browser, "overview")
        browser.go("training", CONTRACT)
        browser.until(lambda: browser.count(".topology .sl.is-bad") == 1, "one dead SL")
        take_pictures(browser, "training")
    finally:
        os.kill(victim, signal.SIGCONT)


def test_nodes_say_their_versions(stage, browser):
    """While its SLs are there; their logs, too."""
    browser.go("nodes")
    browser.click("Ask for versions")
    rows = "return [...document.querySelectorAll('#all-nodes tbody tr')].map((row) => row.innerText)"
    said = subprocess.run([BIN / "swarmd", "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"\d+\.\d+\.\d+", said).group()
    for node in ("sn-1", "sn-2", "swop-1", "swop-2", "sl"):
        said = lambda node=node: any(version in row for row in browser.run(rows) if node in row)  # noqa: E731
        browser.until(said, f"{node}'s version")
    browser.go("logs")
    for node, source in (("demo-", "swarm.SL"), ("sn-2", "swarm.blCnt")):
        choose(browser, "Whose log", node)
        browser.sees(source)


def test_a_stopped_node_holds_nobody_up(stage, browser):
    """Who asks what is not answered waits alone, and is told so."""
    swop = stage.swarm.swops[0]
    with Feed(stage.page, cookie=cookie_of(browser)).watch("network") as feed:
        nodes = feed.until(lambda f: f.topics["network"]["nodes"], "the nodes")
        uid = next(uid for uid, node in nodes.items() if node["name"] == "swop-1")
        os.kill(swop.pid, signal.SIGSTOP)
        try:
            waiting = [feed.begin("host", swop=uid) for _ in range(3)]
            assert feed.ask("rounds", contract=CONTRACT)["rounds"]
            assert feed.ask("blocks")["blocks"]
            assert not all(number in feed.answers for number in waiting)
            refused = [feed.until(lambda f, number=number: f.answers[number], "the refusal") for number in waiting]
            assert {each["code"] for each in refused} == {"unavailable"}
        finally:
            os.kill(swop.pid, signal.SIGCONT)


def test_proof_and_model_of_a_merge_are_saved(stage, browser):
    """While its programs wait, so that the SLs are there."""
    folder = stage.swarm.folder
    browser.go("training", CONTRACT)
    browser.sees("Merged", inside="#rounds")
    open_round(browser, GATE_AFTER)
    browser.sees("Merge accepted", "proved: the contract has it", inside="#rounds .detail")
    browser.click(f"Proof: round {GATE_AFTER}", inside="#rounds .detail")
    proof = folder / f"{CONTRACT}-{GATE_AFTER}-proof.json"
    until(proof.is_file, "the proof")
    command = [inspect_program(), "verify", proof, "--genesis", stage.swarm.sn.admin("chain")["genesis"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0 and f"round {GATE_AFTER}" in done.stdout, done.stderr
    browser.click(f"Model: round {GATE_AFTER}", inside="#rounds .detail")
    until((folder / f"{CONTRACT}-{GATE_AFTER}.safetensors").is_file, "the model")
    stage.swarm.open_gate()
    browser.sees("Complete")
    browser.go("taskrunners")
    browser.sees("4 of 4 complete")


def test_runs_are_compared_and_exported(stage, browser):
    browser.go("runs")
    browser.sees(f"{CONTRACT} #1", f"{CONTRACT} #2")
    browser.run("document.querySelectorAll('main table input[type=checkbox]').forEach((each) => each.click())")
    browser.sees("Compared", "Least peers", f"{CONTRACT} #1", inside="#compared")
    browser.click("At round", inside="#compared")
    browser.sees("(round 1)", inside="#compared")
    browser.click("CSV")
    browser.click("JSON")
    files = [stage.swarm.folder / "runs.csv", stage.swarm.folder / "runs.json"]
    until(lambda: all(file.is_file() for file in files), "both files")
    rows = list(csv.DictReader(files[0].open(newline="")))
    assert {row["contract"] for row in rows} == {CONTRACT}
    runs = json.loads(files[1].read_text())["runs"]
    assert [str(run["generation"]) for run in runs] == [row["generation"] for row in rows]


def test_texts_are_text_whatever_they_hold(stage, browser):
    """What anybody may write onto the chain, and what a refusal says again."""
    body = {"Tag": "1", "RepoName": "x", "OrgAndReg": "y", "Auth": None}
    task = {
        "Name": "odd", "TaskType": "PULL_IMAGE", "Author": PRINTABLE, "Prereq": "ROOTTASK", "Outcome": HOSTILE,
        "Body": body,
    }  # fmt: skip
    make_task(browser, json.dumps(task, ensure_ascii=False))
    browser.sees(PRINTABLE, "odd", inside="main table")
    browser.go("tasks", "odd")
    browser.sees(HOSTILE, PRINTABLE, inside=".detail")
    browser.go("contracts")
    browser.click("Create", kind="main button")
    browser.fill("Name", HOSTILE, "dialog")
    browser.click("Create", kind="dialog footer button.primary")
    browser.until(lambda: says(browser.text(".notes"), "is no name for a training"), "the refusal")
    leave_dialog(browser)
    close_notes(browser)
    assert browser.run("return window.hacked") is None
    assert browser.count("main img, .notes img") == 0


def test_a_host_starts_pairs_by_a_task(stage, browser):
    """Whose programs fail, so that logs have something to say."""
    shared = [("/platform/swarm/usr/model", "/tmp/test/model"), SHARED[-1]]
    stage.swarm.close_gate()
    make_task(browser, json.dumps(run_task("fails", "model/fails.py", shared=shared)))
    reset_runner(browser)
    browser.go("hosts")
    browser.sees("swop-1", "swop-2", "2 pairs", "sn-1", "validator")
    browser.sees("Cores", "GiB", "GPUs", "in sandboxes of the host")  # as its SWOPs say
    browser.click("Start pairs")
    browser.sees("To start pairs on swop-")
    browser.click("fails", kind="main table a")
    browser.click("Execute", inside=".detail")
    chosen = browser.run("return document.querySelectorAll('dialog select')[1].selectedOptions[0].text")
    assert chosen in ("swop-1", "swop-2")
    give(browser, "Execute")
    browser.go("hosts")
    browser.sees("Stop by a reset", inside=f"[aria-label='SWOP {chosen}']")
    browser.click("Programs", inside=f"[aria-label='SWOP {chosen}']")
    browser.sees("ML of", "running", inside=f"[aria-label='Programs of {chosen}']")
    # What its program writes is followed while it runs.
    browser.go("logs")
    choose(browser, "Programs of", chosen)
    browser.sees("reading patients", inside="main")
    stage.swarm.open_gate()
    browser.sees("KeyError: patient 7", inside="main")


def test_logs_follow_and_are_searched(stage, browser):
    browser.go("logs")
    browser.sees("reading patients", "KeyError: patient 7")  # once it has failed
    browser.fill("Find in lines", "keyerror")
    until(lambda: "reading patients" not in browser.text("main pre"), "one line")
    browser.fill("Find in lines", "")
    browser.sees("Logs of swarmd", "watches, as operator")
    choose(browser, "Whose log", "swop-2")
    browser.sees("swarm.swop")
    browser.click("Collect log")
    file = until(lambda: next(stage.swarm.folder.glob("swarmd-log-*.json"), None), "what was collected")
    parts = json.loads(file.read_text())
    wanted = {
        "log of swop-1 ": "swarm.swop", "log of sn-1 ": "swarm.blCnt",
        "log of the page": "watches, as operator", "programs of": "KeyError",
    }  # fmt: skip
    for begins, words in wanted.items():
        assert any(words in json.dumps(part) for name, part in parts.items() if name.startswith(begins)), begins
    assert "PRIVATE KEY" not in file.read_text()


def test_a_node_is_added_by_a_bundle(stage, browser):
    browser.go("nodes")
    browser.click("Add a node")
    browser.fill("Name", "sl-9", "dialog")
    browser.fill("Host", "10.0.0.9", "dialog")
    script = until(lambda: browser.run("return document.querySelector('dialog textarea')?.value"), "the bundle")
    for words in ("sl-9", "10.0.0.9", f"{stage.swarm.sn.port}", "BEGIN CERTIFICATE", "swarmd --profile node.yaml"):
        assert words in script
    assert "PRIVATE" not in script
    browser.click("SWOP", inside="dialog .choice")
    browser.sees("Choose a taskrunner.", inside="dialog")
    browser.fill("Taskrunner", RUNNER, "dialog")
    browser.click("Save", kind="dialog .bundle-tools button")
    file = stage.swarm.folder / "join-sl-9.sh"
    until(file.is_file, "the bundle as a file")
    assert "slnodedef" in file.read_text()
    leave_dialog(browser)


def test_orders_of_an_owner(stage, browser):
    """Who owns a training says who takes part in it, and how its merges are verified."""
    browser.go("contracts")
    browser.click("Create", kind="main button")
    browser.fill("Name", "study", "dialog")
    give(browser, "Create")
    browser.go("nodes")
    other = until(lambda: browser.run(WITHOUT_SEATS), "the organisation without nodes")
    browser.go("training", "study")
    browser.sees("every organisation", inside="#parameters")
    browser.click("Invite")
    browser.fill("Organisation", other, "dialog")
    give(browser, "Invite")
    browser.sees(other, inside="#parameters")
    browser.click("Verification", inside="#parameters")
    browser.fill("Merges are verified", "behind", "dialog")
    give(browser, "Set")
    browser.sees("Merges are verified\nbehind", inside="#parameters")
    browser.click("Reset: study")
    browser.fill("Note", "calibrated <i>anew</i>", "dialog")
    give(browser, "Reset")
    browser.sees("generation 2")
    browser.sees("Last reset\ncalibrated <i>anew</i>, by", inside="#parameters")
    # Of a contract that nobody owns: refused in its words.
    browser.go("training", CONTRACT)
    browser.click("Verification", inside="#parameters")
    browser.fill("Merges are verified", "behind", "dialog")
    browser.click("Set", kind="dialog footer button.primary")
    browser.sees("nobody", inside=".notes")
    leave_dialog(browser)
    close_notes(browser)


def test_a_motion_of_another_organisation_gets_its_vote(stage, browser):
    (authority,) = Certs(stage.swarm.folder / "hospice", "sn-1").capath.iterdir()
    shutil.copy(authority, stage.swarm.usr / "hospice.pem")
    stage.clinic_orders('ADMIT ORGANISATION "Hospice" FROM hospice.pem')
    browser.go("nodes")
    browser.sees("1 of 2 votes", "admit Hospice")
    browser.click("Vote for it: admit Hospice")
    give(browser, "Vote for it")
    browser.until(lambda: browser.count("[aria-label='Organisation Hospice']"), "the organisation to be admitted")
    browser.until(lambda: not browser.count(".motion"), "the vote to be over")
    # Its authorities are replaced in the same way.
    browser.click("Limits and authorities", inside="[aria-label='Organisation Hospice']")
    browser.click("Replace authorities", inside="[aria-label='Organisation Hospice']")
    (other,) = Certs(stage.swarm.folder / "hospice-2", "sn-1").capath.iterdir()
    give_file(browser, other, "dialog")
    give(browser, "Vote")
    browser.sees("1 of 2 votes", "Hospice", inside=".motion")
    shutil.copy(other, stage.swarm.usr / "hospice-2.pem")
    stage.clinic_orders('REPLACE CA OF "Hospice" FROM hospice-2.pem')
    browser.until(lambda: not browser.count(".motion"), "the vote to be over")
    # A trust domain of SPIFFE stands for certificates.
    browser.click("Admit")
    browser.fill("Name", "Clinic S", "dialog")
    browser.sees("A certificate in PEM is missing, or a trust domain", inside="dialog")
    browser.fill("Certificates of its authorities (PEM)", "spiffe://clinic.example", "dialog")
    may = "return !document.querySelector('dialog footer button.primary').disabled"
    browser.until(lambda: browser.run(may), "the vote to be possible")
    leave_dialog(browser)


def test_two_tabs_one_with_a_wrong_clock(stage, browser):
    first = browser.driver.current_window_handle
    browser.go("nodes")
    ends = "return [...document.querySelectorAll('#all-nodes tbody td:last-child')].map((cell) => cell.innerText)"
    days = until(lambda: browser.run(ends), "days left")
    browser.driver.switch_to.new_window("tab")
    try:
        browser.look("wide", "light")
        browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WRONG_CLOCK})
        browser.open(f"https://{stage.page.host}/#/nodes")
        browser.until(lambda: browser.run(ends) == days, "the same days")
        assert browser.run("return Date.now() - performance.timeOrigin") > 800_000_000
        browser.go("contracts")
        browser.click("Create", kind="main button")
        browser.fill("Name", "of-a-second-tab", "dialog")
        give(browser, "Create")
        browser.sees("Live")
        browser.driver.close()
    finally:
        browser.driver.switch_to.window(first)
    browser.go("contracts")
    browser.sees("of-a-second-tab", inside="main table")


def test_a_slow_link(stage, browser):
    """As of somebody who is far away, at 100 kB a second."""
    browser.go("contracts")
    try:
        browser.link(latency=200, downloadThroughput=100_000, uploadThroughput=20_000)
        browser.driver.refresh()
        browser.sees("Live", CONTRACT)
        painted = browser.run("return performance.getEntriesByName('first-contentful-paint')[0].startTime")
        assert painted > 200, "the link is slow"
        browser.click("Create", kind="main button")
        browser.fill("Name", "of-a-slow-link", "dialog")
        give(browser, "Create")
        browser.sees("of-a-slow-link", inside="main table")
    finally:
        browser.link(latency=0, downloadThroughput=-1, uploadThroughput=-1)


SCREENS = {
    "overview": ["overview"], "training": ["training", CONTRACT], "runs": ["runs"], "contracts": ["contracts"],
    "tasks": ["tasks", "train"], "taskrunners": ["taskrunners"], "nodes": ["nodes"], "join": ["nodes"],
    "hosts": ["hosts"], "logs": ["logs"], "ledger": ["ledger"],
}  # fmt: skip


@pytest.mark.parametrize("screen", SCREENS)
def test_everybody_can_use_every_screen(stage, browser, screen):
    inside = "dialog" if screen == "join" else "main"
    try:
        browser.go(*SCREENS[screen])
        if screen == "join":
            browser.click("Add a node")
            browser.sees("Whom it will trust", inside="dialog")
        until(lambda: "Reading" not in browser.text(inside), f"{screen} to be read")
        assert browser.out_of_reach() == [], f"{screen}: no way there by keyboard"
        for size in SIZES:
            for theme in THEMES:
                browser.look(size, theme)
                browser.settle()
                assert browser.findings() == [], (screen, size, theme)
        if screen not in ("overview", "training"):  # they were taken when there was something to see
            take_pictures(browser, screen)
        if screen == "join":
            leave_dialog(browser)
    finally:
        browser.look("wide", "light")
    assert not browser.complaints()


def test_it_says_what_it_cannot_see(stage, browser):
    browser.go("training", CONTRACT)
    browser.sees("Complete")
    sns = [stage.swarm.sn, *stage.swarm.others]
    # One of two is gone: the other one is asked.
    sns.sort(key=lambda sn: sn.port != asked_sn(stage.page))
    sns[0].kill9()
    until(lambda: asked_sn(stage.page) == sns[1].port, "the other SN to be asked")
    browser.sees("Live")
    sns[1].kill9()
    browser.sees("No SN answers.", "What you see was read")
    assert re.search(r"round \d", browser.text()), "what was known last stays"
    stage.page.kill9()
    browser.sees("The page has lost its server.", "It tries again")
    stage.page.start().wait_up()
    # Sessions live as long as the server: the page must not try for ever, and says so.
    browser.sees("Log in again")
