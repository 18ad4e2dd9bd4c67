// A form that is sent once: its buttons are off from the first submit until the next page.
export default function attach(form) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    // After this turn: a disabled submitter would leave its name and value out of the request.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button")) button.disabled = true;
      if (event.submitter?.dataset.busy) event.submitter.textContent = event.submitter.dataset.busy;
    });
  });
  // Coming back with the browser's back button shows the page as it was left: usable again, keys and all.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
}
