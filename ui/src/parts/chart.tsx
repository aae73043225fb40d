/// Curves over rounds: drag zooms, a crosshair tells all values, and the keyboard does both. Charts that share a view
/// move together.

import { signal, useSignalEffect, type Signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { nearest, SWARM, type Band, type Line, type Range } from "../base/curves";
import { figure, shown, whole } from "../base/format";
import { announce } from "./announce";
import { Choice, Empty } from "./basics";
import { CurveTable } from "./curve_table";
import { Icon } from "./icons";
import { Plot, type Picture } from "./plot";
import { colour, theme } from "./theme";

export interface View {
  range: Signal<Range | null>;
  at: Signal<number | null>;
  /** Lines that are picked out; empty: all count alike. */
  picked: Signal<ReadonlySet<string>>;
}
export const makeView = (): View => ({ range: signal(null), at: signal(null), picked: signal(new Set()) });

interface Shown {
  title: string;
  x: readonly number[];
  lines: readonly Line[];
  x_name: string;
  view: View;
  band?: Band;
}

const COLOURS = 8;
/// More lines than colours are a grey band, as nobody can tell them apart; those that are picked are drawn.
const banded = (lines: readonly Line[]): boolean => lines.length - 1 > COLOURS;
const colourOf = (index: number): number => ((index - 1) % COLOURS) + 1;

function pictureOf({ x, lines, view, band }: Shown): Picture {
  const picked = view.picked.peek();
  const as_band = band !== undefined && banded(lines);
  const strokes = lines.flatMap((line, i) => {
    const swarm = line.id === SWARM;
    const grey = !swarm && picked.size > 0 && !picked.has(line.id);
    if (as_band && !swarm && !picked.has(line.id)) return [];
    const name = swarm ? "--curve-swarm" : grey ? "--curve-quiet" : `--curve-${colourOf(i)}`;
    const width = swarm ? 2.5 : picked.has(line.id) ? 2 : 1.3;
    return [
      { values: line.values, colour: colour(name), width, dash: i > COLOURS && !grey, rank: swarm ? 2 : grey ? 0 : 1 },
    ];
  });
  return {
    x,
    strokes: strokes.sort((a, b) => a.rank - b.rank),
    band: as_band ? { ...band, colour: colour("--curve-band") } : null,
    range: view.range.peek() ?? whole_of(x),
    ink: colour("--text-3"),
    grid: colour("--grid"),
    ground: colour("--surface"),
  };
}

function whole_of(x: readonly number[]): Range {
  const low = x[0] ?? 0;
  return { low, high: Math.max(x[x.length - 1] ?? 1, low + 1) };
}

/** Zooms to what lies between; all of it when that is next to nothing, or beyond. */
function zoomTo(view: View, x: readonly number[], low: number, high: number): void {
  const all = whole_of(x);
  const next = { low: Math.max(low, all.low), high: Math.min(high, all.high) };
  if (next.low <= all.low && next.high >= all.high) view.range.value = null;
  else if (next.high - next.low >= 1) view.range.value = next;
}

function Canvas(props: Shown) {
  const box = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  const plot = useRef<Plot | null>(null);
  const drag = useRef<number | null>(null);
  const frame = useRef(0);
  const latest = useRef(props);
  latest.current = props;
  const { view } = props;

  const redraw = () => {
    frame.current ||= requestAnimationFrame(() => {
      frame.current = 0;
      plot.current?.draw(pictureOf(latest.current));
      plot.current?.mark(view.at.peek(), null);
    });
  };
  useEffect(() => {
    const made = new Plot(base.current!, over.current!);
    plot.current = made;
    const fit = new ResizeObserver(([entry]) => {
      made.resize(Math.max(160, Math.floor(entry!.contentRect.width)));
      made.draw(pictureOf(latest.current));
    });
    fit.observe(box.current!);
    return () => {
      fit.disconnect();
      cancelAnimationFrame(frame.current);
    };
  }, []);
  useEffect(redraw, [props.x, props.lines]);
  useSignalEffect(() => {
    void [view.range.value, view.picked.value, theme.value];
    redraw();
  });
  useSignalEffect(() => plot.current?.mark(view.at.value, null));

  const px = (event: PointerEvent) => event.clientX - box.current!.getBoundingClientRect().left;
  const move = (event: PointerEvent) => {
    view.at.value = plot.current!.at(px(event));
    if (drag.current !== null) plot.current!.mark(view.at.value, [drag.current, px(event)]);
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    drag.current = px(event);
    box.current!.setPointerCapture(event.pointerId);
  };
  const up = (event: PointerEvent) => {
    const from = drag.current;
    drag.current = null;
    if (from === null) return;
    const to = px(event);
    plot.current!.mark(view.at.value, null);
    if (Math.abs(to - from) > 5)
      zoomTo(view, props.x, plot.current!.at(Math.min(from, to)), plot.current!.at(Math.max(from, to)));
  };
  return (
    <div
      ref={box}
      class="chart-canvas"
      role="application"
      tabIndex={0}
      aria-label={`${props.title}: ${props.lines.length} curves over ${props.x.length} rounds. Left and right move the crosshair, plus and minus zoom, 0 shows all.`}
      onKeyDown={(event) => byKey(event, latest.current)}
      onPointerMove={move}
      onPointerDown={down}
      onPointerUp={up}
      onPointerLeave={() => drag.current === null && (view.at.value = null)}
      onDblClick={() => (view.range.value = null)}
    >
      <canvas ref={base} />
      <canvas ref={over} class="chart-over" />
    </div>
  );
}

function byKey(event: KeyboardEvent, { x, lines, view, x_name }: Shown): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { low, high } = view.range.peek() ?? whole_of(x);
  const middle = view.at.peek() ?? (low + high) / 2;
  const zoom = (factor: number) =>
    zoomTo(view, x, middle - ((high - low) * factor) / 2, middle + ((high - low) * factor) / 2);
  const move = (steps: number) => {
    const from = view.at.peek() === null ? (steps > 0 ? -1 : x.length) : nearest(x, view.at.peek()!);
    const index = Math.min(Math.max(from + steps, 0), x.length - 1);
    view.at.value = x[index] ?? null;
    announce(
      `${x_name} ${x[index]}: ${lines
        .slice(0, 4)
        .map((line) => `${line.name} ${figure(line.values[index])}`)
        .join(", ")}`,
    );
  };
  const far = event.shiftKey ? Math.max(1, Math.round(x.length / 20)) : 1;
  const keys: Record<string, () => void> = {
    ArrowLeft: () => move(-far),
    ArrowRight: () => move(far),
    Home: () => move(-x.length),
    End: () => move(x.length),
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    "0": () => (view.range.value = null),
    Escape: () => (view.at.value = null),
  };
  const does = Object.hasOwn(keys, event.key) ? keys[event.key] : undefined;
  if (!does) return;
  event.preventDefault();
  does();
}

