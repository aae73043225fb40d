/// The one WebSocket: it comes back by itself, says what state it is in, and pairs questions with answers. It knows the
/// browser's WebSocket only by `Dial`, so that tests bring their own.

import { backoff } from "../base/backoff";
import type { Action, OneToBrowser, Question, RefusalCode, ToBrowser, ToServer, Topic } from "../feed";

export interface Socket {
  send(text: string): void;
  close(): void;
}
export interface SocketEvents {
  opened(): void;
  heard(text: string): void;
  closed(code: number): void;
}
export type Dial = (events: SocketEvents) => Socket;

export type LinkState = "connecting" | "live" | "waiting" | "shut_out";
export interface Link {
  state: LinkState;
  /** When waiting: when it dials again, by the monotonic clock. */
  retry_at: number;
  /** When shut out: why no attempt will help. */
  why: string;
}

export class Refusal extends Error {
  constructor(
    readonly code: RefusalCode,
    why: string,
  ) {
    super(why);
  }
}

/** The same question may be answered another time: nothing was wrong with it. */
export const maySucceedLater = (error: unknown): boolean =>
  error instanceof Refusal && (error.code === "unavailable" || error.code === "busy");

export interface Timers {
  monotonic(): number;
  after(ms: number, then: () => void): unknown;
  cancel(timer: unknown): void;
  chance(): number;
}

interface Pending {
  message: ToServer & { id: number };
  resolve(data: unknown): void;
  reject(why: Refusal): void;
}

const ASKED_AT_ONCE_MAX = 12;
/// The server closes on a browser that says more than 20 things a second for long; watching needs some of them.
const QUESTIONS_A_SECOND = 12;
const QUESTIONS_BURST = 40;
/// The server sends at least an age of its data this often; a link that is silent for longer is dead.
const SILENCE_MS_MAX = 30_000;

export class Connection {
  private socket: Socket | null = null;
  private attempt = 0;
  private next_id = 1;
  private retry: unknown = null;
  private silence: unknown = null;
  private credit = QUESTIONS_BURST;
  private credit_at = 0;
  private pause: unknown = null;
  private readonly watched = new Set<Topic>();
  private readonly waiting: Pending[] = [];
  private readonly asked = new Map<number, Pending>();
  link: Link = { state: "connecting", retry_at: 0, why: "" };

  constructor(
    private readonly dial: Dial,
    private readonly timers: Timers,
    private readonly on_link: (link: Link) => void,
    private readonly on_message: (message: OneToBrowser) => void,
  ) {}

  start(): void {
    this.connect();
  }

  watch(topic: Topic): void {
    this.watched.add(topic);
    this.tell({ type: "watch", topic });
  }

  unwatch(topic: Topic): void {
    if (this.watched.delete(topic)) this.tell({ type: "unwatch", topic });
  }

  /** The whole state once more, after a patch was missed. */
  rewatch(topic: Topic): void {
    if (this.watched.has(topic)) this.tell({ type: "watch", topic });
  }

  ask(question: Question): Promise<unknown> {
    return this.request({ type: "ask", id: this.next_id++, ...question });
  }

  act(action: Action): Promise<unknown> {
    return this.request({ type: "act", id: this.next_id++, ...action });
  }

  /** Does not wait for the back-off, as somebody asked for it. */
  retryNow(): void {
    if (this.link.state !== "waiting") return;
    this.timers.cancel(this.retry);
    this.connect();
  }

  private request(message: Pending["message"]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const pending = { message, resolve, reject };
      // An order is never kept for a later connection: who gave it would not expect it any more.
      if (this.link.state !== "live" && message.type === "act")
        return reject(new Refusal("unavailable", "The page is not connected, so nothing was done."));
      this.waiting.push(pending);
      this.pump();
    });
  }

  private pump(): void {
    while (this.link.state === "live" && this.waiting.length && this.asked.size < ASKED_AT_ONCE_MAX) {
      if (!this.pays()) {
        this.timers.cancel(this.pause);
        this.pause = this.timers.after(1000 / QUESTIONS_A_SECOND, () => this.pump());
        return;
      }
      const pending = this.waiting.shift()!;
      this.asked.set(pending.message.id, pending);
      this.tell(pending.message);
    }
  }

  private pays(): boolean {
    const now = this.timers.monotonic();
    this.credit = Math.min(QUESTIONS_BURST, this.credit + ((now - this.credit_at) / 1000) * QUESTIONS_A_SECOND);
    this.credit_at = now;
    if (this.credit < 1) return false;
    this.credit--;
    return true;
  }

  private tell(message: ToServer): void {
    if (this.link.state === "live") this.socket?.send(JSON.stringify(message));
  }

  private connect(): void {
    this.set({ state: "connecting", retry_at: 0, why: "" });
    let over = false;
    const once = (then: () => void) => () => {
      if (!over) then();
    };
    this.socket = this.dial({
      opened: once(() => this.opened()),
      heard: (text) => {
        if (!over) this.heard(text);
      },
      closed: (code) => {
        if (over) return;
        over = true;
        this.closed(code);
      },
    });
    this.listen();
  }

  private opened(): void {
    this.set({ state: "live", retry_at: 0, why: "" });
    for (const topic of this.watched) this.tell({ type: "watch", topic });
    this.pump();
  }

  private heard(text: string): void {
    this.listen();
    this.attempt = 0;
    const message = JSON.parse(text) as ToBrowser;
    for (const each of message.type === "many" ? message.messages : [message]) this.take(each);
  }

  private take(message: OneToBrowser): void {
    this.on_message(message);
    if (message.type !== "answer" && message.type !== "refused") return;
    const pending = this.asked.get(message.id);
    if (!pending) return;
    this.asked.delete(message.id);
    if (message.type === "answer") pending.resolve(message.data);
    else pending.reject(new Refusal(message.code, message.why));
    this.pump();
  }

  private closed(code: number): void {
    this.socket = null;
    this.timers.cancel(this.silence);
    for (const pending of this.asked.values()) this.lost(pending);
    this.asked.clear();
    if (code === 4401 || code === 4403) {
      const why =
        code === 4401
          ? "This session is over, or there was none. Log in again."
          : "The server does not take this page's address. Open it under the address that the server printed.";
      this.set({ state: "shut_out", retry_at: 0, why });
      return;
    }
    const wait = backoff(this.attempt++, this.timers.chance());
    this.retry = this.timers.after(wait, () => this.connect());
    this.set({ state: "waiting", retry_at: this.timers.monotonic() + wait, why: "" });
  }

  /** Questions go again on the next connection; nobody knows whether an order was carried out. */
  private lost(pending: Pending): void {
    if (pending.message.type === "ask") this.waiting.unshift(pending);
    else
      pending.reject(
        new Refusal(
          "unavailable",
          "The connection ended before the answer came. Look whether it was done before you try again.",
        ),
      );
  }

  private listen(): void {
    this.timers.cancel(this.silence);
    this.silence = this.timers.after(SILENCE_MS_MAX, () => this.socket?.close());
  }

  private set(link: Link): void {
    this.link = link;
    this.on_link(link);
  }
}
