/// The page's state: signals over the one connection. Everything that arrives within a frame is shown by that frame.

import { batch, signal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ServerClock } from "../base/clock";
import type {
  Action,
  Anchors,
  Block,
  HostOffer,
  LastLines,
  Log,
  ModelFile,
  Network,
  OneToBrowser,
  Proof,
  Question,
  Rounds,
  Runs,
  Series,
  ServerFacts,
  Task,
  Topic,
  Transaction,
  You,
} from "../feed";
import { Connection, type Link, type SocketEvents } from "./connection";
import { step, UNHEARD, type DataOf, type TopicState } from "./topics";

export const link = signal<Link>({ state: "connecting", retry_at: 0, why: "" });
export const you = signal<You | null>(null);
export const server = signal<ServerFacts | null>(null);
/** The server is of another version than the one that this page came from. */
export const updated = signal(false);
/** Server time, once a second; null before it is known. Whoever shows an age reads it. */
export const now = signal<number | null>(null);
/** When a message was heard last, by the monotonic clock; 0: never. */
export const heard_at = signal(0);

const clock = new ServerClock();
const fresh = new Map<Topic, TopicState>();
const shown = new Map<Topic, Signal<TopicState>>();
const watchers = new Map<Topic, number>();
/** Takes back what has been arranged to show the newest state; null: nothing has. */
let cancelShow: (() => void) | null = null;

export const monotonic = (): number => performance.now();
export const serverNow = (): number | null => clock.now(monotonic());

function dial(events: SocketEvents): WebSocket {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/feed`);
  socket.onopen = () => events.opened();
  socket.onmessage = (message) => events.heard(String(message.data));
  socket.onclose = (event) => events.closed(event.code);
  return socket;
}

const connection = new Connection(
  dial,
  {
    monotonic,
    after: (ms, then) => setTimeout(then, ms),
    cancel: (timer) => clearTimeout(timer as number),
    chance: Math.random,
  },
  (next) => (link.value = next),
  take,
);

function take(message: OneToBrowser): void {
  clock.heard(message.now_ms, monotonic());
  heard_at.value = monotonic();
  if (now.peek() === null) now.value = serverNow();
  if (message.type === "hello") {
    batch(() => {
      updated.value ||= server.peek() !== null && server.peek()!.version !== message.server.version;
      you.value = message.you;
      server.value = message.server;
    });
    return;
  }
  if (message.type === "answer" || message.type === "refused") return;
  const next = step(fresh.get(message.topic) ?? UNHEARD, message);
  if (!next) return connection.rewatch(message.topic);
  if (message.topic === "network") sameChain(fresh.get("network"), next);
  fresh.set(message.topic, next);
  if (cancelShow) return;
  // A hidden page gets no frames, and must not pile up work for the moment it is looked at.
  if (document.hidden) {
    const timer = setTimeout(show, 1000);
    cancelShow = () => clearTimeout(timer);
  } else {
    const frame = requestAnimationFrame(show);
    cancelShow = () => cancelAnimationFrame(frame);
  }
}

/** Of another chain nothing is true that was known: all of it is read anew. */
function sameChain(before: TopicState | undefined, next: TopicState): void {
  const was = (before?.data as Network | undefined)?.genesis;
  const is = (next.data as Network | undefined)?.genesis;
  if (was && is && was !== is) location.reload();
}

function show(): void {
  cancelShow = null;
  batch(() => {
    for (const [topic, state] of fresh) {
      const at = topicSignal(topic);
      if (at.peek() !== state) at.value = state;
    }
  });
}

function topicSignal(topic: Topic): Signal<TopicState> {
  let found = shown.get(topic);
  if (!found) shown.set(topic, (found = signal(fresh.get(topic) ?? UNHEARD)));
  return found;
}

/** The state of a topic as long as the component is there; what was known before shows at once. */
export function useTopic<T extends Topic>(topic: T): TopicState<DataOf<T>> {
  useEffect(() => {
    const before = watchers.get(topic) ?? 0;
    watchers.set(topic, before + 1);
    if (!before) connection.watch(topic);
    return () => {
      const left = watchers.get(topic)! - 1;
      watchers.set(topic, left);
      // Going to and fro between screens shall not fetch the whole state each time.
      if (!left) setTimeout(() => watchers.get(topic) === 0 && watchers.delete(topic) && forget(topic), 5000);
    };
  }, [topic]);
  return topicSignal(topic).value as TopicState<DataOf<T>>;
}

function forget(topic: Topic): void {
  connection.unwatch(topic);
}

export interface Answers {
  rounds: Rounds;
  series: Series;
  runs: Runs;
  block: Block;
  blocks: { blocks: Block[] };
  transaction: Transaction;
  task: { task: Task; body: string[] };
  last_lines: LastLines;
  proof: Proof;
  model: ModelFile;
  anchors: Anchors;
  log: Log;
  host: HostOffer;
  version: { version: string };
}

export function ask<Q extends Question>(question: Q): Promise<Answers[Q["what"]]> {
  return connection.ask(question) as Promise<Answers[Q["what"]]>;
}

export function act(action: Action): Promise<{ done: string; warnings?: string[] }> {
  return connection.act(action) as Promise<{ done: string; warnings?: string[] }>;
}

export const retryNow = (): void => connection.retryNow();

export function start(): void {
  connection.start();
  setInterval(() => {
    if (!document.hidden) now.value = serverNow();
  }, 1000);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    now.value = serverNow();
    if (!cancelShow) return;
    cancelShow();
    show();
  });
}
