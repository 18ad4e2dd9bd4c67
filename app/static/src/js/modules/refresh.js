// Fetches a live fragment again: when its topic is touched, and at a slow pace anyway; never under an open dialog.
import htmx from "htmx.org";
import { remember, restore } from "../lib/keep.js";

const SLOW_S = 5;
const BETWEEN_MS = 500;

/** Somebody is being asked something in the fragment, or is pressing something: neither may be taken from them. */
const inUse = (element) => element.querySelector("dialog[open], :active") !== null;

/** Whether the fragment is left as it is for now. */
const resting = (element) => document.hidden || inUse(element);

const sayLost = (lost) => (document.querySelector("[data-refresh-lost]").hidden = !lost);

/** An answer from another address is the sign-in page: the whole page goes there, not just the fragment. */
function leaveIfSignedOut(event) {
  const asked = new URL(event.detail.pathInfo.finalRequestPath, location.href).pathname;
  if (new URL(event.detail.xhr.responseURL).pathname === asked) return;
  event.preventDefault();
  location.reload();
}

/** The answer may have been under way when somebody opened a question or put a finger on a button. */
function leaveInUse(event) {
  if (inUse(event.currentTarget)) event.detail.shouldSwap = false;
}

/** The swap comes right after this event, in the same turn or after a transition of the page; then all is put back. */
function keepPlace(event) {
  if (!event.detail.shouldSwap) return;
  const kept = remember(event.currentTarget);
  document.addEventListener("htmx:afterSwap", () => restore(kept), { once: true });
}

function watchAnswers(element) {
  element.addEventListener("htmx:beforeSwap", leaveIfSignedOut);
  element.addEventListener("htmx:beforeSwap", leaveInUse);
  element.addEventListener("htmx:beforeSwap", keepPlace);
  element.addEventListener("htmx:afterRequest", (event) => sayLost(!event.detail.successful));
}

export default function attach(element) {
  const slowMs = Number(element.dataset.everyS ?? SLOW_S) * 1000;
  let last = performance.now();
  let pending;

  function refresh() {
    pending = undefined;
    if (resting(element)) return;
    last = performance.now();
    htmx.trigger(element, "refresh");
  }
  function soon() {
    pending ??= setTimeout(refresh, Math.max(0, BETWEEN_MS - (performance.now() - last)));
  }
  function touched(event) {
    if (event.detail.topic === element.dataset.topic) soon();
  }

  watchAnswers(element);
  document.addEventListener("desk:touch", touched);
  document.addEventListener("desk:connected", soon);
  const timer = setInterval(() => {
    if (element.isConnected) return performance.now() - last >= slowMs && refresh();
    clearInterval(timer);
    document.removeEventListener("desk:touch", touched);
    document.removeEventListener("desk:connected", soon);
  }, 1000);
}
