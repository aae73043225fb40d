import assert from "node:assert/strict";
import { test } from "node:test";
import type { OneToBrowser, Topic } from "../src/feed";
import { Connection, Refusal, type Link, type SocketEvents } from "../src/feed/connection";
import { keep, step, UNHEARD } from "../src/feed/topics";

/** A clock that is moved by hand, and sockets that are opened and closed by hand. */
function stage() {
  let t = 0;
  const timers: { at: number; then: (() => void) | null }[] = [];
  const sockets: { events: SocketEvents; sent: Record<string, unknown>[]; closed: boolean }[] = [];
  const links: Link[] = [];
  const messages: OneToBrowser[] = [];
  const connection = new Connection(
    (events) => {
      const socket = { events, sent: [] as Record<string, unknown>[], closed: false };
      sockets.push(socket);
      return {
        send: (text) => socket.sent.push(JSON.parse(text)),
        close: () => {
          socket.closed = true;
          events.closed(1006);
        },
      };
    },
    {
      monotonic: () => t,
      after: (ms, then) => timers[timers.push({ at: t + ms, then }) - 1],
      cancel: (timer) => {
        if (timer) (timer as (typeof timers)[0]).then = null;
      },
      chance: () => 1,
    },
    (link) => links.push(link),
    (message) => messages.push(message),
  );
  const pass = (ms: number) => {
    t += ms;
    for (const timer of timers) {
      if (!timer.then || timer.at > t) continue;
      const { then } = timer;
      timer.then = null;
      then();
    }
  };
  connection.start();
  return { connection, sockets, links, messages, pass, last: () => sockets[sockets.length - 1]! };
}
const hello = JSON.stringify({ type: "hello", now_ms: 1 });

test("it comes back by itself, waits longer each time, and watches again", () => {
  const { connection, sockets, links, pass, last } = stage();
  connection.watch("network");
  last().events.opened();
  assert.deepEqual(last().sent, [{ type: "watch", topic: "network" }]);
  last().events.closed(1006);
  assert.equal(links.at(-1)!.state, "waiting");
  pass(500);
  assert.equal(sockets.length, 2);
  last().events.closed(1006);
  pass(600);
  assert.equal(sockets.length, 2, "the second wait is longer");
  pass(500);
  last().events.opened();
  assert.deepEqual(last().sent, [{ type: "watch", topic: "network" }]);
  last().events.heard(hello);
  last().events.closed(1012);
  pass(500);
  assert.equal(sockets.length, 4, "after it was heard the wait is short again");
});

test("without a session it does not try for ever", () => {
  const { sockets, links, pass, last } = stage();
  last().events.closed(4401);
  pass(1e6);
  assert.equal(sockets.length, 1);
  assert.equal(links.at(-1)!.state, "shut_out");
});

test("a link that is silent is given up", () => {
  const { pass, last, links } = stage();
  last().events.opened();
  pass(29_000);
  last().events.heard(hello);
  pass(29_000);
  assert.equal(links.at(-1)!.state, "live");
  pass(2000);
  assert.equal(links.at(-1)!.state, "waiting");
});

test("answers find their questions; refusals carry their code", async () => {
  const { connection, last } = stage();
  last().events.opened();
  const runs = connection.ask({ what: "runs" });
  const task = connection.ask({ what: "task", name: "x" });
  const [first, second] = last().sent as { id: number }[];
  last().events.heard(
    JSON.stringify({ type: "refused", now_ms: 1, id: second!.id, code: "not_found", why: "no task x" }),
  );
  last().events.heard(JSON.stringify({ type: "answer", now_ms: 1, id: first!.id, data: { runs: [] } }));
  assert.deepEqual(await runs, { runs: [] });
  await assert.rejects(task, (error: Refusal) => error.code === "not_found" && error.message === "no task x");
});

