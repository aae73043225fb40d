/// Taskrunners: which task each one has carried out, by whom, and how far everybody is.

import { useState } from "preact/hooks";
import { ago, count, duration, shown, whole } from "../base/format";
import { href } from "../base/route";
import type { Network, Pair, Part, Taskrunner } from "../feed";
import { now, useTopic } from "../feed/store";
import { useAsk } from "../feed/use_ask";
import { Field, FormEnd, Order, OrderForm } from "../parts/action";
import { Badge, Empty, Facts, Loading, Mark, Name, Panel, Progress } from "../parts/basics";
import { Icon } from "../parts/icons";
import { PART_STATES, RUNNER_STATES } from "../parts/words";
import { noted, NoteField } from "./training_facts";
import { byName } from "./training_model";

function Step({ part }: { part: Part | Pair }) {
  const t = now.value;
  const silent = "alive" in part && !part.alive;
  return (
    <div class="step-line">
      <Badge look={PART_STATES[part.status]} />
      <span class={part.failure ? "tone-bad step-failure" : ""}>{part.failure ?? part.step ?? ""}</span>
      {silent ? (
        <Mark icon="silent" tone="bad">
          no sign of life
        </Mark>
      ) : null}
      <span class="muted">{part.since_ms && t !== null ? ago(t - part.since_ms) : ""}</span>
    </div>
  );
}

function LastLines({ taskrunner, swop, name }: { taskrunner: string; swop: string; name: string }) {
  const asked = useAsk(`${taskrunner}\n${swop}`, { what: "last_lines", taskrunner, swop });
  const data = asked.data;
  return (
    <div class="dialog-body">
      <p class="muted">What failed programs of {shown(name)} wrote last. It is shown, and kept nowhere.</p>
      {asked.trouble ? (
        <Mark icon="warn" tone="warn">
          {asked.trouble}
        </Mark>
      ) : null}
      {!data && !asked.trouble ? <Loading what="its last lines" /> : null}
      {data && !data.outputs.length ? <p>{data.no_outputs || "Nothing was written."}</p> : null}
      {data?.outputs.map(({ of, lines }) => (
        <div key={of}>
          <h3>{shown(of)}</h3>
          <pre class="body-text" tabIndex={0}>
            {lines.map(shown).join("\n")}
          </pre>
        </div>
      ))}
    </div>
  );
}

function SwopRow({ runner, uid, swop }: { runner: string; uid: string; swop: Taskrunner["swops"][string] }) {
  const pairs = Object.entries(swop.pairs).sort((a, b) => Number(a[0]) - Number(b[0]));
  const failed = swop.status === "FAILED" || pairs.some(([, pair]) => pair.status === "FAILED");
  return (
    <li class="swop-row">
      <div class="swop-head">
        <strong>
          <Name of={swop.name} />
        </strong>
        <span class="muted">
          {count(swop.slots, "SL node")}
          {swop.listening ? "" : " · listens no longer"}
          {swop.attempt > 1 ? ` · attempt ${swop.attempt}` : ""}
        </span>
        {failed ? (
          <OrderForm
            word="Last lines"
            icon="tasks"
            small
            wide
            title={`Last lines of ${shown(swop.name)}`}
            about={swop.name}
          >
            {() => <LastLines taskrunner={runner} swop={uid} name={swop.name} />}
          </OrderForm>
        ) : null}
      </div>
      {swop.status === "NONE" && !pairs.length ? <p class="muted">Takes no part in this run.</p> : <Step part={swop} />}
      {pairs.length ? (
        <ul class="pairs">
          {pairs.map(([index, pair]) => (
            <li key={index}>
              <span class="pair-name">{pair.name ? <Name of={pair.name} /> : `pair ${Number(index) + 1}`}</span>
              <Step part={pair} />
            </li>
          ))}
        </ul>
      ) : null}
    </li>
  );
}

