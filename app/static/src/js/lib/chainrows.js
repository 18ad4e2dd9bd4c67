// Rows of a chain as the server tells them: by their place, only what changed. See app/engine/chain_rows_sent.py.

export const PRICES = ["ltp", "chg", "bid", "ask", "iv", "delta", "vol", "oi", "bar", "oichg"];
export const GREEKS = ["gamma", "theta", "vega"];

const words = (text) => text.replace("?", "—").replace("-", "−");

/** One row: its number, its age in seconds (undefined: its price is not newer), and the words of each changed field. */
function rowOf(text, fields) {
  const [head, ...changed] = text.split("|");
  const [number, age] = head.split("+");
  const cells = [];
  changed.forEach((word, place) => {
    if (word !== "") cells.push([fields[place], words(word)]);
  });
  return { number: Number(number), age: age === undefined ? undefined : Number(age || 0), cells };
}

/** All rows of a message. */
export function rowsOf(text, fields) {
  return text === "" ? [] : text.split(";").map((row) => rowOf(row, fields));
}

/** The tone of a change, by its sign. */
export function toneOf(words) {
  if (words === "—") return "none";
  if (words.startsWith("+")) return "up";
  return words.startsWith("−") ? "down" : "flat";
}
