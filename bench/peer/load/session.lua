dofile((os.getenv("LOAD") or "load") .. "/common.lua"); request = session_req
