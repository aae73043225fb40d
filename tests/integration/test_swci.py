"""SWCI's commands, from init scripts and standard input."""

import json
import re
import shutil
import signal
import tempfile
import threading

import pytest
from harness import ROOT, SN, says, until
from launcher.swci_web import SWCI, Typed, run_swci
from test_swci_web import COMMANDS, RUNNER, TASK


def beginning(sn):
    return [f"create context t with ip 127.0.0.1 {sn.port}", "switch context t"]


def blocks(printed):
    """What was entered, each with the lines of its answer."""
    out = []
    for line in printed.splitlines():
        prompt = re.match(r"SWCI:\d+ > (.*)", line)
        if prompt and not re.match(r"Current Directory|EXIT ON FAILURE IS", prompt[1]):
            out.append((prompt[1], []))
        elif prompt:
            out[-1][1].append(prompt[1])
        elif out:
            out[-1][1].append(line)
    return out


def test_every_command_in_good_form_and_in_bad(folder, certs, sn):
    commands = [(command.format(port=sn.port), pattern) for command, pattern in COMMANDS]
    commands = [each for each in commands if "watch" not in each[0] and each[0]]
    # The table is the web mode's, whose network is another one: nothing of it is there yet.
    lines = [*beginning(sn), *(command for command, _ in commands)]
    status, printed, errors = run_swci(folder, certs, lines, timeout=180)
    assert status == 0, errors
    answered = blocks(printed)[2:]
    assert [command for command, _ in answered[: len(commands)]] == [command for command, _ in commands]
    wrong = []
    for (command, pattern), (_, lines) in zip(commands, answered, strict=False):
        failed = bool(lines) and lines[0].startswith("    ERROR : ")
        if pattern.startswith("ERROR"):
            good = failed and re.match(pattern, lines[0].strip())
        elif pattern in ("OK", r"\(none\)"):
            good = lines == []
        else:
            good = not failed and lines and re.match(pattern, "\n".join(line.strip() for line in lines))
        if not good:
            wrong.append((command, pattern, lines))
    assert wrong == []


def test_the_numbers_of_commands_count_what_orders_something(folder, certs):
    lines = ["pwd", "# a remark", "", "nonsense", "cd /platform/swarm/usr", "exit"]
    status, printed, _ = run_swci(folder, certs, lines)
    assert status == 0
    assert printed.splitlines() == [
        "SWCI:0 > pwd",
        "    /platform/swarm/usr",
        "SWCI:1 > # a remark",
        "SWCI:1 > ",
        "SWCI:1 > nonsense",
        "    ERROR : unknown command 'nonsense'; HELP lists all commands",
        "SWCI:2 > cd /platform/swarm/usr",
        "SWCI:2 > Current Directory : /platform/swarm/usr",
        "SWCI:3 > exit",
    ]


def test_exit_codes(folder, certs):
    assert run_swci(folder, certs, script="pwd\nexit\npwd\n")[0] == 0
    assert run_swci(folder, certs, ["pwd"])[0] == 0  # the end of the input
    assert run_swci(folder, certs, ["nonsense", "pwd"])[0] == 0
    status, printed, _ = run_swci(folder, certs, ["exit on failure", "nonsense", "pwd"])
    assert status == 1 and "SWCI:2" not in printed and "EXIT ON FAILURE is on" in printed
    status, printed, _ = run_swci(folder, certs, ["pwd"], script="exit on failure\nls nowhere\npwd\n")
    assert status == 1 and "ERROR : swci-init:2: " in printed and "/platform/swarm/usr\n" not in printed
    script = "exit on failure\npwd\nexit on failure off\nnonsense\n"
    lines = ["exit on failure on", "exit on failure off", "nonsense"]
    status, printed, _ = run_swci(folder, certs, lines, script=script)
    assert status == 0 and "ERROR : swci-init:4: " in printed


