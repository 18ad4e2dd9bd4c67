// Opens native dialogs from buttons with command="show-modal", for browsers that do not yet do it themselves.
const native = "commandForElement" in HTMLButtonElement.prototype;

export default function attach(root) {
  if (native) return;
  root.addEventListener("click", (event) => {
    const button = event.target.closest("button[commandfor]");
    if (!button) return;
    const dialog = document.getElementById(button.getAttribute("commandfor"));
    if (button.getAttribute("command") === "show-modal") dialog.showModal();
    else dialog.close();
  });
}
