"""Every command of SWCI's table beside a real SN and a SWOP: each variant in good form, and each in bad form.

The test asks SWCI which commands there are, so that a new one without its cases fails. That every way to write a
command is refused with a word missing, wrong or too much is tested without a network, too, in
actors/swci/language/grammar.test.cpp.
"""

import json
import re
import shutil
import tempfile

import pytest
import test_attacks_trainings
import test_organisations
import test_swci
import test_swci_models
import test_terminal
from harness import until
from launcher.operators import SWOP, node_definition, swop_profile
from launcher.swci_web import SWCI
from test_swci_web import RUNNER, TASK

NOBODY = "0x" + "11" * 20

# What is done in good form, in this order: how the command is written, a line, and what its answer begins with.
GOOD = [
    ("WAIT FOR IP <ip> [port [retries]]", "wait for ip 127.0.0.1 {port}", "API Server is UP!"),
    ("WAIT FOR IP <ip> [port [retries]]", "wait for ip 127.0.0.1 {port} 3", "API Server is UP!"),
    ("WAIT FOR SERVICE <service> [retries]", "wait for service 127.0.0.1:{port}", "API Server is UP!"),
    ("WAIT FOR SERVICE <service> [retries]", "wait for service 127.0.0.1:{port} 3", "API Server is UP!"),
    ("CREATE CONTEXT <context> WITH IP <ip> [port]", "create context t with ip 127.0.0.1 {port}", "API Server is UP!"),
    ("CREATE CONTEXT <context> WITH SERVICE <service>", "create context s with service 127.0.0.1:{port}",
     "API Server is UP!"),
    ("SWITCH CONTEXT <context>", "switch context t", "DEFAULT CONTEXT SET TO : t"),
    ("LIST CONTEXTS", "list contexts", "CONTEXT +SN"),
    ("GET CONTEXT INFO [context]", "get context info", "CONTEXT +: t"),
    ("GET CONTEXT INFO [context]", "get context info s", "CONTEXT +: s"),
    ("GET CONTEXT VERSION", "get context version", "CONTEXT +: t"),
    ("SET CONTEXT ENV [context] <variable> <value>", "set context env A b", "VARIABLE SET : A"),
    ("SET CONTEXT ENV [context] <variable> <value>", "set context env s A 'c d'", "VARIABLE SET : A"),
    ("GET CONTEXT ENV [context] <variable>", "get context env A", "VARIABLE +VALUE\nA +b"),
    ("GET CONTEXT ENV [context] <variable>", "get context env s A", "VARIABLE +VALUE\nA +c d"),
    ("LIST CONTEXT ENV [context]", "list context env", "VARIABLE +VALUE\nA +b"),
    ("LIST CONTEXT ENV [context]", "list context env s", "VARIABLE +VALUE\nA +c d"),
    ("CREATE CONTRACT <contract>", "create contract made", "CONTRACT CREATED : made"),
    ("LIST CONTRACTS", "list contracts", "defaultbb.cqdb.sml.hpe\nmade"),
    ("GET CONTRACT INFO <contract>", "get contract info made", "CONTRACT +: made"),
    ("GET CONTRACT STATUS <contract>", "get contract status made", "CONTRACT +: made"),
    ("PERFDATA [CONTRACT] <contract>", "perfdata made", "CONTRACT +: made"),
    ("PERFDATA [CONTRACT] <contract>", "perfdata contract made", "CONTRACT +: made"),
    ("RESET CONTRACT <contract> [NOTE <note>]", "reset contract made", "CONTRACT RESET : made"),
    ("RESET CONTRACT <contract> [NOTE <note>]", "reset contract made note 'was <b>wrong</b>'", "CONTRACT RESET : made"),
    ("GET CONTRACT STATUS <contract>", "get contract status made", "(?s).*RESET_NOTE +: was <b>wrong</b>"),
    ("TRUST MERGES <contract>", "trust merges made", "MERGES ARE NOT VERIFIED : made"),
    ("GET CONTRACT INFO <contract>", "get contract info made", "(?s)CONTRACT +: made.*VERIFY_MERGES +: OFF"),
    ("VERIFY MERGES <contract> BEHIND", "verify merges made behind", "MERGES ARE VERIFIED BEHIND : made"),
    ("VERIFY MERGES <contract>", "verify merges made", "MERGES ARE VERIFIED : made"),
    ("CREATE TASK FROM <file>", "create task from content.yaml", "Task definition is valid\nTask Registered : content"),
    ("CREATE TASK <type> <task> <author> <prereq> <outcome>", "create task PULL_IMAGE typed 'A B' content image",
     "Task Registered : typed"),
    ("APPEND TASK BODY <task> <index> <line>", "append task body typed 1   OrgName:  o", "TASK BODY APPENDED : typed"),
    ("GET TASK BODY <task>", "get task body typed", "0000: ---\n0001: +OrgName:  o"),
    ("GET TASK INFO <task>", "get task info typed", "TASK +: typed\nTYPE +: PULL_IMAGE\nAUTHOR +: A B"),
    ("LIST TASKS", "list tasks", "ROOTTASK\ncontent\ntyped"),
    ("DELETE TASK <task>", "delete task typed", "TASK DELETED : typed"),
    ("FINALIZE TASK <task>", "finalize task content", "TASK FINALIZED : content"),
    ("CREATE TASKRUNNER <taskrunner>", "create taskrunner made", "TASKRUNNER CREATED : made"),
    ("LIST TASKRUNNERS", "list taskrunners", "defaulttaskbb.taskdb.sml.hpe\nmade"),
    ("GET TASKRUNNER INFO <taskrunner>", "get taskrunner info made", "TASKRUNNER +: made"),
    ("ASSIGN TASK <task> TO <taskrunner> WITH <count> PEERS", "assign task content to {runner} with 1 peers",
     "TASK ASSIGNED : content"),
    ("WAIT FOR TASKRUNNER <taskrunner>", "wait for taskrunner {runner}", "WAITING FOR TASKRUNNER TO COMPLETE"),
    ("GET TASKRUNNER STATUS <taskrunner>", "get taskrunner status {runner}", r"(?s).*TASK_STATE +: COMPLETE"),
    ("LIST TASKRUNNER PEERS <taskrunner>", "list taskrunner peers {runner}", r"(?s).*{swop}"),
    ("GET TASKRUNNER PEER STATUS <taskrunner> <swop>", "get taskrunner peer status {runner} 0",
     r"(?s).*SWOP_UID +: {swop}"),
    ("GET TASKRUNNER PEER STATUS <taskrunner> <swop>", "get taskrunner peer status {runner} {swop}",
     r"(?s).*SWOP_UID +: {swop}"),
    ("RESET TASKRUNNER <taskrunner> [NOTE <note>]", "reset taskrunner {runner} note done", "TASKRUNNER RESET : "),
    ("GET TASKRUNNER STATUS <taskrunner>", "get taskrunner status {runner}", r"(?s).*RESET_NOTE +: done"),
    ("ASSIGN TASK <task> TO <taskrunner> WITH ALL PEERS", "assign task content to {runner} with all peers",
     "TASK ASSIGNED : content"),
    ("WAIT FOR TASKRUNNER <taskrunner>", "wait for taskrunner {runner}", "WAITING FOR TASKRUNNER TO COMPLETE"),
    ("RESET TASKRUNNER <taskrunner> [NOTE <note>]", "reset taskrunner {runner}", "TASKRUNNER RESET : "),
    ("ASSIGN TASK <task> TO <taskrunner> TARGET <swop>", "assign task content to {runner} target {swop}",
     "TASK ASSIGNED : content"),
    ("WAIT FOR TASKRUNNER <taskrunner>", "wait for taskrunner {runner}", "WAITING FOR TASKRUNNER TO COMPLETE"),
    ("GET TASKRUNNER STATUS <taskrunner>", "get taskrunner status {runner}", r"(?s).*TASK_STATE +: COMPLETE"),
    # Refused here, as it needs a SWOP to be.
    ("ASSIGN TASK <task> TO <taskrunner> WITH ALL PEERS", "assign task content to {runner} with all peers",
     "ERROR : .*reset it first"),
    ("LIST NODES", "list nodes", "(?s)NodeType.*SENTINEL.*SWOP"),
    ("LIST ORGANISATIONS", "list organisations", "ID +ORGANISATION"),
    ("LIMIT SEATS <seat> <limit> [OF <organisation>]", "limit seats swci 99",
     "SEATS LIMITED : at most 99 SWCI, by this organisation for itself"),
    ("LIMIT SEATS <seat> <limit> [OF <organisation>]", "limit seats trainings 50 of {organisation}",
     "SEATS LIMITED : at most 50 .*, of {organisation}"),
    ("LIST SEATS", "list seats", "(?s)ORGANISATION +SEATS +TAKEN +FREE.*SWCI 99 by itself"),
    ("DOCTOR", "doctor", "CHECK +GOOD"),
    ("SLEEP <seconds>", "sleep 0.1", "OK"),
    ("CD <folder>", "cd folder", "Current Directory : /platform/swarm/usr/folder"),
    ("PWD", "pwd", "/platform/swarm/usr/folder"),
    ("PWD", "pwd()", "/platform/swarm/usr/folder"),
    ("CD <folder>", "cd ..", "Current Directory : /platform/swarm/usr"),
    ("LS [options]", "ls", "(?s).*content.yaml"),
    ("LS [options]", "ls(-l content.yaml)", r"(?s).*content.yaml"),
    ("HELP [command]", "help", "ADMIT ORGANISATION\nAPPEND TASK BODY"),
    ("HELP [command]", "help list tasks", "LIST TASKS"),
    ("EXIT ON FAILURE [ON|OFF]", "exit on failure", "EXIT ON FAILURE IS TURNED ON"),
    ("EXIT ON FAILURE [ON|OFF]", "exit on failure off", "EXIT ON FAILURE IS TURNED OFF"),
    ("EXIT", "exit", "The session has ended"),
]  # fmt: skip

