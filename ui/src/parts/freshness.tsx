/// How fresh is what is shown: said at all times, and loudly when it is old.

import { useEffect } from "preact/hooks";
import { ago, duration, shown, whole } from "../base/format";
import { heard_at, link, monotonic, now, retryNow, server, updated, useTopic, you } from "../feed/store";
import { announce } from "./announce";
import { Icon, type IconName } from "./icons";
import type { Tone } from "./words";

interface State {
  tone: Tone;
  icon: IconName;
  word: string;
}

function useFreshness(): State {
  const network = useTopic("network").data;
  const { state } = link.value;
  if (state === "shut_out") return { tone: "bad", icon: "key", word: "Logged out" };
  if (state === "waiting") return { tone: "bad", icon: "off", word: "Not connected" };
  if (state === "connecting") return { tone: "warn", icon: "wait", word: "Connecting" };
  if (!network) return { tone: "info", icon: "wait", word: "Connected" };
  if (!network.standing.connected) return { tone: "bad", icon: "silent", word: "No SN answers" };
  return { tone: "ok", icon: "live", word: "Live" };
}

export function Freshness() {
  const network = useTopic("network").data;
  const { tone, icon, word } = useFreshness();
  return (
    <div class="freshness">
      <p class={`mark tone-${tone}`}>
        <Icon name={icon} size={14} />
        <span>{word}</span>
      </p>
      <p class="muted fresh-note">
        {network ? (
          <>
            block <b>{whole(network.head.block_num)}</b>
          </>
        ) : null}
      </p>
      {you.value ? (
        <p
          class="muted fresh-note who"
          title={`${you.value.name}; this node is ${server.value?.node_name ?? ""} ${server.value?.version ?? ""}`}
        >
          {you.value.rights === "operator" ? "may give orders" : "may only read"}
        </p>
      ) : null}
    </div>
  );
}

function Countdown() {
  // `now` ticks once a second also while nothing is heard.
  void now.value;
  const left = Math.max(0, link.value.retry_at - monotonic());
  return <>{left < 1000 ? "now" : `in ${duration(Math.ceil(left / 1000) * 1000)}`}</>;
}

export function Troubles() {
  const network = useTopic("network").data;
  const { state, why } = link.value;
  const t = now.value;
  const { word } = useFreshness();
  useEffect(() => {
    if (word !== "Live" && word !== "Connected" && word !== "Connecting") announce(`${word}.`);
  }, [word]);
  if (state === "shut_out")
    return (
      <p class="banner tone-bad">
        <Icon name="key" />
        <span>
          {why} <a href="/">Reload the page</a>
        </span>
      </p>
    );
  if (state === "waiting" || (state === "connecting" && heard_at.value > 0))
    return (
      <p class="banner tone-bad">
        <Icon name="off" />
        <span>
          <strong>The page has lost its server.</strong>{" "}
          {heard_at.value ? `What you see is from ${ago(monotonic() - heard_at.value)}. ` : ""}
          {state === "waiting" ? (
            <>
              It tries again <Countdown />.
            </>
          ) : (
            "It tries again now."
          )}
        </span>
        {state === "waiting" ? (
          <button type="button" class="small" onClick={retryNow}>
            Try now
          </button>
        ) : null}
      </p>
    );
  const standing = network?.standing;
  if (updated.value)
    return (
      <p class="banner tone-info">
        <Icon name="info" />
        <span>
          The server was updated. <a href="/">Reload the page</a> to have the newest one.
        </span>
      </p>
    );
  if (!standing || standing.connected) return null;
  return (
    <p class="banner tone-bad">
      <Icon name="silent" />
      <span>
        <strong>No SN answers.</strong> {standing.trouble ? `${shown(standing.trouble)}. `.replace("..", ".") : ""}
        {standing.read_ms && t !== null
          ? `What you see was read ${ago(t - standing.read_ms)}.`
          : "Nothing was read yet."}
      </span>
    </p>
  );
}
