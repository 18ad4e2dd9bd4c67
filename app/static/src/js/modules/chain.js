// The option chain: rows by their place as messages say, the money in the middle, columns as chosen, depth on demand.
import { barWidth, toneChange } from "../lib/cells.js";
import { GREEKS, PRICES, rowsOf, toneOf } from "../lib/chainrows.js";
import { confirm } from "./age.js";
import { attachColumns, centreStrikes } from "./chaincolumns.js";
import { tint } from "./live.js";

const POLL_MS = 2000;
const DEPTH_MS = 1000;

const rowOf = (table, strike) => table.querySelector(`tr[data-strike="${CSS.escape(strike)}"]`);

function centre(box) {
  const middle = box.querySelector("tr.atm") ?? box.querySelector(".spot-row");
  if (!middle) return;
  box.scrollTop = middle.offsetTop - box.clientHeight / 2 + middle.offsetHeight / 2;
  centreStrikes(box);
}

function moveAtm(table, strike) {
  const now = rowOf(table, strike);
  const before = table.querySelector("tr.atm");
  if (!now || now === before) return;
  before?.classList.remove("atm");
  now.classList.add("atm");
}

function moveSpot(table, strike) {
  const line = table.querySelector(".spot-row");
  const above = rowOf(table, strike);
  if (line && above && line.nextElementSibling !== above) above.before(line);
}

/** The cells of each row by the names of their figures, calls at even places and puts at odd ones. */
function cellsOf(table) {
  return [...table.querySelectorAll("tr[data-strike]")].flatMap((row) =>
    ["call", "put"].map((side) => {
      const cells = {};
      for (const cell of row.querySelectorAll(`td.${side}[data-f], td.${side} [data-f]`)) cells[cell.dataset.f] = cell;
      return { cells, ltp: row.querySelector(`td.${side}.ltp`) };
    }),
  );
}

function put(element, name, text) {
  if (!element) return;
  if (name === "bar") {
    element.setAttribute("width", barWidth(text));
    return;
  }
  if (element.textContent === text) return;
  element.textContent = text;
  if (element.dataset.tint !== undefined) tint(element);
  if (name !== "chg") return;
  const tone = toneChange(toneOf(text));
  element.classList.remove(...tone.remove);
  element.classList.add(tone.add);
}

function putRows(places, text, fields) {
  for (const { number, age, cells } of rowsOf(text, fields)) {
    const place = places[number];
    if (!place) continue;
    for (const [name, words] of cells) put(place.cells[name], name, words);
    if (age !== undefined && place.ltp) confirm(place.ltp, age);
  }
}

/** Fetches the fragment and puts its rows and totals where the old ones were; the box itself stays, scrolled as it was. */
async function fetchRows(box) {
  const answer = await fetch(box.dataset.live, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok || answer.redirected) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const rows = fresh.querySelector("tbody");
  if (!rows) return false;
  box.querySelector("tbody").replaceWith(document.adoptNode(rows));
  box.dataset.layout = fresh.querySelector("[data-layout]").dataset.layout;
  const totals = fresh.querySelector("[data-chain-totals]");
  if (totals) document.querySelector("[data-chain-totals]")?.replaceWith(document.adoptNode(totals));
  return true;
}

/** The panel of one option's depth: opened by its price, asked for again each second, closed by its button or Escape. */
function attachDepth(box) {
  const panel = document.querySelector("[data-chain-depth]");
  let asked;
  let timer;
  const close = () => {
    clearInterval(timer);
    asked = undefined;
    panel.hidden = true;
  };
  const load = async () => {
    if (document.hidden) return;
    const wanted = asked;
    const answer = await fetch(`${box.dataset.depthOf}?contract=${encodeURIComponent(wanted)}`).catch(() => null);
    if (wanted !== asked) return;
    if (!answer?.ok || answer.redirected) return;
    panel.innerHTML = await answer.text();
    panel.hidden = false;
  };
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-depth]");
    if (!button) return;
    clearInterval(timer);
    asked = button.dataset.depth;
    load();
    timer = setInterval(load, DEPTH_MS);
  });
  panel.addEventListener("click", (event) => event.target.closest("[data-depth-close]") && close());
  document.addEventListener("keydown", (event) => event.key === "Escape" && close());
}

export default function attach(box) {
  const table = box.querySelector("table");
  const topic = box.dataset.topic;
  let places = cellsOf(table);
  let fetching = false;
  let polling;

  const show = attachColumns(table, ({ view }) => {
    const greeks = `${topic}:greeks`;
    document.dispatchEvent(new CustomEvent("desk:want", { detail: { topic: greeks, wanted: view === "greeks" } }));
  });
  async function refresh() {
    if (fetching || document.hidden) return;
    fetching = true;
    try {
      if (await fetchRows(box)) {
        places = cellsOf(table);
        show();
      }
    } catch {
      // the server cannot be reached: what is shown grows old before the reader's eyes
    } finally {
      fetching = false;
    }
  }
  const stopPolling = () => {
    clearInterval(polling);
    polling = undefined;
  };

  attachDepth(box);
  centre(box);
  document.addEventListener("desk:patch", (event) => {
    const message = event.detail;
    if (message.topic !== topic && message.topic !== `${topic}:greeks`) return;
    if (message.rows !== undefined) {
      if (String(message.layout) === box.dataset.layout) putRows(places, message.rows, message.topic === topic ? PRICES : GREEKS);
      else refresh();
    }
    if (message.atm !== undefined) moveAtm(table, message.atm);
    if (message.spot_before !== undefined) moveSpot(table, message.spot_before);
  });
  document.addEventListener("desk:lost", () => {
    stopPolling();
    polling = setInterval(refresh, POLL_MS);
  });
  document.addEventListener("desk:connected", () => {
    if (polling === undefined) return; // a page that was just rendered, or a gap that the next messages fill
    stopPolling();
    refresh();
  });
}
