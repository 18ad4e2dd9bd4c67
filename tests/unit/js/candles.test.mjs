// Candles put into the columns of a chart.
import assert from "node:assert/strict";
import { test } from "node:test";
import { columns, reach, unseen } from "../../../app/static/src/js/lib/candles.js";

const row = (opens, close, line = null, way = 0, gap = 0) => [opens, close, close === null ? null : close + 1, close === null ? null : close - 1, close, line, way, gap, 0];

test("a line that turns is drawn as two, each empty where the other is", () => {
  const { below, above, places } = columns([row(0, 10, 8, -1), row(1, 11, 9, -1), row(2, 7, 12, 1)]);
  assert.deepEqual([below, above, places], [[8, 9, null], [null, null, 12], [0, 1, 2]]);
});

test("the scale holds every candle and the line, flat ones too, and passes over what has no price", () => {
  const [low, high] = reach([row(0, 10, 4, -1), row(1, null), row(2, 30)]);
  assert.ok(low < 4 && high > 31);
  assert.ok(reach([row(0, 5)])[0] < reach([row(0, 5)])[1]);
  assert.deepEqual(reach([row(0, null)]), [0, 1]);
});

test("what was not seen is told as stretches", () => {
  const rows = [0, 1, 1, 0, 1].map((gap, index) => row(index, 10, null, 0, gap));
  assert.deepEqual(unseen(rows), [[1, 2], [4, 4]]);
});
