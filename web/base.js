/** The path of the site behind a reverse proxy, without a slash at the end; empty at the root. */
export const base = new URL(".", import.meta.url).pathname.slice(0, -1);
