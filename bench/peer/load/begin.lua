dofile((os.getenv("LOAD") or "load") .. "/common.lua"); request = begin_req
