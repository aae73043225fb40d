/// What charts draw: values by round, of each node and of the swarm. Numbers stand in flat arrays that grow, as 256 nodes
/// report for 10,000 rounds, and a report must cost no more than its own place. NaN: nothing was reported.

import type { Series } from "../feed";
import { byName } from "./format";

export type Kind = "loss" | "metric";
export interface Line {
  id: string;
  name: string;
  values: Float64Array;
}
/** The lowest and highest of all nodes, by round. */
export interface Band {
  low: Float64Array;
  high: Float64Array;
}
export interface Report {
  id: string;
  name: string;
  round_num: number;
  loss: number | undefined;
  metric: number | undefined;
}
export const SWARM = "swarm";

interface Peer {
  name: string;
  loss: Float64Array;
  metric: Float64Array;
  used: { loss: boolean; metric: boolean };
}

const summary = (name: string): Peer => ({
  name,
  loss: new Float64Array(),
  metric: new Float64Array(),
  used: { loss: true, metric: true },
});
const KINDS: readonly Kind[] = ["loss", "metric"];

/** The curves of one run. */
export class CurveBook {
  rounds: number[] = [];
  complete = true;
  /** Grows with every change. */
  version = 0;
  private capacity = 0;
  private readonly peers = new Map<string, Peer>();
  private readonly swarm = summary("Swarm (mean)");
  private readonly lowest = summary("lowest");
  private readonly highest = summary("highest");

  /** An answer of the server: it replaces what is known from its first round on. */
  take(series: Series): void {
    this.complete = series.complete && (this.complete || !this.rounds.length);
    this.version++;
    if (!series.rounds.length) return;
    const first = lowerBound(this.rounds, series.rounds[0]!);
    this.rounds.length = first;
    this.rounds.push(...series.rounds);
    this.grow(this.rounds.length);
    for (const peer of this.peers.values()) for (const kind of KINDS) peer[kind].fill(NaN, first);
    for (const [id, { name, loss, metric }] of Object.entries(series.peers)) {
      const peer = this.peer(id, name);
      const given = { loss, metric };
      for (const kind of KINDS)
        for (let i = 0; i < series.rounds.length; i++) {
          const value = given[kind][i];
          if (typeof value !== "number") continue;
          peer[kind][first + i] = value;
          peer.used[kind] = true;
        }
    }
    for (let i = first; i < this.rounds.length; i++) this.average(i);
  }

  /** Reports that were just heard, before the server is asked for more. True when one of them is new. */
  report(reports: readonly Report[]): boolean {
    const changed = new Set<number>();
    for (const report of reports) {
      if (report.round_num === 0 || (report.loss === undefined && report.metric === undefined)) continue;
      let at = lowerBound(this.rounds, report.round_num);
      if (this.rounds[at] !== report.round_num) {
        if (at < this.rounds.length) continue; // a round that is not kept
        at = this.rounds.push(report.round_num) - 1;
        this.grow(this.rounds.length);
      }
      const peer = this.peer(report.id, report.name);
      for (const kind of KINDS) {
        const value = report[kind];
        if (value === undefined || peer[kind][at] === value) continue;
        peer[kind][at] = value;
        peer.used[kind] = true;
        changed.add(at);
      }
    }
    for (const at of changed) this.average(at);
    if (changed.size) this.version++;
    return changed.size > 0;
  }

  /** The swarm's line, then those of nodes that reported, by name. */
  lines(kind: Kind): Line[] {
    const length = this.rounds.length;
    const of = (id: string, peer: Peer): Line => ({ id, name: peer.name, values: peer[kind].subarray(0, length) });
    const all = [...this.peers].filter(([, peer]) => peer.used[kind]).map(([id, peer]) => of(id, peer));
    all.sort((a, b) => byName(a.name, b.name) || (a.id < b.id ? -1 : 1));
    return all.length ? [of(SWARM, this.swarm), ...all] : [];
  }

  band(kind: Kind): Band {
    const length = this.rounds.length;
    return { low: this.lowest[kind].subarray(0, length), high: this.highest[kind].subarray(0, length) };
  }

