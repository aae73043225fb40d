import assert from "node:assert/strict";
import { test } from "node:test";
import { retryWait, Throttle } from "../src/base/throttle";

/** A clock that is moved by hand, and jobs that end by hand. */
function stage() {
  let t = 0;
  let timers: { at: number; then: () => void }[] = [];
  const open: ((done: boolean) => void)[] = [];
  let begun = 0;
  const throttle = new Throttle(
    () => {
      begun++;
      return new Promise((resolve) => open.push(resolve));
    },
    800,
    {
      after: (ms, then) => timers[timers.push({ at: t + ms, then }) - 1],
      cancel: (timer) => (timers = timers.filter((each) => each !== timer)),
    },
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    throttle,
    begun: () => begun,
    ends: async (done: boolean) => {
      open.shift()!(done);
      await settled();
    },
    pass: async (ms: number) => {
      t += ms;
      const due = timers.filter((timer) => timer.at <= t);
      timers = timers.filter((timer) => timer.at > t);
      for (const timer of due) timer.then();
      await settled();
    },
  };
}

test("the last change is never lost, however many come while a job is under way or waited for", async () => {
  const { throttle, begun, ends, pass } = stage();
  throttle.changed();
  assert.equal(begun(), 1);
  throttle.changed(); // such as another generation
  throttle.changed();
  assert.equal(begun(), 1, "one at a time");
  await ends(true);
  await pass(799);
  assert.equal(begun(), 1, "not more often than wanted");
  await pass(1);
  assert.equal(begun(), 2);
  await ends(true);
  throttle.changed(); // while it pauses
  await pass(800);
  assert.equal(begun(), 3);
  await ends(true);
  await pass(100_000);
  assert.equal(begun(), 3, "nothing has changed since");
});

test("what came to nothing is tried again by itself, less and less often", async () => {
  const { throttle, begun, ends, pass } = stage();
  throttle.changed();
  for (const [failures, wait] of [1000, 2000, 4000, 8000, 16_000, 16_000].entries()) {
    assert.equal(retryWait(failures + 1), wait);
    await ends(false);
    await pass(wait - 1);
    assert.equal(begun(), failures + 1);
    await pass(1);
    assert.equal(begun(), failures + 2);
  }
  await ends(true);
  await pass(100_000);
  assert.equal(begun(), 7);
  throttle.changed();
  await ends(false);
  await pass(1000);
  assert.equal(begun(), 9, "from the beginning again");
});

test("once it has ended nothing is begun", async () => {
  const { throttle, begun, ends, pass } = stage();
  throttle.changed();
  throttle.changed();
  throttle.end();
  await ends(false);
  await pass(100_000);
  throttle.changed();
  assert.equal(begun(), 1);
});
