"""Calls each package of the standard tier, with those of the python tier."""

import datetime
import importlib
import io
import logging

import servers
from harness import check, main, raises

importlib.import_module("probe_python")  # its checks come first


@check("pyyaml")
def pyyaml_():
    import yaml

    assert yaml.__with_libyaml__
    data = {"name": "a", "list": [1, 2.5, None, True]}
    for loader, dumper in (
        (yaml.SafeLoader, yaml.SafeDumper),
        (yaml.CSafeLoader, yaml.CSafeDumper),
    ):
        assert yaml.load(yaml.dump(data, Dumper=dumper), Loader=loader) == data
    raises(yaml.YAMLError, yaml.safe_load, "a: [")


@check("bcrypt")
def bcrypt_():
    import bcrypt

    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4))
    assert bcrypt.checkpw(b"secret", hashed)
    assert not bcrypt.checkpw(b"other", hashed)


@check("passlib")
def passlib_():
    from passlib.context import CryptContext
    from passlib.hash import bcrypt

    said = io.StringIO()
    logging.getLogger("passlib").addHandler(logging.StreamHandler(said))
    hashed = bcrypt.using(rounds=4).hash("secret")
    assert not said.getvalue(), said.getvalue()
    assert hashed.startswith("$2b$04$") and bcrypt.verify("secret", hashed)
    assert not bcrypt.verify("other", hashed)
    context = CryptContext(schemes=["bcrypt"], bcrypt__rounds=4)
    assert context.verify("secret", context.hash("secret"))


@check("python-jose")
def python_jose_():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from jose import backends, jwt
    from jose.exceptions import JWTError

    assert "cryptography" in backends.RSAKey.__module__, backends.RSAKey
    token = jwt.encode({"sub": "a"}, "secret", algorithm="HS256")
    assert jwt.decode(token, "secret", algorithms=["HS256"]) == {"sub": "a"}
    raises(JWTError, lambda: jwt.decode(token, "other", algorithms=["HS256"]))
    key = rsa.generate_private_key(65537, 2048)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = (
        key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    )
    token = jwt.encode({"sub": "b"}, private, algorithm="RS256")
    assert jwt.decode(token, public, algorithms=["RS256"]) == {"sub": "b"}


@check("dnspython")
def dnspython_():
    import dns.message
    import dns.query
    import dns.resolver

    with servers.dns_server() as port:
        query = dns.message.make_query("lucid.example.", "A")
        reply = dns.query.udp(query, "127.0.0.1", port=port, timeout=20)
        assert reply.answer[0][0].address == "192.0.2.7", reply
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], port
        assert resolver.resolve("other.example.", "A")[0].address == "192.0.2.7"


@check("python-dateutil")
def python_dateutil_():
    import dateutil.parser
    import dateutil.relativedelta
    import dateutil.tz

    day = dateutil.parser.parse("31 January 2026 12:00 +02:00")
    assert day.utcoffset() == datetime.timedelta(hours=2)
    later = day + dateutil.relativedelta.relativedelta(months=1)
    assert (later.month, later.day) == (2, 28)
    berlin = dateutil.tz.gettz("Europe/Berlin")
    assert datetime.datetime(2026, 7, 1, tzinfo=berlin).utcoffset() == datetime.timedelta(hours=2)


@check("pytz")
def pytz_():
    import pytz

    berlin = pytz.timezone("Europe/Berlin")
    day = berlin.localize(datetime.datetime(2026, 1, 1))
    assert day.utcoffset() == datetime.timedelta(hours=1)
    raises(pytz.UnknownTimeZoneError, pytz.timezone, "Europe/Nowhere")


@check("zstandard")
def zstandard_():
    import zstandard

    text = b"lucid" * 10000
    packed = zstandard.ZstdCompressor(level=3).compress(text)
    assert len(packed) < 200 and zstandard.ZstdDecompressor().decompress(packed) == text
    raises(zstandard.ZstdError, zstandard.ZstdDecompressor().decompress, b"none")


if __name__ == "__main__":
    main()
