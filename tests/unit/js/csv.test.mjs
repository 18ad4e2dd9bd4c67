// A table as comma-separated values.
import assert from "node:assert/strict";
import { test } from "node:test";
import { csvText, field, fileName } from "../../../app/static/src/js/lib/csv.js";

const TABLE = [
  ["₹4,72,236.59", "472236.59"], ["−1,918", "-1918"], ["+20", "20"], ["0", "0"], ["−₹5,000.00", "-5000.00"],
  ["47.24 L", "47.24 L"], ["79 ms", "79 ms"], ["—", ""], ["unknown", "unknown"],
  ["  Simulator 1\n   In sync ", "Simulator 1 In sync"], ["1 lot (65)", "1 lot (65)"],
  ["=HYPERLINK(1)", "'=HYPERLINK(1)"], ["@x", "'@x"], ["+x", "'+x"], ["-2+3", "'-2+3"],
];

for (const [shown, wanted] of TABLE) test(`${JSON.stringify(shown)} is ${wanted}`, () => assert.equal(field(shown), wanted));

test("what would end a field is quoted", () => {
  assert.equal(csvText([["Account", "Why"], ['O"Brien', "a, b"]]), 'Account,Why\r\n"O""Brien","a, b"\r\n');
});

test("a file says what it holds and when, in India", () => {
  assert.equal(fileName("Accounts × legs", new Date("2026-11-23T04:05:00Z")), "accounts-legs-2026-11-23-0935.csv");
});
