// The seconds a preview has left: counts down, and closes the form when they are over.
export default function attach(element) {
  const form = document.getElementById(element.dataset.form);
  const end = performance.now() + Number(element.dataset.seconds) * 1000;
  const timer = setInterval(tick, 250);

  function tick() {
    const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
    element.textContent = left > 0 ? `${left} s left` : "expired";
    element.classList.toggle("countdown-late", left <= 15);
    if (left > 0) return;
    clearInterval(timer);
    for (const button of form?.querySelectorAll("button[type=submit]") ?? []) button.disabled = true;
    for (const notice of document.querySelectorAll("[data-when-expired]")) notice.hidden = false;
  }
}
