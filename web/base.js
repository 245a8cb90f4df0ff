/** Where the site is, without a slash at its end: empty, or the path below which a reverse proxy shows it. */
export const base = new URL(".", import.meta.url).pathname.slice(0, -1);
