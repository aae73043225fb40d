"""A cluster of one node that is none: an API server as Kubernetes has it, for Jobs, Pods and Secrets of one namespace,
which runs containers as programs of this host, in sandboxes of bubblewrap. It is as strict as a real one: objects are
checked with `kubernetes-validate` where that is there, and what deploy/kubernetes/swop does not allow is forbidden.

As a program it is the same for others: `cluster.py FOLDER [BIN]` prints the address of its server, then does what each
line of its standard input says (`Cluster.tell`), and answers "done". FOLDER has `token` and `ca.crt`. Programs in BIN
are in every image.
"""

import contextlib
import copy
import http.server
import json
import pathlib
import re
import secrets
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from launcher.cluster_pods import Refused, Runner, now

try:
    import kubernetes_validate
    import yaml
except ImportError:
    kubernetes_validate = yaml = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROLE = ROOT / "deploy" / "kubernetes" / "swop" / "role.yaml"
NAMESPACE = "swarm"
API_VERSION = "1.30"  # of the objects' schemas
KINDS = {"jobs": ("batch/v1", "Job"), "pods": ("v1", "Pod"), "secrets": ("v1", "Secret")}
NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
PATH = re.compile(rf"/(?:api|apis/batch)/v1/namespaces/{NAMESPACE}/([a-z]+)(?:/([^/]+))?(?:/(log))?")


def make_certificates(folder):
    """An authority's certificate and its server's, at `folder`/ca.crt and `folder`/server.pem."""

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=cluster", "-days", "9",
            "-addext", "basicConstraints=critical,CA:TRUE")  # fmt: skip
    openssl("req", *new_key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=api")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n", encoding="utf-8")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "9",
            "-extfile", "names", "-out", "server.crt")  # fmt: skip
    (folder / "server.pem").write_bytes((folder / "server.crt").read_bytes() + (folder / "server.key").read_bytes())


def allowed():
    """(resource, verb) pairs of the role in deploy/; None: all, where YAML cannot be read."""
    if yaml is None:
        return None
    rules = yaml.safe_load(ROLE.read_text(encoding="utf-8"))["rules"]
    return {(kind, verb) for rule in rules for kind in rule["resources"] for verb in rule["verbs"]}


class Store:
    """The objects, each with its version, and what has happened to them."""

    def __init__(self):
        self.changed = threading.Condition()
        self.objects = {kind: {} for kind in KINDS}
        self.version, self.events, self.forgotten = 1, [], 0

    def put(self, kind, what, event="MODIFIED"):
        with self.changed:
            self.version += 1
            what["metadata"]["resourceVersion"] = str(self.version)
            name = what["metadata"]["name"]
            if event == "DELETED":
                self.objects[kind].pop(name, None)
            else:
                self.objects[kind][name] = what
            self.events.append((self.version, kind, event, copy.deepcopy(what)))
            self.changed.notify_all()

    def get(self, kind, name):
        with self.changed:
            return self.objects[kind].get(name)

    def forget_events(self):
        with self.changed:
            self.version += 1
            self.forgotten = self.version
            self.events.clear()
            self.changed.notify_all()


