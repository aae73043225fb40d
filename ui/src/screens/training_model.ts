/// What the training screen derives from the feed; pure.

import type { Network, Node, Peer, Training } from "../feed";
import { byName } from "../base/format";
import { hostOf } from "../base/topology_layout";

export interface Member {
  uid: string;
  peer: Peer;
  node: Node | undefined;
  leader: boolean;
  checked_in: boolean;
  host: string;
}

/** By name; what left comes last, as it is history. */
export function membersOf(training: Training, network: Network | undefined): Member[] {
  const members = Object.entries(training.members).map(([uid, peer]) => ({
    uid,
    peer,
    node: network?.nodes[uid],
    leader: training.leader === uid,
    checked_in: uid in training.check_ins,
    host: hostOf(peer.endpoint) || "no address",
  }));
  const gone = (member: Member) => Number(member.peer.state === "left");
  return members.sort((a, b) => gone(a) - gone(b) || byName(a.peer.name, b.peer.name) || (a.uid < b.uid ? -1 : 1));
}

export { byName };

export interface Topology {
  sns: [string, Node][];
  hosts: [string, string[]][];
  /** Which SNs the SLs of a host are registered with. */
  links: { sn: string; host: string; alive: boolean }[];
  swops: Record<string, string[]>;
}

export function topologyOf(members: readonly Member[], network: Network | undefined): Topology {
  const nodes = Object.entries(network?.nodes ?? {});
  const sns = nodes
    .filter(([, node]) => node.role === "SN" && (node.active || node.alive))
    .sort((a, b) => byName(a[1].name, b[1].name));
  const hosts = new Map<string, string[]>();
  const links = new Map<string, Topology["links"][number]>();
  for (const { uid, node, host, peer } of members) {
    if (peer.state === "left") continue;
    hosts.set(host, [...(hosts.get(host) ?? []), uid]);
    const sn = node?.parent;
    if (!sn) continue;
    const key = `${sn} ${host}`;
    const before = links.get(key);
    links.set(key, { sn, host, alive: (before?.alive ?? false) || peer.alive });
  }
  const swops: Topology["swops"] = Object.create(null) as Topology["swops"];
  for (const [, node] of nodes) {
    const host = hostOf(node.endpoint);
    if (node.role === "SWOP" && node.active && hosts.has(host)) (swops[host] ??= []).push(node.name);
  }
  const named = [...hosts].sort((a, b) => byName(a[0], b[0]));
  return { sns, hosts: named, links: [...links.values()], swops };
}

/** 0..1, or undefined when its program has not said how much there is to do. */
export function progressOf(peer: Pick<Peer, "epochs_done" | "epochs_total" | "state">): number | undefined {
  if (!peer.epochs_total) return undefined;
  return Math.min(1, peer.epochs_done / peer.epochs_total);
}

/** One word for how a peer is right now. */
export function standingOf(member: Member): { word: string; kind: "ok" | "warn" | "quiet" | "bad" } {
  const { peer } = member;
  if (peer.state === "left") return { word: "left", kind: "quiet" };
  if (!peer.alive) return { word: "silent", kind: "bad" };
  if (peer.state === "absent") return { word: "absent", kind: "warn" };
  if (peer.state === "odd") return { word: "other settings", kind: "warn" };
  if (peer.accused_since_ms) return { word: "accused", kind: "warn" };
  if (peer.state === "finished") return { word: "finished", kind: "quiet" };
  return { word: "active", kind: "ok" };
}
