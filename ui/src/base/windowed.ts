/// Which rows of a long table have to exist.

import { byName } from "./format";

export interface Window {
  first: number;
  end: number;
}

/** The rows that are seen at `scroll_top`, with `beyond` more on each side. */
export function windowOf(
  rows: number,
  row_height: number,
  scroll_top: number,
  view_height: number,
  beyond = 10,
): Window {
  const first = Math.max(0, Math.floor(scroll_top / row_height) - beyond);
  const end = Math.min(rows, Math.ceil((scroll_top + view_height) / row_height) + beyond);
  return { first: Math.min(first, Math.max(end - 1, 0)), end: Math.max(end, 0) };
}

export type SortKey = string | number | boolean | null | undefined;

/** What is not known comes last in either direction. */
export function compareKeys(a: SortKey, b: SortKey, descending: boolean): number {
  const none = (value: SortKey) => value === null || value === undefined || value === "" || Number.isNaN(value);
  if (none(a) || none(b)) return Number(none(a)) - Number(none(b));
  const order = typeof a === "string" && typeof b === "string" ? byName(a, b) : Number(a) - Number(b);
  return descending ? -order : order;
}
