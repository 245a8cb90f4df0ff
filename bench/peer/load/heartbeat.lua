dofile((os.getenv("LOAD") or "load") .. "/common.lua"); request = heartbeat_req
