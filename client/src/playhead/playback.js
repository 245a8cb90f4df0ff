/**
 * How much of a video was really played, and up to where. The element alone does not say: a browser
 * that reaches the end of a truncated file reports the position of the video's end, and a browser
 * that loops reports the position of its start.
 *
 * The functions change the `Playback` that they are given; the state machine gives them a copy.
 */

/** How far a position may be ahead of the clock, and an end before the announced one. */
const SLACK_SECONDS = 1;
/** The clocks of the video and of the page may differ by this much between two readings. */
const CLOCK_SECONDS = 0.1;
/** Browsers report a running video at least this often. */
const REPORT_SECONDS = 1;
/** A longer silence, such as that of a sleeping machine, explains no more playback than this. */
const SILENCE_SECONDS = 10;
/** A position that nothing explains counts once this much was played from there. */
const SURE_SECONDS = 2;
/** Browsers loop to the start of a video exactly; this allows for rounding. */
const START_SECONDS = 0.5;

/** @typedef {import("./queue.js").Moment} Moment */
/**
 * What the element says at one moment. Times are seconds of video.
 * - currentTime, duration, playbackRate, paused, ended, seeking, loop: as the element has them
 * - hasMetadata, hasFutureData: whether its `readyState` has come that far
 * - hasError: whether loading or decoding failed
 * - seekable: the start of the first and the end of the last seekable range
 * - playedEnd: the end of the last played range
 * - source: the address of the file, with its fragment
 * - moment: when this was read
 * @typedef {{ currentTime: number, duration: number, playbackRate: number, paused: boolean,
 *   ended: boolean, seeking: boolean, loop: boolean, hasMetadata: boolean, hasFutureData: boolean,
 *   hasError: boolean, seekable: [number, number] | null, playedEnd: number | null, source: string,
 *   moment: Moment }} Reading
 *
 * - watched: seconds that the viewer watched, by the clock, in all sessions that are known
 * - played: the same in this player session
 * - position: the newest position that playing or a seek explains
 * - isExplained: the element is at that position
 * - playedSinceSeek: seconds of video played since the last seek, up to `position`
 * - playedSinceJump: seconds of video played since the position jumped without a reason
 * - rate: the speed at the last reading
 * - countedUpTo: the last reading that was counted; `tick` in milliseconds
 * - announcedDuration: what the file said before it was played; Infinity when it did not say
 * - isTruncated: the file ends before that
 * - wasAtEnd: the browser has been at the end
 * @typedef {{ watched: number, played: number, position: number, isExplained: boolean,
 *   playedSinceSeek: number, playedSinceJump: number, rate: number,
 *   countedUpTo: { position: number, tick: number, isRunning: boolean, isSeek: boolean },
 *   announcedDuration: number, isTruncated: boolean, wasAtEnd: boolean }} Playback
 */

/** @returns {Playback} of an element that has played nothing */
export const newPlayback = () => ({
  watched: 0,
  played: 0,
  position: 0,
  isExplained: true,
  playedSinceSeek: 0,
  playedSinceJump: 0,
  rate: 1,
  countedUpTo: { position: NaN, tick: 0, isRunning: false, isSeek: false },
  announcedDuration: Infinity,
  isTruncated: false,
  wasAtEnd: false,
});

/**
 * Counts what was played since the last reading.
 * @param {Playback} playback @param {Reading} reading
 * @returns {boolean} whether the element is at another position than at the last reading
 */
export function countPlayed(playback, reading) {
  const { currentTime } = reading;
  const { countedUpTo } = playback;
  const moved = currentTime - countedUpTo.position;
  const isElsewhere = moved !== 0;
  const isBack = moved < -SLACK_SECONDS;
  // A looping video at its start has begun to seek there; its "seeking" event follows.
  if (reading.seeking || (reading.loop && isBack && isAtStart(reading))) return isElsewhere;
  // A seek may end before its target, as at the last key frame.
  if (currentTime > furthestExplained(playback, reading) || (isBack && !countedUpTo.isSeek)) {
    playback.isExplained = false;
    playback.playedSinceJump = 0;
  } else if (moved > 0) {
    countForward(playback, reading, moved);
  }
  if (playback.isExplained) playback.position = currentTime;
  playback.rate = reading.playbackRate || 1;
  setCountedUpTo(playback, reading, false);
  return isElsewhere;
}

/** @param {Playback} playback @param {Reading} reading @param {number} moved seconds of video */
function countForward(playback, { moment }, moved) {
  // Time is counted, not video: after a change of speed the clock is the upper bound.
  const elapsed = (moment.tick - playback.countedUpTo.tick) / 1_000;
  countTime(playback, Math.min(moved / playback.rate, elapsed));
  if (playback.isExplained) {
    playback.playedSinceSeek += moved;
    return;
  }
  playback.playedSinceJump += moved;
  if (playback.playedSinceJump < SURE_SECONDS) return;
  playback.isExplained = true;
  playback.playedSinceSeek = playback.playedSinceJump;
}

/** @param {Playback} playback @param {number} seconds by the clock */
function countTime(playback, seconds) {
  playback.watched += seconds;
  playback.played += seconds;
}

/**
 * How far the video may have come since the last reading.
 * @param {Playback} playback @param {Reading} reading
 */
function furthestExplained({ countedUpTo, rate }, { moment, playbackRate }) {
  const elapsed = Math.min((moment.tick - countedUpTo.tick) / 1_000, SILENCE_SECONDS);
  const seconds = countedUpTo.isRunning ? elapsed : 0;
  const speed = Math.max(1, rate, playbackRate);
  return countedUpTo.position + (seconds + CLOCK_SECONDS) * speed + SLACK_SECONDS;
}

