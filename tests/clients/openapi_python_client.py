"""Signs in, saves, lists and streams with the client that openapi-python-client makes."""

import sys

from playhead_client import AuthenticatedClient, Client
from playhead_client.api.auth import login
from playhead_client.api.videos import list_videos, read_video, stream_video
from playhead_client.api.watch_history import save_watch_history, save_watch_history_batch
from playhead_client.models import (
    Credentials,
    VideoNotFoundProblem,
    VideoNotFoundProblemCode,
    WatchHistoryBatch,
    WatchHistoryBatchRefused,
    WatchHistoryBatchSave,
    WatchHistoryBatchTaken,
    WatchHistorySave,
)

base_url = sys.argv[1]
pair = login.sync(client=Client(base_url), body=Credentials(username="ann", password="correct horse"))
client = AuthenticatedClient(base_url, token=pair.access_token)

assert save_watch_history.sync(1, client=client, body=WatchHistorySave(watch_position=7)).watch_position == 7
saves = [WatchHistoryBatchSave(video_id=video, watch_position=9) for video in (1, 99)]
taken, refused = save_watch_history_batch.sync(client=client, body=WatchHistoryBatch(saves=saves)).results
assert isinstance(taken, WatchHistoryBatchTaken) and taken.entry.watch_position == 9
assert isinstance(refused, WatchHistoryBatchRefused) and refused.problem.code == "video_not_found"
assert [video.title for video in list_videos.sync(client=client, limit=5)] == ["Sample clip"]
assert len(stream_video.sync(1, client=client, range_="bytes=0-99").payload.read()) == 100
absent = read_video.sync(99, client=client)
assert isinstance(absent, VideoNotFoundProblem) and absent.code is VideoNotFoundProblemCode.VIDEO_NOT_FOUND
