import { h } from "../dom.js";

/**
 * A part of a page, named by its heading.
 * @param {string} id @param {string} title @param {...Node} children
 */
export function section(id, title, ...children) {
  const heading = h("h2", { id: `${id}-heading` }, title);
  return h("section", { id, "aria-labelledby": `${id}-heading` }, heading, ...children);
}
