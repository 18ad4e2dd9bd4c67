// A table one can filter by words, order by column and take along as CSV; filter and order are remembered for the page.
import { csvText, field, fileName } from "../lib/csv.js";
import { compareKeys, matches, sortKey } from "../lib/sorting.js";

function keyOf(row, column) {
  const cell = row.cells[column];
  return sortKey(cell.dataset.sort ?? cell.textContent);
}

function order(table, column, direction) {
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, column) }));
  rows.sort((a, b) => compareKeys(a.key, b.key, direction));
  body.append(...rows.map((entry) => entry.row));
}

function show(table, heads, column, direction) {
  for (const other of heads) other.removeAttribute("aria-sort");
  heads[column].setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  order(table, column, direction);
}

function makeSortable(table) {
  const memory = `sort:${location.pathname}:${table.dataset.filter}`;
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  heads.forEach((head, column) => {
    if (head.textContent.trim() === "" || head.dataset.unsorted !== undefined) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sheet-sort";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      show(table, heads, column, direction);
      sessionStorage.setItem(memory, JSON.stringify([column, direction]));
    });
  });
  const remembered = JSON.parse(sessionStorage.getItem(memory));
  if (remembered && remembered[0] < heads.length) show(table, heads, ...remembered);
}

function makeFilterable(table, input) {
  const memory = `filter:${location.pathname}:${input.id}`;
  const none = document.getElementById(input.dataset.none);
  const apply = () => {
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      row.hidden = !matches(row.textContent, input.value);
      shown += row.hidden ? 0 : 1;
    }
    if (none) none.hidden = shown > 0;
    sessionStorage.setItem(memory, input.value);
  };
  input.hidden = false;
  input.value = sessionStorage.getItem(memory) ?? "";
  input.addEventListener("input", apply);
  apply();
}

/** The rows as they are shown, in that order; a column without a heading holds buttons. */
function rowsOf(table) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells].map((head) => head.textContent.trim());
  const named = heads.map((_, column) => column).filter((column) => heads[column] !== "");
  const shown = [...table.tBodies[0].rows].filter((row) => !row.hidden && row.cells.length === heads.length);
  return [named.map((column) => field(heads[column])), ...shown.map((row) => named.map((column) => cellField(row.cells[column])))];
}

const cellField = (cell) => field(cell.dataset.sort || cell.innerText);

function makeTakeable(table, button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff", csvText(rowsOf(table))], { type: "text/csv;charset=utf-8" }));
    link.download = fileName(button.dataset.csvName, new Date());
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

export default function attach(table) {
  makeSortable(table);
  const button = document.querySelector(`[data-csv="${table.dataset.filter}"]`);
  if (button) makeTakeable(table, button);
  const input = document.getElementById(table.dataset.filter);
  if (input) makeFilterable(table, input);
}
