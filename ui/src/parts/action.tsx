/// Orders: each one says what will happen before it does, and what came of it afterwards, in the contract's words.

import type { ComponentChildren } from "preact";
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Action } from "../feed";
import { act, link, you } from "../feed/store";
import { announce } from "./announce";
import { Icon, type IconName } from "./icons";

interface Note {
  id: number;
  tone: "ok" | "bad";
  text: string;
}
const notes = signal<Note[]>([]);
let next_note = 1;
const NOTES_MAX = 4;

/** Refusals stay until they are closed; what went well goes by itself. */
export function note(tone: Note["tone"], text: string): void {
  const id = next_note++;
  notes.value = [...notes.value.slice(1 - NOTES_MAX), { id, tone, text }];
  announce(text);
  if (tone === "ok") setTimeout(() => dismiss(id), 8000);
}
const dismiss = (id: number) => (notes.value = notes.value.filter((each) => each.id !== id));

export function Notes() {
  return (
    <div class="notes">
      {notes.value.map(({ id, tone, text }) => (
        <div key={id} class={`note tone-${tone}`}>
          <Icon name={tone === "ok" ? "ok" : "bad"} />
          <p>{text}</p>
          <button type="button" class="icon-button" onClick={() => dismiss(id)}>
            <Icon name="close" size={14} />
            <span class="only-read">Close</span>
          </button>
        </div>
      ))}
    </div>
  );
}

/** Why this session cannot give orders now; "" when it can. */
export function whyNoOrders(): string {
  if (link.value.state !== "live") return "The page is not connected.";
  return you.value?.rights === "operator" ? "" : "This session may only read.";
}

/** Carries `action` out and says what came of it; false when it was refused. */
export async function order(action: Action): Promise<string | null> {
  try {
    const { done } = await act(action);
    note("ok", done || "Done.");
    return done;
  } catch (error) {
    note("bad", error instanceof Error ? error.message : String(error));
    return null;
  }
}

export function Dialog(props: { title: string; close(): void; wide?: boolean; children: ComponentChildren }) {
  const at = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = at.current!;
    dialog.showModal();
    // The first field, or what carries the order out; not the button that closes.
    dialog.querySelector<HTMLElement>(".dialog-body :is(input, select, textarea), footer button.primary")?.focus();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={at}
      class={props.wide ? "dialog wide" : "dialog"}
      aria-label={props.title}
      onCancel={(event) => (event.preventDefault(), props.close())}
    >
      <header>
        <h2>{props.title}</h2>
        <button type="button" class="icon-button" onClick={props.close}>
          <Icon name="close" />
          <span class="only-read">Close</span>
        </button>
      </header>
      {props.children}
    </dialog>
  );
}

interface OrderProps {
  word: string;
  icon: IconName;
  title: string;
  /** What it will do, and whether it can be undone. */
  children: ComponentChildren;
  /** Of several, each is given once the one before it is carried out. */
  action(): Action | Action[];
  danger?: boolean;
  small?: boolean;
  disabled?: string;
  /** For readers: whom the button is about, where its word alone does not say. */
  about?: string;
  done?(): void;
}

/** A button that asks before it acts. */
export function Order(props: OrderProps) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const why = whyNoOrders() || props.disabled || "";
  const go = async () => {
    setBusy(true);
    let done: string | null = "";
    for (const each of [props.action()].flat()) if ((done = await order(each)) === null) break;
    setBusy(false);
    if (done === null) return;
    setOpen(false);
    props.done?.();
  };
  return (
    <>
      <button
        type="button"
        class={`${props.small ? "small" : ""} ${props.danger ? "danger" : ""}`}
        aria-disabled={why ? "true" : undefined}
        title={why || undefined}
        aria-label={props.about ? `${props.word}: ${props.about}` : undefined}
        onClick={() => !why && setOpen(true)}
      >
        <Icon name={props.icon} size={14} />
        {props.word}
      </button>
      {open ? (
        <Dialog title={props.title} close={() => setOpen(false)}>
          <div class="dialog-body">{props.children}</div>
          <footer>
            <button type="button" onClick={() => setOpen(false)}>
              Cancel
            </button>
            <button
              type="button"
              class={props.danger ? "primary danger" : "primary"}
              disabled={busy}
              onClick={() => void go()}
            >
              {busy ? "Waiting for the chain …" : props.word}
            </button>
          </footer>
        </Dialog>
      ) : null}
    </>
  );
}

interface FormProps {
  word: string;
  icon: IconName;
  title: string;
  wide?: boolean;
  small?: boolean;
  primary?: boolean;
  disabled?: string;
  about?: string;
  children(close: () => void): ComponentChildren;
}

/** A dialog with fields of its own, for orders. */
export function OrderForm(props: FormProps) {
  return <OpenForm {...props} disabled={whyNoOrders() || props.disabled} />;
}

/** The same for what readers may do as well. */
export function OpenForm(props: FormProps) {
  const [open, setOpen] = useState(false);
  const why = props.disabled || "";
  return (
    <>
      <button
        type="button"
        class={`${props.small ? "small" : ""} ${props.primary ? "primary" : ""}`}
        aria-disabled={why ? "true" : undefined}
        title={why || undefined}
        aria-label={props.about ? `${props.word}: ${props.about}` : undefined}
        onClick={() => !why && setOpen(true)}
      >
        <Icon name={props.icon} size={14} />
        {props.word}
      </button>
      {open ? (
        <Dialog title={props.title} wide={props.wide} close={() => setOpen(false)}>
          {props.children(() => setOpen(false))}
        </Dialog>
      ) : null}
    </>
  );
}

/** The buttons of such a dialog; `action` null: what is missing is said in `missing`. */
export function FormEnd({
  word,
  action,
  missing,
  close,
}: {
  word: string;
  action: Action | null;
  missing: string;
  close(): void;
}) {
  const [busy, setBusy] = useState(false);
  const go = async () => {
    if (!action) return;
    setBusy(true);
    const done = await order(action);
    setBusy(false);
    if (done !== null) close();
  };
  return (
    <footer>
      <span class="muted form-missing">{action ? "" : missing}</span>
      <button type="button" onClick={close}>
        Cancel
      </button>
      <button
        type="submit"
        class="primary"
        disabled={busy || !action}
        onClick={(event) => (event.preventDefault(), void go())}
      >
        {busy ? "Waiting for the chain …" : word}
      </button>
    </footer>
  );
}

export function Field(props: { label: string; hint?: string; children: ComponentChildren }) {
  return (
    <label class="field">
      <span class="field-label">{props.label}</span>
      {props.children}
      {props.hint ? <span class="field-hint">{props.hint}</span> : null}
    </label>
  );
}