def test_a_prompt_follows_the_script(folder, certs):
    status, printed, _ = run_swci(folder, certs, ["pwd"], script="cd /platform/swarm/usr\r\n\r\n# remark\r\npwd()")
    assert status == 0
    assert [line for line in printed.splitlines() if line.startswith("SWCI")][:5] == [
        "SWCI:0 > cd /platform/swarm/usr",
        "SWCI:0 > Current Directory : /platform/swarm/usr",
        "SWCI:1 > ",
        "SWCI:1 > # remark",
        "SWCI:1 > pwd()",
    ]
    assert "SWCI:2 > pwd\n    /platform/swarm/usr" in printed


@pytest.mark.parametrize("script", ["pwd\x00\n", "\udcff\n", "pwd\n" * 20_001, "x" * 5000 + "\n"])
def test_scripts_that_are_none_are_not_run(folder, certs, script):
    run_swci(folder, certs)
    with open(f"{folder}/swci-c.usr/bad", "w", errors="surrogateescape") as out:
        out.write(script)
    status, printed, errors = run_swci(folder, certs, ["pwd"], flags=("--init-script-name", "bad"))
    assert status == 1 and "SWCI:0" not in printed and says(errors, "the init script"), errors


def test_a_script_that_is_named_has_to_be_there(folder, certs):
    status, _, errors = run_swci(folder, certs, ["pwd"], flags=("--init-script-name", "nowhere"))
    assert status == 1 and says(errors, "nowhere")


def test_answers_as_json(folder, certs, sn):
    lines = [*beginning(sn), "list tasks", "list nodes", "nonsense", f"get taskrunner status {RUNNER}", "pwd"]
    for options in ({"lines": lines}, {"script": "".join(f"{line}\n" for line in lines)}):
        status, printed, errors = run_swci(folder, certs, flags=("--json",), **options)
        assert status == 0, errors
        answers = [json.loads(line) for line in printed.splitlines() if line]
        kinds = [answer.get("answer", "error") for answer in answers]
        assert kinds == ["sn_is_up", "done", "done", "tasks", "nodes", "error", "taskrunner_status", "folder"]
        assert answers[3]["names"][0] == "ROOTTASK"
        assert answers[4]["nodes"][0]["node_type"] == "SENTINEL"
        assert says(answers[5]["error"], "unknown command 'nonsense'")
        assert answers[6]["task_state"] == "IDLE"


def test_a_task_from_its_file_to_its_end(folder, certs, sn):
    script = [*beginning(sn), "create task from content.yaml", "finalize task cli-content", "finalize task cli-content"]
    script += ["append task body cli-content 1 x", "delete task cli-content", "get task body cli-content"]
    script += ["create task from content.yaml", "create task from broken.yaml", "create taskrunner cli-runner"]
    script += ["assign task cli-content to cli-runner with 1 peers"] * 2
    script += ["get taskrunner status cli-runner", "reset taskrunner cli-runner", "get taskrunner status cli-runner"]
    run_swci(folder, certs)
    usr = f"{folder}/swci-c.usr"
    for name, text in (("content", TASK.format(name="cli-content")), ("broken", "Name: [")):
        with open(f"{usr}/{name}.yaml", "w") as out:
            out.write(text)
    status, printed, errors = run_swci(folder, certs, script)
    assert status == 0, errors
    answers = [lines for _, lines in blocks(printed)][2:]
    registered, finalized, again, append, delete, body, twice, broken = answers[:8]
    runner, assigned, busy, running, _, idle = answers[8:14]
    assert "    Task Registered : cli-content" in registered and "    Task definition is valid" in registered
    assert not finalized[0].startswith("    ERROR")
    for failed in (again, append, delete, twice, broken, busy):
        assert failed[0].startswith("    ERROR : "), failed
    assert body[0] == "    0000: ---" and all(re.match(r"    \d{4}: ", line) for line in body)
    assert says("\n".join(broken), "broken.yaml")
    assert not runner[0].startswith("    ERROR") and not assigned[0].startswith("    ERROR")
    while_on, after = (next(line for line in lines if "TASK_STATE" in line) for lines in (running, idle))
    assert after.endswith(": IDLE") and not while_on.endswith(": IDLE")


