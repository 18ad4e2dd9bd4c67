// A chart of candles: rising ones hollow, falling ones filled, what was not seen shaded, the one that grows dashed.
import uPlot from "uplot";
import { columns, reach, unseen } from "../lib/candles.js";

const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const format = (options) => new Intl.DateTimeFormat("en-IN", { timeZone: "Asia/Kolkata", hour12: false, ...options });
const CLOCK = format({ hour: "2-digit", minute: "2-digit" });
const DAY = format({ day: "2-digit", month: "short" });
const level = (value) => (value == null ? "—" : value.toLocaleString("en-IN", { maximumFractionDigits: 2 }).replace("-", "−"));

const when = (seconds) => `${DAY.format(new Date(seconds * 1000))} ${CLOCK.format(new Date(seconds * 1000))}`;

function shade(chart, rows) {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = tone("--warn-soft");
  for (const [from, to] of unseen(rows)) {
    const left = chart.valToPos(from - 0.5, "x", true);
    ctx.fillRect(left, bbox.top, chart.valToPos(to + 0.5, "x", true) - left, bbox.height);
  }
  ctx.restore();
}

function drawCandle(chart, index, [, open, high, low, close, , , , growing], width) {
  const { ctx } = chart;
  const x = chart.valToPos(index, "x", true);
  const [top, bottom, begin, end] = [high, low, open, close].map((price) => chart.valToPos(price, "y", true));
  ctx.setLineDash(growing ? [3, 2] : []);
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, bottom);
  ctx.stroke();
  const body = [x - width / 2, Math.min(begin, end), width, Math.max(1, Math.abs(end - begin))];
  ctx.fillStyle = close >= open ? tone("--color-base-100") : tone("--mid");
  ctx.fillRect(...body);
  ctx.strokeRect(...body);
}

function drawCandles(chart, rows) {
  const { ctx, bbox } = chart;
  const width = Math.max(1, Math.min(12 * devicePixelRatio, (bbox.width / rows.length) * 0.62));
  ctx.save();
  ctx.strokeStyle = tone("--mid");
  ctx.lineWidth = devicePixelRatio;
  rows.forEach((row, index) => row[4] !== null && drawCandle(chart, index, row, width));
  ctx.restore();
}

function options(element, shown) {
  const axis = { stroke: tone("--low"), grid: { stroke: tone("--line"), width: 1 }, ticks: { show: false }, font: "11px Inter" };
  const value = (chart, at) => level(at);
  const trend = { stroke: tone("--color-primary"), width: 1.6, points: { show: false }, value };
  const hidden = { stroke: "transparent", points: { show: false }, value };
  return {
    ...sizeOf(element),
    cursor: { y: false, points: { show: false } },
    scales: { x: { time: false, range: () => [-0.8, shown.rows.length - 0.2] }, y: { range: () => reach(shown.rows) } },
    axes: [
      { ...axis, size: 28, incrs: [1, 2, 5, 10, 15, 25, 50, 75, 100, 150], values: (chart, ticks) => ticks.map((place) => label(shown.rows, place)) },
      { ...axis, size: 72, space: 32, values: (chart, ticks) => ticks.map(level) },
    ],
    series: [
      { label: "Opened", value: (chart, place) => (shown.rows[place] ? when(shown.rows[place][0]) : "—") },
      { ...hidden, label: "High" },
      { ...hidden, label: "Low" },
      { ...hidden, label: "Close" },
      { ...trend, label: "Line below" },
      { ...trend, label: "Line above", dash: [5, 4] },
    ],
    hooks: { drawClear: [(chart) => shade(chart, shown.rows)], drawAxes: [(chart) => drawCandles(chart, shown.rows)] },
  };
}

/** The time of a candle; the day with the first of each. */
function label(rows, place) {
  const row = rows[place];
  if (!row) return "";
  const day = DAY.format(new Date(row[0] * 1000));
  const before = rows.slice(0, place).at(-1);
  return before && DAY.format(new Date(before[0] * 1000)) === day ? CLOCK.format(new Date(row[0] * 1000)) : day;
}

const sizeOf = (element) => ({ width: element.clientWidth - 8, height: 348 });

function read(element) {
  const told = document.getElementById(element.dataset.source)?.dataset.candles;
  return told ? JSON.parse(told) : [];
}

export default function attach(element) {
  const shown = { rows: [], told: "" };
  let chart;
  const draw = () => {
    chart?.destroy();
    chart = undefined;
    shown.rows = read(element);
    element.hidden = shown.rows.length === 0;
    if (element.hidden) return;
    const { places, high, low, close, below, above } = columns(shown.rows);
    chart = new uPlot(options(element, shown), [places, high, low, close, below, above], element);
  };
  draw();
  new ResizeObserver(() => chart?.setSize(sizeOf(element))).observe(element);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  document.addEventListener("htmx:afterSettle", () => {
    if (!element.isConnected) return;
    const told = document.getElementById(element.dataset.source)?.dataset.candles ?? "";
    if (told !== shown.told) draw();
    shown.told = told;
  });
}
