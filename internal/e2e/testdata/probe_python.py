"""Calls each package of the python tier, with those of the minimal tier."""

import asyncio
import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
from typing import Annotated

import probe_minimal  # its checks come first
import servers
import tls
from harness import check, main, raises


def _app():
    import fastapi
    import pydantic

    app = fastapi.FastAPI()

    class Thing(pydantic.BaseModel):
        name: str
        count: int = pydantic.Field(gt=0)

    @app.get("/things/{name}")
    async def get(name: str, n: int = 1) -> dict:
        return {"name": name, "n": n}

    @app.post("/things")
    async def make(thing: Thing) -> Thing:
        return thing

    @app.post("/upload")
    async def upload(note: Annotated[str, fastapi.Form()], file: fastapi.UploadFile) -> dict:
        return {"note": note, "size": len(await file.read()), "name": file.filename}

    @app.websocket("/echo")
    async def echo(socket: fastapi.WebSocket):
        await socket.accept()
        await socket.send_text("echo " + await socket.receive_text())
        await socket.close()

    return app


def _asgi(call):
    """Runs call(client) against the application, without a socket."""
    import httpx

    async def run():
        transport = httpx.ASGITransport(app=_app())
        async with httpx.AsyncClient(transport=transport, base_url="http://lucid") as client:
            return await call(client)

    return asyncio.run(run())


@check("fastapi")
def fastapi_():
    async def call(client):
        got = await client.get("/things/a", params={"n": 2})
        assert got.json() == {"name": "a", "n": 2}, got.text
        made = await client.post("/things", json={"name": "a", "count": 1})
        assert made.json() == {"name": "a", "count": 1}, made.text
        bad = await client.post("/things", json={"name": "a", "count": 0})
        assert bad.status_code == 422, bad.text
        schema = await client.get("/openapi.json")
        assert "/things/{name}" in schema.json()["paths"]

    _asgi(call)


@check("python-multipart")
def python_multipart_():
    async def call(client):
        files = {"file": ("a.txt", b"12345")}
        return await client.post("/upload", data={"note": "n"}, files=files)

    got = _asgi(call)
    assert got.json() == {"note": "n", "size": 5, "name": "a.txt"}, got.text


@contextlib.contextmanager
def _uvicorn():
    import uvicorn

    config = uvicorn.Config(
        _app(), port=0, loop="uvloop", http="httptools", ws="websockets", log_level="warning"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 60
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@check("uvicorn")
def uvicorn_():
    import httpx
    import websockets.sync.client

    with _uvicorn() as port:
        got = httpx.get(f"http://127.0.0.1:{port}/things/b", timeout=20)
        assert got.json() == {"name": "b", "n": 1}
        with websockets.sync.client.connect(f"ws://127.0.0.1:{port}/echo") as socket:
            socket.send("hello")
            assert socket.recv() == "echo hello"


@check("uvloop")
def uvloop_():
    import uvloop

    async def name():
        return type(asyncio.get_running_loop()).__module__

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(name()) == "uvloop"


@check("httptools")
def httptools_():
    import httptools

    class Seen:
        url = b""

        def on_url(self, url):
            self.url += url

    seen = Seen()
    parser = httptools.HttpRequestParser(seen)
    parser.feed_data(b"GET /x HTTP/1.1\r\nHost: lucid\r\n\r\n")
    assert parser.get_method() == b"GET" and seen.url == b"/x"


@check("websockets")
def websockets_():
    import websockets.asyncio.client
    import websockets.asyncio.server
    import websockets.speedups

    assert websockets.speedups.apply_mask(b"abcd", b"\1\1\1\1") == b"`cbe"

    async def echo(socket):
        async for message in socket:
            await socket.send(message)

    async def call():
        async with websockets.asyncio.server.serve(echo, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with websockets.asyncio.client.connect(f"ws://127.0.0.1:{port}") as socket:
                await socket.send("x")
                return await socket.recv()

    assert asyncio.run(call()) == "x"


@contextlib.contextmanager
def _soon(function):
    """Calls a function again and again until the block has ended."""
    done = threading.Event()

    def again():
        while not done.wait(0.1):
            function()

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@check("watchfiles")
def watchfiles_():
    import watchfiles

    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place, "a.txt")
        with _soon(lambda: path.write_text("x")):
            changes = next(watchfiles.watch(place, force_polling=False, debounce=200, step=20))
        assert str(path) in {name for _, name in changes}, changes


@check("watchdog")
def watchdog_():
    import watchdog.events
    import watchdog.observers

    seen = threading.Event()

    class Handler(watchdog.events.FileSystemEventHandler):
        def on_created(self, event):
            seen.set()

    with tempfile.TemporaryDirectory() as place:
        observer = watchdog.observers.Observer()
        assert "inotify" in type(observer).__module__, type(observer)
        observer.schedule(Handler(), place)
        observer.start()
        pathlib.Path(place, "a.txt").write_text("x")
        assert seen.wait(60)
        observer.stop()
        observer.join()


@check("pydantic")
def pydantic_():
    import pydantic

    class Thing(pydantic.BaseModel):
        name: str
        tags: list[int] = []

    thing = Thing.model_validate_json('{"name": "a", "tags": ["1", 2]}')
    assert thing.tags == [1, 2] and json.loads(thing.model_dump_json())["name"] == "a"
    error = raises(pydantic.ValidationError, Thing.model_validate, {"tags": "x"})
    assert error.error_count() == 2


@check("pydantic-settings")
def pydantic_settings_():
    import pydantic_settings

    class Settings(pydantic_settings.BaseSettings):
        model_config = pydantic_settings.SettingsConfigDict(env_prefix="LUCID_PROBE_")
        port: int = 1

    os.environ["LUCID_PROBE_PORT"] = "8000"
    assert Settings().port == 8000


@check("python-dotenv")
def python_dotenv_():
    import dotenv

    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place, ".env")
        path.write_text("A=1\nB='${A} 2'  # note\n")
        assert dotenv.dotenv_values(path) == {"A": "1", "B": "1 2"}, dotenv.dotenv_values(path)