test("several messages at a time are taken in their order", async () => {
  const { connection, last, messages } = stage();
  last().events.opened();
  const runs = connection.ask({ what: "runs" });
  const { id } = last().sent[0] as { id: number };
  const all = [
    { type: "state", now_ms: 1, topic: "network", serial: 1, data: {} },
    { type: "answer", now_ms: 2, id, data: 7 },
    { type: "patch", now_ms: 3, topic: "network", serial: 2, patch: {} },
  ];
  last().events.heard(JSON.stringify({ type: "many", messages: all }));
  assert.equal(await runs, 7);
  assert.deepEqual(
    messages.map(({ now_ms }) => now_ms),
    [1, 2, 3],
  );
});

test("questions outlive a connection, orders do not", async () => {
  const { connection, pass, last } = stage();
  last().events.opened();
  const runs = connection.ask({ what: "runs" });
  const order = connection.act({ what: "delete_task", task: "x" });
  last().events.closed(1006);
  await assert.rejects(order, /Look whether it was done/);
  await assert.rejects(connection.act({ what: "delete_task", task: "x" }), /not connected/);
  pass(500);
  last().events.opened();
  const again = last().sent[0] as { id: number; what: string };
  assert.equal(again.what, "runs");
  last().events.heard(JSON.stringify({ type: "answer", now_ms: 1, id: again.id, data: 1 }));
  assert.equal(await runs, 1);
});

test("no more questions are open at a time than the server takes", () => {
  const { connection, last } = stage();
  last().events.opened();
  for (let i = 0; i < 40; i++) void connection.ask({ what: "runs" });
  assert.equal(last().sent.length, 12);
  const { id } = last().sent[0] as { id: number };
  last().events.heard(JSON.stringify({ type: "answer", now_ms: 1, id, data: 1 }));
  assert.equal(last().sent.length, 13);
});

test("many questions are spread, so that the server does not close", () => {
  const { connection, last, pass } = stage();
  last().events.opened();
  for (let i = 0; i < 100; i++) void connection.ask({ what: "runs" });
  const answerAll = () => {
    for (let i = 0; i < last().sent.length; i++)
      last().events.heard(
        JSON.stringify({ type: "answer", now_ms: 1, id: (last().sent[i] as { id: number }).id, data: 1 }),
      );
  };
  answerAll();
  assert.equal(last().sent.length, 40);
  for (let i = 0; i < 10; i++) {
    pass(100);
    answerAll();
  }
  assert.ok(last().sent.length >= 50 && last().sent.length <= 53, `${last().sent.length}`);
});

const topic: Topic = "trainings";

test("a missed patch asks for the whole state", () => {
  const first = step(UNHEARD, { type: "state", now_ms: 1, topic, serial: 4, data: { contracts: {} } })!;
  const second = step(first, {
    type: "patch",
    now_ms: 2,
    topic,
    serial: 5,
    patch: { contracts: { a: { round_num: 1 } } },
  })!;
  assert.equal(second.serial, 5);
  assert.equal(step(second, { type: "patch", now_ms: 3, topic, serial: 7, patch: {} }), null);
  assert.equal(step(UNHEARD, { type: "patch", now_ms: 3, topic, serial: 1, patch: {} }), null);
  const gone = step(second, { type: "absent", now_ms: 4, topic, why: "it was removed" })!;
  assert.equal(gone.data, second.data, "what was known last stays");
  assert.equal(gone.absent, "it was removed");
});

test("a whole state keeps the objects that say the same", () => {
  const before = keep(undefined, { a: { x: 1 }, b: { y: [1] } }) as { a: object; b: object };
  const after = keep(before, { a: { x: 1 }, b: { y: [2] } }) as typeof before;
  assert.equal(after.a, before.a);
  assert.notEqual(after.b, before.b);
  assert.equal(keep(before, { a: { x: 1 }, b: { y: [1] } }), before);
  assert.equal(Object.getPrototypeOf(before), null, "a name like constructor is only a name");
});
