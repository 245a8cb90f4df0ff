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
 * - playedEnd: the end of the last played range, 0 for none
 * - source: the address of the file, with its fragment
 * - moment: when this was read
 * @typedef {{ currentTime: number, duration: number, playbackRate: number, paused: boolean,
 *   ended: boolean, seeking: boolean, loop: boolean, hasMetadata: boolean, hasFutureData: boolean,
 *   hasError: boolean, seekable: [number, number] | null, playedEnd: number, source: string,
 *   moment: Moment }} Reading
 *
 * - played: seconds that the viewer watched in this player session, by the clock
 * - position: the newest position that playing or a seek explains
 * - isExplained: the element is at that position
 * - playedSinceSeek: seconds of video played since the last seek, up to `position`
 * - playedSinceJump: seconds of video played since the position jumped without a reason
 * - rate: the speed at the last reading
 * - countedAt, countedTick: position and moment in milliseconds of the last reading that counted
 * - isRunning: the video played then
 * - isAfterSeek: it was that of a seek
 * - announcedDuration: what the file said before it was played; Infinity when it did not say
 * - serverDuration: duration of the video as the server has it, null while unknown
 * - wasAtEnd: the browser has been at the end
 * @typedef {{ played: number, position: number, isExplained: boolean,
 *   playedSinceSeek: number, playedSinceJump: number, rate: number,
 *   countedAt: number, countedTick: number, isRunning: boolean, isAfterSeek: boolean,
 *   announcedDuration: number, serverDuration: number | null, wasAtEnd: boolean }} Playback
 */

/** @returns {Playback} of an element that has played nothing */
export const newPlayback = () => ({
  played: 0,
  position: 0,
  isExplained: true,
  playedSinceSeek: 0,
  playedSinceJump: 0,
  rate: 1,
  countedAt: NaN,
  countedTick: 0,
  isRunning: false,
  isAfterSeek: false,
  announcedDuration: Infinity,
  serverDuration: null,
  wasAtEnd: false,
});

/**
 * Counts what was played since the last reading.
 * @param {Playback} playback @param {Reading} reading
 * @returns {boolean} whether the element is at another position than at the last reading
 */
export function countPlayed(playback, reading) {
  const { currentTime } = reading;
  const moved = currentTime - playback.countedAt;
  const isElsewhere = moved !== 0;
  const isBack = moved < -SLACK_SECONDS;
  // A looping video at its start has begun to seek there; its "seeking" event follows.
  if (reading.seeking || (reading.loop && isBack && isAtStart(reading))) return isElsewhere;
  // Nothing explains that the first reading is one of the end.
  const isFirst = Number.isNaN(moved);
  const isAhead = currentTime > furthestExplained(playback, reading) || (isFirst && reading.ended);
  // A seek may end before its target, as at the last key frame.
  if (isAhead || (isBack && !playback.isAfterSeek)) {
    playback.isExplained = false;
    playback.playedSinceJump = 0;
  } else if (moved > 0) {
    countForward(playback, reading, moved);
  }
  if (playback.isExplained) playback.position = currentTime;
  playback.rate = reading.playbackRate || 1;
  setCounted(playback, reading, false);
  return isElsewhere;
}

/** @param {Playback} playback @param {Reading} reading @param {number} moved seconds of video */
function countForward(playback, { moment }, moved) {
  // Time is counted, not video: after a change of speed the clock is the upper bound.
  const elapsed = (moment.tick - playback.countedTick) / 1_000;
  playback.played += Math.min(moved / playback.rate, elapsed);
  if (playback.isExplained) {
    playback.playedSinceSeek += moved;
    return;
  }
  playback.playedSinceJump += moved;
  if (playback.playedSinceJump < SURE_SECONDS) return;
  playback.isExplained = true;
  playback.playedSinceSeek = playback.playedSinceJump;
}

/**
 * How far the video may have come since the last reading.
 * @param {Playback} playback @param {Reading} reading
 */
