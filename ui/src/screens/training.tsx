/// One training: its topology, curves, rounds and parameters; also of an earlier generation, as far as it is kept.

import { useEffect, useMemo } from "preact/hooks";
import { count, duration, figure, percent, shown, whole } from "../base/format";
import { href } from "../base/route";
import type { Network, Training } from "../feed";
import { now, useTopic } from "../feed/store";
import { Badge, Empty, Facts, Hash, Loading, Mark, Name, Panel, Progress, Stat } from "../parts/basics";
import { Chart, makeView } from "../parts/chart";
import { Icon } from "../parts/icons";
import { PHASES } from "../parts/words";
import { useRounds, useSeries, type SeriesState } from "./history";
import { roundEta, WaitAge, WaitedFor } from "./overview";
import { nameOf, RoundsPanel } from "./rounds_panel";
import { TopologyPanel } from "./topology_panel";
import { InviteForm, Parameters, ResetOrder } from "./training_facts";
import { wait_book, whyOf } from "./waits";
import { byName } from "./training_model";

function Waits({ name, training }: { name: string; training: Training }) {
  const t = now.value;
  const waits = t === null ? [] : wait_book.look(name, training, t);
  if (!waits.length) return null;
  return (
    <ul class="waits" aria-label="What it waits for">
      {waits.slice(0, 8).map(({ uid, wait, ...waiting }) => (
        <li key={uid} class={`tone-${wait.silent ? "bad" : "warn"}`}>
          <Icon name={wait.silent ? "silent" : "wait"} size={14} />
          <span>
            Waits for <WaitedFor wait={wait} />: {shown(whyOf(wait))} <WaitAge of={waiting} />
          </span>
        </li>
      ))}
      {waits.length > 8 ? <li class="muted">and {waits.length - 8} more</li> : null}
    </ul>
  );
}

const STEPS = [
  { word: "Collect", phases: ["collecting"] },
  { word: "Reveal", phases: ["revealing"] },
  { word: "Merge", phases: ["merging"] },
  { word: "Verify", phases: ["verifying", "disputed", "stopped"] },
];

/** Where the round is on its way. */
function Steps({ training }: { training: Training }) {
  const at = STEPS.findIndex((step) => step.phases.includes(training.phase));
  if (at < 0) return null;
  return (
    <ol class="steps" aria-label={`Round ${training.round_num}`}>
      {STEPS.map(({ word }, i) => (
        <li key={word} class={i < at ? "done" : i === at ? "at" : ""} aria-current={i === at ? "step" : undefined}>
          <span class="step-mark">{i < at ? <Icon name="ok" size={12} /> : i + 1}</span>
          {word}
        </li>
      ))}
    </ol>
  );
}

const LEFT_OUT_MAX = 12;

/** Of a merge that is being checked: whom it leaves out, and who doubts it; nothing while all is as it should be. */
function Doubts({ training, network }: { training: Training; network: Network | undefined }) {
  const { proposal, checks } = training;
  const excluded = Object.entries(proposal?.excluded ?? {});
  if (!proposal || (!excluded.length && !checks?.challenge)) return null;
  const name = nameOf(training, network?.nodes);
  return (
    <section class="panel" aria-label="The merge that is being checked">
      <Facts
        rows={[
          [`Merge of round ${whole(proposal.round_num)}`, <>by {shown(name(proposal.leader))}</>],
          ...excluded
            .slice(0, LEFT_OUT_MAX)
            .map(([uid, why]): [string, string] => ["Left out", `${shown(name(uid))}: ${shown(why)}`]),
          ...(excluded.length > LEFT_OUT_MAX
            ? [["", `and ${excluded.length - LEFT_OUT_MAX} more`] as [string, string]]
            : []),
          ...(checks?.challenge
            ? [["Doubted by", `${shown(name(checks.challenger))}: ${shown(checks.challenge)}`] as [string, string]]
            : []),
        ]}
      />
    </section>
  );
}

