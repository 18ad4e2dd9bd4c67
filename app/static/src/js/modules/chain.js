// The option chain: starts with the money in the middle and moves the spot line and the ATM row as messages say.
const rowOf = (table, strike) => table.querySelector(`tr[data-strike="${CSS.escape(strike)}"]`);

function centre(box) {
  const middle = box.querySelector("tr.atm") ?? box.querySelector(".spot-row");
  if (!middle) return;
  box.scrollTop = middle.offsetTop - box.clientHeight / 2 + middle.offsetHeight / 2;
  const strike = middle.querySelector(".strike");
  if (strike) box.scrollLeft = strike.offsetLeft - box.clientWidth / 2 + strike.offsetWidth / 2;
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

export default function attach(box) {
  const table = box.querySelector("table");
  centre(box);
  document.addEventListener("desk:patch", (event) => {
    const message = event.detail;
    if (message.topic !== box.dataset.topic) return;
    if (message.atm !== undefined) moveAtm(table, message.atm);
    if (message.spot_before !== undefined) moveSpot(table, message.spot_before);
  });
}
