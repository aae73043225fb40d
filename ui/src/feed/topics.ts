/// What the feed said last of each topic. Kept while the connection is away, with its age.

import { mergePatch, type Json } from "../base/merge_patch";
import type { OneToBrowser, Topic, Topics, Training } from "../feed";

export type DataOf<T extends Topic> = T extends keyof Topics ? Topics[T] : Training;

export interface TopicState<Data = unknown> {
  data: Data | undefined;
  /** Why there is none, or no longer; "" while there is. */
  absent: string;
  serial: number;
}
export const UNHEARD: TopicState = { data: undefined, absent: "", serial: 0 };

/** The state after a message of its topic; null: a patch was missed, the whole state is needed. */
export function step(before: TopicState, message: OneToBrowser): TopicState | null {
  switch (message.type) {
    case "state":
      // What did not change keeps its identity across a reconnection too.
      return { data: keep(before.data, message.data), absent: "", serial: message.serial };
    case "patch":
      if (message.serial !== before.serial + 1 || before.data === undefined) return null;
      return { data: mergePatch(before.data as Json, message.patch as Json), absent: "", serial: message.serial };
    case "absent":
      return { data: before.data, absent: message.why || "It is not there.", serial: before.serial };
    default:
      return before;
  }
}

/** `after` in objects without a prototype, with those of `before` where they say the same. */
export function keep(before: unknown, after: unknown): unknown {
  if (before === after || typeof after !== "object" || !after) return after;
  if (Array.isArray(after)) return JSON.stringify(before) === JSON.stringify(after) ? before : after;
  const comparable = typeof before === "object" && before !== null && !Array.isArray(before);
  const old = (comparable ? before : Object.create(null)) as Record<string, unknown>;
  const fresh = after as Record<string, unknown>;
  const out = Object.create(null) as Record<string, unknown>;
  const keys = Object.keys(fresh);
  let same = comparable && Object.keys(old).length === keys.length;
  for (const key of keys) {
    out[key] = keep(Object.hasOwn(old, key) ? old[key] : undefined, fresh[key]);
    same &&= Object.hasOwn(old, key) && out[key] === old[key];
  }
  return same ? before : out;
}
