/// Hand-drawn icons on a grid of 16, so that nothing depends on fonts. They are decoration: the word stands beside them.

const PATHS = {
  overview: "M2.5 8.5 8 3l5.5 5.5M4 7.5v5.5h3v-3.5h2V13h3V7.5",
  trainings: "M2.5 13.5h11M3 11l3-4 2.5 2.5L13 4M10 4h3v3",
  nodes: "M8 1.8 13.4 4.9v6.2L8 14.2 2.6 11.1V4.9zM8 8V4.6M8 8l3 1.7M8 8l-3 1.7",
  tasks: "M3.5 2.5h9v11h-9zM6 6h4.5M6 8.5h4.5M6 11h2.5",
  taskrunners: "M8 2.5a5.5 5.5 0 1 0 5.5 5.5M10.5 2.2l3 .3-.3 3M6.8 5.8 10 8l-3.2 2.2z",
  contracts: "M4 2.5h6l2.5 2.5v8.5H4zM10 2.5V5h2.5M6 8h4M6 10.5h4",
  runs: "M2.5 3v10.5H13.5M5 11l2.5-4L10 9l3-5",
  ledger: "M2.5 5 8 2l5.5 3v6L8 14l-5.5-3zM2.5 5 8 8l5.5-3M8 8v6",
  ok: "M3 8.5 6.5 12 13 4.5",
  live: "M8 8m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0",
  wait: "M4.5 2h7M4.5 14h7M5.5 2v2.5L8 8l2.5-3.5V2M5.5 14v-2.5L8 8l2.5 3.5V14",
  warn: "M8 2.2 14.4 13.4H1.6zM8 6.5v3.2M8 11.6v.1",
  bad: "M5.2 1.8h5.6l3.4 3.4v5.6l-3.4 3.4H5.2l-3.4-3.4V5.2zM5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8",
  info: "M8 8m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M8 7.3v3.7M8 5v.1",
  off: "M8 8m-6 0a6 6 0 1 0 12 0a6 6 0 1 0-12 0M4 12l8-8",
  silent: "M2 5.5a9 9 0 0 1 12 0M4.5 8.3a5.3 5.3 0 0 1 7 0M8 11.6v.1M2.5 13.5l11-11",
  finished: "M4 14V2.5M4 3h8l-1.6 2.7L12 8.5H4",
  left: "M9.5 2.5h-6v11h6M7 8h7M11.2 5.2 14 8l-2.8 2.8",
  odd: "M2.5 8h4M9.5 8h4M8 2.5v11M5 5.5 2.5 8 5 10.5M11 5.5 13.5 8 11 10.5",
  leader: "M2 12.5h12M2.5 4.5l2.7 3L8 2.8l2.8 4.7 2.7-3-1 6h-9z",
  collect: "M8 2v7M5 6.3 8 9.3l3-3M2.5 10v3.5h11V10",
  merge: "M4 2.5v3L8 9v4.5M12 2.5v3L8 9",
  verify: "M8 1.8 13 3.6v4.1c0 3.2-2.2 5.3-5 6.5-2.8-1.2-5-3.3-5-6.5V3.6zM5.7 7.9l1.7 1.7 3-3.3",
  key: "M10.3 5.7m-3.2 0a3.2 3.2 0 1 0 6.4 0a3.2 3.2 0 1 0-6.4 0M8 8l-5.5 5.5M4.5 11.5l1.8 1.8",
  sun: "M8 8m-2.6 0a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0-5.2 0M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M12.6 3.4l-1.1 1.1M4.5 11.5l-1.1 1.1",
  moon: "M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z",
  auto: "M8 8m-5.5 0a5.5 5.5 0 1 0 11 0a5.5 5.5 0 1 0-11 0M8 2.5v11M8 5l4.5 1M8 8h5.5M8 11l4.4-1",
  table: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11M6.5 3v10",
  chart: "M2.5 2.5v11h11M5 10.5l2.6-3.6 2.2 1.8 3.2-4.6",
  up: "M8 13V3.5M4 7l4-4 4 4",
  down: "M8 3v9.5M4 9l4 4 4-4",
  right: "M6 3.5 10.5 8 6 12.5",
  close: "M4 4l8 8M12 4l-8 8",
  reset: "M3 8a5 5 0 1 1 1.6 3.7M3 12.5V9.3h3.2",
  search: "M7 7m-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0M10.4 10.4l3.4 3.4",
  plus: "M8 3v10M3 8h10",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  download: "M8 2.5v7M5 7l3 3 3-3M2.5 13h11",
  play: "M4.5 2.8 12.5 8l-8 5.2z",
  vote: "M2.5 9.5v4h11v-4M5 9.5 8 2.5l3.5 4.2L9 9.5M4 11.5h8",
  org: "M2.5 13.5h11M3.5 13.5V5L8 2.5 12.5 5v8.5M6 7h.1M10 7h.1M6 10h.1M10 10h.1",
} as const;

export type IconName = keyof typeof PATHS;
export const iconPath = (name: IconName): string => PATHS[name];

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      class={`icon icon-${name}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
