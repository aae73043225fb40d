/// A new task: a form made from the published schema, and the YAML that it makes beside it, which may be edited or come
/// from a file instead.

import { useState } from "preact/hooks";
import task_schema from "../../../config/schema/task.schema.json";
import { blank, missing, resolve, written, type Schema } from "../base/schema";
import { yaml, type Plain } from "../base/yaml";
import { act } from "../feed/store";
import { Field, FormEnd } from "../parts/action";
import { Choice, Mark } from "../parts/basics";
import { Value } from "../parts/schema_form";

const ROOT = task_schema as unknown as Schema;
const BODIES: Record<string, Schema> = Object.fromEntries(
  ROOT.properties!.TaskType!.enum!.map((type) => [type, ROOT.$defs![type.toLowerCase()]!]),
);
const YAML_BYTES_MAX = 65_536;
type Group = { [key: string]: Plain };

interface Checked {
  of: string;
  good: boolean;
  words: string[];
}

async function check(text: string): Promise<Checked> {
  try {
    const { done, warnings } = await act({ what: "create_task", yaml: text, dry_run: true });
    return { of: text, good: true, words: [done, ...(warnings ?? [])] };
  } catch (error) {
    return { of: text, good: false, words: [(error as Error).message] };
  }
}

function Verdict({ checked, text }: { checked: Checked | null; text: string }) {
  if (!checked || checked.of !== text) return null;
  return (
    <div role="status">
      <ul class="verdict">
        {checked.words.map((words, i) => (
          <li key={i}>
            <Mark icon={checked.good ? (i ? "warn" : "ok") : "bad"} tone={checked.good ? (i ? "warn" : "ok") : "bad"}>
              {words}
            </Mark>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The fields that every task has, and those of its type. */
function Fields({
  head,
  body,
  type,
  prerequisites,
  setHead,
  setBody,
  setType,
}: {
  head: Group;
  body: Group;
  type: string;
  prerequisites: string[];
  setHead(value: Group): void;
  setBody(value: Group): void;
  setType(type: string): void;
}) {
  const field = (name: string) => (
    <Value
      root={ROOT}
      schema={ROOT.properties![name]!}
      name={name}
      value={head[name] ?? ""}
      set={(to) => setHead({ ...head, [name]: to })}
    />
  );
  return (
    <div class="form-fields">
      <Choice
        label="Type of task"
        of={Object.keys(BODIES).map((key) => ({ key, word: key }))}
        value={type}
        set={setType}
      />
      <p class="field-hint">{BODIES[type]!.description}</p>
      {field("Name")}
      {field("Author")}
      <Field label="Prereq" hint={ROOT.properties!.Prereq!.description}>
        <select
          value={String(head.Prereq)}
          onChange={(event) => setHead({ ...head, Prereq: event.currentTarget.value })}
        >
          {prerequisites.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </Field>
      {field("Outcome")}
      <Value
        key={type}
        root={ROOT}
        schema={BODIES[type]!}
        name="Body"
        value={body}
        set={(to) => setBody(to as Group)}
      />
    </div>
  );
}

export function TaskForm({ prerequisites, close }: { prerequisites: string[]; close(): void }) {
  const [type, setType] = useState("RUN_SWARM");
  const [head, setHead] = useState<Group>({ Name: "", Author: "", Prereq: "ROOTTASK", Outcome: "" });
  const [bodies, setBodies] = useState<Record<string, Group>>({});
  const [own, setOwn] = useState<string | null>(null);
  const [checked, setChecked] = useState<Checked | null>(null);
  const [finalize, setFinalize] = useState(true);
  const schema = BODIES[type]!;
  const body = bodies[type] ?? (blank(ROOT, schema) as Group);
  const { Name, Author, Prereq, Outcome } = head as Record<string, string>;
  const made = yaml({
    Name: Name!,
    TaskType: type,
    Author: Author!,
    Prereq: Prereq!,
    Outcome: Outcome!,
    Body: written(ROOT, schema, body),
  });
  const text = own ?? made;
  const lacking =
    own !== null
      ? own.trim()
        ? ""
        : "YAML"
      : (["Name", "Author", "Outcome"].find((each) => !head[each]) ?? missing(ROOT, resolve(ROOT, schema), body));
  const upload = async (event: Event) => {
    const file = (event.currentTarget as HTMLInputElement).files?.[0];
    if (file) setOwn(await file.slice(0, YAML_BYTES_MAX).text());
  };
  return (
    <form>
      <div class="dialog-body form-two">
        {own === null ? (
          <Fields
            {...{ head, body, type, prerequisites, setHead, setType }}
            setBody={(to) => setBodies({ ...bodies, [type]: to })}
          />
        ) : (
          <div class="form-fields">
            <p>The YAML is your own now, so the form does not follow it.</p>
            <button type="button" onClick={() => setOwn(null)}>
              Go back to the form
            </button>
          </div>
        )}
        <div class="form-yaml">
          <Field label="YAML" hint="What goes on the chain. Edit it, or fill in the form.">
            <textarea
              class="mono"
              rows={18}
              spellcheck={false}
              maxLength={YAML_BYTES_MAX}
              value={text}
              onInput={(event) => setOwn(event.currentTarget.value)}
            />
          </Field>
          <Field label="or from a file">
            <input type="file" accept=".yaml,.yml" onChange={(event) => void upload(event)} />
          </Field>
          <label class="check">
            <input type="checkbox" checked={finalize} onChange={(event) => setFinalize(event.currentTarget.checked)} />{" "}
            Finalize it, so that it can be executed
          </label>
          <button type="button" disabled={!!lacking} onClick={() => void check(text).then(setChecked)}>
            Check without creating it
          </button>
          <Verdict checked={checked} text={text} />
        </div>
      </div>
      <FormEnd
        word="Create"
        action={lacking ? null : { what: "create_task", yaml: text, finalize }}
        missing={`${lacking} is missing.`}
        close={close}
      />
    </form>
  );
}
