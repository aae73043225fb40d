/// Where things stand in the topology: three fixed tiers, SNs above, below them hosts with the cards of their SLs. Only
/// arithmetic; the same members always stand in the same places.

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}
export interface HostLayout extends Box {
  host: string;
  cards: (Box & { id: string })[];
}
export interface Layout {
  width: number;
  height: number;
  sns: (Box & { id: string })[];
  hosts: HostLayout[];
  size: CardSize;
}
export type CardSize = "large" | "small";

const CARD = { large: { width: 172, height: 92 }, small: { width: 116, height: 46 } } as const;
const SN = { width: 190, narrow: 148, height: 50 };
const GAP = 10;
const PAD = 12;
const HOST_HEAD = 30;
const TIER_GAP = 56;
export const LARGE_MAX = 24;

/** "10.0.0.1:30305" and "[fd00::1]:30305" without their ports. */
export function hostOf(endpoint: string): string {
  const bracketed = /^\[(.*)\](?::\d+)?$/.exec(endpoint);
  if (bracketed) return bracketed[1]!;
  const colons = endpoint.split(":").length - 1;
  return colons === 1 ? endpoint.slice(0, endpoint.indexOf(":")) : endpoint;
}

function snRow(ids: readonly string[], width: number): { boxes: Layout["sns"]; bottom: number } {
  const wide = width < 460 ? Math.min(SN.narrow, (width - GAP) / 2) : SN.width;
  const in_row = Math.max(1, Math.min(ids.length, Math.floor((width + GAP) / (wide + GAP))));
  const boxes = ids.map((id, i) => {
    const row = Math.floor(i / in_row);
    const of_row = Math.min(in_row, ids.length - row * in_row);
    const left = (width - (of_row * (wide + GAP) - GAP)) / 2;
    return { id, x: left + (i % in_row) * (wide + GAP), y: row * (SN.height + GAP), width: wide, height: SN.height };
  });
  return { boxes, bottom: ids.length ? Math.ceil(ids.length / in_row) * (SN.height + GAP) - GAP : 0 };
}

function hostBox(host: string, ids: readonly string[], columns: number, card: Box): HostLayout {
  const cards = ids.map((id, i) => ({
    id,
    x: PAD + (i % columns) * (card.width + GAP),
    y: HOST_HEAD + Math.floor(i / columns) * (card.height + GAP),
    width: card.width,
    height: card.height,
  }));
  const used = Math.max(1, Math.min(columns, ids.length));
  const rows = Math.ceil(ids.length / columns);
  return {
    host,
    cards,
    x: 0,
    y: 0,
    width: 2 * PAD + used * (card.width + GAP) - GAP,
    height: ids.length ? HOST_HEAD + rows * (card.height + GAP) - GAP + PAD : HOST_HEAD + PAD,
  };
}

/** Boxes side by side in rows that are centred, from `top` on. */
function flow(boxes: HostLayout[], width: number, top: number): number {
  let row: HostLayout[] = [];
  let used = 0;
  let y = top;
  const place = () => {
    let x = (width - used + GAP) / 2;
    for (const box of row) {
      box.x = x;
      box.y = y;
      for (const card of box.cards) {
        card.x += x;
        card.y += y;
      }
      x += box.width + GAP;
    }
    if (row.length) y += Math.max(...row.map((box) => box.height)) + GAP;
    row = [];
    used = 0;
  };
  for (const box of boxes) {
    if (row.length && used + box.width > width) place();
    row.push(box);
    used += box.width + GAP;
  }
  place();
  return y - GAP;
}

/** `hosts`: ids of cards by host. `width`: what there is; nothing is wider. */
export function layoutOf(sns: readonly string[], hosts: readonly [string, readonly string[]][], width: number): Layout {
  const cards = hosts.reduce((sum, [, ids]) => sum + ids.length, 0);
  const size: CardSize = cards > LARGE_MAX ? "small" : "large";
  const least = CARD[size].width;
  const fit = Math.max(1, Math.floor((width - 2 * PAD + GAP) / (least + GAP)));
  // On a narrow page cards share the width there is.
  const card_width = fit === 1 ? Math.max(least, width - 2 * PAD) : least;
  const card: Box = { x: 0, y: 0, width: Math.min(card_width, 320), height: CARD[size].height };
  const { boxes, bottom } = snRow(sns, width);
  const top = boxes.length ? bottom + TIER_GAP : 0;
  let best: { laid: HostLayout[]; height: number } = { laid: [], height: hosts.length ? Infinity : bottom };
  // As many cards beside each other in a host as make the whole lowest; of equals the fewest.
  for (let columns = 1; columns <= Math.min(fit, Math.max(1, cards)) && hosts.length; columns++) {
    const laid = hosts.map(([host, ids]) => hostBox(host, ids, columns, card));
    const height = flow(laid, width, top);
    if (height < best.height) best = { laid, height };
  }
  return { width, height: Math.max(best.height, 1), sns: boxes, hosts: best.laid, size };
}
