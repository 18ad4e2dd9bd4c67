// Builds everything under app/static/build: styles, modules, icons and fonts, each named by its content, and a manifest.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const SOURCE = path.join(ROOT, "app/static/src");
const TARGET = path.join(ROOT, "app/static/build");
const STAGE = `${TARGET}.next`;
const PACKAGES = path.join(ROOT, "node_modules");

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

await rm(STAGE, { recursive: true, force: true });
await mkdir(STAGE, { recursive: true });
const parts = await Promise.all([fonts().then(styles), sprite(), mark(), modules(), licences()]);
const manifest = Object.assign({}, ...parts);
await writeFile(path.join(STAGE, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
// The finished build replaces the old one in one step: an interrupted build never leaves half a page.
await rm(TARGET, { recursive: true, force: true });
await rename(STAGE, TARGET);
