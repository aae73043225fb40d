/// A new node: a form, and the script that makes a host join. Nothing of it is an order; its organisation is approved by votes.

import { useState } from "preact/hooks";
import { shown } from "../base/format";
import {
  bundleOf,
  certified,
  endpointOf,
  PORTS,
  PROFILE_BYTES_MAX,
  profileOf,
  wrongWith,
  type JoinRole,
  type Wish,
} from "../base/join_bundle";
import type { Network } from "../feed";
import { useTopic } from "../feed/store";
import { useAsk } from "../feed/use_ask";
import { Field } from "../parts/action";
import { Choice, Hash, Loading, Mark } from "../parts/basics";
import { Icon } from "../parts/icons";
import { save } from "../parts/saving";
import { byName } from "./training_model";

const ROLES: { key: JoinRole; word: string; help: string }[] = [
  { key: "SN", word: "SN", help: "Keeps the chain. Once it has caught up, others may vote it a validator." },
  { key: "SL", word: "SL", help: "Takes part in trainings, beside a program that is started by hand." },
  { key: "SWOP", word: "SWOP", help: "Starts pairs of SL and program on its host as tasks say." },
];

/** SNs that others can reach, those on this very host last. */
function snsOf(network: Network): { name: string; at: string }[] {
  const here = (at: string) => Number(/^(127\.|localhost:|\[::1\])/.test(at));
  return Object.values(network.nodes)
    .filter((node) => node.role === "SN" && node.active && node.api_endpoint && endpointOf(node.api_endpoint))
    .map((node) => ({ name: node.name, at: node.api_endpoint! }))
    .sort((a, b) => here(a.at) - here(b.at) || byName(a.name, b.name));
}

function Bundle({ wish }: { wish: Wish }) {
  const [copied, setCopied] = useState(false);
  const text = bundleOf(wish);
  const name = `join-${wish.name}.sh`;
  const copy = () => {
    void navigator.clipboard?.writeText(text).then(() => setCopied(true));
  };
  return (
    <div class="form-yaml">
      <Field
        label="Bundle"
        hint="Authorities, genesis block, SN and profile; no key and no password. Paste it into a shell on the new host."
      >
        <textarea class="mono" rows={18} readOnly spellcheck={false} value={text} />
      </Field>
      <div class="bundle-tools">
        <button type="button" class="primary" onClick={copy}>
          <Icon name="copy" size={14} />
          {copied ? "Copied" : "Copy"}
        </button>
        <button type="button" onClick={() => save(name, "text/x-shellscript", text)}>
          <Icon name="download" size={14} />
          Save
        </button>
        <button type="button" onClick={() => save("node.yaml", "application/yaml", profileOf(wish))}>
          <Icon name="download" size={14} />
          Profile only
        </button>
      </div>
      <p>
        Or save it, copy it to the host, and run <code class="wraps">sh {name}</code>
      </p>
      <ol class="next-steps">
        <li>
          Its organisation makes keys and certificates for {certified(wish).map(shown).join(", ")} and puts them into{" "}
          <code class="wraps">{wish.folder}/cert</code>. They never leave that host.
        </li>
        <li>
          A new organisation has to be admitted: “Admit …” under Organisations, once more than half of all have voted.
        </li>
        <li>The script checks the host (swarmd doctor), starts the node, and the node shows up under Nodes.</li>
      </ol>
    </div>
  );
}

