"""What all services of the family share."""

import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from jinja2 import Template

PAGE = Template("{{ service }}: {{ text }}")


def serve(service: str, text: Callable[[], str]) -> None:
    """Answers every request with a page."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = "ok" if self.path == "/health" else PAGE.render(service=service, text=text())
            self.send_response(200)
            self.end_headers()
            self.wfile.write(page.encode())

    ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
