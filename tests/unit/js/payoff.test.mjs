// What the sliders of a payoff say.
import assert from "node:assert/strict";
import { test } from "node:test";
import { lastDay, spans, standsAt } from "../../../app/static/src/js/lib/payoff.js";

const facts = { spot: 26000, daysLeft: 4.2 };

for (const [name, value, words] of [
  ["whatif_spot", 0, "as it is"],
  ["whatif_spot", 1, "26,260 (+1.0 %)"],
  ["whatif_spot", -2.5, "25,350 (−2.5 %)"],
  ["whatif_days", 0, "now"],
  ["whatif_days", 1, "in 1 day"],
  ["whatif_days", 2.25, "in 2.25 days"],
  ["whatif_days", 4.25, "at expiry"],
  ["whatif_iv", 0, "as it is"],
  ["whatif_iv", -1.5, "−1.5 points"],
]) {
  test(`${name} at ${value} says ${words}`, () => assert.equal(standsAt(name, value, facts), words));
}

test("without an index only the percent is said, and without days no expiry", () => {
  const unknown = { spot: undefined, daysLeft: Number.NaN };
  assert.equal(standsAt("whatif_spot", 1, unknown), "+1.0 %");
  assert.equal(standsAt("whatif_days", 3, unknown), "in 3 days");
});

test("the slider of the days ends at the first quarter of a day after the expiry, and at 0 while that is unknown", () => {
  assert.deepEqual([4.2, 4.25, 0.1, 0, Number.NaN].map(lastDay), [4.25, 4.25, 0.25, 0, 0]);
});

test("spans are of two and one deviations, none while it is unknown", () => {
  assert.deepEqual(spans(100, 10), [[80, 120], [90, 110]]);
  assert.deepEqual(spans(100, null), []);
});
