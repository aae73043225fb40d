/// Organisations: what each one has and uses, and the votes that are open.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { bytes, count, percent, shown, whole } from "../base/format";
import type { Motion, Network, Organisation } from "../feed";
import { Field, FormEnd, Order, OrderForm } from "../parts/action";
import { Empty, Facts, Hash, Name, Panel, Progress } from "../parts/basics";
import { Icon } from "../parts/icons";
import { byName } from "./training_model";

function Use({ name, used, limit, text }: { name: string; used: number; limit: number; text: string }) {
  const share = limit ? used / limit : 0;
  return (
    <div class="use">
      <span>{name}</span>
      <span>{text}</span>
      <Progress share={share} label={`${name}: ${percent(share)} used`} tone={share > 0.9 ? "warn" : "info"} />
    </div>
  );
}

function OrganisationCard({ id, organisation, network }: { id: string; organisation: Organisation; network: Network }) {
  const nodes = Object.entries(network.nodes).filter(([, node]) => node.active && String(node.organisation) === id);
  const seats = nodes.filter(([uid]) => Object.hasOwn(network.validators, uid)).length;
  const { limits } = organisation;
  return (
    <article class="card organisation" aria-label={`Organisation ${shown(organisation.name)}`}>
      <header>
        <h3>
          <Name of={organisation.name} />
        </h3>
        <span class="muted">
          {organisation.since_block ? `since block ${whole(organisation.since_block)}` : "founder"}
        </span>
      </header>
      <p class="muted">
        {count(seats, "seat")} of {Object.keys(network.validators).length} ·{" "}
        {count(organisation.members, "voting member")} ·{" "}
        {count(Object.keys(organisation.anchors).length, "authority", "authorities")}
      </p>
      <Use
        name="Nodes"
        used={nodes.length}
        limit={limits.nodes}
        text={`${whole(nodes.length)} of ${whole(limits.nodes)}`}
      />
      <Use
        name="Chain today"
        used={organisation.chain_bytes_today}
        limit={limits.chain_bytes_per_day}
        text={`${bytes(organisation.chain_bytes_today)} of ${bytes(limits.chain_bytes_per_day)}`}
      />
      <details>
        <summary>Limits and authorities</summary>
        <Facts
          rows={[
            ["Trainings", whole(limits.trainings)],
            ["Peers per training", whole(limits.peers_per_training)],
            ["P2P places", whole(limits.p2p_places)],
            ["Models per training", bytes(limits.model_bytes)],
            ...Object.keys(organisation.anchors).map((anchor): [string, ComponentChildren] => [
              "Authority",
              <Hash of={anchor} />,
            ]),
          ]}
        />
        <Order
          word="Vote to remove"
          icon="vote"
          danger
          small
          about={organisation.name}
          title={`Vote to remove ${shown(organisation.name)}?`}
          action={() => ({ what: "remove_organisation", organisation: organisation.name })}
        >
          <p>
            The organisation and all its nodes leave the network once more than half of the others have voted so, and at
            least two.
          </p>
        </Order>{" "}
        <ReplaceForm organisation={organisation.name} />
      </details>
    </article>
  );
}

function MotionRow({ of, motion, network }: { of: string; motion: Motion; network: Network }) {
  const voters = Object.keys(motion.voters);
  const name = motion.name || (network.organisations[motion.organisation]?.name ?? "");
  const missing = Object.entries(network.organisations).filter(([id]) => !Object.hasOwn(motion.voters, id));
  return (
    <li class="motion">
      <p>
        <Icon name="vote" size={14} /> <strong>{motion.kind}</strong>{" "}
        <Name of={name} />
      </p>
      <Progress
        share={voters.length / Math.max(motion.needed, 1)}
        label={`Votes for ${motion.kind} ${shown(motion.name)}`}
      />
      <p class="muted">
        {voters.length} of {motion.needed} votes:{" "}
        {voters.map((id) => shown(network.organisations[id]?.name ?? id)).join(", ") || "none"}
        {missing.length ? ` · not yet: ${missing.map(([, each]) => shown(each.name)).join(", ")}` : ""} · until block{" "}
        {whole(motion.expires_block)}
      </p>
      <Order
        word="Vote for it"
        icon="vote"
        small
        about={`${motion.kind} ${name}`}
        title={`Vote to ${motion.kind} ${shown(name)}?`}
        action={() => ({ what: "vote_for", motion: of })}
      >
        <p>The vote of your organisation, for just what was moved.</p>
        {Object.keys(motion.anchors).length ? (
          <>
            <p>Its authorities have these fingerprints; compare them with what the organisation itself tells you:</p>
            <ul>
              {Object.keys(motion.anchors).map((anchor) => (
                <li key={anchor}>
                  <code class="wraps">{anchor}</code>
                </li>
              ))}
            </ul>
          </>
        ) : null}
      </Order>
    </li>
  );
}

