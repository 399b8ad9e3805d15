import _socket, os, sys, time
path, limit = sys.argv[1], float(sys.argv[2])
end, port, said = time.monotonic() + limit, os.environ.get("PORT", ""), b""
try:
    s = _socket.socket()
    s.settimeout(limit)
    s.connect(("127.0.0.1", int(port)))
    if path:
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
        while b"\n" not in said and len(said) < 512:
            s.settimeout(max(end - time.monotonic(), 0.001))
            more = s.recv(512)
            if not more:
                break
            said += more
        status = said.partition(b"\n")[0].decode("ascii", "replace").split(None, 1)
        if len(status) < 2 or not status[0].startswith("HTTP/"):
            raise ValueError("no answer in HTTP")
        if status[1][:1] not in "23":
            raise ValueError(status[1].strip())
except (OSError, ValueError) as e:
    sys.exit(f"127.0.0.1:{port}{path}: {e}")
