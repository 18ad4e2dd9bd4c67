// What a key means on a page: go somewhere after g, find, filter, help; nothing while somebody types or is asked.
const GO_WITHIN_MS = 1200;

/** Nothing has been begun. */
export const REST = { since: null };

/** What `key` does at `at` (ms), after `state`: the next state and an action, null for none. An action is `find`,
 *  `filter`, `help` or `go d` with the letter that followed g. */
export function press(state, { key, ctrl, alt, at, busy }) {
  if (ctrl && !alt && key.toLowerCase() === "k") return [REST, "find"];
  if (ctrl || alt || busy) return [REST, null];
  if (state.since !== null && at - state.since <= GO_WITHIN_MS && /^[a-z]$/.test(key)) return [REST, `go ${key}`];
  if (key === "g") return [{ since: at }, null];
  return [REST, { "/": "filter", "?": "help" }[key] ?? null];
}
