// Ordering and filtering of rows by what their cells say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { compareKeys, matches, sortKey } from "../../../app/static/src/js/lib/sorting.js";

const keys = [
  ["+1,840", 1840],
  ["−2,260", -2260],
  ["₹1,23,456.50", 123456.5],
  ["−₹12.00", -12],
  ["1.23 L", 123000],
  ["2.10 Cr", 21000000],
  ["98,450", 98450],
  ["142 ms", 142],
  ["42%", 42],
  ["0", 0],
  ["4 lots (260)", 260],
  ["1 lot (65)", 65],
  ["short 4 lots (260)", "short 4 lots (260)"],
  ["Zerodha 1", "zerodha 1"],
  ["—", null],
  ["unknown", null],
  ["", null],
];
for (const [text, key] of keys) test(`"${text}" orders as ${key}`, () => assert.equal(sortKey(text), key));

test("unknown stands last in both directions", () => {
  const shown = ["—", "+5", "−3", "unknown", "0"];
  const ordered = (direction) => shown.map(sortKey).sort((a, b) => compareKeys(a, b, direction));
  assert.deepEqual(ordered(1), [-3, 0, 5, null, null]);
  assert.deepEqual(ordered(-1), [5, 0, -3, null, null]);
});

test("numbers stand before words", () => {
  assert.ok(compareKeys(5, "a", 1) < 0);
  assert.ok(compareKeys("a", 5, 1) > 0);
});

test("a filter wants every word, in any order and case", () => {
  assert.ok(matches("Dhan 2 Rejected RMS", "rejected dhan"));
  assert.ok(!matches("Dhan 2 Rejected RMS", "rejected fyers"));
  assert.ok(matches("anything", ""));
});
