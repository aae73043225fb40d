/// Draws curves on a canvas, as often as a screen can show them. It knows nothing of the page but where to draw.

import { decimate, nearest, ticks, type Band, type Range } from "../base/curves";
import { axis, whole } from "../base/format";

export interface Stroke {
  values: Float64Array;
  colour: string;
  width: number;
  dash: boolean;
}
export interface Picture {
  x: readonly number[];
  /** In the order in which they are drawn: the last one lies on top. */
  strokes: readonly Stroke[];
  /** Where all lines lie that are not drawn. */
  band: (Band & { colour: string }) | null;
  range: Range;
  ink: string;
  grid: string;
  ground: string;
}

export const HEIGHT = 250;
const TOP = 10;
const RIGHT = 14;
const BOTTOM = 26;
const FONT = "11.5px Inter, system-ui, sans-serif";
/// So few points are drawn as dots too.
const DOTS_MAX = 60;

export class Plot {
  private readonly pen: CanvasRenderingContext2D;
  private readonly over: CanvasRenderingContext2D;
  private width = 0;
  private left = 50;
  private y: Range = { low: 0, high: 1 };
  private picture: Picture | null = null;

  constructor(canvas: HTMLCanvasElement, overlay: HTMLCanvasElement) {
    this.pen = canvas.getContext("2d")!;
    this.over = overlay.getContext("2d")!;
  }

  resize(width: number): void {
    this.width = width;
    const dense = devicePixelRatio || 1;
    for (const pen of [this.pen, this.over]) {
      pen.canvas.width = Math.round(width * dense);
      pen.canvas.height = Math.round(HEIGHT * dense);
      pen.setTransform(dense, 0, 0, dense, 0, 0);
    }
  }

  /** The round at a place of the canvas. */
  at(px: number): number {
    const { low, high } = this.picture?.range ?? { low: 0, high: 1 };
    const share = (px - this.left) / (this.width - this.left - RIGHT);
    return low + Math.min(Math.max(share, 0), 1) * (high - low);
  }

  draw(picture: Picture): void {
    this.picture = picture;
    const { pen } = this;
    pen.clearRect(0, 0, this.width, HEIGHT);
    const { x, range } = picture;
    const buckets = Math.max(60, Math.round((this.width - this.left) / 2));
    const paths = picture.strokes.map((stroke) => decimate(x, stroke.values, range, buckets));
    const band =
      picture.band && [picture.band.low, picture.band.high].map((values) => decimate(x, values, range, buckets));
    this.y = extent(band ? [...paths, ...band] : paths, range);
    this.axes(picture);
    pen.save();
    pen.beginPath();
    pen.rect(this.left, TOP - 4, this.width - this.left - RIGHT + 3, HEIGHT - TOP - BOTTOM + 8);
    pen.clip();
    pen.lineJoin = pen.lineCap = "round";
    if (band) this.area(band[0]!, band[1]!, picture.band!.colour);
    const dots = paths.length <= 12 && paths.every((path) => path.length / 2 <= DOTS_MAX);
    paths.forEach((path, i) => this.line(path, picture.strokes[i]!, dots));
    pen.restore();
  }

  /** The crosshair at a round, and the part that is being picked; null: none. */
  mark(at: number | null, picked: [number, number] | null): void {
    const { over, picture } = this;
    over.clearRect(0, 0, this.width, HEIGHT);
    if (!picture) return;
    if (picked) {
      over.globalAlpha = 0.14;
      over.fillStyle = picture.ink;
      over.fillRect(Math.min(...picked), TOP, Math.abs(picked[1] - picked[0]), HEIGHT - TOP - BOTTOM);
      over.globalAlpha = 1;
    }
    const index = at === null ? -1 : nearest(picture.x, at);
    const round = picture.x[index];
    if (round === undefined || round < picture.range.low || round > picture.range.high) return;
    const px = Math.round(this.px(round)) + 0.5;
    over.strokeStyle = picture.ink;
    over.setLineDash([3, 3]);
    over.lineWidth = 1;
    over.beginPath();
    over.moveTo(px, TOP);
    over.lineTo(px, HEIGHT - BOTTOM);
    over.stroke();
    over.setLineDash([]);
    if (picture.strokes.length > 40) return;
    for (const { values, colour } of picture.strokes) {
      const value = values[index]!;
      if (Number.isNaN(value)) continue;
      over.beginPath();
      over.arc(px, this.py(value), 3.5, 0, 7);
      over.fillStyle = colour;
      over.strokeStyle = picture.ground;
      over.lineWidth = 1.5;
      over.fill();
      over.stroke();
    }
  }

  private px(round: number): number {
    const { low, high } = this.picture!.range;
    return this.left + ((round - low) / (high - low)) * (this.width - this.left - RIGHT);
  }

  private py(value: number): number {
    return TOP + (1 - (value - this.y.low) / (this.y.high - this.y.low)) * (HEIGHT - TOP - BOTTOM);
  }

  private axes(picture: Picture): void {
    const { pen, width } = this;
    pen.font = FONT;
    const rows = ticks(this.y, 5);
    const labels = axis(rows);
    this.left = Math.ceil(Math.max(24, ...labels.map((label) => pen.measureText(label).width))) + 12;
    pen.fillStyle = picture.ink;
    pen.strokeStyle = picture.grid;
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.beginPath();
    rows.forEach((value, i) => {
      const py = Math.round(this.py(value)) + 0.5;
      pen.moveTo(this.left, py);
      pen.lineTo(width - RIGHT, py);
      pen.fillText(labels[i]!, this.left - 8, py);
    });
    pen.stroke();
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    for (const round of ticks(picture.range, (width - this.left) / 64, 1)) {
      const label = whole(round);
      pen.fillText(label, Math.min(this.px(round), width - pen.measureText(label).width / 2 - 1), HEIGHT - 6);
    }
  }

  private area(low: number[], high: number[], colour: string): void {
    const { pen } = this;
    pen.fillStyle = colour;
    pen.beginPath();
    for (let i = 0; i < high.length; i += 2) pen.lineTo(this.px(high[i]!), this.py(high[i + 1]!));
    for (let i = low.length - 2; i >= 0; i -= 2) pen.lineTo(this.px(low[i]!), this.py(low[i + 1]!));
    pen.fill();
  }

  private line(path: number[], { colour, width, dash }: Stroke, dots: boolean): void {
    const { pen } = this;
    pen.strokeStyle = pen.fillStyle = colour;
    pen.lineWidth = width;
    pen.setLineDash(dash ? [5, 4] : []);
    pen.beginPath();
    for (let i = 0; i < path.length; i += 2) pen.lineTo(this.px(path[i]!), this.py(path[i + 1]!));
    pen.stroke();
    if (!dots && path.length > 2) return;
    pen.beginPath();
    for (let i = 0; i < path.length; i += 2) {
      const px = this.px(path[i]!);
      const py = this.py(path[i + 1]!);
      pen.moveTo(px, py);
      pen.arc(px, py, width + 0.6, 0, 7);
    }
    pen.fill();
  }
}

/** Of all that is seen, with some room above and below. */
function extent(paths: readonly number[][], range: Range): Range {
  let low = Infinity;
  let high = -Infinity;
  for (const path of paths)
    for (let i = 0; i < path.length; i += 2) {
      if (path[i]! < range.low || path[i]! > range.high) continue;
      low = Math.min(low, path[i + 1]!);
      high = Math.max(high, path[i + 1]!);
    }
  if (low > high) return { low: 0, high: 1 };
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 0.5;
  return { low: low - room, high: high + room };
}
