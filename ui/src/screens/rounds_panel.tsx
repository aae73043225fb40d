/// Rounds as a history of events: which took how long and who led, and of each what happened, by block and transaction.

import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { bytes, clock, count, duration, figure, shown, whole } from "../base/format";
import { href } from "../base/route";
import type { Round, RoundEvent, Training } from "../feed";
import { ask } from "../feed/store";
import { Choice, Empty, Facts, Hash, Loading, Mark, Name, Panel } from "../parts/basics";
import { Icon } from "../parts/icons";
import { save, SaveButton, saveFrom } from "../parts/saving";
import { Table, type Column } from "../parts/table";
import { EVENTS, type Tone } from "../parts/words";
import type { RoundsState } from "./history";
import { givenUp } from "./round_model";

/** What went otherwise than planned, so that the round is worth a look. */
export function notable(round: Round): RoundEvent[] {
  return round.events.filter((event) => {
    const tone = EVENTS[event.kind]?.tone;
    return tone === "warn" || tone === "bad";
  });
}

export function roundState(round: Round): { word: string; tone: Tone; icon: "ok" | "warn" | "bad" | "live" } {
  const odd = notable(round);
  const worst = odd.some((event) => EVENTS[event.kind]?.tone === "bad");
  if (odd.length)
    return {
      word: EVENTS[odd[odd.length - 1]!.kind]!.word,
      tone: worst ? "bad" : "warn",
      icon: worst ? "bad" : "warn",
    };
  return round.merge ? { word: "Merged", tone: "ok", icon: "ok" } : { word: "Under way", tone: "info", icon: "live" };
}

type NameOf = (uid: string | undefined) => string;

export function nameOf(training: Training | undefined, names: Record<string, { name: string }> | undefined): NameOf {
  return (uid) => (uid ? training?.members[uid]?.name || names?.[uid]?.name || `${uid.slice(0, 8)}…` : "");
}

const took = (round: Round) => (round.opened_ms && round.merged_ms ? round.merged_ms - round.opened_ms : undefined);

/** Blocks' times are whole seconds. */
const tookText = (ms: number | undefined) => (ms === 0 ? "under 1 s" : duration(ms));

function columnsOf(name: NameOf, selected: number | null, select: (round_num: number) => void): Column<Round>[] {
  return [
    {
      key: "round",
      title: "Round",
      cell: (round) => (
        <button
          type="button"
          class="link"
          aria-expanded={selected === round.round_num}
          onClick={() => select(round.round_num)}
        >
          {whole(round.round_num)}
        </button>
      ),
    },
    {
      key: "state",
      title: "What happened",
      wide: true,
      cell: (round) => {
        const { word, tone, icon } = roundState(round);
        return (
          <Mark icon={icon} tone={tone}>
            {word}
          </Mark>
        );
      },
    },
    { key: "leader", title: "Leader", cell: (round) => (round.merge ? <Name of={name(round.merge.leader)} /> : "–") },
    {
      key: "models",
      title: "Models",
      right: true,
      cell: (round) => (round.merge ? round.merge.contributors.length : "–"),
    },
    { key: "loss", title: "Loss", right: true, cell: (round) => figure(round.loss) },
    { key: "metric", title: "Metric", right: true, cell: (round) => figure(round.metric) },
    { key: "took", title: "Took", right: true, cell: (round) => tookText(took(round)) },
    { key: "at", title: "Merged at", right: true, cell: (round) => clock(round.merged_ms) },
  ];
}

function EventRow({ event, name }: { event: RoundEvent; name: NameOf }) {
  const known = EVENTS[event.kind];
  return (
    <li class={`event tone-${known?.tone ?? "quiet"}`}>
      <span class="event-mark">
        <Icon name={known?.icon ?? "info"} size={14} />
      </span>
      <div>
        <p>
          {event.peer ? (
            <>
              <strong>
                <Name of={name(event.peer)} />
              </strong>{" "}
            </>
          ) : null}
          <span>{shown(event.text || known?.word || event.kind)}</span>
          {event.by && event.by !== event.peer ? (
            <span class="muted">
              {" "}
              says <Name of={name(event.by)} />
            </span>
          ) : null}
        </p>
        <p class="event-where">
          {known?.word ?? event.kind.replaceAll("_", " ")} · {clock(event.time_ms)} ·{" "}
          <a href={href("ledger", "block", event.block_num)}>block {whole(event.block_num)}</a> ·{" "}
          <a href={href("ledger", "transaction", event.txn)}>transaction</a>
        </p>
      </div>
    </li>
  );
}

/** What this browser may keep of a merge. */
function MergeFiles({ contract, round_num }: { contract: string; round_num: number }) {
  const proof = async () => {
    const { text } = await ask({ what: "proof", contract, round: round_num });
    save(`${contract}-${round_num}-proof.json`, "application/json", text);
  };
  const model = async () => {
    const { path } = await ask({ what: "model", contract, round: round_num });
    saveFrom(path, `${contract}-${round_num}.safetensors`);
  };
  return (
    <p class="merge-files">
      <SaveButton word="Proof" busy="Proving …" about={`round ${round_num}`} go={proof} />{" "}
      <SaveButton word="Model" busy="Fetching …" about={`round ${round_num}`} go={model} />
    </p>
  );
}