function Stats({ training }: { training: Training }) {
  return (
    <dl class="stats">
      <Stat
        name="Round"
        note={
          training.phase === "complete"
            ? "would be the next"
            : `${whole(training.checked_in)} of ${whole(training.waited_for)} checked in`
        }
      >
        {whole(training.round_num)}
      </Stat>
      <Stat name="Loss" note={training.loss_round ? `round ${whole(training.loss_round)}` : "not reported yet"}>
        {figure(training.loss)}
      </Stat>
      <Stat name="Metric" note={training.loss_round ? `round ${whole(training.loss_round)}` : "not reported yet"}>
        {figure(training.metric)}
      </Stat>
      <Stat
        name="Progress"
        note={
          <>
            <Progress share={training.progress} label="Progress of the training" />
            {training.phase === "complete"
              ? "all is done"
              : training.eta_ms !== undefined
                ? `about ${duration(roundEta(training.eta_ms))} left`
                : "time left not known"}
          </>
        }
      >
        {percent(training.progress)}
      </Stat>
      <Stat
        name="Leader"
        note={
          training.phase === "complete"
            ? "all is done"
            : training.term
            ? `${count(training.term, "leader")} given up in this round`
            : training.leader
              ? "first leader of this round"
              : "chosen when the round closes"
        }
      >
        {training.leader ? (
          <Name of={training.leader_name ?? training.members[training.leader]?.name} />
        ) : (
          <span class="muted">–</span>
        )}
      </Stat>
      <Stat name="Last merge" note={training.merged ? <Hash of={training.merged.digest} /> : "nothing merged yet"}>
        {training.merged ? `round ${whole(training.merged.round_num)}` : "–"}
      </Stat>
    </dl>
  );
}

function CurvesPanel({ series }: { series: SeriesState }) {
  const { book, version } = series;
  const view = useMemo(makeView, [book]);
  const loss = useMemo(() => book.lines("loss"), [book, version]);
  const metric = useMemo(() => book.lines("metric"), [book, version]);
  const bands = useMemo(() => ({ loss: book.band("loss"), metric: book.band("metric") }), [book, version]);
  return (
    <Panel title="Curves">
      {series.trouble ? (
        <p class="inline-trouble">
          <Mark icon="warn" tone="warn">
            {series.trouble}
          </Mark>
        </p>
      ) : null}
      {series.loading ? (
        <Loading what="the curves" />
      ) : (
        <div class="columns-2 charts">
          <Chart
            title="Loss"
            x={book.rounds}
            lines={loss}
            band={bands.loss}
            view={view}
            empty="No loss was reported yet"
          />
          <Chart
            title="Metric"
            x={book.rounds}
            lines={metric}
            band={bands.metric}
            view={view}
            empty="No metric was reported yet"
          />
        </div>
      )}
      {series.loading || !book.rounds.length ? null : (
        <p class="muted foot">
          What nodes reported, as the SN that is asked tells it; each of the rounds below says whether its figures are proved.
        </p>
      )}
      {!book.complete ? (
        <p class="muted foot">Earlier rounds are not kept by the node that is asked, or are still being read.</p>
      ) : null}
    </Panel>
  );
}

function Head({
  name,
  training,
  names,
  network,
}: {
  name: string;
  training: Training | undefined;
  names: string[];
  network: Network | undefined;
}) {
  const go = (event: Event) => (location.hash = href("training", (event.currentTarget as HTMLSelectElement).value));
  return (
    <div class="title-line">
      <div class="title">
        <p class="above">Training</p>
        <h1>
          <Name of={name} />
        </h1>
        {training ? <Badge look={PHASES[training.phase]} /> : null}
        {training && training.generation > 1 ? <span class="muted">generation {training.generation}</span> : null}
      </div>
      <div class="title-tools">
        {names.length > 1 ? (
          <label class="switcher">
            <span class="only-read">Other training</span>
            <select value={name} onChange={go}>
              {names.map((each) => (
                <option key={each} value={each}>
                  {shown(each)}
                </option>
              ))}
            </select>
          </label>
        ) : null}
        {training ? <InviteForm contract={name} network={network} /> : null}
        {training ? <ResetOrder contract={name} running={training.phase !== "complete"} small /> : null}
      </div>
    </div>
  );
}