# Whose good form needs more than an SN and a SWOP.
GOOD_ELSEWHERE = {
    "WATCH CONTRACT <contract>": [
        test_terminal.test_a_contract_is_watched_in_place,
        test_swci.test_a_contract_is_watched,
    ],
    "GET MODEL <contract> [ROUND <round>] TO <file>": [test_swci_models.test_merged_models_are_saved],
    "PROVE <contract> ROUND <round> TO <file>": [test_swci_models.test_merges_are_proved],
    "INVITE <organisation> TO CONTRACT <contract>": [
        test_attacks_trainings.test_a_contract_is_for_those_whom_its_owner_invites
    ],
    # They would change who belongs to the network of the other lines.
    **dict.fromkeys(
        (
            "ADMIT ORGANISATION <organisation> FROM <file>",
            "REMOVE ORGANISATION <organisation>",
            "REPLACE CA OF <organisation> FROM <file>",
            "REMOVE NODE <node>",
        ),
        [
            test_organisations.test_an_sn_votes_for_its_organisation,
            test_organisations.test_a_swci_votes_for_its_organisation,
        ],
    ),
}

# What is refused beside an SN that has the contract "made", the tasks "open" and "final", the taskrunners "busy" and
# "idle": first by the state of things, then for a word that does not fit. Lines with a word missing or too much are
# made of these.
BAD = {
    "WAIT FOR IP <ip> [port [retries]]": [
        ("wait for ip 127.0.0.1 1 1", "Unable to contact API-Server 127.0.0.1:1 after 1 tries"),
        ("wait for ip 127.0.0.1:30304", "has a port in it"), ("wait for ip 127.0.0.1 65536", "is no port"),
        ("wait for ip 127.0.0.1 1 never", "is no retries")],
    "WAIT FOR SERVICE <service> [retries]": [
        ("wait for service 127.0.0.1:1 1", "Unable to contact API-Server"), ("wait for service :1", "is no service")],
    "CREATE CONTEXT <context> WITH IP <ip> [port]": [
        ("create context t with ip 127.0.0.1 1", "there is a context 't' already"),
        ("create context u with ip 127.0.0.1 x", "is no port")],
    "CREATE CONTEXT <context> WITH SERVICE <service>": [
        ("create context t with service 127.0.0.1:1", "there is a context 't' already"),
        ("create context u with service 127.0.0.1:0", "is no service")],
    "SWITCH CONTEXT <context>": [("switch context nobody", "there is no context 'nobody'")],
    "GET CONTEXT INFO [context]": [("get context info nobody", "there is no context 'nobody'")],
    "GET CONTEXT VERSION": [],
    "SET CONTEXT ENV [context] <variable> <value>": [
        ("set context env nobody A b", "there is no context 'nobody'"), ("set context env 1A b", "is no variable")],
    "GET CONTEXT ENV [context] <variable>": [
        ("get context env Z", "has no variable Z"), ("get context env 1A", "is no variable")],
    "LIST CONTEXT ENV [context]": [("list context env nobody", "there is no context 'nobody'")],
    "CREATE CONTRACT <contract>": [
        ("create contract made", "made"), ("create contract ''", "is empty"), ("create contract a/b", "a/b")],
    "LIST CONTRACTS": [],
    "GET CONTRACT INFO <contract>": [("get contract info none", "there is no contract 'none'")],
    "GET CONTRACT STATUS <contract>": [("get contract status none", "there is no contract 'none'")],
    "PERFDATA [CONTRACT] <contract>": [("perfdata none", "there is no contract 'none'")],
    "RESET CONTRACT <contract> [NOTE <note>]": [
        ("reset contract none", "there is no contract 'none'"), ("reset contract none note", "<note>"),
        (f"reset contract made note {'x' * 161}", "161 bytes")],
    "INVITE <organisation> TO CONTRACT <contract>": [
        ("invite nobody to contract made", "there is no organisation 'nobody'"),
        ("invite nobody to contract none", "there is no contract 'none'")],
    "TRUST MERGES <contract>": [
        ("trust merges defaultbb.cqdb.sml.hpe", "always verified"),
        ("trust merges none", "there is no contract 'none'")],
    "VERIFY MERGES <contract>": [
        ("verify merges made", "already"), ("verify merges none", "there is no contract 'none'")],
    "VERIFY MERGES <contract> BEHIND": [
        ("verify merges defaultbb.cqdb.sml.hpe behind", "always verified"),
        ("verify merges none behind", "there is no contract 'none'")],
    "WATCH CONTRACT <contract>": [("watch contract made", "has no end here")],
    "GET MODEL <contract> [ROUND <round>] TO <file>": [
        ("get model made to m", "nothing is merged under 'made' yet"), ("get model none to m", "there is no contract"),
        ("get model made round 0 to m", "is no round"), ("get model made to ../m", "outside")],
    "PROVE <contract> ROUND <round> TO <file>": [
        ("prove made round 1 to p", "no merge of round 1"), ("prove none round 1 to p", "no training contract 'none'"),
        ("prove made round one to p", "is no round"), ("prove made round 1 to /etc/p", "outside")],
    "CREATE TASK FROM <file>": [
        ("create task from final.yaml", "final"), ("create task from broken.yaml", "broken.yaml"),
        ("create task from nowhere.yaml", "nowhere.yaml"), ("create task from ../up.yaml", "outside"),
        ("create task from password.yaml", "Start each SWOP with NAME=PASSWORD and NAME_REGISTRY=REGISTRY"),
        ("create task from orphan.yaml", "nobody")],
    "CREATE TASK <type> <task> <author> <prereq> <outcome>": [
        ("create task PULL_IMAGE final me ROOTTASK o", "final"), ("create task PULL_IMAGE new me nobody o", "nobody"),
        ("create task RUN new me ROOTTASK o", "is no type"), ("create task PULL_IMAGE '' me ROOTTASK o", "is empty")],
    "APPEND TASK BODY <task> <index> <line>": [
        ("append task body final 1 x", "final"), ("append task body none 1 x", "none"),
        ("append task body open 9 x", "9"), ("append task body open 0 x", "is no index")],
    "FINALIZE TASK <task>": [("finalize task final", "final"), ("finalize task none", "none")],
    "DELETE TASK <task>": [("delete task final", "final"), ("delete task none", "none"),
                           ("delete task ROOTTASK", "ROOTTASK")],
    "GET TASK INFO <task>": [("get task info none", "there is no task 'none'")],
    "GET TASK BODY <task>": [("get task body none", "there is no task 'none'")],
    "LIST TASKS": [],
    "CREATE TASKRUNNER <taskrunner>": [("create taskrunner busy", "busy"), ("create taskrunner a/b", "a/b")],
    "RESET TASKRUNNER <taskrunner> [NOTE <note>]": [("reset taskrunner none", "none")],
    "LIST TASKRUNNERS": [],
    "LIST TASKRUNNER PEERS <taskrunner>": [("list taskrunner peers none", "none")],
    "GET TASKRUNNER INFO <taskrunner>": [("get taskrunner info none", "none")],
    "GET TASKRUNNER STATUS <taskrunner>": [("get taskrunner status none", "none")],
    "GET TASKRUNNER PEER STATUS <taskrunner> <swop>": [
        ("get taskrunner peer status busy 0", "0 SWOPs take part"),
        (f"get taskrunner peer status busy {NOBODY}", "takes no part"), ("get taskrunner peer status none 0", "none"),
        ("get taskrunner peer status busy 1024", "is no"), ("get taskrunner peer status busy swop-1", "swop-1")],
    "ASSIGN TASK <task> TO <taskrunner> WITH <count> PEERS": [
        ("assign task final to busy with 1 peers", "reset it first"), ("assign task open to idle with 1 peers", "open"),
        ("assign task none to idle with 1 peers", "none"), ("assign task final to none with 1 peers", "none"),
        ("assign task ROOTTASK to idle with 1 peers", "ROOTTASK"),
        ("assign task final to idle with 0 peers", "is no count")],
    "ASSIGN TASK <task> TO <taskrunner> WITH ALL PEERS": [
        ("assign task final to busy with all peers", "no SWOP that listens"),
        ("assign task final to idle with all peers", "SWOP"),
        ("assign task none to idle with all peers", "none")],
    "ASSIGN TASK <task> TO <taskrunner> TARGET <swop>": [
        (f"assign task final to idle target {NOBODY}", NOBODY), (f"assign task none to idle target {NOBODY}", "none"),
        ("assign task final to idle target swop-1", "swop-1")],
    "WAIT FOR TASKRUNNER <taskrunner>": [("wait for taskrunner none", "none")],
    "LIST NODES": [],
    "LIST ORGANISATIONS": [],
    "LIST SEATS": [],
    "LIMIT SEATS <seat> <limit> [OF <organisation>]": [
        ("limit seats gpu 3", "is no seat"), ("limit seats sl many", "is no limit"),
        ("limit seats sl 3 of nobody", "there is no organisation 'nobody'")],
    "ADMIT ORGANISATION <organisation> FROM <file>": [
        ("admit organisation x from nowhere.pem", "nowhere.pem"),
        ("admit organisation x from final.yaml", "final.yaml"),
        ("admit organisation '' from final.yaml", "is empty"), ("admit organisation x from ../ca.pem", "outside")],
    "REMOVE ORGANISATION <organisation>": [("remove organisation none", "there is no organisation 'none'")],
    "REPLACE CA OF <organisation> FROM <file>": [
        ("replace ca of none from nowhere.pem", "none|nowhere.pem"), ("replace ca of x from ../ca.pem", "outside|x")],
    "REMOVE NODE <node>": [("remove node sn-1", "sn-1"), (f"remove node {NOBODY}", NOBODY)],
    "SLEEP <seconds>": [("sleep -1", "is no seconds"), ("sleep long", "is no seconds")],
    "CD <folder>": [("cd nowhere", "nowhere"), ("cd final.yaml", "final.yaml"), ("cd ../..", "outside")],
    "LS [options]": [("ls nowhere", "nowhere"), ("ls -z", "is no option"), ("ls ..", "outside")],
    "HELP [command]": [("help nonsense", "there is no command 'nonsense'")],
    "EXIT ON FAILURE [ON|OFF]": [("exit on failure maybe", "MAYBE|maybe")],
    # With nothing to be wrong but a word too much.
    "LIST CONTEXTS": [], "DOCTOR": [], "PWD": [], "EXIT": [],
}  # fmt: skip

