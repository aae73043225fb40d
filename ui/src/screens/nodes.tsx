/// All nodes of the network with their certificates, and the organisations with their votes.

import type { ComponentChildren } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useMemo, useState } from "preact/hooks";
import { count, shown, whole } from "../base/format";
import { hostOf } from "../base/topology_layout";
import type { Network, Node } from "../feed";
import { ask, now, server, useTopic } from "../feed/store";
import { Order, OpenForm } from "../parts/action";
import { Age, Choice, Empty, Facts, Hash, Loading, Mark, Name, Panel } from "../parts/basics";
import { Icon } from "../parts/icons";
import { More } from "../parts/more";
import { SaveButton } from "../parts/saving";
import { Search, Table, type Column } from "../parts/table";
import { CERTIFICATE_DAYS_WARN, daysLeft, spareValidators } from "./alerts";
import { Organisations } from "./organisations";
import { byName } from "./training_model";

interface Row {
  uid: string;
  node: Node;
  validator: boolean;
  organisation: string;
  sn: string;
}
type RoleFilter = "all" | Node["role"];
const ROLES: Record<Node["role"], string> = {
  SN: "Swarm Network",
  SL: "Swarm Learning",
  SWOP: "Swarm Operator",
  SWCI: "Command interface",
};

function stateOf(node: Node) {
  if (node.pending)
    return {
      rank: 2,
      mark: (
        <Mark icon="wait" tone="info">
          waits for vouches
        </Mark>
      ),
    };
  if (!node.active)
    return {
      rank: 4,
      mark: (
        <Mark icon="left" tone="quiet">
          no member
        </Mark>
      ),
    };
  if (node.alive)
    return {
      rank: 3,
      mark: (
        <Mark icon="live" tone="ok">
          alive
        </Mark>
      ),
    };
  return {
    rank: 1,
    mark: (
      <Mark icon="silent" tone="bad">
        silent
        {node.silent_since_ms ? (
          <>
            , <Age at={node.silent_since_ms} />
          </>
        ) : (
          ""
        )}
      </Mark>
    ),
  };
}

export function Certificate({ expires_ms }: { expires_ms: number }) {
  const t = now.value;
  if (expires_ms === 0) return <span>no end</span>;
  if (t === null) return <span class="muted">–</span>;
  const days = daysLeft(expires_ms, t)!;
  if (days < 0)
    return (
      <Mark icon="bad" tone="bad">
        expired
      </Mark>
    );
  if (days < CERTIFICATE_DAYS_WARN)
    return (
      <Mark icon="warn" tone="warn">
        {count(days, "day")} left
      </Mark>
    );
  return <span>{count(days, "day")}</span>;
}

const COLUMNS: Column<Row>[] = [
  {
    key: "name",
    title: "Name",
    wide: true,
    sort: (row) => row.node.name,
    cell: (row) => (
      <a href={`#/nodes/${row.uid}`}>
        <Name of={row.node.name} />
      </a>
    ),
  },
  {
    key: "role",
    title: "Role",
    sort: (row) => row.node.role,
    cell: (row) => (
      <span class="role">
        {row.node.role}
        {row.validator ? <span class="muted"> validator</span> : null}
      </span>
    ),
  },
  { key: "state", title: "State", sort: (row) => stateOf(row.node).rank, cell: (row) => stateOf(row.node).mark },
  {
    key: "organisation",
    title: "Organisation",
    sort: (row) => row.organisation,
    cell: (row) => (row.organisation ? <Name of={row.organisation} /> : "–"),
  },
  {
    key: "address",
    title: "Address",
    sort: (row) => row.node.endpoint,
    cell: (row) => (row.node.endpoint ? <bdi class="name mono">{shown(row.node.endpoint)}</bdi> : "–"),
  },
  { key: "sn", title: "Its SN", sort: (row) => row.sn, cell: (row) => (row.sn ? <Name of={row.sn} /> : "–") },
  {
    key: "version",
    title: "Version",
    sort: (row) => versions.value[row.uid] ?? "",
    cell: (row) => shown(shortVersion(versions.value[row.uid])) || <span class="muted">–</span>,
  },
  {
    key: "certificate",
    title: "Certificate",
    right: true,
    sort: (row) => row.node.expires_ms || Infinity,
    cell: (row) => <Certificate expires_ms={row.node.expires_ms} />,
  },
];

