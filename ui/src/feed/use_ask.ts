/// A question about one thing: asked once, again when `version` says that the answer may have changed, and again by itself
/// while whoever has the answer cannot be asked.

import { useEffect, useState } from "preact/hooks";
import { BROWSER_TIME, retryWait } from "../base/throttle";
import type { Question } from "../feed";
import { maySucceedLater } from "./connection";
import { ask, type Answers } from "./store";

export interface Asked<Data> {
  data: Data | null;
  trouble: string;
}

/** An answer is shown until a newer one is here, but never as that of another `thing`. */
export function useAsk<Q extends Question>(thing: string, question: Q | null, version = ""): Asked<Answers[Q["what"]]> {
  type State = Asked<Answers[Q["what"]]> & { thing: string };
  const [state, setState] = useState<State>({ thing: "", data: null, trouble: "" });
  useEffect(() => {
    if (!question) return;
    let gone = false;
    let failures = 0;
    let timer: unknown = null;
    const take = (next: (before: State) => State) => gone || setState(next);
    const go = () =>
      ask(question).then(
        (data) => take(() => ({ thing, data, trouble: "" })),
        (error: unknown) => {
          if (gone) return;
          if (maySucceedLater(error)) timer = BROWSER_TIME.after(retryWait(++failures), go);
          take((before) => ({
            thing,
            data: before.thing === thing ? before.data : null,
            trouble: String((error as Error).message),
          }));
        },
      );
    void go();
    return () => {
      gone = true;
      BROWSER_TIME.cancel(timer);
    };
  }, [thing, version]);
  return state.thing === thing ? state : { data: null, trouble: "" };
}

/// What grows is asked for again after so long.
const FOLLOWED_MS = 2000;

/** Changes every so often while `on`. */
export function useBeat(on: boolean): number {
  const [beat, setBeat] = useState(0);
  useEffect(() => {
    const timer = on ? setTimeout(() => setBeat(beat + 1), FOLLOWED_MS) : undefined;
    return () => clearTimeout(timer);
  }, [beat, on]);
  return beat;
}
