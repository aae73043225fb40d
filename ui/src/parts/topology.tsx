/// Who is where, and how each one is: SNs, hosts, and a card for every SL.

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { ago, cut, figure, percent, shown } from "../base/format";
import { hostOf, layoutOf, type Box, type CardSize, type HostLayout } from "../base/topology_layout";
import type { Network, Node } from "../feed";
import { now } from "../feed/store";
import { progressOf, standingOf, topologyOf, type Member, type Topology } from "../screens/training_model";
import { iconPath, type IconName } from "./icons";

const MARKS: Record<ReturnType<typeof standingOf>["word"], IconName> = {
  active: "live",
  finished: "finished",
  silent: "silent",
  absent: "wait",
  accused: "silent",
  "other settings": "odd",
  left: "left",
};

function Glyph({ name, x, y, size = 14, tone }: { name: IconName; x: number; y: number; size?: number; tone: string }) {
  return (
    <svg
      x={x}
      y={y}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      class={`icon icon-${name} tone-${tone}`}
      aria-hidden="true"
    >
      <path d={iconPath(name)} />
    </svg>
  );
}

const FONTS = {
  name: "600 13px Inter, system-ui, sans-serif",
  host: "550 12.5px Inter, system-ui, sans-serif",
  small: "11.5px Inter, system-ui, sans-serif",
};
const measured = new Map<string, string>();
let pen: CanvasRenderingContext2D | null = null;

/** As much of `text` as fits into `width`. Measured once, as the same names come with every report. */
function fit(text: string, width: number, font: keyof typeof FONTS): string {
  const key = `${font} ${Math.round(width)} ${text}`;
  let found = measured.get(key);
  if (found !== undefined) return found;
  pen ??= document.createElement("canvas").getContext("2d")!;
  pen.font = FONTS[font];
  found = shown(text);
  for (let length = [...found].length; length > 3 && pen.measureText(found).width > width;)
    found = cut(shown(text), --length);
  if (measured.size > 5000) measured.clear();
  measured.set(key, found);
  return found;
}

function Sn({ box, node, validator, asked }: { box: Box; node: Node; validator: boolean; asked: boolean }) {
  const host = hostOf(node.endpoint);
  const words = [validator ? "validator" : "follows", asked ? "asked by this page" : "", node.alive ? "" : "silent"]
    .filter(Boolean)
    .join(", ");
  return (
    <g class={`sn ${node.alive ? "" : "is-silent"}`}>
      <title>{`SN ${shown(node.name)} at ${shown(node.endpoint)}: ${words}`}</title>
      <rect x={box.x} y={box.y} width={box.width} height={box.height} rx={10} />
      <path
        class={validator ? "hexagon validator" : "hexagon"}
        d={`M${box.x + 24} ${box.y + 11}l12 7v14l-12 7-12-7v-14z`}
      />
      <Glyph
        name={node.alive ? (validator ? "ok" : "live") : "silent"}
        x={box.x + 17}
        y={box.y + 18}
        tone={node.alive ? "ok" : "bad"}
      />
      <text class="t-name" x={box.x + 46} y={box.y + 22}>
        {fit(node.name, box.width - 56, "name")}
      </text>
      <text class="t-small" x={box.x + 46} y={box.y + 38}>
        {fit(validator && box.width > 170 ? `validator · ${host}` : host, box.width - 54, "small")}
      </text>
    </g>
  );
}

function wordsOf(member: Member): string {
  const { peer } = member;
  const t = now.value;
  const progress = progressOf(peer);
  return [
    `${shown(peer.name)}: ${standingOf(member).word}${member.leader ? ", leads" : ""}`,
    `loss ${figure(peer.loss)}, metric ${figure(peer.metric)}`,
    peer.epochs_total ? `epoch ${peer.epochs_done} of ${peer.epochs_total} (${percent(progress)})` : "length not known",
    peer.lag ? `${peer.lag} rounds behind` : "up to date",
    peer.alive
      ? "alive"
      : peer.silent_since_ms && t !== null
        ? `last sign of life ${ago(t - peer.silent_since_ms)}`
        : "no sign of life",
    peer.waits_for ? `waits for ${shown(peer.waits_for)}` : "",
  ]
    .filter(Boolean)
    .join(" · ");
}

function LargeCard({ member, box }: { member: Member; box: Box }) {
  const { peer } = member;
  const right = box.x + box.width - 12;
  const silent =
    !peer.alive && peer.silent_since_ms !== undefined && now.value !== null
      ? ago(now.value - peer.silent_since_ms)
      : "silent";
  const state = !peer.alive
    ? silent
    : peer.lag
      ? `${peer.lag} behind`
      : member.checked_in
        ? "checked in"
        : peer.state === "finished"
          ? "finished"
          : "training";
  return (
    <>
      <text class="t-label" x={box.x + 12} y={box.y + 41}>
        loss
      </text>
      <text class="t-value" x={box.x + 12} y={box.y + 58}>
        {figure(peer.loss)}
      </text>
      <text class="t-label" x={box.x + box.width / 2} y={box.y + 41}>
        metric
      </text>
      <text class="t-value" x={box.x + box.width / 2} y={box.y + 58}>
        {figure(peer.metric)}
      </text>
      <text class="t-small" x={box.x + 12} y={box.y + 83}>
        {peer.epochs_total ? `epoch ${peer.epochs_done}/${peer.epochs_total}` : "epochs not known"}
      </text>
      <text class="t-small t-end" x={right} y={box.y + 83}>
        {state}
      </text>
    </>
  );
}

