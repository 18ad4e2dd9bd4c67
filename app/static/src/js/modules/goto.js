// The box that finds a page, run, strategy or account by words, and the keys of every page (see lib/keys.js).
import htmx from "htmx.org";
import { press, REST } from "../lib/keys.js";
import { matches } from "../lib/sorting.js";

const isTyping = () => document.activeElement?.matches("input, textarea, select, [contenteditable]") ?? false;
const isAsked = () => document.querySelector("dialog[open]") !== null;

function openBox(dialog) {
  if (isAsked()) return;
  dialog.showModal();
}

const ACTIONS = {
  find: openBox,
  filter: () => document.querySelector(".control-filter:not([hidden])")?.focus(),
  help: () => document.getElementById("keys").showModal(),
};

function watchKeys(dialog) {
  let state = REST;
  document.addEventListener("keydown", (event) => {
    const busy = isTyping() || isAsked();
    const given = { key: event.key, ctrl: event.ctrlKey || event.metaKey, alt: event.altKey, at: event.timeStamp, busy };
    let action;
    [state, action] = press(state, given);
    if (action === null) return;
    event.preventDefault();
    if (action.startsWith("go ")) document.querySelector(`[data-go="${action.at(-1)}"]`)?.click();
    else ACTIONS[action](dialog);
  });
}

export default function attach(dialog) {
  const words = dialog.querySelector(".go-words");
  const list = dialog.querySelector(".go-list");
  const none = dialog.querySelector(".go-none");
  const shown = () => [...list.children].filter((place) => !place.hidden);

  function choose(place) {
    for (const other of list.children) other.setAttribute("aria-selected", String(other === place));
    words.setAttribute("aria-activedescendant", place?.id ?? "");
    place?.scrollIntoView({ block: "nearest" });
  }
  function filter() {
    for (const place of list.children) place.hidden = !matches(place.textContent, words.value);
    none.hidden = shown().length > 0 || list.children.length === 0;
    choose(shown()[0]);
  }
  function step(by) {
    const places = shown();
    const now = places.findIndex((place) => place.ariaSelected === "true");
    choose(places[(now + by + places.length) % places.length]);
  }

  words.addEventListener("input", filter);
  words.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) step(by);
    else if (event.key === "Enter") list.querySelector('[aria-selected="true"]')?.click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("htmx:afterSwap", filter);
  dialog.addEventListener("toggle", (event) => {
    if (event.newState !== "open") return;
    words.value = "";
    filter();
    htmx.trigger(list, "open");
  });
  watchKeys(dialog);
}
