/**
 * Packs the package, installs it in an empty project, compiles a program against it as strictly as
 * TypeScript can, and builds that with Vite. Says how large the core is, which the README says too.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const LIMIT_BYTES = 8 * 1024;
const here = import.meta.dirname;
const root = join(here, "../..");
const project = mkdtempSync(join(tmpdir(), "playhead-packed-"));

/** @param {string} program @param {...string} words */
const run = (program, ...words) =>
  execFileSync(program, words, { cwd: project, stdio: ["ignore", 2, 2] });

/** @param {unknown} actual @param {unknown} expected @param {string} what */
function expectEqual(actual, expected, what) {
  if (actual !== expected) throw new Error(`${what} is ${actual} instead of ${expected}`);
}

/** @param {string} file @param {RegExp} pattern */
const find = (file, pattern) => pattern.exec(readFileSync(join(root, file), "utf8"))?.[1];

try {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const workspace = find("../Cargo.toml", /^version = "(.+)"$/m);
  expectEqual(version, workspace, "the version of the package");
  expectEqual(find("CHANGELOG.md", /^## (\S+)/m), version, "the newest version of the changelog");

  const pack = ["pack", "--silent", "--ignore-scripts=false", "--pack-destination", project];
  execFileSync("npm", pack, { cwd: root });
  const sources = ["main.ts", "core.ts", "adapters.tsx", "videojs.ts"];
  const names = [...sources, "index.html", "package.json"];
  for (const name of names) cpSync(join(here, name), join(project, name));
  run("npm", "install", "--silent", "--no-audit", "--no-fund", `./playhead-${version}.tgz`);
  for (const name of ["@types", "react", "video.js", "vidstack"]) {
    symlinkSync(join(root, "node_modules", name), join(project, "node_modules", name));
  }
  for (const [module, resolution, ...more] of [
    ["node16", "node16"],
    ["esnext", "bundler", "videojs.ts"],
  ]) {
    const types = ["--module", module, "--moduleResolution", resolution, "--target", "es2022"];
    const strict = ["--strict", "--noEmit", "--exactOptionalPropertyTypes", "--types", "react"];
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    run("node", tsc, ...strict, ...types, "main.ts");
    // Vidstack's own types need the types of players that it can do without.
    const loose = ["--skipLibCheck", "--jsx", "react-jsx"];
    run("node", tsc, ...strict, ...types, ...loose, "adapters.tsx", ...more);
    console.log(`compiles strictly with moduleResolution ${resolution}`);
  }
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.keys(exports).filter((name) => !name.endsWith(".json"));
  const imports = entries.map((name) => `await import("${name.replace(".", "playhead")}");`);
  run("node", "--input-type=module", "--eval", imports.join("\n"));
  console.log(`a server imports ${entries.length} entries`);
  run("node", join(root, "node_modules/vite/bin/vite.js"), "build", "--logLevel", "warn");
  const { outputFiles } = await build({
    entryPoints: [join(project, "node_modules/playhead/src/playhead.js")],
    bundle: true,
    splitting: true, // what is loaded later is a file of its own
    outdir: project,
    minify: true,
    format: "esm",
    write: false,
  });
  const core = outputFiles.find(({ path }) => path.endsWith("/playhead.js"));
  if (!core || core.text.includes('from"./')) throw new Error("the core is more than one file");
  const bytes = gzipSync(core.contents, { level: 9 }).length;
  console.log(`core, minified and gzipped: ${bytes} bytes`);
  if (bytes >= LIMIT_BYTES) throw new Error(`that is more than ${LIMIT_BYTES}`);
  const size = find("README.md", /(\d+\.\d) KB minified\s+and\s+gzipped/);
  expectEqual(size, (Math.ceil(bytes / 102.4) / 10).toFixed(1), "the size in the README");
} finally {
  rmSync(project, { recursive: true, force: true });
}
