/** A player that is resumed and saved: when its position is read, when it is worth saving, and where it is taken to. */
import { retryDelay } from "./outbox.js";
import { createPlayback, fragmentOf, isAtStart, isStart } from "./playback.js";
import { now } from "./queue.js";
import { asError } from "./request.js";

/** @typedef {import("../playhead.js").AttachOptions} AttachOptions */
/** @typedef {import("../playhead.js").Handle} Handle */
/** @typedef {import("../playhead.js").Playhead} Playhead */
/** @typedef {import("../playhead.js").PlayheadEvent} PlayheadEvent */
/** @typedef {ReturnType<typeof import("./outbox.js").createOutbox>} Outbox */

/** Without an answer, what was played is written down from here on. */
const ALONE_SECONDS = 10;
/** A history that arrives after this much playback no longer moves the viewer. */
const LATE_SECONDS = 60;
/** Above where a server takes a position of a new opening for a failed start, unless its `RESUME_MIN_SECONDS` is larger. */
const NEAR_START_SECONDS = 30;

/**
 * @param {{ client: Playhead, outbox: Outbox, whoIsSignedIn: () => Promise<string | null> }} server
 * @param {HTMLVideoElement} video @param {number | string} videoId @param {AttachOptions} [options]
 */
export function attach({ client, outbox, whoIsSignedIn }, video, videoId, options = {}) {
  const { onState = () => {}, resume = true, saveEveryMs = 10_000 } = options;
  const life = new AbortController();
  let over = false;
  let held = resume ? NaN : 0; // where the server has the viewer, once that is known; who is not to be taken there chose to be here
  let loaded = false; // a place to take them to is known, if only one that was left here
  let from = 0; // where playback began
  let synced = false; // the element stands where the viewer is meant to be: from here on its position is worth saving
  let restoring = false;
  let sought = NaN; // the place that they are being taken to, or were
  let moved = false; // the viewer chose where to be
  let restart = false;
  let forgetting = false;
  let unanswered = false;
  let target = 0; // where they are to be taken
  let recorded = -1; // the newest position that was written down
  let seen = 0; // where they were
  let earlier = 0; // how much was watched in earlier openings
  let told = 0; // how much was watched in all, when a save last said so
  /** @type {number | null} */
  let length = null; // of the film, as the server has it
  let isLooping = false; // the film was played to its end and goes on from its start, where nobody went
  let isBroken = false; // the browser says that it is at the end of a film whose file broke off
  let brokenAt = 0; // where its file broke off, while it is played from its start again, where nobody went
  let isReload = false; // the host loads the film anew, which goes on where it was
  /** @type {string | null} */
  let fragment = null; // what the source said of where to begin
  /** @type {string | undefined} */
  let owner; // whose place this is
  let reached = now(); // when the position last moved by playing or seeking
  let [interval, reload] = [0, 0]; // timers

  const playback = createPlayback(video);
  /** @type {ReturnType<typeof outbox.open> | null} */
  let opening = null;

  /** @param {PlayheadEvent} event */
  function report(event) {
    if (life.signal.aborted) return;
    if (event.state === "gone" || event.state === "signed-out") finish();
    onState(event);
  }

  function finish() {
    over = true;
    rest();
    clearTimeout(reload);
  }

  const hasEnded = () => (isLooping && video.loop) || playback.hasEnded(length);

  function position() {
    if (!hasEnded()) return Math.floor(playback.place);
    // The server knows a duration as a rounded number of seconds; the end has to reach it.
    return length ?? Math.max(1, Math.round(Number.isFinite(video.duration) ? video.duration : playback.place));
  }

  /** @param {{ keepalive?: boolean, deliberate?: boolean }} [options] */
  function record({ keepalive = false, deliberate = false } = {}) {
    // What a paused element says hours later by a fraction more is no movement.
    if (!video.paused || !keepalive) count();
    if (!synced || over || forgetting) return;
    const here = position();
    const isNews = here !== recorded || (isLooping && Math.floor(playback.watched) > told);
    if (!isNews || here < brokenAt) {
      if (keepalive) opening?.flush();
    } else if (here > 0 || (deliberate && !video.error)) {
      // A zero that nobody chose comes from a player that failed to start, and would wipe the resume point.
      // A start that the viewer chose, and nobody will be here to insist on.
      const lone = keepalive && moved && here <= NEAR_START_SECONDS && !(here * 2 > video.duration);
      write(here, { keepalive, lone });
    }
  }

  /** @param {number} here @param {{ keepalive?: boolean, lone?: boolean }} [options] */
  function write(here, { keepalive = false, lone = false } = {}) {
    if (!opening || over) return; // nobody knows whose it is, yet or any more
    recorded = here;
    told = Math.floor(playback.watched);
    // Behind where the server has them, or may have them, nobody is who did not go there. A seek may end a little early, and a place beyond
    // the end is none.
    const unsure = !moved && !(here >= held - 1) && !(held >= lastSecond());
    const save = { position: here, watched: told, chosen: moved, lone, unsure, resumed: loaded };
    opening.push({ ...save, ...reached }, keepalive);
  }

  function saveStart() {
    restart = false;
    reached = now();
    if (!forgetting) write(0, { lone: true });
  }

  function count() {
    if (playback.count()) reached = now();
    if (video.ended) isBroken = playback.isBrokenOff(length);
    // A film that is loaded anew is at 0 before it says so.
    if (synced && video.readyState >= video.HAVE_METADATA) seen = position();
  }

  async function load(failures = 0) {
    clearTimeout(reload);
    reload = 0;
    try {
      const account = (owner ??= (await whoIsSignedIn()) ?? "");
      if (life.signal.aborted) return;
      opening ??= outbox.open(account, videoId, report);
      void learnLength(account);
      if (synced) record({ deliberate: moved });
      await outbox.deliver(); // what waits may be of this very video
      const entry = await client.load(videoId, { account, signal: life.signal });
      // What still waits may be newer than what the server has.
      if (opening.before()) throw outbox.delay();
      if (resume) held = entry?.resume_at ?? 0;
      take(held, entry?.watch_duration ?? 0);
    } catch (cause) {
      const error = asError(cause);
      if (life.signal.aborted) return;
      if (error.retryable) {
        const kept = loaded ? undefined : opening?.before();
        if (kept) take(kept.position, kept.watched);
        unanswered = true;
        const retryInMs = retryDelay(failures, error);
        reload = window.setTimeout(load, retryInMs, failures + 1);
        if (!loaded) report({ state: "retrying", position: 0, retryInMs, error });
      } else {
        finish(); // without knowing what is stored, a save could overwrite it
        report({ state: error.status === 401 ? "signed-out" : "failed", position: 0, error });
      }
    }
  }

  /** Without an answer the end of the film is where its file says. @param {string} account */
  async function learnLength(account) {
    length = (await client.duration(videoId, { account, signal: life.signal }).catch(() => length)) || null;
    if (video.ended) record(); // at the end by the file, so far
  }

  /** @param {number} resumeAt @param {number} watchedBefore */
  function take(resumeAt, watchedBefore) {
    // What was delivered before the history was read is in it already.
    if (watchedBefore > playback.watched) {
      playback.watched += watchedBefore - earlier;
      earlier = watchedBefore;
    }
    if (resume && !moved) target = resumeAt;
    loaded = true;
    // Who began at the start only because nobody answered is still taken to where they were.
    if (synced && !moved && target > position() && !isLate()) synced = false;
    sync();
  }

  // Runs when the history or the metadata arrives, and acts when both are there: a seek before metadata is lost.
  function sync({ keepalive = false } = {}) {
    if (synced || restoring || over || video.readyState < video.HAVE_METADATA) return;
    // Without an answer, what can no longer move the viewer is not waited for: their place is kept here until there is one.
    if (!loaded && !moved && !(unanswered && video.currentTime >= ALONE_SECONDS)) return;
    const isElsewhere = target > 0 && target !== sought && target < lastSecond() && !isLate();
    if (isElsewhere && isSeekable(target)) {
      restoring = true;
      sought = target;
      video.currentTime = target;
    } else if (!isElsewhere || position() >= target) {
      begin(keepalive);
    } // Otherwise more of the film has to be loaded first.
  }

  const isLate = () => video.currentTime - from >= LATE_SECONDS;

  const lastSecond = () => (video.duration > 0 ? video.duration - 1 : Infinity);

  /** @param {number} second */
  const isSeekable = (second, { seekable } = video) =>
    seekable.length > 0 && seekable.start(0) <= second && second <= seekable.end(seekable.length - 1);

  /** @param {boolean} keepalive */
  function begin(keepalive) {
    synced = true;
    if (hasEnded()) recorded = -1;
    else if (!moved) recorded = from || position();
    report({ state: "ready", position: position() === from ? from : 0 });
    if (restart) saveStart();
    else record({ deliberate: recorded < 0, keepalive });
    if (!video.paused) tick();
  }

  /** @param {number} second where the viewer goes, which may be while they are being taken elsewhere */
  function choose(second) {
    if (!moved) recorded = -1;
    moved = true;
    restoring = isLooping = isBroken = false;
    brokenAt = target = 0;
    seen = second;
  }

  /** Where the source or the host has the film begin, which is saved once it is played from there. */
  function chooseStart() {
    choose(video.currentTime);
    recorded = Math.floor(video.currentTime);
  }

  // A browser has begun to go where the source says when it tells of the metadata, and so has a host that went elsewhere before.
  function arrive() {
    playback.announce();
    const before = fragment;
    fragment = fragmentOf(video.currentSrc);
    const isSame = isReload && fragment === before;
    isReload = false;
    if (!isSame && !restoring && (video.seeking || isStart(fragment))) chooseStart();
    sync();
  }

  /** The browser, not the viewer, goes back to the start: of a film that loops, or whose file broke off. @param {"end" | "cut"} from */
  function goBack(from) {
    if (from === "end") {
      if (isLooping) return;
      isLooping = true;
      record();
    } else {
      isBroken = false;
      brokenAt = Math.max(1, brokenAt, seen);
      if (synced && seen > 0 && seen !== recorded) write(seen);
    }
  }

  function tick() {
    if (!over) interval ||= window.setInterval(record, saveEveryMs);
  }
  const leave = () => (sync({ keepalive: true }), record({ keepalive: true }));
  const stop = () => (rest(), record());
  function rest() {
    clearInterval(interval);
    interval = 0;
  }

  /** @param {EventTarget} source @param {string} type @param {() => void} listener */
  const on = (source, type, listener) => source.addEventListener(type, listener, { signal: life.signal });
  on(video, "loadedmetadata", arrive);
  on(video, "durationchange", playback.extend);
  on(video, "canplay", () => (count(), sync()));
  on(video, "timeupdate", () => (count(), sync()));
  for (const change of ["ratechange", "play", "waiting"]) on(video, change, count);
  on(video, "playing", () => (count(), tick()));
  on(video, "pause", stop);
  on(video, "ended", stop);
  on(video, "seeking", () => {
    const wrap = isBroken && isAtStart(video) ? "cut" : playback.wrap(length);
    playback.seek();
    reached = now();
    if (restoring && Math.abs(video.currentTime - sought) < 2) return;
    if (wrap) goBack(wrap);
    else choose(position());
  });
  on(video, "seeked", () => {
    if (restoring) from = sought;
    restoring = false;
    if (!synced) sync(); // a newer place may have been heard of meanwhile
    else if (!isLooping) record({ deliberate: true });
  });
  on(video, "emptied", () => {
    // The host loads the same video again: its zero is no position, and it goes on where it was.
    isReload = synced || moved;
    if (isReload) target = seen;
    synced = restoring = isLooping = isBroken = false;
    from = target;
    sought = NaN;
    playback.reset();
    rest();
  });
  on(document, "visibilitychange", () => document.visibilityState === "hidden" && leave());
  on(window, "pagehide", leave);
  on(window, "online", () => reload && load());
  if (video.readyState >= video.HAVE_METADATA) {
    playback.announce();
    count();
    fragment = fragmentOf(video.currentSrc);
    if (fragment !== null) chooseStart();
  }
  setTimeout(() => {
    unanswered = true;
    sync();
  }, ALONE_SECONDS * 1_000);
  void load();

  return {
    async detach({ save = true } = {}) {
      if (life.signal.aborted) return;
      if (save) leave();
      life.abort();
      finish();
      await opening?.close();
    },

    async startOver() {
      restart = true;
      choose(0);
      if (video.readyState >= video.HAVE_METADATA) video.currentTime = 0;
      if (synced) saveStart();
      await video.play().catch(() => {}); // a browser may want a gesture first; the position is right all the same
    },

    async forget() {
      forgetting = true; // a save of meanwhile would bring back what is being deleted
      recorded = -1;
      try {
        await client.forget(videoId, { account: owner });
        playback.watched = told = 0;
        recorded = position();
      } finally {
        forgetting = false;
      }
    },
  };
}
