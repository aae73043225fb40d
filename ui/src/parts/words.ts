/// The words and marks of every state, in one place, so that a state looks the same on every screen.

import type { Peer, Phase, Run, Taskrunner, Part } from "../feed";
import type { IconName } from "./icons";

export type Tone = "ok" | "info" | "warn" | "bad" | "quiet";
export interface Look {
  word: string;
  icon: IconName;
  tone: Tone;
  help: string;
}

const look = (word: string, icon: IconName, tone: Tone, help = ""): Look => ({ word, icon, tone, help });

export const PHASES: Record<Phase, Look> = {
  collecting: look("Collecting", "collect", "info", "Nodes train and check in their models for this round."),
  revealing: look("Revealing", "key", "info", "The round is closed; nodes open what they committed to."),
  merging: look("Merging", "merge", "info", "The leader merges the models of this round."),
  verifying: look("Verifying", "verify", "info", "Others make the merge again before it counts."),
  disputed: look(
    "Disputed",
    "warn",
    "warn",
    "Somebody says that the merge is wrong; all make that part again and decide.",
  ),
  complete: look("Complete", "finished", "ok", "The training is over."),
  stopped: look("Stopped", "bad", "bad", "As many say that the merge is right as say it is wrong. Nothing goes on."),
};

export const PEER_STATES: Record<Peer["state"], Look> = {
  active: look("Active", "live", "ok", "It trains, and rounds wait for it."),
  finished: look("Finished", "finished", "quiet", "Its training is over; it still takes part in rounds."),
  absent: look("Absent", "wait", "warn", "It missed a round and is not waited for until it checks in again."),
  left: look("Left", "left", "quiet", "It takes no part any more."),
  odd: look("Other settings", "odd", "warn", "It wants other parameters than most, and is not waited for."),
};

export const RUN_STATES: Record<Run["state"], Look> = {
  running: look("Running", "live", "info"),
  complete: look("Complete", "finished", "ok"),
  stopped: look("Stopped", "bad", "bad"),
  reset: look("Reset", "reset", "quiet", "It was reset before it was complete."),
};

export const RUNNER_STATES: Record<Taskrunner["state"], Look> = {
  IDLE: look("Idle", "off", "quiet", "It takes a task."),
  ENROLLING: look("Enrolling", "collect", "info", "It waits for SWOPs to enrol."),
  RUNNING: look("Running", "play", "info", "SWOPs carry out the task."),
  COMPLETE: look("Complete", "ok", "ok", "Enough peers are done. Reset it before the next task."),
  ERROR: look("Error", "bad", "bad", "Too many peers failed. Reset it before the next task."),
};

export const PART_STATES: Record<Part["status"], Look> = {
  NONE: look("No part", "off", "quiet"),
  INVITED: look("Invited", "wait", "info"),
  ACTIVE: look("Active", "live", "info"),
  COMPLETE: look("Complete", "ok", "ok"),
  FAILED: look("Failed", "bad", "bad"),
};

/** Words for what happens in a round; others show as they come. */
export const EVENTS: Record<string, { word: string; icon: IconName; tone: Tone }> = {
  checked_in: { word: "Checked in", icon: "collect", tone: "quiet" },
  reveals_opened: { word: "Reveals opened", icon: "key", tone: "quiet" },
  revealed: { word: "Revealed", icon: "key", tone: "quiet" },
  withheld: { word: "Withheld its model", icon: "warn", tone: "warn" },
  round_closed: { word: "Round closed", icon: "ok", tone: "info" },
  round_reopened: { word: "Round reopened", icon: "reset", tone: "warn" },
  leader_suspected: { word: "Leader suspected", icon: "warn", tone: "warn" },
  leader_changed: { word: "Leader changed", icon: "leader", tone: "warn" },
  shard_measured: { word: "Shard measured", icon: "merge", tone: "quiet" },
  models_measured: { word: "Models measured", icon: "merge", tone: "quiet" },
  shard_committed: { word: "Shard made", icon: "merge", tone: "quiet" },
  merge_committed: { word: "Merge proposed", icon: "merge", tone: "info" },
  seed_revealed: { word: "Seed revealed", icon: "key", tone: "quiet" },
  checks_dealt: { word: "Checks dealt out", icon: "verify", tone: "quiet" },
  attested: { word: "Attested", icon: "verify", tone: "quiet" },
  merge_challenged: { word: "Merge challenged", icon: "warn", tone: "bad" },
  judged: { word: "Judged", icon: "vote", tone: "warn" },
  challenge_decided: { word: "Challenge decided", icon: "vote", tone: "warn" },
  barred: { word: "Barred", icon: "bad", tone: "bad" },
  merge_accepted: { word: "Merge accepted", icon: "ok", tone: "ok" },
  round_stopped: { word: "Round stopped", icon: "bad", tone: "bad" },
  loss_reported: { word: "Loss reported", icon: "chart", tone: "quiet" },
  peer_registered: { word: "Registered", icon: "plus", tone: "info" },
  peer_left: { word: "Left", icon: "left", tone: "warn" },
  peer_odd: { word: "Wants other settings", icon: "odd", tone: "warn" },
  peer_absent: { word: "Absent", icon: "wait", tone: "warn" },
  peer_accused: { word: "Accused of silence", icon: "silent", tone: "warn" },
  peer_answered: { word: "Answered", icon: "live", tone: "ok" },
  agreement_changed: { word: "Agreement changed", icon: "vote", tone: "warn" },
  training_complete: { word: "Training complete", icon: "finished", tone: "ok" },
  verify_set: { word: "Verification set", icon: "verify", tone: "info" },
  reset_asked: { word: "Reset asked for", icon: "reset", tone: "warn" },
  reset_noted: { word: "Why it is reset", icon: "reset", tone: "info" },
  organisation_invited: { word: "Organisation invited", icon: "org", tone: "info" },
  training_reset: { word: "Reset", icon: "reset", tone: "info" },
};
