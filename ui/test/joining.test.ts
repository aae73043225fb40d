import assert from "node:assert/strict";
import { test } from "node:test";
import { bundleOf, certified, endpointOf, profileOf, swopProfileOf, wrongWith, type Wish } from "../src/base/join_bundle";
import type { Network, Node, Taskrunner } from "../src/feed";
import { hostsOf, offerRows, snOrders, whyNoSnNow } from "../src/screens/hosts_model";
import { joined, linesOf, logsOf, LOG_LINES_MAX, search, sourcesOf } from "../src/screens/logs_model";

const PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
const wish = (over: Partial<Wish>): Wish => ({
  role: "SL",
  name: "sl-5",
  host: "10.0.0.5",
  folder: "/opt/swarm/sl-5",
  sn: "10.0.0.1:30304",
  genesis: `0x${"a".repeat(64)}`,
  anchors: [{ fingerprint: `0x${"b".repeat(64)}`, pem: PEM }],
  ports: ["30305"],
  taskrunner: "defaulttaskbb.taskdb.sml.hpe",
  pairs: 2,
  manager: "PROCESS",
  ...over,
});

test("addresses of SNs are hosts and ports, and nothing else", () => {
  assert.deepEqual(endpointOf("10.0.0.1:30304"), { host: "10.0.0.1", port: 30304 });
  assert.deepEqual(endpointOf("[fd00::1]:443"), { host: "fd00::1", port: 443 });
  assert.deepEqual(endpointOf("api.sn-1.swarm:443"), { host: "api.sn-1.swarm", port: 443 });
  for (const odd of ["", "10.0.0.1", "x:0", "x:65536", "x y:1", "x:1\nrm", "$(rm):1", "a'b:1", "-x:1", "a:b:1"])
    assert.equal(endpointOf(odd), null, odd);
});

test("a bundle is made only of what cannot end its quotes", () => {
  assert.equal(wrongWith(wish({})), "");
  assert.equal(wrongWith(wish({ role: "SWOP", name: "swop-5", ports: [] })), "");
  for (const odd of [
    { name: "" },
    { name: "a b" },
    { name: "a\nrm -rf ~" },
    { name: "$(id)" },
    { name: "../x" },
    { host: "" },
    { host: "h'x" },
    { host: "h\nx" },
    { folder: "relative" },
    { folder: "/opt/a b" },
    { folder: "/opt/../etc" },
    { folder: "/opt/`id`" },
    { sn: "x:1;id" },
    { genesis: "" },
    { genesis: "0x12" },
    { ports: ["0"] },
    { ports: ["70000"] },
    { ports: ["1;id"] },
    { anchors: [] },
    { anchors: [{ fingerprint: `0x${"b".repeat(64)}`, pem: `${PEM}END-OF-THIS-FILE\nid\n` }] },
    { anchors: [{ fingerprint: "0x12", pem: PEM }] },
    { anchors: [{ fingerprint: `0x${"b".repeat(64)}`, pem: PEM.replace("AAAA", "$(id)") }] },
    { role: "SWOP" as const, taskrunner: "" },
    { role: "SWOP" as const, taskrunner: "a\nb" },
    { role: "SWOP" as const, pairs: 65 },
    { role: "SWOP" as const, pairs: Number.NaN },
  ])
    assert.notEqual(wrongWith(wish(odd)), "", JSON.stringify(odd));
});

test("a SWOP's own profile goes into the bundle as it is, and cannot end its quotes", () => {
  const own = "groupname: mine\ntaskrunner: t\nnodes: [] # 'a' $(rm) \\ \u00e4\n";
  const swop = wish({ role: "SWOP", name: "swop-5", ports: [], taskrunner: "", profile: own });
  assert.equal(wrongWith(swop), "");
  assert.ok(bundleOf(swop).includes(`cat > usr/swop.yaml <<'END-OF-THIS-FILE'\n${own}END-OF-THIS-FILE\n`));
  assert.deepEqual(certified(swop), ["swop-5"]);
  for (const odd of ["a\nEND-OF-THIS-FILE\nrm -rf /\n", "END-OF-THIS-FILE", "x\r\nEND-OF-THIS-FILE\r\n", "a\u0000b", "\u001b[2J", "x".repeat(70_000)])
    assert.notEqual(wrongWith({ ...swop, profile: odd }), "", JSON.stringify(odd.slice(0, 40)));
});