class Cluster:
    def __init__(self, folder, programs=None):
        self.folder = pathlib.Path(folder)
        make_certificates(self.folder)
        self.token_file, self.ca_file = self.folder / "token", self.folder / "ca.crt"
        self.new_token()
        self.store = Store()
        self.rights = allowed()
        self.failing = []  # [status, how many times more]
        self.delay, self.is_away, self.watches_end = 0.0, False, 0
        self.requests = []  # (verb, kind) of all that was asked
        self.runner = Runner(self, programs)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.cluster = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem")
        self.server.tls = context
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"https://127.0.0.1:{self.server.server_address[1]}"

    def new_token(self):
        """The old one is no good any more."""
        new = self.folder / "token.new"
        new.write_text(secrets.token_hex(16) + "\n", encoding="utf-8")
        new.rename(self.token_file)

    def stop(self):
        self.runner.stop()
        self.server.shutdown()
        self.server.server_close()

    def tell(self, line):
        """`fail STATUS COUNT`: what is to be made next is refused so. `slow SECONDS`. `away`, `back`. `gone`: watches
        have to list anew. `token`. `evict`, `lose`: all pods, by their node's want of memory or with it. `other OWNER`:
        a Job of somebody else's. `count KIND`."""
        word, *more = line.split()
        if word == "fail":
            self.failing = [int(more[0]), int(more[1])]
        elif word == "slow":
            self.delay = float(more[0])
        elif word in ("away", "back"):
            self.is_away = word == "away"
            self.end_watches()
        elif word == "gone":
            self.store.forget_events()
            self.end_watches()
        elif word == "token":
            self.new_token()
        elif word in ("evict", "lose"):
            self.runner.disturb(word)
        elif word == "count":
            return str(len(self.store.objects[more[0]]))
        elif word == "other":  # somebody else's pod and Job, which are none of ours
            self.runner.somebody_elses(more[0])
        else:
            raise ValueError(line)
        return "done"

    def end_watches(self):
        with self.store.changed:
            self.watches_end += 1
            self.store.changed.notify_all()

    # What a server refuses

    def check_new(self, kind, what):
        version, name = KINDS[kind]
        if (what.get("apiVersion"), what.get("kind")) != (version, name):
            raise Refused(400, f"the object is no {name} of {version}")
        if kubernetes_validate is not None:
            try:
                kubernetes_validate.validate(what, API_VERSION, strict=True)
            except kubernetes_validate.ValidationError as wrong:
                raise Refused(422, f"{wrong.path}: {wrong.message}") from wrong
        meta = what["metadata"]
        if not NAME.fullmatch(meta["name"]):
            raise Refused(422, f"metadata.name: {meta['name']}: is no DNS label")
        for label in meta.get("labels", {}).values():
            if not LABEL.fullmatch(label):
                raise Refused(422, f"metadata.labels: {label}: is no label")
        if self.store.get(kind, meta["name"]):
            raise Refused(409, f'{kind} "{meta["name"]}" already exists')

    def check_right(self, kind, verb):
        if self.rights is not None and (kind, verb) not in self.rights:
            raise Refused(403, f'{kind} is forbidden: the account cannot {verb} resource "{kind}" in "{NAMESPACE}"')


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def get_request(self):
        connection, address = super().get_request()
        if self.cluster.is_away:
            connection.close()
            raise OSError("away")
        connection.settimeout(30)
        return self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request, client_address):
        pass  # who is asked to be rude is left by others


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    @property
    def cluster(self):
        return self.server.cluster

    def answer(self, what, status=200):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, message):
        said = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}
        self.answer(said, status)

    def chunk(self, data):
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def begin_stream(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()

    def handle_any(self):
        self.close_connection = True
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.cluster.delay)
        token = self.cluster.token_file.read_text(encoding="utf-8").strip()
        if self.headers.get("Authorization") != f"Bearer {token}":
            return self.refuse(401, "Unauthorized")
        if self.command == "POST" and self.cluster.failing and self.cluster.failing[1] > 0:
            self.cluster.failing[1] -= 1
            return self.refuse(self.cluster.failing[0], "it was told to fail")
        if (self.command, url.path) == ("POST", REVIEWS):
            return self.review(json.loads(body))
        match = PATH.fullmatch(url.path)
        if not match or match[1] not in KINDS:
            return self.refuse(404, "the server could not find the requested resource")
        kind, name, sub = match.groups()
        verb = {"POST": "create", "DELETE": "delete"}.get(self.command, "get" if name else "list")
        if "watch" in self.query:
            verb = "watch"
        self.cluster.requests.append((verb, kind))
        try:
            self.cluster.check_right(f"{kind}/{sub}" if sub else kind, verb)
            return self.dispatch(kind, name, sub, verb, json.loads(body) if body else {})
        except Refused as wrong:
            return self.refuse(wrong.status, str(wrong))

    def review(self, wanted):
        """Which every account may ask of itself."""
        about = wanted["spec"]["resourceAttributes"]
        resource = "/".join(filter(None, (about["resource"], about.get("subresource"))))
        rights = self.cluster.rights
        right_group = about["group"] == ("batch" if about["resource"] == "jobs" else "")
        allowed = rights is None or (resource, about["verb"]) in rights
        return self.answer({**wanted, "status": {"allowed": allowed and right_group}}, 201)

    do_GET = do_POST = do_DELETE = do_PATCH = handle_any

    def dispatch(self, kind, name, sub, verb, body):
        store, runner = self.cluster.store, self.cluster.runner
        if verb == "create":
            self.cluster.check_new(kind, body)
            body["metadata"] |= {"uid": secrets.token_hex(16), "namespace": NAMESPACE, "creationTimestamp": now()}
            store.put(kind, body, "ADDED")
            if kind == "jobs":
                runner.begin(body)
            return self.answer(body, 201)
        if verb == "list":
            return self.list(kind)
        if verb == "watch":
            return self.watch(kind)
        found = store.get(kind, name)
        if not found:
            raise Refused(404, f'{kind} "{name}" not found')
        if sub == "log":
            return self.log(name)
        if verb == "delete":
            runner.delete(kind, name, body)
        return self.answer(found)

    def fits(self, what):
        wanted = dict(pair.split("=") for pair in self.query.get("labelSelector", "").split(",") if pair)
        return wanted.items() <= what["metadata"].get("labels", {}).items()

    def list(self, kind):
        store = self.cluster.store
        with store.changed:
            items = [copy.deepcopy(each) for each in store.objects[kind].values() if self.fits(each)]
            version = str(store.version)
        version_of, name = KINDS[kind]
        meta = {"resourceVersion": version}
        self.answer({"apiVersion": version_of, "kind": f"{name}List", "metadata": meta, "items": items})

    def watch(self, kind):
        store = self.cluster.store
        at, until = int(self.query["resourceVersion"]), time.monotonic() + float(self.query["timeoutSeconds"])
        end = self.cluster.watches_end
        self.begin_stream()
        with contextlib.suppress(OSError):
            while time.monotonic() < until:
                with store.changed:
                    store.changed.wait_for(
                        lambda at=at: store.version > at or self.cluster.watches_end != end, timeout=1)
                    is_old = at < store.forgotten
                    events = [each for each in store.events if each[0] > at]
                    at = store.version
                if is_old:
                    status = {"kind": "Status", "status": "Failure", "message": "too old resource version", "code": 410}
                    self.chunk(json.dumps({"type": "ERROR", "object": status}).encode() + b"\n")
                    break
                for _, of, event, what in events:
                    if of == kind and self.fits(what):
                        self.chunk(json.dumps({"type": event, "object": what}).encode() + b"\n")
                if self.cluster.watches_end != end:
                    break
            self.wfile.write(b"0\r\n\r\n")

    def log(self, pod):
        """The last lines, and with `follow` what comes until the container has ended."""
        one = self.cluster.runner.container(pod, self.query["container"])
        lines, at = one.lines(int(self.query.get("tailLines", 1000)))
        self.begin_stream()
        with contextlib.suppress(OSError):
            if lines:
                self.chunk(lines)
            while "follow" in self.query:
                is_over = one.ended.wait(0.02)
                more = one.read_from(at)
                at += len(more)
                if more:
                    self.chunk(more)
                if is_over:
                    break
            self.wfile.write(b"0\r\n\r\n")


def main():
    cluster = Cluster(sys.argv[1], *sys.argv[2:])
    print(cluster.address, flush=True)
    for line in sys.stdin:
        print(cluster.tell(line), flush=True)
    cluster.stop()


if __name__ == "__main__":
    main()
