// The payoff of the builder: asks the server what the legs on the page would be worth, and draws what it answers.
import uPlot from "uplot";
import { lastDay, spans, standsAt } from "../lib/payoff.js";
import { attachAll } from "../loader.js";

const TYPED_MS = 350;
const SLID_MS = 100;
const MARGIN_MS = 1200;
const AGAIN_MS = 5000;

const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const rupees = (value) => (value == null ? "—" : Math.round(value).toLocaleString("en-IN").replace("-", "−"));

/** A vertical line at an index level. */
function line(chart, at, colour, dash) {
  const x = Math.round(chart.valToPos(at, "x", true));
  const { top, height } = chart.bbox;
  const { ctx } = chart;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.setLineDash(dash);
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, top);
  ctx.lineTo(x, top + height);
  ctx.stroke();
  ctx.restore();
}

function shade(chart, curve) {
  const { top, height, left, width } = chart.bbox;
  const { ctx } = chart;
  ctx.save();
  ctx.fillStyle = tone("--hover");
  for (const [low, high] of spans(curve.spot, curve.deviation)) {
    const from = Math.max(left, chart.valToPos(low, "x", true));
    const to = Math.min(left + width, chart.valToPos(high, "x", true));
    if (to > from) ctx.fillRect(from, top, to - from, height);
  }
  ctx.restore();
}