# They ask no SN, and are carried out without a context.
LOCAL = (
    "WAIT FOR IP", "WAIT FOR SERVICE", "CREATE CONTEXT", "SWITCH CONTEXT", "LIST CONTEXT", "GET CONTEXT INFO",
    "GET CONTEXT ENV", "SET CONTEXT ENV", "DOCTOR", "SLEEP", "CD", "LS", "PWD", "HELP", "EXIT",
)  # fmt: skip

FILES = {
    "content.yaml": TASK.format(name="content"),
    "final.yaml": TASK.format(name="final"),
    "broken.yaml": "Name: [",
    "orphan.yaml": TASK.format(name="orphan").replace("ROOTTASK", "nobody"),
    "password.yaml": "Name: p\nTaskType: PULL_IMAGE\nAuthor: a\nPrereq: ROOTTASK\nOutcome: o\nBody:\n"
    "  OrgAndReg: o\n  RepoName: r\n  Tag: t\n  Auth:\n    Username: u\n    Password: secret\n",
}


@pytest.fixture(scope="module")
def swci(certs, sn):
    """Beside an SN on which there is something of everything, and nobody changes anything."""
    folder = tempfile.mkdtemp(prefix="swarmd-test-")
    swci = SWCI(folder, certs)
    try:
        swci.start().wait_up()
        fill(swci)
        connect(swci, sn)
        swci.exec("set context env A b")
        for line in (
            "create contract made", "create task PULL_IMAGE open me ROOTTASK o", "create task from final.yaml",
            "finalize task final", "create taskrunner busy", "create taskrunner idle",
            "assign task final to busy with 1 peers",
        ):  # fmt: skip
            assert not swci.exec(line)[0].startswith("ERROR "), line
        yield swci
    finally:
        swci.clean_up()
        shutil.rmtree(folder, ignore_errors=True)


