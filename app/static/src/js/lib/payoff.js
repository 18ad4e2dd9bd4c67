// What the sliders of a payoff say of where they stand, and how far the one of the days goes.

const plus = (value) => (value > 0 ? "+" : value < 0 ? "−" : "");
const fixed = (value, places) => Math.abs(value).toFixed(places);

/** The end of the slider of the days: the first expiry, on its quarters of a day. */
export function lastDay(daysLeft) {
  return Number.isFinite(daysLeft) && daysLeft > 0 ? Math.ceil(daysLeft * 4) / 4 : 0;
}

/** As `26,446.20 (+1.0 %)`, `in 2.25 days`, `+2.5 points`; where nothing is changed it says so. */
export function standsAt(name, value, { spot, daysLeft }) {
  if (name === "whatif_days") {
    if (value === 0) return "now";
    return Number.isFinite(daysLeft) && value >= daysLeft ? "at expiry" : `in ${value} ${value === 1 ? "day" : "days"}`;
  }
  if (value === 0) return "as it is";
  if (name === "whatif_iv") return `${plus(value)}${fixed(value, 1)} points`;
  const percent = `${plus(value)}${fixed(value, 1)} %`;
  if (!Number.isFinite(spot)) return percent;
  return `${(spot * (1 + value / 100)).toLocaleString("en-IN", { maximumFractionDigits: 0 })} (${percent})`;
}

/** The spans of one and two standard deviations around the index, the wide one first; none while that is unknown. */
export function spans(spot, deviation) {
  if (!Number.isFinite(deviation)) return [];
  return [2, 1].map((times) => [spot - times * deviation, spot + times * deviation]);
}
