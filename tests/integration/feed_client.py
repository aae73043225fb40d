"""A browser's end of the page's feed (ui/src/feed.ts), without a browser."""

import json
import time

from harness import PATIENCE, Failure
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect


class Feed:
    """Keeps its copies of the topics that it watches, as the page does."""

    def __init__(self, page, cookie=None, certificate=None, origin=True, host=None, path="/feed"):
        self.page, self.topics, self.serials, self.absent = page, {}, {}, {}
        self.answers, self.hello, self.next_id = {}, None, 0
        headers = {"Cookie": cookie} if cookie else {}
        if host:
            headers["Host"] = host
        origin = f"https://{page.host}" if origin is True else origin
        self.connecting = connect(
            f"wss://{page.host}{path}",
            ssl=page.context(certificate),
            origin=origin,
            additional_headers=headers,
            open_timeout=30,
            close_timeout=1,
            max_size=None,
            compression=None,
        )
        self.link = self.connecting.__enter__()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connecting.__exit__(None, None, None)

    def say(self, message):
        self.link.send(message if isinstance(message, (str, bytes)) else json.dumps(message))

    def watch(self, *topics):
        for topic in topics:
            self.say({"type": "watch", "topic": topic})
        return self

    def take(self, timeout):
        """Takes one message in; False when none came in time."""
        try:
            message = json.loads(self.link.recv(timeout=timeout))
        except TimeoutError:
            return False
        for each in message["messages"] if message["type"] == "many" else [message]:
            self.heard(each)
        return True

    def heard(self, message):
        kind = message["type"]
        if kind == "hello":
            self.hello = message
        elif kind in ("answer", "refused"):
            self.answers[message["id"]] = message
        elif kind == "absent":
            self.absent[message["topic"]] = message["why"]
        else:
            topic = message["topic"]
            if kind == "state":
                self.topics[topic] = message["data"]
            else:
                assert message["serial"] == self.serials[topic] + 1, "a patch is missing"
                self.topics[topic] = merged(self.topics[topic], message["patch"])
            self.serials[topic] = message["serial"]

    def until(self, condition, what, patience=PATIENCE):
        """Takes messages in until `condition(self)` has a true value, and returns that."""
        deadline = time.monotonic() + patience
        while True:
            try:
                value = condition(self)
            except (KeyError, IndexError, TypeError):
                value = None  # not known yet
            if value:
                return value
            if time.monotonic() >= deadline:
                raise Failure(f"waited {patience} s for: {what}\n{json.dumps(self.topics)[:4000]}\n{self.page.tail()}")
            self.take(0.5)

    def begin(self, what, kind="ask", **fields):
        """Asks; gives the number under which the answer will come."""
        self.next_id += 1
        self.say({"type": kind, "id": self.next_id, "what": what, **fields})
        return self.next_id

    def ask(self, what, kind="ask", **fields):
        """The answer's data; of a refusal the whole message."""
        number = self.begin(what, kind, **fields)
        message = self.until(lambda feed: feed.answers.pop(number, None), f"an answer to {what}")
        return message["data"] if message["type"] == "answer" else message

    def act(self, what, **fields):
        return self.ask(what, kind="act", **fields)

    def close_code(self, patience=PATIENCE):
        """With which code the server ends the connection."""
        deadline = time.monotonic() + patience
        try:
            while time.monotonic() < deadline:
                self.take(0.5)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006
        raise Failure("the server does not end the connection")


def merged(to, patch):
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    out = dict(to) if isinstance(to, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merged(out.get(key), value)
    return out
