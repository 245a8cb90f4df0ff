/** What a page does with the package, for the compiler. */
import { createPlayhead, PlayheadError } from "playhead";
import type { AttachOptions, Entry, Handle, PlayheadEvent, PlayheadState } from "playhead";
import { createApi } from "playhead/api";
import { createHistory } from "playhead/history";
import { createLive } from "playhead/live";
import { loadWithPlayhead } from "playhead/shaka";
import { resumeAt } from "playhead/start";

const controller = new AbortController();
const playhead = createPlayhead({
  getToken: async ({ refused }) => (refused === undefined ? "token" : null),
  baseUrl: "https://playhead.example",
  device: "Living room",
  signal: controller.signal,
});
const options: AttachOptions = {
  onState: ({ state, position }: PlayheadEvent) => console.log(state, position.toFixed()),
  signal: controller.signal,
};
const handle: Handle = playhead.attach(document.createElement("video"), 3, options);
handle.addEventListener("state", ({ detail }) => {
  const state: PlayheadState = detail.state;
  const wait: number = detail.retryInMs ?? 0;
  console.log(state, wait, detail.error instanceof PlayheadError);
});
handle.addEventListener("entry", ({ detail }) => {
  const entry: Entry | null = detail;
  console.log(entry?.resume_at.toFixed());
});

// @ts-expect-error: the state has no such value
handle.addEventListener("state", ({ detail }) => detail.state === "stored");
// @ts-expect-error: a client needs tokens
createPlayhead({});

const history = createHistory(playhead);
const { items, next } = await history.history({ state: "completed", limit: 10 });
const title: string | undefined = items[0]?.video.title;
const seconds: number = await resumeAt(playhead, 3);
const stop: () => void = createLive(playhead).subscribe((event) => console.log(event.type));
console.log(title, next, seconds, stop, loadWithPlayhead);

const api = createApi({ baseUrl: "https://playhead.example" });
await api.signIn("ann", "correct horse");
createPlayhead({ getToken: api.getToken });
const { data, error } = await api.GET("/api/v1/videos", { params: { query: { limit: 5 } } });
const titles: string[] | undefined = data?.map((video) => video.title);
const code: string | undefined = error?.code;
console.log(titles, code);
// @ts-expect-error: there is no such operation
await api.GET("/api/v1/films");

handle.suspend();
handle.unsuspend();
await handle.detach({ save: false });
await playhead.destroy();