function rings(chart, curve) {
  const { ctx } = chart;
  const y = chart.valToPos(0, "y", true);
  ctx.save();
  ctx.strokeStyle = tone("--hi");
  ctx.fillStyle = tone("--color-base-100");
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([]);
  for (const each of curve.breakEvens) {
    ctx.beginPath();
    ctx.arc(chart.valToPos(each, "x", true), y, 4 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.stroke();
  }
  ctx.restore();
}

/** One colour above zero and another below: a gradient with a hard edge there. */
function split(above, below) {
  return (chart) => {
    const { top, height } = chart.bbox;
    if (!Number.isFinite(top + height)) return tone(above); // not laid out yet: the legend asks
    const gradient = chart.ctx.createLinearGradient(0, top, 0, top + height);
    const zero = Math.min(1, Math.max(0, (chart.valToPos(0, "y", true) - top) / height));
    if (Number.isNaN(zero)) return tone(above);
    gradient.addColorStop(zero, tone(above));
    gradient.addColorStop(zero, tone(below));
    return gradient;
  };
}

const sizeOf = (element) => ({ width: element.clientWidth - 8, height: 252 });

function options(element, curve) {
  const axis = { stroke: tone("--low"), grid: { stroke: tone("--line"), width: 1 }, ticks: { show: false }, font: "11px Inter" };
  const value = (chart, at) => rupees(at);
  return {
    ...sizeOf(element),
    pxAlign: false,
    cursor: { y: false, points: { size: 6 } },
    scales: { x: { time: false }, y: { range: (chart, low, high) => [Math.min(low, 0) * 1.08, Math.max(high, 0) * 1.08] } },
    axes: [
      { ...axis, size: 28, values: (chart, ticks) => ticks.map((level) => level.toLocaleString("en-IN")) },
      { ...axis, size: 72, space: 32, values: (chart, ticks) => ticks.map(rupees) },
    ],
    series: [
      { label: "Index", value },
      { label: "At expiry", value, stroke: split("--up", "--down"), fill: split("--up-soft", "--down-soft"), width: 2.25, points: { show: false } },
      { label: "That day", value, stroke: tone("--color-primary"), dash: [6, 4], width: 1.6, points: { show: false } },
    ],
    hooks: {
      drawClear: [(chart) => shade(chart, curve)],
      draw: [
        (chart) => {
          line(chart, curve.spot, tone("--warn"), []);
          if (curve.there !== curve.spot) line(chart, curve.there, tone("--color-primary"), [3, 3]);
          rings(chart, curve);
        },
      ],
    },
  };
}

/** Asks once at a time: what was asked before is given up. */
function asker(url) {
  let under;
  return async (fields) => {
    under?.abort();
    under = new AbortController();
    const answer = await fetch(url, { method: "POST", body: fields, signal: under.signal });
    if (answer.redirected) location.reload(); // the sign-in page
    return answer.ok || answer.status === 422 ? answer.text() : null;
  };
}

function fieldsOf(form, sliders) {
  const fields = new URLSearchParams(new FormData(form));
  for (const [name, value] of sliders ? new FormData(sliders) : []) fields.append(name, value);
  return fields;
}

class Picture {
  constructor(section) {
    this.element = section.querySelector("[data-payoff-chart]");
    this.section = section;
    new ResizeObserver(() => this.chart?.setSize(sizeOf(this.element))).observe(this.element);
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  get source() {
    return this.section.querySelector("#payoff-data");
  }

  /** What the last answer says; null where it draws nothing. */
  get curve() {
    return this.source?.dataset.curve ? JSON.parse(this.source.dataset.curve) : null;
  }

  draw() {
    this.chart?.destroy();
    this.chart = undefined;
    const { curve } = this;
    this.element.hidden = curve === null;
    if (curve === null) return;
    const columns = [curve.spots, curve.expiry, curve.day ?? curve.spots.map(() => null)];
    this.chart = new uPlot(options(this.element, curve), columns, this.element);
  }
}

function showSliders(section, picture) {
  const facts = { spot: picture.curve?.spot, daysLeft: Number(picture.source?.dataset.daysLeft ?? Number.NaN) };
  for (const slider of section.querySelectorAll("input[type=range]")) {
    if (slider.name === "whatif_days") slider.max = lastDay(facts.daysLeft);
    if (slider.name !== "whatif_spot") slider.disabled = !Number.isFinite(facts.daysLeft);
    section.querySelector(`[data-shows="${slider.name}"]`).textContent = standsAt(slider.name, Number(slider.value), facts);
  }
}

export default function attach(section) {
  const form = section.closest("form");
  const sliders = document.getElementById("whatif");
  const picture = new Picture(section);
  const figures = section.querySelector("[data-payoff-figures]");
  const margin = section.querySelector("[data-payoff-margin]");
  const [ask, askMargin] = [asker(section.dataset.url), asker(margin.dataset.payoffMargin)];
  const timers = {};
  const after = (name, ms, act) => {
    clearTimeout(timers[name]);
    timers[name] = setTimeout(act, ms);
  };
  const put = async (element, asking) => {
    const html = await asking.catch((error) => (error.name === "AbortError" ? null : ""));
    if (html) {
      element.innerHTML = html;
      attachAll(element);
    }
    return Boolean(html);
  };
  const refresh = async () => {
    if (!(await put(figures, ask(fieldsOf(form, sliders))))) return;
    picture.draw();
    showSliders(section, picture);
  };
  const refreshMargin = () => put(margin, askMargin(fieldsOf(form)));

  for (const hidden of section.querySelectorAll("[data-whatif]")) hidden.hidden = false;
  picture.draw();
  showSliders(section, picture);
  section.addEventListener("input", (event) => {
    event.stopPropagation();
    showSliders(section, picture);
    after("ask", SLID_MS, refresh);
  });
  sliders.addEventListener("reset", () => after("ask", 0, refresh));
  form.addEventListener("input", () => {
    after("ask", TYPED_MS, refresh);
    after("margin", MARGIN_MS, refreshMargin);
  });
  form.addEventListener("click", (event) => {
    if (!event.target.closest("[data-leg]")) return;
    after("ask", TYPED_MS, refresh);
    after("margin", MARGIN_MS, refreshMargin);
  });
  after("margin", 0, refreshMargin);
  const timer = setInterval(() => {
    if (!section.isConnected) clearInterval(timer);
    else if (!document.hidden) refresh();
  }, AGAIN_MS);
}
