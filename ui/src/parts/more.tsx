/// Screens that only few need, which come as a second script once somebody goes there.

import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { Empty, Loading } from "./basics";

type Screens = typeof import("../screens/more");
const came = signal<Screens | "failed" | null>(null);

function load(): void {
  if (came.value !== null) return;
  void import("../screens/more").then(
    (all) => (came.value = all),
    () => (came.value = "failed"),
  );
}

export function More({ what, children }: { what: string; children(of: Screens): ComponentChildren }) {
  useEffect(load, []);
  const all = came.value;
  useEffect(() => {
    // A dialog that was empty when it opened.
    if (all) document.querySelector<HTMLElement>("dialog .dialog-body :is(input, select, textarea)")?.focus();
  }, [all]);
  if (all === "failed")
    return (
      <Empty icon="warn" title="This part of the page did not come">
        The server is gone, or has been replaced.{" "}
        <button type="button" onClick={() => location.reload()}>
          Load the page again
        </button>
      </Empty>
    );
  return all ? <>{children(all)}</> : <Loading what={what} />;
}