  private peer(id: string, name: string): Peer {
    let found = this.peers.get(id);
    if (!found) {
      const none = () => new Float64Array(this.capacity).fill(NaN);
      this.peers.set(id, (found = { name, loss: none(), metric: none(), used: { loss: false, metric: false } }));
    }
    found.name = name;
    return found;
  }

  private grow(length: number): void {
    if (length <= this.capacity) return;
    this.capacity = Math.max(length, this.capacity * 2, 256);
    for (const peer of [...this.peers.values(), this.swarm, this.lowest, this.highest])
      for (const kind of KINDS) {
        const larger = new Float64Array(this.capacity).fill(NaN);
        larger.set(peer[kind]);
        peer[kind] = larger;
      }
  }

  private average(at: number): void {
    for (const kind of KINDS) {
      let sum = 0;
      let count = 0;
      let low = Infinity;
      let high = -Infinity;
      for (const peer of this.peers.values()) {
        const value = peer[kind][at]!;
        if (Number.isNaN(value)) continue;
        sum += value;
        count++;
        if (value < low) low = value;
        if (value > high) high = value;
      }
      this.swarm[kind][at] = count ? sum / count : NaN;
      this.lowest[kind][at] = count ? low : NaN;
      this.highest[kind][at] = count ? high : NaN;
    }
  }
}

/** Index of the first of ascending `values` that is not below `wanted`. */
export function lowerBound(values: ArrayLike<number>, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the one of ascending `values` that is nearest to `wanted`; -1: there is none. */
export function nearest(values: ArrayLike<number>, wanted: number): number {
  if (!values.length) return -1;
  const at = lowerBound(values, wanted);
  if (at === 0) return 0;
  if (at === values.length) return at - 1;
  return wanted - values[at - 1]! <= values[at]! - wanted ? at - 1 : at;
}

export interface Range {
  low: number;
  high: number;
}

/**
 * As many points as can be seen, as x, y, x, y, ...: of each bucket of rounds the lowest and the highest value, in their
 * order, so that no outlier is lost. One point on each side of the range is kept, so that lines go on to the edge.
 */
export function decimate(x: readonly number[], values: Float64Array, range: Range, buckets: number): number[] {
  const from = Math.max(0, lowerBound(x, range.low) - 1);
  const to = Math.min(x.length, lowerBound(x, range.high) + 2);
  const out: number[] = [];
  const size = Math.max(1, (to - from) / buckets);
  if (size <= 2) {
    for (let i = from; i < to; i++) if (!Number.isNaN(values[i]!)) out.push(x[i]!, values[i]!);
    return out;
  }
  for (let start = from; start < to; start += size) {
    const end = Math.min(to, Math.floor(start + size));
    let low = -1;
    let high = -1;
    for (let i = Math.floor(start); i < end; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      if (low < 0 || value < values[low]!) low = i;
      if (high < 0 || value > values[high]!) high = i;
    }
    if (low < 0) continue;
    const [first, second] = low < high ? [low, high] : [high, low];
    out.push(x[first]!, values[first]!);
    if (second !== first) out.push(x[second]!, values[second]!);
  }
  return out;
}

/** Round numbers within a range, about `wanted` of them, `least` apart or more. */
export function ticks(range: Range, wanted: number, least = 0): number[] {
  const span = range.high - range.low;
  if (!(span > 0) || !Number.isFinite(span)) return [range.low];
  const rough = Math.max(span / Math.max(wanted, 1), least);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(
    least,
    [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= rough * 0.999)!,
  );
  const out: number[] = [];
  for (let i = Math.ceil(range.low / step - 1e-9); i * step <= range.high + step * 1e-9; i++) out.push(i * step + 0);
  return out;
}

/** The path of a small curve in a box of `width` by `height`; empty with fewer than two values. */
export function sparkPath(values: ArrayLike<number>, width: number, height: number, inset = 2): string {
  const known: [number, number][] = [];
  let low = Infinity;
  let high = -Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    known.push([i, value]);
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (known.length < 2) return "";
  const first = known[0]![0];
  const span = known[known.length - 1]![0] - first;
  const rise = high - low || 1;
  const points = known.map(([i, value]) => {
    const x = inset + ((i - first) / span) * (width - 2 * inset);
    const y = inset + (1 - (value - low) / rise) * (height - 2 * inset);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}
