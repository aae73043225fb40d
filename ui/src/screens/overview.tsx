/// The first screen: who waits for whom, what deserves attention, and how every training is doing.

import { useEffect, useMemo, useState } from "preact/hooks";
import { CurveBook, sparkPath, type Kind } from "../base/curves";
import { count, duration, figure, percent, shown, whole } from "../base/format";
import { href } from "../base/route";
import type { Network, TrainingSummary, Wait } from "../feed";
import { ask, link, now, useTopic } from "../feed/store";
import { Age, Badge, Empty, Loading, Mark, Name, Panel, Progress } from "../parts/basics";
import { Icon } from "../parts/icons";
import { Table, type Column } from "../parts/table";
import { PEER_STATES, PHASES, type Tone } from "../parts/words";
import { alertsOf, type Alert } from "./alerts";
import { sorted, wait_book, whyOf, type Waiting } from "./waits";
import { byName } from "./training_model";

const SPARK_ROUNDS = 60;
const CARDS_MAX = 48;

export function WaitedFor({ wait }: { wait: Wait }) {
  return <strong>{wait.name ? <Name of={wait.name} /> : "more peers"}</strong>;
}

export function WaitAge({ of: { since_ms, at_least } }: { of: Pick<Waiting, "since_ms" | "at_least"> }) {
  const t = now.value;
  if (t === null) return null;
  const age = duration(Math.floor(Math.max(0, t - since_ms) / 1000) * 1000);
  return <span class="attention-age">{at_least ? `for ${age} or more` : `for ${age}`}</span>;
}

function WaitRow({ waiting }: { waiting: Waiting }) {
  const { wait, contract } = waiting;
  return (
    <li class={`attention-row tone-${wait.silent ? "bad" : "warn"}`}>
      <Icon name={wait.silent ? "silent" : "wait"} />
      <div>
        <p>
          <a href={href("training", contract)}>
            <Name of={contract} />
          </a>{" "}
          waits for <WaitedFor wait={wait} />
        </p>
        <p class="muted">{shown(whyOf(wait))}</p>
      </div>
      <WaitAge of={waiting} />
    </li>
  );
}

const ALERT_ICONS: Record<Tone, "bad" | "warn" | "info" | "ok"> = {
  bad: "bad",
  warn: "warn",
  info: "info",
  ok: "ok",
  quiet: "info",
};

function AlertRow({ alert }: { alert: Alert }) {
  return (
    <li class={`attention-row tone-${alert.tone}`}>
      <Icon name={ALERT_ICONS[alert.tone]} />
      <p>
        <a href={alert.link}>
          {alert.who ? (
            <>
              <strong>
                <Name of={alert.who} />
              </strong>{" "}
              {alert.text}
            </>
          ) : (
            alert.text
          )}
        </a>
      </p>
    </li>
  );
}

function Attention({
  waits,
  alerts,
  known,
  running,
}: {
  waits: Waiting[];
  alerts: Alert[];
  known: boolean;
  running: boolean;
}) {
  const most = 6;
  const [all, setAll] = useState(false);
  return (
    <div class="columns-2">
      <Panel title="Who waits for whom" id="waits" count={waits.length || undefined}>
        {waits.length ? (
          <ul class="attention">
            {waits.slice(0, all ? undefined : most).map((waiting) => (
              <WaitRow key={`${waiting.contract} ${waiting.uid}`} waiting={waiting} />
            ))}
          </ul>
        ) : (
          <p class="calm">
            {known ? (
              <Mark icon="ok" tone="ok">
                Nobody waits.{running ? " Every training goes on." : ""}
              </Mark>
            ) : (
              <span class="muted">Not known yet.</span>
            )}
          </p>
        )}
        {waits.length > most ? (
          <button type="button" class="small more" onClick={() => setAll(!all)}>
            {all ? "Show fewer" : `Show all ${waits.length}`}
          </button>
        ) : null}
      </Panel>
      <Panel title="Alerts" count={alerts.length || undefined}>
        {alerts.length ? (
          <ul class="attention" tabIndex={alerts.length > most ? 0 : undefined} aria-label="Alerts">
            {alerts.slice(0, 100).map((alert) => (
              <AlertRow key={alert.key} alert={alert} />
            ))}
          </ul>
        ) : (
          <p class="calm">
            {known ? (
              <Mark icon="ok" tone="ok">
                Nothing to see to.
              </Mark>
            ) : (
              <span class="muted">Not known yet.</span>
            )}
          </p>
        )}
      </Panel>
    </div>
  );
}

