// A curve of profit: one line, split at zero, with the limits that are near drawn at their level; a dashed one where
// the points have a second figure, what is left after charges.
import uPlot from "uplot";
import { shownRange } from "../lib/curverange.js";

const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const IST = new Intl.DateTimeFormat("en-IN", { timeZone: "Asia/Kolkata", hour: "2-digit", minute: "2-digit", hour12: false });

/** A label each minute at most: the points are minutes. */
const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120].map((minutes) => minutes * 60);

function options(element, { limits, hasNet }, range) {
  const axis = { stroke: tone("--low"), grid: { stroke: tone("--line"), width: 1 }, ticks: { show: false }, font: "11px Inter" };
  return {
    ...sizeOf(element),
    cursor: { y: false, points: { size: 6 } },
    legend: { show: false },
    scales: { x: { time: true }, y: { range } },
    axes: [
      { ...axis, size: 28, incrs: MINUTES, values: (chart, ticks) => ticks.map((at) => IST.format(new Date(at * 1000))) },
      { ...axis, size: 64, space: 32, values: (chart, ticks) => ticks.map((rupees) => rupees.toLocaleString("en-IN").replace("-", "−")) },
    ],
    series: [{}, { stroke: splitAtZero("--up", "--down"), fill: splitAtZero("--up-soft", "--down-soft"), width: 1.6, points: { show: false } }, ...(hasNet ? [NET()] : []), ...limits.map(limitSeries)],
  };
}

/** Paints with one colour above zero and another below: a gradient with a hard edge at zero. */
function splitAtZero(above, below) {
  return (chart) => {
    const top = chart.bbox.top;
    const bottom = top + chart.bbox.height;
    const gradient = chart.ctx.createLinearGradient(0, top, 0, bottom);
    const zero = Math.min(1, Math.max(0, (chart.valToPos(0, "y", true) - top) / (bottom - top)));
    if (Number.isNaN(zero)) return tone(above);
    gradient.addColorStop(zero, tone(above));
    gradient.addColorStop(zero, tone(below));
    return gradient;
  };
}

const limitSeries = (level) => ({ stroke: tone(level < 0 ? "--down" : "--up"), dash: [5, 4], width: 1, points: { show: false } });

const NET = () => ({ stroke: tone("--mid"), dash: [3, 3], width: 1.2, points: { show: false } });

const sizeOf = (element) => ({ width: element.clientWidth - 8, height: element.clientHeight - 12 });

/** The points and limits as the last fragment brought them. */
function read(element) {
  const source = document.getElementById(element.dataset.source);
  const points = JSON.parse(source.dataset.points);
  const limits = JSON.parse(source.dataset.limits);
  const hasNet = points.some((point) => point.length > 2);
  const columns = points[0].map((_, part) => points.map((point) => point[part]));
  const figures = points.flatMap((point) => point.slice(1)).filter((figure) => figure !== null);
  const extent = [Math.min(0, ...figures), Math.max(0, ...figures)];
  return { limits, hasNet, extent, columns: [...columns, ...limits.map((level) => points.map(() => level))] };
}

export default function attach(element) {
  let shown = read(element);
  const make = () => new uPlot(options(element, shown, () => shownRange(...shown.extent, shown.limits)), shown.columns, element);
  let chart = make();
  const draw = () => {
    chart.destroy();
    chart = make();
  };
  new ResizeObserver(() => chart.setSize(sizeOf(element))).observe(element);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  document.addEventListener("htmx:afterSettle", () => {
    if (!element.isConnected || !document.getElementById(element.dataset.source)) return;
    const before = shown.limits.join();
    shown = read(element);
    if (shown.limits.join() === before) chart.setData(shown.columns);
    else draw();
  });
}
