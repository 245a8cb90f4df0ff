/**
 * Reads what node has measured (lcov), and fails where less than 90 % of the lines of the package
 * were run by the unit tests.
 *
 *     node tests/coverage.js lcov.info
 */
import { readFileSync, readdirSync } from "node:fs";

const LEAST_PERCENT = 90;

const FOLDERS = ["src", "adapters", "api"];
const files = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".js"))
    .map((path) => `${folder}/${path}`),
);
/** @type {Map<string, [number, number]>} Lines that were run, and all lines. */
const lines = new Map(files.map((file) => [file, [0, 1]]));
for (const record of readFileSync(process.argv[2], "utf8").split("end_of_record\n")) {
  const file = /^SF:(.+)$/m.exec(record)?.[1];
  const [run, all] = ["LH", "LF"].map((key) => new RegExp(`^${key}:(\\d+)$`, "m").exec(record)?.[1]);
  if (file && lines.has(file)) lines.set(file, [Number(run), Number(all)]);
}
const percent = (/** @type {[number, number]} */ [run, all]) => (100 * run) / all;
for (const [file, counts] of lines) {
  if (percent(counts) < LEAST_PERCENT) console.log(`${file}: ${percent(counts).toFixed(1)} %`);
}
const total = /** @type {[number, number]} */ (
  [0, 1].map((at) => [...lines.values()].reduce((sum, counts) => sum + counts[at], 0))
);
console.log(`lines that the unit tests run: ${percent(total).toFixed(1)} % of ${total[1]}`);
if (percent(total) < LEAST_PERCENT) process.exit(1);