/** Mean loss and metric of the last rounds, asked for once and added to by what the summary says. */
function useSpark(name: string, training: TrainingSummary): { loss: ArrayLike<number>; metric: ArrayLike<number> } {
  const [book, setBook] = useState<CurveBook | null>(null);
  useEffect(() => {
    let gone = false;
    const from = Math.max(1, training.merged_round - SPARK_ROUNDS);
    ask({ what: "series", contract: name, generation: training.generation, from }).then(
      (answer) => {
        const next = new CurveBook();
        next.take(answer);
        if (!gone) setBook(next);
      },
      () => undefined,
    );
    return () => {
      gone = true;
    };
  }, [name, training.generation, training.loss_round, link.value.state === "live"]);
  return useMemo(() => {
    const of = (kind: Kind) => book?.lines(kind)[0]?.values ?? [];
    return { loss: of("loss"), metric: of("metric") };
  }, [book]);
}

function Spark({ values, label }: { values: ArrayLike<number>; label: string }) {
  const path = sparkPath(values, 120, 34);
  return (
    <svg
      class="spark"
      viewBox="0 0 120 34"
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label} over the last ${values.length} rounds`}
    >
      {path ? <path d={path} vector-effect="non-scaling-stroke" /> : <path class="spark-none" d="M2 17H118" />}
    </svg>
  );
}

/** Of all peers, how many are in each state: lengths, words and numbers say the same. */
export function PeerBar({ peers }: { peers: TrainingSummary["peers"] }) {
  const states = (["active", "finished", "absent", "odd", "left"] as const).filter((state) => peers[state]);
  const total = states.reduce((sum, state) => sum + peers[state], 0);
  return (
    <div class="peer-bar">
      <div class="peer-bar-parts" aria-hidden="true">
        {states.map((state) => (
          <span key={state} class={`part-${state}`} style={{ flexGrow: peers[state] / Math.max(total, 1) }} />
        ))}
      </div>
      <ul>
        {states.map((state) => (
          <li key={state}>
            <Icon name={PEER_STATES[state].icon} size={12} /> {peers[state]} {PEER_STATES[state].word.toLowerCase()}
          </li>
        ))}
        {total ? null : <li>no peers yet</li>}
      </ul>
    </div>
  );
}

function TrainingCard({ name, training, waits }: { name: string; training: TrainingSummary; waits: Waiting[] }) {
  const spark = useSpark(name, training);
  const silent = waits.some(({ wait }) => wait.silent);
  return (
    <article class="card training-card" aria-label={`Training ${name}`}>
      <header>
        <h3>
          <a href={href("training", name)}>
            <Name of={name} />
          </a>
        </h3>
        <Badge look={PHASES[training.phase]} />
      </header>
      <dl class="pair">
        <div>
          <dt>Loss</dt>
          <dd>
            {figure(training.loss)}
            <Spark values={spark.loss} label="Loss" />
          </dd>
        </div>
        <div>
          <dt>Metric</dt>
          <dd>
            {figure(training.metric)}
            <Spark values={spark.metric} label="Metric" />
          </dd>
        </div>
      </dl>
      <div class="progress-line">
        <Progress share={training.progress} label={`Progress of ${name}`} />
        <p>
          <span>{training.progress === undefined ? "length not known" : percent(training.progress)}</span>
          <span>
            {training.epochs_total ? `epoch ${whole(training.epochs_done)} of ${whole(training.epochs_total)}` : ""}
          </span>
          <span>{training.eta_ms === undefined ? "" : `about ${duration(roundEta(training.eta_ms))} left`}</span>
        </p>
      </div>
      <p class="round-line">
        <span>
          Round <b>{whole(training.round_num)}</b>
        </span>
        <span>
          <b>
            {whole(training.checked_in)}/{whole(training.waited_for)}
          </b>{" "}
          checked in
        </span>
        {training.leader_name ? (
          <span class="leads">
            <Icon name="leader" size={14} /> <Name of={training.leader_name} />
          </span>
        ) : null}
      </p>
      <PeerBar peers={training.peers} />
      {waits.length ? (
        <p class={`card-wait tone-${silent ? "bad" : "warn"}`}>
          <Icon name={silent ? "silent" : "wait"} size={14} />
          <span>
            waits for{" "}
            {waits.slice(0, 2).map(({ wait }, i) => (
              <>
                {i ? ", " : ""}
                <WaitedFor wait={wait} />
              </>
            ))}
            {waits.length > 2 ? ` and ${waits.length - 2} more` : ""}
          </span>
        </p>
      ) : null}
    </article>
  );
}

/** An estimate, and written as one: seconds only below a minute. */
export function roundEta(ms: number): number {
  if (ms < 60_000) return Math.max(1000, Math.round(ms / 1000) * 1000);
  if (ms < 3_600_000) return Math.round(ms / 60_000) * 60_000;
  return Math.round(ms / 300_000) * 300_000;
}

const OVER_COLUMNS: Column<[string, TrainingSummary]>[] = [
  {
    key: "name",
    title: "Training",
    wide: true,
    sort: ([name]) => name,
    cell: ([name]) => (
      <a href={href("training", name)}>
        <Name of={name} />
      </a>
    ),
  },
  { key: "phase", title: "State", sort: ([, t]) => t.phase, cell: ([, t]) => <Badge look={PHASES[t.phase]} /> },
  {
    key: "rounds",
    title: "Rounds",
    right: true,
    sort: ([, t]) => t.merged_round,
    cell: ([, t]) => whole(t.merged_round),
  },
  { key: "loss", title: "Loss", right: true, sort: ([, t]) => t.loss, cell: ([, t]) => figure(t.loss) },
  { key: "metric", title: "Metric", right: true, sort: ([, t]) => t.metric, cell: ([, t]) => figure(t.metric) },
  {
    key: "peers",
    title: "Peers",
    right: true,
    cell: ([, t]) => whole(t.peers.active + t.peers.finished + t.peers.absent + t.peers.left + t.peers.odd),
  },
  {
    key: "changed",
    title: "Last event",
    right: true,
    sort: ([, t]) => t.changed_ms,
    cell: ([, t]) => <Age at={t.changed_ms} />,
  },
];

function NetworkTiles({ network }: { network: Network }) {
  const nodes = Object.values(network.nodes).filter((node) => node.active);
  const of = (role: string) => nodes.filter((node) => node.role === role);
  const alive = (role: string) => of(role).filter((node) => node.alive).length;
  const tile = (name: string, role: string, more = "") => (
    <a class="tile" href={href("nodes")} key={role}>
      <span class="tile-name">{name}</span>
      <span class="tile-value">
        {alive(role)}
        <small>/{of(role).length} alive</small>
      </span>
      <span class="tile-note">{more}</span>
    </a>
  );
  return (
    <div class="tiles">
      {tile("Swarm Network nodes", "SN", `${count(Object.keys(network.validators).length, "validator")}`)}
      {tile("Swarm Learning nodes", "SL")}
      {tile("Swarm Operators", "SWOP")}
      <a class="tile" href={href("nodes")}>
        <span class="tile-name">Organisations</span>
        <span class="tile-value">{Object.keys(network.organisations).length}</span>
        <span class="tile-note">
          {Object.keys(network.motions).length
            ? count(Object.keys(network.motions).length, "open vote")
            : "no open votes"}
        </span>
      </a>
      <a class="tile" href={href("ledger")}>
        <span class="tile-name">Block</span>
        <span class="tile-value">{whole(network.head.block_num)}</span>
        <span class="tile-note">
          <Age at={network.head.time_ms} />
        </span>
      </a>
    </div>
  );
}

export function Overview() {
  const network = useTopic("network").data;
  const trainings = useTopic("trainings").data;
  const t = now.value;
  const minute = t === null ? null : Math.floor(t / 10_000);
  const waits =
    t === null
      ? []
      : sorted(Object.entries(trainings?.contracts ?? {}).flatMap(([name, each]) => wait_book.look(name, each, t)));
  const alerts = useMemo(() => (t === null ? [] : alertsOf(network, trainings, t)), [network, trainings, minute]);
  const all = useMemo(() => Object.entries(trainings?.contracts ?? {}).sort((a, b) => byName(a[0], b[0])), [trainings]);
  const over = all.filter(([, training]) => training.phase === "complete" || training.phase === "stopped");
  const begun = (training: TrainingSummary) => Object.values(training.peers).some(Boolean);
  const running = all.filter((each) => !over.includes(each) && begun(each[1]));
  const idle = all.filter((each) => !over.includes(each) && !begun(each[1]));
  return (
    <>
      <h1>Overview</h1>
      <Attention waits={waits} alerts={alerts} known={!!trainings && !!network} running={running.length > 0} />
      <Panel title="Under way" count={running.length || undefined}>
        {!trainings ? (
          <Loading what="the trainings" />
        ) : running.length ? (
          <div class="cards">
            {running.slice(0, CARDS_MAX).map(([name, training]) => (
              <TrainingCard
                key={name}
                name={name}
                training={training}
                waits={waits.filter((each) => each.contract === name)}
              />
            ))}
          </div>
        ) : (
          <Empty icon="trainings" title="No training is under way">
            One begins when a program with the swarm callback starts, or when a RUN_SWARM task is executed.
          </Empty>
        )}
        {running.length > CARDS_MAX ? (
          <p class="muted foot">
            and {running.length - CARDS_MAX} more: <a href={href("contracts")}>all contracts</a>
          </p>
        ) : null}
        {idle.length ? (
          <p class="muted foot">
            Ready, nobody has begun:{" "}
            {idle.map(([name], i) => (
              <>
                {i ? ", " : ""}
                <a href={href("training", name)}>
                  <Name of={name} />
                </a>
              </>
            ))}
          </p>
        ) : null}
      </Panel>
      {over.length ? (
        <Panel title="Over" count={over.length}>
          <Table
            label="Trainings that are over"
            columns={OVER_COLUMNS}
            rows={over}
            id={([name]) => name}
            sorting={{ key: "changed", descending: true }}
            empty={null}
          />
        </Panel>
      ) : null}
      <Panel title="Network">{network ? <NetworkTiles network={network} /> : <Loading what="the network" />}</Panel>
    </>
  );
}
