/// The server's time. The browser's clock may be wrong by years; only differences of it are believed.

/** Follows the server's clock by the times it sends; time between two messages is measured by the monotonic clock. */
export class ServerClock {
  private offset_ms: number | null = null;

  /** `heard_ms` of a monotonic clock. What arrived with least delay is nearest to the truth, so a later time wins. */
  heard(server_unix_ms: number, heard_ms: number): void {
    const offset = server_unix_ms - heard_ms;
    if (this.offset_ms === null || offset > this.offset_ms || this.offset_ms - offset > 5000) this.offset_ms = offset;
  }

  /** Unix time in ms as the server has it, or null before it was heard. */
  now(monotonic_ms: number): number | null {
    return this.offset_ms === null ? null : this.offset_ms + monotonic_ms;
  }
}
