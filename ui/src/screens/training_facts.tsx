/// What is agreed on for a training, and the orders that change it.

import { useState } from "preact/hooks";
import { bytes, duration, shown, whole } from "../base/format";
import type { Network, Training, VerifyMode } from "../feed";
import { Field, FormEnd, Order, OrderForm } from "../parts/action";
import { Age, Facts, Hash, Mark, Name, Panel } from "../parts/basics";
import type { RoundsState } from "./history";
import { byName } from "./training_model";

const VERIFIED: Record<VerifyMode, { word: string; help: string }> = {
  before: { word: "before they count", help: "Others make each merge again before any program loads it." },
  behind: {
    word: "behind",
    help: "Programs that can take a merge back load it at once and train on while others check it. For large models.",
  },
  off: {
    word: "not",
    help: "What a leader merges is taken as it is: only where all organisations trust each other with merging.",
  },
};

function VerifyForm({ contract, training }: { contract: string; training: Training }) {
  const [when, setWhen] = useState(training.verify);
  return (
    <OrderForm word="Verification …" icon="verify" title={`Verification of ${shown(contract)}`} small>
      {(close) => (
        <form>
          <div class="dialog-body">
            <Field label="Merges are verified" hint={VERIFIED[when].help}>
              <select value={when} onChange={(event) => setWhen(event.currentTarget.value as VerifyMode)}>
                {Object.entries(VERIFIED).map(([key, { word }]) => (
                  <option key={key} value={key}>
                    {word}
                  </option>
                ))}
              </select>
            </Field>
          </div>
          <FormEnd
            word="Set"
            action={when === training.verify ? null : { what: "verify_merges", contract, when }}
            missing="That is how it is."
            close={close}
          />
        </form>
      )}
    </OrderForm>
  );
}

function LastReset({ of, network }: { of: { by: string; note: string }; network: Network | undefined }) {
  const by = network?.nodes[of.by]?.name;
  return (
    <>
      {of.note ? `${shown(of.note)}, ` : ""}
      by {by ? <Name of={by} /> : <Hash of={of.by} />}
    </>
  );
}

/** `rounds`: what happened in this generation, as far as it is read. */
export function Parameters({
  name,
  training,
  network,
  rounds,
}: {
  name: string;
  training: Training;
  network: Network | undefined;
  rounds: RoundsState;
}) {
  const unknown = rounds.loading ? "–" : rounds.data?.length ? "not known" : "not yet";
  const last_ms = rounds.data?.[0]?.events.at(-1)?.time_ms;
  const organisation = (id: number | string) => <Name of={network?.organisations[id]?.name ?? `organisation ${id}`} />;
  const listed = (ids: Record<string, true>, none: string) => {
    const all = Object.keys(ids);
    return all.length
      ? all.map((id, i) => (
          <>
            {i ? ", " : ""}
            {organisation(id)}
          </>
        ))
      : none;
  };
  return (
    <Panel title="Parameters" tools={<VerifyForm key={training.verify} contract={name} training={training} />}>
      <Facts
        rows={[
          ["Generation", whole(training.generation)],
          ["Least number of peers", training.min_peers ? whole(training.min_peers) : "not set yet"],
          ["Merge method", training.merge_method || "not set yet"],
          ["Merges are verified", VERIFIED[training.verify].word],
          ["Layout of the model", training.layout_digest ? <Hash of={training.layout_digest} /> : "not known yet"],
          ["Size of the model", bytes(training.merged?.size)],
          ["Owner", training.owner ? organisation(training.owner) : "nobody"],
          ["Who may take part", listed(training.invited, "every organisation")],
          ["Last reset", training.last_reset ? <LastReset of={training.last_reset} network={network} /> : "none"],
          ["Asked for a reset", listed(training.reset_votes, "nobody")],
          ["A round takes", training.round_ms ? duration(training.round_ms) : "not known yet"],
          ["Started", <Age at={rounds.started_ms} fallback={unknown} />],
          ["Last event", <Age at={training.changed_ms || last_ms} fallback={unknown} />],
          ["Contract", <Hash of={training.uid} />],
        ]}
      />
    </Panel>
  );
}

export function InviteForm({ contract, network }: { contract: string; network: Network | undefined }) {
  const [organisation, setOrganisation] = useState("");
  const names = Object.values(network?.organisations ?? {})
    .map((each) => each.name)
    .sort(byName);
  return (
    <OrderForm word="Invite …" icon="org" title={`Invite an organisation to ${shown(contract)}`} small>
      {(close) => (
        <form>
          <div class="dialog-body">
            <p>
              From the first invitation on only the owner's and invited organisations may register peers. Peers that are
              there stay.
            </p>
            <Field label="Organisation">
              <select value={organisation} onChange={(event) => setOrganisation(event.currentTarget.value)}>
                <option value="">Choose one</option>
                {names.map((name) => (
                  <option key={name} value={name}>
                    {shown(name)}
                  </option>
                ))}
              </select>
            </Field>
          </div>
          <FormEnd
            word="Invite"
            action={organisation ? { what: "invite", contract, organisation } : null}
            missing="Choose an organisation."
            close={close}
          />
        </form>
      )}
    </OrderForm>
  );
}

/** What goes along with a reset, for everybody to see. */
export function NoteField({ note, set }: { note: string; set(note: string): void }) {
  return (
    <Field label="Note" hint="Why, if you like to say it. Everybody in the network sees it, with who has said it.">
      <input type="text" maxLength={160} value={note} onInput={(event) => set(event.currentTarget.value)} />
    </Field>
  );
}

/** As an order has it: nothing when there is none. */
export function noted(note: string): { note?: string } {
  const text = note.trim();
  return text ? { note: text } : {};
}

export function ResetOrder({ contract, running, small }: { contract: string; running: boolean; small?: boolean }) {
  const [note, setNote] = useState("");
  return (
    <Order
      word="Reset"
      icon="reset"
      danger
      small={small}
      about={contract}
      title={`Reset ${shown(contract)}?`}
      action={() => ({ what: "reset_contract", contract, ...noted(note) })}
      done={() => setNote("")}
    >
      <p>
        The contract starts over with an empty training of the next generation. What was done so far stays as a run.
      </p>
      {running ? (
        <p class="inline-trouble">
          <Mark icon="warn" tone="warn">
            It is under way: its programs are told that their training is over. Where organisations take part, more than
            half of them have to ask for this.
          </Mark>
        </p>
      ) : null}
      <NoteField note={note} set={setNote} />
    </Order>
  );
}
