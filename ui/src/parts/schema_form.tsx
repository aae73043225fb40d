/// A form made from a JSON Schema: a field for each value, with the schema's own words beside it.

import { blank, kindOf, nullable, resolve, type Schema } from "../base/schema";
import { typed, type Plain } from "../base/yaml";
import { Field } from "./action";
import { Icon } from "./icons";

interface Props {
  root: Schema;
  schema: Schema;
  name: string;
  value: Plain;
  set(value: Plain): void;
}
type Group = { [key: string]: Plain };

const linesOf = (value: Plain): string[] => (Array.isArray(value) ? value.map(String) : []);
/** "NAME=value" for each pair; a name alone has no value. */
const pairText = (value: Plain): string =>
  (Array.isArray(value) ? (value as Group[]) : [])
    .flatMap((each) => Object.entries(each).map(([name, of]) => (of === null ? name : `${name}=${String(of)}`)))
    .join("\n");

function pairsOf(text: string): Plain {
  return text
    .split("\n")
    .filter((line) => line.trim())
    .map((line) => {
      const at = line.indexOf("=");
      return at < 0 ? { [line.trim()]: null } : { [line.slice(0, at).trim()]: typed(line.slice(at + 1).trim()) };
    });
}

function Text({ schema, name, value, set }: Props) {
  const example = schema.examples?.[0];
  return (
    <Field label={name} hint={schema.description}>
      <input
        type="text"
        maxLength={schema.maxLength}
        required={!nullable(schema)}
        placeholder={typeof example === "string" ? example : undefined}
        value={String(value ?? "")}
        onInput={(event) => set(event.currentTarget.value)}
      />
    </Field>
  );
}

function Lines({ schema, name, value, set, pairs }: Props & { pairs: boolean }) {
  const text = pairs ? pairText(value) : linesOf(value).join("\n");
  return (
    <Field label={name} hint={`${schema.description ?? ""}${pairs ? " One NAME=value in each line." : ""}`}>
      <textarea
        class="mono"
        rows={4}
        spellcheck={false}
        // The text as it is typed, not as it was understood, so that no half-written line is lost.
        defaultValue={text}
        onInput={(event) =>
          set(pairs ? pairsOf(event.currentTarget.value) : event.currentTarget.value.replace(/\n+$/, "").split("\n"))
        }
      />
    </Field>
  );
}

function List(props: Props) {
  const { root, schema, name, value, set } = props;
  const all = Array.isArray(value) ? value : [];
  const change = (i: number, to: Plain | undefined) =>
    set(all.flatMap((each, at) => (at !== i ? [each] : to === undefined ? [] : [to])));
  return (
    <fieldset class="form-list">
      <legend>{name}</legend>
      <p class="field-hint">{schema.description}</p>
      {all.map((each, i) => (
        <div class="form-item" key={i}>
          <Value
            root={root}
            schema={schema.items!}
            name={`${name} ${i + 1}`}
            value={each}
            set={(to) => change(i, to)}
          />
          <button type="button" class="small" onClick={() => change(i, undefined)}>
            Remove {name} {i + 1}
          </button>
        </div>
      ))}
      <button
        type="button"
        class="small"
        disabled={all.length >= (schema.maxItems ?? 100)}
        onClick={() => set([...all, blank(root, schema.items!)])}
      >
        <Icon name="plus" size={14} />
        Add to {name}
      </button>
    </fieldset>
  );
}

/** A list in which each of the fixed names stands at most once. */
function Options({ root, schema, value, set }: Props) {
  const names = Object.entries(resolve(root, schema.items!).properties ?? {});
  const all = (Array.isArray(value) ? value : []) as Group[];
  const now = (name: string) => String(all.find((each) => Object.hasOwn(each, name))?.[name] ?? "");
  const change = (name: string, to: string) => {
    const next = Object.fromEntries(names.map(([each]) => [each, each === name ? to : now(each)]));
    set(names.flatMap(([each]) => (next[each] ? [{ [each]: next[each]! }] : [])));
  };
  return (
    <>
      {names.map(([name, each]) => (
        <Text
          key={name}
          root={root}
          schema={{ ...resolve(root, each), type: ["string", "null"] }}
          name={name}
          value={now(name)}
          set={(to) => change(name, String(to))}
        />
      ))}
    </>
  );
}

function Either(props: Props) {
  const { root, schema, name, value, set } = props;
  const is = value === null ? "none" : typeof value === "string" ? "text" : "group";
  const group: Schema = { ...schema, type: "object" };
  const starts: Record<string, Plain> = { none: null, text: "", group: blank(root, group) };
  return (
    <>
      <Field label={name} hint={schema.description}>
        <select value={is} onChange={(event) => set(starts[event.currentTarget.value] ?? null)}>
          <option value="none">None</option>
          <option value="text">Path</option>
          <option value="group">{Object.keys(schema.properties ?? {}).join(" and ")}</option>
        </select>
      </Field>
      {is === "text" ? (
        <Text {...props} schema={{ ...schema, type: "string", description: undefined }} name={`${name} path`} />
      ) : null}
      {is === "group" ? <Value {...props} schema={group} /> : null}
    </>
  );
}

export function Value(given: Props) {
  const schema = resolve(given.root, given.schema);
  const props = { ...given, schema };
  const { root, name, value, set } = props;
  switch (kindOf(root, given.schema)) {
    case "choice":
      return (
        <Field label={name} hint={schema.description}>
          <select value={String(value)} onChange={(event) => set(event.currentTarget.value)}>
            {schema.enum!.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </Field>
      );
    case "text":
      return <Text {...props} />;
    case "lines":
      return <Lines {...props} pairs={false} />;
    case "pairs":
      return <Lines {...props} pairs />;
    case "options":
      return <Options {...props} />;
    case "list":
      return <List {...props} />;
    case "either":
      return <Either {...props} />;
    case "group":
      return (
        <>
          {Object.entries(schema.properties ?? {}).map(([each, of]) => (
            <Value
              key={each}
              root={root}
              schema={of}
              name={each}
              value={(value as Group | null)?.[each] ?? ""}
              set={(to) => set({ ...(value as Group), [each]: to })}
            />
          ))}
        </>
      );
  }
}
