import assert from "node:assert/strict";
import { test } from "node:test";
import { hostOf, layoutOf, type Box } from "../src/base/topology_layout";
import type { Network, Node, Peer, Round, Training } from "../src/feed";
import { alertsOf, daysLeft } from "../src/screens/alerts";
import { WaitBook } from "../src/screens/waits";
import { mergeRounds } from "../src/screens/history";
import { givenUp } from "../src/screens/round_model";
import { membersOf, progressOf, standingOf, topologyOf } from "../src/screens/training_model";

const DAY = 86_400_000;
const NOW = 1_800_000_000_000;
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
const network = (nodes: Record<string, Node>, validators: string[] = []): Network => ({
  standing: { connected: true, trouble: "", since_ms: 0, read_ms: NOW, sn: "" },
  head: { block_num: 1, hash: "0x", time_ms: NOW, transactions: 0 },
  chain_id: 1,
  genesis: "0x",
  sn_version: "",
  rules: { version: 1 },
  validators: Object.fromEntries(validators.map((uid) => [uid, {}])),
  nodes,
  organisations: {},
  motions: {},
});
const peer = (over: Partial<Peer>): Peer => ({
  name: "sl",
  state: "active",
  organisation: 1,
  endpoint: "10.0.0.1:30305",
  weightage: 1,
  train_end: "snapshot",
  can_lead: true,
  last_round: 1,
  lag: 0,
  loss_round: 0,
  epochs_done: 1,
  epochs_total: 4,
  alive: true,
  ...over,
});

test("hosts are what stands before the port", () => {
  assert.deepEqual(["10.0.0.1:30305", "[fd00::1]:30305", "sl.example.org:443", "fd00::1", ""].map(hostOf), [
    "10.0.0.1",
    "fd00::1",
    "sl.example.org",
    "fd00::1",
    "",
  ]);
});

test("alerts name who, worst first", () => {
  const alerts = alertsOf(
    network(
      {
        a: node({ name: "sn-1", role: "SN", alive: false, silent_since_ms: NOW - 60_000 }),
        b: node({ name: "sl-1", expires_ms: NOW + 3 * DAY }),
        c: node({ name: "sl-2", pending: true, active: false }),
      },
      ["a"],
    ),
    { contracts: {} },
    NOW,
  );
  assert.deepEqual(
    alerts.map((alert) => [alert.tone, alert.who]),
    [
      ["bad", "sn-1"],
      ["warn", "sl-1"],
      ["info", "sl-2"],
    ],
  );
  assert.match(alerts[0]!.text, /no sign of life for 1.min/);
  assert.deepEqual(alertsOf(undefined, undefined, NOW), []);
});

test("validators that may not fail any more are an alert", () => {
  const nodes = Object.fromEntries(
    ["a", "b", "c", "d"].map((uid, i) => [uid, node({ name: uid, role: "SN", alive: i < 2 })]),
  );
  const [first] = alertsOf(network(nodes, ["a", "b", "c", "d"]), undefined, NOW);
  assert.match(first!.text, /Only 2 of 4 validators live, 3 are needed/);
});

test("days left of a certificate", () => {
  assert.equal(daysLeft(0, NOW), null);
  assert.equal(daysLeft(NOW + 1.5 * DAY, NOW), 1);
  assert.equal(daysLeft(NOW - 1, NOW), -1);
});

test("whoever gives no sign of life is named at once and first, others once it lasts", () => {
  const wait = (name: string, silent: boolean, since_ms?: number) => ({
    name,
    why: "has not checked in",
    silent,
    since_ms,
  });
  const book = new WaitBook();
  const look = (waits: Record<string, ReturnType<typeof wait>>, at: number, checked_in = 1) =>
    book
      .look("t", { waits, phase: "collecting", checked_in, round_num: 3 }, at)
      .map((each) => [each.wait.name, each.since_ms, each.at_least]);
  const waits = { a: wait("slow", false), b: wait("dead", true, 900) };
  assert.deepEqual(look(waits, 1000), [["dead", 900, false]]);
  assert.deepEqual(look(waits, 3000), [
    ["dead", 900, false],
    ["slow", 1000, true],
  ]);
  assert.deepEqual(look({}, 3500), []);
  assert.deepEqual(look(waits, 4000), [["dead", 900, false]], "a new wait begins anew");
  assert.deepEqual(look({ a: wait("slow", false) }, 9000, 0), [], "while all of them train nobody waits");
});

