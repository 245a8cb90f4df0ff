/**
 * Playhead for React 18 and newer.
 *
 *     function Film({ id }) {
 *       const { ref, state } = usePlayhead(playhead, id);
 *       return <video key={id} ref={ref} src={`/films/${id}.mp4`} title={state?.state} />;
 *     }
 */
import { useEffect, useLayoutEffect, useRef, useState } from "react";

/** @typedef {import("../src/playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../src/playhead.js").Entry} Entry */
/** @typedef {import("../src/playhead.js").Handle} Handle */
/** @typedef {import("../src/playhead.js").Playhead} Playhead */
/** @typedef {import("../src/playhead.js").PlayheadEvent} PlayheadEvent */

/** A layout effect ends before the element has lost its position; a server warns of one. */
const useElementEffect = typeof document === "undefined" ? useEffect : useLayoutEffect;

/**
 * Resumes and saves the video element that `ref` is given to, until it is gone or another video or
 * user comes.
 * @param {Pick<Playhead, "attach"> | null} playhead null while nobody is signed in; another one for
 *   another user
 * @param {number | string | null} videoId null for none
 * @param {Omit<AttachOptions, "signal">} [options] the callbacks of the newest rendering are called
 * @returns {{ ref: (video: HTMLVideoElement | null) => void, handle: Handle | null,
 *   state: PlayheadEvent | null, entry: Entry | null }} the last state and entry that were told
 */
export function usePlayhead(playhead, videoId, options = {}) {
  const [video, ref] = useState(/** @type {HTMLVideoElement | null} */ (null));
  const [handle, setHandle] = useState(/** @type {Handle | null} */ (null));
  const [state, setState] = useState(/** @type {PlayheadEvent | null} */ (null));
  const [entry, setEntry] = useState(/** @type {Entry | null} */ (null));
  const newest = useRef(options);
  useElementEffect(() => {
    newest.current = options;
  });
  useElementEffect(() => {
    if (!playhead || !video || videoId === null) return;
    const attached = playhead.attach(video, videoId, {
      ...newest.current,
      onState(event) {
        setState(event);
        newest.current.onState?.(event);
      },
      onEntry(told) {
        setEntry(told);
        newest.current.onEntry?.(told);
      },
    });
    setHandle(attached);
    return () => {
      void attached.detach();
      setHandle(null);
      setState(null);
      setEntry(null);
    };
  }, [playhead, video, videoId]);
  return { ref, handle, state, entry };
}