def fill(swci):
    (swci.usr / "folder").mkdir()
    for name, text in FILES.items():
        (swci.usr / name).write_text(text)


def connect(swci, sn):
    assert swci.exec(f"create context t with ip 127.0.0.1 {sn.port}")[-1] == "CONTEXT CREATED : t"
    assert swci.exec("switch context t") == ["DEFAULT CONTEXT SET TO : t"]


def table_of(swci):
    """How each command of SWCI is written, as its HELP says."""
    (names,) = swci.exec("help")
    out = set()
    for name in names.splitlines():
        (text,) = swci.exec(f"help {name}")
        out |= {line for line in text.splitlines() if line and not line.startswith(" ")}
    return out


def test_every_command_has_its_cases(swci):
    table = table_of(swci)
    assert len(table) > 45
    assert table == {usage for usage, *_ in GOOD} | GOOD_ELSEWHERE.keys()
    assert table == BAD.keys()
    for usage in table - GOOD_ELSEWHERE.keys():
        lengths = {len(line.split()) for which, line, _ in GOOD if which == usage}
        if usage == "CREATE CONTEXT <context> WITH IP <ip> [port]":
            continue  # where no SN may have the port that is meant then
        assert len(lengths) > 1 or "[" not in usage, f"{usage}: what may be left out is not left out, or never given"
    for usage, lines in BAD.items():
        assert lines or "<" not in usage, f"{usage}: nothing is wrong with it"


