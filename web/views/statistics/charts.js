/** Charts in plain SVG. A hidden table, or the visible text, says the same to a screen reader. */
import { h } from "../../dom.js";

const SVG = "http://www.w3.org/2000/svg";
/** The room of one bar, and the height of the highest, in units of the drawing. */
const STEP = 10;
const HEIGHT = 100;

/**
 * - label: what the bar stands for; text: its value in words
 * @typedef {{ label: string, value: number, text: string }} Bar
 */

/**
 * Vertical bars, stretched to the width that there is.
 * @param {string} title
 * @param {Bar[]} bars
 * @param {{ axis: string[], isEven?: boolean }} options `axis`: texts below the bars, spread over
 *   the width; `isEven`: each below the start of its part
 */
export function barChart(title, bars, { axis, isEven = false }) {
  const most = Math.max(...bars.map((bar) => bar.value), 1);
  const highest = bars.find((bar) => bar.value === most);
  const drawing = svg("svg", {
    viewBox: `0 0 ${bars.length * STEP} ${HEIGHT}`,
    preserveAspectRatio: "none",
    "aria-hidden": "true",
  });
  bars.forEach((bar, index) => {
    const height = (bar.value / most) * HEIGHT;
    const group = svg("g", {});
    const name = svg("title", {});
    name.textContent = `${bar.label}: ${bar.text}`;
    const [x, width] = [index * STEP, STEP];
    group.append(
      name,
      svg("rect", { class: "room", x, y: 0, width, height: HEIGHT }),
      svg("rect", { class: "value", x: x + 1, y: HEIGHT - height, width: width - 2, height }),
    );
    drawing.append(group);
  });
  const scale = h("p", { class: "chart-scale", "aria-hidden": "true" }, highest?.text ?? "");
  const below = h(
    "p",
    { class: isEven ? "chart-axis even" : "chart-axis", "aria-hidden": "true" },
    ...axis.map((text) => h("span", {}, text)),
  );
  return h("div", { class: "chart" }, scale, drawing, below, table(title, bars));
}

/** @param {string} title @param {Bar[]} bars */
function table(title, bars) {
  const rows = bars.map((bar) =>
    h("tr", {}, h("th", { scope: "row" }, bar.label), h("td", {}, bar.text)),
  );
  return h(
    "div",
    { class: "sr-only" },
    h("table", {}, h("caption", {}, title), h("tbody", {}, ...rows)),
  );
}

/**
 * A list in which a line below each item shows its part of the first.
 * @param {(Bar & { href?: string })[]} items the largest first
 */
export function ranking(items) {
  const most = Math.max(...items.map((item) => item.value), 1);
  const rows = items.map(({ label, value, text, href }) => {
    const drawing = svg("svg", {
      viewBox: "0 0 100 1",
      preserveAspectRatio: "none",
      "aria-hidden": "true",
    });
    drawing.append(
      svg("rect", { class: "room", width: 100, height: 1 }),
      svg("rect", { class: "value", width: (value / most) * 100, height: 1 }),
    );
    return h(
      "li",
      {},
      href ? h("a", { href }, label) : h("span", {}, label),
      h("span", { class: "amount" }, text),
      drawing,
    );
  });
  return h("ol", { class: "ranking", role: "list" }, ...rows);
}

/** @param {string} tag @param {Record<string, string | number>} attributes */
function svg(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}
