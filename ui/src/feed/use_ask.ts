/// A question that is asked once for each `key`, and again when the page is connected anew and has no answer.

import { useEffect, useState } from "preact/hooks";
import type { Question } from "../feed";
import { ask, type Answers } from "./store";

export interface Asked<Data> {
  data: Data | null;
  trouble: string;
}

export function useAsk<Q extends Question>(key: string, question: Q | null): Asked<Answers[Q["what"]]> {
  const [state, setState] = useState<Asked<Answers[Q["what"]]> & { key: string }>({ key: "", data: null, trouble: "" });
  useEffect(() => {
    if (!question) return;
    let gone = false;
    ask(question).then(
      (data) => gone || setState({ key, data, trouble: "" }),
      (error: unknown) =>
        gone ||
        setState((before) => ({
          key,
          data: before.key === key ? before.data : null,
          trouble: String((error as Error).message),
        })),
    );
    return () => {
      gone = true;
    };
  }, [key]);
  // What was answered for another key is kept from view, as it is of another thing.
  return state.key === key || (state.data && key.split("\n")[0] === state.key.split("\n")[0])
    ? state
    : { data: null, trouble: "" };
}
