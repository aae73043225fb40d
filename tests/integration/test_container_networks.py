"""Fixed addresses, a published port and name servers of SLs and programs, as the profile has them, in a network of a
real engine. The whole test is in a network namespace of its own, so that bridges and ports are nobody else's."""

import socket
import tempfile

import pytest
from contained import ContainedSwarm, start_engine
from launcher.engines import leave_network, return_to_network, why_no_engine
from launcher.images import python_image
from launcher.operators import DEFAULT_TASKRUNNER
from launcher.processes import free_port, says

GATEWAY, SUBNET = "10.214.78.1", "10.214.78.0/24"


@pytest.fixture(params=["docker", "podman"])
def contained(request, folder, certs):
    if why := why_no_engine(request.param):
        pytest.skip(why)
    old = leave_network()
    try:
        with tempfile.TemporaryDirectory(prefix="swarmd-test-") as place:
            engine = start_engine(place, request.param)
            swarm = ContainedSwarm(folder, certs, engine)
            try:
                make_network(engine)
                swarm.start_sn(host=GATEWAY)
                yield swarm
                print(swarm.report())
            finally:
                swarm.clean_up()
                engine.clean_up()
    finally:
        return_to_network(old)


def make_network(engine):
    """With a container in it, as Podman has no bridge before."""
    engine.call(
        "POST", "/networks/create",
        {"Name": "swarm-net", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": SUBNET, "Gateway": GATEWAY}]}},
    )  # fmt: skip
    body = {"Image": engine.base, "Cmd": ["sleep", "600"], "HostConfig": {"NetworkMode": "swarm-net"}}
    body["NetworkingConfig"] = {"EndpointsConfig": {"swarm-net": {"IPAMConfig": {"IPv4Address": "10.214.78.100"}}}}
    engine.call("POST", "/containers/create?name=other", body)
    engine.call("POST", "/containers/other/start")


def profile_with(swarm, port):
    """Node 0 is reached by the host's published port, node 1 by its own address."""
    profile = swarm.profile_of(2)
    first, second = (each["slnodedef"] for each in profile["nodes"])
    first.update(slhostname="sl0", slhostip=GATEWAY, slport=port, slnetworkopts=[{"ip": "10.214.78.11"}])
    second.update(slhostname="sl1", slhostip="10.214.78.12", slnetworkopts=[{"ip": "10.214.78.12"}])
    first["usrnetworkopts"] = [{"ip": "10.214.78.21"}]
    return profile


def test_addresses_ports_and_name_servers_of_a_profile(contained):
    swarm = contained
    port = free_port()
    profile = profile_with(swarm, port)
    profile.update(network="swarm-net", dns=["10.214.78.53"])
    swop = swarm.start_trainers(profile, host=GATEWAY)
    swarm.build([f"FROM {python_image(swarm.engine)}"])
    swarm.make_training(MIN_PEERS=2)
    swarm.assign("train", "WITH 2 PEERS")
    status = swarm.wait_task()
    assert status.field("TASK_STATE") == "COMPLETE", swop.log()
    assert swarm.result_of(0) == swarm.result_of(1) == [0.5] * 4
    facts = {}
    for each in swarm.containers().values():
        name = each["Labels"]["swarmd.kind"] + each["Labels"]["swarmd.index"]
        facts[name] = swarm.engine.call("GET", f"/containers/{each['Id']}/json")
    addresses = {
        name: each["NetworkSettings"]["Networks"]["swarm-net"]["IPAMConfig"]["IPv4Address"]
        for name, each in facts.items()
        if (each["NetworkSettings"]["Networks"]["swarm-net"] or {}).get("IPAMConfig")
    }
    if swarm.engine.kind == "docker":  # Podman does not tell the address of one that has ended
        assert addresses == {"sl0": "10.214.78.11", "sl1": "10.214.78.12", "ml0": "10.214.78.21"}
    assert all(each["HostConfig"]["Dns"] == ["10.214.78.53"] for each in facts.values())
    assert facts["sl0"]["HostConfig"]["PortBindings"]["30305/tcp"][0]["HostPort"] == str(port)


def test_what_a_network_cannot_give_is_named(contained):
    swarm = contained
    port = free_port()
    held = socket.create_server(("0.0.0.0", port))
    swarm.start_trainers(profile_with(swarm, port) | {"network": "swarm-net"}, host=GATEWAY)
    swarm.build([f"FROM {python_image(swarm.engine)}"])
    swarm.make_training(MIN_PEERS=2)

    def fail(said, **profile):
        """With a SWOP whose profile has these."""
        swarm.swops.pop().terminate()
        wanted = profile_with(swarm, free_port()) | {"network": "swarm-net"}
        wanted["nodes"][0]["slnodedef"].update(profile.pop("first", {}))
        swop = swarm.start_trainers(wanted | profile, host=GATEWAY)
        swarm.assign("train", "WITH 2 PEERS")
        assert swarm.wait_task().field("TASK_STATE") == "ERROR"
        assert says(swop.log(), said), swop.log()
        assert "the program cannot be started" in swarm.peer_status(0).text
        swarm.order(f"RESET TASKRUNNER {DEFAULT_TASKRUNNER}")

    fail(f"the port {port} of this host", first={"slport": port})
    fail("there is no network nowhere", network="nowhere")
    outside, taken = ({"slnetworkopts": [{"ip": each}]} for each in ("10.9.9.9", "10.214.78.100"))
    fail(f"10.9.9.9 is not in the network swarm-net, which has {SUBNET}", first=outside)
    fail("the address 10.214.78.100 in the network swarm-net", first=taken)
    held.close()
