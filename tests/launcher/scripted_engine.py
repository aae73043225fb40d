"""Something that serves an engine's socket and says what a test wants: what no real engine can be brought to say."""

import http.server
import json
import os
import re
import socketserver
import threading

FACTS = {"ApiVersion": "1.41", "MinAPIVersion": "1.12", "Version": "20.10"}


class ScriptedEngine:
    """`answers`: what is said of a method and a path without the version, such as "POST /build": a status and a body,
    or a list of lines (JSON) after which the connection ends in the middle. Of all else it has nothing."""

    def __init__(self, socket, answers=None, facts=FACTS):
        self.socket = socket
        self.answers = {
            "GET /version": (200, facts),
            "GET /_ping": (200, "OK"),
            "GET /containers/json": (200, []),
            **(answers or {}),
        }
        self.asked = []
        self.ended = threading.Event()
        self.server = _Server(str(socket), _handler(self))
        self.thread = threading.Thread(target=self.server.serve_forever)

    def start(self):
        self.thread.start()
        return self

    def clean_up(self):
        self.ended.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        os.unlink(self.socket)


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


def _handler(engine):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def address_string(self):
            return "a client"

        def log_message(self, *unused):
            pass

        def answer(self):
            self._read_body()
            what = f"{self.command} {re.sub(r'^/v[0-9.]+', '', self.path.partition('?')[0])}"
            engine.asked.append(what)
            if what == "GET /events":
                engine.ended.wait()
            said = engine.answers.get(what, (404, {"message": "there is no such thing"}))
            if isinstance(said, list):
                self._send(200, "\n".join(map(json.dumps, said)), cut=True)
            else:
                status, body = said
                self._send(status, body if isinstance(body, str) else json.dumps(body))

        do_GET = do_POST = do_DELETE = do_PUT = answer

        def _read_body(self):
            if self.headers.get("Transfer-Encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    self.rfile.read(size + 2)
                self.rfile.readline()
            else:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def _send(self, status, text, cut=False):
            self.send_response(status)
            self.send_header("Content-Length", str(len(text) + (100 if cut else 0)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(text.encode())
            self.close_connection = True

    return Handler
