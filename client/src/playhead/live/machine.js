/**
 * The live connection as a state machine. `transition` takes a state and an event, and returns the
 * next state and the effects that `live.js` then carries out. It has no socket, no network and no
 * clock, so tests run through hours of it in milliseconds.
 *
 * States:
 * - off: nobody listens, nobody is signed in, or the page has been hidden for long
 * - connecting: a socket is opened, until the server has said that it is ready
 * - live: messages arrive
 * - waiting: the socket failed, and another is opened later; after some failures, and where the
 *   server has no place for this socket, the changes are polled meanwhile
 *
 * What each event does in each state. "fail" goes to waiting, for longer each time. A dash does
 * nothing, and closed sockets that were given up before are not told at all.
 *
 * | event       | off               | connecting      | live            | waiting         |
 * |-------------|-------------------|-----------------|-----------------|-----------------|
 * | subscribed  | connecting        | stay            | stay            | stay            |
 * | abandoned   | -                 | off, in a while | off, in a while | off, in a while |
 * | greeted     | -                 | poll no more    | await "ready"   | -               |
 * | ready       | -                 | live            | live            | -               |
 * | resync      | -                 | -               | greet again     | -               |
 * | closed      | -                 | fail            | fail            | -               |
 * | - 4401      | -                 | newer token,    | newer token     | -               |
 * |             |                   | or fail         |                 |                 |
 * | - 4429      | -                 | poll            | poll            | -               |
 * | tokenFailed | -                 | fail            | ask again       | -               |
 * | signedOut   | off               | off             | off             | off             |
 * | account     | connecting        | connecting      | connecting      | connecting      |
 * | polled      | -                 | poll again      | -               | poll again      |
 * | hidden      | off, in a while   | off, in a while | off, in a while | off, in a while |
 * | shown       | connecting        | -               | greet again     | connecting      |
 * | frozen      | off               | off             | off             | off             |
 * | offline     | -                 | fail            | fail            | -               |
 * | online      | -                 | -               | -               | connecting      |
 *
 * - greeted: the socket has sent a token, which is valid for `validForMs`
 * - polled: a poll is over; the next one comes `leastMs` later or more
 * - frozen: the browser puts the page away, perhaps to show it again
 * - timer: the time of an effect "timer" has passed
 */
import { crowdedDelay, pollDelay, reconnectDelay } from "./delays.js";

/** @typedef {"off" | "connecting" | "live" | "waiting"} Phase */
/**
 * - give up: the server does not answer
 * - linger: nobody listens any more
 * - quiet: the page has been hidden for long
 * - doubt: the page has been hidden, so the socket may have died unnoticed
 * - renew: the token expires soon
 * - catchUp: the server asked to be asked again
 * @typedef {"retry" | "poll" | "giveUp" | "linger" | "quiet" | "doubt" | "renew"
 *   | "catchUp"} TimerName
 *
 * - isWanted: somebody listens, or did a short while ago
 * - isHidden: the page is hidden
 * - isQuiet: the page has been hidden for so long that nothing is asked any more
 * - isDoubtful: the socket may have died while the page was hidden
 * - isSignedOut: there was no token, and no other account since then
 * - isPolling: the changes are polled while there is no socket
 * - hasRenewed: a newer token was asked for because the server refused one
 * - failures: how many sockets have failed since the last one was ready
 * @typedef {{ phase: Phase, isWanted: boolean, isHidden: boolean, isQuiet: boolean,
 *   isDoubtful: boolean, isSignedOut: boolean, isPolling: boolean, hasRenewed: boolean,
 *   failures: number }} ConnectionState
 *
 * @typedef {"subscribed" | "abandoned" | "ready" | "resync" | "tokenFailed" | "signedOut"
 *   | "account" | "hidden" | "shown" | "frozen" | "offline" | "online"} PlainConnectionEvent
 * @typedef {{ [T in PlainConnectionEvent]: { type: T } }[PlainConnectionEvent]
 *   | { type: "greeted", validForMs: number } | { type: "closed", code: number }
 *   | { type: "polled", leastMs: number }
 *   | { type: "timer", name: TimerName }} ConnectionEvent
 *
 * - open: open a socket, with another token than the refused one if `isRefused`
 * - greet: send a token on the open socket, a newer one if `isExpiring`
 * - reset: forget what was heard, because it is of another account
 * @typedef {{ type: "open", isRefused: boolean } | { type: "close" }
 *   | { type: "greet", isExpiring: boolean } | { type: "poll" } | { type: "stopPoll" }
 *   | { type: "reset" } | { type: "report", phase: Phase }
 *   | { type: "timer", name: TimerName, inMs: number }
 *   | { type: "stopTimer", name: TimerName }} ConnectionEffect
 *
 * @typedef {{ state: ConnectionState, effects: ConnectionEffect[],
 *   random: () => number }} ConnectionStep
 */

