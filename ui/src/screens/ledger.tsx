/// Blocks, transactions, and what they did, as the SN that is asked has them.

import { useEffect, useRef, useState } from "preact/hooks";
import { bytes, clock, count, moment, shown, whole } from "../base/format";
import { href } from "../base/route";
import type { Block, Network, Transaction } from "../feed";
import { ask, useTopic } from "../feed/store";
import { useAsk } from "../feed/use_ask";
import { Empty, Facts, Hash, Loading, Mark, Name, Panel } from "../parts/basics";
import { Icon } from "../parts/icons";
import { Table, type Column } from "../parts/table";

const PAGE = 50;

function Account({ uid, network }: { uid: string; network: Network | undefined }) {
  const node = network?.nodes[uid];
  return node ? (
    <a href={href("nodes", uid)}>
      <Name of={node.name} />
    </a>
  ) : (
    <Hash of={uid} />
  );
}

function Result({ txn }: { txn: Transaction }) {
  return txn.ok ? (
    <Mark icon="ok" tone="ok">
      done
    </Mark>
  ) : (
    <Mark icon="bad" tone="bad">
      refused{txn.revert ? `: ${shown(txn.revert)}` : ""}
    </Mark>
  );
}

function Transactions({ block, network }: { block: Block; network: Network | undefined }) {
  const columns: Column<Transaction>[] = [
    {
      key: "index",
      title: "Transaction",
      cell: (txn) => <a href={href("ledger", "transaction", txn.hash)}>{txn.index + 1}</a>,
    },
    { key: "from", title: "From", cell: (txn) => <Account uid={txn.from} network={network} /> },
    { key: "call", title: "Call", cell: (txn) => <code>{txn.call ?? "–"}</code> },
    { key: "to", title: "Contract", cell: (txn) => (txn.to_name ? <Name of={txn.to_name} /> : <Hash of={txn.to} />) },
    { key: "result", title: "Result", wide: true, cell: (txn) => <Result txn={txn} /> },
    { key: "gas", title: "Gas", right: true, cell: (txn) => whole(txn.gas_used) },
  ];
  return (
    <Table
      label={`Transactions of block ${block.block_num}`}
      columns={columns}
      rows={block.transactions}
      id={(txn) => txn.hash}
      empty={<Empty icon="ledger" title="No transactions" />}
    />
  );
}

function BlockView({ number, network }: { number: number; network: Network | undefined }) {
  const asked = useAsk(`block ${number}`, { what: "block", number });
  const block = asked.data;
  const head = network?.head.block_num ?? 0;
  return (
    <Panel
      title={`Block ${whole(number)}`}
      id="block"
      tools={
        <>
          {number > 0 ? (
            <a class="button small" href={href("ledger", "block", number - 1)}>
              Before
            </a>
          ) : null}
          {number < head ? (
            <a class="button small" href={href("ledger", "block", number + 1)}>
              After
            </a>
          ) : null}
          <a class="button small" href="#/ledger">
            All blocks
          </a>
        </>
      }
    >
      {asked.trouble ? (
        <Mark icon="warn" tone="warn">
          {asked.trouble}
        </Mark>
      ) : null}
      {!block && !asked.trouble ? <Loading what="the block" /> : null}
      {block ? (
        <>
          <Facts
            rows={[
              ["Time", moment(block.time_ms)],
              ["Proposer", <Account uid={block.proposer} network={network} />],
              ["Hash", <Hash of={block.hash} />],
              ["Parent", block.block_num ? <Hash of={block.parent_hash} /> : "nothing"],
              ["State root", <Hash of={block.state_root} />],
              ["Size", bytes(block.size)],
              ["Gas used", whole(block.gas_used)],
            ]}
          />
          <div class="spaced">
            <Transactions block={block} network={network} />
          </div>
        </>
      ) : null}
    </Panel>
  );
}

function TransactionView({ hash, network }: { hash: string; network: Network | undefined }) {
  const asked = useAsk(`transaction ${hash}`, { what: "transaction", hash });
  const txn = asked.data;
  return (
    <Panel
      title="Transaction"
      id="transaction"
      tools={
        <a class="button small" href={txn ? href("ledger", "block", txn.block_num) : "#/ledger"}>
          {txn ? `Block ${whole(txn.block_num)}` : "All blocks"}
        </a>
      }
    >
      {asked.trouble ? (
        <Mark icon="warn" tone="warn">
          {asked.trouble}
        </Mark>
      ) : null}
      {!txn && !asked.trouble ? <Loading what="the transaction" /> : null}
      {txn ? (
        <>
          <Facts
            rows={[
              ["Result", <Result txn={txn} />],
              ["Call", <code>{txn.call ?? "not known"}</code>],
              ["Contract", txn.to_name ? <Name of={txn.to_name} /> : <Hash of={txn.to} />],
              ["From", <Account uid={txn.from} network={network} />],
              ["Number of its sender", whole(txn.nonce)],
              ["Place in the block", whole(txn.index + 1)],
              ["Gas used", whole(txn.gas_used)],
              ["Input", bytes(txn.input_bytes)],
              ["Hash", <Hash of={txn.hash} />],
            ]}
          />
          <h3 class="spaced">What it did</h3>
          {txn.events.length ? (
            <ol class="events all">
              {txn.events.map((event, i) => (
                <li class="event tone-info" key={i}>
                  <span class="event-mark">
                    <Icon name="ok" size={14} />
                  </span>
                  <div>
                    <p>{shown(event.text || event.kind)}</p>
                    <p class="event-where">
                      {shown(event.kind.replaceAll("_", " "))} · {shown(event.contract)}
                    </p>
                  </div>
                </li>
              ))}
            </ol>
          ) : (
            <p class="muted">It left no event.</p>
          )}
        </>
      ) : null}
    </Panel>
  );
}

