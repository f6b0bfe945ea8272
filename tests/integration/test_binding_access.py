# SPDX-License-Identifier: Apache-2.0
"""`turn.binding`: with "allocated" a stranger's Binding request gets no answer, and nobody is sent to ask in vain."""
import json
import os
import signal

import pytest

from signaling_client import Client, run
from stun_client import ALLOCATE, BINDING, REQUESTED_TRANSPORT, StunClient, message
from support import Daemon, Ports, relay_config, run_causeway, write_config

UDP = [(REQUESTED_TRANSPORT, b"\x11\0\0\0")]
ALICE = ["--user", "alice", "--password", "wonderland"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("binding"), Ports()
    config = relay_config(folder, ports, binding="allocated")
    with Daemon(folder, config, http_port=ports.http) as ports.daemon:
        yield ports


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_binding_is_for_clients_with_an_allocation(server, transport):
    with StunClient(server.tls if transport == "tls" else server.turn, transport) as client:
        client.send(message(BINDING, [], os.urandom(12)))
        assert client.ask(ALLOCATE, UDP).error == 401, "the first answer is that to the second request"
        assert client.request(ALLOCATE, UDP).success
        assert client.ask(BINDING).success


def ice_servers(server):
    async def join():
        async with Client(server.http) as client:
            return await client.join("binding")

    return [url for each in run(join())["ice_servers"] for url in each["urls"]]


def test_members_get_no_stun_uri(server):
    urls = ice_servers(server)
    assert urls and all(url.startswith("turn") for url in urls)


def test_the_probe_knows_such_a_server(server):
    done = run_causeway("probe", "--json", "--timeout", 2, f"turn:127.0.0.1:{server.turn}?transport=tcp", *ALICE)
    report = json.loads(done.stdout)
    assert report["ok"], report
    step = next(step for step in report["steps"] if step["name"] == "binding")
    assert step["result"] == "skipped" and "for clients with an allocation" in step["detail"]
    done = run_causeway("probe", "--json", "--timeout", 1, f"stun:127.0.0.1:{server.turn}")
    step = json.loads(done.stdout)["steps"][-1]
    assert step["result"] == "failed" and 'turn.binding "allocated"' in step["advice"]


def test_a_reload_changes_it(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    with Daemon(tmp_path, config, http_port=ports.http) as daemon, StunClient(ports.turn) as client:
        assert client.ask(BINDING).success
        assert any(url.startswith("stun:") for url in ice_servers(ports))
        config["turn"]["binding"] = "allocated"
        write_config(tmp_path, config)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_line("reloaded the configuration")
        client.send(message(BINDING, [], os.urandom(12)))
        assert client.ask(ALLOCATE, UDP).error == 401
        assert not any(url.startswith("stun:") for url in ice_servers(ports))
