/// How values are written. All of it is pure: time is an argument.

const names = new Intl.Collator("en", { numeric: true });
/** "sl-2" before "sl-10". */
export const byName = (a: string, b: string): number => names.compare(a, b);

const THIN = "\u2009";
const NONE = "–";

/** "12,345"; a dash for what is not known. */
export function whole(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value)
    ? NONE
    : Math.round(value).toLocaleString("en-US");
}

/** A loss or metric with four significant digits: "0.1834", "12.35", "1.2e-7". */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e-4 || size >= 1e7) return value.toExponential(2);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
}

/** Values of an axis, all with as many digits as tell neighbours apart. */
export function axis(values: readonly number[]): string[] {
  const step = values.length > 1 ? Math.abs(values[1]! - values[0]!) : 0;
  const size = Math.max(...values.map(Math.abs));
  if (size >= 1e7 || (size > 0 && size < 1e-4)) return values.map((value) => value.toExponential(1));
  const digits = step > 0 ? Math.min(8, Math.max(0, -Math.floor(Math.log10(step) + 1e-9))) : 2;
  return values.map((value) =>
    (value === 0 ? 0 : value).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  );
}

/** 0.4567 as "45.7 %"; "100 %" only for all of it. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NONE;
  const value = Math.min(Math.max(share, 0), 1) * 100;
  if (value === 100 || value === 0) return `${value}${THIN}%`;
  return `${Math.min(value, 99.9)
    .toFixed(value < 10 ? 1 : 0)
    .replace("100", "99")}${THIN}%`;
}

/** Bytes with a binary unit: "1.5 MiB". */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}${THIN}${units[unit]}`;
}

/** A length of time in its two largest units: "850 ms", "12 s", "3 min 20 s", "2 h 5 min", "12 d 3 h". */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
  if (ms < 0) ms = 0;
  if (ms < 1000) return `${Math.round(ms)}${THIN}ms`;
  const s = Math.floor(ms / 1000);
  if (s < 60) return `${s < 10 ? (Math.floor(ms / 100) / 10).toFixed(1).replace(".0", "") : s}${THIN}s`;
  const two = (large: number, one: string, small: number, other: string) =>
    `${large}${THIN}${one}${small ? ` ${small}${THIN}${other}` : ""}`;
  if (s < 3600) return two(Math.floor(s / 60), "min", s % 60, "s");
  if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor((s % 3600) / 60), "min");
  return two(Math.floor(s / 86400), "d", Math.floor((s % 86400) / 3600), "h");
}

/** How long ago, without fractions that flicker: "now", "12 s ago", "3 min ago", "5 h ago", "12 d ago". */
export function ago(ms: number | null | undefined): string {
  if (ms === null || ms === undefined || !Number.isFinite(ms)) return NONE;
  const s = Math.floor(Math.max(ms, 0) / 1000);
  if (s < 2) return "now";
  if (s < 60) return `${s}${THIN}s ago`;
  if (s < 3600) return `${Math.floor(s / 60)}${THIN}min ago`;
  if (s < 86400) return `${Math.floor(s / 3600)}${THIN}h ago`;
  return `${Math.floor(s / 86400)}${THIN}d ago`;
}

/** "2026-11-30 08:15:02" in the reader's zone. */
export function moment(unix_ms: number | null | undefined): string {
  if (!unix_ms || !Number.isFinite(unix_ms)) return NONE;
  const at = new Date(unix_ms);
  if (Number.isNaN(at.getTime())) return NONE;
  const two = (n: number) => String(n).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(unix_ms)}`;
}

/** "08:15:02" in the reader's zone. */
export function clock(unix_ms: number | null | undefined): string {
  if (!unix_ms || !Number.isFinite(unix_ms)) return NONE;
  const at = new Date(unix_ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** "0x12ab…89ef": enough to compare two by eye. */
export function shortHash(hex: string | null | undefined): string {
  if (!hex) return NONE;
  return hex.length <= 14 ? hex : `${hex.slice(0, 6)}…${hex.slice(-4)}`;
}

/**
 * A text that somebody else wrote, as one line to be shown: characters that are invisible or turn the direction of text
 * stand as their code, so that two different names never look the same for them.
 */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

/** At most `length` characters, with an ellipsis in the middle: names differ at their ends as often as at their starts. */
export function cut(text: string, length: number): string {
  const all = [...text];
  if (all.length <= length) return text;
  const tail = Math.floor((length - 1) / 2);
  return `${all.slice(0, length - 1 - tail).join("")}…${tail ? all.slice(-tail).join("") : ""}`;
}

/** "1 peer", "3 peers". */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${whole(n)} ${n === 1 ? one : many}`;
}

/** "a", "a and b", "a, b and c", "a, b and 5 more". */
export function list(names: readonly string[], most = 3): string {
  if (names.length <= 1) return names[0] ?? "";
  const named = names.length > most ? names.slice(0, most - 1) : names.slice(0, -1);
  const last = names.length > most ? `${names.length - named.length} more` : names[names.length - 1]!;
  return `${named.join(", ")} and ${last}`;
}
