/// What deserves attention on the whole network; pure.

import type { Network, Trainings } from "../feed";
import { count, duration } from "../base/format";
import { href } from "../base/route";
import type { Tone } from "../parts/words";

export interface Alert {
  key: string;
  tone: Tone;
  /** Names are apart from words, as they are of others' making. */
  who: string;
  text: string;
  link: string;
}

const DAY_MS = 86_400_000;
export const CERTIFICATE_DAYS_WARN = 14;

/** Whole days left of a certificate; negative: it is over. Null: it holds for ever. */
export function daysLeft(expires_ms: number, now_ms: number): number | null {
  return expires_ms === 0 ? null : Math.floor((expires_ms - now_ms) / DAY_MS);
}

/** So many validators may be missing before no block becomes final. */
export function spareValidators(network: Network): { alive: number; quorum: number; all: number } {
  const all = Object.keys(network.validators);
  const alive = all.filter((uid) => network.nodes[uid]?.alive).length;
  return { alive, quorum: Math.ceil((2 * all.length) / 3), all: all.length };
}

function ofNodes(network: Network, now_ms: number): Alert[] {
  const out: Alert[] = [];
  for (const [uid, node] of Object.entries(network.nodes)) {
    const link = href("nodes", uid);
    if (node.active && !node.alive && node.role !== "SWCI") {
      const since = node.silent_since_ms ? ` for ${duration(now_ms - node.silent_since_ms)}` : "";
      out.push({
        key: `silent ${uid}`,
        tone: node.role === "SN" ? "bad" : "warn",
        who: node.name,
        text: `${node.role} gives no sign of life${since}`,
        link,
      });
    }
    const days = node.active ? daysLeft(node.expires_ms, now_ms) : null;
    if (days !== null && days < CERTIFICATE_DAYS_WARN)
      out.push({
        key: `expiry ${uid}`,
        tone: days < 2 ? "bad" : "warn",
        who: node.name,
        text: days < 0 ? "certificate has expired" : `certificate ends in ${count(days, "day")}`,
        link,
      });
    if (node.pending)
      out.push({
        key: `pending ${uid}`,
        tone: "info",
        who: node.name,
        text: `${node.role} waits until organisations vouch for it`,
        link,
      });
  }
  return out;
}

function ofTrainings(trainings: Trainings): Alert[] {
  const out: Alert[] = [];
  for (const [name, training] of Object.entries(trainings.contracts)) {
    const link = href("training", name);
    if (training.phase === "stopped")
      out.push({
        key: `stopped ${name}`,
        tone: "bad",
        who: name,
        text: `stopped in round ${training.round_num}: leader and challenger disagree, and nobody could decide`,
        link,
      });
    if (training.phase === "disputed")
      out.push({
        key: `disputed ${name}`,
        tone: "warn",
        who: name,
        text: `the merge of round ${training.round_num} is disputed`,
        link,
      });
    if (training.peers.odd)
      out.push({
        key: `odd ${name}`,
        tone: "warn",
        who: name,
        text: `${count(training.peers.odd, "node")} want${training.peers.odd === 1 ? "s" : ""} other settings`,
        link,
      });
  }
  return out;
}

const RANK: Record<Tone, number> = { bad: 0, warn: 1, info: 2, ok: 3, quiet: 4 };

/** Worst first. */
export function alertsOf(network: Network | undefined, trainings: Trainings | undefined, now_ms: number): Alert[] {
  const out: Alert[] = [];
  if (network) {
    const { alive, quorum, all } = spareValidators(network);
    if (all > 1 && alive <= quorum)
      out.push({
        key: "validators",
        tone: alive < quorum ? "bad" : "warn",
        who: "",
        text:
          alive < quorum
            ? `Only ${alive} of ${all} validators live, ${quorum} are needed: no block becomes final`
            : `${alive} of ${all} validators live: without one more no block becomes final`,
        link: href("nodes"),
      });
    out.push(...ofNodes(network, now_ms));
    for (const [key, motion] of Object.entries(network.motions))
      out.push({
        key: `motion ${key}`,
        tone: "info",
        who: motion.name,
        text: `a vote is open: ${motion.kind} (${Object.keys(motion.voters).length} of ${motion.needed} votes)`,
        link: href("nodes"),
      });
  }
  if (trainings) out.push(...ofTrainings(trainings));
  return out.sort((a, b) => RANK[a.tone] - RANK[b.tone]);
}
