/// Does a job again when what it depends on has changed: one at a time, not more often than wanted, and once more after
/// the last change. One that comes to nothing is tried again by itself. Pure: time is the caller's.

export interface Later {
  after(ms: number, then: () => void): unknown;
  cancel(timer: unknown): void;
}
export const BROWSER_TIME: Later = {
  after: (ms, then) => setTimeout(then, ms),
  cancel: (timer) => clearTimeout(timer as number),
};

const RETRY_MS_FIRST = 1000;
const RETRY_MS_MAX = 16_000;

/** How long to wait after so many attempts in a row that came to nothing; 1 is the first. */
export const retryWait = (failures: number): number => Math.min(RETRY_MS_FIRST * 2 ** (failures - 1), RETRY_MS_MAX);

export class Throttle {
  private state: "idle" | "busy" | "pausing" | "over" = "idle";
  private due = false;
  private failures = 0;
  private timer: unknown = null;

  /** `job` says whether it came to something. */
  constructor(
    private readonly job: () => Promise<boolean>,
    private readonly pause_ms: number,
    private readonly time: Later,
  ) {}

  changed(): void {
    this.due = true;
    if (this.state === "idle") void this.go();
  }

  /** Nothing is begun any more. */
  end(): void {
    this.time.cancel(this.timer);
    this.state = "over";
  }

  private async go(): Promise<void> {
    this.state = "busy";
    this.due = false;
    const done = await this.job().catch(() => false);
    if (this.over()) return;
    this.failures = done ? 0 : this.failures + 1;
    this.due ||= !done;
    this.state = "pausing";
    this.timer = this.time.after(done ? this.pause_ms : Math.max(this.pause_ms, retryWait(this.failures)), () => {
      this.state = "idle";
      if (this.due) void this.go();
    });
  }

  private over(): boolean {
    return this.state === "over";
  }
}
