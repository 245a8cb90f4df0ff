/**
 * What of a film was really played: how long, and how far. A browser that comes to the end of a broken-off file says that it stands at
 * the end of the film; one that loops says that it stands at the start.
 */

/** A position may be ahead of the stopwatch by this much of film, and an end before the one that was announced. */
const SLACK_SECONDS = 1;
/** By how much the two clocks, the film's and the page's, may differ between two readings. */
const CLOCK_SECONDS = 0.1;
/** Browsers tell of a running film at least every second; a longer silence, such as that of a sleeping machine, explains no more than this. */
const SILENCE_SECONDS = 10;
/** A position that nothing explains counts once this much was played from there. */
const SURE_SECONDS = 2;

/** @typedef {ReturnType<typeof createPlayback>} Playback */

/** @param {HTMLVideoElement} video */
export function createPlayback(video) {
  let watched = 0;
  let place = 0; // the newest position that playing or seeking explains
  let isExplained = true; // the element stands there
  let played = 0; // seconds of film since the last seek, up to `place`
  let unsure = 0; // seconds of film since a jump
  let rate = 1;
  let mark = { position: NaN, at: 0, isRunning: false, isSought: false };
  let announced = Infinity; // the length, as the file said before it was played
  let isCut = false; // the file ends before that
  let wasAtEnd = false; // the browser has been there

  /** How far the film may have come since the mark. */
  function explained() {
    const seconds = mark.isRunning ? Math.min((performance.now() - mark.at) / 1_000, SILENCE_SECONDS) : 0;
    return mark.position + (seconds + CLOCK_SECONDS) * Math.max(1, rate, video.playbackRate) + SLACK_SECONDS;
  }

  /** Whether that is the end of the film by its file or, where the server knows it, by the server. @param {number} second @param {number | null} known */
  const isEnd = (second, known) => {
    const lengths = [announced, known ?? Infinity].filter(Number.isFinite);
    return lengths.length === 0 || second >= Math.min(...lengths) - SLACK_SECONDS;
  };

  /** @param {boolean} isSought */
  function setMark(isSought) {
    const isRunning = !isSought && !video.paused && video.readyState >= video.HAVE_FUTURE_DATA;
    mark = { position: video.currentTime, at: performance.now(), isRunning, isSought };
  }

  /** Takes in where the element stands; true if that is elsewhere. */
  function count() {
    const here = video.currentTime;
    const moved = here - mark.position;
    const isElsewhere = moved !== 0;
    // A film that is back at its start has been sought there, which will be told.
    if (video.seeking || (video.loop && moved < -SLACK_SECONDS && isAtStart(video))) return isElsewhere;
    // A seek may end where it was not meant to, as at the last whole picture before that.
    if (here > explained() || (moved < -SLACK_SECONDS && !mark.isSought)) {
      [isExplained, unsure] = [false, 0];
    } else if (moved > 0) {
      // Time is counted, not film: the stopwatch bounds what a speed that has just changed makes of it.
      watched += Math.min(moved / rate, (performance.now() - mark.at) / 1_000);
      if (isExplained) played += moved;
      else if ((unsure += moved) >= SURE_SECONDS) [isExplained, played] = [true, unsure];
    }
    if (isExplained) place = here;
    rate = video.playbackRate || 1;
    setMark(false);
    return isElsewhere;
  }

  return {
    count,
    isEnd,

    get watched() {
      return watched;
    },
    set watched(seconds) {
      watched = seconds;
    },

    /** Where the film was played or sought to. */
    get place() {
      return video.seeking ? video.currentTime : place;
    },

    /** Whether it was played to its end. @param {number | null} known its length as the server has it */
    hasEnded: (known) => video.ended && played > 0 && isEnd(place, known),

    /** Whether the browser says that it is at the end of a film that goes on behind it. @param {number | null} known */
    isBrokenOff: (known) => video.ended && !isEnd(place, known),

    /**
     * What the seek that has just begun is of a looping film: "end" where it was played to its end, "cut" where its file broke off, and
     * null where somebody went there. Comes before `seek`.
     * @param {number | null} known @returns {"end" | "cut" | null}
     */
    wrap(known) {
      if (!video.loop || video.paused || !isAtStart(video)) return null;
      const { duration, played: ranges } = video;
      const reached = isExplained && explained() >= duration ? duration : place;
      const isAtEnd = ranges.length > 0 && ranges.end(ranges.length - 1) >= duration;
      const isOfBrowser = reached === duration || (isAtEnd && (isCut || !wasAtEnd));
      wasAtEnd ||= isAtEnd;
      if (!isOfBrowser) return null;
      if (played > 0 && isEnd(reached, known)) return "end";
      isCut = true;
      return "cut";
    },

    /** The film is being taken elsewhere, where nothing was played yet. */
    seek() {
      setMark(true);
      place = video.currentTime;
      [isExplained, played] = [true, 0];
    },

    /** The file says how long it is. */
    announce() {
      announced = video.duration > 0 ? video.duration : Infinity;
    },

    /** It says so anew. What is shorter may only be what there is of it, and so may be what nobody knew before. */
    extend() {
      if (video.duration > announced) announced = video.duration;
    },

    /** Another file, or the same one anew. */
    reset() {
      mark = { position: NaN, at: 0, isRunning: false, isSought: false };
      [announced, isCut, wasAtEnd, isExplained, played] = [Infinity, false, false, true, 0];
    },
  };
}

/** Browsers go back to the start, not to somewhere near it. @param {HTMLVideoElement} video */
export const isAtStart = ({ currentTime, seekable }) => currentTime < (seekable.length > 0 ? seekable.start(0) : 0) + 0.5;

/** Begin and end in a source's address (`#t=10,20`), or null. @param {string} source */
export function fragmentOf(source) {
  const times = new URLSearchParams(source.split("#")[1]).getAll("t").at(-1) ?? "";
  return /^(npt:)?[\d:.]+(,[\d:.]*)?$|^(npt:)?,[\d:.]+$/.test(times) ? times : null;
}

/** Whether that begins at the start, which no browser seeks to. @param {string | null} fragment */
export const isStart = (fragment) => fragment !== null && /^(npt:)?[0:.]*(,|$)/.test(fragment);
