/// Hosts: which nodes each one has, and what its SWOPs can start there.

import { useState } from "preact/hooks";
import { count, shown } from "../base/format";
import { href } from "../base/route";
import type { Network } from "../feed";
import { useTopic } from "../feed/store";
import { useAsk, useBeat } from "../feed/use_ask";
import { whyNoOrders } from "../parts/action";
import { Empty, Facts, Loading, Mark, Name, Panel } from "../parts/basics";
import { hostsOf, offerRows, type Host, type Swop } from "./hosts_model";
import { Certificate } from "./nodes";

function Life({ alive }: { alive: boolean }) {
  return alive ? (
    <Mark icon="live" tone="ok">
      alive
    </Mark>
  ) : (
    <Mark icon="silent" tone="bad">
      silent
    </Mark>
  );
}

/** Its containers or processes, as it tells them to operators of its organisation once they want to know. */
function Programs({ swop, version }: { swop: Swop; version: string }) {
  const [open, setOpen] = useState(false);
  const { uid, runner } = swop;
  const question = open && runner ? { what: "last_lines" as const, taskrunner: runner, swop: uid, all: true } : null;
  const beat = useBeat(open);
  const { data, trouble } = useAsk(`${uid} ${open}`, question, `${version} ${beat}`);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Programs</summary>
      {trouble ? <p class="muted">{shown(trouble)}</p> : null}
      {open && !data && !trouble ? <Loading what="its programs" /> : null}
      {data?.outputs.length ? (
        <ul aria-label={`Programs of ${shown(swop.node.name)}`}>
          {data.outputs.map(({ of }) => (
            <li key={of}>{shown(of)}</li>
          ))}
        </ul>
      ) : null}
      {data && !data.outputs.length ? <p class="muted">None{data.no_outputs ? `: ${shown(data.no_outputs)}` : ""}.</p> : null}
    </details>
  );
}

function SwopCard({ swop }: { swop: Swop }) {
  const { uid, node, slots, runner, task, running } = swop;
  const version = `${node.alive} ${task} ${running}`;
  const { data: offer, trouble } = useAsk(uid, node.alive ? { what: "host", swop: uid } : null, version);
  return (
    <article class="card" aria-label={`SWOP ${shown(node.name)}`}>
      <header>
        <h3>
          <a href={href("nodes", uid)}>
            <Name of={node.name} />
          </a>
        </h3>
        <Life alive={node.alive} />
      </header>
      <Facts
        rows={[
          ["Can start", count(slots, "pair")],
          ["Listens to", runner ? <Name of={runner} /> : "no taskrunner"],
          [
            "Carries out",
            task ? (
              <>
                <a href={href("tasks", task)}>
                  <Name of={task} />
                </a>
                {running ? `, ${count(running, "pair")}` : ""}
              </>
            ) : (
              "nothing"
            ),
          ],
          ...(offer ? offerRows(offer) : []),
          ["Certificate", <Certificate expires_ms={node.expires_ms} />],
        ]}
      />
      {trouble ? <p class="muted">What it has is not known: {shown(trouble)}.</p> : null}
      {task && !whyNoOrders() ? <Programs swop={swop} version={version} /> : null}
      <p class="merge-files">
        {task ? (
          <a class="button" href={href("taskrunners")}>
            Stop by a reset …
          </a>
        ) : slots ? (
          <a class="button" href={`${href("tasks")}?swop=${uid}`}>
            Start pairs …
          </a>
        ) : null}
      </p>
    </article>
  );
}

function HostPanel({ host, network }: { host: Host; network: Network }) {
  return (
    <Panel title={shown(host.address)} id={`host-${host.address}`} count={host.swops.length + host.nodes.length}>
      {host.swops.length ? (
        <div class="cards">
          {host.swops.map((swop) => (
            <SwopCard key={swop.uid} swop={swop} />
          ))}
        </div>
      ) : null}
      {host.nodes.length ? (
        <ul class="host-nodes" aria-label={`Nodes of ${shown(host.address)}`}>
          {host.nodes.map(([uid, node]) => (
            <li key={uid}>
              <span class="role">{node.role}</span>{" "}
              <a href={href("nodes", uid)}>
                <Name of={node.name} />
              </a>{" "}
              {Object.hasOwn(network.validators, uid) ? <span class="muted">validator</span> : null}{" "}
              <Life alive={node.alive} />
            </li>
          ))}
        </ul>
      ) : null}
    </Panel>
  );
}

export function Hosts() {
  const network = useTopic("network").data;
  const runners = useTopic("taskrunners").data;
  if (!network)
    return (
      <>
        <h1>Hosts</h1>
        <Loading what="the network" />
      </>
    );
  const hosts = hostsOf(network, runners);
  return (
    <>
      <h1>Hosts</h1>
      {hosts.map((host) => (
        <HostPanel key={host.address} host={host} network={network} />
      ))}
      {hosts.length ? (
        <p class="muted foot">
          Hosts are told apart by the addresses of their nodes. The chain says how many pairs the SWOPs of a host can start; what
          it has is not on the chain: each SWOP says so to its own organisation.
        </p>
      ) : (
        <section class="panel">
          <Empty icon="org" title="No node says where it is">
            Nodes appear here once they have registered with an address.
          </Empty>
        </section>
      )}
    </>
  );
}
