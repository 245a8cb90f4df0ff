import { h } from "../../dom.js";
/** @param {import("../../app.js").Context} context @returns {import("../../app.js").View} */
export const createPage = (context) => ({ root: h("div"), title: context.path });
