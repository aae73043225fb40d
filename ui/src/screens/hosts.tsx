/// Hosts: which nodes each one has, and what its SWOPs can start there.

import { useEffect, useState } from "preact/hooks";
import { count, shown } from "../base/format";
import { href } from "../base/route";
import type { Network, Taskrunners } from "../feed";
import { useTopic } from "../feed/store";
import { useAsk, useBeat } from "../feed/use_ask";
import { Order, whyNoOrders } from "../parts/action";
import { Empty, Facts, Loading, Mark, Name, Panel } from "../parts/basics";
import { hostsOf, offerRows, snOrders, whyNoSnNow, type Host, type OfferedSn, type Swop } from "./hosts_model";
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

/** An SN that its SWOP offers, and what starts or stops it. */
function OfferedSnRow({ swop, sn, runners }: { swop: Swop; sn: OfferedSn; runners: Taskrunners | undefined }) {
  const tasks = useTopic("tasks").data?.tasks;
  const runner = runners?.taskrunners[swop.runner ?? ""];
  const name = shown(sn.name);
  const before = runner && runner.state !== "IDLE" && runner.task ? ` ${shown(swop.runner ?? "")} is reset, which has done ${shown(runner.task)}.` : "";
  return (
    <li>
      <span class="role">SN</span> <Name of={sn.name} />{" "}
      {sn.runs ? (
        <Mark icon="live" tone="ok">
          runs
        </Mark>
      ) : sn.ended ? (
        <Mark icon="bad" tone="bad">
          ended: {shown(sn.ended)}
        </Mark>
      ) : (
        <span class="muted">does not run</span>
      )}{" "}
      <Order
        word={sn.runs ? "Stop" : "Start"}
        about={name}
        icon={sn.runs ? "close" : "play"}
        danger={sn.runs}
        small
        title={sn.runs ? `Stop the SN ${name}?` : `Start the SN ${name}?`}
        disabled={tasks ? whyNoSnNow(runner) : "The tasks are not known yet."}
        action={() => snOrders(swop, sn, runner!, tasks!)}
      >
        <p>
          {sn.runs
            ? "It stays a member and keeps its data. Other SNs go on without it, if enough of them validate."
            : `${shown(swop.node.name)} starts it on its host with the certificate of its profile. It joins this network and fetches the chain.`}
          {before} A RUN_NODE task says so on the chain.
        </p>
      </Order>
    </li>
  );
}

function SwopCard({ swop, runners }: { swop: Swop; runners: Taskrunners | undefined }) {
  const { uid, node, slots, runner, task, running } = swop;
  const version = `${node.alive} ${task} ${running}`;
  const [offers_sns, setOffersSns] = useState(false);
  const beat = useBeat(offers_sns); // one that ends by itself says nothing on the chain
  const { data: offer, trouble } = useAsk(uid, node.alive ? { what: "host", swop: uid } : null, `${version} ${beat}`);
  useEffect(() => setOffersSns(!!offer?.sns?.length), [offer]);
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
      {offer?.sns?.length ? (
        <ul class="host-nodes" aria-label={`SNs that ${shown(node.name)} can start`}>
          {offer.sns.map((sn) => (
            <OfferedSnRow key={sn.name} swop={swop} sn={sn} runners={runners} />
          ))}
        </ul>
      ) : null}
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

function HostPanel({ host, network, runners }: { host: Host; network: Network; runners: Taskrunners | undefined }) {
  return (
    <Panel title={shown(host.address)} id={`host-${host.address}`} count={host.swops.length + host.nodes.length}>
      {host.swops.length ? (
        <div class="cards">
          {host.swops.map((swop) => (
            <SwopCard key={swop.uid} swop={swop} runners={runners} />
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
        <HostPanel key={host.address} host={host} network={network} runners={runners} />
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
