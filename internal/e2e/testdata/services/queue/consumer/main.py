import asyncio
import os

import orjson
import structlog
from aio_pika import connect_robust

log = structlog.get_logger()


async def handle(reader, writer):
    await reader.readline()
    writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + orjson.dumps({"ok": True}))
    await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(handle, "0.0.0.0", int(os.environ.get("PORT", 8000)))
    log.info("listening")
    async with server:
        await server.serve_forever()
