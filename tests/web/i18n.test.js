import assert from "node:assert/strict";
import { test } from "node:test";

Object.defineProperty(globalThis, "navigator", {
  value: { languages: ["fr-FR", "ko-KR", "en"] },
  configurable: true,
});
const { dictionaries, language, refusal, t } = await import("../../web/i18n.js");

/** @param {string} text */
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

test("the language is the first of the browser's that there is", () => {
  assert.equal(language, "ko");
  assert.equal(t("signIn"), dictionaries.ko.signIn);
});

test("a translation has the placeholders of the English text", () => {
  const keys = /** @type {(keyof typeof dictionaries.en)[]} */ (Object.keys(dictionaries.en));
  assert.deepEqual(Object.keys(dictionaries.ko), keys);
  for (const key of keys) {
    assert.deepEqual(placeholders(dictionaries.ko[key]), placeholders(dictionaries.en[key]), key);
  }
});

test("placeholders are replaced, also by what looks like one", () => {
  assert.equal(t("savedAt", { time: "1:23" }), "1:23까지 저장됨");
  assert.ok(t("resultsFor", { query: "{query} $&" }).includes("{query} $&"));
});

test("a refusal is translated by its code, or else said in the server's words", () => {
  assert.notEqual(refusal("video_not_found", "no such video"), "no such video");
  assert.equal(refusal("unknown_code", "no such video"), "no such video");
});
