// Reads a live SN with unmodified ethers v6 and checks what it is told with ethers' own code.
//
//   NODE_PATH=build/npm/node_modules node tests/ethers/check_node.js URL CERT KEY CA
//
// The interfaces are those of contracts/interfaces, compiled here with solc. Prints a line per check and, last,
// "N passed, N failed".
"use strict";
const assert = require("node:assert");
const fs = require("node:fs");
const https = require("node:https");
const path = require("node:path");
const ethers = require("ethers");
const solc = require("solc");

const [url, cert, key, ca] = process.argv.slice(2);
const agent = new https.Agent({
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: fs.readFileSync(ca),
  checkServerIdentity: () => undefined, // chain only, as swarmd itself does without --verify-host
  keepAlive: true,
});

const REGISTRY = "0x0000000000000000000000000000000000005001";
const TRAININGS = "0x0000000000000000000000000000000000005002";

/** ABI of every interface, by name, from the published .sol files. */
function compileInterfaces() {
  const folder = path.join(__dirname, "..", "..", "contracts", "interfaces");
  const sources = {};
  for (const file of fs.readdirSync(folder)) sources[file] = { content: fs.readFileSync(path.join(folder, file), "utf8") };
  const output = JSON.parse(solc.compile(JSON.stringify({
    language: "Solidity", sources, settings: { outputSelection: { "*": { "*": ["abi"] } } },
  })));
  const abis = {};
  for (const file of Object.values(output.contracts)) for (const [name, item] of Object.entries(file)) abis[name] = item.abi;
  return abis;
}

/** ethers' transport over mutual TLS: the one thing a swarm needs beyond the defaults. */
function connect() {
  const request = new ethers.FetchRequest(url);
  request.getUrlFunc = (req) => new Promise((resolve, reject) => {
    const sent = https.request(req.url, { agent, method: req.method, headers: req.headers }, (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.on("end", () => resolve({
        statusCode: response.statusCode, statusMessage: response.statusMessage, headers: {},
        body: new Uint8Array(Buffer.concat(pieces)),
      }));
    });
    sent.on("error", reject);
    sent.end(req.body ? Buffer.from(req.body) : undefined);
  });
  return new ethers.JsonRpcProvider(request);
}

const checks = [];
const check = (name, body) => checks.push({ name, body });
const abis = compileInterfaces();
const provider = connect();
const wallet = ethers.Wallet.createRandom().connect(provider);

check("network and head", async () => {
  const network = await provider.getNetwork();
  assert.strictEqual(network.chainId, 21335n);
  assert.ok((await provider.getBlockNumber()) > 0);
  assert.strictEqual((await provider.getBlock("earliest")).number, 0);
});

check("every block links to its parent and hashes to its hash", async () => {
  const head = await provider.getBlockNumber();
  for (let number = Math.max(1, head - 20); number <= head; ++number) {
    const raw = await provider.send("eth_getBlockByNumber", [ethers.toQuantity(number), false]);
    const parent = await provider.getBlock(number - 1);
    assert.strictEqual(raw.parentHash, parent.hash);
    const num = (value) => (BigInt(value) === 0n ? "0x" : ethers.toBeHex(BigInt(value)));
    const header = [raw.parentHash, raw.sha3Uncles, raw.miner, raw.stateRoot, raw.transactionsRoot, raw.receiptsRoot,
      raw.logsBloom, num(raw.difficulty), num(raw.number), num(raw.gasLimit), num(raw.gasUsed), num(raw.timestamp),
      raw.extraData, raw.mixHash, raw.nonce, num(raw.baseFeePerGas)];
    assert.strictEqual(ethers.keccak256(ethers.encodeRlp(header)), raw.hash);
    assert.ok(ethers.dataLength(raw.extraData) <= 32);
  }
});

