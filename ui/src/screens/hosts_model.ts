/// Hosts, as the addresses of nodes tell them apart; pure.

import { byName, bytes, list, shown, whole } from "../base/format";
import { hostOf } from "../base/topology_layout";
import { yaml } from "../base/yaml";
import type { Action, HostOffer, Network, Node, Taskrunner, Taskrunners } from "../feed";

export interface Swop {
  uid: string;
  node: Node;
  /** SL nodes that it can start; 0: it listens nowhere. */
  slots: number;
  /** Where it listens. */
  runner?: string;
  /** Of that taskrunner, when this SWOP takes part in what it carries out. */
  task?: string;
  /** Pairs under way. */
  running: number;
}
/** An SN that a SWOP offers to start. */
export type OfferedSn = NonNullable<HostOffer["sns"]>[number];
export interface Host {
  address: string;
  swops: Swop[];
  /** All but SWOPs, SNs first. */
  nodes: [string, Node][];
}

const ENGINES: Record<string, string> = {
  PROCESS: "in sandboxes of the host",
  DOCKER: "in containers",
  SLURM: "in jobs of Slurm, on other hosts",
  KUBERNETES: "in pods of Kubernetes, on other hosts",
};

/** "2 x NVIDIA H200 and 1 x NVIDIA T4". */
function gpusOf(models: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const model of models) counts.set(model, (counts.get(model) ?? 0) + 1);
  return list([...counts].map(([model, n]) => `${n} × ${shown(model)}`)) || "none";
}

/** What a host has, in words. */
export function offerRows(offer: HostOffer): [string, string][] {
  const room = (all: number | undefined, free: number | undefined) =>
    free === undefined ? bytes(all) : `${bytes(all)}, ${bytes(free)} free`;
  return [
    ["Cores", whole(offer.cores)],
    ["Memory", room(offer.memory_bytes, offer.memory_free_bytes)],
    ["Disk", room(offer.disk_bytes, offer.disk_free_bytes)],
    ["GPUs", gpusOf(offer.gpus)],
    ["Programs run", ENGINES[offer.engine] ?? shown(offer.engine)],
    ...(offer.version ? [["swarmd", shown(offer.version)] as [string, string]] : []),
  ];
}

const OVER = new Set<Taskrunner["state"]>(["COMPLETE", "ERROR"]);

/** Why this SWOP cannot be told to start or stop an SN now; "" when it can. */
export function whyNoSnNow(runner: Taskrunner | undefined): string {
  if (!runner) return "Its SWOP listens to no taskrunner.";
  return runner.state === "IDLE" || OVER.has(runner.state) ? "" : `The taskrunner carries out ${shown(runner.task ?? "a task")}.`;
}

/** What starts an SN that does not run, or stops one that does: a task of its own, carried out by this SWOP alone. What the
 *  taskrunner has done before is reset first. `tasks`: the names that are taken. */
export function snOrders(swop: Swop, sn: OfferedSn, runner: Taskrunner, tasks: { [name: string]: unknown }): Action[] {
  const what = sn.runs ? "stop" : "start";
  let number = 1;
  while (Object.hasOwn(tasks, `${what}-${sn.name}-${number}`)) ++number;
  const task = `${what}-${sn.name}-${number}`;
  const taskrunner = swop.runner ?? "";
  const text = yaml({
    Name: task,
    TaskType: "RUN_NODE",
    Author: "page",
    Prereq: "ROOTTASK",
    Outcome: sn.name,
    Body: { Node: sn.name, State: sn.runs ? "STOPPED" : "RUNNING" },
  });
  return [
    ...(OVER.has(runner.state) ? [{ what: "reset_taskrunner" as const, taskrunner }] : []),
    { what: "create_task", yaml: text },
    { what: "assign_task", task, taskrunner, swop: swop.uid },
  ];
}

const RANK: Record<Node["role"], number> = { SN: 0, SL: 1, SWOP: 2, SWCI: 3 };
const BUSY = new Set(["INVITED", "ACTIVE"]);

function swopOf(uid: string, node: Node, runners: [string, Taskrunner][]): Swop {
  const out: Swop = { uid, node, slots: 0, running: 0 };
  for (const [name, runner] of runners) {
    const part = runner.swops[uid];
    if (!part?.listening && !BUSY.has(part?.status ?? "")) continue;
    out.slots = part!.slots;
    out.runner = name;
    if (!BUSY.has(part!.status)) continue;
    if (runner.task) out.task = runner.task;
    out.running = Object.values(part!.pairs).filter((pair) => BUSY.has(pair.status)).length;
    break;
  }
  return out;
}

/** Hosts with SWOPs first; nodes that have left, and those without an address, are on none. */
export function hostsOf(network: Network, runners: Taskrunners | undefined): Host[] {
  const hosts = new Map<string, Host>();
  const all = Object.entries(runners?.taskrunners ?? {});
  for (const [uid, node] of Object.entries(network.nodes)) {
    const address = hostOf(node.endpoint);
    if (!node.active || !address) continue;
    let host = hosts.get(address);
    if (!host) hosts.set(address, (host = { address, swops: [], nodes: [] }));
    if (node.role === "SWOP") host.swops.push(swopOf(uid, node, all));
    else host.nodes.push([uid, node]);
  }
  for (const host of hosts.values()) {
    host.swops.sort((a, b) => byName(a.node.name, b.node.name));
    host.nodes.sort(([, a], [, b]) => RANK[a.role] - RANK[b.role] || byName(a.name, b.name));
  }
  return [...hosts.values()].sort(
    (a, b) => Number(!a.swops.length) - Number(!b.swops.length) || byName(a.address, b.address),
  );
}
