/// Every generation of every contract is a run: listed, compared, exported.

import { useEffect, useMemo, useState } from "preact/hooks";
import { CurveBook, SWARM, type Kind, type Line } from "../base/curves";
import { duration, figure, whole } from "../base/format";
import { href } from "../base/route";
import type { Run } from "../feed";
import { ask, useTopic } from "../feed/store";
import { useAsk } from "../feed/use_ask";
import { Age, Badge, Choice, Empty, Loading, Mark, Name, Panel } from "../parts/basics";
import { Chart, makeView } from "../parts/chart";
import { Icon } from "../parts/icons";
import { save } from "../parts/saving";
import { Search, Table, type Column } from "../parts/table";
import { RUN_STATES } from "../parts/words";
import { csv, parametersOf, runKey, runName, valuesAt, type Moment } from "./run_model";

const COMPARED_MAX = 8;

function columnsOf(picked: readonly string[], toggle: (key: string) => void): Column<Run>[] {
  return [
    {
      key: "pick",
      title: "Compare",
      cell: (run) => {
        const key = runKey(run);
        const on = picked.includes(key);
        return (
          <input
            type="checkbox"
            aria-label={`Compare ${runName(run)}`}
            checked={on}
            disabled={!on && picked.length >= COMPARED_MAX}
            onChange={() => toggle(key)}
          />
        );
      },
    },
    {
      key: "contract",
      title: "Run",
      wide: true,
      sort: (run) => run.contract,
      cell: (run) => (
        <a href={href("training", run.contract, run.generation)}>
          <Name of={run.contract} /> <span class="muted">#{run.generation}</span>
        </a>
      ),
    },
    { key: "state", title: "State", sort: (run) => run.state, cell: (run) => <Badge look={RUN_STATES[run.state]} /> },
    { key: "peers", title: "Peers", right: true, sort: (run) => run.peers, cell: (run) => whole(run.peers) },
    { key: "rounds", title: "Rounds", right: true, sort: (run) => run.rounds, cell: (run) => whole(run.rounds) },
    { key: "loss", title: "Loss", right: true, sort: (run) => run.loss, cell: (run) => figure(run.loss) },
    {
      key: "best",
      title: "Best loss",
      right: true,
      sort: (run) => run.best_loss,
      cell: (run) => figure(run.best_loss),
    },
    { key: "metric", title: "Metric", right: true, sort: (run) => run.metric, cell: (run) => figure(run.metric) },
    {
      key: "best_metric",
      title: "Best metric",
      right: true,
      sort: (run) => run.best_metric,
      cell: (run) => figure(run.best_metric),
    },
    {
      key: "started",
      title: "Started",
      right: true,
      sort: (run) => run.started_ms,
      cell: (run) => <Age at={run.started_ms} />,
    },
    {
      key: "took",
      title: "Took",
      right: true,
      sort: (run) => (run.ended_ms ?? 0) - (run.started_ms ?? 0),
      cell: (run) => (run.started_ms && run.ended_ms ? duration(run.ended_ms - run.started_ms) : "–"),
    },
  ];
}

/** The curves of these runs, each asked for once. */
function useBooks(runs: readonly Run[]): { books: Map<string, CurveBook>; trouble: string } {
  const [state, setState] = useState({ books: new Map<string, CurveBook>(), trouble: "" });
  const keys = runs.map(runKey).join("\n\n");
  useEffect(() => {
    let gone = false;
    for (const run of runs) {
      const key = runKey(run);
      if (state.books.has(key)) continue;
      ask({ what: "series", contract: run.contract, generation: run.generation }).then(
        (series) => {
          const book = new CurveBook();
          book.take(series);
          if (!gone) setState((before) => ({ books: new Map(before.books).set(key, book), trouble: "" }));
        },
        (error: unknown) => gone || setState((before) => ({ ...before, trouble: String((error as Error).message) })),
      );
    }
    return () => {
      gone = true;
    };
  }, [keys]);
  return { books: state.books, trouble: state.trouble };
}

/** The swarm's line of each run, over one axis of rounds. */
function overlay(runs: readonly Run[], books: Map<string, CurveBook>, kind: Kind): { x: number[]; lines: Line[] } {
  const known = runs.flatMap((run) => {
    const book = books.get(runKey(run));
    const line = book?.lines(kind)[0];
    return book && line ? [{ run, rounds: book.rounds, values: line.values }] : [];
  });
  const x = [...new Set(known.flatMap(({ rounds }) => rounds))].sort((a, b) => a - b);
  const place = new Map(x.map((round, i) => [round, i]));
  const lines = known.map(({ run, rounds, values }) => {
    const spread = new Float64Array(x.length).fill(NaN);
    rounds.forEach((round, i) => (spread[place.get(round)!] = values[i]!));
    return { id: runKey(run), name: runName(run), values: spread };
  });
  // The chart's first line is the swarm's of a training; runs have none, so all of them get a colour.
  return {
    x,
    lines: lines.length ? [{ id: SWARM, name: "", values: new Float64Array(x.length).fill(NaN) }, ...lines] : [],
  };
}

function MomentChoice({ at, set }: { at: Moment; set(at: Moment): void }) {
  return (
    <>
      <Choice
        label="Values"
        of={[
          { key: "last", word: "Last" },
          { key: "best", word: "Best" },
          { key: "round", word: "At round" },
        ]}
        value={typeof at === "number" ? "round" : at}
        set={(to) => set(to === "round" ? 1 : to)}
      />
      {typeof at === "number" ? (
        <label>
          <span class="only-read">Round</span>
          <input
            class="round-input"
            type="number"
            min={1}
            value={at}
            onInput={(event) => set(Math.max(1, Number(event.currentTarget.value) || 1))}
          />
        </label>
      ) : null}
    </>
  );
}

