import assert from "node:assert/strict";
import { test } from "node:test";
import { backoff, FIRST_MS, MOST_MS } from "../src/base/backoff";
import { ServerClock } from "../src/base/clock";
import { ago, axis, bytes, count, cut, duration, figure, list, percent, shortHash, shown } from "../src/base/format";
import { mergePatch, type Json } from "../src/base/merge_patch";
import { href, parseRoute } from "../src/base/route";
import { compareKeys, windowOf } from "../src/base/windowed";

const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

// Appendix A of RFC 7396: target, patch, result.
const RFC_7396: [Json, Json, Json][] = [
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
];

test("merge patches follow the examples of RFC 7396", () => {
  for (const [target, patch, result] of RFC_7396) {
    const before = plain(target);
    assert.deepEqual(plain(mergePatch(target, patch)), result);
    assert.deepEqual(target, before, "the target is not changed");
  }
});

test("a patch keeps what it does not touch, and all when it changes nothing", () => {
  const target = { a: { x: 1 }, b: { y: 2 } };
  const after = mergePatch(target, { b: { y: 3 } }) as typeof target;
  assert.equal(after.a, target.a);
  assert.notEqual(after.b, target.b);
  assert.equal(mergePatch(target, { a: { x: 1 }, c: null }), target);
});

test("names of objects' own making are only names", () => {
  const after = mergePatch({}, JSON.parse('{"__proto__": {"polluted": 1}, "constructor": {"x": 2}}') as Json) as Record<
    string,
    Json
  >;
  assert.deepEqual(Object.keys(after).sort(), ["__proto__", "constructor"]);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  const gone = mergePatch(after, JSON.parse('{"__proto__": null}') as Json) as Record<string, Json>;
  assert.deepEqual(Object.keys(gone), ["constructor"]);
});

test("figures keep four digits", () => {
  assert.deepEqual([0.18344, 1.23456, 12.3456, 123.456, 12345.6, 0, 1.2e-7, 3e9, -0.5].map(figure), [
    "0.1834",
    "1.235",
    "12.35",
    "123.5",
    "12,346",
    "0",
    "1.20e-7",
    "3.00e+9",
    "-0.5000",
  ]);
  assert.deepEqual([NaN, null, undefined, Infinity].map(figure), ["–", "–", "–", "–"]);
  assert.deepEqual(axis([0, 0.5, 1]), ["0.0", "0.5", "1.0"]);
  assert.deepEqual(axis([0.001, 0.002]), ["0.001", "0.002"]);
  assert.deepEqual(axis([-20, 0, 20]), ["-20", "0", "20"]);
});

test("a share is 100 % only when it is all", () => {
  const thin = (text: string) => text.replaceAll("\u2009", " ");
  assert.equal(thin(percent(1)), "100 %");
  assert.equal(thin(percent(0.9999)), "99 %");
  assert.equal(thin(percent(0.004)), "0.4 %");
  assert.equal(thin(percent(7)), "100 %");
  assert.equal(percent(undefined), "–");
});

test("lengths of time and amounts", () => {
  const thin = (text: string) => text.replaceAll("\u2009", " ");
  assert.deepEqual(
    [0, 850, 1500, 12_000, 200_000, 7_500_000, 90_000_000, -5].map((ms) => thin(duration(ms))),
    ["0 ms", "850 ms", "1.5 s", "12 s", "3 min 20 s", "2 h 5 min", "1 d 1 h", "0 ms"],
  );
  assert.deepEqual(
    [500, 12_900, 3_599_000, 7_200_000, 1e9].map((ms) => thin(ago(ms))),
    ["now", "12 s ago", "59 min ago", "2 h ago", "11 d ago"],
  );
  assert.deepEqual(
    [0, 1023, 1536, 45e6, 2 ** 40].map((n) => thin(bytes(n))),
    ["0 B", "1023 B", "1.5 KiB", "42.9 MiB", "1.0 TiB"],
  );
  assert.equal(count(1, "peer"), "1 peer");
  assert.equal(count(1200, "authority", "authorities"), "1,200 authorities");
});

test("invisible characters and those that turn text show as codes", () => {
  assert.equal(shown("a\u202Eb\u0000c\u200Bd\n"), "a\\u{202e}b\\u{0}c\\u{200b}d\\u{a}");
  assert.equal(shown("Charité 日本 <b>&\"'"), "Charité 日本 <b>&\"'");
});

test("cutting keeps both ends and whole characters", () => {
  assert.equal(cut("short", 10), "short");
  assert.equal(cut("swarm-node-berlin-17", 9), "swar…n-17".replace("n-17", "n-17"));
  assert.equal(cut("😀😀😀😀", 3), "😀…😀");
  assert.equal(shortHash("0x1234567890abcdef1234"), "0x1234…1234");
  assert.equal(list(["a", "b", "c", "d"]), "a, b and 2 more");
  assert.equal(list(["a", "b", "c"]), "a, b and c");
  assert.equal(list([]), "");
});

test("addresses hold any name", () => {
  for (const name of ["a/b?c#d", "100 %", "\u202E<b>", "__proto__", " ", "日本"]) {
    const route = parseRoute(href("training", name, 3));
    assert.deepEqual(route.args, [name, "3"]);
    assert.equal(route.screen, "training");
  }
  assert.equal(parseRoute("").screen, "overview");
  assert.deepEqual(parseRoute("#/training/%E0%A4%A").args, ["%E0%A4%A"]);
});

test("the server's clock is followed by the least delayed message, and when it is set back", () => {
  const clock = new ServerClock();
  assert.equal(clock.now(0), null);
  clock.heard(1_000_000, 100);
  assert.equal(clock.now(600), 1_000_500);
  clock.heard(1_001_000, 1500); // 400 ms late
  assert.equal(clock.now(1500), 1_001_400);
  clock.heard(500_000, 2000); // set back by minutes
  assert.equal(clock.now(2000), 500_000);
});

test("waits grow to their bound", () => {
  assert.equal(backoff(0, 1), FIRST_MS);
  assert.ok(backoff(3, 0) > backoff(1, 1));
  for (const attempt of [6, 100, 1e9]) assert.ok(backoff(attempt, 1) <= MOST_MS);
});

test("only rows that are seen exist", () => {
  assert.deepEqual(windowOf(10_000, 37, 37_000, 480, 10), { first: 990, end: 1023 });
  assert.deepEqual(windowOf(5, 37, 0, 480, 10), { first: 0, end: 5 });
  assert.deepEqual(windowOf(0, 37, 0, 480), { first: 0, end: 0 });
  const shrunk = windowOf(3, 37, 90_000, 480);
  assert.ok(shrunk.first < shrunk.end && shrunk.end === 3);
});

test("what is not known sorts last in both directions", () => {
  const sorted = (descending: boolean) =>
    [3, undefined, 1, NaN, 2].sort((a, b) => compareKeys(a, b, descending)).slice(0, 3);
  assert.deepEqual(sorted(false), [1, 2, 3]);
  assert.deepEqual(sorted(true), [3, 2, 1]);
  assert.ok(compareKeys("sl-2", "sl-10", false) < 0);
});
