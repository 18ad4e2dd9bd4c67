// What a live message does to a cell.
import assert from "node:assert/strict";
import { test } from "node:test";
import { barWidth, cellOf, mayTint, toneChange } from "../../../app/static/src/js/lib/cells.js";

test("plain text is a cell with text alone", () => {
  assert.deepEqual(cellOf("1.00"), { text: "1.00" });
  assert.deepEqual(cellOf({ age_s: 2 }), { age_s: 2 });
});

test("a tone replaces every other tone", () => {
  const change = toneChange("down");
  assert.equal(change.add, "down");
  assert.ok(change.remove.includes("up") && change.remove.includes("stale") === false && !change.remove.includes("down"));
});

test("a tone nobody knows is an error, not a colour", () => {
  assert.throws(() => toneChange("pink"), /Unknown tone "pink"/);
});

for (const [given, width] of [[0, 0], [42, 42], ["42.5", 42.5], [250, 100], [-3, 0], [null, 0], [undefined, 0], ["x", 0]]) {
  test(`a bar of ${given} is ${width} wide`, () => assert.equal(barWidth(given), width));
}

test("a cell is tinted at most once a second", () => {
  assert.ok(mayTint(undefined, 0));
  assert.ok(!mayTint(1000, 1999));
  assert.ok(mayTint(1000, 2000));
});
