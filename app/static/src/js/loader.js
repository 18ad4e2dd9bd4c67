// Attaches modules named in data-module="name other" to their elements, each once; then marks them data-attached.
const MODULES = {
  age: () => import("./modules/age.js"),
  ask: () => import("./modules/ask.js"),
  candles: () => import("./modules/candles.js"),
  chain: () => import("./modules/chain.js"),
  countdown: () => import("./modules/countdown.js"),
  curve: () => import("./modules/curve.js"),
  fit: () => import("./modules/fit.js"),
  goto: () => import("./modules/goto.js"),
  legs: () => import("./modules/legs.js"),
  live: () => import("./modules/live.js"),
  once: () => import("./modules/once.js"),
  payoff: () => import("./modules/payoff.js"),
  refresh: () => import("./modules/refresh.js"),
  sheet: () => import("./modules/sheet.js"),
  theme: () => import("./modules/theme.js"),
  toasts: () => import("./modules/toasts.js"),
};

const attached = new WeakSet();
const loaded = new Map();

async function load(name) {
  if (!MODULES[name]) throw new Error(`The page asks for a module "${name}" that does not exist.`);
  loaded.set(name, (await MODULES[name]()).default);
}

/** Attaches at once what is loaded already, so that nothing is painted without it. */
async function attach(element) {
  if (attached.has(element)) return;
  attached.add(element);
  for (const name of element.dataset.module.split(/\s+/)) {
    if (!loaded.has(name)) await load(name);
    loaded.get(name)(element);
  }
  element.dataset.attached = "";
}

/** Attaches every module in and under `root`. */
export function attachAll(root) {
  if (root.matches?.("[data-module]")) attach(root);
  for (const element of root.querySelectorAll("[data-module]")) attach(element);
}