function furthestExplained(playback, { moment, playbackRate }) {
  const { countedAt, countedTick, isRunning, rate } = playback;
  const elapsed = Math.min((moment.tick - countedTick) / 1_000, SILENCE_SECONDS);
  const seconds = isRunning ? elapsed : 0;
  const speed = Math.max(1, rate, playbackRate);
  return countedAt + (seconds + CLOCK_SECONDS) * speed + SLACK_SECONDS;
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
function setCounted(playback, { currentTime, moment, paused, hasFutureData }, isSeek) {
  playback.countedAt = currentTime;
  playback.countedTick = moment.tick;
  playback.isRunning = !isSeek && !paused && hasFutureData;
  playback.isAfterSeek = isSeek;
}

/**
 * The position that playing or a seek explains.
 * @param {Playback} playback @param {Reading} reading
 */
export const explainedPosition = ({ position }, { seeking, currentTime }) =>
  seeking ? currentTime : position;

/**
 * Whether a second is the end of the video, by its file or by the server.
 * @param {Playback} playback @param {number} second
 */
function isEnd({ announcedDuration, serverDuration }, second) {
  const end = Math.min(announcedDuration, serverDuration ?? Infinity);
  return end === Infinity || second >= end - SLACK_SECONDS;
}

/**
 * Whether the video was played to its end.
 * @param {Playback} playback @param {Reading} reading
 */
export const hasPlayedToEnd = (playback, reading) =>
  reading.ended && playback.playedSinceSeek > 0 && isEnd(playback, playback.position);

/**
 * Whether a browser that has reached the end was stopped by a file that ends too early.
 * @param {Playback} playback @param {Reading} reading
 */
export const isCutShort = (playback, reading) =>
  !isEnd(playback, furthestPlayed(playback, reading));

/**
 * Why a looping video has just begun to seek to its start. Call it before `startSeek`.
 * @param {Playback} playback @param {Reading} reading
 * @returns {"end" | "cut" | null} it was played to its end, its file ended too early, or the viewer
 *   went there
 */
export function loopReason(playback, reading) {
  // The viewer may have paused since the browser began the seek.
  const isRunning = !reading.paused || playback.isRunning;
  const { duration } = reading;
  const isAtEnd = hasBeenAtEnd(reading);
  const isFirstEnd = isAtEnd && !playback.wasAtEnd;
  if (!reading.loop || !(isRunning || isFirstEnd) || !isAtStart(reading)) return null;
  const reached = furthestPlayed(playback, reading);
  playback.wasAtEnd ||= isAtEnd;
  if (reached !== duration && !isFirstEnd) return null;
  const hasArrived = playback.playedSinceSeek > 0 && isEnd(playback, reached);
  return hasArrived ? "end" : "cut";
}

/** Whether the browser has played to what it takes for the end. @param {Reading} reading */
export const hasBeenAtEnd = ({ playedEnd, duration }) => playedEnd >= duration;

/**
 * A seek has begun, and nothing was played at its target yet.
 * @param {Playback} playback @param {Reading} reading
 */
export function startSeek(playback, reading) {
  // The video ran until the seek began.
  if (playback.isRunning) {
    const elapsed = (reading.moment.tick - playback.countedTick) / 1_000;
    playback.played += Math.min(elapsed, REPORT_SECONDS);
  }
  setCounted(playback, reading, true);
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
  const { played, position, serverDuration } = playback;
  Object.assign(playback, newPlayback(), { played, position, serverDuration });
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
export const fragmentOf = (source) =>
  /#(?:.*&)?t=(?:npt:)?([\d:.]+(?:,[\d:.]*)?|,[\d:.]+)(?:&|$)/.exec(source)?.[1] ?? null;

/** Whether it begins at 0, where no browser seeks to. @param {string | null} fragment */
export const isStartFragment = (fragment) => fragment !== null && /^[0:.]*(,|$)/.test(fragment);
