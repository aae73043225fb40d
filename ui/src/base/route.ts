/// Addresses within the page: "#/training/NAME/2?tab=rounds". Names may hold any character.

export interface Route {
  screen: string;
  /** What follows the screen, decoded. */
  args: string[];
  query: Record<string, string>;
}

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [screen = "", ...args] = path.split("/").map(decode);
  return { screen: screen || "overview", args, query: Object.fromEntries(new URLSearchParams(search)) };
}

export function href(screen: string, ...args: (string | number)[]): string {
  return `#/${[screen, ...args].map((part) => encodeURIComponent(String(part))).join("/")}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
