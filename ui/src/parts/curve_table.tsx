/// The table that says what a chart shows.

import { useMemo } from "preact/hooks";
import type { Line } from "../base/curves";
import { figure, shown } from "../base/format";
import { Empty } from "./basics";
import { Table, type Column } from "./table";

export function CurveTable({
  title,
  x,
  lines,
  x_name,
}: {
  title: string;
  x: readonly number[];
  lines: readonly Line[];
  x_name: string;
}) {
  const rows = useMemo(() => x.map((_, i) => x.length - 1 - i), [x.length]);
  const columns: Column<number>[] = [
    { key: "x", title: x_name, right: true, sort: (i) => x[i], cell: (i) => x[i] },
    ...lines.map((line) => ({
      key: line.id,
      title: shown(line.name),
      right: true,
      sort: (i: number) => line.values[i],
      cell: (i: number) => figure(line.values[i]),
    })),
  ];
  return (
    <Table
      label={`${title} by ${x_name.toLowerCase()}`}
      columns={columns}
      rows={rows}
      id={(i) => String(i)}
      box_from={8}
      empty={<Empty icon="chart" title="Nothing yet" />}
    />
  );
}