check("transactions hash to their hashes and name their senders", async () => {
  let seen = 0;
  const head = await provider.getBlockNumber();
  for (let number = Math.max(1, head - 20); number <= head; ++number) {
    const block = await provider.getBlock(number, true);
    for (const txn of block.prefetchedTransactions) {
      const again = ethers.Transaction.from({
        type: txn.type, chainId: txn.chainId, nonce: txn.nonce, to: txn.to, value: txn.value, data: txn.data,
        gasLimit: txn.gasLimit, signature: txn.signature,
        ...(txn.type === 2 ? { maxFeePerGas: txn.maxFeePerGas, maxPriorityFeePerGas: txn.maxPriorityFeePerGas }
          : { gasPrice: txn.gasPrice }),
      });
      assert.strictEqual(again.hash, txn.hash);
      assert.strictEqual(again.from, txn.from);
      const receipt = await provider.getTransactionReceipt(txn.hash);
      assert.strictEqual(receipt.blockHash, block.hash);
      ++seen;
    }
  }
  assert.ok(seen > 0);
});

check("events decode with the published ABI", async () => {
  const registry = new ethers.Contract(REGISTRY, abis.INodeRegistry, provider);
  const events = await registry.queryFilter(registry.filters.NodeRegistered(), 0, "latest");
  assert.ok(events.length > 0);
  const first = await registry.node(events[0].args.account);
  assert.strictEqual(first.account, events[0].args.account);
  assert.strictEqual(Number(first.nodeType), Number(events[0].args.nodeType));
  assert.ok((await registry.nodeCount()) > 0n);
});

check("the default training answers", async () => {
  const trainings = new ethers.Contract(TRAININGS, abis.ITrainingRegistry, provider);
  const where = await trainings.addressOf("defaultbb.cqdb.sml.hpe");
  assert.notStrictEqual(where, ethers.ZeroAddress);
  assert.notStrictEqual(await provider.getCode(where), "0x");
  const training = new ethers.Contract(where, abis.ITraining, provider);
  assert.strictEqual(await training.name(), "defaultbb.cqdb.sml.hpe");
  const head = await training.head();
  assert.ok(head.roundNum >= 1n);
});

check("a signed transaction is taken, its receipt and revert are told", async () => {
  const registry = new ethers.Contract(REGISTRY, abis.INodeRegistry, wallet);
  const sent = await registry.register(4, ethers.id("a certificate"), ethers.ZeroAddress, "ethers", "");
  const receipt = await sent.wait();
  assert.strictEqual(receipt.status, 1);
  const logged = registry.interface.parseLog(receipt.logs[0]);
  assert.strictEqual(logged.args.account, wallet.address);
  await assert.rejects(registry.register.staticCall(9, ethers.id("x"), ethers.ZeroAddress, "ethers", ""),
    (error) => error.code === "CALL_EXCEPTION" && typeof error.reason === "string" && error.reason.length > 0);
});

check("errors have the words that ethers looks for", async () => {
  const filled = { to: REGISTRY, nonce: 0, gasLimit: 100000, chainId: 21335, type: 2, maxFeePerGas: 0, maxPriorityFeePerGas: 0 };
  await assert.rejects(provider.broadcastTransaction(await wallet.signTransaction(filled)),
    (error) => error.code === "NONCE_EXPIRED");
  await assert.rejects(provider.broadcastTransaction(await wallet.signTransaction({ ...filled, nonce: 50, chainId: 1 })), /chain/);
  await assert.rejects(provider.send("eth_mining", []), (error) => /does not exist/.test(JSON.stringify(error.error ?? error.message)));
  assert.strictEqual(await provider.getTransaction(ethers.id("nothing")), null);
});

check("logs are found by topic and refused beyond reason", async () => {
  const all = await provider.getLogs({ fromBlock: 0, toBlock: "latest", address: REGISTRY });
  const one = await provider.getLogs({ fromBlock: 0, toBlock: "latest", topics: [[all[0].topics[0]], all[0].topics[1]] });
  assert.ok(one.length > 0 && one.every((log) => log.topics[1] === all[0].topics[1]));
  await assert.rejects(provider.getLogs({ fromBlock: 5, toBlock: 1 }), /range/);
});

(async () => {
  let passed = 0, failed = 0;
  for (const { name, body } of checks) {
    try {
      await body();
      ++passed;
      console.log(`ok      ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAILED  ${name}\n${error.stack}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  provider.destroy();
  agent.destroy();
  process.exit(failed === 0 ? 0 : 1);
})();
