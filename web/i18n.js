/** The texts of the pages, in the first language of the browser that there is. */
import { en } from "./texts/en.js";
import { ko, refusals as koRefusals } from "./texts/ko.js";

export const dictionaries = { en, ko };

/** @typedef {keyof typeof en} Message */

/** @type {keyof typeof dictionaries} */
export const language = pickLanguage();

function pickLanguage() {
  for (const tag of navigator.languages) {
    const [primary] = tag.toLowerCase().split("-");
    if (primary === "ko" || primary === "en") return primary;
  }
  return "en";
}

/**
 * The text of a message.
 * @param {Message} key @param {Record<string, string | number>} [values] for each {name}
 */
export const t = (key, values = {}) =>
  dictionaries[language][key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

/**
 * Refusals of the server in other languages than English.
 * @type {Partial<Record<typeof language, Record<string, string>>>}
 */
const refusals = { ko: koRefusals };

/**
 * The refusal in the viewer's language, if there is a translation.
 * @param {string} key a code or a field @param {string} detail the text of the server
 */
export const refusal = (key, detail) => refusals[language]?.[key] ?? detail;
