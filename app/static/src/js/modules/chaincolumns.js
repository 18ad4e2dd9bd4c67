// The columns of the chain as somebody wants them: a view, some hidden, moved by buttons that any key can press.
import { keep, listed, moved, remembered, reset, shown } from "../lib/chaincolumns.js";

const nameOf = (cell) => [...cell.classList].find((name) => name.startsWith("c-"))?.slice(2);

/** The cells of one side in that order; a side without columns, as one that is not listed, stays as it is. */
function sorted(cells, order) {
  const named = new Map(cells.map((cell) => [nameOf(cell), cell]));
  return named.has(undefined) ? cells : order.map((name) => named.get(name)).filter(Boolean);
}

function orderRow(row, order) {
  const cells = [...row.children];
  const middle = cells.findIndex((cell) => cell.matches(".strike, .strike-col"));
  if (middle < 0) return;
  const wanted = [
    ...sorted(cells.slice(0, middle), order),
    cells[middle],
    ...sorted(cells.slice(middle + 1), [...order].reverse()),
  ];
  if (wanted.some((cell, place) => cell !== cells[place])) row.replaceChildren(...wanted);
}

function showColumns(table, choice) {
  const names = shown(choice);
  for (const row of table.querySelectorAll("colgroup, tr")) orderRow(row, choice.order);
  for (const name of choice.order) table.classList.toggle(`no-${name}`, !names.includes(name));
  table.dataset.view = choice.view;
  for (const cell of table.querySelectorAll("[data-span]")) {
    cell.colSpan = cell.dataset.span === "all" ? 2 * names.length + 1 : names.length;
  }
}

/** The menu lists the columns of the view as they stand; what has the focus keeps it. */
function showMenu(menu, choice) {
  const names = listed(choice);
  const focused = document.activeElement;
  const items = new Map([...menu.querySelectorAll("[data-item]")].map((item) => [item.dataset.item, item]));
  for (const [name, item] of items) {
    const place = names.indexOf(name);
    item.hidden = place < 0;
    item.querySelector("[data-column]").checked = name === "ltp" || !choice.hidden.includes(name);
    item.querySelector("[data-by='-1']").ariaDisabled = String(place === 0);
    item.querySelector("[data-by='1']").ariaDisabled = String(place === names.length - 1);
  }
  const wanted = choice.order.map((name) => items.get(name));
  const list = menu.querySelector("[data-items]");
  if (wanted.some((item, place) => item !== list.children[place])) list.append(...wanted);
  if (menu.contains(focused)) focused.focus();
}

/** The strikes in the middle of the box, with as much of the calls as of the puts beside them. */
export function centreStrikes(box) {
  const strike = box.querySelector("thead .strike");
  if (strike) box.scrollLeft = strike.offsetLeft - box.clientWidth / 2 + strike.offsetWidth / 2;
}

/** Shows the choice and follows it. Returns what shows it again, for rows that came later. */
export function attachColumns(table, changed) {
  let choice = remembered(localStorage);
  const views = document.querySelector("[data-chain-views]");
  const menu = document.querySelector("[data-chain-columns]");
  const said = menu.querySelector("[data-said]");
  const show = () => {
    showColumns(table, choice);
    showMenu(menu, choice);
    for (const button of views.querySelectorAll("[data-show]")) {
      button.setAttribute("aria-pressed", String(button.dataset.show === choice.view));
    }
    changed(choice);
  };
  const choose = (other) => {
    choice = { ...choice, ...other };
    keep(localStorage, choice);
    show();
    centreStrikes(table.closest(".chain-box"));
  };
  views.hidden = menu.hidden = false;
  views.addEventListener("click", (event) => {
    const view = event.target.closest("[data-show]")?.dataset.show;
    if (view) choose({ view });
  });
  menu.addEventListener("change", (event) => {
    const name = event.target.dataset.column;
    const hidden = choice.hidden.filter((each) => each !== name);
    choose({ hidden: event.target.checked ? hidden : [...hidden, name] });
  });
  menu.addEventListener("click", (event) => {
    if (event.target.closest("[data-reset]")) {
      choose(reset(choice));
      said.textContent = "The columns are as they were at first.";
    }
    const button = event.target.closest("[data-by]");
    if (!button) return;
    const { item, label } = button.closest("[data-item]").dataset;
    choose({ order: moved(choice, item, Number(button.dataset.by)) });
    const names = listed(choice);
    said.textContent = `${label} is column ${names.indexOf(item) + 1} of ${names.length}, counted from the outside.`;
  });
  show();
  return show;
}
