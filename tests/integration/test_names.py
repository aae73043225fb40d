"""Names that are slow, lie or change: each dial looks the name up anew, and one line says what is wrong."""

import os
import socket
import ssl
import threading

import pytest
from harness import SL, SN, Certs, until
from name_server import UNKNOWN, NameServer, why_no_name_server

WHY_NOT = why_no_name_server() or ("" if os.environ.get("SWARM_NAMES") else "by hand: SWARM_NAMES=1; half a minute")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
NAME = "sn.hospital.test"


@pytest.fixture
def names(folder):
    server = NameServer(folder)
    yield server
    server.close()


class Impostor:
    """Somebody else's TLS server at this address."""

    def __init__(self, certs, address):
        context = certs.context("sn-1", ssl.PROTOCOL_TLS_SERVER)
        self.refused = 0  # so many have hung up when they had seen its certificate
        self.listener = socket.create_server(address)
        self.thread = threading.Thread(target=self._serve, args=(context,), daemon=True)
        self.thread.start()

    def _serve(self, context):
        while True:
            try:
                with self.listener.accept()[0] as raw, context.wrap_socket(raw, server_side=True) as link:
                    link.recv(1)
            except (ssl.SSLError, ConnectionError):
                self.refused += 1
            except OSError:
                return

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def test_a_name_that_is_slow_lies_and_changes(swarm, folder, certs, names, tmp_path):
    first, second, liar = (f"127.53.1.{number}" for number in (1, 2, 3))
    sn = SN(folder, certs, host=first, flags=("--bind-address", first))
    swarm.others.append(sn)
    sn.start().wait_up()
    sl = names.serve(SL(folder, certs, sn.port, sn_host=NAME))
    swarm.others.append(sl)
    # Silence, then what is there nowhere, then a lie.
    sl.start().wait_log(rf"{NAME}:{sn.port}: resolve: 'sn.hospital.test' has no address \(.*\); is the name right\?")
    names.answers[NAME] = UNKNOWN
    asked = len(names.asked)
    until(lambda: len(names.asked) > asked + 1, "the name to be asked for again", alive=[sl])
    impostor = Impostor(Certs(tmp_path, "sn-1"), (liar, sn.port))
    try:
        names.answers[NAME] = liar
        until(lambda: impostor.refused > 0, "the impostor to be refused", alive=[sl])
        names.answers[NAME] = first
        until(lambda: any(node["name"] == "sl-1" and node["active"] for node in sn.rpc("swarm_nodes")),
              "the SL to be a member", alive=[sl, sn])  # fmt: skip
        # The SN is elsewhere from now on, and only its name says where.
        sn.terminate()
        sn.wait_exit()
        moved = SN(folder, certs, host=second, port=sn.port, flags=("--bind-address", second))
        swarm.others.append(moved)
        moved.start().wait_up()
        names.answers[NAME] = second
        until(lambda: any(node["name"] == "sl-1" and node["silentMs"] < 3000 for node in moved.rpc("swarm_nodes")),
              "its signs of life at the new address", alive=[sl, moved])  # fmt: skip
    finally:
        impostor.close()
