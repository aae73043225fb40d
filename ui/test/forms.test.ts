import assert from "node:assert/strict";
import { test } from "node:test";
import task_schema from "../../config/schema/task.schema.json";
import { CurveBook } from "../src/base/curves";
import { blank, kindOf, missing, resolve, written, type Schema } from "../src/base/schema";
import { scalar, typed, yaml, type Plain } from "../src/base/yaml";
import type { Run } from "../src/feed";
import { csv, parametersOf, runKey, valuesAt } from "../src/screens/run_model";

const ROOT = task_schema as unknown as Schema;

test("only what every reader of YAML takes for a text stands without quotes", () => {
  for (const safe of ["python3", "/tmp/test", "model/mnist.py", "<PROJECT-MODEL>", "ROOTTASK"])
    assert.equal(scalar(safe), safe);
  for (const odd of [
    "",
    "yes",
    "No",
    "null",
    "~",
    "1.10",
    "0755",
    "- a",
    "a: b",
    "a #b",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "'a",
    '"a',
    "a\nb",
    " a",
    "{a}",
    "[a]",
    "日本",
    "$X",
  ])
    assert.equal(scalar(odd), JSON.stringify(odd));
  assert.deepEqual([null, true, 5, -0.5].map(scalar), ["~", "true", "5", "-0.5"]);
});

test("a definition is written as people write it", () => {
  const text = yaml({
    Name: "t",
    Body: {
      Steps: ["FROM python", ""],
      Env: [{ A: 1 }, { B: null }],
      Mounts: [{ Src: "/a", Tgt: "/b" }],
      None: null,
      Empty: [],
    },
  });
  assert.equal(
    text,
    'Name : t\nBody :\n    Steps :\n    - "FROM python"\n    - ""\n    Env :\n    - A : 1\n    - B : ~\n    Mounts :\n    - Src : /a\n      Tgt : /b\n    None : ~\n    Empty : []\n',
  );
});

test("values of variables are what they look like", () => {
  assert.deepEqual(["25", "-1", "0.5", "true", "False", "0755", "1e5", "x", "", "1.10.2"].map(typed), [
    25,
    -1,
    0.5,
    true,
    false,
    "0755",
    "1e5",
    "x",
    null,
    "1.10.2",
  ]);
});

test("the form knows every value of the published schema", () => {
  const kinds = (def: string) =>
    Object.fromEntries(Object.entries(ROOT.$defs![def]!.properties!).map(([name, each]) => [name, kindOf(ROOT, each)]));
  assert.deepEqual(kinds("run_swarm"), {
    Command: "text",
    Entrypoint: "text",
    WorkingDir: "text",
    Envvars: "pairs",
    PrivateContent: "text",
    SharedContent: "list",
  });
  assert.deepEqual(kinds("make_user_container"), { BuildContext: "text", BuildType: "choice", BuildSteps: "lines" });
  assert.deepEqual(kinds("pull_image"), { Tag: "text", RepoName: "text", OrgAndReg: "text", Auth: "either" });
  assert.deepEqual(kinds("make_swarm_user_content"), { ContentType: "choice", OpsList: "list" });
  assert.deepEqual(kinds("operation"), { Operation: "choice", Target: "text", Options: "options" });
});

test("an empty form names what is missing, and writes nothing where nothing is allowed", () => {
  const run = ROOT.$defs!.run_swarm!;
  const value = blank(ROOT, run) as Record<string, Plain>;
  assert.equal(missing(ROOT, run, value), "Command");
  const full = { ...value, Command: "a.py", Entrypoint: "python3", WorkingDir: "/tmp" };
  assert.equal(missing(ROOT, run, full), "");
  assert.deepEqual(written(ROOT, run, full), {
    Command: "a.py",
    Entrypoint: "python3",
    WorkingDir: "/tmp",
    Envvars: null,
    PrivateContent: null,
    SharedContent: null,
  });
  const half = { ...full, SharedContent: [{ Src: "", Tgt: "/b", MType: "BIND" }] };
  assert.equal(missing(ROOT, run, half), "Src");
  const build = ROOT.$defs!.make_user_container!;
  assert.equal(missing(ROOT, build, blank(ROOT, build)), "BuildSteps");
  const content = ROOT.$defs!.make_swarm_user_content!;
  assert.equal(missing(ROOT, content, blank(ROOT, content)), "Target");
  assert.equal(resolve(ROOT, ROOT.$defs!.run_swarm!.properties!.Command!).maxLength, 160);
});

const run = (over: Partial<Run>): Run => ({
  contract: "c",
  generation: 1,
  state: "complete",
  min_peers: 2,
  merge_method: "mean",
  peers: 4,
  rounds: 10,
  ...over,
});

test("runs side by side differ where they differ", () => {
  const rows = parametersOf([run({}), run({ generation: 2, merge_method: "coordinate median" })]);
  assert.deepEqual(
    rows.filter((row) => row.differs).map((row) => row.name),
    ["Merge method"],
  );
  assert.notEqual(runKey(run({ contract: "c 1" })), runKey(run({ contract: "c", generation: 11 })));
});

test("values of a run are the last, the best, or those of a round", () => {
  const book = new CurveBook();
  book.take({
    contract: "c",
    generation: 1,
    complete: true,
    rounds: [1, 2, 5],
    peers: { a: { name: "a", loss: [3, 2, 1], metric: [null, null, 0.9] } },
  });
  const one = run({ loss: 1, metric: 0.9, best_loss: 0.5, best_loss_round: 4 });
  assert.deepEqual(valuesAt(one, book, "last"), { loss: "1.000", metric: "0.9000" });
  assert.deepEqual(valuesAt(one, book, "best"), { loss: "0.5000 (round 4)", metric: "–" });
  assert.deepEqual(valuesAt(one, book, 4), { loss: "1.000 (round 5)", metric: "0.9000 (round 5)" });
  assert.deepEqual(valuesAt(one, undefined, 4), { loss: "–", metric: "–" });
});

test("a table of runs is safe in a spreadsheet", () => {
  const text = csv([run({ contract: '=HYPERLINK("x"),1', loss: -0.5 }), run({ contract: "a\nb" })]);
  const [head, first] = text.split("\r\n");
  assert.match(head!, /^contract,generation,state/);
  assert.ok(first!.startsWith(`"'=HYPERLINK(""x""),1",1,complete`), first);
  assert.ok(first!.includes(",-0.5,"), "a negative number stays a number");
  assert.ok(text.includes('"a\nb",1'));
});
