// The push connection: keeps one WebSocket, watches the page's topics, and puts what arrives into the cells.
import { io } from "socket.io-client";
import { barWidth, cellOf, mayTint, toneChange } from "../lib/cells.js";
import { confirm } from "./age.js";

const TINT_MS = 300;
const LOST_AFTER_MS = 2000;
const tinted = new WeakMap();

/** Shows for a moment that a figure is another one now. */
export function tint(element) {
  const now = performance.now();
  if (!mayTint(tinted.get(element), now)) return;
  tinted.set(element, now);
  const cell = element.closest("td") ?? element;
  cell.classList.add("just-changed");
  setTimeout(() => cell.classList.remove("just-changed"), TINT_MS);
}

function put(element, cell) {
  if (cell.text !== undefined && element.textContent !== cell.text) {
    element.textContent = cell.text;
    if (element.dataset.tint !== undefined) tint(element);
  }
  if (cell.tone !== undefined) {
    const change = toneChange(cell.tone);
    element.classList.remove(...change.remove);
    element.classList.add(change.add);
  }
  if (cell.title !== undefined) element.title = cell.title;
}

function putCells(cells) {
  for (const [key, value] of Object.entries(cells)) {
    const cell = cellOf(value);
    const name = CSS.escape(key);
    for (const element of document.querySelectorAll(`[data-key="${name}"]`)) put(element, cell);
    for (const bar of document.querySelectorAll(`[data-bar="${name}"]`)) bar.setAttribute("width", barWidth(cell.bar));
    if (cell.age_s === undefined) continue;
    for (const element of document.querySelectorAll(`[data-age-key="${name}"]`)) confirm(element, cell.age_s);
  }
}

function topics() {
  return [...document.querySelectorAll("[data-topic]")].map((element) => element.dataset.topic);
}

function emit(name, detail) {
  document.dispatchEvent(new CustomEvent(`desk:${name}`, { detail }));
}

/** Says so when the connection has been gone for two seconds: from then on nothing on the page is live. */
function sayWhenLost(socket) {
  const notice = document.querySelector("[data-link-lost]");
  let timer;
  socket.on("connect", () => {
    clearTimeout(timer);
    notice.hidden = true;
  });
  const lost = () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      notice.hidden = false;
      emit("lost");
    }, LOST_AFTER_MS);
  };
  socket.on("disconnect", lost);
  socket.on("connect_error", lost);
}

/** Topics that a module wants besides those named on the page; it asked perhaps before the connection was there. */
function watchWanted(socket, more) {
  document.addEventListener("desk:want", ({ detail: { topic, wanted } }) => {
    if (wanted) more.add(topic);
    else if (!more.delete(topic)) return;
    if (socket.connected) socket.emit(wanted ? "watch" : "unwatch", { topic });
  });
}

export default function attach() {
  const socket = io({ transports: ["websocket"] });
  const more = new Set();
  watchWanted(socket, more);
  socket.on("connect", () => {
    for (const topic of [...topics(), ...more]) socket.emit("watch", { topic });
    emit("connected");
  });
  socket.on("patch", (message) => {
    putCells(message.cells ?? {});
    emit("patch", message);
  });
  socket.on("touch", (message) => emit("touch", message));
  socket.on("fact", (message) => emit("fact", message));
  sayWhenLost(socket);
}
