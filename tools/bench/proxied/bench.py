"""proxied_40mb: a round of four peers with 40 MB each that reach each other by names on one port alone, where an nginx
passes TLS on to them by the name that is asked for; beside it the same by their own ports, in turns.

nginx and all nodes share the machine, so that each byte is copied twice more by the same cores.
"""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), *(str(ROOT / each) for each in ("python", "tests"))]
from exchanges import in_processes, round_seconds  # noqa: E402
from figures import figure, options  # noqa: E402
from launcher.processes import Process, free_port, until  # noqa: E402
from swarms import Swarm  # noqa: E402

PEERS, WARM_UP, ROUNDS = 4, 3, 12
TARGET = 1.15
STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
NAMES = [f"fs.sl-{number}.bench" for number in range(1, PEERS + 1)]
INSIDE = "SWARM_BENCH_OWN_HOSTS"  # set in a process that has a file of hosts of its own
OWN = "daemon off;\nworker_processes 1;\npid {0}/pid;\nerror_log {0}/error.log;\n"


def why_not():
    if os.geteuid() != 0:
        return "the nodes' names are of a file of hosts of its own, which only root can have"
    if not NGINX or not os.path.exists(STREAM_MODULE):
        return "no nginx with streams: install the packages nginx-light and libnginx-mod-stream"
    return ""


def leave_hosts():
    """This process knows the nodes' names from now on, and nobody else does."""
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])
    with tempfile.NamedTemporaryFile("w", prefix="swarm-bench-hosts-") as hosts:
        hosts.write(pathlib.Path("/etc/hosts").read_text(encoding="utf-8"))
        hosts.writelines(f"127.0.0.1 {name}\n" for name in NAMES)
        hosts.flush()
        subprocess.run(["mount", "--bind", hosts.name, "/etc/hosts"], check=True)


def nginx_for(swarm, port, nodes):
    """With the example's file, but for names and places."""
    own = swarm.folder / "nginx"
    own.mkdir()
    text = (ROOT / "examples/reverse-proxy/common/nginx.conf").read_text(encoding="utf-8")
    text = text.replace("worker_processes auto;", OWN.format(own)).replace("listen 443", f"listen 127.0.0.1:{port}")
    names = "".join(f"    {name} 127.0.0.1:{node};\n" for name, node in nodes.items())
    (own / "nginx.conf").write_text(re.sub(r"(?<=\$node \{\n)[^}]*(?=  \})", names, text), encoding="utf-8")
    nginx = Process("nginx", [NGINX, "-c", own / "nginx.conf", "-e", own / "error.log"], swarm.folder).start()
    swarm.others.append(nginx)
    until(lambda: (own / "pid").exists(), "nginx to start", alive=[nginx])


def rounds(proxied, floats, count):
    with Swarm() as swarm:
        swarm.start_sn()
        ports = [free_port() for _ in range(PEERS)]
        services = None
        if proxied:
            entrance = free_port()
            nginx_for(swarm, entrance, dict(zip(NAMES, ports)))
            services = [f"{name}:{entrance}" for name in NAMES]
        pipes = swarm.start_sls(PEERS, ports, services)
        return round_seconds(in_processes(PEERS, pipes, floats, count), WARM_UP)


given = options(__doc__)
if why := why_not():
    print(f"proxied is skipped: {why}", file=sys.stderr)
    sys.exit(0)
leave_hosts()
seen = {True: [], False: []}
for way in (False, True, True, False):
    seen[way] += rounds(way, 1 << 10 if given.smoke else 10 << 20, WARM_UP + (1 if given.smoke else ROUNDS))
direct, proxied = (statistics.median(seen[way]) for way in (False, True))
figure("proxied_40mb", proxied * 1000, "ms", "the same without nginx", direct * 1000, TARGET,
       proxied <= TARGET * direct)