/** How long the server may take until it is ready. */
export const GIVE_UP_MS = 15_000;
/** A view that follows another one takes over its socket. */
export const LINGER_MS = 5_000;
export const QUIET_MS = 300_000;
/** The server closes a socket that has been silent for a minute. */
const DOUBT_MS = 30_000;
/** So many sockets have to fail before the changes are polled. */
const POLL_FROM_FAILURE = 3;
/** A token is renewed so long before it expires, or at two thirds of a short life. */
const RENEW_MS = 45_000;
const TOKEN_RETRY_MS = 10_000;
/** After a failure of the server's own, its sockets ask again within this time. */
const CATCH_UP_SPREAD_MS = 2_000;
/** Pages that share a network come back to it within this time. */
const ONLINE_SPREAD_MS = 500;

/** Closes of the server. */
const TOKEN_REFUSED = 4401;
const TOO_MANY = 4429;

/** @param {boolean} isHidden whether the page is hidden @returns {ConnectionState} */
export const initialState = (isHidden) => ({
  phase: "off",
  isWanted: false,
  isHidden,
  isQuiet: false,
  isDoubtful: false,
  isSignedOut: false,
  isPolling: false,
  hasRenewed: false,
  failures: 0,
});

/**
 * @param {ConnectionState} before @param {ConnectionEvent} event
 * @param {() => number} [random] as `Math.random`
 * @returns {{ state: ConnectionState, effects: ConnectionEffect[] }}
 */
export function transition(before, event, random = Math.random) {
  /** @type {ConnectionStep} */
  const step = { state: { ...before }, effects: [], random };
  const { state, effects } = step;
  apply(step, event);
  if (state.phase !== before.phase) effects.push({ type: "report", phase: state.phase });
  return { state, effects };
}

/** @param {ConnectionStep} step @param {ConnectionEvent} event */
function apply(step, event) {
  const { phase } = step.state;
  const hasSocket = phase === "connecting" || phase === "live";
  if (event.type === "timer") return TIMERS[event.name](step);
  if (event.type === "polled") return pollLater(step, event.leastMs);
  if (event.type === "closed") return hasSocket ? closed(step, event.code) : undefined;
  if (event.type !== "greeted") return EVENTS[event.type](step);
  return hasSocket ? greeted(step, event.validForMs) : undefined;
}

/** @type {Record<PlainConnectionEvent, (step: ConnectionStep) => void>} */
const EVENTS = {
  subscribed(step) {
    stopTimer(step, "linger");
    if (!step.state.isWanted && step.state.isHidden) setTimer(step, "quiet", QUIET_MS);
    step.state.isWanted = true;
    begin(step);
  },

  abandoned: (step) => setTimer(step, "linger", LINGER_MS),

  ready(step) {
    const { state } = step;
    if (state.phase === "off" || state.phase === "waiting") return;
    Object.assign(state, { phase: "live", failures: 0, hasRenewed: false });
    stopTimer(step, "giveUp");
    stopPolling(step);
  },

  resync({ state, effects, random }) {
    const inMs = random() * CATCH_UP_SPREAD_MS;
    if (state.phase === "live") effects.push({ type: "timer", name: "catchUp", inMs });
  },

  tokenFailed(step) {
    if (step.state.phase === "connecting") fail(step);
    else if (step.state.phase === "live") setTimer(step, "renew", TOKEN_RETRY_MS);
  },

  signedOut(step) {
    step.state.isSignedOut = true;
    stop(step);
  },

  account(step) {
    stop(step);
    step.effects.push({ type: "reset" });
    Object.assign(step.state, { isSignedOut: false, hasRenewed: false, failures: 0 });
    begin(step);
  },

  hidden(step) {
    step.state.isHidden = true;
    if (!step.state.isWanted) return;
    setTimer(step, "quiet", QUIET_MS);
    setTimer(step, "doubt", DOUBT_MS);
  },

  shown(step) {
    const { state } = step;
    stopTimer(step, "quiet");
    stopTimer(step, "doubt");
    const { isDoubtful } = state;
    Object.assign(state, { isHidden: false, isQuiet: false, isDoubtful: false });
    if (state.phase === "live" && isDoubtful) greet(step);
    else if (state.phase === "waiting") connect(step);
    else begin(step);
  },

  frozen(step) {
    step.state.isQuiet = true;
    stop(step);
  },

  offline: lose,

  online(step) {
    step.state.failures = 0;
    if (step.state.phase === "waiting") setTimer(step, "retry", step.random() * ONLINE_SPREAD_MS);
  },
};