test("a bundle has authorities, genesis block, SN and profile, and no secret", () => {
  const text = bundleOf(wish({}));
  for (const part of [PEM, "sl-5", "10.0.0.5", "10.0.0.1", "30304", "30305", "a".repeat(64), "swarmd doctor"])
    assert.ok(text.includes(part), part);
  assert.ok(!/PRIVATE KEY|token/.test(text));
  assert.match(profileOf(wish({})), /^sl :\n {4}node-name : sl-5\n {4}sn-ip : "10.0.0.1"\n {4}sn-api-port : 30304\n/m);
  const sn = profileOf(wish({ role: "SN", name: "sn-5", ports: ["1", "2"] }));
  assert.match(sn, /sentinel-ip : "10.0.0.1"\n {4}sentinel-api-port : 30304\n {4}sn-api-port : 1\n {4}sn-p2p-port : 2\n/);
  const swop = wish({ role: "SWOP", name: "swop-5", ports: [] });
  assert.deepEqual(certified(swop), ["swop-5", "swop-5-sl-1", "swop-5-sl-2"]);
  assert.equal(swopProfileOf(swop).match(/slnodedef/g)?.length, 2);
  assert.ok(bundleOf(swop).includes("usr/swop.yaml"));
});

const node = (over: Partial<Node>): Node => ({
  name: "n",
  role: "SL",
  organisation: 1,
  endpoint: "10.0.0.1:30305",
  active: true,
  pending: false,
  since_block: 1,
  fingerprint: "0x",
  expires_ms: 0,
  alive: true,
  ...over,
});
const part = { name: "swop-1", status: "FAILED" as const, alive: true, listening: true, slots: 2, attempt: 1 };
const runner = (over: Partial<Taskrunner>): Taskrunner => ({
  uid: "0x1",
  owner: 0,
  state: "IDLE",
  run: 1,
  quorum: 0,
  listening: 1,
  slots: 2,
  enrolled: 0,
  active: 0,
  complete: 0,
  failed: 0,
  swops: {},
  ...over,
});

test("hosts have their nodes, and what their SWOPs can start", () => {
  const nodes = {
    a: node({ name: "sl-2", endpoint: "10.0.0.2:1" }),
    b: node({ name: "swop-1", role: "SWOP", endpoint: "10.0.0.2:7" }),
    c: node({ name: "sn-1", role: "SN", endpoint: "10.0.0.2:9" }),
    d: node({ name: "sl-1", endpoint: "10.0.0.1:1" }),
    e: node({ name: "gone", endpoint: "10.0.0.3:1", active: false }),
    f: node({ name: "swci-1", role: "SWCI", endpoint: "" }),
  };
  const swop = { ...part, status: "ACTIVE" as const, pairs: { 0: { name: "sl-2", status: "ACTIVE" as const } } };
  const found = hostsOf({ nodes } as unknown as Network, {
    taskrunners: { r: runner({ task: "train", swops: { b: swop } }) },
  });
  assert.deepEqual(
    found.map(({ address, nodes: all }) => [address, all.map(([, each]) => each.name)]),
    [
      ["10.0.0.2", ["sn-1", "sl-2"]],
      ["10.0.0.1", ["sl-1"]],
    ],
  );
  const [first] = found[0]!.swops;
  assert.deepEqual([first!.slots, first!.runner, first!.task, first!.running], [2, "r", "train", 1]);
});

test("lines may be had of SWOPs that carry something out, or did, and are found by their words", () => {
  const failed = { ...part, status: "COMPLETE" as const, pairs: { 0: { name: "sl", status: "FAILED" as const } } };
  const well = { ...part, name: "swop-2", status: "ACTIVE" as const, pairs: {} };
  const idle = { ...part, status: "NONE" as const, attempt: 0, pairs: {} };
  const all = { taskrunners: { r: runner({ swops: { x: failed, y: well, v: idle } }), q: runner({ swops: { z: { ...part, pairs: {} } } }) } };
  assert.deepEqual(
    sourcesOf(all).map(({ runner: of, swop, failed, running }) => [of, swop, failed, running]),
    [
      ["q", "z", true, false],
      ["r", "x", true, false],
      ["r", "y", false, true],
    ],
  );
  const outputs = [
    { of: "ML", lines: ["one", "Key Error", "two"] },
    { of: "SL", lines: ["three"] },
  ];
  assert.deepEqual(search(outputs, " key "), [{ of: "ML", all: 3, lines: [{ number: 2, text: "Key Error" }] }]);
  assert.equal(search(outputs, "").length, 2);
});

