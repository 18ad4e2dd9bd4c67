// Rows of a chain as they come, and the columns somebody chose.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COLUMNS, keep, listed, moved, remembered, reset, shown } from "../../../app/static/src/js/lib/chaincolumns.js";
import { GREEKS, PRICES, rowsOf, toneOf } from "../../../app/static/src/js/lib/chainrows.js";

test("a row names the figures that changed by their place", () => {
  assert.deepEqual(rowsOf("40+|131.05|-2.10|||12.3", PRICES), [
    { number: 40, age: 0, cells: [["ltp", "131.05"], ["chg", "−2.10"], ["iv", "12.3"]] },
  ]);
  assert.deepEqual(rowsOf("3|0.00110||?", GREEKS), [{ number: 3, age: undefined, cells: [["gamma", "0.00110"], ["vega", "—"]] }]);
});

test("an age stands with the number, without any figure if need be", () => {
  assert.deepEqual(rowsOf("7+2.5;8+", PRICES), [
    { number: 7, age: 2.5, cells: [] },
    { number: 8, age: 0, cells: [] },
  ]);
});

test("no rows are none", () => assert.deepEqual(rowsOf("", PRICES), []));

for (const [words, tone] of [["+1.00", "up"], ["−0.40", "down"], ["0.00", "flat"], ["—", "none"]]) {
  test(`a change of ${words} is ${tone}`, () => assert.equal(toneOf(words), tone));
}

const storage = (text) => ({ getItem: () => text, setItem: (_, value) => (text = value), text: () => text });

test("nothing remembered is the price view with all its columns", () => {
  assert.deepEqual(shown(remembered(storage(null))), ["oi", "oichg", "vol", "iv", "delta", "chg", "bid", "ask", "ltp"]);
});

test("what was hidden stays hidden, the price never is", () => {
  const kept = storage(null);
  keep(kept, { view: "greeks", hidden: ["theta", "ltp", "oi"] });
  assert.deepEqual(shown(remembered(kept)), ["gamma", "vega", "iv", "delta", "chg", "ltp"]);
});

test("columns move among those of the view, and what is beyond either end stays", () => {
  const choice = { view: "greeks", hidden: [], order: COLUMNS };
  assert.deepEqual(listed({ ...choice, order: moved(choice, "iv", -1) }), ["gamma", "theta", "iv", "vega", "delta", "chg", "ltp"]);
  assert.deepEqual(listed({ ...choice, order: moved(choice, "gamma", 1) }), ["theta", "gamma", "vega", "iv", "delta", "chg", "ltp"]);
  for (const [name, by] of [["gamma", -1], ["ltp", 1], ["bid", 1]]) assert.deepEqual(moved(choice, name, by), COLUMNS);
});

test("an order is remembered, and columns it does not know follow it", () => {
  const kept = storage(JSON.stringify({ view: "price", hidden: ["vol"], order: ["ltp", "iv", "ltp", "nonsense", 7] }));
  assert.deepEqual(shown(remembered(kept)), ["ltp", "iv", "oi", "oichg", "delta", "chg", "bid", "ask"]);
  assert.deepEqual(reset(remembered(kept)), { view: "price", hidden: [], order: COLUMNS });
});

for (const text of ["no json", "[]", '{"view":"toString","hidden":"all"}', "7"]) {
  test(`what makes no sense is nothing remembered: ${text}`, () => {
    assert.deepEqual(remembered(storage(text)), { view: "price", hidden: [], order: COLUMNS });
  });
}
