// The rules of the leg form.
import assert from "node:assert/strict";
import { test } from "node:test";
import { nextLegNumber, priceParts, strikeParts, valueHint } from "../../../app/static/src/js/lib/legs.js";

test("a new leg takes the number after the highest, so that a gap is never filled twice", () => {
  assert.equal(nextLegNumber([]), 0);
  assert.equal(nextLegNumber(["name", "legs-0-side", "legs-4-side", "legs-2-kind"]), 5);
});

for (const [kind, method, parts] of [
  ["FUT", "OTM", { method: false, value: false }],
  ["CE", "ATM", { method: true, value: false }],
  ["PE", "PREMIUM_NEAR", { method: true, value: true }],
]) {
  test(`${kind} by ${method} uses ${JSON.stringify(parts)}`, () => assert.deepEqual(strikeParts(kind, method), parts));
}

for (const [type, parts] of [
  ["MARKET", { limit: false, trigger: false }],
  ["LIMIT", { limit: true, trigger: false }],
  ["SL", { limit: true, trigger: true }],
  ["SL-M", { limit: false, trigger: true }],
]) {
  test(`${type} takes ${JSON.stringify(parts)}`, () => assert.deepEqual(priceParts(type), parts));
}

test("a value says what it means", () => {
  assert.equal(valueHint("OTM"), "strikes, 1-20");
  assert.equal(valueHint("ATM"), "");
});