/** The training that is looked for most likely: under way, and what happened last. */
export function likeliest(
  contracts: Record<string, { phase: string; changed_ms: number; checked_in: number; peers: { active: number } }>,
): string | undefined {
  return Object.entries(contracts).sort(
    ([a, x], [b, y]) =>
      Number(y.phase !== "complete" && y.peers.active > 0) - Number(x.phase !== "complete" && x.peers.active > 0) ||
      y.changed_ms - x.changed_ms ||
      byName(a, b),
  )[0]?.[0];
}

export function TrainingScreen({
  name: asked,
  generation: wanted,
}: {
  name: string | undefined;
  generation: number | undefined;
}) {
  const trainings = useTopic("trainings").data;
  const name = asked ?? (trainings ? likeliest(trainings.contracts) : undefined);
  if (name !== undefined)
    return (
      <OneTraining
        key={name}
        name={name}
        wanted={wanted}
        names={Object.keys(trainings?.contracts ?? {}).sort(byName)}
      />
    );
  return (
    <>
      <h1>Training</h1>
      {trainings ? (
        <Empty icon="trainings" title="There is no training contract yet">
          Create one under Contracts, or start a program with the swarm callback.
        </Empty>
      ) : (
        <Loading what="the trainings" />
      )}
    </>
  );
}

function OneTraining({ name, wanted, names }: { name: string; wanted: number | undefined; names: string[] }) {
  const topic = useTopic(`training/${name}`);
  const network = useTopic("network").data;
  const training = topic.data;
  const generation = wanted ?? training?.generation ?? 0;
  const earlier = training !== undefined && wanted !== undefined && wanted !== training.generation;
  useEffect(() => {
    document.title = `${shown(name)} · swarmd`;
  }, [name]);
  return (
    <>
      <Head name={name} training={training} names={names} network={network} />
      {topic.absent ? (
        <p class="banner tone-warn">
          <Icon name="warn" /> {topic.absent}
          {training ? " What follows is what was known last." : ""}
        </p>
      ) : null}
      {!training ? (
        topic.absent ? null : (
          <Loading what="the training" />
        )
      ) : (
        <>
          {earlier ? (
            <p class="banner tone-info">
              <Icon name="info" /> This is generation {wanted}.{" "}
              <a href={href("training", name)}>Go to generation {training.generation}, the present one.</a>
            </p>
          ) : (
            <>
              <Waits name={name} training={training} />
              <Steps training={training} />
              <Doubts training={training} network={network} />
              <Stats training={training} />
              <TopologyPanel training={training} network={network} />
            </>
          )}
          {generation ? <Past name={name} generation={generation} training={training} network={network} /> : null}
        </>
      )}
    </>
  );
}

function Past({
  name,
  generation,
  training,
  network,
}: {
  name: string;
  generation: number;
  training: Training;
  network: Network | undefined;
}) {
  const series = useSeries(name, generation, training);
  const rounds = useRounds(name, generation, training);
  // Names seldom change, while members do with every report.
  const names = JSON.stringify(Object.entries(training.members).map(([uid, peer]) => [uid, peer.name]));
  const called = useMemo(() => nameOf(training, network?.nodes), [names, network?.nodes]);
  return (
    <>
      <CurvesPanel series={series} />
      <RoundsPanel
        state={rounds}
        name={called}
        contract={generation === training.generation ? name : ""}
      />
      {generation === training.generation ? (
        <Parameters name={name} training={training} network={network} rounds={rounds} />
      ) : null}
    </>
  );
}
