/// What the rounds panel derives from the events of a round; pure.

import type { Round } from "../feed";

export interface GivenUp {
  uid: string; //    of the leader
  by: string[]; //   who said that it does not get on
  left: string; //   why it left the training; "": it did not
  next: string; //   uid of who led then
}

/** The leaders of a round that others gave up, in order. */
export function givenUp(round: Pick<Round, "events">): GivenUp[] {
  const out: GivenUp[] = [];
  let leader = "";
  let by: string[] = [];
  let left = "";
  const leads = (uid = "") => {
    leader = uid;
    by = [];
    left = "";
  };
  for (const event of round.events) {
    if (event.kind === "round_closed") leads(event.peer);
    else if (event.kind === "leader_suspected" && event.peer === leader && event.by) by.push(event.by);
    else if (event.kind === "peer_left" && event.peer === leader) left = event.text;
    else if (event.kind === "leader_changed" && event.peer) {
      if (leader) out.push({ uid: leader, by, left, next: event.peer });
      leads(event.peer);
    }
  }
  return out;
}
