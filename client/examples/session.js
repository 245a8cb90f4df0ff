/** What the example pages share: signing in and out, and which video is shown. */

const TOKEN = "playhead-examples.token";

const query = new URLSearchParams(location.search);

/** The video of the page, such as 3 of `plain.html?video=3`. */
export const videoId = Number(query.get("video") ?? 1);

/** The access token of the signed-in user, null for nobody. */
export const getToken = () => localStorage.getItem(TOKEN);

/** The address of the file, with the position that the page names (`#t=10`), and its type. */
export async function readSource() {
  const response = await fetch(`/api/v1/videos/${videoId}`);
  if (!response.ok) throw new Error(`video ${videoId}: HTTP ${response.status}`);
  const { stream_url } = await response.json();
  const { headers } = await fetch(stream_url, { method: "HEAD" });
  return { src: stream_url + location.hash, type: headers.get("content-type") ?? "" };
}

/**
 * Shows a form to sign in, and calls back for each user who has signed in.
 * @param {() => () => Promise<void>} begin returns what ends it when the user signs out; the last
 *   position is saved before the token is gone
 */
export function whenSignedIn(begin) {
  const form = document.createElement("form");
  form.innerHTML = `
    <input name="username" placeholder="name" autocomplete="username" required>
    <input name="password" type="password" placeholder="password" autocomplete="current-password" required>
    <button id="sign-in">Sign in</button>
    <button id="sign-out" type="button">Sign out</button>
    <output id="user"></output>`;
  document.body.prepend(form);
  const [user] = form.getElementsByTagName("output");
  let end = async () => {};

  function start() {
    user.value = "Signed in";
    end = begin();
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const token = await requestToken(Object.fromEntries(new FormData(form)));
    if (token === null) return void (user.value = "The name or the password is wrong");
    localStorage.setItem(TOKEN, token);
    start();
  });
  form.querySelector("#sign-out")?.addEventListener("click", async () => {
    await end();
    localStorage.removeItem(TOKEN);
    user.value = "Signed out";
  });
  if (getToken()) start();
}

/** @param {object} credentials @returns {Promise<string | null>} null if they are wrong */
async function requestToken(credentials) {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(credentials);
  const response = await fetch("/api/v1/auth/login", { method: "POST", headers, body });
  return response.ok ? (await response.json()).access_token : null;
}

/** Shows what happens to a player. @param {import("playhead").PlayheadEvent} event */
export function showState({ state, position }) {
  const line = document.querySelector("#state");
  if (line) line.textContent = `${state} ${position}`;
}
