/** Helpers that build the pages. Text of the server never becomes markup. */

/** @typedef {string | number | boolean | null | undefined | ((event: any) => unknown)} Attribute */

/**
 * Creates an element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, Attribute>} [attributes] a function listens to the event of that name
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  const shown = children.filter(
    (child) => child !== null && child !== undefined && child !== false,
  );
  element.append(...shown);
  return element;
}

/** 83 is "1:23", 3 723 is "1:02:03". @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/**
 * The address of a picture if it is of this origin or with https; null for any other.
 * @param {string | null} path @returns {string | null}
 */
export function imageSource(path) {
  if (!path) return null;
  try {
    const { origin, protocol } = new URL(path, location.href);
    return origin === location.origin || protocol === "https:" ? path : null;
  } catch {
    return null;
  }
}
