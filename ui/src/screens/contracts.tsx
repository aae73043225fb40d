/// Training contracts: who owns them, what they are at, and the orders to create and reset them.

import { useMemo } from "preact/hooks";
import { whole } from "../base/format";
import { href } from "../base/route";
import type { TrainingSummary } from "../feed";
import { useTopic } from "../feed/store";
import { OrderForm } from "../parts/action";
import { Age, Badge, Empty, Loading, Name, Panel } from "../parts/basics";
import { Table, type Column } from "../parts/table";
import { PHASES } from "../parts/words";
import { NameForm } from "./taskrunners";
import { ResetOrder } from "./training_facts";
import { byName } from "./training_model";

type Row = [string, TrainingSummary];
const peersOf = ({ peers }: TrainingSummary) => peers.active + peers.finished + peers.absent + peers.odd;

const COLUMNS: Column<Row>[] = [
  {
    key: "name",
    title: "Name",
    wide: true,
    sort: ([name]) => name,
    cell: ([name]) => (
      <a href={href("training", name)}>
        <Name of={name} />
      </a>
    ),
  },
  {
    key: "phase",
    title: "State",
    sort: ([, t]) => t.phase,
    cell: ([, t]) =>
      peersOf(t) || t.merged_round ? <Badge look={PHASES[t.phase]} /> : <span class="muted">not begun</span>,
  },
  {
    key: "generation",
    title: "Generation",
    right: true,
    sort: ([, t]) => t.generation,
    cell: ([, t]) => whole(t.generation),
  },
  {
    key: "round",
    title: "Rounds",
    right: true,
    sort: ([, t]) => t.merged_round,
    cell: ([, t]) => whole(t.merged_round),
  },
  {
    key: "done",
    title: "Finished peers",
    right: true,
    sort: ([, t]) => t.peers.finished,
    cell: ([, t]) => whole(t.peers.finished),
  },
  {
    key: "min",
    title: "Least peers",
    right: true,
    sort: ([, t]) => t.min_peers,
    cell: ([, t]) => (t.min_peers ? whole(t.min_peers) : "–"),
  },
  { key: "peers", title: "Peers", right: true, sort: ([, t]) => peersOf(t), cell: ([, t]) => whole(peersOf(t)) },
  {
    key: "changed",
    title: "Last event",
    right: true,
    sort: ([, t]) => t.changed_ms,
    cell: ([, t]) => <Age at={t.changed_ms} />,
  },
  {
    key: "orders",
    title: "Orders",
    right: true,
    cell: ([name, t]) => <ResetOrder contract={name} running={t.phase !== "complete" && peersOf(t) > 0} small />,
  },
];

export function Contracts() {
  const data = useTopic("trainings").data;
  const rows = useMemo(() => Object.entries(data?.contracts ?? {}).sort((a, b) => byName(a[0], b[0])), [data]);
  return (
    <>
      <div class="title-line">
        <h1>Contracts</h1>
        <OrderForm word="Create …" icon="plus" title="Create a training contract">
          {(close) => (
            <NameForm
              word="Create"
              hint="Programs name it as their training contract. It belongs to the organisation of this node."
              action={(contract) => ({ what: "create_contract", contract })}
              close={close}
            />
          )}
        </OrderForm>
      </div>
      <Panel title="Training contracts" count={rows.length || undefined}>
        {!data ? (
          <Loading what="the contracts" />
        ) : (
          <Table
            label="Training contracts"
            columns={COLUMNS}
            rows={rows}
            id={([name]) => name}
            empty={
              <Empty icon="contracts" title="There is no contract yet">
                A training needs one; programs name it.
              </Empty>
            }
          />
        )}
      </Panel>
    </>
  );
}
