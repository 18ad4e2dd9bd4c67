// The rules of the leg form that the browser shows before the server checks them.

/** The next free leg number: field names keep their number, so a removed leg leaves a gap and no two collide. */
export function nextLegNumber(names) {
  const numbers = names.map((name) => /^legs-(\d+)-/.exec(name)).filter(Boolean).map((found) => Number(found[1]));
  return numbers.length === 0 ? 0 : Math.max(...numbers) + 1;
}

/** Which parts of the strike rule a leg uses: a future has none, ATM needs no value. */
export function strikeParts(kind, method) {
  if (kind === "FUT") return { method: false, value: false };
  return { method: true, value: method !== "ATM" };
}

/** Which prices a price type takes: "market" is priced by the desk. */
export function priceParts(type) {
  return { limit: type === "LIMIT" || type === "SL", trigger: type === "SL" || type === "SL-M" };
}

/** What the value of a strike rule means, for its placeholder. */
export function valueHint(method) {
  return { ITM: "strikes, 1-20", OTM: "strikes, 1-20", STRIKE: "strike", PREMIUM_NEAR: "₹ premium" }[method] ?? "";
}
