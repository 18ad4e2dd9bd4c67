// The legs table of the builder: add and remove rows without a round trip, and show only the fields a leg uses.
import { nextLegNumber, priceParts, strikeParts, valueHint } from "../lib/legs.js";

const part = (row, name) => row.querySelector(`[data-part="${name}"]`);

function fitStrike(row) {
  const method = part(row, "strike_method");
  const value = part(row, "strike_value");
  const uses = strikeParts(part(row, "kind").value, method.value);
  method.disabled = !uses.method;
  value.disabled = !uses.value;
  value.placeholder = valueHint(method.value);
}

function fitPrices(row) {
  const uses = priceParts(part(row, "price_type").value);
  for (const [name, used] of [["limit_price", uses.limit], ["trigger_price", uses.trigger]]) {
    part(row, name).disabled = !used;
    part(row, name).hidden = !used;
  }
}

function fitExits(row) {
  for (const what of ["stop", "target"]) {
    const used = part(row, `${what}_measure`).value !== "";
    part(row, `${what}_size`).disabled = !used;
    part(row, `${what}_size`).hidden = !used;
  }
}

function fitRow(row) {
  fitStrike(row);
  fitPrices(row);
  fitExits(row);
}

/** Offers the expiries of the leg's own underlying, keeping the chosen one where that index has it too. */
function fitExpiries(row, choices) {
  const select = part(row, "expiry");
  const chosen = select.value;
  const offered = choices[part(row, "underlying").value] ?? [];
  select.replaceChildren(...offered.map((choice) => new Option(choice.label, choice.value)));
  if (offered.some((choice) => choice.value === chosen)) select.value = chosen;
}

// Rows of legs; the rows between them carry their errors.
const legRows = (body) => [...body.querySelectorAll("tr[data-leg-row]")];

function renumber(body) {
  legRows(body).forEach((row, index) => (row.querySelector(".leg-number").textContent = index + 1));
}

function remove(row) {
  if (row.nextElementSibling?.classList.contains("leg-errors")) row.nextElementSibling.remove();
  row.remove();
}

export default function attach(section) {
  const body = section.querySelector("tbody");
  const blank = section.querySelector("template");
  const choices = JSON.parse(section.dataset.expiries);

  const add = () => {
    const names = [...body.querySelectorAll("[name]")].map((control) => control.name);
    const holder = document.createElement("tbody");
    holder.innerHTML = blank.innerHTML.replaceAll("legs-N-", `legs-${nextLegNumber(names)}-`);
    const row = holder.rows[0];
    const last = legRows(body).at(-1);
    if (last) for (const name of ["underlying", "product"]) part(row, name).value = part(last, name).value;
    body.append(row);
    fitExpiries(row, choices);
    if (last) part(row, "expiry").value = part(last, "expiry").value;
    fitRow(row);
    renumber(body);
    part(row, "underlying").focus();
  };

  section.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-leg]");
    if (!button) return;
    event.preventDefault();
    if (button.dataset.leg === "add") return add();
    remove(button.closest("tr"));
    renumber(body);
  });
  section.addEventListener("change", (event) => {
    const row = event.target.closest("tr");
    if (event.target.dataset.part === "underlying") fitExpiries(row, choices);
    fitRow(row);
  });
  for (const row of legRows(body)) fitRow(row);
}
