import { h } from "../dom.js";

/** Space between the menu and its button, and around it, in pixels. */
const GAP = 6;

/**
 * One action of a menu; a link if it has an address.
 * @typedef {{ id: string, text: string, run?: () => unknown, href?: string,
 *   isDangerous?: boolean }} MenuItem
 */

/**
 * A button that opens a menu of actions.
 * @param {string} label what the actions are about, for screen readers
 * @param {() => MenuItem[]} items asked each time that the menu opens
 */
export function menu(label, items) {
  const list = h("div", { class: "menu", role: "menu", "aria-label": label, popover: "auto" });
  const button = h(
    "button",
    {
      class: "button quiet menu-button",
      type: "button",
      title: label,
      "aria-label": label,
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      click: toggle,
    },
    h("span", { "aria-hidden": "true" }, "⋯"),
  );
  // A press on the button does not count as one outside of the menu.
  button.popoverTargetElement = list;
  list.addEventListener("keydown", move);
  list.addEventListener("toggle", () => {
    const isOpen = list.matches(":popover-open");
    button.setAttribute("aria-expanded", String(isOpen));
    const change = isOpen ? addEventListener : removeEventListener;
    for (const event of ["scroll", "resize", "hashchange"]) change(event, close, true);
  });

  const close = () => list.hidePopover();

  /** @param {Event} event */
  function toggle(event) {
    event.preventDefault(); // the popover target would toggle it too
    if (list.matches(":popover-open")) return close();
    list.replaceChildren(...items().map(row));
    list.showPopover();
    place(list, button.getBoundingClientRect());
    focus(0);
  }

  /** @param {MenuItem} item */
  function row({ id, text, run, href, isDangerous = false }) {
    const name = isDangerous ? "menu-item dangerous" : "menu-item";
    const attributes = { class: name, role: "menuitem", tabindex: -1, "data-action": id };
    const click = () => {
      close();
      button.focus();
      run?.();
    };
    return href
      ? h("a", { ...attributes, href, click }, text)
      : h("button", { ...attributes, type: "button", click }, text);
  }

  /** @param {number} index counted from the end if negative */
  function focus(index) {
    const row = [...list.children].at(index % list.children.length);
    if (row instanceof HTMLElement) row.focus();
  }

  /** @param {KeyboardEvent} event */
  function move(event) {
    const rows = [...list.children];
    const at = rows.indexOf(/** @type {Element} */ (document.activeElement));
    const step = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      return focus(step);
    }
    if (event.key === "Tab") {
      button.focus(); // Tab goes on from the button
      return close();
    }
    const letter = event.key.toLowerCase();
    const next = [...rows.slice(at + 1), ...rows].find((row) =>
      row.textContent?.toLowerCase().startsWith(letter),
    );
    if (letter.length === 1 && next instanceof HTMLElement) next.focus();
  }

  return h("span", { class: "menu-anchor" }, button, list);
}

/**
 * Below its button, or above it where the window ends.
 * @param {HTMLElement} list @param {DOMRect} button
 */
function place(list, button) {
  const { offsetWidth: width, offsetHeight: height } = list;
  const left = Math.min(button.right - width, innerWidth - width - GAP);
  const below = button.bottom + GAP;
  const fits = below + height <= innerHeight - GAP;
  list.style.left = `${Math.max(GAP, left)}px`;
  list.style.top = `${fits ? below : Math.max(GAP, button.top - height - GAP)}px`;
}
