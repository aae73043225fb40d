// Reads a live SN with unmodified ethers v6 and checks what it is told with ethers' own code.
//
//   NODE_PATH=build/npm/node_modules node tests/ethers/check_node.js URL CERT KEY CA
//
// URL is https://..., and the same address is used for wss://. The interfaces are those of contracts/interfaces,
// compiled here with solc. Prints a line per check and, last, "N passed, N failed".
"use strict";
const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const https = require("node:https");
const path = require("node:path");
const ethers = require("ethers");
const solc = require("solc");
const { WebSocket } = require("ws");

const [url, cert, key, ca] = process.argv.slice(2);
const tls = {
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: fs.readFileSync(ca),
  checkServerIdentity: () => undefined, // chain only, as swarmd itself does without --verify-host
};
const agent = new https.Agent({ ...tls, keepAlive: true });
const PATIENCE = 90_000; // milliseconds; bounds a hang

const REGISTRY = "0x0000000000000000000000000000000000005001";
const TRAININGS = "0x0000000000000000000000000000000000005002";
const TASKS = "0x0000000000000000000000000000000000005003";
const TASKRUNNERS = "0x0000000000000000000000000000000000005004";
const ORGANISATIONS = "0x0000000000000000000000000000000000005005";
const SWCI = 4; // kind of node, see INodeRegistry.sol

/** ABI of every interface, by name, from the published .sol files. */
function compileInterfaces() {
  const folder = path.join(__dirname, "..", "..", "contracts", "interfaces");
  const sources = {};
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".sol"))) sources[file] = { content: fs.readFileSync(path.join(folder, file), "utf8") };
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

/** ethers over a WebSocket: subscriptions in place of filters. */
function connectSocket() {
  const socket = new WebSocket(url.replace(/^https/, "wss"), tls);
  const failed = new Promise((_, reject) => socket.on("error", reject));
  failed.catch(() => undefined); // told to those who wait for it
  return { provider: new ethers.WebSocketProvider(socket), failed };
}