@check("httpx")
def httpx_():
    import httpx

    async def get(url):
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).json()

    with servers.http_server() as port:
        assert httpx.get(f"http://127.0.0.1:{port}/a").json() == {"path": "/a"}
        assert asyncio.run(get(f"http://127.0.0.1:{port}/b")) == {"path": "/b"}
    with tempfile.TemporaryDirectory() as place:
        ca, context = tls.authority(pathlib.Path(place))
        with servers.http_server(context) as port:
            url = f"https://127.0.0.1:{port}/c"
            raises(httpx.ConnectError, httpx.get, url)
            with probe_minimal.trusting(ca):
                assert httpx.get(url).json() == {"path": "/c"}


@check("motor")
def motor_():
    from motor.motor_asyncio import AsyncIOMotorClient

    async def call(port):
        client = AsyncIOMotorClient(f"mongodb://127.0.0.1:{port}/?directConnection=true")
        assert (await client.admin.command("ping"))["ok"] == 1
        await client.lucid.things.insert_one({"name": "a"})
        found = await client.lucid.things.find({"name": "a"}).to_list(10)
        client.close()
        return [d["name"] for d in found]

    with servers.mongo_server() as port:
        assert asyncio.run(call(port)) == ["a"]


@check("celery")
def celery_():
    import celery
    import celery.contrib.testing.worker as testing

    app = celery.Celery("probe", broker="memory://", backend="cache+memory://")
    app.conf.broker_transport_options = {"polling_interval": 0.05}

    @app.task
    def add(a, b):
        return a + b

    assert add.apply((1, 2)).get() == 3
    with testing.start_worker(app, pool="solo", perform_ping_check=False):
        assert add.delay(3, 4).get(timeout=60) == 7


@check("packaging")
def packaging_():
    # Celery's transport for Redis imports it, and celery alone does not bring it.
    import packaging.version
    import kombu.transport.redis

    assert packaging.version.Version("1.10") > packaging.version.Version("1.9")
    assert kombu.transport.redis.Transport.driver_type == "redis"


@check("orjson")
def orjson_():
    import datetime

    import orjson

    text = orjson.dumps(
        {"b": datetime.date(2026, 1, 2), "a": [1.5, None]}, option=orjson.OPT_SORT_KEYS
    )
    assert text == b'{"a":[1.5,null],"b":"2026-01-02"}', text
    assert orjson.loads(text)["a"] == [1.5, None]
    raises(orjson.JSONDecodeError, orjson.loads, b"{")


@check("console-scripts")
def console_scripts():
    for name in ("uvicorn", "celery"):
        out = subprocess.check_output([name, "--version"], text=True)
        assert re.search(r"\d+\.\d+", out), (name, out)
    # They are there, and say themselves which extra they need.
    for name, extra in (("httpx", "httpx[cli]"), ("fastapi", "fastapi[standard]")):
        done = subprocess.run([name, "--version"], capture_output=True, text=True)
        assert done.returncode == 1 and extra in done.stdout + done.stderr, (name, done)


@check("cached-packages")
def cached_packages():
    import fastapi.applications
    import pydantic.main
    import redis.client

    for module in (fastapi.applications, pydantic.main, redis.client):
        assert os.path.isfile(module.__cached__), module.__cached__


if __name__ == "__main__":
    main()