def test_every_command_in_good_form(swarm, certs):
    swarm.start_sn()
    usr = swarm.folder / "swop.usr"
    usr.mkdir()
    (usr / "data").write_text("data")
    (usr / "profile.yaml").write_text(json.dumps(swop_profile([node_definition(certs, 0)])))
    swop = SWOP(swarm.folder, certs, swarm.sn.port, usr, "profile.yaml").start()
    swci = SWCI(swarm.folder, certs).start().wait_up()
    swarm.others += [swci, swop]
    uid = swop.wait_listening()
    fill(swci)
    (swci.usr / "content.yaml").write_text(FILES["content.yaml"].replace("/nowhere", str(usr / "data")))
    names = {"port": swarm.sn.port, "runner": RUNNER, "swop": uid}
    wrong = []
    for _, line, pattern in GOOD:
        if "{organisation}" in line:
            listed = "\n".join(swci.exec("list organisations"))
            (names["organisation"],) = set(re.findall("Swarm-CA-[0-9a-f]{8}", listed))
        for name, value in names.items():
            line, pattern = line.replace("{%s}" % name, str(value)), pattern.replace("{%s}" % name, str(value))
        answer = "\n".join(swci.exec(line))
        if answer.startswith("ERROR ") != pattern.startswith("ERROR ") or not re.match(pattern, answer):
            wrong.append((line, pattern, answer))
    assert wrong == [], "\n".join(map(str, wrong))


