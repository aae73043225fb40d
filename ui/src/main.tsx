/// The page: navigation, how fresh everything is, and the screen that the address names.

import "./style/base.css";
import "./style/parts.css";
import "./style/controls.css";
import "./style/screens.css";
import "./style/tables.css";
import "./style/charts.css";

import { effect, signal } from "@preact/signals";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { href, parseRoute } from "./base/route";
import { start } from "./feed/store";
import { Notes } from "./parts/action";
import { announce, LiveRegion } from "./parts/announce";
import { Empty } from "./parts/basics";
import { Freshness, Troubles } from "./parts/freshness";
import { Icon, type IconName } from "./parts/icons";
import { More } from "./parts/more";
import { startTheme, ThemeSwitch } from "./parts/theme";
import { Contracts } from "./screens/contracts";
import { Nodes } from "./screens/nodes";
import { Overview } from "./screens/overview";
import { Taskrunners } from "./screens/taskrunners";
import { Tasks } from "./screens/tasks";
import { TrainingScreen } from "./screens/training";

const route = signal(parseRoute(location.hash));

const SCREENS: { key: string; word: string; icon: IconName }[] = [
  { key: "overview", word: "Overview", icon: "overview" },
  { key: "training", word: "Training", icon: "trainings" },
  { key: "runs", word: "Runs", icon: "runs" },
  { key: "contracts", word: "Contracts", icon: "contracts" },
  { key: "tasks", word: "Tasks", icon: "tasks" },
  { key: "taskrunners", word: "Taskrunners", icon: "taskrunners" },
  { key: "nodes", word: "Nodes", icon: "nodes" },
  { key: "hosts", word: "Hosts", icon: "org" },
  { key: "logs", word: "Logs", icon: "table" },
  { key: "ledger", word: "Ledger", icon: "ledger" },
];

function Screen() {
  const { screen, args, query } = route.value;
  switch (screen) {
    case "overview":
      return <Overview />;
    case "training":
      return <TrainingScreen name={args[0]} generation={args[1] ? Number(args[1]) : undefined} />;
    case "runs":
      return <More what="the runs">{({ Runs }) => <Runs />}</More>;
    case "contracts":
      return <Contracts />;
    case "tasks":
      return <Tasks selected={args[0]} swop={query.swop} />;
    case "taskrunners":
      return <Taskrunners />;
    case "ledger":
      return <More what="the ledger">{({ Ledger }) => <Ledger what={args[0]} which={args[1]} />}</More>;
    case "hosts":
      return <More what="the hosts">{({ Hosts }) => <Hosts />}</More>;
    case "logs":
      return <More what="the logs">{({ Logs }) => <Logs />}</More>;
    case "nodes":
      return <Nodes selected={args[0]} />;
    default:
      return (
        <>
          <h1>Not here</h1>
          <Empty icon="search" title="There is no such screen">
            <a href={href("overview")}>Go to the overview</a>
          </Empty>
        </>
      );
  }
}

function Navigation() {
  const { screen } = route.value;
  const bar = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a narrow page the bar scrolls sideways; where one is must be seen.
    const at = bar.current!;
    const here = at.querySelector<HTMLElement>("[aria-current]");
    if (here) at.scrollLeft = here.offsetLeft - (at.clientWidth - here.offsetWidth) / 2;
  }, [screen]);
  return (
    <nav ref={bar} aria-label="Screens" class="nav">
      <ul>
        {SCREENS.map(({ key, word, icon }) => (
          <li key={key}>
            <a href={href(key)} aria-current={screen === key ? "page" : undefined}>
              <Icon name={icon} />
              {word}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Brand() {
  return (
    <a class="brand" href={href("overview")} aria-label="swarmd, to the overview">
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true">
        <path class="brand-cell" d="M16 1.5 28.6 8.75v14.5L16 30.5 3.4 23.25V8.75z" />
        <path class="brand-line" d="M16 16V9.2M16 16l5.9 3.4M16 16l-5.9 3.4" />
        <path
          class="brand-dot"
          d="M16 12.9a3.1 3.1 0 1 0 0 6.2a3.1 3.1 0 1 0 0-6.2M16 6.1a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 1 0 0-4.6M22.6 17.5a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 1 0 0-4.6M9.4 17.5a2.3 2.3 0 1 0 0 4.6a2.3 2.3 0 1 0 0-4.6"
        />
      </svg>
      <span>swarmd</span>
    </a>
  );
}

function Page() {
  const main = useRef<HTMLElement>(null);
  const { screen } = route.value;
  const first = useRef(true);
  useEffect(() => {
    const word = SCREENS.find((each) => each.key === screen)?.word ?? "swarmd";
    document.title = `${word} · swarmd`;
    if (first.current) {
      first.current = false;
      return;
    }
    announce(word);
    scrollTo(0, 0);
  }, [screen]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        To the content
      </a>
      <div class="shell">
        <header class="side">
          <Brand />
          <Navigation />
          <div class="side-end">
            <Freshness />
            <ThemeSwitch />
          </div>
        </header>
        <main ref={main} id="main" tabIndex={-1}>
          <Troubles />
          <Screen />
        </main>
      </div>
      <Notes />
      <LiveRegion />
    </>
  );
}

startTheme();
addEventListener("hashchange", () => (route.value = parseRoute(location.hash)));
effect(() => {
  document.documentElement.dataset.screen = route.value.screen;
});
start();
render(<Page />, document.getElementById("page")!);
