/// Runs side by side, and as files; pure.

import { nearest, type CurveBook } from "../base/curves";
import { duration, figure, moment, whole } from "../base/format";
import type { Run } from "../feed";

export const runKey = (run: Pick<Run, "contract" | "generation">): string => `${run.generation}\n${run.contract}`;
export const runName = (run: Pick<Run, "contract" | "generation">): string => `${run.contract} #${run.generation}`;

export interface Parameter {
  name: string;
  values: string[];
  differs: boolean;
}

/** What the runs were made with, a row each. */
export function parametersOf(runs: readonly Run[]): Parameter[] {
  const rows: [string, (run: Run) => string][] = [
    ["Least peers", (run) => whole(run.min_peers)],
    ["Merge method", (run) => run.merge_method || "–"],
    ["Peers", (run) => whole(run.peers)],
    ["Rounds", (run) => whole(run.rounds)],
    ["State", (run) => run.state],
    ["Started", (run) => moment(run.started_ms)],
    ["Took", (run) => (run.started_ms && run.ended_ms ? duration(run.ended_ms - run.started_ms) : "–")],
  ];
  return rows.map(([name, of]) => {
    const values = runs.map(of);
    return { name, values, differs: new Set(values).size > 1 };
  });
}

export type Moment = "last" | "best" | number;

/** Mean loss and metric of a run: the last ones, the best ones, or those of round N (or the nearest that there is). */
export function valuesAt(run: Run, book: CurveBook | undefined, at: Moment): { loss: string; metric: string } {
  if (at === "last") return { loss: figure(run.loss), metric: figure(run.metric) };
  const of = (value: number | undefined, round: number | undefined) =>
    value === undefined ? "–" : `${figure(value)}${round ? ` (round ${whole(round)})` : ""}`;
  if (at === "best")
    return { loss: of(run.best_loss, run.best_loss_round), metric: of(run.best_metric, run.best_metric_round) };
  const index = book ? nearest(book.rounds, at) : -1;
  const round = book?.rounds[index];
  const value = (kind: "loss" | "metric") => book?.lines(kind)[0]?.values[index];
  return { loss: of(value("loss"), round), metric: of(value("metric"), round) };
}

const COLUMNS: (keyof Run)[] = [
  "contract",
  "generation",
  "state",
  "min_peers",
  "merge_method",
  "peers",
  "rounds",
  "loss",
  "metric",
  "best_loss",
  "best_loss_round",
  "best_metric",
  "best_metric_round",
  "started_ms",
  "ended_ms",
  "digest",
];

/** RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe, as contracts' names are of others' making. */
export function csv(runs: readonly Run[]): string {
  const cell = (value: unknown): string => {
    const text =
      value === undefined || value === null
        ? ""
        : typeof value === "string" && /^[=+\-@\t\r]/.test(value)
          ? `'${value}`
          : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return (
    [COLUMNS.join(","), ...runs.map((run) => COLUMNS.map((column) => cell(run[column])).join(","))].join("\r\n") +
    "\r\n"
  );
}
