/** What the example pages share: signing in and out, and which video is shown. */

import { createApi } from "playhead/api";

const query = new URLSearchParams(location.search);

/** The video of the page, such as 3 of `plain.html?video=3`. */
export const videoId = Number(query.get("video") ?? 1);

const api = createApi();

/** The access token of the signed-in user, renewed when need be; null for nobody. */
export const { getToken } = api;

/** The address of the file, with the position that the page names (`#t=10`), and its type. */
export async function readSource() {
  const path = { video_id: videoId };
  const { data, error } = await api.GET("/api/v1/videos/{video_id}", { params: { path } });
  const stream_url = data?.stream_url;
  if (!stream_url) throw new Error(error?.detail ?? `video ${videoId} has no file`);
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
    const { username, password } = Object.fromEntries(new FormData(form));
    try {
      await api.signIn(String(username), String(password));
      start();
    } catch (error) {
      user.value = String(error);
    }
  });
  form.querySelector("#sign-out")?.addEventListener("click", async () => {
    await end();
    await api.signOut();
    user.value = "Signed out";
  });
  if (api.isSignedIn()) start();
}

/** Shows what happens to a player. @param {import("playhead").PlayheadEvent} event */
export function showState({ state, position }) {
  const line = document.querySelector("#state");
  if (line) line.textContent = `${state} ${position}`;
}
