"""Answers with a greeting and the path."""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{os.environ['GREETING']} {self.path}\n".encode())


ThreadingHTTPServer(("", int(os.environ["PORT"])), Echo).serve_forever()
