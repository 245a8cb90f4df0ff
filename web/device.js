/** Browsers name others before themselves, so the first that fits is the one. */
const BROWSERS = /** @type {const} */ ([
  [/\bEdg/, "Edge"],
  [/\bOPR\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(Firefox|FxiOS)\//, "Firefox"],
  [/\b(Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bSafari\//, "Safari"],
]);
const SYSTEMS = /** @type {const} */ ([
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMacintosh\b/, "Mac"],
  [/\bLinux\b/, "Linux"],
]);

/**
 * The name of this device in the history, such as "Firefox · Android".
 * @param {string} userAgent
 * @returns {string | undefined} undefined if it is like no other
 */
export function deviceName(userAgent) {
  const names = [BROWSERS, SYSTEMS].map(
    (known) => known.find(([pattern]) => pattern.test(userAgent))?.[1],
  );
  return names.filter(Boolean).join(" · ") || undefined;
}
