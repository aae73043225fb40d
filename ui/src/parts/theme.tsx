/// Light, dark, or as the system says; remembered in this browser.

import { signal } from "@preact/signals";
import { Icon } from "./icons";

type Theme = "auto" | "light" | "dark";
const ORDER: readonly Theme[] = ["auto", "light", "dark"];
const WORDS = { auto: "As the system", light: "Light", dark: "Dark" } as const;
const ICONS = { auto: "auto", light: "sun", dark: "moon" } as const;

/** Changes with every change of what is seen, also of the system's. */
export const theme = signal(0);
const chosen = signal<Theme>(remembered());

function remembered(): Theme {
  try {
    const kept = localStorage.getItem("theme");
    return kept === "light" || kept === "dark" ? kept : "auto";
  } catch {
    return "auto";
  }
}

function apply(value: Theme): void {
  if (value === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.dataset.theme = value;
  theme.value++;
}

/** A colour of the style sheet as a canvas needs it, in the theme of now. */
export function colour(name: string): string {
  if (colours.at !== theme.peek()) colours = { at: theme.peek(), of: new Map() };
  let found = colours.of.get(name);
  if (found) return found;
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  found = getComputedStyle(probe).color;
  probe.remove();
  colours.of.set(name, found);
  return found;
}
let colours = { at: -1, of: new Map<string, string>() };

export function startTheme(): void {
  apply(chosen.value);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme.value++);
  // The other tab's choice is this one's too.
  addEventListener("storage", (event) => {
    if (event.key !== "theme") return;
    chosen.value = remembered();
    apply(chosen.value);
  });
}

export function ThemeSwitch() {
  const next = ORDER[(ORDER.indexOf(chosen.value) + 1) % ORDER.length]!;
  const turn = () => {
    chosen.value = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Without storage it lasts as long as the page.
    }
    apply(next);
  };
  return (
    <button
      type="button"
      class="icon-button"
      title={`Colours: ${WORDS[chosen.value]}. Next: ${WORDS[next]}`}
      onClick={turn}
    >
      <Icon name={ICONS[chosen.value]} />
      <span class="only-read">
        Colours: {WORDS[chosen.value]}. Switch to {WORDS[next]}.
      </span>
    </button>
  );
}
