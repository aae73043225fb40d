/// What a screen reader is told of what changes: at most one sentence in three seconds, the newest.

import { signal } from "@preact/signals";

const PAUSE_MS = 3000;
const said = signal("");
let waiting: string | null = null;
let timer: ReturnType<typeof setTimeout> | null = null;

export function announce(text: string): void {
  if (timer) {
    waiting = text;
    return;
  }
  said.value = text;
  timer = setTimeout(() => {
    timer = null;
    const next = waiting;
    waiting = null;
    if (next !== null) announce(next);
  }, PAUSE_MS);
}

export function LiveRegion() {
  return (
    <div class="only-read" role="status" aria-live="polite">
      {said.value}
    </div>
  );
}
