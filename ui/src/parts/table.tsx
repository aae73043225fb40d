/// Tables that sort, filter, and hold 10,000 rows: only those that are seen exist. On a narrow page each row of a short
/// table becomes a card.

import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { compareKeys, windowOf, type SortKey } from "../base/windowed";
import { Icon } from "./icons";

export interface Column<Row> {
  key: string;
  title: string;
  cell(row: Row, index: number): ComponentChildren;
  /** Left out: the column does not sort. */
  sort?(row: Row): SortKey;
  right?: boolean;
  /** Takes what is left of the width. */
  wide?: boolean;
}
export interface Sorting {
  key: string;
  descending: boolean;
}
interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  id(row: Row): string;
  sorting?: Sorting;
  empty: ComponentChildren;
  selected?: string | null;
  /** Near the end of the rows: fetch more. */
  onEnd?(): void;
  /** Keeps its rows in a box of its own from so many on. */
  box_from?: number;
}

const ROW_HEIGHT = 37;

function useSorted<Row>(props: Props<Row>): [readonly Row[], Sorting | null, (key: string) => void] {
  const [sorting, setSorting] = useState<Sorting | null>(props.sorting ?? null);
  const column = props.columns.find((each) => each.key === sorting?.key);
  const rows = useMemo(() => {
    if (!sorting || !column?.sort) return props.rows;
    const by = column.sort;
    return props.rows
      .map((row, i) => ({ row, key: by(row), i }))
      .sort((a, b) => compareKeys(a.key, b.key, sorting.descending) || a.i - b.i)
      .map(({ row }) => row);
  }, [props.rows, sorting, props.columns]);
  const sort = (key: string) => setSorting((now) => ({ key, descending: now?.key === key ? !now.descending : false }));
  return [rows, sorting, sort];
}

function HeadCell<Row>({
  column,
  sorting,
  sort,
}: {
  column: Column<Row>;
  sorting: Sorting | null;
  sort(key: string): void;
}) {
  const on = sorting?.key === column.key;
  const order = on ? (sorting.descending ? "descending" : "ascending") : "none";
  const align = `${column.right ? "right" : ""} ${column.wide ? "wide" : ""}`;
  if (!column.sort)
    return (
      <th role="columnheader" scope="col" class={align}>
        {column.title}
      </th>
    );
  return (
    <th role="columnheader" scope="col" class={align} aria-sort={order}>
      <button type="button" class="sort" onClick={() => sort(column.key)}>
        {column.title}
        <span class={on ? "sort-mark on" : "sort-mark"}>
          <Icon name={on && sorting.descending ? "down" : "up"} size={12} />
        </span>
      </button>
    </th>
  );
}

export function Table<Row>(props: Props<Row>) {
  const [rows, sorting, sort] = useSorted(props);
  const box = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState({ top: 0, height: 480 });
  const long = rows.length > (props.box_from ?? 60);
  const seen = long ? windowOf(rows.length, ROW_HEIGHT, scroll.top, scroll.height) : { first: 0, end: rows.length };

  useEffect(() => {
    if (props.onEnd && rows.length - seen.end < 20) props.onEnd();
  }, [rows.length, seen.end]);
  const look = () => {
    const at = box.current!;
    setScroll((now) =>
      now.top === at.scrollTop && now.height === at.clientHeight ? now : { top: at.scrollTop, height: at.clientHeight },
    );
  };
  if (!rows.length) return <>{props.empty}</>;
  const space = (count: number) =>
    count > 0 ? (
      <tr aria-hidden="true" class="space">
        <td colSpan={props.columns.length} style={{ height: `${count * ROW_HEIGHT}px` }} />
      </tr>
    ) : null;
  return (
    <div
      ref={box}
      class={long ? "table-box long" : "table-box"}
      role="region"
      aria-label={props.label}
      tabIndex={0}
      onScroll={long ? look : undefined}
    >
      <table
        role="table"
        aria-label={props.label}
        aria-rowcount={rows.length + 1}
        class={long ? "fixed-rows" : "stacking"}
      >
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            {props.columns.map((column) => (
              <HeadCell key={column.key} column={column} sorting={sorting} sort={sort} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {space(seen.first)}
          {rows.slice(seen.first, seen.end).map((row, i) => (
            <tr
              role="row"
              key={props.id(row)}
              aria-rowindex={seen.first + i + 2}
              class={props.selected === props.id(row) ? "selected" : undefined}
            >
              {props.columns.map((column) => (
                <td
                  role="cell"
                  key={column.key}
                  class={`${column.right ? "right" : ""} ${column.wide ? "wide" : ""}`}
                  data-label={column.title}
                >
                  {column.cell(row, seen.first + i)}
                </td>
              ))}
            </tr>
          ))}
          {space(rows.length - seen.end)}
        </tbody>
      </table>
    </div>
  );
}

export function Search({ label, value, set }: { label: string; value: string; set(value: string): void }) {
  return (
    <label class="search">
      <Icon name="search" size={14} />
      <span class="only-read">{label}</span>
      <input type="search" placeholder={label} value={value} onInput={(event) => set(event.currentTarget.value)} />
    </label>
  );
}