const BEGINS_CERTIFICATE = "-----BEGIN CERTIFICATE-----";

const TRUST_DOMAIN = /^spiffe:\/\/[^/]+$/;
/** Whether these may be an organisation's authorities: certificates, or a trust domain of SPIFFE. */
const mayVouch = (anchors: string) => anchors.includes(BEGINS_CERTIFICATE) || TRUST_DOMAIN.test(anchors);
const NO_ANCHORS = "A certificate in PEM is missing, or a trust domain such as spiffe://clinic.example.";

/** Certificates of authorities, pasted or from a file, or a trust domain. */
function AnchorFields({ anchors, set }: { anchors: string; set(anchors: string): void }) {
  const read = async (event: Event) => {
    const file = (event.currentTarget as HTMLInputElement).files?.[0];
    if (file) set((await file.slice(0, 65_536).text()).trim());
  };
  return (
    <>
      <Field
        label="Certificates of its authorities (PEM)"
        hint="Only certificates: never paste a key here. In a network by SPIFFE: its trust domain, such as spiffe://clinic.example."
      >
        <textarea
          rows={6}
          class="mono"
          spellcheck={false}
          value={anchors}
          onInput={(event) => set(event.currentTarget.value)}
        />
      </Field>
      <Field label="or from a file">
        <input type="file" accept=".pem,.crt,.cer" onChange={(event) => void read(event)} />
      </Field>
    </>
  );
}

function AdmitForm() {
  const [organisation, setOrganisation] = useState("");
  const [anchors, setAnchors] = useState("");
  return (
    <OrderForm word="Admit …" icon="plus" title="Vote to admit an organisation" small>
      {(close) => (
        <form>
          <div class="dialog-body">
            <p>
              It is admitted once more than half of the organisations have voted for the same name and the same
              authorities.
            </p>
            <Field label="Name">
              <input
                type="text"
                maxLength={64}
                value={organisation}
                onInput={(event) => setOrganisation(event.currentTarget.value)}
              />
            </Field>
            <AnchorFields anchors={anchors} set={setAnchors} />
          </div>
          <FormEnd
            word="Vote"
            action={
              organisation.trim() && mayVouch(anchors.trim())
                ? { what: "admit_organisation", organisation: organisation.trim(), anchors: anchors.trim() }
                : null
            }
            missing={organisation.trim() ? NO_ANCHORS : "A name is missing."}
            close={close}
          />
        </form>
      )}
    </OrderForm>
  );
}

function ReplaceForm({ organisation }: { organisation: string }) {
  const [anchors, setAnchors] = useState("");
  return (
    <OrderForm
      word="Replace authorities …"
      icon="key"
      small
      about={organisation}
      title={`Vote for other authorities of ${shown(organisation)}`}
    >
      {(close) => (
        <form>
          <div class="dialog-body">
            <p>
              Those that are given here are its authorities then, and no others, once more than half of the organisations
              have voted for the same ones. While certificates are renewed, give the old one and the new one.
            </p>
            <AnchorFields anchors={anchors} set={setAnchors} />
          </div>
          <FormEnd
            word="Vote"
            action={mayVouch(anchors.trim()) ? { what: "replace_ca", organisation, anchors: anchors.trim() } : null}
            missing={NO_ANCHORS}
            close={close}
          />
        </form>
      )}
    </OrderForm>
  );
}

export function Organisations({ network }: { network: Network }) {
  const organisations = Object.entries(network.organisations).sort((a, b) => byName(a[1].name, b[1].name));
  const motions = Object.entries(network.motions);
  return (
    <Panel title="Organisations" count={organisations.length || undefined} tools={<AdmitForm />}>
      {motions.length ? (
        <ul class="motions" aria-label="Open votes">
          {motions.map(([key, motion]) => (
            <MotionRow key={key} of={key} motion={motion} network={network} />
          ))}
        </ul>
      ) : null}
      {organisations.length ? (
        <div class="cards">
          {organisations.map(([id, organisation]) => (
            <OrganisationCard key={id} id={id} organisation={organisation} network={network} />
          ))}
        </div>
      ) : (
        <Empty icon="org" title="This chain has no organisations">
          It was begun without certificates' authorities, as tests are.
        </Empty>
      )}
    </Panel>
  );
}
