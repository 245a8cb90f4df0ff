import assert from "node:assert/strict";
import { test } from "node:test";
import { PlayheadError, asError, problemError, subjectOf } from "../src/playhead/request.js";

/** @param {string} payload */
const token = (payload) => `x.${Buffer.from(payload).toString("base64url")}.x`;

test("a request may succeed later unless the server itself refused it", () => {
  const cases = /** @type {[number, string | undefined, boolean][]} */ ([
    [0, undefined, true],
    [400, "invalid", false],
    [401, undefined, false],
    [403, "forbidden", false],
    [404, "video_not_found", false],
    [404, undefined, true],
    [408, "timeout", true],
    [425, "early", true],
    [429, "too_many_requests", true],
    [500, "internal_error", true],
    [503, undefined, true],
  ]);
  for (const [status, code, retryable] of cases) {
    assert.equal(new PlayheadError("", { status, code }).retryable, retryable, `${status} ${code}`);
  }
});

test("whatever else is thrown counts as no answer", () => {
  const error = asError(new TypeError("no network"));
  assert.deepEqual([error.status, error.retryable], [0, true]);
  assert.match(error.message, /no network/);
  assert.equal(asError(error), error);
});

test("an error has the words of the problem document, or its status", () => {
  assert.equal(
    problemError(404, { detail: "no such video", code: "video_not_found" }).message,
    "no such video",
  );
  assert.equal(problemError(502, null).message, "HTTP 502");
});

test("a token of the server names its user, and no other token does", () => {
  assert.equal(subjectOf(token('{"sub":"12"}')), "12");
  assert.equal(subjectOf(token('{"sub":"7","name":"??>>"}')), "7");
  for (const other of ["", "opaque", token("{}"), token("no json")])
    assert.equal(subjectOf(other), null);
});
