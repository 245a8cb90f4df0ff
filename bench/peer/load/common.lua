-- env: TOKENS (file), N, M, H, FRESH (of 100 saves, how many take any video), WATCHED (rows that heartbeats go on with)
N = tonumber(os.getenv("N")); M = tonumber(os.getenv("M")); H = tonumber(os.getenv("H"))
local FRESH = tonumber(os.getenv("FRESH") or "10")
local toks = {}
for l in io.lines(os.getenv("TOKENS")) do toks[#toks + 1] = l end
local SEED = tonumber(os.getenv("SEED") or "0")
math.randomseed(os.time() + SEED)
local R = math.random
-- CLOSE=1: a connection for each request
local CLOSE = os.getenv("CLOSE") and "\r\nConnection: close" or ""
local HOST = " HTTP/1.1\r\nHost: 127.0.0.1" .. CLOSE .. "\r\nAuthorization: Bearer "
local WATCHED = tonumber(os.getenv("WATCHED") or "10080")
local function save_of(u, v, reached)
  local d = 60 + (v * 37) % 3600
  local p = R(0, math.floor((d - 1) * reached))
  local b = '{"watch_position":' .. p .. ',"watch_duration":' .. p .. '}'
  return "POST /api/v1/videos/" .. v .. "/watch-history" .. HOST .. toks[u] ..
    "\r\nContent-Type: application/json\r\nContent-Length: " .. #b .. "\r\n\r\n" .. b
end
function heartbeat_req()
  -- as many rows as are watched just now, evenly spread over the whole history; nobody comes to an end
  local row = math.floor((R(WATCHED) - 1) * N * H / WATCHED)
  local u = math.floor(row / H) + 1
  return save_of(u, (u * 7 + row % H) % M + 1, 0.85)
end
function save_req()
  -- heartbeats: most saves go on with a video the user has begun, the others take any video
  local u, v = R(N), R(M)
  if R(100) > FRESH then v = (u * 7 + R(0, H - 1)) % M + 1 end
  return save_of(u, v, 1)
end
local function save_of_session(u, v, position, session, sequence)
  local b = '{"watch_position":' .. position .. ',"session_id":"' .. session .. '","sequence":' .. sequence .. '}'
  return "POST /api/v1/videos/" .. v .. "/watch-history" .. HOST .. toks[u] ..
    "\r\nContent-Type: application/json\r\nContent-Length: " .. #b .. "\r\n\r\n" .. b
end
local count = 0
-- another one for each thread of each run
local PLAYER = os.time() .. "." .. tostring({}):gsub("[^%w]", "")
-- above all numbers of earlier runs, which count up to 100,000 in a second
local START = os.time() % 20000 * 100000
-- each watched row has one session, which goes on
function session_req()
  local row = math.floor((R(WATCHED) - 1) * N * H / WATCHED)
  local u = math.floor(row / H) + 1
  count = count + 1
  return save_of_session(u, (u * 7 + row % H) % M + 1, 6 + count % 50, "s" .. row, count + START)
end
-- each save is the first one of another session, on a row that is watched
function begin_req()
  local row = math.floor((R(WATCHED) - 1) * N * H / WATCHED)
  local u = math.floor(row / H) + 1
  count = count + 1
  return save_of_session(u, (u * 7 + row % H) % M + 1, 6 + count % 50, PLAYER .. "." .. count, 1)
end
function get_req()
  local u = R(N)
  local v = (u * 7 + R(0, H - 1)) % M + 1
  return "GET /api/v1/videos/" .. v .. "/watch-history" .. HOST .. toks[u] .. "\r\n\r\n"
end
function list_req()
  return "GET /api/v1/videos/continue-watching?limit=10" .. HOST .. toks[R(N)] .. "\r\n\r\n"
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT rps=%.1f p50_us=%d p99_us=%d n=%d non2xx=%d sockerr=%d\n",
    summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99),
    summary.requests, e.status, e.connect + e.read + e.write + e.timeout))
end