function rowsOf(network: Network): Row[] {
  return Object.entries(network.nodes)
    .map(([uid, node]) => ({
      uid,
      node,
      validator: Object.hasOwn(network.validators, uid),
      organisation: node.organisation
        ? (network.organisations[node.organisation]?.name ?? `number ${node.organisation}`)
        : "",
      sn: node.parent ? (network.nodes[node.parent]?.name ?? "") : "",
    }))
    .sort(
      (a, b) =>
        Number(b.node.active) - Number(a.node.active) ||
        a.node.role.length - b.node.role.length ||
        byName(b.node.role, a.node.role) ||
        byName(a.node.name, b.node.name),
    );
}

/** What a node says of itself when it is asked; by uid. It is asked when somebody wants to know. */
const versions = signal<Record<string, string>>({});
const note = (uid: string, version: string) => (versions.value = { ...versions.value, [uid]: version });

async function askVersion(uid: string): Promise<void> {
  if (uid === server.peek()?.uid) return void note(uid, `swarmd/v${server.peek()!.version}`);
  const told = ask({ what: "version", node: uid }).then(
    ({ version }) => version,
    () => "not told",
  );
  note(uid, await told);
}

/** All of them, a few at a time: each that does not answer takes seconds. */
async function askVersions(rows: readonly Row[]): Promise<void> {
  const left = rows.filter(({ uid, node }) => (node.active && node.alive && node.role !== "SWCI") || uid === server.peek()?.uid);
  const next = async (): Promise<void> => {
    for (let row = left.pop(); row; row = left.pop()) await askVersion(row.uid);
  };
  await Promise.all([next(), next(), next(), next()]);
}

/** Such as "0.1.0", of "swarmd/v0.1.0/c++20". */
const shortVersion = (version: string | undefined): string => (version ?? "").replace(/^swarmd\/v/, "").replace(/\/.*/, "");

function NodeDetail({ row, network }: { row: Row; network: Network }) {
  const { node, uid } = row;
  useEffect(() => void askVersion(uid), [uid, node.alive]);
  return (
    <aside class="detail" aria-label={`Node ${shown(node.name)}`}>
      <header>
        <h3>
          <Name of={node.name} />
        </h3>
        <a class="icon-button" href="#/nodes">
          <Icon name="close" size={14} />
          <span class="only-read">Close</span>
        </a>
      </header>
      <p>{stateOf(node).mark}</p>
      <Facts
        rows={[
          ["Role", `${ROLES[node.role]} (${node.role})${row.validator ? ", validator" : ""}`],
          ["Organisation", row.organisation ? <Name of={row.organisation} /> : "none"],
          ["Peers reach it at", node.endpoint ? <bdi class="name">{shown(node.endpoint)}</bdi> : "no address"],
          ...(node.api_endpoint
            ? ([["Clients reach it at", <bdi class="name">{shown(node.api_endpoint)}</bdi>]] as [
                string,
                ComponentChildren,
              ][])
            : []),
          ["Registered with", node.parent ? <Name of={network.nodes[node.parent]?.name ?? node.parent} /> : "–"],
          ["Since block", whole(node.since_block)],
          ["Version", shown(shortVersion(versions.value[uid]) || (node.role === "SWCI" ? "not told" : "…"))],
          ["Certificate", <Certificate expires_ms={node.expires_ms} />],
          ["Its fingerprint", <Hash of={node.fingerprint} />],
          ["Account", <Hash of={uid} />],
        ]}
      />
      {node.active || node.pending ? (
        <p class="foot">
          <Order
            word="Vote to remove"
            icon="vote"
            danger
            small
            title={`Vote to remove ${shown(node.name)}?`}
            action={() => ({ what: "remove_node", node: uid })}
          >
            <p>
              A node of your own organisation goes at once. Of another one more than half of the organisations have to
              vote for it.
            </p>
            <p>It needs a new certificate, with a higher sequence, to come back.</p>
          </Order>
        </p>
      ) : null}
    </aside>
  );
}

