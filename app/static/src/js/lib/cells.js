// What a live message changes in a cell, decided without the page so that it can be tested.
const TONES = ["up", "down", "flat", "warn", "bad", "none", "live", "late", "lost", "off"];

/** A cell as an object: the wire carries plain text where text is all there is. */
export function cellOf(value) {
  return typeof value === "string" ? { text: value } : value;
}

/** The class names to add and to remove so that an element shows `tone` alone. Raises on a tone it does not know. */
export function toneChange(tone) {
  if (!TONES.includes(tone)) throw new Error(`Unknown tone "${tone}".`);
  return { add: tone, remove: TONES.filter((other) => other !== tone) };
}

/** Bar width inside 0..100; anything that is not a number is no bar at all. */
export function barWidth(value) {
  const width = Number(value);
  if (value === null || value === undefined || Number.isNaN(width)) return 0;
  return Math.min(100, Math.max(0, width));
}

/** Whether a changed figure may be tinted again: at most once a second per cell. Times in milliseconds. */
export function mayTint(lastTint, now) {
  return lastTint === undefined || now - lastTint >= 1000;
}
