// Builds the page: dist/ gets index.html, and scripts, a style sheet and an icon named after their content, so that a
// browser may keep them for ever. With --tests the unit tests are bundled into build/ui-tests/ of the tree, for
// `node --test` (Debian 12's Node.js does not read TypeScript).
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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

/** What the page has to load before it shows anything: the script that it begins with, and what that imports at once. */
function firstScripts(outputs) {
  const begin = Object.keys(outputs).find((path) => path.endsWith(".js") && outputs[path].entryPoint?.endsWith("main.tsx"));
  const found = new Set([begin]);
  for (const path of found)
    for (const each of outputs[path].imports) if (each.kind === "import-statement") found.add(each.path);
  return [...found].map((path) => basename(path));
}

async function buildPage() {
  const out = join(here, "dist");
  mkdirSync(out, { recursive: true });
  const made = await build({
    ...common,
    plugins: [schemas],
    entryPoints: { app: join(here, "src/main.tsx") },
    entryNames: "[name].[hash]",
    chunkNames: "[name].[hash]",
    splitting: true,
    metafile: true,
    outdir: out,
    minify: true,
    format: "esm",
    write: false,
    legalComments: "none",
  });
  const files = new Map(made.outputFiles.map(({ path, contents }) => [basename(path), contents]));
  const icon = readFileSync(join(here, "src/icon.svg"));
  const icon_name = hashed("icon.svg", icon);
  files.set(icon_name, icon);
  const [app, ...others] = firstScripts(made.metafile.outputs);
  const style = [...files.keys()].find((name) => name.endsWith(".css"));
  const ahead = others.map((name) => `<link rel="modulepreload" href="${name}" />\n`).join("");
  const page = readFileSync(join(here, "src/index.html"), "utf8")
    .replace(/\n\s*/g, "\n")
    .replace("{icon.svg}", icon_name)
    .replace("{app.css}", style)
    .replace("{app.js}", app)
    .replace("</head>", `${ahead}</head>`);
  files.set("index.html", page);
  for (const [name, content] of files) put(out, name, content);
  for (const name of readdirSync(out)) if (!files.has(name) && !/\.\d+$/.test(name)) rmSync(join(out, name));
  const size = (name) => gzipSync(files.get(name), { level: 9 }).length;
  const sum = (names) => names.reduce((total, name) => total + size(name), 0);
  const first = ["index.html", icon_name, style, app, ...others];
  const total = sum(first);
  const later = sum([...files.keys()].filter((name) => !first.includes(name)));
  console.log(`ui/dist: ${files.size} files; compressed, ${total} bytes at first and ${later} when they are needed`);
  if (total <= COMPRESSED_BYTES_MAX) return;
  console.error(`the page loads ${total} bytes at first, over ${COMPRESSED_BYTES_MAX}: what can come later?`);
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
