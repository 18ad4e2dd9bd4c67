// Fetches a live fragment again: when its topic is touched, and at a slow pace anyway; never under an open dialog.
import htmx from "htmx.org";

const SLOW_MS = 5000;
const BETWEEN_MS = 500;

/** Whether the fragment is left as it is for now: nobody looks, or somebody is in the middle of something in it. */
function resting(element) {
  const busy = element.querySelector("dialog[open], details[open], input:focus, select:focus");
  return document.hidden || busy !== null;
}

export default function attach(element) {
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

  document.addEventListener("desk:touch", touched);
  document.addEventListener("desk:connected", soon);
  const timer = setInterval(() => {
    if (element.isConnected) return performance.now() - last >= SLOW_MS && refresh();
    clearInterval(timer);
    document.removeEventListener("desk:touch", touched);
    document.removeEventListener("desk:connected", soon);
  }, 1000);
}