function NodesPanel({ network, selected }: { network: Network; selected: string | undefined }) {
  const [role, setRole] = useState<RoleFilter>("all");
  const [text, setText] = useState("");
  const rows = useMemo(() => rowsOf(network), [network.nodes, network.validators, network.organisations]);
  const wanted = text.trim().toLowerCase();
  const found = useMemo(
    () =>
      rows.filter(
        (row) =>
          (role === "all" || row.node.role === role) &&
          (!wanted ||
            [row.node.name, row.node.endpoint, row.organisation, row.uid].some((value) =>
              value.toLowerCase().includes(wanted),
            )),
      ),
    [rows, role, wanted],
  );
  const of = (each: Node["role"]) => rows.filter((row) => row.node.role === each).length;
  const open = rows.find((row) => row.uid === selected);
  return (
    <Panel
      title="Nodes"
      id="all-nodes"
      count={rows.length}
      tools={
        <>
          <SaveButton word="Ask for versions" busy="Asking …" icon="info" go={() => askVersions(rows)} />
          <Search label="Find a node" value={text} set={setText} />
          <Choice<RoleFilter>
            label="Role"
            of={[
              { key: "all", word: "All" },
              ...(["SN", "SL", "SWOP", "SWCI"] as const).map((key) => ({ key, word: `${key} ${of(key)}` })),
            ]}
            value={role}
            set={setRole}
          />
        </>
      }
    >
      <div class={open ? "with-detail" : ""}>
        <Table
          label="Nodes"
          columns={COLUMNS}
          rows={found}
          id={(row) => row.uid}
          selected={selected}
          empty={
            <Empty icon="search" title="No node is like that">
              Change the search, or the role.
            </Empty>
          }
        />
        {open ? <NodeDetail row={open} network={network} /> : null}
      </div>
    </Panel>
  );
}

function Health({ network }: { network: Network }) {
  const { alive, quorum, all } = spareValidators(network);
  const spare = alive - quorum;
  return (
    <p class={`banner tone-${spare < 0 ? "bad" : spare === 0 && all > 1 ? "warn" : "ok"}`}>
      <Icon name={spare < 0 ? "bad" : spare === 0 && all > 1 ? "warn" : "ok"} />
      <span>
        {alive} of {count(all, "validator")} live; {quorum === 1 ? "one is" : `${quorum} are`} needed.{" "}
        {spare < 0
          ? "No block becomes final."
          : spare === 0
            ? all === 1
              ? "The network depends on this one."
              : "None more may fail."
            : `${count(spare, "more")} may fail.`.replace("mores", "more")}
      </span>
    </p>
  );
}

export function Nodes({ selected }: { selected: string | undefined }) {
  const network = useTopic("network").data;
  if (!network)
    return (
      <>
        <h1>Nodes</h1>
        <Loading what="the network" />
      </>
    );
  return (
    <>
      <div class="title-line">
        <h1>Nodes</h1>
        <OpenForm word="Add a node …" icon="plus" wide title="Add a node">
          {() => <More what="the form">{({ JoinForm }) => <JoinForm network={network} />}</More>}
        </OpenForm>
      </div>
      <Health network={network} />
      <NodesPanel network={network} selected={selected} />
      <Organisations network={network} />
      <Panel title="Chain">
        <Facts
          rows={[
            ["Chain id", String(network.chain_id)],
            ["Genesis", <Hash of={network.genesis} />],
            ["Newest block", `${whole(network.head.block_num)}`],
            ["Its hash", <Hash of={network.head.hash} />],
            [
              "Asked SN",
              network.standing.sn ? (
                <span>{`${shown(hostOf(network.standing.sn))} (${shown(network.standing.sn)})`}</span>
              ) : (
                "none"
              ),
            ],
            ["Version of the SN", network.sn_version || "–"],
            [
              "Rules",
              `version ${network.rules.version}${network.rules.next ? `, version ${network.rules.next} from block ${whole(network.rules.from_block)}` : ""}`,
            ],
          ]}
        />
      </Panel>
    </>
  );
}
