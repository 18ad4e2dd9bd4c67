// How much of a curve of profit is seen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SHARE, shownRange } from "../../../app/static/src/js/lib/curverange.js";

const TABLE = [
  ["no limits: the curve and zero", [200, 900, []], [0, 900]],
  ["below zero all the time", [-900, -200, []], [-900, 0]],
  ["a limit far away would flatten it", [-300, 200, [-10000]], [-300, 200]],
  ["a limit that is near is seen", [-300, 200, [-1500]], [-1500, 200]],
  ["near on one side, far on the other", [-300, 200, [-1500, 40000]], [-1500, 200]],
  ["what both together would flatten, the nearer", [-300, 200, [1700, -1500]], [-1500, 200]],
  ["a curve that did not move", [0, 0, [-10000]], [-100, 100]],
  ["a limit that was passed", [-1200, 0, [-1000]], [-1200, 0]],
];

for (const [name, [low, high, limits], shown] of TABLE) {
  test(name, () => assert.deepEqual(shownRange(low, high, limits), shown));
}

test("the curve keeps its share of the height, whatever the limits", () => {
  for (let level = 10; level < 1_000_000; level *= 1.7) {
    const [least, most] = shownRange(-70, 30, [-level, level]);
    assert.ok(100 / (most - least) >= SHARE);
  }
});
