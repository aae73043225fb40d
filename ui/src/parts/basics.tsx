/// Small parts that every screen is made of.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ago, moment, percent, shortHash, shown } from "../base/format";
import { now } from "../feed/store";
import { Icon, type IconName } from "./icons";
import type { Look, Tone } from "./words";

/** A name of others' making: isolated, so that its direction changes nothing around it. */
export function Name({ of, empty = "without a name" }: { of: string | undefined; empty?: string }) {
  if (!of) return <span class="muted">{empty}</span>;
  // Long names break behind their own marks, not within words.
  const parts = shown(of).split(/(?<=[._\-/:@])/);
  return <bdi class="name">{parts.length > 1 ? parts.map((part) => [part, <wbr />]) : parts[0]}</bdi>;
}

/** A state: mark and word, and colour as a third. */
export function Badge({ look, detail }: { look: Look; detail?: string }) {
  return (
    <span class={`badge tone-${look.tone}`} title={look.help || undefined}>
      <Icon name={look.icon} size={14} />
      {look.word}
      {detail ? <span class="badge-detail">{detail}</span> : null}
    </span>
  );
}

export function Mark({ icon, tone, children }: { icon: IconName; tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`mark tone-${tone}`}>
      <Icon name={icon} size={14} />
      <span>{children}</span>
    </span>
  );
}

/** "3 min ago", with the point in time as its title. */
export function Age({ at, fallback = "–" }: { at: number | undefined; fallback?: string }) {
  if (!at) return <span class="muted">{fallback}</span>;
  const t = now.value;
  return (
    <time title={moment(at)} dateTime={new Date(at).toISOString()}>
      {t === null ? moment(at) : ago(t - at)}
    </time>
  );
}

/** A hash or account, short, whole when copied. */
export function Hash({ of }: { of: string | undefined }) {
  const [copied, setCopied] = useState(false);
  if (!of) return <span class="muted">–</span>;
  const copy = () => {
    void navigator.clipboard?.writeText(of).then(() => {
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    });
  };
  return (
    <button
      type="button"
      class="hash"
      title={`${of} – copy`}
      aria-label={`${copied ? "copied" : shortHash(of)}, copy`}
      onClick={copy}
    >
      <code>{copied ? "copied" : shortHash(of)}</code>
    </button>
  );
}

export function Progress({ share, label, tone = "info" }: { share: number | undefined; label: string; tone?: Tone }) {
  const known = share !== undefined && Number.isFinite(share);
  const value = known ? Math.min(Math.max(share, 0), 1) : 0;
  return (
    <div
      class={`progress tone-${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={known ? Math.round(value * 100) : undefined}
      aria-valuetext={known ? percent(value) : "not known"}
    >
      <div class="progress-bar" style={{ width: `${value * 100}%` }} />
    </div>
  );
}

export function Panel(props: {
  title: string;
  id?: string;
  count?: number | string;
  tools?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}) {
  const id = props.id ?? props.title.toLowerCase().replace(/\W+/g, "-");
  return (
    <section class={`panel ${props.class ?? ""}`} aria-labelledby={`${id}-title`} id={id}>
      <header class="panel-head">
        <h2 id={`${id}-title`}>
          {props.title}
          {props.count !== undefined ? <span class="count">{props.count}</span> : null}
        </h2>
        {props.tools ? <div class="panel-tools">{props.tools}</div> : null}
      </header>
      {props.children}
    </section>
  );
}

/** What a place says that has nothing to show: what it is, and what will fill it. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <span class="empty-mark">
        <Icon name={icon} size={22} />
      </span>
      <p class="empty-title">{title}</p>
      {children ? <p class="empty-text">{children}</p> : null}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div class="loading" role="status">
      <span class="loading-bar" />
      <span>Reading {what} …</span>
    </div>
  );
}

/** One figure with its name; the largest text of a screen. */
export function Stat({
  name,
  children,
  note,
}: {
  name: string;
  children: ComponentChildren;
  note?: ComponentChildren;
}) {
  return (
    <div class="stat">
      <dt>{name}</dt>
      <dd>
        <span class="stat-value">{children}</span>
        {note ? <span class="stat-note">{note}</span> : null}
      </dd>
    </div>
  );
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value], i) => (
        <div key={`${name} ${i}`}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Two or more ways to see a thing, one of which is on. */
export function Choice<T extends string>(props: {
  label: string;
  of: readonly { key: NoInfer<T>; word: string; icon?: IconName }[];
  value: T;
  set(value: NoInfer<T>): void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.of.map(({ key, word, icon }) => (
        <button key={key} type="button" aria-pressed={props.value === key} onClick={() => props.set(key)}>
          {icon ? <Icon name={icon} size={14} /> : null}
          {word}
        </button>
      ))}
    </div>
  );
}
