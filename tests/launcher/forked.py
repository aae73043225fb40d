"""`forked.py SOCKET SESSION ARGUMENTS...`: stands for a Python that a server of forks.py has forked, until that ends.

It has the same standard streams, folder and environment, and ends as the program does. The program is in this process
group and gets what signals are sent to it; where this is another session than the server's, they are passed on. If this
process is killed, so is the program.
"""

import array
import json
import os
import resource
import signal
import socket
import sys

FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main():
    path, session, *arguments = sys.argv[1:]
    passes_on = os.getsid(0) != int(session)
    umask = os.umask(0)
    os.umask(umask)
    wanted = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd(), "umask": umask}
    text = json.dumps({**wanted, "group": os.getpgid(0)}).encode()
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(path)
        streams = array.array("i", [0, 1, 2])
        link.sendmsg([len(text).to_bytes(8, "big")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
        link.sendall(text)
        for number in FORWARDED:
            signal.signal(number, lambda number, frame: passes_on and link.send(bytes([number])))
        status = int(link.makefile().readline() or 1)
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL) if os.WTERMSIG(status) != signal.SIGKILL else None
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