function Card({
  member,
  box,
  size,
  selected,
  select,
}: {
  member: Member;
  box: Box;
  size: CardSize;
  selected: boolean;
  select(uid: string): void;
}) {
  const { peer } = member;
  const standing = standingOf(member);
  const progress = progressOf(peer) ?? 0;
  const bar = { x: box.x + 12, y: box.y + (size === "large" ? 66 : 34), width: box.width - 24 };
  const words = wordsOf(member);
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    select(member.uid);
  };
  return (
    <g
      class={`sl is-${standing.kind} ${selected ? "is-selected" : ""} ${member.leader ? "is-leader" : ""}`}
      role="button"
      // As SVG spells it: there attributes are told apart by case.
      tabindex={0}
      aria-pressed={selected}
      onClick={() => select(member.uid)}
      onKeyDown={press}
    >
      <title>{words}</title>
      <rect class="card" x={box.x} y={box.y} width={box.width} height={box.height} rx={8} />
      <text class="t-name" x={box.x + 12} y={box.y + (size === "large" ? 22 : 21)}>
        {fit(peer.name, box.width - (member.leader ? 60 : 42), "name")}
      </text>
      {member.leader ? <Glyph name="leader" x={box.x + box.width - 42} y={box.y + 9} tone="leader" /> : null}
      <Glyph name={MARKS[standing.word] ?? "live"} x={box.x + box.width - 24} y={box.y + 9} tone={standing.kind} />
      {size === "large" ? <LargeCard member={member} box={box} /> : null}
      <rect class="bar" x={bar.x} y={bar.y} width={bar.width} height={4} rx={2} />
      <rect class="bar-done" x={bar.x} y={bar.y} width={bar.width * progress} height={4} rx={2} />
    </g>
  );
}

function Host({ at, swops }: { at: HostLayout; swops: readonly string[] }) {
  const title = fit(at.host, at.width - 24, "host");
  const room = at.width - 40 - title.length * 7.5;
  return (
    <g class="host">
      <title>{`Host ${shown(at.host)}${swops.length ? `, SWOP ${swops.map(shown).join(", ")}` : ""}`}</title>
      <rect x={at.x} y={at.y} width={at.width} height={at.height} rx={12} />
      <text class="t-host" x={at.x + 12} y={at.y + 20}>
        {title}
      </text>
      {swops.length && room > 40 ? (
        <text class="t-small t-end" x={at.x + at.width - 12} y={at.y + 20}>
          {fit(swops.length === 1 ? swops[0]! : `${swops.length} SWOPs`, room, "small")}
        </text>
      ) : null}
    </g>
  );
}

function Links({ topology, layout }: { topology: Topology; layout: ReturnType<typeof layoutOf> }) {
  const sn_at = new Map(layout.sns.map((box) => [box.id, box]));
  const host_at = new Map(layout.hosts.map((box) => [box.host, box]));
  return (
    <g class="links" aria-hidden="true">
      {topology.links.map(({ sn, host, alive }) => {
        const from = sn_at.get(sn);
        const to = host_at.get(host);
        if (!from || !to) return null;
        const x1 = from.x + from.width / 2;
        const y1 = from.y + from.height;
        const x2 = to.x + to.width / 2;
        const bend = Math.max(24, (to.y - y1) / 2);
        return (
          <path
            key={`${sn} ${host}`}
            class={alive ? "" : "is-silent"}
            d={`M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${to.y - bend} ${x2} ${to.y}`}
          />
        );
      })}
    </g>
  );
}

export function useWidth(): [(at: Element | null) => void, number] {
  const [width, setWidth] = useState(0);
  const watch = useRef<ResizeObserver | null>(null);
  const attach = useMemo(
    () => (at: Element | null) => {
      watch.current?.disconnect();
      if (!at) return;
      watch.current = new ResizeObserver(([entry]) => setWidth(Math.floor(entry!.contentRect.width)));
      watch.current.observe(at);
      setWidth(at.clientWidth);
    },
    [],
  );
  useLayoutEffect(() => () => watch.current?.disconnect(), []);
  return [attach, width];
}

export function TopologyView(props: {
  members: readonly Member[];
  network: Network | undefined;
  selected: string | null;
  select(uid: string): void;
}) {
  const { members, network, selected, select } = props;
  const [attach, width] = useWidth();
  const topology = useMemo(() => topologyOf(members, network), [members, network]);
  const shape = JSON.stringify([topology.sns.map(([uid]) => uid), topology.hosts]);
  const layout = useMemo(
    () =>
      layoutOf(
        topology.sns.map(([uid]) => uid),
        topology.hosts,
        Math.max(width, 240),
      ),
    [shape, width],
  );
  const by_uid = new Map(members.map((member) => [member.uid, member]));
  const asked = network?.standing.sn;
  return (
    <div class="topology" ref={attach}>
      {width ? (
        <svg
          role="group"
          aria-label="Topology: SNs, hosts and SLs"
          width={layout.width}
          height={layout.height}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
        >
          <Links topology={topology} layout={layout} />
          {layout.sns.map((box, i) => {
            const [uid, node] = topology.sns[i]!;
            return (
              <Sn
                key={uid}
                box={box}
                node={node}
                validator={uid in (network?.validators ?? {})}
                asked={!!asked && asked === node.api_endpoint}
              />
            );
          })}
          {layout.hosts.map((at) => (
            <g key={at.host}>
              <Host at={at} swops={topology.swops[at.host] ?? []} />
              {at.cards.map((box) => {
                const member = by_uid.get(box.id);
                return member ? (
                  <Card
                    key={box.id}
                    member={member}
                    box={box}
                    size={layout.size}
                    selected={selected === box.id}
                    select={select}
                  />
                ) : null;
              })}
            </g>
          ))}
        </svg>
      ) : null}
    </div>
  );
}
