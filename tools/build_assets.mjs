// Builds everything under app/static/build: styles, modules, icons and fonts, each named by its content, and a manifest.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const SOURCE = path.join(ROOT, "app/static/src");
const TARGET = path.join(ROOT, "app/static/build");
const MANIFEST = "manifest.json";
const PACKAGES = path.join(ROOT, "node_modules");

await mkdir(TARGET, { recursive: true });
/** Everything is made here first; it moves over when all of it is there. */
const STAGE = await mkdtemp(path.join(TARGET, ".next-"));

/** How long the files of earlier builds stay: pages that are open, and a desk that runs, still ask for them. */
const KEPT_MS = 24 * 3_600_000;

const FONTS = ["inter-latin-opsz-normal.woff2", "inter-latin-ext-opsz-normal.woff2"];

const SHIPPED = ["@fontsource-variable/inter", "daisyui", "htmx.org", "lucide-static", "socket.io-client", "tailwindcss", "uplot"];

/** Puts `content` into the stage under its logical name with a hash in it; returns that file name. */
async function place(logical, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const { name, ext } = path.parse(logical);
  const file = `${name}-${hash}${ext}`;
  await writeFile(path.join(STAGE, file), content);
  return file;
}

async function fonts() {
  const placed = {};
  for (const font of FONTS) {
    placed[font] = await place(font, await readFile(path.join(PACKAGES, "@fontsource-variable/inter/files", font)));
  }
  return placed;
}

async function styles(fontFiles) {
  const out = path.join(STAGE, "styles.tmp");
  const cli = path.join(PACKAGES, "@tailwindcss/cli/dist/index.mjs");
  await promisify(execFile)(process.execPath, [cli, "-i", path.join(SOURCE, "css/desk.css"), "-o", out, "--minify"], { cwd: ROOT });
  let css = await readFile(out, "utf8");
  await rm(out);
  for (const [logical, file] of Object.entries(fontFiles)) css = css.replaceAll(logical, file);
  return { "desk.css": await place("desk.css", css) };
}

/** One SVG with a <symbol> per icon listed in icons.json: our name -> lucide's name. */
async function sprite() {
  const wanted = JSON.parse(await readFile(path.join(SOURCE, "icons.json"), "utf8"));
  const symbols = [];
  for (const [name, origin] of Object.entries(wanted)) {
    const svg = await readFile(path.join(PACKAGES, "lucide-static/icons", `${origin}.svg`), "utf8");
    const shapes = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>")).replace(/\s+/g, " ").trim();
    symbols.push(`<symbol id="${name}" viewBox="0 0 24 24">${shapes}</symbol>`);
  }
  const note = "<!-- Icons: Lucide, ISC License, (c) Lucide Contributors; parts from Feather, MIT License, (c) Cole Bemis. -->";
  return { "icons.svg": await place("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${note}${symbols.join("")}</svg>`) };
}

async function mark() {
  return { "mark.svg": await place("mark.svg", await readFile(path.join(SOURCE, "mark.svg"))) };
}

async function modules() {
  const result = await build({
    entryPoints: { desk: path.join(SOURCE, "js/desk.js") },
    outdir: STAGE,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    legalComments: "linked",
    metafile: true,
    logLevel: "error",
  });
  const entry = Object.entries(result.metafile.outputs).find(([, output]) => output.entryPoint?.endsWith("js/desk.js"));
  return { "desk.js": path.basename(entry[0]) };
}

/** The licences of everything that ends up in the build, beside it as they ask for. */
async function licences() {
  const texts = SHIPPED.map(async (name) => `${name}\n\n${await readFile(path.join(PACKAGES, name, "LICENSE"), "utf8")}`);
  await writeFile(path.join(STAGE, "licences.txt"), (await Promise.all(texts)).join(`\n\n${"-".repeat(72)}\n\n`));
  return {};
}

/** Moves the stage in file by file, the manifest last: no name in it is ever without its file. */
async function publish() {
  const built = (await readdir(STAGE)).filter((file) => file !== MANIFEST);
  for (const file of [...built, MANIFEST]) await rename(path.join(STAGE, file), path.join(TARGET, file));
  return new Set([...built, MANIFEST]);
}

async function forgetOldBuilds(current) {
  for (const file of await readdir(TARGET)) {
    if (current.has(file)) continue;
    const { mtimeMs } = await stat(path.join(TARGET, file));
    if (Date.now() - mtimeMs > KEPT_MS) await rm(path.join(TARGET, file), { recursive: true, force: true });
  }
}

try {
  // All of them have ended before the stage is removed, whichever of them failed.
  const parts = await Promise.allSettled([fonts().then(styles), sprite(), mark(), modules(), licences()]);
  for (const part of parts) if (part.status === "rejected") throw part.reason;
  const manifest = Object.assign({}, ...parts.map((part) => part.value));
  await writeFile(path.join(STAGE, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`);
  await forgetOldBuilds(await publish());
} finally {
  await rm(STAGE, { recursive: true, force: true });
}