test("members stand by host, under the SN that they registered with", () => {
  const training = {
    leader: "b",
    check_ins: { a: {} },
    members: {
      a: peer({ name: "sl-2" }),
      b: peer({ name: "sl-10", endpoint: "10.0.0.2:1", alive: false }),
      c: peer({ name: "sl-1", state: "left" }),
    },
  } as unknown as Training;
  const whole = network({
    a: node({ parent: "s" }),
    b: node({ parent: "s" }),
    s: node({ name: "sn", role: "SN" }),
    w: node({ name: "swop", role: "SWOP", endpoint: "10.0.0.2:9" }),
  });
  const members = membersOf(training, whole);
  assert.deepEqual(
    members.map((member) => member.peer.name),
    ["sl-2", "sl-10", "sl-1"],
  );
  assert.deepEqual(
    members.map((member) => standingOf(member).word),
    ["active", "silent", "left"],
  );
  assert.ok(members[1]!.leader && members[0]!.checked_in);
  const topology = topologyOf(members, whole);
  assert.deepEqual(topology.hosts, [
    ["10.0.0.1", ["a"]],
    ["10.0.0.2", ["b"]],
  ]);
  assert.deepEqual(
    topology.links.map((link) => [link.sn, link.host, link.alive]),
    [
      ["s", "10.0.0.1", true],
      ["s", "10.0.0.2", false],
    ],
  );
  assert.deepEqual({ ...topology.swops }, { "10.0.0.2": ["swop"] });
  assert.equal(progressOf(peer({})), 0.25);
  assert.equal(progressOf(peer({ epochs_total: 0 })), undefined);
});

const apart = (a: Box, b: Box) =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

test("nothing of the topology overlaps or is cut off, from 332 px and one SL to 256 on 40 hosts", () => {
  for (const width of [332, 640, 1100])
    for (const [cards, hosts] of [
      [1, 1],
      [6, 3],
      [24, 24],
      [64, 8],
      [256, 40],
      [256, 1],
    ] as const) {
      const at: [string, string[]][] = Array.from({ length: hosts }, (_, h) => [`host ${h}`, []]);
      for (let i = 0; i < cards; i++) at[i % hosts]![1].push(`sl ${i}`);
      const layout = layoutOf(["a", "b", "c", "d"], at, width);
      const boxes = [...layout.sns, ...layout.hosts.flatMap((host) => host.cards)];
      assert.equal(boxes.length, cards + 4);
      for (const box of [...boxes, ...layout.hosts])
        assert.ok(
          box.x >= 0 && box.x + box.width <= width + 1e-6 && box.y + box.height <= layout.height + 1e-6,
          JSON.stringify(box),
        );
      for (let i = 0; i < boxes.length; i++) for (let j = 0; j < i; j++) assert.ok(apart(boxes[i]!, boxes[j]!));
    }
});

test("fresh rounds win, and what says the same stays the same object", () => {
  const round = (round_num: number, loss: number): Round => ({ round_num, loss, events: [] });
  const before = [round(3, 1), round(2, 1)];
  const after = mergeRounds(before, [round(4, 1), round(3, 1), round(2, 9)]);
  assert.deepEqual(
    after.map((each) => [each.round_num, each.loss]),
    [
      [4, 1],
      [3, 1],
      [2, 9],
    ],
  );
  assert.equal(after[1], before[0]);
});

test("leaders that were given up are named with who says so and who leads then", () => {
  const event = (kind: string, peer: string, by?: string) => ({
    kind,
    peer,
    ...(by ? { by } : {}),
    text: kind === "peer_left" ? "leaves: gives no sign of life" : "",
    block_num: 1,
    txn: "0x",
    time_ms: 0,
  });
  const events = [
    event("leader_suspected", "a", "z"), // of an earlier attempt at this round
    event("round_closed", "a"),
    event("leader_suspected", "a", "b"),
    event("leader_suspected", "c", "d"), // comes late, and is about no leader of now
    event("leader_suspected", "a", "c"),
    event("leader_changed", "b"),
    event("peer_left", "b"),
    event("leader_changed", "c"),
    event("merge_committed", "c"),
  ];
  assert.deepEqual(givenUp({ events }), [
    { uid: "a", by: ["b", "c"], left: "", next: "b" },
    { uid: "b", by: [], left: "leaves: gives no sign of life", next: "c" },
  ]);
  assert.deepEqual(givenUp({ events: events.slice(0, 3) }), []);
});
