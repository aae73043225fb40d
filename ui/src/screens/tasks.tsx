/// Tasks: what they are, and the orders to create, finalize, execute and delete them.

import { useEffect, useMemo, useState } from "preact/hooks";
import { bytes, count, shown, whole } from "../base/format";
import { href } from "../base/route";
import type { Network, Task, Taskrunner } from "../feed";
import { useTopic } from "../feed/store";
import { useAsk } from "../feed/use_ask";
import { Field, FormEnd, Order, OrderForm } from "../parts/action";
import { Choice, Empty, Facts, Hash, Loading, Mark, Name, Panel } from "../parts/basics";
import { Icon } from "../parts/icons";
import { More } from "../parts/more";
import { Search, Table, type Column } from "../parts/table";
import { RUNNER_STATES } from "../parts/words";
import { byName } from "./training_model";

type Row = [string, Task];

const COLUMNS: Column<Row>[] = [
  {
    key: "name",
    title: "Name",
    wide: true,
    sort: ([name]) => name,
    cell: ([name]) => (
      <a href={href("tasks", name)}>
        <Name of={name} />
      </a>
    ),
  },
  {
    key: "type",
    title: "Type",
    sort: ([, task]) => task.type,
    cell: ([, task]) => <span class="mono">{task.type}</span>,
  },
  {
    key: "author",
    title: "Author",
    sort: ([, task]) => task.author,
    cell: ([, task]) => <Name of={task.author} empty="–" />,
  },
  {
    key: "after",
    title: "After",
    sort: ([, task]) => task.prerequisite,
    cell: ([, task]) => (task.prerequisite ? <Name of={task.prerequisite} /> : "–"),
  },
  {
    key: "outcome",
    title: "Outcome",
    sort: ([, task]) => task.outcome,
    cell: ([, task]) => (task.outcome ? <Name of={task.outcome} /> : "–"),
  },
  {
    key: "finalized",
    title: "State",
    sort: ([, task]) => task.finalized,
    cell: ([, task]) =>
      task.finalized ? (
        <Mark icon="ok" tone="ok">
          finalized
        </Mark>
      ) : (
        <Mark icon="wait" tone="warn">
          draft
        </Mark>
      ),
  },
];

type Mode = "all" | "some" | "target";
interface TaskProps {
  name: string;
  task: Task;
  runners: Record<string, Taskrunner>;
  network: Network | undefined;
  /** The SWOP that is to carry it out, unless something else is chosen. */
  at_first: string | undefined;
}

