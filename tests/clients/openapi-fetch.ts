import createClient from "openapi-fetch";
import { baseUrl, check, credentials } from "./check.js";
import type { paths } from "./generated/openapi-typescript.js";

async function main(): Promise<void> {
  const client = createClient<paths>({ baseUrl });
  const signedIn = await client.POST("/api/v1/auth/login", { body: credentials });
  if (!signedIn.data) throw new Error(signedIn.error.code);
  const token = signedIn.data.access_token;
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${token}`);
    },
  });
  const path = { video_id: 1 };
  const saved = await client.POST("/api/v1/videos/{video_id}/watch-history", {
    params: { path },
    body: { watch_position: 7 },
  });
  const batch = await client.POST("/api/v1/watch-history/batch", {
    body: { saves: [{ video_id: 1, watch_position: 9 }, { video_id: 99, watch_position: 9 }] },
  });
  const listed = await client.GET("/api/v1/videos", { params: { query: { limit: 5 } } });
  const streamed = await client.GET("/api/v1/videos/{video_id}/stream", {
    params: { path, header: { Range: "bytes=0-99" } },
    parseAs: "blob",
  });
  const absent = await client.GET("/api/v1/videos/{video_id}", { params: { path: { video_id: 99 } } });
  if (!saved.data || !batch.data || !listed.data || !streamed.data || !absent.error) throw new Error("a call failed");
  check({
    position: saved.data.watch_position,
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