/** The newest blocks, followed as they come, and older ones when they are asked for. */
function useBlocks(head: number | undefined): { blocks: Block[]; trouble: string; more(): void } {
  const [state, setState] = useState<{ blocks: Block[]; trouble: string }>({ blocks: [], trouble: "" });
  const busy = useRef(false);
  const take = async (before: number | undefined, how_many: number) => {
    if (busy.current) return;
    busy.current = true;
    try {
      const { blocks } = await ask({ what: "blocks", count: how_many, ...(before === undefined ? {} : { before }) });
      setState(({ blocks: known }) => {
        const all = new Map([...known, ...blocks].map((block) => [block.block_num, block]));
        return { blocks: [...all.values()].sort((a, b) => b.block_num - a.block_num), trouble: "" };
      });
    } catch (error) {
      setState((now) => ({ ...now, trouble: (error as Error).message }));
    }
    busy.current = false;
  };
  const newest = state.blocks[0]?.block_num;
  useEffect(() => {
    if (head === undefined || newest === head) return;
    void take(undefined, newest === undefined ? PAGE : Math.min(PAGE, Math.max(1, head - newest + 1)));
  }, [head, newest]);
  const oldest = state.blocks.at(-1)?.block_num ?? 0;
  return { ...state, more: () => void (oldest > 0 && take(oldest, PAGE)) };
}

function Blocks({ network }: { network: Network | undefined }) {
  const { blocks, trouble, more } = useBlocks(network?.head.block_num);
  const columns: Column<Block>[] = [
    {
      key: "number",
      title: "Block",
      cell: (block) => <a href={href("ledger", "block", block.block_num)}>{whole(block.block_num)}</a>,
    },
    { key: "time", title: "Time", cell: (block) => <time title={moment(block.time_ms)}>{clock(block.time_ms)}</time> },
    {
      key: "proposer",
      title: "Proposer",
      wide: true,
      cell: (block) => <Account uid={block.proposer} network={network} />,
    },
    { key: "transactions", title: "Transactions", right: true, cell: (block) => whole(block.transaction_count) },
    { key: "gas", title: "Gas", right: true, cell: (block) => whole(block.gas_used) },
    { key: "size", title: "Size", right: true, cell: (block) => bytes(block.size) },
    { key: "hash", title: "Hash", right: true, cell: (block) => <Hash of={block.hash} /> },
  ];
  return (
    <Panel title="Blocks" count={network ? count(network.head.block_num + 1, "block") : undefined}>
      {trouble ? (
        <p class="inline-trouble">
          <Mark icon="warn" tone="warn">
            {trouble}
          </Mark>
        </p>
      ) : null}
      {blocks.length ? (
        <Table
          label="Blocks, newest first"
          columns={columns}
          rows={blocks}
          id={(block) => String(block.block_num)}
          onEnd={more}
          box_from={14}
          empty={null}
        />
      ) : trouble ? null : (
        <Loading what="blocks" />
      )}
    </Panel>
  );
}

function Jump() {
  const [text, setText] = useState("");
  const wanted = text.trim().replaceAll(",", "");
  const go = (event: Event) => {
    event.preventDefault();
    if (/^\d{1,15}$/.test(wanted)) location.hash = href("ledger", "block", wanted);
    else if (/^0x[0-9a-fA-F]{64}$/.test(wanted)) location.hash = href("ledger", "transaction", wanted);
  };
  const good = /^\d{1,15}$|^0x[0-9a-fA-F]{64}$/.test(wanted);
  return (
    <form class="title-tools" onSubmit={go}>
      <label class="search">
        <Icon name="search" size={14} />
        <span class="only-read">Block number or transaction hash</span>
        <input
          type="search"
          placeholder="Block or transaction"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <button type="submit" disabled={!good}>
        Go
      </button>
    </form>
  );
}

export function Ledger({ what, which }: { what: string | undefined; which: string | undefined }) {
  const network = useTopic("network").data;
  return (
    <>
      <div class="title-line">
        <h1>Ledger</h1>
        <Jump />
      </div>
      {what === "block" && which ? (
        <BlockView number={Number(which)} network={network} />
      ) : what === "transaction" && which ? (
        <TransactionView hash={which} network={network} />
      ) : (
        <Blocks network={network} />
      )}
    </>
  );
}
