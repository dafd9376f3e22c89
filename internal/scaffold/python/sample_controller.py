#!/usr/bin/env python3
"""A small door controller to try the connector on.

It prints its address and answers until it is ended. The token let-me-in may see
everything, without-PERMISSION all but that, and slow-down has every third call refused.
"""

import itertools
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

DOORS = [
    {"id": "d1", "name": "Front door"},
    {"id": "d2", "name": "Laboratory"},
    {"id": "d3", "name": "Vault"},
]
BADGES = [
    {"number": "7", "holder": "Ada Example", "email": "ada@example.com", "doors": ["d1", "d2", "d3"]},
    {"number": "8", "holder": "Bo Example", "email": "bo@example.com", "doors": ["d1"]},
    {"number": "9", "holder": "Chris Example", "email": "chris@example.com", "doors": ["d1", "d2"]},
]
LISTS = {"/doors": ("doors", "doors:read", DOORS), "/badges": ("badges", "badges:read", BADGES)}
PAGE = 2
calls = itertools.count(1)


class Controller(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlparse(self.path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in ("let-me-in", "slow-down") and not token.startswith("without-"):
            return self.answer(401, {})
        if url.path == "/site":
            return self.answer(200, {"id": "site-1", "name": "Head office", "client": "token-1"})
        if url.path not in LISTS:
            return self.answer(404, {})
        name, permission, items = LISTS[url.path]
        if token == "without-" + permission:
            return self.answer(403, {})
        if token == "slow-down" and next(calls) % 3 == 0:
            return self.answer(429, {}, {"Retry-After": "1"})
        first = int(parse_qs(url.query).get("after", ["0"])[0])
        more = str(first + PAGE) if first + PAGE < len(items) else ""
        self.answer(200, {name: items[first : first + PAGE], "next": more})

    def answer(self, status, body, headers=None):
        text = json.dumps(body).encode()
        self.send_response(status)
        for key, value in {"Content-Type": "application/json", "Content-Length": str(len(text)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Controller)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
