// Which columns of a chain are shown: those of the view, less the ones that somebody hid. Remembered in this browser.
const KEY = "chain.columns";
const VIEWS = {
  price: ["oi", "oichg", "vol", "iv", "delta", "chg", "bid", "ask", "ltp"],
  greeks: ["gamma", "theta", "vega", "iv", "delta", "chg", "ltp"],
};

/** What was remembered; the price view with all columns where that is nothing, or nothing that makes sense. */
export function remembered(storage) {
  try {
    const { view, hidden } = JSON.parse(storage.getItem(KEY) ?? "{}");
    return { view: Object.hasOwn(VIEWS, view) ? view : "price", hidden: Array.isArray(hidden) ? hidden.map(String) : [] };
  } catch {
    return { view: "price", hidden: [] }; // somebody else's text, or a browser that keeps nothing
  }
}

export function keep(storage, choice) {
  try {
    storage.setItem(KEY, JSON.stringify(choice));
  } catch {
    // a browser that keeps nothing: the choice lasts as long as the page
  }
}

/** The columns to show; the price itself always. */
export function shown({ view, hidden }) {
  return VIEWS[view].filter((name) => name === "ltp" || !hidden.includes(name));
}
