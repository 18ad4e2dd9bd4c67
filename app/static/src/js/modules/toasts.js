// Toasts: facts at the bottom right. Good news leaves after 6 s, the rest stays; three at most, then "and 7 more".
const SHOWN = 3;
const STAY_MS = 6000;

function arrange(region) {
  const cards = [...region.querySelectorAll(".toast-card:not(.toast-more)")];
  cards.forEach((card, index) => (card.hidden = index < cards.length - SHOWN));
  const more = region.querySelector(".toast-more");
  more.hidden = cards.length <= SHOWN;
  if (!more.hidden) more.querySelector("strong").textContent = `and ${cards.length - SHOWN} more`;
}

function schedule(region, card) {
  if (card.dataset.stay !== undefined) return;
  setTimeout(() => {
    card.remove();
    arrange(region);
  }, STAY_MS);
}

function add(region, fact) {
  const card = region.querySelector(`template[data-tone="${fact.tone}"]`).content.firstElementChild.cloneNode(true);
  card.querySelector("strong").textContent = fact.title;
  card.querySelector("p").textContent = fact.detail ?? "";
  region.append(card);
  schedule(region, card);
  arrange(region);
}

export default function attach(region) {
  region.addEventListener("click", (event) => {
    const card = event.target.closest("button[data-dismiss]")?.closest(".toast-card");
    if (!card) return;
    card.remove();
    arrange(region);
  });
  document.addEventListener("desk:fact", (event) => add(region, event.detail));
  for (const card of region.querySelectorAll(".toast-card:not(.toast-more)")) schedule(region, card);
  arrange(region);
}