/** Resolves with what `start(resolve)` passes to resolve. */
function told(what, start, ...others) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE} ms for ${what}`)), PATIENCE);
  });
  const happened = new Promise((resolve, reject) => Promise.resolve(start(resolve)).catch(reject));
  return Promise.race([happened, late, ...others]).finally(() => clearTimeout(timer));
}

/** Resolves once `provider` has the answer to the next request of this method. */
function answered(provider, method) {
  return told(`the answer to ${method}`, (resolve) => {
    const send = provider.send;
    provider.send = (name, params) => {
      const result = send.call(provider, name, params);
      if (name === method) {
        provider.send = send;
        resolve(result); // and rejects when the request is refused
      }
      return result;
    };
  });
}

const sha256 = (raw) => crypto.createHash("sha256").update(raw).digest();
const certificate = new crypto.X509Certificate(tls.cert);
const identity = ethers.hexlify(sha256(certificate.raw));

/** Fixed-width big-endian bytes. */
function bigEndian(number, size) {
  return ethers.getBytes(ethers.toBeHex(number, size));
}

/** Signs with the certificate's key: RSA-PSS or ECDSA, by its kind. */
function signed(message) {
  const key = crypto.createPrivateKey(tls.key);
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = crypto.constants;
  return crypto.sign("sha256", message, key.asymmetricKeyType === "rsa" ? { key, padding, saltLength } : key);
}

/** The arguments with which an account registers as an SWCI: what it claims, and the proof by the certificate. */
async function registration(through, account, name) {
  const organisations = new ethers.Contract(ORGANISATIONS, abis.IOrganisationRegistry, through);
  const organisation = await organisations.anchorOwner(sha256(new crypto.X509Certificate(tls.ca).raw));
  const expiry = Date.parse(certificate.validTo) / 1000, sequence = 1;
  const genesis = (await through.getBlock(0)).hash;
  const message = Buffer.concat([
    Buffer.from("swarmd registers a node, version 1\n"), bigEndian((await through.getNetwork()).chainId, 8),
    ethers.getBytes(genesis), ethers.getBytes(account.address), bigEndian(organisation, 2), bigEndian(SWCI, 1),
    ethers.getBytes(identity), bigEndian(expiry, 8), bigEndian(sequence, 8),
  ]);
  const sized = (part) => Buffer.concat([bigEndian(part.length, 2), part]);
  const proof = Buffer.concat([Buffer.from([1, 1]), sized(certificate.raw), sized(signed(message))]);
  return [SWCI, organisation, identity, expiry, sequence, ethers.ZeroAddress, name, "", proof];
}

/** Resolves once the account is a member. */
async function admitted(through, account) {
  const registry = new ethers.Contract(REGISTRY, abis.INodeRegistry, through);
  await told(`vouches for ${account.address}`, async (resolve) => {
    while (!(await registry.node(account.address)).active) await new Promise((next) => setTimeout(next, 20));
    resolve();
  });
}

/** Registers the account and resolves with the receipt once it is a member. */
async function join(through, account, name, options = {}) {
  const registry = new ethers.Contract(REGISTRY, abis.INodeRegistry, account);
  const sent = await registry.register(...await registration(through, account, name), options);
  const receipt = await told(`the receipt of ${sent.hash}`, async (resolve) => resolve(await sent.wait()));
  assert.strictEqual(receipt.status, 1);
  await admitted(through, account);
  return receipt;
}

/** Registers a new account and resolves with its wallet and receipt once it is a member. */
async function register(through, name) {
  const account = ethers.Wallet.createRandom().connect(through);
  return { account, receipt: await join(through, account, name) };
}

/** What a Merkle proof shows at a key, null when it shows that there is nothing; throws when it shows neither. */
function shownBy(proof, root, key) {
  const nibbles = ethers.keccak256(key).slice(2);
  if (proof.length === 0) {
    assert.strictEqual(root, ethers.keccak256(ethers.encodeRlp("0x")));
    return null;
  }
  let wanted = root, at = 0, next = 0;
  for (;;) {
    // A reference to a node is its hash or, when it is short, the node itself.
    let node = wanted;
    if (typeof wanted === "string") {
      assert.strictEqual(ethers.keccak256(proof[next]), wanted);
      node = ethers.decodeRlp(proof[next++]);
    }
    if (node.length === 17) {
      if (at === nibbles.length) return finish(node[16]);
      wanted = node[parseInt(nibbles[at++], 16)];
    } else {
      const odd = parseInt(node[0][2], 16) % 2, leaf = parseInt(node[0][2], 16) >= 2;
      const path = node[0].slice(odd ? 3 : 4);
      if (!nibbles.startsWith(path, at) || (leaf && at + path.length !== nibbles.length)) return finish("0x");
      at += path.length;
      if (leaf) return finish(node[1]);
      wanted = node[1];
    }
    if (wanted === "0x") return finish("0x");
  }
  function finish(value) {
    assert.strictEqual(next, proof.length, "a proof has no nodes beyond its path");
    return value === "0x" ? null : value;
  }
}

/** Checks all that an answer to eth_getProof says against a state root; returns the values of its slots. */
function checkProof(answer, stateRoot) {
  const num = (value) => (BigInt(value) === 0n ? "0x" : ethers.toBeHex(BigInt(value)));
  const account = shownBy(answer.accountProof, stateRoot, answer.address);
  const claimed = [num(answer.nonce), num(answer.balance), answer.storageHash, answer.codeHash];
  if (account === null) {
    assert.deepStrictEqual(claimed, ["0x", "0x", ethers.keccak256(ethers.encodeRlp("0x")), ethers.keccak256("0x")]);
  } else assert.deepStrictEqual(ethers.decodeRlp(account), claimed);
  return answer.storageProof.map((slot) => {
    const stored = shownBy(slot.proof, answer.storageHash, ethers.toBeHex(BigInt(slot.key), 32));
    const value = stored === null ? 0n : BigInt(ethers.decodeRlp(stored));
    assert.strictEqual(BigInt(slot.value), value);
    return value;
  });
}

const checks = [];
const check = (name, body) => checks.push({ name, body });
// What an error's text, or what ethers makes of it, must be. Where no error has a readable text, that there is an error.
const inWords = (expected) => (process.env.SWARM_SCRAMBLED ? undefined : expected);
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
  const receipt = await join(provider, wallet, "ethers");
  const logged = registry.interface.parseLog(receipt.logs[0]);
  assert.strictEqual(logged.args.account, wallet.address);
  await assert.rejects(registry.register.staticCall(9, 1, identity, 0, 1, ethers.ZeroAddress, "ethers", "", "0x"),
    inWords((error) => error.code === "CALL_EXCEPTION" && typeof error.reason === "string" && error.reason.length > 0));
});

check("a SWCI writes a task, assigns it and resets the taskrunner", async () => {
  const swci = ethers.Wallet.createRandom().connect(provider);
  let nonce = 0; // counted here, as ethers remembers the chain's answer for a while
  const send = async (contract, name, ...args) => (await contract[name](...args, { nonce: nonce++ })).wait();
  const tasks = new ethers.Contract(TASKS, abis.ITaskRegistry, swci);
  const runners = new ethers.Contract(TASKRUNNERS, abis.ITaskrunnerRegistry, swci);
  const runner = new ethers.Contract(await runners.addressOf("defaulttaskbb.taskdb.sml.hpe"), abis.ITaskrunner, swci);
  await join(provider, swci, "swci", { nonce: nonce++ });
  await send(tasks, "create", 2, "by-ethers", "ethers", "ROOTTASK", "image");
  await send(tasks, "appendBody", "by-ethers", 1, ["BuildType : INLINE", "BuildSteps : ~"]);
  assert.deepStrictEqual([...await tasks.body("by-ethers", 0, 10)], ["---", "BuildType : INLINE", "BuildSteps : ~"]);
  assert.deepStrictEqual([...await tasks.names(0, 10)], ["ROOTTASK", "by-ethers"]);
  await assert.rejects(runner.assign.staticCall("by-ethers", 1, false), inWords(/is not finalized/));
  await send(tasks, "finalize", "by-ethers");
  const assigned = await send(runner, "assign", "by-ethers", 1, false);
  const told = assigned.logs.map((log) => runner.interface.parseLog(log).name);
  assert.deepStrictEqual(told, ["TaskAssigned", "StateChanged"]);
  const { head, swop } = await runner.headFor(swci.address);
  assert.deepStrictEqual([head.task, head.state, head.quorum, head.assignedBy], ["by-ethers", 1n, 1n, swci.address]);
  assert.strictEqual(swop.account, ethers.ZeroAddress);
  await assert.rejects(runner.enrol.staticCall(head.run), inWords(/is not registered as an active SWOP/));
  await send(runner, "reset");
  assert.strictEqual((await runner.head()).state, 0n);
});

check("errors have the words that ethers looks for", async () => {
  const filled = { to: REGISTRY, nonce: 0, gasLimit: 100000, chainId: 21335, type: 2, maxFeePerGas: 0, maxPriorityFeePerGas: 0 };
  await assert.rejects(provider.broadcastTransaction(await wallet.signTransaction(filled)),
    inWords((error) => error.code === "NONCE_EXPIRED"));
  await assert.rejects(provider.broadcastTransaction(await wallet.signTransaction({ ...filled, nonce: 50, chainId: 1 })),
    inWords(/chain/));
  await assert.rejects(provider.send("eth_mining", []),
    inWords((error) => /does not exist/.test(JSON.stringify(error.error ?? error.message))));
  assert.strictEqual(await provider.getTransaction(ethers.id("nothing")), null);
});

check("logs are found by topic and refused beyond reason", async () => {
  const all = await provider.getLogs({ fromBlock: 0, toBlock: "latest", address: REGISTRY });
  const one = await provider.getLogs({ fromBlock: 0, toBlock: "latest", topics: [[all[0].topics[0]], all[0].topics[1]] });
  assert.ok(one.length > 0 && one.every((log) => log.topics[1] === all[0].topics[1]));
  await assert.rejects(provider.getLogs({ fromBlock: 5, toBlock: 1 }), inWords(/range/));
});

check("accounts and slots are proven against the header's state root", async () => {
  const { account, receipt } = await register(provider, "proven to ethers");
  const block = await provider.send("eth_getBlockByNumber", ["latest", false]);
  // Slot 0 is the number of nodes, slot 1 the array of accounts, slot 2 the records by account.
  const first = ethers.keccak256(ethers.toBeHex(1, 32));
  const record = ethers.keccak256(ethers.AbiCoder.defaultAbiCoder().encode(["address", "uint256"], [account.address, 2]));
  const shown = ethers.toBeHex(BigInt(record) + 1n, 32); // the identity
  const proof = await provider.send("eth_getProof", [REGISTRY, ["0x0", first, record, shown, "0x77"], block.number]);
  const values = checkProof(proof, block.stateRoot);
  const registry = new ethers.Contract(REGISTRY, abis.INodeRegistry, provider);
  assert.strictEqual(values[0], await registry.nodeCount({ blockTag: block.number }));
  assert.strictEqual(values[1], BigInt((await registry.nodes(0, 1))[0].account));
  assert.notStrictEqual(values[2], 0n);
  assert.strictEqual(values[3], BigInt(identity));
  assert.strictEqual(values[4], 0n);
  assert.strictEqual(await provider.getStorage(REGISTRY, shown, block.number), identity);

  const own = await provider.send("eth_getProof", [account.address, [], { blockHash: block.hash }]);
  checkProof(own, block.stateRoot);
  assert.throws(() => checkProof({ ...own, nonce: "0x2" }, block.stateRoot));
  const before = await provider.send("eth_getBlockByNumber", [ethers.toQuantity(receipt.blockNumber - 1), false]);
  const absent = await provider.send("eth_getProof", [account.address, ["0x0"], before.number]);
  assert.deepStrictEqual(checkProof(absent, before.stateRoot), [0n]);
  assert.throws(() => checkProof(own, before.stateRoot));
});

check("queryFilter finds the events of one account, in any part of the chain", async () => {
  const { account, receipt } = await register(provider, "queried");
  const registry = new ethers.Contract(REGISTRY, abis.INodeRegistry, provider);
  const mine = registry.filters.NodeRegistered(account.address);
  const found = await registry.queryFilter(mine);
  assert.strictEqual(found.length, 1);
  assert.strictEqual(found[0].transactionHash, receipt.hash);
  assert.strictEqual(found[0].args.name, "queried");
  assert.deepStrictEqual(await registry.queryFilter(mine, 0, receipt.blockNumber - 1), []);
  const ofBlock = await provider.getLogs({ blockHash: receipt.blockHash, address: REGISTRY, topics: await mine.getTopicFilter() });
  assert.deepStrictEqual(ofBlock.map((log) => log.transactionHash), [receipt.hash]);
  const swci = await registry.queryFilter(registry.filters.NodeRegistered(null, 4), 0);
  assert.ok(swci.length > 0 && swci.every((event) => event.args.nodeType === 4n));
});

check("block receipts are those of its transactions", async () => {
  const { receipt } = await register(provider, "receipts");
  const answer = await provider.send("eth_getBlockReceipts", [ethers.toQuantity(receipt.blockNumber)]);
  const block = await provider.getBlock(receipt.blockNumber);
  assert.deepStrictEqual(answer.map((one) => one.transactionHash), block.transactions);
  for (const one of answer)
    assert.deepStrictEqual(one, await provider.send("eth_getTransactionReceipt", [one.transactionHash]));
});

check("filters tell of events and blocks once", async () => {
  const ids = { logs: await provider.send("eth_newFilter", [{ address: REGISTRY }]), blocks: await provider.send("eth_newBlockFilter", []) };
  const { receipt } = await register(provider, "filtered");
  const logs = await provider.send("eth_getFilterChanges", [ids.logs]);
  const blocks = await provider.send("eth_getFilterChanges", [ids.blocks]);
  assert.strictEqual(logs.filter((log) => log.transactionHash === receipt.hash).length, 1);
  assert.strictEqual(blocks.filter((hash) => hash === receipt.blockHash).length, 1);
  const more = await provider.send("eth_getFilterChanges", [ids.logs]);
  assert.ok(more.every((log) => log.transactionHash !== receipt.hash));
  for (const id of Object.values(ids)) {
    assert.strictEqual(await provider.send("eth_uninstallFilter", [id]), true);
    assert.strictEqual(await provider.send("eth_uninstallFilter", [id]), false);
    await assert.rejects(provider.send("eth_getFilterChanges", [id]), inWords(/filter not found/));
  }
});

check("contract.on hears of events through filters", async () => {
  provider.pollingInterval = 50;
  const registry = new ethers.Contract(REGISTRY, abis.INodeRegistry, provider);
  let installed;
  const [account, name] = await told("an event over HTTPS", async (resolve) => {
    installed = answered(provider, "eth_newFilter");
    await registry.on("NodeRegistered", (...args) => resolve([args[0], args[7]]));
    await installed;
    await register(provider, "heard over HTTPS");
    await register(provider, "heard later"); // ethers asks for changes when it sees a new block
  });
  await registry.removeAllListeners();
  assert.match(await installed, /^0x[0-9a-f]+$/);
  assert.ok(ethers.isAddress(account));
  assert.strictEqual(name, "heard over HTTPS");
});

check("a WebSocket tells of blocks and events without being asked", async () => {
  const { provider: socket, failed } = connectSocket();
  try {
    const registry = new ethers.Contract(REGISTRY, abis.INodeRegistry, socket);
    const heads = [];
    const event = await told("an event over WSS", async (resolve) => {
      const subscribed = [answered(socket, "eth_subscribe")];
      await socket.on("block", (number) => heads.push(number));
      await subscribed[0];
      subscribed.push(answered(socket, "eth_subscribe"));
      // The last block of the check before may come here too: who subscribes begins where the SN's reader is.
      await registry.on("NodeRegistered", (...args) => args[7] === "heard over WSS" && resolve(args));
      await subscribed[1];
      const { account, receipt } = await register(socket, "heard over WSS");
      assert.strictEqual((await socket.getTransactionReceipt(receipt.hash)).from, account.address);
    }, failed);
    assert.strictEqual(event[7], "heard over WSS");
    const log = event[event.length - 1].log;
    // Past ethers' memory of answers, which may still say what it asked before there was a block.
    const receipt = await socket.send("eth_getTransactionReceipt", [log.transactionHash]);
    assert.strictEqual(Number(receipt.logs[0].logIndex), log.index);
    await told("the head over WSS", async (resolve) => {
      const look = () => (heads.includes(log.blockNumber) ? resolve() : setTimeout(look, 10));
      look();
    }, failed);
    assert.strictEqual(new Set(heads).size, heads.length);
  } finally {
    await socket.destroy();
  }
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
