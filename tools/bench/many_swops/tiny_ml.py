"""The smallest training program: it opens a session, syncs twice and closes.

Its environment: PEERS, how many it trains with; VALUE, what its model holds; MARKS, a folder in which it leaves NAME,
with the time at which it began and what its model holds at the end.
"""

import os
import pathlib
import time

import numpy as np
from swarmlearning._session.arrays import pack, unpack
from swarmlearning._session.channel import Channel
from swarmlearning._session.messages import SessionRequest
from swarmlearning._session.session import Session

BEGUN = time.time()
SYNCS = 2


def main():
    env = os.environ
    deadline = time.monotonic() + 300
    while not os.path.exists(env["SL_RESPONSE_CHANNEL"]) and time.monotonic() < deadline:
        time.sleep(0.05)  # its SL is starting
    channel = Channel(env["SL_REQUEST_CHANNEL"], env["SL_RESPONSE_CHANNEL"], lambda text: None)
    session = Session(channel, SessionRequest(
        syncInterval=1, minPeers=int(env["PEERS"]), checkinModelOnTrainEnd="snapshot", nodeWeightage=1,
        trainingContract="defaultbb.cqdb.sml.hpe", mergeMethod="mean"))
    model = {"w": np.full(4, float(env["VALUE"]), np.float32)}

    def merged(params):
        model["w"] = unpack(params["w"]).copy()
        return 0.0, 0.0, 0, 0

    for _ in range(SYNCS):
        session.sync({"w": pack(model["w"])}, 1, merged)
    session.close({"w": pack(model["w"])}, 1, merged)
    text = " ".join(str(value) for value in (BEGUN, time.time(), *model["w"].tolist()))
    pathlib.Path(env["MARKS"], env["NAME"]).write_text(text, encoding="ascii")


main()
