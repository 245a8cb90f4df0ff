/** Serves the example pages, and hands requests to a server of Playhead. */
import { readdirSync } from "node:fs";
import { join } from "node:path";

const root = import.meta.dirname;
const server = process.env.PLAYHEAD_URL ?? "http://localhost:8000";
const proxy = { "/api": { target: server, ws: true } };

export default {
  root,
  esbuild: { jsx: "automatic" },
  server: { proxy },
  preview: { proxy },
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 2_000,
    rollupOptions: {
      input: readdirSync(root)
        .filter((name) => name.endsWith(".html"))
        .map((name) => join(root, name)),
    },
  },
};