/** @type {Record<TimerName, (step: ConnectionStep) => void>} */
const TIMERS = {
  retry: (step) => (step.state.phase === "waiting" ? connect(step) : undefined),
  giveUp: lose,
  catchUp: (step) => (step.state.phase === "live" ? greet(step) : undefined),

  poll: ({ state, effects }) => {
    if (state.isPolling) effects.push({ type: "poll" });
  },

  linger(step) {
    step.state.isWanted = false;
    stop(step);
  },

  quiet(step) {
    step.state.isQuiet = true;
    stop(step);
  },

  doubt({ state }) {
    state.isDoubtful = true;
  },

  renew({ state, effects }) {
    if (state.phase === "live") effects.push({ type: "greet", isExpiring: true });
  },
};

/** Connects where a connection is wanted and possible. @param {ConnectionStep} step */
function begin(step) {
  const { phase, isWanted, isQuiet, isSignedOut } = step.state;
  if (phase === "off" && isWanted && !isQuiet && !isSignedOut) connect(step);
}

/** @param {ConnectionStep} step @param {boolean} [isRefused] */
function connect(step, isRefused = false) {
  step.state.phase = "connecting";
  stopTimer(step, "retry");
  setTimer(step, "giveUp", GIVE_UP_MS);
  step.effects.push({ type: "open", isRefused });
}

/** Sends the token once more: the answer has what was missed. @param {ConnectionStep} step */
function greet(step) {
  setTimer(step, "giveUp", GIVE_UP_MS);
  step.effects.push({ type: "greet", isExpiring: false });
}

/**
 * From now on the socket tells what has changed. An older answer to a poll must not replace that.
 * @param {ConnectionStep} step @param {number} validForMs
 */
function greeted(step, validForMs) {
  stopPolling(step);
  setTimer(step, "giveUp", GIVE_UP_MS);
  setTimer(step, "renew", validForMs - Math.min(RENEW_MS, validForMs / 3));
}

/** @param {ConnectionStep} step @param {number} code */
function closed(step, code) {
  const { state } = step;
  if (code === TOKEN_REFUSED && !state.hasRenewed) {
    state.hasRenewed = true;
    return connect(step, true);
  }
  if (code !== TOO_MANY) return fail(step);
  // A newer page of the viewer has the place. Taking it back would never end.
  wait(step, crowdedDelay(step.random));
  startPolling(step);
}

/** The socket is of no use any more. @param {ConnectionStep} step */
function lose(step) {
  if (step.state.phase === "connecting" || step.state.phase === "live") fail(step);
}

/** @param {ConnectionStep} step */
function fail(step) {
  const { state } = step;
  wait(step, reconnectDelay(state.failures++, step.random));
  if (state.failures >= POLL_FROM_FAILURE) startPolling(step);
}

/** @param {ConnectionStep} step @param {number} inMs */
function wait(step, inMs) {
  step.state.phase = "waiting";
  leaveSocket(step);
  setTimer(step, "retry", inMs);
}

/** @param {ConnectionStep} step */
function startPolling(step) {
  if (step.state.isPolling) return;
  step.state.isPolling = true;
  // All pages that lost the same server would otherwise poll it at once.
  setTimer(step, "poll", step.random() * pollDelay(step.random));
}

/** @param {ConnectionStep} step */
function stopPolling(step) {
  if (!step.state.isPolling) return;
  step.state.isPolling = false;
  stopTimer(step, "poll");
  step.effects.push({ type: "stopPoll" });
}

/** @param {ConnectionStep} step @param {number} leastMs */
function pollLater(step, leastMs) {
  const inMs = Math.max(leastMs, pollDelay(step.random));
  if (step.state.isPolling) setTimer(step, "poll", inMs);
}

/** @param {ConnectionStep} step */
function stop(step) {
  if (step.state.phase === "off") return;
  step.state.phase = "off";
  leaveSocket(step);
  stopTimer(step, "retry");
  stopPolling(step);
}

/** @param {ConnectionStep} step */
function leaveSocket(step) {
  for (const name of /** @type {const} */ (["giveUp", "renew", "catchUp"])) stopTimer(step, name);
  step.effects.push({ type: "close" });
}

/** @param {ConnectionStep} step @param {TimerName} name @param {number} inMs */
const setTimer = ({ effects }, name, inMs) => effects.push({ type: "timer", name, inMs });

/** @param {ConnectionStep} step @param {TimerName} name */
const stopTimer = ({ effects }, name) => effects.push({ type: "stopTimer", name });
