import axios, { isAxiosError } from "axios";
import { baseUrl, check, credentials } from "./check.js";
import {
  listVideos,
  login,
  readVideo,
  saveWatchHistory,
  saveWatchHistoryBatch,
  streamVideo,
  type VideoNotFoundProblem,
} from "./generated/orval.js";

async function main(): Promise<void> {
  Object.assign(axios.defaults, { baseURL: baseUrl, adapter: "fetch" });
  const pair = await login(credentials);
  const headers = { Authorization: `Bearer ${pair.data.access_token}` };
  const saved = await saveWatchHistory(1, { watch_position: 7 }, { headers });
  const saves = [{ video_id: 1, watch_position: 9 }, { video_id: 99, watch_position: 9 }];
  const batch = await saveWatchHistoryBatch({ saves }, { headers });
  const listed = await listVideos({ limit: 5 }, { headers });
  // The version for Node 20 does not know that a response with several statuses is no text.
  const streamed = await streamVideo(1, { headers: { Range: "bytes=0-99" }, responseType: "blob" });
  const absent = await readVideo(99).catch((error: unknown) => error);
  if (!isAxiosError<VideoNotFoundProblem>(absent) || !absent.response) throw new Error("there is no video 99");
  check({
    // A save that is not taken has no body.
    position: typeof saved.data === "object" ? saved.data.watch_position : -1,
    titles: listed.data.map((video) => video.title),
    video: streamed.data,
    code: absent.response.data.code,
    taken: batch.data.results.flatMap((result) => ("entry" in result ? [result.entry.watch_position] : [])),
  });
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
