/// A question about one thing: asked once, and again when `version` says that the answer may have changed.

import { useEffect, useState } from "preact/hooks";
import type { Question } from "../feed";
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
    const take = (next: (before: State) => State) => gone || setState(next);
    ask(question).then(
      (data) => take(() => ({ thing, data, trouble: "" })),
      (error: unknown) =>
        take((before) => ({
          thing,
          data: before.thing === thing ? before.data : null,
          trouble: String((error as Error).message),
        })),
    );
    return () => {
      gone = true;
    };
  }, [thing, version]);
  return state.thing === thing ? state : { data: null, trouble: "" };
}
