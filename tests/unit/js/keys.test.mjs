// What a key means on a page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { press, REST } from "../../../app/static/src/js/lib/keys.js";

const at = (key, more = {}) => ({ key, ctrl: false, alt: false, at: 0, busy: false, ...more });

const TABLE = [
  [at("k", { ctrl: true }), "find"], [at("K", { ctrl: true }), "find"], [at("k", { ctrl: true, busy: true }), "find"],
  [at("/"), "filter"], [at("?"), "help"], [at("d"), null], [at("Enter"), null],
  [at("/", { busy: true }), null], [at("?", { busy: true }), null], [at("/", { ctrl: true }), null],
];

for (const [given, wanted] of TABLE) test(JSON.stringify(given), () => assert.equal(press(REST, given)[1], wanted));

test("a letter after g goes there", () => {
  const [begun] = press(REST, at("g", { at: 100 }));
  assert.deepEqual(press(begun, at("d", { at: 900 })), [REST, "go d"]);
});

test("not when it comes late, in a field, with control, or after another key", () => {
  const [begun] = press(REST, at("g"));
  assert.equal(press(begun, at("d", { at: 1201 }))[1], null);
  assert.equal(press(begun, at("d", { at: 5, busy: true }))[1], null);
  assert.equal(press(begun, at("d", { at: 5, ctrl: true }))[1], null);
  const [after] = press(begun, at("Shift", { at: 5 }));
  assert.equal(press(after, at("d", { at: 6 }))[1], null);
});

test("g in a field begins nothing", () => assert.deepEqual(press(REST, at("g", { busy: true })), [REST, null]));
