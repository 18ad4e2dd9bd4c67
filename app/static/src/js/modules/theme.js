// The theme button: flips dark and light, remembered in a cookie (for the server) and in local storage (for other tabs).
const YEAR_S = 31536000;

function show(theme) {
  document.documentElement.dataset.theme = `desk-${theme}`;
}

function remember(theme) {
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR_S}; samesite=lax`;
  localStorage.setItem("theme", theme);
}

export default function attach(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "desk-dark" ? "light" : "dark";
    show(theme);
    remember(theme);
  });
  window.addEventListener("storage", (event) => {
    if (event.key === "theme" && event.newValue) show(event.newValue);
  });
}
