"""Calls each package of the minimal tier."""

import asyncio
import contextlib
import importlib
import io
import json
import os
import pathlib
import ssl
import tempfile
import urllib.error
import urllib.request

import servers
import tls
from harness import check, main, raises

importlib.import_module("probe_base")  # its checks come first


@check("cryptography")
def cryptography_():
    from cryptography.exceptions import InvalidSignature
    from cryptography.fernet import Fernet, InvalidToken
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    box = Fernet(Fernet.generate_key())
    assert box.decrypt(box.encrypt(b"text")) == b"text"
    raises(InvalidToken, box.decrypt, b"gAAAAA")
    key = rsa.generate_private_key(65537, 2048)
    how = (padding.PKCS1v15(), hashes.SHA256())
    signature = key.sign(b"text", *how)
    key.public_key().verify(signature, b"text", *how)
    raises(InvalidSignature, key.public_key().verify, signature, b"other", *how)
    curve = ec.generate_private_key(ec.SECP256R1())
    signature = curve.sign(b"text", ec.ECDSA(hashes.SHA256()))
    curve.public_key().verify(signature, b"text", ec.ECDSA(hashes.SHA256()))
    aead = AESGCM(AESGCM.generate_key(128))
    assert aead.decrypt(b"n" * 12, aead.encrypt(b"n" * 12, b"text", b""), b"") == b"text"


@contextlib.contextmanager
def trusting(path):
    """Makes path the file of trusted authorities, as a user of the image would."""
    before = os.environ["SSL_CERT_FILE"]
    os.environ["SSL_CERT_FILE"] = str(path)
    try:
        yield
    finally:
        os.environ["SSL_CERT_FILE"] = before


def _open(url):
    with urllib.request.urlopen(url, timeout=20) as response:
        return json.load(response)


async def _aiohttp(url):
    import aiohttp

    async with (
        aiohttp.ClientSession() as session,
        session.get(url, ssl=ssl.create_default_context()) as response,
    ):
        return await response.json()


@check("tls")
def tls_():
    import requests

    with tempfile.TemporaryDirectory() as place:
        ca, context = tls.authority(pathlib.Path(place))
        with servers.http_server(context) as port:
            url = f"https://127.0.0.1:{port}/x"
            error = raises(urllib.error.URLError, _open, url)
            assert isinstance(error.reason, ssl.SSLCertVerificationError), error
            raises(requests.exceptions.SSLError, requests.get, url)
            with trusting(ca):
                assert _open(url) == {"path": "/x"}
                assert asyncio.run(_aiohttp(url)) == {"path": "/x"}
            assert requests.get(url, verify=str(ca), timeout=20).json() == {"path": "/x"}


@check("pynacl")
def pynacl_():
    import nacl.exceptions
    import nacl.pwhash
    import nacl.secret
    import nacl.signing
    import nacl.utils

    box = nacl.secret.SecretBox(nacl.utils.random(nacl.secret.SecretBox.KEY_SIZE))
    assert box.decrypt(box.encrypt(b"text")) == b"text"
    key = nacl.signing.SigningKey.generate()
    signed = key.sign(b"text")
    assert key.verify_key.verify(signed) == b"text"
    raises(nacl.exceptions.BadSignatureError, key.verify_key.verify, b"x" + signed[1:])


@check("requests")
def requests_():
    import requests

    with servers.http_server() as port, requests.Session() as session:
        response = session.get(f"http://127.0.0.1:{port}/a", timeout=20)
        assert response.json() == {"path": "/a"}


@check("aiohttp")
def aiohttp_():
    import aiohttp
    import aiohttp.web

    # The parsers in C, not their slow substitutes.
    from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

    assert HttpRequestParser is not HttpRequestParserPy

    async def hello(request):
        return aiohttp.web.json_response({"hello": request.match_info["name"]})

    async def call():
        app = aiohttp.web.Application()
        app.router.add_get("/{name}", hello)
        runner = aiohttp.web.AppRunner(app)
        await runner.setup()
        await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/lucid") as response:
                body = await response.json()
        await runner.cleanup()
        return body

    assert asyncio.run(call()) == {"hello": "lucid"}


@check("psutil")
def psutil_():
    import psutil

    me = psutil.Process()
    assert me.pid == os.getpid() and me.memory_info().rss > 1 << 20
    assert me.uids().real == 65532
    assert psutil.virtual_memory().total > 1 << 20
    assert psutil.cpu_count() >= 1
    assert "lo" in psutil.net_if_addrs()


@check("pymongo")
def pymongo_():
    import bson
    import pymongo

    assert bson.has_c() and pymongo.has_c()
    with servers.mongo_server() as port:
        url = f"mongodb://127.0.0.1:{port}/?directConnection=true"
        with pymongo.MongoClient(url, serverSelectionTimeoutMS=20000) as client:
            assert client.admin.command("ping")["ok"] == 1
            things = client.lucid.things
            made = things.insert_one({"name": "a", "n": 1})
            things.insert_many([{"name": "b"}, {"name": "c"}])
            found = things.find_one({"name": "a"})
            assert found == {"_id": made.inserted_id, "name": "a", "n": 1}, found
            assert [d["name"] for d in things.find({})] == ["a", "b", "c"]


@check("redis")
def redis_():
    import redis
    import redis.asyncio

    async def get(port):
        async with redis.asyncio.Redis(host="127.0.0.1", port=port) as client:
            return await client.get("key")

    with servers.redis_server() as port:
        with redis.Redis(host="127.0.0.1", port=port) as client:
            assert client.ping() is True
            assert client.set("key", "value") is True
            assert client.get("key") == b"value"
            assert client.get("none") is None
        assert asyncio.run(get(port)) == b"value"


@check("prometheus-client")
def prometheus_client_():
    import prometheus_client

    registry = prometheus_client.CollectorRegistry()
    counter = prometheus_client.Counter("things", "Things seen.", ["kind"], registry=registry)
    counter.labels("a").inc(3)
    prometheus_client.ProcessCollector(registry=registry)
    text = prometheus_client.generate_latest(registry).decode()
    assert 'things_total{kind="a"} 3.0' in text, text
    assert "process_resident_memory_bytes" in text, text


@check("structlog")
def structlog_():
    import structlog

    out = io.StringIO()
    log = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
    )
    log.info("started", port=8000)
    line = json.loads(out.getvalue())
    assert line["event"] == "started" and line["port"] == 8000 and line["level"] == "info"


if __name__ == "__main__":
    main()