def one_word_less_or_more():
    """Of each line in bad form and of each in good form that needs nothing else."""
    lines = {line for lines in BAD.values() for line, _ in lines if "append" not in line}
    lines |= {line for _, line, _ in GOOD if "{" not in line and not line.startswith(("append", "exit"))}
    for line in sorted(lines):
        # Without its retries a wait goes on for half an hour; with a word less a variable is set, too.
        is_good_without = line.startswith(("wait for ip", "wait for service", "set context env"))
        yield line.rsplit(" ", 1)[0] if " " in line and not is_good_without else None
        yield None if line.startswith(("ls", "help", "get context env", "pwd()")) else line + " surplus"


def state_of(swci):
    """All that there is, on the chain (a refused transaction is in a block, and has changed nothing) and here."""
    lines = [
        "list contexts", "list context env", "pwd", "ls -l", "list contracts", "get contract status made", "list tasks",
        "get task info open", "get task body open", "get task info final", "get task body final", "list taskrunners",
        "get taskrunner status busy", "get taskrunner status idle", f"get taskrunner status {RUNNER}",
    ]  # fmt: skip
    return {line: swci.exec(line) for line in lines}


def test_every_command_in_bad_form_changes_nothing(swci):
    before = state_of(swci)
    wrong = []
    for lines in BAD.values():
        for line, pattern in lines:
            answer = swci.exec(line)
            if not re.match(f"ERROR : (?s:.*)({re.escape(pattern) if '|' not in pattern else pattern})", answer[0]):
                wrong.append((line, pattern, answer))
    assert wrong == [], "\n".join(map(str, wrong))
    assert state_of(swci) == before