function ExecuteForm({
  name,
  task,
  runners,
  network,
  at_first,
  close,
}: TaskProps & {
  close(): void;
}) {
  const names = Object.keys(runners).sort(
    (a, b) => Number(runners[b]!.state === "IDLE") - Number(runners[a]!.state === "IDLE") || byName(a, b),
  );
  const [runner, setRunner] = useState(names[0] ?? "");
  const [mode, setMode] = useState<Mode>(at_first ? "target" : "all");
  const [peers, setPeers] = useState("2");
  const [swop, setSwop] = useState(at_first ?? "");
  const chosen = runners[runner];
  const wanted = Number(peers);
  const swops = Object.entries(network?.nodes ?? {}).filter(
    ([uid, node]) =>
      node.role === "SWOP" &&
      node.active &&
      (!chosen || !Object.keys(chosen.swops).length || chosen.swops[uid]?.listening),
  );
  const missing = !chosen
    ? "There is no taskrunner yet."
    : chosen.state !== "IDLE" && !(mode === "target" && chosen.task === name)
      ? `The taskrunner is ${RUNNER_STATES[chosen.state].word.toLowerCase()}: reset it first.`
      : mode === "some" && !(Number.isInteger(wanted) && wanted >= 1 && wanted <= 65536)
        ? "How many peers?"
        : mode === "target" && !swop
          ? "Choose a SWOP."
          : "";
  const how = mode === "all" ? { all_peers: true as const } : mode === "some" ? { peers: wanted } : { swop };
  return (
    <form>
      <div class="dialog-body">
        <Field
          label="Taskrunner"
          hint={
            chosen
              ? `${RUNNER_STATES[chosen.state].word}; ${count(chosen.listening, "SWOP")} listen${chosen.listening === 1 ? "s" : ""}, with ${count(chosen.slots, "SL node")}.`
              : undefined
          }
        >
          <select value={runner} onChange={(event) => setRunner(event.currentTarget.value)}>
            {names.map((each) => (
              <option key={each} value={each}>
                {shown(each)}
              </option>
            ))}
          </select>
        </Field>
        <div class="field">
          <span class="field-label">Who carries it out</span>
          <Choice<Mode>
            label="Who carries it out"
            of={[
              { key: "all", word: "All peers" },
              { key: "some", word: "So many peers" },
              { key: "target", word: "One SWOP" },
            ]}
            value={mode}
            set={setMode}
          />
          <span class="field-hint">
            {task.type === "RUN_SWARM" ? "Peers are pairs of SL and program." : "Peers are SWOPs."}
          </span>
        </div>
        {mode === "some" ? (
          <Field label="How many">
            <input
              type="number"
              min={1}
              max={65536}
              value={peers}
              onInput={(event) => setPeers(event.currentTarget.value)}
            />
          </Field>
        ) : null}
        {mode === "target" ? (
          <Field label="SWOP">
            <select value={swop} onChange={(event) => setSwop(event.currentTarget.value)}>
              <option value="">Choose one</option>
              {swops.map(([uid, node]) => (
                <option key={uid} value={uid}>
                  {shown(node.name)}
                </option>
              ))}
            </select>
          </Field>
        ) : null}
      </div>
      <FormEnd
        word="Execute"
        action={missing ? null : { what: "assign_task", task: name, taskrunner: runner, ...how }}
        missing={missing}
        close={close}
      />
    </form>
  );
}

function Orders({
  name,
  task,
  runners,
  network,
  at_first,
}: TaskProps) {
  if (task.type === "ROOT") return null;
  return (
    <div class="panel-tools">
      {task.finalized ? (
        <OrderForm word="Execute …" icon="play" primary small title={`Execute ${shown(name)}`}>
          {(close) => <ExecuteForm {...{ name, task, runners, network, at_first, close }} />}
        </OrderForm>
      ) : (
        <>
          <Order
            word="Finalize"
            icon="ok"
            small
            title={`Finalize ${shown(name)}?`}
            action={() => ({ what: "finalize_task", task: name })}
          >
            <p>From then on it can be executed, and nobody can change it.</p>
          </Order>
          <Order
            word="Delete"
            icon="close"
            danger
            small
            title={`Delete ${shown(name)}?`}
            action={() => ({ what: "delete_task", task: name })}
          >
            <p>Only a task that is not finalized can be deleted. Its name is free again.</p>
          </Order>
        </>
      )}
    </div>
  );
}

function TaskDetail({
  name,
  task,
  runners,
  network,
  at_first,
}: TaskProps) {
  const asked = useAsk(name, task.type === "ROOT" ? null : { what: "task", name }, `${task.lines} ${task.finalized}`);
  return (
    <aside class="detail" aria-label={`Task ${shown(name)}`}>
      <header>
        <h3>
          <Name of={name} />
        </h3>
        <a class="icon-button" href="#/tasks">
          <Icon name="close" size={14} />
          <span class="only-read">Close</span>
        </a>
      </header>
      <Orders {...{ name, task, runners, network, at_first }} />
      <Facts
        rows={[
          ["Type", task.type],
          ["Author", <Name of={task.author} empty="–" />],
          [
            "After",
            task.prerequisite ? (
              <a href={href("tasks", task.prerequisite)}>
                <Name of={task.prerequisite} />
              </a>
            ) : (
              "nothing"
            ),
          ],
          ["Outcome", <Name of={task.outcome} empty="–" />],
          [
            "Organisation",
            task.organisation ? (
              <Name of={network?.organisations[task.organisation]?.name ?? `number ${task.organisation}`} />
            ) : (
              "none"
            ),
          ],
          [
            "Created by",
            task.creator ? (
              network?.nodes[task.creator] ? (
                <Name of={network.nodes[task.creator]!.name} />
              ) : (
                <Hash of={task.creator} />
              )
            ) : (
              "genesis"
            ),
          ],
          ["Created in block", whole(task.created_block)],
          ["Finalized in block", task.finalized_block ? whole(task.finalized_block) : "not yet"],
          ["Body", `${count(task.lines, "line")}, ${bytes(task.body_bytes)}`],
        ]}
      />
      {task.type === "ROOT" ? (
        <p class="muted">Where tasks begin that need no other one. It is there from genesis.</p>
      ) : asked.data ? (
        <pre class="body-text" tabIndex={0} aria-label={`Body of ${shown(name)}`}>
          {asked.data.body.map(shown).join("\n")}
        </pre>
      ) : asked.trouble ? (
        <Mark icon="warn" tone="warn">
          {asked.trouble}
        </Mark>
      ) : (
        <Loading what="its body" />
      )}
    </aside>
  );
}

