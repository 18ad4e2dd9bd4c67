// How old a figure is and what that does to it: late after 3 s, stale after 10 s.
export const LATE_S = 3;
export const STALE_S = 10;

/** `fresh`, `late` or `stale`; an age that is not known is stale: nothing confirms the figure. */
export function staleness(ageS) {
  if (ageS === null || Number.isNaN(ageS) || ageS >= STALE_S) return "stale";
  return ageS >= LATE_S ? "late" : "fresh";
}

/** An age for people: 0.4 s, 12 s, 3 min, 2 h. */
export function ageText(ageS) {
  if (ageS === null || Number.isNaN(ageS)) return "—";
  if (ageS < 10) return `${ageS.toFixed(1)} s`;
  if (ageS < 120) return `${Math.floor(ageS)} s`;
  if (ageS < 7200) return `${Math.floor(ageS / 60)} min`;
  return `${Math.floor(ageS / 3600)} h`;
}