def test_a_word_missing_or_too_much_changes_nothing(swci):
    before = state_of(swci)
    good = {line for _, line, _ in GOOD}
    complete = ("ls", "help", "get context", "list context env", "exit", "perfdata", "sleep")
    wrong = []
    for line in one_word_less_or_more():
        if line is None or line in good:
            continue
        answer = swci.exec(line)
        if not answer[0].startswith("ERROR ") and not line.startswith(complete):
            wrong.append((line, answer))
    assert wrong == [], "\n".join(map(str, wrong))
    assert state_of(swci) == before


def test_without_a_context_what_needs_one_is_refused(certs, folder, sn):
    swci = SWCI(folder, certs).start().wait_up()
    try:
        fill(swci)
        wrong = []
        for usage, line, _ in GOOD:
            if usage.startswith(LOCAL):
                continue
            line = line.replace("{runner}", RUNNER).replace("{swop}", NOBODY)
            answer = swci.exec(line)
            if not answer[0].startswith("ERROR : there is no default context: CREATE CONTEXT"):
                wrong.append((line, answer))
        assert wrong == [], "\n".join(map(str, wrong))
        for line in ("get context info", "list context env", "get context env A", "set context env A b"):
            assert swci.exec(line)[0].startswith("ERROR : there is no default context"), line
    finally:
        swci.clean_up()


def test_exit_on_failure_ends_the_session_at_every_command(certs, folder, sn, swci):
    """At what is refused by the state of things, and not by the grammar alone."""
    strict = SWCI(folder, certs, "swci-2").start().wait_up()
    try:
        fill(strict)
        for usage, lines in BAD.items():
            for line, _ in lines[:1]:
                connect(strict, sn)
                assert strict.exec("exit on failure on") == ["EXIT ON FAILURE IS TURNED ON"]
                answer = strict.exec(line)
                if usage.startswith("WATCH"):  # refused before it is a command of the session
                    strict.exec("exit")
                    continue
                assert answer[0].startswith("ERROR : "), (line, answer)
                assert "EXIT ON FAILURE is on" in answer[1], (line, answer)
                assert strict.exec("list contexts") == ["(none)"], line
    finally:
        strict.clean_up()
    assert until(swci.running, "the other session not to notice")
