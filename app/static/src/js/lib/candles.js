// Candles as the server tells them, put into the columns of a chart.

/** Rows of opens, open, high, low, close, line, direction, unseen, growing; places of the first of each day. */
export function columns(rows) {
  const at = (place) => rows.map((row) => row[place]);
  const [line, way] = [at(5), at(6)];
  // A line that turns is two lines: neither is drawn across the turn.
  const where = (wanted) => line.map((level, index) => (way[index] === wanted ? level : null));
  return { opens: at(0), places: rows.map((_, index) => index), low: at(3), high: at(2), close: at(4), below: where(-1), above: where(1) };
}

/** The lowest and highest of all, with a little room; one that is flat has room too. */
export function reach(rows) {
  const levels = rows.flatMap((row) => [row[2], row[3], row[5]]).filter((level) => level !== null);
  if (levels.length === 0) return [0, 1];
  const [low, high] = [Math.min(...levels), Math.max(...levels)];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.02 || 1;
  return [low - room, high + room];
}

/** Stretches of places next to each other that somebody did not see. */
export function unseen(rows) {
  const found = [];
  rows.forEach((row, index) => {
    if (!row[7]) return;
    if (found.at(-1)?.[1] === index - 1) found.at(-1)[1] = index;
    else found.push([index, index]);
  });
  return found;
}
