// Builds the page: dist/ gets index.html, and a script, a style sheet and an icon named after their content, so that a
// browser may keep them for ever. With --tests the unit tests are bundled into build/ui-tests/ of the tree, for
// `node --test` (Debian 12's Node.js does not read TypeScript).
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const COMPRESSED_BYTES_MAX = 60_000;
const common = {
  bundle: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  target: "es2022",
  logLevel: "warning",
  charset: "utf8",
};

// Of a JSON Schema, what a form needs: the rest is the server's to check.
const schemas = {
  name: "schemas",
  setup(made) {
    made.onLoad({ filter: /\.schema\.json$/ }, ({ path }) => {
      const used = (key, value) =>
        ["title", "allOf", "$schema", "pattern", "propertyNames", "minLength"].includes(key) ? undefined : value;
      return { contents: JSON.stringify(JSON.parse(readFileSync(path, "utf8"), used)), loader: "json" };
    });
  },
};

function hashed(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  return name.replace(".", `.${hash}.`);
}

/** Builds of two presets may run at a time, so a file is there as a whole or not at all. */
function put(out, name, content) {
  const path = join(out, name);
  writeFileSync(`${path}.${process.pid}`, content);
  renameSync(`${path}.${process.pid}`, path);
}

async function buildPage() {
  const out = join(here, "dist");
  mkdirSync(out, { recursive: true });
  const made = await build({
    ...common,
    plugins: [schemas],
    entryPoints: { app: join(here, "src/main.tsx") },
    outdir: out,
    minify: true,
    format: "esm",
    write: false,
    legalComments: "none",
  });
  const files = new Map();
  for (const file of made.outputFiles) files.set(file.path.endsWith(".css") ? "app.css" : "app.js", file.contents);
  const icon = readFileSync(join(here, "src/icon.svg"));
  files.set("icon.svg", icon);
  let page = readFileSync(join(here, "src/index.html"), "utf8").replace(/\n\s*/g, "\n");
  let total = 0;
  const made_now = new Set(["index.html"]);
  for (const [name, content] of files) {
    const file = hashed(name, content);
    page = page.replaceAll(`{${name}}`, file);
    put(out, file, content);
    made_now.add(file);
    total += gzipSync(content, { level: 9 }).length;
  }
  put(out, "index.html", page);
  for (const name of readdirSync(out)) if (!made_now.has(name) && !/\.\d+$/.test(name)) rmSync(join(out, name));
  total += gzipSync(page, { level: 9 }).length;
  console.log(`ui/dist: ${files.size + 1} files, ${total} bytes compressed`);
  if (total <= COMPRESSED_BYTES_MAX) return;
  console.error(`the page has ${total} bytes compressed, over ${COMPRESSED_BYTES_MAX}: what can it do without?`);
  process.exitCode = 1;
}

async function buildTests() {
  const out = join(here, "../build/ui-tests");
  rmSync(out, { recursive: true, force: true });
  const tests = readdirSync(join(here, "test")).filter((name) => name.endsWith(".test.ts"));
  await build({
    ...common,
    entryPoints: tests.map((name) => join(here, "test", name)),
    outdir: out,
    outExtension: { ".js": ".mjs" },
    format: "esm",
    platform: "node",
  });
}

await (process.argv.includes("--tests") ? buildTests() : buildPage());
