/// What programs wrote last, of all taskrunners, and the logs of the page's own swarmd and of the organisation's nodes; with a search,
/// and followed.

import { useEffect, useMemo, useState } from "preact/hooks";
import { clock, count, shown } from "../base/format";
import { href } from "../base/route";
import type { LogLine, Network, Taskrunners } from "../feed";
import { ask, server, useTopic } from "../feed/store";
import { useAsk, useBeat } from "../feed/use_ask";
import { whyNoOrders } from "../parts/action";
import { Choice, Empty, Loading, Mark, Name, Panel } from "../parts/basics";
import { SaveButton, save } from "../parts/saving";
import { Search, Table, type Column } from "../parts/table";
import type { Tone } from "../parts/words";
import { joined, linesOf, LOG_LINES_MAX, search, logsOf, sourcesOf, type Least, type LogOf, type Source } from "./logs_model";

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

interface LogState {
  of: string;
  lines: readonly LogLine[];
  trouble: string;
}
const NO_LINES: readonly LogLine[] = [];

/** A log, fetched as it grows: of the node with this uid, or ("") of the page's own swarmd. */
function useLog(of: string, follow: boolean): LogState {
  const [state, setState] = useState<LogState>({ of, lines: NO_LINES, trouble: "" });
  const beat = useBeat(follow);
  const lines = state.of === of ? state.lines : NO_LINES;
  useEffect(() => {
    let gone = false;
    const take = (news: readonly LogLine[], trouble: string) =>
      gone ||
      setState((before) => {
        const kept = before.of === of ? before.lines : NO_LINES;
        return { of, lines: joined(kept, news), trouble };
      });
    ask({ what: "log", after: lines[0]?.number ?? 0, ...(of ? { node: of } : {}) }).then(
      (log) => take(log.lines, ""),
      (error: unknown) => take([], (error as Error).message),
    );
    return () => {
      gone = true;
    };
  }, [of, beat]);
  return state.of === of ? state : { of, lines, trouble: "" };
}

function LogPanel({ words, follow, all }: { words: string; follow: boolean; all: readonly LogOf[] }) {
  const [of, setOf] = useState("");
  const { lines, trouble } = useLog(of, follow);
  const [least, setLeast] = useState<Least>("info");
  const [source, setSource] = useState("");
  const sources = useMemo(() => [...new Set(lines.map((line) => line.source))].sort(), [lines]);
  const found = useMemo(() => linesOf(lines, least, source, words), [lines, least, source, words]);
  return (
    <Panel
      title="Logs of swarmd"
      count={found.length}
      tools={
        <>
          <select aria-label="Whose log" value={of} onChange={(event) => (setOf(event.currentTarget.value), setSource(""))}>
            <option value="">This swarmd</option>
            {all.map(({ uid, name, role }) => (
              <option key={uid} value={uid}>
                {shown(name)} ({role})
              </option>
            ))}
          </select>
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

/** `all`: of its programs that run too, as they write. */
function Lines({ source, words, follow, all }: { source: Source; words: string; follow: boolean; all: boolean }) {
  const beat = useBeat(follow && all && source.running);
  const version = `${source.version} ${beat}`;
  const [kept, setKept] = useState(version);
  if (follow && kept !== version) setKept(version);
  const { runner, swop } = source;
  const question = { what: "last_lines" as const, taskrunner: runner, swop, ...(all ? { all } : {}) };
  const { data, trouble } = useAsk(`${source.key}\n${all}`, question, kept);
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

/** Programs of whichever SWOP is chosen, as they write. */
function Programs({ sources, words, follow }: { sources: readonly Source[]; words: string; follow: boolean }) {
  const [chosen, setChosen] = useState("");
  const source = sources.find(({ key }) => key === chosen);
  return (
    <>
      <label class="field">
        <span class="field-label">Programs of</span>
        <select value={source ? chosen : ""} onChange={(event) => setChosen(event.currentTarget.value)}>
          <option value="">Choose a SWOP …</option>
          {sources.map(({ key, name, runner, running }) => (
            <option key={key} value={key}>
              {shown(name)} ({running ? "running" : "ended"}, {shown(runner)})
            </option>
          ))}
        </select>
      </label>
      {source ? <Lines key={source.key} source={source} words={words} follow={follow} all /> : null}
    </>
  );
}

/** What can be had of all hosts of this organisation, as one file, for whoever is asked for help. */
async function collect(network: Network, runners: Taskrunners, sources: readonly Source[], logs: readonly LogOf[]) {
  const told = (error: unknown) => ({ not_told: (error as Error).message });
  const log = async (of: string): Promise<unknown> => {
    const all: LogLine[] = [];
    for (let after = 0; all.length < LOG_LINES_MAX; ) {
      const { lines } = await ask({ what: "log", after, ...(of ? { node: of } : {}) });
      const fresh = lines.filter(({ number }) => number > after);
      if (!fresh.length) break;
      all.push(...fresh);
      after = fresh[fresh.length - 1]!.number;
    }
    return all;
  };
  const parts: Record<string, unknown> = { network, taskrunners: runners.taskrunners };
  parts["log of the page's server"] = await log("").catch(told);
  for (const { uid, name } of logs)
    parts[`log of ${name} ${uid}`] = network.nodes[uid]?.alive
      ? await log(uid).catch(told)
      : { not_told: "it gives no sign of life" };
  for (const { runner, swop, name } of sources)
    parts[`programs of ${name} ${swop}, ${runner}`] = await ask({ what: "last_lines", taskrunner: runner, swop, all: true }).catch(told);
  const at = new Date().toISOString().replaceAll(":", "-").slice(0, 19);
  save(`swarmd-log-${at}.json`, "application/json", JSON.stringify(parts, null, 1));
}

export function Logs() {
  const runners = useTopic("taskrunners").data;
  const network = useTopic("network").data;
  const [words, setWords] = useState("");
  const [follow, setFollow] = useState(true);
  const may_not = whyNoOrders();
  const sources = sourcesOf(runners);
  const failed = sources.filter((each) => each.failed);
  const logs = logsOf(network, server.value?.uid);
  return (
    <>
      <div class="title-line">
        <h1>Logs</h1>
        <div class="title-tools">
          <Search label="Find in lines" value={words} set={setWords} />
          <label class="check">
            <input type="checkbox" checked={follow} onChange={(event) => setFollow(event.currentTarget.checked)} /> Follow
          </label>
          {!may_not && network && runners ? (
            <SaveButton word="Collect log" busy="Collecting …" go={() => collect(network, runners, sources, logs)} />
          ) : null}
        </div>
      </div>
      {may_not ? (
        <Mark icon="warn" tone="warn">
          {may_not} Logs are for operators.
        </Mark>
      ) : (
        <>
          <p class="muted">
            What programs wrote last, and what swarmd logs, as nodes tell it to SWCIs of their own organisation; of other
            organisations' nodes, and of SWCIs, it is on their hosts. It is shown, and kept nowhere.
          </p>
          {!runners ? <Loading what="the taskrunners" /> : null}
          {failed.map((source) => (
            <Lines key={source.key} source={source} words={words} follow={follow} all={false} />
          ))}
          {runners && !failed.length ? (
            <section class="panel">
              <Empty icon="ok" title="No program has failed">
                Of a program that fails the last lines show up here by themselves.
              </Empty>
            </section>
          ) : null}
          {sources.length ? <Programs sources={sources} words={words} follow={follow} /> : null}
          <LogPanel words={words} follow={follow} all={logs} />
        </>
      )}
    </>
  );
}
