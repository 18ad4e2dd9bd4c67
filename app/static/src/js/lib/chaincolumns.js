// Which columns of a chain are shown, and in which order, from the outside to the strike. Remembered in this browser.
const KEY = "chain.columns";
/** As rows are rendered; puts mirror calls. */
export const COLUMNS = ["oi", "oichg", "vol", "gamma", "theta", "vega", "iv", "delta", "chg", "bid", "ask", "ltp"];
const VIEWS = {
  price: ["oi", "oichg", "vol", "iv", "delta", "chg", "bid", "ask", "ltp"],
  greeks: ["gamma", "theta", "vega", "iv", "delta", "chg", "ltp"],
};

/** All columns, those that were remembered first; what is no column, or comes twice, is passed over. */
function complete(order) {
  const known = (Array.isArray(order) ? order : []).filter((name) => COLUMNS.includes(name));
  return [...new Set([...known, ...COLUMNS])];
}

/** What was remembered; the price view with all columns where that is nothing, or nothing that makes sense. */
export function remembered(storage) {
  try {
    const { view, hidden, order } = JSON.parse(storage.getItem(KEY) ?? "{}");
    return {
      view: Object.hasOwn(VIEWS, view) ? view : "price",
      hidden: Array.isArray(hidden) ? hidden.map(String) : [],
      order: complete(order),
    };
  } catch {
    return { view: "price", hidden: [], order: complete() }; // somebody else's text, or a browser that keeps nothing
  }
}

export function keep(storage, choice) {
  try {
    storage.setItem(KEY, JSON.stringify(choice));
  } catch {
    // a browser that keeps nothing: the choice lasts as long as the page
  }
}

/** The columns of the view in their order, hidden ones too: what its menu lists. */
export function listed({ view, order }) {
  return order.filter((name) => VIEWS[view].includes(name));
}

/** The columns to show; the price itself always. */
export function shown(choice) {
  return listed(choice).filter((name) => name === "ltp" || !choice.hidden.includes(name));
}

/** The order with that column one place further out (-1) or in (1) among those of the view; the same at either end. */
export function moved(choice, name, by) {
  const names = listed(choice);
  const other = names[names.indexOf(name) + by];
  if (other === undefined || !names.includes(name)) return choice.order;
  const order = choice.order.filter((each) => each !== name);
  order.splice(order.indexOf(other) + (by > 0 ? 1 : 0), 0, name);
  return order;
}

/** As it was before anybody chose, in the same view. */
export function reset({ view }) {
  return { view, hidden: [], order: complete() };
}