function Legend({ x, lines, view, x_name, band }: Shown) {
  const at = view.at.value;
  const picked = view.picked.value;
  const index = at === null ? x.length - 1 : nearest(x, at);
  const toggle = (id: string) => {
    const next = new Set(picked);
    if (!next.delete(id)) next.add(id);
    view.picked.value = next;
  };
  const grey = banded(lines) && band !== undefined;
  return (
    <div class="legend">
      <span class="legend-at">{`${at === null ? "Last: " : ""}${x_name.toLowerCase()} ${whole(x[index])}`}</span>
      {grey ? (
        <span class="legend-band">Grey: from the lowest to the highest of all nodes. Pick some to see them.</span>
      ) : null}
      <ul tabIndex={lines.length > 30 ? 0 : undefined} aria-label="Curves">
        {lines.map((line, i) => {
          if (!line.name) return null;
          const key =
            line.id === SWARM ? "swarm" : (grey || picked.size) && !picked.has(line.id) ? "quiet" : colourOf(i);
          const words = (
            <>
              <span class={`key key-${key} ${i > COLOURS && key !== "quiet" ? "key-dash" : ""}`} />
              <bdi>{shown(line.name)}</bdi> <b>{figure(line.values[index])}</b>
            </>
          );
          return (
            <li key={line.id}>
              {line.id === SWARM ? (
                <span class="legend-swarm">{words}</span>
              ) : (
                <button type="button" aria-pressed={picked.has(line.id)} onClick={() => toggle(line.id)}>
                  {words}
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

export function Chart({ empty, ...shown_ }: Omit<Shown, "x_name"> & { empty: string; x_name?: string }) {
  const props: Shown = { x_name: "Round", ...shown_ };
  const { title, view, lines } = props;
  const [as, setAs] = useState<"chart" | "table">("chart");
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <div class="panel-tools">
          {view.range.value ? (
            <button type="button" class="small" onClick={() => (view.range.value = null)}>
              <Icon name="reset" size={14} />
              Whole range
            </button>
          ) : null}
          {view.picked.value.size ? (
            <button type="button" class="small" onClick={() => (view.picked.value = new Set())}>
              All nodes
            </button>
          ) : null}
          <Choice
            label={`${title} as`}
            of={[
              { key: "chart", word: "Chart", icon: "chart" },
              { key: "table", word: "Table", icon: "table" },
            ]}
            value={as}
            set={setAs}
          />
        </div>
      </figcaption>
      {!lines.length ? (
        <Empty icon="chart" title={empty} />
      ) : as === "table" ? (
        <CurveTable {...props} />
      ) : (
        <>
          <Canvas {...props} />
          <Legend {...props} />
        </>
      )}
    </figure>
  );
}