/** Who led and was given up, on whose word, and who came next. */
const givenUpRows = (round: Round, name: NameOf) =>
  givenUp(round).map(({ uid, by, left, next }): [string, ComponentChildren] => [
    "Given up",
    <>
      <Name of={name(uid)} />, {by.length ? `suspected by ${by.map((each) => shown(name(each))).join(", ")}` : left.replace(/^leaves: /, "")};{" "}
      <Name of={name(next)} /> leads then
    </>,
  ]);

function RoundDetail({
  round,
  name,
  contract,
  close,
}: {
  round: Round;
  name: NameOf;
  contract: string;
  close(): void;
}) {
  const [which, setWhich] = useState<"all" | "notable">("all");
  const odd = notable(round);
  const events = which === "all" ? round.events : odd;
  const merge = round.merge;
  const given_up = givenUpRows(round, name);
  return (
    <aside class="detail" aria-label={`Round ${round.round_num}`}>
      <header>
        <h3>Round {whole(round.round_num)}</h3>
        <button type="button" class="icon-button" onClick={close}>
          <Icon name="close" size={14} />
          <span class="only-read">Close round {round.round_num}</span>
        </button>
      </header>
      {merge ? (
        <>
        <Facts
          rows={[
            ["Merge", <Hash of={merge.digest} />],
            ["Its digest is", merge.proved ? "proved: the contract has it" : "not proved: the SN says so"],
            ["Size", bytes(merge.size)],
            ...given_up,
            ["Leader", <Name of={name(merge.leader)} />],
            ["Term", merge.term ? `${merge.term} (${count(merge.term, "leader")} given up)` : "first leader"],
            ["Models of", `${count(merge.contributors.length, "node")}`],
            ["Checked by", merge.checkers.length ? merge.checkers.map((uid) => shown(name(uid))).join(", ") : "nobody"],
            ...Object.entries(merge.excluded).map(([uid, why]): [string, string] => [
              "Left out",
              `${shown(name(uid))}: ${why}`,
            ]),
          ]}
        />
        {contract ? <MergeFiles contract={contract} round_num={round.round_num} /> : null}
        </>
      ) : (
        <>
          {given_up.length ? <Facts rows={given_up} /> : null}
          <p class="muted">Nothing is merged yet.</p>
        </>
      )}
      {round.loss !== undefined || round.metric !== undefined ? (
        <Facts
          rows={[
            ["Mean loss", figure(round.loss)],
            ["Mean metric", figure(round.metric)],
            ["They are", round.reports_proved ? "proved: the contract had all that was reported" : "not proved: the SN says so"],
          ]}
        />
      ) : null}
      <Choice
        label="Events"
        of={[
          { key: "all", word: `All ${round.events.length}` },
          { key: "notable", word: `Notable ${odd.length}` },
        ]}
        value={which}
        set={setWhich}
      />
      {events.length ? (
        <ol class="events" tabIndex={0} aria-label={`Events of round ${round.round_num}`}>
          {events.map((event, i) => (
            <EventRow key={i} event={event} name={name} />
          ))}
        </ol>
      ) : (
        <p class="muted">Nothing out of the ordinary.</p>
      )}
    </aside>
  );
}

/** `contract` "": these rounds are of an earlier generation, of which nobody keeps files. */
export function RoundsPanel({ state, name, contract }: { state: RoundsState; name: NameOf; contract: string }) {
  const [selected, setSelected] = useState<number | null>(null);
  const [which, setWhich] = useState<"all" | "notable">("all");
  const rounds = state.data ?? [];
  const rows = useMemo(
    () => (which === "all" ? rounds : rounds.filter((round) => notable(round).length)),
    [rounds, which],
  );
  const open = rounds.find((round) => round.round_num === selected);
  const columns = useMemo(
    () => columnsOf(name, selected, (round_num) => setSelected((now) => (now === round_num ? null : round_num))),
    [name, selected],
  );
  return (
    <Panel
      title="Rounds"
      count={rounds.length ? `${whole(rounds.length)}${state.more ? "+" : ""}` : undefined}
      tools={
        <Choice
          label="Rounds"
          of={[
            { key: "all", word: "All" },
            { key: "notable", word: "Notable" },
          ]}
          value={which}
          set={setWhich}
        />
      }
    >
      {state.trouble ? (
        <p class="inline-trouble">
          <Mark icon="warn" tone="warn">
            {state.trouble}
          </Mark>
        </p>
      ) : null}
      {state.loading ? (
        <Loading what="the rounds" />
      ) : (
        <div class={open ? "with-detail" : ""}>
          <Table
            label="Rounds, newest first"
            columns={columns}
            rows={rows}
            id={(round) => String(round.round_num)}
            selected={selected === null ? null : String(selected)}
            onEnd={state.loadMore}
            box_from={12}
            empty={
              which === "all" ? (
                <Empty icon="runs" title="No round yet">
                  The first one begins when enough nodes have registered.
                </Empty>
              ) : (
                <Empty icon="ok" title="Nothing out of the ordinary">
                  Every round that is loaded went as planned.
                </Empty>
              )
            }
          />
          {open ? (
            <RoundDetail round={open} name={name} contract={contract} close={() => setSelected(null)} />
          ) : null}
        </div>
      )}
      {state.complete ? null : (
        <p class="muted foot">Older rounds are not kept by the node that is asked, or are still being read.</p>
      )}
    </Panel>
  );
}
