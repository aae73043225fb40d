/// What the training screen asks for besides its topic: curves, and what happened in each round. Both follow the topic.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { CurveBook, type Report } from "../base/curves";
import { BROWSER_TIME, Throttle } from "../base/throttle";
import type { Round, Training } from "../feed";
import { ask, link } from "../feed/store";
import { maySucceedLater, Refusal } from "../feed/connection";

/// After something new, so long nothing more is asked: a busy swarm tells many things at a time.
const PAUSE_MS = 800;
const PAGE = 100;

export interface Asked<Data> {
  data: Data | null;
  trouble: string;
  loading: boolean;
}

/** Does `job` when `mark` changes; it says whether it came to something. */
function useThrottled(mark: string, job: () => Promise<boolean>): void {
  const latest = useRef(job);
  latest.current = job;
  const at = useMemo(() => new Throttle(() => latest.current(), PAUSE_MS, BROWSER_TIME), []);
  useEffect(() => at.changed(), [mark]);
  useEffect(() => () => at.end(), []);
}

function reportsOf(training: Training): Report[] {
  return Object.entries(training.members).map(([id, peer]) => ({
    id,
    name: peer.name,
    round_num: peer.loss_round,
    loss: peer.loss,
    metric: peer.metric,
  }));
}

export interface SeriesState {
  book: CurveBook;
  /** Of the book, which is one and the same for a run. */
  version: number;
  trouble: string;
  loading: boolean;
}

export function useSeries(contract: string, generation: number, training: Training | undefined): SeriesState {
  const book = useMemo(() => new CurveBook(), [contract, generation]);
  const [asked, setAsked] = useState({ of: book, trouble: "", loading: true });
  const live = training?.generation === generation ? training : undefined;
  const mark = `${contract}\n${generation}\n${live ? `${live.merged_round} ${live.loss_round ?? 0} ${live.phase === "complete"}` : ""}`;
  useThrottled(mark, async () => {
    const last = book.rounds.at(-1);
    try {
      // The last rounds once more, as reports for them may have come since.
      const from = last === undefined ? undefined : Math.max(1, last - 3);
      book.take(await ask({ what: "series", contract, generation, ...(from ? { from } : {}) }));
      setAsked({ of: book, trouble: "", loading: false });
      return true;
    } catch (error) {
      setAsked({ of: book, trouble: error instanceof Refusal ? error.message : String(error), loading: false });
      return !maySucceedLater(error);
    }
  });
  const current = asked.of === book ? asked : { trouble: "", loading: true };
  // What the topic says is shown at once; the answer that is asked for meanwhile replaces it.
  if (live && !current.loading) book.report(reportsOf(live));
  return { book, version: book.version, trouble: current.trouble, loading: current.loading };
}

export interface RoundsState extends Asked<Round[]> {
  /** When the generation began; undefined: not known. */
  started_ms: number | undefined;
  more: boolean;
  complete: boolean;
  loadMore(): void;
}

/** Newest first; `fresh` wins over what was there. */
export function mergeRounds(before: readonly Round[], fresh: readonly Round[]): Round[] {
  if (!fresh.length) return [...before];
  const known = new Map(before.map((round) => [round.round_num, round]));
  for (const round of fresh) {
    const old = known.get(round.round_num);
    known.set(round.round_num, old && JSON.stringify(old) === JSON.stringify(round) ? old : round);
  }
  return [...known.values()].sort((a, b) => b.round_num - a.round_num);
}

export function useRounds(contract: string, generation: number, training: Training | undefined): RoundsState {
  const [state, setState] = useState<Omit<RoundsState, "loadMore">>({
    data: null,
    trouble: "",
    loading: true,
    started_ms: undefined,
    more: false,
    complete: true,
  });
  const data = useRef<Round[]>([]);
  const fetching = useRef(false);
  const wanted = useRef(generation);
  wanted.current = generation;
  const live = training?.generation === generation ? training : undefined;
  useEffect(() => {
    data.current = [];
    setState({ data: null, trouble: "", loading: true, started_ms: undefined, more: false, complete: true });
  }, [contract, generation]);

  const take = async (before: number | undefined, count: number) => {
    try {
      const answer = await ask({ what: "rounds", contract, generation, count, ...(before ? { before } : {}) });
      if (wanted.current !== generation) return true; // it was about what is looked at no longer
      const first = !data.current.length;
      data.current = mergeRounds(data.current, answer.rounds);
      setState((now) => ({
        data: data.current,
        trouble: "",
        loading: false,
        started_ms: answer.started_ms,
        more: first || before ? answer.more : now.more,
        complete: answer.complete,
      }));
      return true;
    } catch (error) {
      setState((now) => ({
        ...now,
        trouble: error instanceof Refusal ? error.message : String(error),
        loading: false,
      }));
      return !maySucceedLater(error);
    }
  };
  const mark = `${contract}\n${generation}\n${live ? [live.round_num, live.phase, live.term, live.checked_in, live.loss_round ?? 0, live.changed_ms].join(" ") : ""}`;
  useThrottled(mark, () => {
    const newest = data.current[0]?.round_num;
    const behind = newest === undefined || !live ? PAGE : live.round_num - newest + 4;
    return take(undefined, Math.min(Math.max(behind, 1), PAGE));
  });
  const loadMore = () => {
    const last = data.current.at(-1);
    if (!state.more || fetching.current || !last || link.peek().state !== "live") return;
    fetching.current = true;
    void take(last.round_num, PAGE).finally(() => (fetching.current = false));
  };
  return { ...state, loadMore };
}
