/// Last lines of programs, searched; pure.

import type { LastLines, LogLine, Network, Node, Taskrunners } from "../feed";
import { byName } from "../base/format";

/** Somebody of whom lines may be had: a SWOP that carries something out, or did so last. */
export interface Source {
  key: string;
  runner: string;
  swop: string;
  name: string;
  /** Changes when there may be other lines. */
  version: string;
  failed: boolean;
  /** Its programs may write more. */
  running: boolean;
}

const BUSY = new Set(["INVITED", "ACTIVE"]);

export function sourcesOf(all: Taskrunners | undefined): Source[] {
  const out: Source[] = [];
  for (const [runner, { run, swops }] of Object.entries(all?.taskrunners ?? {}))
    for (const [swop, part] of Object.entries(swops)) {
      const parts = [part, ...Object.values(part.pairs)];
      if (!part.attempt) continue;
      const since = parts.map(({ status, since_ms }) => `${status}${since_ms}`).join();
      const is = (wanted: (status: string) => boolean) => parts.some(({ status }) => wanted(status));
      out.push({
        key: `${runner}\n${swop}`,
        runner,
        swop,
        name: part.name,
        version: `${run} ${part.attempt} ${since}`,
        failed: is((status) => status === "FAILED"),
        running: is((status) => BUSY.has(status)),
      });
    }
  return out.sort((a, b) => byName(a.name, b.name) || byName(a.runner, b.runner));
}

/** Somebody whose log may be had. */
export interface LogOf {
  uid: string;
  name: string;
  role: Node["role"];
}
/** SNs, SWOPs and SLs of the organisation of `me` (a uid) that can be asked; where that organisation is not known, of all. A
 *  SWCI keeps no log that could be asked for. */
export function logsOf(network: Network | undefined, me: string | undefined): LogOf[] {
  const own = me === undefined ? undefined : network?.nodes[me]?.organisation;
  return Object.entries(network?.nodes ?? {})
    .filter(([, node]) => node.active && (node.role === "SN" ? node.api_endpoint : node.role !== "SWCI" && node.endpoint))
    .filter(([, node]) => own === undefined || node.organisation === own)
    .map(([uid, { name, role }]) => ({ uid, name, role }))
    .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || byName(a.name, b.name));
}
const ROLES = ["SN", "SWOP", "SL"];

export const LOG_LINES_MAX = 2000;
export type Least = "debug" | "info" | "warning" | "error";
const RANK: Record<Least, number> = { debug: 0, info: 1, warning: 2, error: 3 };

/** What was there and what has come, newest first and no more than so many; lines that come twice are there once. A node that was
 *  started again counts anew: its lines take the place of those of before. */
export function joined(before: readonly LogLine[], news: readonly LogLine[]): readonly LogLine[] {
  const newest = news[news.length - 1];
  const last = before[0]?.number ?? 0;
  if (newest && before[0] && newest.number < last && newest.time_ms > before[0].time_ms) return [...news].reverse();
  const fresh = news.filter(({ number }) => number > last).reverse();
  return fresh.length ? [...fresh, ...before].slice(0, LOG_LINES_MAX) : before;
}

/** Lines of at least this level, of this source ("": any), with these words. */
export function linesOf(all: readonly LogLine[], least: Least, source: string, words: string): LogLine[] {
  const wanted = words.trim().toLowerCase();
  return all.filter(
    (line) =>
      RANK[line.level] >= RANK[least] &&
      (!source || line.source === source) &&
      (!wanted || line.text.toLowerCase().includes(wanted)),
  );
}

export interface Found {
  of: string;
  lines: { number: number; text: string }[];
  /** Of all lines. */
  all: number;
}

/** The lines with these words in any case; of a program without any nothing is left, unless there are no words. */
export function search(from: LastLines["outputs"], words: string): Found[] {
  const wanted = words.trim().toLowerCase();
  return from
    .map(({ of, lines }) => ({
      of,
      all: lines.length,
      lines: lines
        .map((text, i) => ({ number: i + 1, text }))
        .filter(({ text }) => !wanted || text.toLowerCase().includes(wanted)),
    }))
    .filter(({ lines }) => !wanted || lines.length);
}