function SwopFields({ wish, set }: { wish: Wish; set(to: Partial<Wish>): void }) {
  const runners = Object.keys(useTopic("taskrunners").data?.taskrunners ?? {}).sort(byName);
  const upload = async (event: Event) => {
    const file = (event.currentTarget as HTMLInputElement).files?.[0];
    if (file) set({ profile: await file.slice(0, PROFILE_BYTES_MAX + 1).text() });
  };
  if (wish.profile)
    return (
      <>
        <p>The SWOP's profile is your own, from a file. What it names has to be on the new host.</p>
        <button type="button" onClick={() => set({ profile: "" })}>
          Go back to the form
        </button>
      </>
    );
  return (
    <>
      <Field label="Profile from a file" hint="Or leave it, and it is made of what follows.">
        <input type="file" accept=".yaml,.yml" onChange={(event) => void upload(event)} />
      </Field>
      <Field label="Taskrunner" hint="Whose tasks it carries out.">
        <select value={wish.taskrunner} onChange={(event) => set({ taskrunner: event.currentTarget.value })}>
          <option value="">Choose one</option>
          {runners.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </Field>
      <Field label="Pairs of SL and program" hint="Each needs a certificate of its own.">
        <input
          type="number"
          min={0}
          max={64}
          value={wish.pairs}
          onInput={(event) => set({ pairs: event.currentTarget.valueAsNumber })}
        />
      </Field>
      <Field label="Programs run" hint="Sandboxes need bubblewrap, containers Docker or Podman.">
        <select
          value={wish.manager}
          onChange={(event) => set({ manager: event.currentTarget.value as Wish["manager"] })}
        >
          <option value="PROCESS">in sandboxes of the host</option>
          <option value="DOCKER">in containers</option>
        </select>
      </Field>
    </>
  );
}

const usualPorts = (role: JoinRole) => PORTS[role].map(({ usual }) => String(usual));

export function JoinForm({ network }: { network: Network }) {
  const asked = useAsk("anchors", { what: "anchors" });
  const sns = snsOf(network);
  const [fields, setFields] = useState({
    role: "SL" as JoinRole,
    name: "",
    host: "",
    folder: "",
    sn: sns[0]?.at ?? "",
    ports: usualPorts("SL"),
    taskrunner: "",
    pairs: 2,
    manager: "PROCESS" as Wish["manager"],
    profile: "",
  });
  const set = (to: Partial<Wish>) => setFields((before) => ({ ...before, ...to }));
  if (!asked.data)
    return (
      <div class="dialog-body">
        {asked.trouble ? (
          <Mark icon="warn" tone="warn">
            {asked.trouble}
          </Mark>
        ) : (
          <Loading what="whom the network trusts" />
        )}
      </div>
    );
  const { anchors } = asked.data;
  const wish: Wish = {
    ...fields,
    folder: fields.folder || `/opt/swarm/${fields.name}`,
    genesis: network.genesis,
    anchors,
  };
  const wrong = wrongWith(wish);
  const text = (label: string, key: "name" | "host" | "folder", hint: string) => (
    <Field label={label} hint={hint}>
      <input
        type="text"
        maxLength={253}
        value={key === "folder" ? wish.folder : fields[key]}
        onInput={(event) => set({ [key]: event.currentTarget.value })}
      />
    </Field>
  );
  return (
    <div class="dialog-body form-two">
      <div class="form-fields">
        <Choice<JoinRole>
          label="Role"
          of={ROLES}
          value={wish.role}
          set={(role) => set({ role, ports: usualPorts(role) })}
        />
        <p class="field-hint">{ROLES.find(({ key }) => key === wish.role)!.help}</p>
        {text("Name", "name", "Of the node, unique in the network.")}
        {text("Host", "host", "Address or name by which other nodes reach it.")}
        {text("Folder", "folder", "Where the node lives there.")}
        <Field label="SN" hint="The first that it asks.">
          <select value={wish.sn} onChange={(event) => set({ sn: event.currentTarget.value })}>
            {sns.map(({ name, at }) => (
              <option key={at} value={at}>
                {shown(name)} ({shown(at)})
              </option>
            ))}
          </select>
        </Field>
        {PORTS[wish.role].map(({ word, key }, i) => (
          <Field key={key} label={word}>
            <input
              type="number"
              min={1}
              max={65535}
              value={wish.ports[i]}
              onInput={(event) => set({ ports: wish.ports.map((port, j) => (i === j ? event.currentTarget.value : port)) })}
            />
          </Field>
        ))}
        {wish.role === "SWOP" ? <SwopFields wish={wish} set={set} /> : null}
        <details>
          <summary>Whom it will trust</summary>
          <ul>
            {anchors.map((each) => (
              <li key={each.fingerprint}>
                {shown(each.subject)} {each.own ? "(our own) " : ""}
                <Hash of={each.fingerprint} />
              </li>
            ))}
          </ul>
        </details>
      </div>
      {wrong ? <p class="muted form-yaml">{wrong}</p> : <Bundle wish={wish} />}
    </div>
  );
}
