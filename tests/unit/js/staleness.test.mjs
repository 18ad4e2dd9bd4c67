// Ages and what they do to a figure.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ageText, staleness } from "../../../app/static/src/js/lib/staleness.js";

for (const [age, state] of [[0, "fresh"], [2.9, "fresh"], [3, "late"], [9.9, "late"], [10, "stale"], [9000, "stale"]]) {
  test(`${age} s is ${state}`, () => assert.equal(staleness(age), state));
}

test("an age nobody knows is stale: nothing confirms the figure", () => {
  assert.equal(staleness(null), "stale");
  assert.equal(staleness(Number.NaN), "stale");
});

for (const [age, text] of [[0, "0.0 s"], [0.44, "0.4 s"], [9.94, "9.9 s"], [12.9, "12 s"], [119, "119 s"], [120, "2 min"], [7199, "119 min"], [7200, "2 h"], [null, "—"]]) {
  test(`${age} reads ${text}`, () => assert.equal(ageText(age), text));
}
