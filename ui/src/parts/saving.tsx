/// Files for the browser's own folder of downloads.

import { useState } from "preact/hooks";
import { Icon, type IconName } from "./icons";
import { note } from "./action";

/** Gets what lies at an address of this page, or what a text says. */
export function saveFrom(address: string, name: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
}

export function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  saveFrom(address, name);
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

interface SaveProps {
  word: string;
  busy: string;
  about?: string;
  icon?: IconName;
  go(): Promise<void>;
}

/** A button that asks the server for something first, such as a file, and says why there is none. */
export function SaveButton({ word, busy, about, icon, go }: SaveProps) {
  const [waits, setWaits] = useState(false);
  const click = async () => {
    setWaits(true);
    await go().catch((error: unknown) => note("bad", (error as Error).message));
    setWaits(false);
  };
  return (
    <button
      type="button"
      class="small"
      disabled={waits}
      aria-label={about ? `${word}: ${about}` : undefined}
      onClick={() => void click()}
    >
      <Icon name={icon ?? "download"} size={14} />
      {waits ? busy : word}
    </button>
  );
}
