/// The members of a training: as a picture, as a table, and one of them in full.

import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { count, figure, percent, shown, whole } from "../base/format";
import { href } from "../base/route";
import type { Network, Training } from "../feed";
import { Age, Badge, Choice, Empty, Facts, Hash, Mark, Name, Panel } from "../parts/basics";
import { Icon } from "../parts/icons";
import { Table, type Column } from "../parts/table";
import { TopologyView } from "../parts/topology";
import { PEER_STATES } from "../parts/words";
import { membersOf, progressOf, type Member } from "./training_model";

const MEMBER_COLUMNS: Column<Member>[] = [
  {
    key: "name",
    title: "Node",
    wide: true,
    sort: (m) => m.peer.name,
    cell: (m) => (
      <>
        <Name of={m.peer.name} />
        {m.leader ? (
          <span class="leads">
            {" "}
            <Icon name="leader" size={14} /> leads
          </span>
        ) : null}
      </>
    ),
  },
  {
    key: "state",
    title: "State",
    sort: (m) => m.peer.state,
    cell: (m) => <Badge look={PEER_STATES[m.peer.state]} detail={m.peer.reason} />,
  },
  { key: "host", title: "Host", sort: (m) => m.host, cell: (m) => <bdi>{shown(m.host)}</bdi> },
  { key: "loss", title: "Loss", right: true, sort: (m) => m.peer.loss, cell: (m) => figure(m.peer.loss) },
  { key: "metric", title: "Metric", right: true, sort: (m) => m.peer.metric, cell: (m) => figure(m.peer.metric) },
  {
    key: "epochs",
    title: "Epochs",
    right: true,
    sort: (m) => progressOf(m.peer),
    cell: (m) => (m.peer.epochs_total ? `${m.peer.epochs_done}/${m.peer.epochs_total}` : "–"),
  },
  {
    key: "lag",
    title: "Lag",
    right: true,
    sort: (m) => m.peer.lag,
    cell: (m) => (m.peer.lag ? count(m.peer.lag, "round") : "none"),
  },
  {
    key: "alive",
    title: "Last sign of life",
    right: true,
    sort: (m) => (m.peer.alive ? Infinity : m.peer.silent_since_ms),
    cell: (m) =>
      m.peer.alive ? (
        <Mark icon="live" tone="ok">
          now
        </Mark>
      ) : (
        <Mark icon="silent" tone="bad">
          <Age at={m.peer.silent_since_ms} fallback="not heard" />
        </Mark>
      ),
  },
];

function MemberDetail({
  member,
  organisations,
  close,
}: {
  member: Member;
  organisations: Network["organisations"] | undefined;
  close(): void;
}) {
  const { peer } = member;
  return (
    <aside class="detail" aria-label={`Node ${shown(peer.name)}`}>
      <header>
        <h3>
          <Name of={peer.name} />
        </h3>
        <button type="button" class="icon-button" onClick={close}>
          <Icon name="close" size={14} />
          <span class="only-read">Close</span>
        </button>
      </header>
      <p>
        <Badge look={PEER_STATES[peer.state]} detail={peer.reason} />
        {member.leader ? (
          <span class="leads">
            {" "}
            <Icon name="leader" size={14} /> leads this round
          </span>
        ) : null}
      </p>
      {peer.waits_for ? (
        <p class="tone-warn inline-trouble">
          <Mark icon="wait" tone="warn">
            waits for {shown(peer.waits_for)}
          </Mark>
        </p>
      ) : null}
      <Facts
        rows={[
          [
            "Progress",
            peer.epochs_total
              ? `${peer.epochs_done} of ${peer.epochs_total} epochs (${percent(progressOf(peer))})`
              : "not known",
          ],
          ["Loss", `${figure(peer.loss)}${peer.loss_round ? ` in round ${peer.loss_round}` : ""}`],
          ["Metric", figure(peer.metric)],
          ["Last check-in", peer.last_round ? `round ${whole(peer.last_round)}` : "none yet"],
          ["Lag", peer.lag ? count(peer.lag, "round") : "none"],
          ["Sign of life", peer.alive ? "now" : <Age at={peer.silent_since_ms} fallback="not heard" />],
          ["Weightage", String(peer.weightage)],
          ["Can lead", peer.can_lead ? "yes" : "no"],
          ["At its end", peer.train_end],
          [
            "Organisation",
            peer.organisation ? (
              <Name of={organisations?.[peer.organisation]?.name ?? `number ${peer.organisation}`} />
            ) : (
              "none"
            ),
          ],
          ["Files at", peer.endpoint ? <bdi class="name">{shown(peer.endpoint)}</bdi> : "–"],
          ["Account", <Hash of={member.uid} />],
          ...(peer.barred_until
            ? ([["Barred", `from leading and checking until round ${peer.barred_until}`]] as [string, string][])
            : []),
          ...(peer.accused_since_ms
            ? ([["Accused", <Age at={peer.accused_since_ms} />]] as [string, ComponentChildren][])
            : []),
        ]}
      />
      <p class="foot">
        <a href={href("nodes", member.uid)}>Its entry among the nodes</a>
      </p>
    </aside>
  );
}

export function TopologyPanel({ training, network }: { training: Training; network: Network | undefined }) {
  const [as, setAs] = useState<"chart" | "table">("chart");
  const [selected, setSelected] = useState<string | null>(null);
  const members = useMemo(() => membersOf(training, network), [training, network]);
  const open = members.find((member) => member.uid === selected);
  const gone = members.filter((member) => member.peer.state === "left");
  return (
    <Panel
      title="Topology"
      count={members.length || undefined}
      tools={
        <Choice
          label="Topology as"
          of={[
            { key: "chart", word: "Picture", icon: "nodes" },
            { key: "table", word: "Table", icon: "table" },
          ]}
          value={as}
          set={setAs}
        />
      }
    >
      {!members.length ? (
        <Empty icon="nodes" title="No node has registered yet">
          SLs register when their programs begin a training under this name.
        </Empty>
      ) : (
        <div class={open && as === "chart" ? "with-detail" : ""}>
          {as === "chart" ? (
            <TopologyView
              members={members}
              network={network}
              selected={selected}
              select={(uid) => setSelected((before) => (before === uid ? null : uid))}
            />
          ) : (
            <Table
              label="Nodes of this training"
              columns={MEMBER_COLUMNS}
              rows={members}
              id={(member) => member.uid}
              empty={null}
            />
          )}
          {open && as === "chart" ? (
            <MemberDetail member={open} organisations={network?.organisations} close={() => setSelected(null)} />
          ) : null}
        </div>
      )}
      {as === "chart" && gone.length ? (
        <p class="muted foot">
          Left:{" "}
          {gone.slice(0, 12).map((member, i) => (
            <>
              {i ? ", " : ""}
              <Name of={member.peer.name} />
              {member.peer.reason ? ` (${member.peer.reason})` : ""}
            </>
          ))}
          {gone.length > 12 ? ` and ${gone.length - 12} more` : ""}
        </p>
      ) : null}
    </Panel>
  );
}