def test_the_commands_of_the_readme(folder, certs, swarm):
    """All but the wait, as there is no SWOP: it would go on for two hours."""
    shown = re.findall(r"^    SWCI:(\d+) > (.*)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [int(number) for number, _ in shown] == list(range(len(shown)))
    *commands, wait = (command for _, command in shown)
    assert wait == f"WAIT FOR TASKRUNNER {RUNNER}"
    swarm.start_sn()
    run_swci(folder, certs)
    shutil.copytree(ROOT / "examples" / "operators" / "taskdefs", f"{folder}/swci-c.usr/taskdefs")
    address = f"IP 127.0.0.1 {swarm.sn.port}"
    first = [f"create context t with {address}", "switch context t"]
    first += [f"create task from taskdefs/{task}.yaml" for task in ("build_env", "fetch_digits")]
    status, printed, errors = run_swci(folder, certs, [*first, "exit"])
    assert status == 0 and "ERROR" not in printed, (printed, errors)
    commands = [re.sub(r"IP \S+", address, command) for command in commands]
    status, printed, errors = run_swci(folder, certs, [*commands, "exit"])
    assert status == 0 and "ERROR" not in printed, (printed, errors)
    assert [entered for entered, _ in blocks(printed)] == [*commands, "exit"]


def test_several_contexts_at_once(folder, certs, sn):
    other_folder = tempfile.mkdtemp(prefix="swarmd-test-")
    other = SN(other_folder, certs, "sn-2")
    try:
        other.start().wait_up()
        lines = [f"create context a with ip 127.0.0.1 {sn.port}", f"create context b with ip 127.0.0.1 {other.port}"]
        lines += ["list tasks", "switch context a", "create contract only-in-a", "switch context b", "list contracts"]
        lines += ["create contract only-in-b", "list contracts", "switch context a", "list contracts"]
        lines += ["get context info b"]
        lines += ["switch context c", "list contexts", f"create context a with ip 127.0.0.1 {other.port}"]
        status, printed, errors = run_swci(folder, certs, lines)
        assert status == 0, errors
        answers = [[line.strip() for line in lines] for _, lines in blocks(printed)]
        assert says(answers[2][0], "there is no default context")
        assert answers[6] == ["defaultbb.cqdb.sml.hpe"]
        assert answers[8] == ["defaultbb.cqdb.sml.hpe", "only-in-b"]
        assert "only-in-a" in answers[10] and "only-in-b" not in answers[10]
        assert any(line.startswith("SN ") and line.endswith(str(other.port)) for line in answers[11])
        assert answers[12][0].startswith("ERROR : ") and answers[14][0].startswith("ERROR : ")
        assert [line.split()[0] for line in answers[13]] == ["CONTEXT", "a", "b"]
    finally:
        other.clean_up()
        shutil.rmtree(other_folder, ignore_errors=True)


def prepared(swci, port):
    swci.exec(f"create context t with ip 127.0.0.1 {port}")
    assert swci.exec("switch context t") == ["DEFAULT CONTEXT SET TO : t"]
    return swci


def test_an_sn_that_dies_under_a_command_is_replaced_by_another(swarm, certs):
    swarm.start_sn()
    near = swarm.join_sn("sn-2")
    swci, other = (SWCI(swarm.folder, certs, name).start().wait_up() for name in ("swci-1", "swci-2"))
    swarm.others += [swci, other]
    prepared(other, swarm.sn.port)
    other.exec(f"create context near with ip 127.0.0.1 {near.port}")
    until(lambda: str(swarm.sn.port) in other.exec("get context info near")[0], "the SNs to know of each other")
    prepared(swci, near.port)
    (swci.usr / "t.yaml").write_text(TASK.format(name="t"))
    assert "Task Registered" in swci.exec("create task from t.yaml")[0]
    swci.exec("finalize task t")
    assert not swci.exec(f"assign task t to {RUNNER} with 1 peers")[0].startswith("ERROR")
    until(lambda: "IDLE" not in other.exec(f"get taskrunner status {RUNNER}")[0], "the task to be assigned")
    answers = []
    waits = threading.Thread(target=lambda: answers.append(swci.exec(f"wait for taskrunner {RUNNER}")), daemon=True)
    waits.start()
    until(lambda: "commands: wait for taskrunner" in swci.log(), "the wait to begin")
    near.kill9()
    until(lambda: len(re.findall("API-Server is UP!", swci.log())) == 2, "the other SN to be found")
    assert answers == []
    assert other.exec(f"reset taskrunner {RUNNER}")[-1] == f"TASKRUNNER RESET : {RUNNER}"
    waits.join(60)
    assert not waits.is_alive() and "IDLE" in answers[0][-1], answers
    assert swci.exec("list tasks") == ["ROOTTASK\nt"]
    assert swci.exec("create contract after") == ["CONTRACT CREATED : after"]


def test_without_any_sn_a_command_says_so_and_the_session_goes_on(swarm, certs):
    swarm.start_sn()
    swci = SWCI(swarm.folder, certs).start().wait_up()
    swarm.others.append(swci)
    prepared(swci, swarm.sn.port)
    swarm.sn.kill9()
    swci.wait_log("Unable to contact API-Server")
    for command in ("list tasks", "create contract c"):
        said = swci.exec(command)[0]
        assert said.startswith("ERROR : Unable to contact API-Server"), (command, said)
    assert swci.exec("pwd") == ["/platform/swarm/usr"]
    swarm.sn.start().wait_up()
    until(lambda: swci.exec("list tasks") == ["ROOTTASK"], "the SN to be found again")
    assert swci.exec("list contracts") == ["defaultbb.cqdb.sml.hpe"]  # what failed is not made up for


def test_ctrl_c_ends_the_wait_and_not_the_session(folder, certs):
    swci = Typed(folder, certs).start()
    try:
        swci.type("sleep 600")
        swci.wait_log(r"SWCI:0 > sleep 600\n")
        until(lambda: "command 0 is under way" in str(swci.admin("actor", name="/swci/session")), "the sleep to begin")
        swci.signal(signal.SIGINT)
        swci.wait_log("ERROR : interrupted")
        swci.type("pwd")
        swci.wait_log(r"SWCI:1 > pwd\n    /platform/swarm/usr")
        swci.type("exit")
        assert swci.wait_exit() == 0
    finally:
        swci.clean_up()


def test_a_contract_is_watched(folder, certs, sn):
    """One block for each change, as this is no terminal."""
    swci = Typed(folder, certs).start()
    try:
        for line in [*beginning(sn), "create contract watched", "watch contract watched"]:
            swci.type(line)
        swci.wait_log(r"RESETS +: 1\n")
        for resets in (2, 3):
            status, printed, errors = run_swci(folder, certs, [*beginning(sn), "reset contract watched"])
            assert status == 0 and "CONTRACT RESET : watched" in printed, errors
            swci.wait_log(rf"RESETS +: {resets}\n")
        swci.signal(signal.SIGINT)
        swci.wait_log("ERROR : interrupted")
        swci.type("exit")
        assert swci.wait_exit() == 0
        assert len(re.findall(r"CONTRACT +: watched\n", swci.log())) == 3
        assert "\x1b" not in swci.log()
    finally:
        swci.clean_up()


def test_killed_and_started_again_it_is_the_same_node(folder, certs, sn):
    """Its account is kept by its data directory."""
    uids = []
    for _ in range(2):
        swci = Typed(folder, certs).start()
        try:
            swci.type(f"create context t with ip 127.0.0.1 {sn.port}")
            uids.append(swci.wait_log(r"NODE UID : +(0x\w+)")[1])
            swci.kill9()
            swci.offset = swci.log_path.stat().st_size
        finally:
            swci.clean_up()
    assert uids[0] == uids[1]