/**
 * The end of the video if it was played on to there since the last reading.
 * @param {Playback} playback @param {Reading} reading
 */
function furthestPlayed(playback, reading) {
  const { isExplained, position } = playback;
  const isPlayedOut = isExplained && furthestExplained(playback, reading) >= reading.duration;
  return isPlayedOut ? reading.duration : position;
}

/** @param {Playback} playback @param {Reading} reading @param {boolean} isSeek */
function setCountedUpTo(playback, { currentTime, moment, paused, hasFutureData }, isSeek) {
  const isRunning = !isSeek && !paused && hasFutureData;
  playback.countedUpTo = { position: currentTime, tick: moment.tick, isRunning, isSeek };
}

/**
 * The position that playing or a seek explains.
 * @param {Playback} playback @param {Reading} reading
 */
export const explainedPosition = ({ position }, { seeking, currentTime }) =>
  seeking ? currentTime : position;

/**
 * Whether a second is the end of the video, by its file or by the server.
 * @param {Playback} playback @param {number} second @param {number | null} serverDuration
 */
function isEnd({ announcedDuration }, second, serverDuration) {
  const durations = [announcedDuration, serverDuration ?? Infinity].filter(Number.isFinite);
  return durations.length === 0 || second >= Math.min(...durations) - SLACK_SECONDS;
}

/**
 * Whether the video was played to its end.
 * @param {Playback} playback @param {Reading} reading @param {number | null} serverDuration
 */
export const hasPlayedToEnd = (playback, reading, serverDuration) =>
  reading.ended &&
  playback.playedSinceSeek > 0 &&
  isEnd(playback, playback.position, serverDuration);

/**
 * Whether a browser that has reached the end was stopped by a file that ends too early.
 * @param {Playback} playback @param {Reading} reading @param {number | null} serverDuration
 */
export const isCutOff = (playback, reading, serverDuration) =>
  !isEnd(playback, furthestPlayed(playback, reading), serverDuration);

/**
 * Why a looping video has just begun to seek to its start. Call it before `startSeek`.
 * @param {Playback} playback @param {Reading} reading @param {number | null} serverDuration
 * @returns {"end" | "cut" | null} it was played to its end, its file ended too early, or the viewer
 *   went there
 */
export function loopReason(playback, reading, serverDuration) {
  // The viewer may have paused since the browser began the seek.
  const isRunning = !reading.paused || playback.countedUpTo.isRunning;
  const { duration } = reading;
  const isAtEnd = hasBeenAtEnd(reading);
  const isFirstEnd = isAtEnd && !playback.wasAtEnd;
  if (!reading.loop || !(isRunning || isFirstEnd) || !isAtStart(reading)) return null;
  const reached = furthestPlayed(playback, reading);
  const isByBrowser = reached === duration || isFirstEnd || (isAtEnd && playback.isTruncated);
  playback.wasAtEnd ||= isAtEnd;
  if (!isByBrowser) return null;
  if (playback.playedSinceSeek > 0 && isEnd(playback, reached, serverDuration)) return "end";
  playback.isTruncated = true;
  return "cut";
}

/** Whether the browser has played to what it takes for the end. @param {Reading} reading */
export const hasBeenAtEnd = ({ playedEnd, duration }) => playedEnd !== null && playedEnd >= duration;

/**
 * A seek has begun, and nothing was played at its target yet.
 * @param {Playback} playback @param {Reading} reading
 */
export function startSeek(playback, reading) {
  const { isRunning, tick } = playback.countedUpTo;
  // The video ran until the seek began.
  if (isRunning) {
    const elapsed = (reading.moment.tick - tick) / 1_000;
    countTime(playback, Math.min(elapsed, REPORT_SECONDS));
  }
  setCountedUpTo(playback, reading, true);
  playback.position = reading.currentTime;
  playback.isExplained = true;
  playback.playedSinceSeek = 0;
}

/** The metadata of the file has arrived. @param {Playback} playback @param {Reading} reading */
export function announceDuration(playback, { duration }) {
  playback.announcedDuration = duration > 0 ? duration : Infinity;
}

/**
 * The duration has changed. A shorter one is ignored, and so is the first one of a file that
 * announced none: it may only be what has been loaded.
 * @param {Playback} playback @param {Reading} reading
 */
export function extendDuration(playback, { duration }) {
  if (duration > playback.announcedDuration) playback.announcedDuration = duration;
}

/** Another file is loaded, or the same one again. @param {Playback} playback */
export function resetPlayback(playback) {
  const { watched, played, position, playedSinceJump, rate } = playback;
  Object.assign(playback, newPlayback(), { watched, played, position, playedSinceJump, rate });
}

/** @param {Reading} reading */
export const isAtStart = ({ currentTime, seekable }) =>
  currentTime < (seekable?.[0] ?? 0) + START_SECONDS;

/** Whether a seek to the start is under way. @param {Reading} reading */
export const isBeginningAgain = (reading) => reading.seeking && isAtStart(reading);

/**
 * The begin and end that the fragment of an address names (`#t=10,20`), or null.
 * @param {string} source
 */
export function fragmentOf(source) {
  const times = new URLSearchParams(source.split("#")[1]).getAll("t").at(-1) ?? "";
  return /^(npt:)?[\d:.]+(,[\d:.]*)?$|^(npt:)?,[\d:.]+$/.test(times) ? times : null;
}

/** Whether it begins at 0, where no browser seeks to. @param {string | null} fragment */
export const isStartFragment = (fragment) =>
  fragment !== null && /^(npt:)?[0:.]*(,|$)/.test(fragment);