test("lines of the log come newest first, each once, and are bounded", () => {
  const line = (number: number, level: "info" | "error" = "info") => ({
    number,
    time_ms: number,
    level,
    source: number % 2 ? "swarm.UI" : "swarm.SN",
    text: `Line ${number}`,
  });
  const first = joined([], [line(1), line(2, "error")]);
  assert.deepEqual(first.map(({ number }) => number), [2, 1]);
  assert.equal(joined(first, [line(1), line(2)]), first);
  // A node that was started again counts from 1; an answer that comes late does not look so.
  const anew = { ...line(1), time_ms: 9 };
  assert.deepEqual(joined(first, [anew]), [anew]);
  assert.equal(joined(first, [line(1)]), first);
  const all = joined(first, Array.from({ length: 3000 }, (_, i) => line(i + 3)));
  assert.deepEqual([all.length, all[0]!.number], [LOG_LINES_MAX, 3002]);
  assert.deepEqual(linesOf(first, "error", "", "").map(({ number }) => number), [2]);
  assert.deepEqual(linesOf(first, "debug", "swarm.UI", " line ").map(({ number }) => number), [1]);
});

test("logs may be had of the own organisation's nodes that can be asked", () => {
  const node = (name: string, role: string, organisation: number, more: object = {}) => ({
    name,
    role,
    organisation,
    active: true,
    endpoint: "h:1",
    ...more,
  });
  const nodes = {
    me: node("swci-1", "SWCI", 1),
    a: node("sl-1", "SL", 1),
    b: node("sl-2", "SL", 1, { active: false }),
    c: node("sn-1", "SN", 1),
    d: node("sn-2", "SN", 1, { api_endpoint: "h:2" }),
    e: node("swop-1", "SWOP", 1),
    f: node("swop-2", "SWOP", 2),
    g: node("sl-3", "SL", 1, { endpoint: "" }),
  };
  const network = { nodes } as unknown as Network;
  assert.deepEqual(logsOf(network, "me").map(({ name }) => name), ["sn-2", "swop-1", "sl-1"]);
  assert.deepEqual(logsOf(network, "stranger").map(({ uid }) => uid), ["d", "e", "f", "a"]);
  assert.deepEqual(logsOf(undefined, "me"), []);
});

test("an SN that a host offers is started and stopped by a task of its own", () => {
  const swop = { uid: "b", node: node({ name: "swop-1", role: "SWOP" }), slots: 0, runner: "r", running: 0 };
  const idle = runner({ state: "IDLE" });
  const tasks = { "start-sn-2-1": {}, "stop-sn-2-2": {} };
  const start = snOrders(swop, { name: "sn-2", runs: false }, idle, tasks);
  assert.deepEqual(start, [
    {
      what: "create_task",
      yaml:
        "Name : start-sn-2-2\nTaskType : RUN_NODE\nAuthor : page\nPrereq : ROOTTASK\nOutcome : sn-2\n" +
        "Body :\n    Node : sn-2\n    State : RUNNING\n",
    },
    { what: "assign_task", task: "start-sn-2-2", taskrunner: "r", swop: "b" },
  ]);
  const stop = snOrders(swop, { name: "sn-2", runs: true }, runner({ state: "ERROR", task: "train" }), tasks);
  assert.deepEqual(stop[0], { what: "reset_taskrunner", taskrunner: "r" });
  assert.match(JSON.stringify(stop[1]), /stop-sn-2-1.*State : STOPPED/);
  assert.equal(whyNoSnNow(idle), "");
  assert.equal(whyNoSnNow(runner({ state: "RUNNING", task: "train" })), "The taskrunner carries out train.");
  assert.equal(whyNoSnNow(undefined), "Its SWOP listens to no taskrunner.");
});

test("what a host has is said in words, and what is not known with a dash", () => {
  const gpus = ["NVIDIA H200", "NVIDIA T4", "NVIDIA H200"];
  assert.deepEqual(offerRows({ engine: "PROCESS", gpus, cores: 8, memory_bytes: 2 ** 34, memory_free_bytes: 2 ** 33 }), [
    ["Cores", "8"],
    ["Memory", "16.0\u2009GiB, 8.0\u2009GiB free"],
    ["Disk", "–"],
    ["GPUs", "2 × NVIDIA H200 and 1 × NVIDIA T4"],
    ["Programs run", "in sandboxes of the host"],
  ]);
  assert.deepEqual(offerRows({ engine: "\u202ex", gpus: [] }).slice(3), [
    ["GPUs", "none"],
    ["Programs run", "\\u{202e}x"],
  ]);
});
