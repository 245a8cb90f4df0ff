import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceName } from "../../web/device.js";

test("a device is named after its browser and its system", () => {
  const webkit = "AppleWebKit/537.36 (KHTML, like Gecko)";
  const apple = "AppleWebKit/605.1.15 (KHTML, like Gecko)";
  const names = {
    [`Mozilla/5.0 (X11; Linux x86_64) ${webkit} Chrome/140.0.0.0 Safari/537.36`]: "Chrome · Linux",
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${webkit} Chrome/140.0.0.0 Safari/537.36 Edg/140.0`]:
      "Edge · Windows",
    [`Mozilla/5.0 (Linux; Android 16; SM-S931B) ${webkit} SamsungBrowser/29.0 Chrome/136.0 Safari/537.36`]:
      "Samsung Internet · Android",
    "Mozilla/5.0 (Android 16; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0": "Firefox · Android",
    [`Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) ${apple} Version/19.0 Mobile/15E148 Safari/604.1`]:
      "Safari · iPhone",
    [`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${apple} Version/19.0 Safari/605.1.15`]:
      "Safari · Mac",
    "something else": undefined,
  };
  for (const [agent, name] of Object.entries(names)) assert.equal(deviceName(agent), name, agent);
});
