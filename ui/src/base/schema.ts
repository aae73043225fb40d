/// What forms need of a JSON Schema: of which kind each value is, and what an empty form starts with.

import type { Plain } from "./yaml";

export interface Schema {
  type?: string | string[];
  description?: string;
  enum?: string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  maxLength?: number;
  examples?: Plain[];
  $ref?: string;
  $defs?: Record<string, Schema>;
}

/** `schema` with what it refers to; its own words win. */
export function resolve(root: Schema, schema: Schema): Schema {
  if (!schema.$ref) return schema;
  return { ...root.$defs?.[schema.$ref.replace("#/$defs/", "")], ...schema, $ref: undefined };
}

export type Kind = "choice" | "text" | "lines" | "pairs" | "options" | "list" | "group" | "either";

/** `pairs`: a list of mappings of free names; `options`: a list of mappings, each with one of the fixed names. */
export function kindOf(root: Schema, given: Schema): Kind {
  const schema = resolve(root, given);
  const types = [schema.type ?? "string"].flat();
  if (schema.enum) return "choice";
  if (types.includes("object")) return types.includes("string") ? "either" : "group";
  if (!types.includes("array")) return "text";
  const items = resolve(root, schema.items ?? {});
  if (items.type !== "object") return "lines";
  if (typeof items.additionalProperties === "object") return "pairs";
  return items.required ? "list" : "options";
}

export const nullable = (schema: Schema): boolean => [schema.type ?? ""].flat().includes("null");

/** What a form starts with. */
export function blank(root: Schema, given: Schema): Plain {
  const schema = resolve(root, given);
  switch (kindOf(root, given)) {
    case "choice":
      return schema.enum![0]!;
    case "text":
      return "";
    case "lines":
      return [];
    case "pairs":
    case "options":
      return [];
    case "list":
      return schema.minItems && !nullable(schema) ? [blank(root, schema.items!)] : [];
    case "either":
      return null;
    case "group":
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, each]) => [name, blank(root, each)]),
      );
  }
}

/** As it is written: an empty text or list is nothing where nothing is allowed. */
export function written(root: Schema, given: Schema, value: Plain): Plain {
  const schema = resolve(root, given);
  if (nullable(schema) && (value === "" || (Array.isArray(value) && !value.length))) return null;
  if (Array.isArray(value)) return value.map((each) => written(root, schema.items ?? {}, each));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, written(root, schema.properties?.[name] ?? {}, each)]),
  );
}

/** The first field that has to be filled in and is not; "" when there is none. */
export function missing(root: Schema, given: Schema, value: Plain, path = ""): string {
  const schema = resolve(root, given);
  if (value === "" && !nullable(schema)) return path;
  if (Array.isArray(value)) {
    if (!value.length && schema.minItems && !nullable(schema)) return path;
    for (const each of value) {
      const found = missing(root, schema.items ?? {}, each, path);
      if (found && kindOf(root, schema.items ?? {}) === "group") return found;
    }
    return "";
  }
  if (value === null || typeof value !== "object") return "";
  for (const [name, each] of Object.entries(schema.properties ?? {})) {
    const found = missing(root, each, value[name] ?? "", name);
    if (found && (schema.required ?? []).includes(name)) return found;
  }
  return "";
}