function Comparison({ runs, clear }: { runs: readonly Run[]; clear(): void }) {
  const { books, trouble } = useBooks(runs);
  const [at, setAt] = useState<Moment>("last");
  const [only, setOnly] = useState(false);
  const view = useMemo(makeView, []);
  const loss = useMemo(() => overlay(runs, books, "loss"), [runs, books]);
  const metric = useMemo(() => overlay(runs, books, "metric"), [runs, books]);
  const parameters = parametersOf(runs).filter((each) => !only || each.differs);
  const values = runs.map((run) => valuesAt(run, books.get(runKey(run)), at));
  const rows: [string, string[]][] = [
    ["Loss", values.map((each) => each.loss)],
    ["Metric", values.map((each) => each.metric)],
    ...parameters.map((each): [string, string[]] => [each.name, each.values]),
  ];
  return (
    <Panel
      title="Compared"
      count={runs.length}
      tools={
        <>
          <MomentChoice at={at} set={setAt} />
          <label class="check">
            <input type="checkbox" checked={only} onChange={(event) => setOnly(event.currentTarget.checked)} />{" "}
            Differences only
          </label>
          <button type="button" class="small" onClick={clear}>
            Clear
          </button>
        </>
      }
    >
      {trouble ? (
        <Mark icon="warn" tone="warn">
          {trouble}
        </Mark>
      ) : null}
      <div class="columns-2 charts">
        <Chart title="Loss" x={loss.x} lines={loss.lines} view={view} empty="None of these runs has a loss" />
        <Chart title="Metric" x={metric.x} lines={metric.lines} view={view} empty="None of these runs has a metric" />
      </div>
      <div class="table-box" role="region" aria-label="Compared values" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="only-read">What</span>
              </th>
              {runs.map((run) => (
                <th scope="col" key={runKey(run)} class="right">
                  <Name of={runName(run)} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map(([name, cells]) => (
              <tr key={name} class={new Set(cells).size > 1 ? "differs" : ""}>
                <th scope="row">{name}</th>
                {cells.map((cell, i) => (
                  <td key={i} class="right">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  );
}

type Filter = "all" | Run["state"];

export function Runs() {
  // A run is added when a contract is reset, and changes with every round.
  const contracts = useTopic("trainings").data?.contracts ?? {};
  const mark = Object.entries(contracts)
    .map(([name, t]) => `${name} ${t.generation} ${t.phase === "complete"} ${Math.floor(t.merged_round / 5)}`)
    .join(" ");
  const asked = useAsk("runs", { what: "runs" }, mark);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const [text, setText] = useState("");
  const [state, setState] = useState<Filter>("all");
  const runs = asked.data?.runs;
  const wanted = text.trim().toLowerCase();
  const found = useMemo(
    () =>
      (runs ?? []).filter(
        (run) =>
          (state === "all" || run.state === state) &&
          (!wanted || runName(run).toLowerCase().includes(wanted) || run.merge_method.toLowerCase().includes(wanted)),
      ),
    [runs, state, wanted],
  );
  const toggle = (key: string) =>
    setPicked((now) => (now.includes(key) ? now.filter((each) => each !== key) : [...now, key].slice(0, COMPARED_MAX)));
  const columns = useMemo(() => columnsOf(picked, toggle), [picked]);
  const compared = useMemo(
    () => picked.flatMap((key) => (runs ?? []).filter((run) => runKey(run) === key)),
    [picked, runs],
  );
  return (
    <>
      <div class="title-line">
        <h1>Runs</h1>
        <div class="title-tools">
          <button type="button" disabled={!found.length} onClick={() => save("runs.csv", "text/csv", csv(found))}>
            <Icon name="download" size={14} />
            CSV
          </button>
          <button
            type="button"
            disabled={!found.length}
            onClick={() => save("runs.json", "application/json", JSON.stringify({ runs: found }, null, 2))}
          >
            <Icon name="download" size={14} />
            JSON
          </button>
        </div>
      </div>
      {compared.length ? <Comparison runs={compared} clear={() => setPicked([])} /> : null}
      <Panel
        title="All runs"
        count={runs?.length || undefined}
        tools={
          <>
            <Search label="Find a run" value={text} set={setText} />
            <Choice<Filter>
              label="State"
              of={[
                { key: "all", word: "All" },
                ...(["running", "complete", "stopped", "reset"] as const).map((key) => ({
                  key,
                  word: RUN_STATES[key].word,
                })),
              ]}
              value={state}
              set={setState}
            />
          </>
        }
      >
        {asked.trouble ? (
          <p class="inline-trouble">
            <Mark icon="warn" tone="warn">
              {asked.trouble}
            </Mark>
          </p>
        ) : null}
        {!runs ? (
          asked.trouble ? null : (
            <Loading what="the runs" />
          )
        ) : (
          <>
            {compared.length ? null : runs.length > 1 ? (
              <p class="muted hint">Tick two or more to compare them.</p>
            ) : null}
            <Table
              label="Runs"
              columns={columns}
              rows={found}
              id={runKey}
              sorting={{ key: "started", descending: true }}
              empty={
                runs.length ? (
                  <Empty icon="search" title="No run is like that">
                    Change the search, or the state.
                  </Empty>
                ) : (
                  <Empty icon="runs" title="There is no run yet">
                    Every training is one, and stays here after its contract is reset.
                  </Empty>
                )
              }
            />
          </>
        )}
      </Panel>
    </>
  );
}
