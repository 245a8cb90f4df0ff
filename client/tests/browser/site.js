/** A server of Playhead with real clips, the built example pages before it, and a browser. */
import { spawn, execFileSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import puppeteer from "puppeteer-core";
import { preview } from "vite";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {(request: { method: string, url: string, range: string }) => object | null} Answers */

const root = join(import.meta.dirname, "../../..");
const PROGRAM = process.env.PLAYHEAD_BIN ?? join(root, "target/debug/playhead");
/** Of each player two, so that all can be played at once. */
const USERS = ["plain", "videojs", "vidstack", "shaka", "react", "many", "advertisement"].flatMap((player) => [
  `ann-${player}`,
  `bob-${player}`,
]);
export const PASSWORD = "correct horse";
/** The longest wait for something that a page should do. */
const PATIENCE_MS = 30_000;

/** The clips by name; the files are those of the program's own tests. @param {string} folder */
function copyClips(folder) {
  const sample = join(root, "service/sample/Sample clip.webm");
  const bytes = readFileSync(sample);
  cpSync(sample, join(folder, "film.webm")); // 60 seconds
  writeFileSync(join(folder, "cut.webm"), bytes.subarray(0, bytes.length / 12));
  for (const name of ["two-seconds.webm", "long-text.mp4"]) {
    cpSync(join(root, "tests/fixtures", name), join(folder, name));
  }
}

/** Starts the program in a folder. @param {string} folder @returns {Promise<[any, string]>} */
async function startProgram(folder) {
  const environment = { ...process.env, BIND_ADDRESS: "127.0.0.1:0", DATABASE_URL: "" };
  const { DATABASE_URL: _, ...env } = environment;
  const server = spawn(PROGRAM, [], { cwd: folder, env, stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  for await (const chunk of server.stderr) {
    log += chunk;
    const address = /Playhead is at *(http:\/\/[^\s]*)/.exec(log)?.[1];
    if (!address) continue;
    server.stderr.destroy();
    return [server, address];
  }
  throw new Error(log);
}

export class Site {
  /** @type {Map<string, number>} The ids of the clips. */
  videos = new Map();
  /** @type {Record<string, string>} The tokens by user. */
  tokens = {};
  /** The working folder of the program. */
  folder = mkdtempSync(join(tmpdir(), "playhead-site-"));
  /** @type {any} */
  server;
  /** The address of the program. */
  api = "";
  /** @type {any} */
  pages;
  /** The address of the pages. */
  address = "";
  /** @type {any} */
  browser;

  /** @param {"chrome" | "firefox"} browserName @param {string} pages the built examples */
  static async start(browserName, pages) {
    const site = new Site();
    mkdirSync(join(site.folder, "media"));
    copyClips(join(site.folder, "media"));
    [site.server, site.api] = await startProgram(site.folder);
    for (const name of USERS) {
      const words = ["user", "create", name, `${name}@example.org`];
      execFileSync(PROGRAM, words, { cwd: site.folder, input: `${PASSWORD}\n`, stdio: "pipe" });
    }
    execFileSync(PROGRAM, ["scan", "--owner", USERS[0]], { cwd: site.folder, stdio: "pipe" });
    for (const { id, title } of await site.ask("/videos?limit=100")) site.videos.set(title, id);
    const proxy = { "/api": { target: site.api, ws: true } };
    site.pages = await preview({
      configFile: false,
      logLevel: "warn",
      build: { outDir: pages },
      preview: { port: 0, host: "127.0.0.1", proxy },
    });
    const address = /** @type {import("node:net").AddressInfo} */ (site.pages.httpServer.address());
    site.address = `http://127.0.0.1:${address.port}`;
    site.browser = await puppeteer.launch({
      browser: browserName,
      executablePath: browserName === "chrome" ? "/usr/bin/chromium" : "/usr/bin/firefox-esr",
      args:
        browserName === "chrome"
          ? [
              "--no-sandbox", // which does not work for root, as whom CI runs
              "--disable-dev-shm-usage",
              "--mute-audio",
              "--autoplay-policy=no-user-gesture-required",
            ]
          : [],
      extraPrefsFirefox: {
        "media.autoplay.default": 0,
        "media.block-autoplay-until-in-foreground": false,
        "media.volume_scale": "0.0",
      },
    });
    return site;
  }

  async stop() {
    await this.browser?.close();
    await this.pages?.close();
    this.server.kill();
    await once(this.server, "exit");
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Asks the server below `/api/v1`. @param {string} path @param {string} [token] */
  async ask(path, token) {
    const headers = new Headers(token ? { authorization: `Bearer ${token}` } : {});
    const response = await fetch(`${this.api}/api/v1${path}`, { headers });
    return response.ok ? response.json() : null;
  }

  /** @param {string} username @returns {Promise<string>} */
  async token(username) {
    const response = await fetch(`${this.api}/api/v1/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username, password: PASSWORD }),
    });
    return (await response.json()).access_token;
  }

  /** What the server has of a user and a clip, null for nothing. */
  async entry(/** @type {string} */ name, clip = "film") {
    const token = (this.tokens[name] ??= await this.token(name));
    return this.ask(`/videos/${this.videos.get(clip)}/watch-history`, token);
  }

  /** Deletes what the server has of a user and a clip. */
  async forget(/** @type {string} */ name, /** @type {string} */ clip) {
    const url = `${this.api}/api/v1/videos/${this.videos.get(clip)}/watch-history`;
    const headers = { authorization: `Bearer ${await this.token(name)}` };
    await fetch(url, { method: "DELETE", headers });
  }

  /** A viewer with a browser of their own, who sees one of the pages. @param {string} player */
  async viewer(player) {
    const context = await this.browser.createBrowserContext();
    return new Viewer(this, context, player);
  }
}

export class Viewer {
  /** @param {Site} site @param {any} context @param {string} player */
  constructor(site, context, player) {
    this.site = site;
    this.context = context;
    this.player = player;
    /** @type {any} */
    this.page = null;
    /** @type {string[]} */
    this.errors = [];
    /** @type {(() => void) | null} Runs in the page before its scripts. */
    this.prepare = null;
    /** @type {Answers | null} What is answered in place of the server; null leaves it to it. */
    this.answers = null;
  }

  /**
   * Opens the page in a new tab.
   * @param {string} [clip] @param {string} [hash]
   * @param {string} [sign] a selector of what it shows
   */
  async open(clip = "film", hash = "", sign = "#sign-in") {
    this.page = await this.context.newPage();
    this.page.on("pageerror", (/** @type {Error} */ error) => this.errors.push(error.message));
    if (this.prepare) await this.page.evaluateOnNewDocument(this.prepare);
    if (this.answers) await this.#answerInPlace(this.answers);
    await this.page.evaluateOnNewDocument(() => {
      // Media events do not bubble, but they can be captured.
      for (const type of ["seeked", "timeupdate"]) {
        document.addEventListener(
          type,
          ({ target }) => {
            const { currentTime } = /** @type {HTMLVideoElement} */ (target);
            if (currentTime > 1) Object.assign(window, { firstMoved: performance.now() });
          },
          { capture: true, once: true },
        );
      }
    });
    const id = this.site.videos.get(clip);
    await this.page.goto(`${this.site.address}/${this.player}.html?video=${id}${hash}`);
    await this.page.waitForSelector(sign);
  }

  /** @param {Answers} answers */
  async #answerInPlace(answers) {
    await this.page.setRequestInterception(true);
    this.page.on("request", (/** @type {any} */ request) => {
      const { range = "" } = request.headers();
      const answer = answers({ method: request.method(), url: request.url(), range });
      return answer ? request.respond(answer) : request.continue();
    });
  }

  /** @param {string} name */
  async signIn(name) {
    await this.page.$eval(
      "form",
      (/** @type {any} */ form, /** @type {string[]} */ [username, password]) => {
        form.elements.username.value = username;
        form.elements.password.value = password;
        form.requestSubmit();
      },
      [name, PASSWORD],
    );
    await this.see(() => document.querySelector("#user")?.textContent === "Signed in");
  }

  async signOut() {
    await this.page.$eval("#sign-out", (/** @type {any} */ button) => button.click());
    await this.see(() => document.querySelector("#user")?.textContent === "Signed out");
  }

  /**
   * Waits until this is true in the page.
   * @param {(argument: any) => unknown} condition @param {unknown} [argument]
   * @param {number} [moreMs] to wait longer than usual
   */
  async see(condition, argument = null, moreMs = 0) {
    const options = { timeout: PATIENCE_MS + moreMs, polling: 50 };
    await this.page.waitForFunction(condition, options, argument);
  }

  /** Waits for the state that the page shows. @param {string} state */
  async seeState(state) {
    await this.see(
      (wanted) => document.querySelector("#state")?.textContent?.startsWith(wanted),
      state,
    );
  }

  /** Does something with the video element. @param {(video: any, argument: any) => unknown} task */
  do(task, /** @type {unknown} */ argument = null) {
    return this.page.$eval("video", task, argument);
  }

  /** Plays until the element has come to a second. @param {number} second */
  async playTo(second) {
    await this.see(() => (document.querySelector("video")?.readyState ?? 0) >= 2);
    await this.do((video) => void video.play());
    await this.see(
      (wanted) => (document.querySelector("video")?.currentTime ?? 0) >= wanted,
      second,
    );
  }

  /** @returns {Promise<number>} */
  position() {
    return this.do((video) => video.currentTime);
  }

  /** Closes the tab as a viewer does, and waits until it is gone. */
  async closeTab() {
    const isGone = new Promise((resolve) => this.page.once("close", resolve));
    await this.page.close({ runBeforeUnload: true });
    await isGone;
  }

  async leave() {
    await this.context.close();
  }
}

/** Asks until the answer is good. @template T @param {() => Promise<T>} ask */
export async function until(ask, /** @type {(answer: T) => boolean} */ isGood) {
  const begun = performance.now();
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (performance.now() - begun > PATIENCE_MS) throw new Error(`still ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
