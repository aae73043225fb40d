/// Who waits for whom. Every round waits for somebody for an instant; only what lasts is worth a line.

import type { TrainingSummary, Wait } from "../feed";

export interface Waiting {
  contract: string;
  uid: string;
  wait: Wait;
  round_num: number;
  since_ms: number;
  /** It was seen then first, and may wait for longer. */
  at_least: boolean;
}
type Waited = Pick<TrainingSummary, "waits" | "phase" | "checked_in" | "round_num">;

const LASTING_MS = 1500;

export class WaitBook {
  private readonly seen = new Map<string, Map<string, number>>();

  /** What a training waits for at `now_ms`, the silent first, then by how long. */
  look(contract: string, training: Waited, now_ms: number): Waiting[] {
    const before = this.seen.get(contract);
    const after = new Map<string, number>();
    const out: Waiting[] = [];
    for (const [uid, wait] of Object.entries(training.waits)) {
      // While all of them train nobody waits yet: that begins with the first one who has checked in.
      if (training.phase === "collecting" && !training.checked_in && !wait.silent && uid !== "peers") continue;
      const key = `${uid}\n${wait.why}`;
      const first = before?.get(key) ?? now_ms;
      after.set(key, first);
      if (!wait.silent && now_ms - first < LASTING_MS) continue;
      const since_ms = wait.since_ms ?? first;
      out.push({ contract, uid, wait, round_num: training.round_num, since_ms, at_least: wait.since_ms === undefined });
    }
    this.seen.set(contract, after);
    return sorted(out);
  }
}

/** In words, as silence is said by no colour alone. */
export const whyOf = ({ why, silent }: Wait): string =>
  silent && !why.includes("sign of life") ? `gives no sign of life, and ${why}` : why;

export const sorted = (waits: Waiting[]): Waiting[] =>
  waits.sort((a, b) => Number(b.wait.silent) - Number(a.wait.silent) || a.since_ms - b.since_ms);

/** The one of the page, so that a wait is as old on every screen. */
export const wait_book = new WaitBook();
