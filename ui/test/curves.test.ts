import assert from "node:assert/strict";
import { test } from "node:test";
import { CurveBook, decimate, nearest, sparkPath, SWARM, ticks } from "../src/base/curves";
import type { Series } from "../src/feed";

function series(
  from: number,
  count: number,
  peers: number,
  value = (round: number, peer: number) => round + peer,
): Series {
  const rounds = Array.from({ length: count }, (_, i) => from + i);
  const of = (peer: number) => ({
    name: `sl-${peer}`,
    loss: rounds.map((round) => value(round, peer)),
    metric: rounds.map(() => null),
  });
  return {
    contract: "c",
    generation: 1,
    complete: true,
    rounds,
    peers: Object.fromEntries(Array.from({ length: peers }, (_, i) => [`0x${i}`, of(i)])),
  };
}

test("the swarm's curve is the mean of what was reported", () => {
  const book = new CurveBook();
  const given = series(1, 3, 2);
  given.peers["0x1"]!.loss[1] = null;
  book.take(given);
  const [swarm, first, second] = book.lines("loss");
  assert.equal(swarm!.id, SWARM);
  assert.deepEqual([...swarm!.values], [1.5, 2, 3.5]);
  assert.deepEqual([...first!.values], [1, 2, 3]);
  assert.deepEqual([...second!.values], [2, NaN, 4]);
  assert.deepEqual(book.lines("metric"), [], "nobody reported any");
});

test("a later answer replaces what it covers, also when a peer is missing there", () => {
  const book = new CurveBook();
  book.take(series(1, 5, 2));
  book.take(series(4, 4, 1, (round) => round * 10));
  assert.deepEqual(book.rounds, [1, 2, 3, 4, 5, 6, 7]);
  const [swarm, , second] = book.lines("loss");
  assert.deepEqual([...swarm!.values], [1.5, 2.5, 3.5, 40, 50, 60, 70]);
  assert.deepEqual([...second!.values.slice(2)], [4, NaN, NaN, NaN, NaN]);
});

test("reports show before the server is asked, in their place only", () => {
  const book = new CurveBook();
  book.take(series(5, 2, 1));
  const version = book.version;
  const report = (round_num: number, loss: number) => ({ id: "0x9", name: "sl-9", round_num, loss, metric: 0.5 });
  assert.equal(book.report([report(7, 3)]), true);
  assert.ok(book.version > version);
  assert.equal(book.report([report(7, 3)]), false, "it is not new");
  assert.equal(book.report([report(2, 3), report(0, 1)]), false, "rounds that are not kept");
  assert.deepEqual(book.rounds, [5, 6, 7]);
  assert.equal(book.lines("loss").find((line) => line.id === "0x9")!.values[2], 3);
});

test("256 peers with 10,000 rounds: a report costs its own place", () => {
  const book = new CurveBook();
  book.take(series(1, 10_000, 256));
  const begun = performance.now();
  for (let i = 0; i < 100; i++)
    book.report([{ id: `0x${i}`, name: "", round_num: 10_001, loss: i, metric: undefined }]);
  assert.ok(performance.now() - begun < 1000, `${performance.now() - begun} ms for 100 reports`);
  assert.equal(book.lines("loss").length, 257);
});

test("fewer points keep the lowest and the highest", () => {
  const x = Array.from({ length: 10_000 }, (_, i) => i + 1);
  const values = Float64Array.from(x, (i) => Math.sin(i / 500));
  values[4321] = 9;
  values[7777] = -9;
  values.fill(NaN, 100, 200);
  const points = decimate(x, values, { low: 1, high: 10_000 }, 300);
  assert.ok(points.length / 2 <= 602);
  const drawn = points.filter((_, i) => i % 2 === 1);
  assert.equal(Math.max(...drawn), 9);
  assert.equal(Math.min(...drawn), -9);
  assert.ok(!drawn.some(Number.isNaN));
  const places = points.filter((_, i) => i % 2 === 0);
  assert.deepEqual(
    places,
    [...places].sort((a, b) => a - b),
  );
});

test("a zoomed range keeps a neighbour on each side", () => {
  const x = [1, 2, 3, 4, 5, 6];
  const points = decimate(x, Float64Array.from(x), { low: 2.5, high: 4.5 }, 100);
  assert.deepEqual(
    points.filter((_, i) => i % 2 === 0),
    [2, 3, 4, 5, 6],
  );
  assert.equal(nearest(x, 2.4), 1);
  assert.equal(nearest(x, 100), 5);
  assert.equal(nearest([], 1), -1);
});

test("ticks are round numbers within the range", () => {
  assert.deepEqual(ticks({ low: 0, high: 10 }, 5), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(ticks({ low: 1, high: 3 }, 20, 1), [1, 2, 3]);
  assert.deepEqual(ticks({ low: 5, high: 5 }, 5), [5]);
  for (const high of [1e-9, 0.37, 99, 1e12]) assert.ok(ticks({ low: 0, high }, 6).length <= 12);
});

test("a small curve needs two values", () => {
  assert.equal(sparkPath([1], 100, 20), "");
  assert.equal(sparkPath([NaN, NaN], 100, 20), "");
  assert.equal(sparkPath([1, NaN, 0], 104, 24), "M2.0 2.0L102.0 22.0");
  assert.ok(!sparkPath([1, 1, 1], 100, 20).includes("NaN"));
});
