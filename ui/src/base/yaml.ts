/// Task definitions as YAML, written so that every reader of YAML takes them for what they are.

export type Plain = null | boolean | number | string | Plain[] | { [key: string]: Plain };

const SAFE = /^[A-Za-z/<][A-Za-z0-9_./<>-]*$/;
const MEANS_SOMETHING = /^(y|yes|n|no|on|off|true|false|null|nan|inf)$/i;

export function scalar(value: null | boolean | number | string): string {
  if (value === null) return "~";
  if (typeof value !== "string") return String(value);
  return SAFE.test(value) && !MEANS_SOMETHING.test(value) ? value : JSON.stringify(value);
}

const simple = (value: Plain): value is null | boolean | number | string => value === null || typeof value !== "object";

function entries(value: { [key: string]: Plain }, indent: string): string[] {
  return Object.entries(value).flatMap(([key, each]) => {
    const name = `${indent}${scalar(key)} :`;
    if (simple(each)) return [`${name} ${scalar(each)}`];
    if (Array.isArray(each) ? !each.length : !Object.keys(each).length)
      return [`${name} ${Array.isArray(each) ? "[]" : "{}"}`];
    return [name, ...lines(each, Array.isArray(each) ? indent : `${indent}    `)];
  });
}

function lines(value: Plain, indent: string): string[] {
  if (simple(value)) return [`${indent}${scalar(value)}`];
  if (!Array.isArray(value)) return entries(value, indent);
  return value.flatMap((each) => {
    if (simple(each)) return [`${indent}- ${scalar(each)}`];
    const inner = lines(each, `${indent}  `);
    return [`${indent}- ${inner[0]!.trimStart()}`, ...inner.slice(1)];
  });
}

export function yaml(value: { [key: string]: Plain }): string {
  return `${entries(value, "").join("\n")}\n`;
}

/** "25" is a number and "true" a boolean, as YAML itself would have it; "" is nothing. */
export function typed(text: string): null | boolean | number | string {
  if (text === "") return null;
  if (text === "true" || text === "True") return true;
  if (text === "false" || text === "False") return false;
  return /^-?(0|[1-9]\d{0,14})(\.\d+)?$/.test(text) ? Number(text) : text;
}
