"""Loopback servers that speak just enough of each protocol for one client."""

import contextlib
import http.server
import itertools
import socketserver
import struct
import threading


class _TCP(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False


class _UDP(socketserver.ThreadingUDPServer):
    daemon_threads = True
    block_on_close = False


@contextlib.contextmanager
def _serving(server):
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class _Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'{"path": "%s"}' % self.path.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def http_server(context=None):
    """Answers each GET with its path as JSON; over TLS if a context is given."""
    server = _TCP(("127.0.0.1", 0), _Hello)
    if context:
        # The handshake belongs to the connection's thread: a client that hangs
        # up must not end the accept loop.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        server.handle_error = lambda *args: None
    return _serving(server)


class _Mongo(socketserver.StreamRequestHandler):
    _ids = itertools.count(1)

    def handle(self):
        while header := self.rfile.read(16):
            length, request, _, opcode = struct.unpack("<iiii", header)
            self._answer(request, opcode, self.rfile.read(length - 16))

    def _answer(self, request, opcode, body):
        import bson

        if opcode == 2004:  # OP_QUERY: the handshake of drivers
            end = body.index(b"\0", 4) + 1 + 8
            size = struct.unpack_from("<i", body, end)[0]
            reply = self.server.command(bson.decode(body[end : end + size]))
            self._send(request, 1, struct.pack("<iqii", 8, 0, 0, 1) + bson.encode(reply))
        elif opcode == 2013:  # OP_MSG
            reply = self.server.command(_op_msg(body))
            self._send(request, 2013, struct.pack("<iB", 0, 0) + bson.encode(reply))

    def _send(self, request, opcode, body):
        head = struct.pack("<iiii", 16 + len(body), next(self._ids), request, opcode)
        self.wfile.write(head + body)


def _op_msg(body):
    """Joins the sections of an OP_MSG to one command."""
    import bson

    command, at = {}, 4
    while at < len(body):
        kind, size = struct.unpack_from("<Bi", body, at)
        section = body[at + 1 : at + 1 + size]
        if kind == 0:
            command = {**bson.decode(section), **command}
        else:
            name, _, documents = section[4:].partition(b"\0")
            command[name.decode()] = bson.decode_all(documents)
        at += 1 + size
    return command


class _MongoServer(_TCP):
    def __init__(self, address, handler):
        super().__init__(address, handler)
        self.documents = []

    def command(self, command):
        name = next(iter(command)) if command else ""
        if "insert" in command:
            self.documents += command["documents"]
            return {"ok": 1.0, "n": len(command["documents"])}
        if "find" in command:
            wanted = command["filter"].items()
            found = [d for d in self.documents if wanted <= d.items()]
            batch = {"id": 0, "ns": "lucid.things", "firstBatch": found}
            return {"ok": 1.0, "cursor": batch}
        if name in ("ping", "endSessions") or "ping" in command:
            return {"ok": 1.0}
        return {
            "ok": 1.0,
            "helloOk": True,
            "ismaster": True,
            "isWritablePrimary": True,
            "minWireVersion": 0,
            "maxWireVersion": 21,
            "maxBsonObjectSize": 16 << 20,
            "maxMessageSizeBytes": 48000000,
            "maxWriteBatchSize": 100000,
        }


def mongo_server():
    """Answers hello, ping, insert and find by equality."""
    return _serving(_MongoServer(("127.0.0.1", 0), _Mongo))


class _Redis(socketserver.StreamRequestHandler):
    null = b"$-1\r\n"

    def handle(self):
        while line := self.rfile.readline():
            self._answer([self._bulk() for _ in range(int(line[1:]))])

    def _bulk(self):
        size = int(self.rfile.readline()[1:])
        return self.rfile.read(size + 2)[:-2]

    def _answer(self, words):
        values = self.server.values
        match words[0].upper():
            case b"PING":
                reply = b"+PONG\r\n"
            case b"SET":
                values[words[1]] = words[2]
                reply = b"+OK\r\n"
            case b"GET":
                value = values.get(words[1])
                reply = b"$%d\r\n%s\r\n" % (len(value), value) if value else self.null
            case b"HELLO":  # protocol 3 starts with a map, and has a null of its own
                self.null = b"_\r\n"
                reply = b"%1\r\n+proto\r\n:3\r\n"
            case b"CLIENT" | b"SELECT":
                reply = b"+OK\r\n"
            case _:
                reply = b"-ERR unknown command\r\n"
        self.wfile.write(reply)


def redis_server():
    """Answers PING, SET and GET."""
    server = _TCP(("127.0.0.1", 0), _Redis)
    server.values = {}
    return _serving(server)


class _DNS(socketserver.BaseRequestHandler):
    def handle(self):
        import dns.message
        import dns.rrset

        data, socket = self.request
        query = dns.message.from_wire(data)
        reply = dns.message.make_response(query)
        name = query.question[0].name
        reply.answer.append(dns.rrset.from_text(name, 60, "IN", "A", "192.0.2.7"))
        socket.sendto(reply.to_wire(), self.client_address)


def dns_server():
    """Answers each query with the address 192.0.2.7."""
    return _serving(_UDP(("127.0.0.1", 0), _DNS))
