// The expected results of every client, and the account that it uses.
import assert from "node:assert/strict";

export const baseUrl = process.argv[2] ?? "";
export const credentials = { username: "ann", password: "correct horse" };

/** Ends the program when what a client saw is not what the server holds. */
export function check(seen: { position: number; titles: string[]; video: Blob; code: string; taken: number[] }): void {
  assert.equal(seen.position, 7);
  assert.deepEqual(seen.titles, ["Sample clip"]);
  assert.equal(seen.video.size, 100);
  assert.equal(seen.code, "video_not_found");
  assert.deepEqual(seen.taken, [9]);
}
