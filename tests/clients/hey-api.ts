import { baseUrl, check, credentials } from "./check.js";
import { client } from "./generated/hey-api/client.gen.js";
import {
  listVideos,
  login,
  readVideo,
  saveWatchHistory,
  saveWatchHistoryBatch,
  streamVideo,
} from "./generated/hey-api/sdk.gen.js";

async function main(): Promise<void> {
  client.setConfig({ baseUrl });
  const signedIn = await login({ body: credentials, throwOnError: true });
  client.setConfig({ baseUrl, auth: signedIn.data.access_token });
  const path = { video_id: 1 };
  const saved = await saveWatchHistory({ path, body: { watch_position: 7 }, throwOnError: true });
  const batch = await saveWatchHistoryBatch({
    body: { saves: [{ video_id: 1, watch_position: 9 }, { video_id: 99, watch_position: 9 }] },
    throwOnError: true,
  });
  const listed = await listVideos({ query: { limit: 5 }, throwOnError: true });
  const streamed = await streamVideo({ path, headers: { Range: "bytes=0-99" }, throwOnError: true });
  const absent = await readVideo({ path: { video_id: 99 } });
  if (!absent.error) throw new Error("there is no video 99");
  check({
    // A save that is not taken has no body.
    position: typeof saved.data === "object" ? saved.data.watch_position : -1,
    titles: listed.data.map((video) => video.title),
    video: streamed.data,
    code: absent.error.code,
    taken: batch.data.results.flatMap((result) => (result.status === 200 ? [result.entry.watch_position] : [])),
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
