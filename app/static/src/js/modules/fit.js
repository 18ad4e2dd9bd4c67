// Lets a table's head stick to the page where the whole table fits; where it does not, the table scrolls sideways.
export default function attach(wrap) {
  const table = wrap.querySelector("table");
  const fit = () => wrap.classList.toggle("fits", table.offsetWidth <= wrap.clientWidth);
  const observer = new ResizeObserver(fit);
  observer.observe(wrap);
  observer.observe(table);
}
