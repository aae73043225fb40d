/// Waiting times between attempts to connect.

export const FIRST_MS = 500;
export const MOST_MS = 15_000;

/** The wait before attempt `attempt` (0 is the first repetition); `chance` in 0..1 spreads browsers that lost one server. */
export function backoff(attempt: number, chance: number): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(full * (0.7 + 0.3 * chance));
}
