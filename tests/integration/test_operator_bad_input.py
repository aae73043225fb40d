"""Files of operators that are none: what SWCI says of a task, and SWOP of its profile. Nothing comes of them.

The rules one by one are tested beside their readers (config/schema, config/tasks, config/sources). Where other bad
input of operators is tested: commands in test_swci_table.py; a task that is finalized twice, an SN that dies in the
middle of a command in test_swci.py; a busy runner, missing volumes and prerequisites in test_operators.py; downloads
that are cut, wrong or endless in actors/swop/content/download; archives that are bombs or leave their folder in
actors/swop/content/extract, both by way of a SWOP in test_operator_patterns.py; SWOPs that lie of others' peers in
contracts/taskrunner/scenarios/lies.txt.
"""

import json
import pathlib
import shutil

from harness import SN, says, until
from launcher.operators import SWOP, node_definition, swop_profile
from launcher.swci_web import SWCI, run_swci
from test_swci_web import TASK

WHOLE = TASK.format(name="bad")
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level + 1}: &a{level + 1} [{', '.join([f'*a{level}'] * 9)}]\n" for level in range(9)
)

# What is wrong, and what is said of it.
TASKS = {
    "broken": ("Name: [", "bad.yaml:1"),
    "cut off in the middle": (WHOLE[: len(WHOLE) // 2] + '"', "bad.yaml:"),
    "empty": ("", "bad.yaml"),
    "no mapping": ("- Name: bad\n", "bad.yaml:1"),
    "two documents": (WHOLE + "---\n" + WHOLE, "bad.yaml:"),
    "a tab": (WHOLE.replace("  ContentType", "\tContentType"), "indent with blanks, a tab does not do"),
    "an unknown key": (WHOLE + "  Colour: red\n", "Body.Colour"),
    "a key that is missing": (WHOLE.replace("Author: tests\n", ""), "Author: missing"),
    "a wrong type": (WHOLE.replace("MAKE_SWARM_USER_CONTENT", "MAKE_COFFEE"), "bad.yaml:2: TaskType"),
    "a wrong operation": (WHOLE.replace("DOWNLOAD", "UPLOAD"), "Body.OpsList[0].Operation"),
    "a text that is too long": (WHOLE.replace("Author: tests", "Author: " + "x" * 5000), "bad.yaml:3: Author"),
    "a list in the place of a text": (WHOLE.replace("Author: tests", "Author: [tests]"), "bad.yaml:3: Author"),
    "aliases that explode": (BOMB + WHOLE, "bad.yaml:"),
    "an alias of nothing": (WHOLE.replace("Author: tests", "Author: *nobody"), "bad.yaml:3"),
    "a tag of a language": (WHOLE.replace("Author: tests", "Author: !!python/object:os.system x"), "bad.yaml:3"),
    "too deep": ("a: " + "[" * 5000 + "]" * 5000, "bad.yaml:1"),
    "too much": (WHOLE + "# " + "x" * (1 << 20) + "\n", "bad.yaml"),
    "no text": (b"\xff\xfe\x00N", "bad.yaml"),
    "a control character": (WHOLE.replace("tests", "te\x1b[31mts"), "bad.yaml"),
}


def write(file, content):
    file.write_bytes(content if isinstance(content, bytes) else content.encode())


def is_clear(text):
    """One line, of a length that people read, which a terminal can show."""
    return "\n" not in text and len(text) < 1000 and text.isprintable()


def test_tasks_that_are_none_are_refused_with_their_place(folder, certs, sn):
    swci = SWCI(folder, certs).start().wait_up()
    try:
        swci.exec(f"create context t with ip 127.0.0.1 {sn.port}")
        swci.exec("switch context t")
        wrong = []
        for name, (content, said) in TASKS.items():
            write(swci.usr / "bad.yaml", content)
            answer = swci.exec("create task from bad.yaml")
            lines = answer[0].splitlines()
            if not lines[0].startswith("ERROR : ") or not says(answer[0], said) or not all(map(is_clear, lines)):
                wrong.append((name, answer))
        assert wrong == [], "\n".join(map(str, wrong))
        assert swci.exec("list tasks") == ["ROOTTASK"]
        assert swci.running()
    finally:
        swci.clean_up()


def test_a_script_ends_at_a_task_that_is_none(folder, certs, sn):
    lines = [f"create context t with ip 127.0.0.1 {sn.port}", "switch context t", "exit on failure"]
    run_swci(folder, certs)
    write(pathlib.Path(folder) / "swci-c.usr" / "bad.yaml", TASKS["a tab"][0])
    script = "\n".join([*lines, "create task from bad.yaml", "create contract not-reached", ""])
    status, printed, _ = run_swci(folder, certs, ["list contracts"], script=script)
    assert status == 1 and says(printed, "ERROR : swci-init:4: /platform/swarm/usr/bad.yaml:7: ")
    assert "not-reached" not in printed
    status, printed, _ = run_swci(folder, certs, [*lines[:2], "list contracts"])
    assert status == 0 and "not-reached" not in printed


def profiles(certs):
    whole = json.dumps(swop_profile([node_definition(certs, 0)]), indent=1)
    return {
        "broken": ("groupname: [", "p.yaml:1"),
        "cut off in the middle": (whole[: len(whole) // 2], "p.yaml:"),
        "empty": ("", "p.yaml"),
        "a tab": ("groupname: x\nnodes:\n\t- slnodedef\n", "p.yaml:3"),
        "an unknown key": (whole.replace('"groupname"', '"colour": "red",\n "groupname"'), "p.yaml:2: colour"),
        "a manager that is none": (whole.replace('"PROCESS"', '"HAMSTERS"'), "resourcemgr.mgrtype"),
        "a text that is too long": (whole.replace('"demo"', f'"{"x" * 5000}"'), "p.yaml:2: groupname"),
        "nodes that are none": (whole.replace('"idx": 0', '"idx": -1'), "slnodedef.idx"),
        "the same node twice": (
            json.dumps(swop_profile([node_definition(certs, 0), node_definition(certs, 0)]), indent=1), "idx"),
        "aliases that explode": (BOMB + "groupname: x\n", "p.yaml:"),
        "too deep": ("a: " + "[" * 5000 + "]" * 5000, "p.yaml:1"),
        "no text": (b"\xff\xfe\x00N", "p.yaml"),
    }  # fmt: skip


def test_profiles_that_are_none_end_a_swop_with_their_place(folder, certs, sn):
    wrong = []
    for name, (content, said) in profiles(certs).items():
        usr = pathlib.Path(folder) / "usr"
        usr.mkdir(exist_ok=True)
        write(usr / "p.yaml", content)
        swop = SWOP(folder, certs, sn.port, usr, "p.yaml")
        try:
            swop.offset = swop.log_path.stat().st_size if swop.log_path.exists() else 0
            status = swop.start().wait_exit()
            log = swop.log()
            if status != 1 or not says(log, said) or not all(map(is_clear, log.splitlines())):
                wrong.append((name, status, log))
        finally:
            swop.clean_up()
    assert wrong == [], "\n".join(map(str, wrong))
    assert "SWOP" not in {node["type"] for node in sn.admin("nodes")["nodes"]}


def test_two_swops_with_one_uid_count_as_one_and_say_so(folder, certs):
    """A data directory was copied with its key: the chain cannot know one from the other."""
    folder = pathlib.Path(folder)
    usr = folder / "usr"
    usr.mkdir()
    (usr / "data").write_text("data")
    write(usr / "p.yaml", json.dumps(swop_profile([node_definition(certs, 0)])))
    sn = SN(folder, certs)
    swops = [SWOP(folder, certs, sn.port, usr, "p.yaml", f"swop-{number}") for number in (1, 2)]
    swci = SWCI(folder, certs)
    try:
        sn.start().wait_up()
        uid = swops[0].start().wait_listening()
        role = swops[1].data_dir / "swop-1"
        role.mkdir(parents=True, mode=0o700)
        shutil.copy(swops[0].data_dir / "swop-1" / "node.key", role)
        assert swops[1].start().wait_listening() == uid
        for swop in swops:
            swop.wait_log(rf"another program .* this node, {uid}")
        swci.start().wait_up()
        swci.exec(f"create context t with ip 127.0.0.1 {sn.port}")
        swci.exec("switch context t")
        (node,) = [row for row in swci.exec("list nodes")[0].splitlines() if row.startswith("SWOP")]
        assert uid in node
        write(swci.usr / "one.yaml", TASK.format(name="one").replace("/nowhere", str(usr / "data")))
        swci.exec("create task from one.yaml")
        swci.exec("finalize task one")
        runner = "defaulttaskbb.taskdb.sml.hpe"
        for how, state in (("1 peers", "COMPLETE"), ("all peers", "COMPLETE"), ("2 peers", "ENROLLING")):
            assert swci.exec(f"assign task one to {runner} with {how}") == ["TASK ASSIGNED : one"]
            until(
                lambda: says(swci.exec(f"get taskrunner status {runner}")[0], "COMPLETED_PEERS : 1"), "one to complete"
            )
            status = swci.exec(f"get taskrunner status {runner}")[0]
            assert f"TASK_STATE      : {state}" in status and "LISTENING_SWOPS : 1" in status, status
            assert swci.exec(f"reset taskrunner {runner}")[-1] == f"TASKRUNNER RESET : {runner}"
    finally:
        for each in (swci, *swops, sn):
            each.clean_up()
