"""Answers every request with a greeting."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Hello, world!\n")


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(os.environ["PORT"])), Hello).serve_forever()
