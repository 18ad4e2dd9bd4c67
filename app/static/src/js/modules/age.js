// Keeps ages honest between messages: every second the figures under `root` grow older, turn late, then stale.
import { ageText, staleness } from "../lib/staleness.js";

const bases = new WeakMap();

function baseOf(element) {
  const known = bases.get(element);
  if (known?.attribute === element.dataset.age) return known;
  const fresh = { attribute: element.dataset.age, at: performance.now() };
  bases.set(element, fresh);
  return fresh;
}

/** Notes that the figure was confirmed `ageS` seconds ago, as of now. */
export function confirm(element, ageS) {
  element.dataset.age = ageS ?? "";
  bases.set(element, { attribute: element.dataset.age, at: performance.now() });
  show(element);
}

/** What is not known has no age: it is called missing, in the page's own words where it has some. */
function words(element, age, state) {
  if (age === null) return element.dataset.ageMissing ?? ageText(age);
  return state === "stale" ? `stale ${ageText(age)}` : ageText(age);
}

function show(element) {
  const base = baseOf(element);
  const age = base.attribute === "" ? null : Number(base.attribute) + (performance.now() - base.at) / 1000;
  const state = staleness(age);
  element.classList.toggle("late", state === "late");
  element.classList.toggle("stale", state === "stale");
  if (element.dataset.ageQuiet === undefined) element.textContent = words(element, age, state);
  else element.title = `${state === "fresh" ? "confirmed" : state}, ${ageText(age)} ago`;
}

export default function attach(root) {
  const timer = setInterval(() => {
    if (!root.isConnected) clearInterval(timer);
    else for (const element of root.querySelectorAll("[data-age]")) show(element);
  }, 1000);
}
