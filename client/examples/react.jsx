import { createPlayhead } from "playhead";
import { usePlayhead } from "playhead/react";
import { StrictMode, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { getToken, readSource, videoId, whenSignedIn } from "./session.js";

/** @typedef {import("playhead").Playhead} Playhead */

/** @type {Playhead | null} One for each user, null while nobody is signed in. */
let client = null;
/** @type {Set<() => void>} */
const listeners = new Set();

/** @param {Playhead | null} next */
function setClient(next) {
  client = next;
  for (const listener of listeners) listener();
}

whenSignedIn(() => {
  const playhead = createPlayhead({ getToken });
  setClient(playhead);
  return async () => {
    setClient(null);
    await playhead.destroy();
  };
});

/** @param {() => void} listener */
function subscribe(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** @param {{ src: string }} film */
function Film({ src }) {
  const playhead = useSyncExternalStore(subscribe, () => client);
  const { ref, state } = usePlayhead(playhead, videoId);
  return (
    <>
      {playhead && <video id="player" ref={ref} src={src} controls playsInline />}
      <p id="state">{state && `${state.state} ${state.position}`}</p>
    </>
  );
}

const { src } = await readSource();
const root = /** @type {HTMLElement} */ (document.querySelector("#root"));
createRoot(root).render(
  <StrictMode>
    <Film src={src} />
  </StrictMode>,
);
