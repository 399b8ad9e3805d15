from fastapi import FastAPI
from core.logging import log
from sessions.storage.chunks import ChunkStore

app = FastAPI()
store = ChunkStore("/app/data/chunks")


@app.get("/health")
def health():
    log.info("health")
    return {"status": "ok", "chunks": store.put(b"x")}
