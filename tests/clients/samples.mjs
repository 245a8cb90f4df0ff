// Prints the code samples of an API document for the typed client as one TypeScript program.
import { readFileSync } from "node:fs";

const { paths } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const operations = Object.values(paths).flatMap((path) => Object.values(path));
const samples = operations.flatMap((operation) => operation["x-codeSamples"] ?? []);
console.log(`import createClient from "openapi-fetch";
import type { paths } from "./generated/openapi-typescript.js";
const api = createClient<paths>();
export const samples = [`);
for (const { label, source } of samples) {
  if (label === "playhead/api") console.log(`async () => {\n${source}\n},`);
}
console.log("];");