/** `swop`: whoever comes from a host wants a task to be carried out by it. */
export function Tasks({ selected, swop: wanted_swop }: { selected: string | undefined; swop: string | undefined }) {
  const tasks = useTopic("tasks").data;
  const runners = useTopic("taskrunners").data?.taskrunners ?? {};
  const network = useTopic("network").data;
  const [text, setText] = useState("");
  const [swop, setSwop] = useState<string | undefined>(wanted_swop);
  useEffect(() => {
    if (wanted_swop) setSwop(wanted_swop);
  }, [wanted_swop]);
  const for_swop = swop ? network?.nodes[swop] : undefined;
  const rows = useMemo(
    () =>
      Object.entries(tasks?.tasks ?? {}).sort((a, b) => a[1].created_block - b[1].created_block || byName(a[0], b[0])),
    [tasks],
  );
  const wanted = text.trim().toLowerCase();
  const found = rows.filter(
    ([name, task]) =>
      !wanted || [name, task.type, task.author, task.outcome].some((value) => value.toLowerCase().includes(wanted)),
  );
  const open = selected === undefined ? undefined : tasks?.tasks[selected];
  return (
    <>
      <div class="title-line">
        <h1>Tasks</h1>
        <OrderForm
          word="Create a task …"
          icon="plus"
          primary
          wide
          title="Create a task"
          disabled={tasks ? "" : "The tasks are not known yet."}
        >
          {(close) => (
            <More what="the form">
              {({ TaskForm }) => (
                <TaskForm
                  prerequisites={rows.filter(([, task]) => task.finalized).map(([name]) => name)}
                  close={close}
                />
              )}
            </More>
          )}
        </OrderForm>
      </div>
      {for_swop ? (
        <p class="banner tone-info">
          <Icon name="info" />
          <span>
            To start pairs on <Name of={for_swop.name} />, choose a RUN_SWARM below and execute it, or create one.{" "}
            <button type="button" class="link" onClick={() => setSwop(undefined)}>
              All SWOPs again
            </button>
          </span>
        </p>
      ) : null}
      <Panel
        title="All tasks"
        count={rows.length || undefined}
        tools={<Search label="Find a task" value={text} set={setText} />}
      >
        {!tasks ? (
          <Loading what="the tasks" />
        ) : (
          <div class={open ? "with-detail" : ""}>
            <Table
              label="Tasks"
              columns={COLUMNS}
              rows={found}
              id={([name]) => name}
              selected={selected}
              empty={
                rows.length ? (
                  <Empty icon="search" title="No task is like that">
                    Change the search.
                  </Empty>
                ) : (
                  <Empty icon="tasks" title="There is no task yet">
                    A task says what SWOPs do: make an environment, fetch data, run a training.
                  </Empty>
                )
              }
            />
            {open && selected !== undefined ? (
              <TaskDetail
                key={selected}
                name={selected}
                task={open}
                runners={runners}
                network={network}
                at_first={swop}
              />
            ) : null}
          </div>
        )}
      </Panel>
    </>
  );
}
