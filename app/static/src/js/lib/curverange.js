// How much of a curve of profit is seen: the curve itself, zero, and the limits that are near enough not to flatten it.

/** The least share of the height that the curve keeps when a limit is drawn with it. */
export const SHARE = 0.25;

/** What a curve that did not move is given above and below, in rupees, so that it is a line and not an edge. */
const STILL = 100;

/** The lowest and highest rupees to show: `low` and `high` of the curve, and of `limits` those that leave it its share. */
export function shownRange(low, high, limits) {
  const bottom = Math.min(low, 0);
  const top = Math.max(high, 0);
  const seen = top > bottom ? [bottom, top] : [-STILL, STILL];
  const room = (seen[1] - seen[0]) / SHARE;
  return [...limits]
    .sort((one, other) => Math.abs(one) - Math.abs(other))
    .reduce(([least, most], level) => {
      const wider = [Math.min(least, level), Math.max(most, level)];
      return wider[1] - wider[0] <= room ? wider : [least, most];
    }, seen);
}
