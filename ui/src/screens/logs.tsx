/// What programs wrote last, of all taskrunners, and the log of the page's own swarmd; with a search, and followed.

import { useEffect, useMemo, useState } from "preact/hooks";
import { clock, count, shown } from "../base/format";
import { href } from "../base/route";
import type { LogLine } from "../feed";
import { ask, useTopic } from "../feed/store";
import { useAsk } from "../feed/use_ask";
import { whyNoOrders } from "../parts/action";
import { Choice, Empty, Loading, Mark, Name, Panel } from "../parts/basics";
import { Search, Table, type Column } from "../parts/table";
import type { Tone } from "../parts/words";
import { joined, linesOf, search, sourcesOf, type Least, type Source } from "./logs_model";

const FOLLOWED_MS = 2000;
const LEVELS: Record<Least, { icon: "off" | "info" | "warn" | "bad"; tone: Tone }> = {
  debug: { icon: "off", tone: "quiet" },
  info: { icon: "info", tone: "info" },
  warning: { icon: "warn", tone: "warn" },
  error: { icon: "bad", tone: "bad" },
};
const COLUMNS: Column<LogLine>[] = [
  { key: "time", title: "Time", cell: (line) => clock(line.time_ms) },
  {
    key: "level",
    title: "Level",
    cell: ({ level }) => (
      <Mark icon={LEVELS[level].icon} tone={LEVELS[level].tone}>
        {level}
      </Mark>
    ),
  },
  { key: "source", title: "Source", cell: (line) => <span class="mono">{shown(line.source)}</span> },
  { key: "text", title: "Line", wide: true, cell: (line) => <span title={shown(line.text)}>{shown(line.text)}</span> },
];

/** The log, fetched as it grows. */
function useLog(follow: boolean): { lines: readonly LogLine[]; trouble: string } {
  const [state, setState] = useState<{ lines: readonly LogLine[]; trouble: string }>({ lines: [], trouble: "" });
  const [round, setRound] = useState(0);
  const last = state.lines[0]?.number ?? 0;
  useEffect(() => {
    let gone = false;
    ask({ what: "log", after: last }).then(
      ({ lines }) => gone || setState((before) => ({ lines: joined(before.lines, lines), trouble: "" })),
      (error: unknown) => gone || setState((before) => ({ ...before, trouble: (error as Error).message })),
    );
    const timer = follow ? setTimeout(() => setRound(round + 1), FOLLOWED_MS) : undefined;
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [round, follow]);
  return state;
}

function OwnLog({ words, follow }: { words: string; follow: boolean }) {
  const { lines, trouble } = useLog(follow);
  const [least, setLeast] = useState<Least>("info");
  const [source, setSource] = useState("");
  const sources = useMemo(() => [...new Set(lines.map((line) => line.source))].sort(), [lines]);
  const found = useMemo(() => linesOf(lines, least, source, words), [lines, least, source, words]);
  return (
    <Panel
      title="This swarmd"
      count={found.length}
      tools={
        <>
          <select
            aria-label="Source"
            value={source}
            onChange={(event) => setSource(event.currentTarget.value)}
          >
            <option value="">All sources</option>
            {sources.map((each) => (
              <option key={each} value={each}>
                {shown(each)}
              </option>
            ))}
          </select>
          <Choice<Least>
            label="Least level"
            of={[
              { key: "info", word: "All" },
              { key: "warning", word: "Warnings" },
              { key: "error", word: "Errors" },
            ]}
            value={least}
            set={setLeast}
          />
        </>
      }
    >
      {trouble ? (
        <Mark icon="warn" tone="warn">
          {trouble}
        </Mark>
      ) : null}
      <Table
        label="Lines of the log, newest first"
        columns={COLUMNS}
        rows={found}
        id={(line) => String(line.number)}
        box_from={12}
        empty={<p class="muted">No line is like that.</p>}
      />
    </Panel>
  );
}

function Lines({ source, words, follow }: { source: Source; words: string; follow: boolean }) {
  const [kept, setKept] = useState(source.version);
  if (follow && kept !== source.version) setKept(source.version);
  const { runner, swop } = source;
  const { data, trouble } = useAsk(source.key, { what: "last_lines", taskrunner: runner, swop }, kept);
  const found = search(data?.outputs ?? [], words);
  return (
    <Panel
      title={shown(source.name)}
      id={`log-${swop}-${runner}`}
      tools={
        <a href={href("taskrunners")}>
          <Name of={runner} />
        </a>
      }
    >
      {trouble ? (
        <Mark icon="warn" tone="warn">
          {trouble}
        </Mark>
      ) : null}
      {!data && !trouble ? <Loading what="its last lines" /> : null}
      {data && !data.outputs.length ? <p>{data.no_outputs || "Nothing was written."}</p> : null}
      {data?.outputs.length && !found.length ? <p class="muted">No line has these words.</p> : null}
      {found.map(({ of, lines, all }) => (
        <div key={of} class="log-of">
          <h3>
            {shown(of)} <span class="muted">{lines.length < all ? `${lines.length} of ${all}` : count(all, "line")}</span>
          </h3>
          <pre class="body-text" tabIndex={0} aria-label={`Lines of ${shown(of)}`}>
            {lines.map(({ number, text }) => `${String(number).padStart(3)}  ${shown(text)}`).join("\n")}
          </pre>
        </div>
      ))}
    </Panel>
  );
}

export function Logs() {
  const runners = useTopic("taskrunners").data;
  const [words, setWords] = useState("");
  const [follow, setFollow] = useState(true);
  const may_not = whyNoOrders();
  const sources = sourcesOf(runners);
  return (
    <>
      <div class="title-line">
        <h1>Logs</h1>
        <div class="title-tools">
          <Search label="Find in lines" value={words} set={setWords} />
          <label class="check">
            <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> Follow
          </label>
        </div>
      </div>
      {may_not ? (
        <Mark icon="warn" tone="warn">
          {may_not} Logs are for operators.
        </Mark>
      ) : (
        <>
          <p class="muted">
            What failed programs wrote last, as their SWOPs tell it to this organisation. It is shown, and kept nowhere.
          </p>
          {!runners ? <Loading what="the taskrunners" /> : null}
          {sources.map((source) => (
            <Lines key={source.key} source={source} words={words} follow={follow} />
          ))}
          {runners && !sources.length ? (
            <section class="panel">
              <Empty icon="ok" title="No program has failed">
                Of a program that fails the last lines show up here by themselves.
              </Empty>
            </section>
          ) : null}
          <OwnLog words={words} follow={follow} />
        </>
      )}
    </>
  );
}