function RunnerPanel({ name, runner, network }: { name: string; runner: Taskrunner; network: Network | undefined }) {
  const swops = Object.entries(runner.swops).sort((a, b) => byName(a[1].name, b[1].name));
  const [note, setNote] = useState("");
  const t = now.value;
  const end = runner.ended_ms ?? t;
  const since = (at: number | undefined) => (at && t !== null ? ago(t - at) : "not yet");
  const busy = runner.state === "RUNNING" || runner.state === "ENROLLING";
  return (
    <Panel
      title={shown(name)}
      id={`runner-${runner.uid}`}
      tools={
        <>
          <Badge look={RUNNER_STATES[runner.state]} />
          <Order
            word="Reset"
            icon="reset"
            danger
            small
            about={name}
            title={`Reset ${shown(name)}?`}
            disabled={runner.state === "IDLE" ? "It is idle already." : ""}
            action={() => ({ what: "reset_taskrunner", taskrunner: name, ...noted(note) })}
            done={() => setNote("")}
          >
            <p>
              It is idle again and takes another task.{" "}
              {busy ? "SWOPs stop what they carry out for it." : "What its SWOPs have made stays with them."}
            </p>
            <NoteField note={note} set={setNote} />
          </Order>
        </>
      }
    >
      {runner.task ? (
        <>
          <p class="runner-task">
            <a href={href("tasks", runner.task)}>
              <Name of={runner.task} />
            </a>{" "}
            <span class="muted">
              {runner.task_type} · {runner.mode} · run {whole(runner.run)}
              {runner.started_ms && end
                ? ` · ${runner.ended_ms ? "took" : "for"} ${duration(Math.floor((end - runner.started_ms) / 1000) * 1000)}`
                : ""}
            </span>
          </p>
          <Progress
            share={runner.quorum ? runner.complete / runner.quorum : undefined}
            label={`${name}: peers that are complete`}
            tone={runner.failed ? "warn" : "info"}
          />
          <p class="runner-counts">
            <span>
              <b>{runner.complete}</b> of {runner.quorum} complete
            </span>
            <span>
              <b>{runner.active}</b> active
            </span>
            <span class={runner.failed ? "tone-bad step-failure" : ""}>
              <b>{runner.failed}</b> failed
            </span>
            <span>
              <b>{runner.enrolled}</b> enrolled
            </span>
          </p>
          {runner.waits ? (
            <p class="card-wait tone-warn">
              <Icon name="wait" size={14} />
              <span>{shown(runner.waits)}</span>
            </p>
          ) : null}
        </>
      ) : (
        <p class="muted">
          No task.{" "}
          {runner.listening
            ? `${count(runner.listening, "SWOP")} listen${runner.listening === 1 ? "s" : ""}, with ${count(runner.slots, "SL node")}.`
            : "No SWOP listens here."}
        </p>
      )}
      {swops.length ? (
        <ul class="swops">
          {swops.map(([uid, swop]) => (
            <SwopRow key={uid} runner={name} uid={uid} swop={swop} />
          ))}
        </ul>
      ) : null}
      <details class="runner-more">
        <summary>Times and owner</summary>
        <Facts
          rows={[
            ["Created", since(runner.created_ms)],
            ["Assigned", since(runner.assigned_ms)],
            ["Enrolled", since(runner.enrolled_ms)],
            ["Started", since(runner.started_ms)],
            ["Ended", since(runner.ended_ms)],
            ["Reset", since(runner.reset_ms)],
            [
              "Owner",
              runner.owner ? (
                <Name of={network?.organisations[runner.owner]?.name ?? `number ${runner.owner}`} />
              ) : (
                "nobody"
              ),
            ],
          ]}
        />
      </details>
    </Panel>
  );
}

export function NameForm({
  word,
  hint,
  action,
  close,
}: {
  word: string;
  hint: string;
  action(name: string): Parameters<typeof FormEnd>[0]["action"];
  close(): void;
}) {
  const [name, setName] = useState("");
  return (
    <form>
      <div class="dialog-body">
        <Field label="Name" hint={hint}>
          <input type="text" maxLength={160} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </Field>
      </div>
      <FormEnd
        word={word}
        action={name.trim() ? action(name.trim()) : null}
        missing="A name is missing."
        close={close}
      />
    </form>
  );
}

export function Taskrunners() {
  const data = useTopic("taskrunners").data;
  const network = useTopic("network").data;
  const busy = (runner: Taskrunner) => Number(runner.state !== "IDLE");
  const all = Object.entries(data?.taskrunners ?? {}).sort((a, b) => busy(b[1]) - busy(a[1]) || byName(a[0], b[0]));
  return (
    <>
      <div class="title-line">
        <h1>Taskrunners</h1>
        <OrderForm word="Create …" icon="plus" title="Create a taskrunner">
          {(close) => (
            <NameForm
              word="Create"
              hint="SWOPs listen to the taskrunner that their profile names."
              action={(taskrunner) => ({ what: "create_taskrunner", taskrunner })}
              close={close}
            />
          )}
        </OrderForm>
      </div>
      {!data ? <Loading what="the taskrunners" /> : null}
      {all.map(([name, runner]) => (
        <RunnerPanel key={name} name={name} runner={runner} network={network} />
      ))}
      {data && !all.length ? (
        <section class="panel">
          <Empty icon="taskrunners" title="There is no taskrunner yet">
            SWOPs listen to a taskrunner for tasks. Create one under the name that stands in their profiles.
          </Empty>
        </section>
      ) : null}
    </>
  );
}
