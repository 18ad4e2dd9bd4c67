// Filtering and ordering of table rows, on what their cells say.

const NUMBER = /^[+-]?\d+(\.\d+)?(L|Cr|%|ms|s)?$/;
const SCALES = { L: 1e5, Cr: 1e7 };

/** A cell's text as something to order by: a number where it reads as one (lots count as their units), else
 *  lower-case text; null when unknown. */
export function sortKey(text) {
  const shown = text.trim();
  if (shown === "" || shown === "—" || shown === "unknown") return null;
  const size = /^[\d,]+ lots? \(([\d,]+)\)$/.exec(shown);
  const number = NUMBER.exec((size ? size[1] : shown).replace(/[₹,\s]/g, "").replace("−", "-"));
  if (!number) return shown.toLowerCase();
  return parseFloat(number[0]) * (SCALES[number[2]] ?? 1);
}

/** Order of two keys; unknown always last, whichever the direction (1 ascending, -1 descending). */
export function compareKeys(a, b, direction) {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === typeof b) return direction * (typeof a === "number" ? a - b : a.localeCompare(b));
  return typeof a === "number" ? -1 : 1;
}

/** Whether a row's text holds every word of the filter, in any order, whatever the case. */
export function matches(rowText, filter) {
  const text = rowText.toLowerCase();
  return filter.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
