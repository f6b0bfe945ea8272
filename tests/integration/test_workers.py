# SPDX-License-Identifier: Apache-2.0
"""Several workers: clients come to any of them, and it shows nowhere."""
import os
import re
import signal
import socket
import struct
from contextlib import ExitStack, contextmanager

import pytest

from stun_client import (
    ALLOCATE, CHANNEL_BIND, CHANNEL_NUMBER, CREATE_PERMISSION, LIFETIME, MOBILITY_TICKET, REFRESH, REQUESTED_TRANSPORT,
    XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS, StunClient, xor_address,
)  # fmt: skip
from support import Daemon, Ports, relay_config, run_causeway, write_config
from turn_tcp_client import CONNECTION_ID, TurnTcpClient

UDP = (REQUESTED_TRANSPORT, b"\x11\0\0\0")
EVEN_PORT, RESERVATION_TOKEN = 0x0018, 0x0022
CHANNEL = b"\x40\x01"
ENOUGH = 12  # clients of which each worker of 4 gets at least one, and no two in a row the same, nearly always


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("workers"), Ports()
    config = relay_config(
        folder, ports, workers=4, mobility=True, tcp_relay=True, peers={"allow": ["127.0.0.0/8"]}
    )  # fmt: skip
    with Daemon(folder, config, http_port=ports.http) as daemon:
        daemon.wait_for_line("TURN runs in 4 workers")
        yield daemon, ports, config


def allocate(client, *more):
    answer = client.request(ALLOCATE, [UDP, *more])
    assert answer.success, answer.error
    return answer


def bind_channel(client, peer):
    answer = client.request(
        CHANNEL_BIND, [(CHANNEL_NUMBER, CHANNEL + b"\0\0"), (XOR_PEER_ADDRESS, xor_address(*peer))]
    )  # fmt: skip
    assert answer.success, answer.error


def channel_data(payload):
    return CHANNEL + struct.pack("!H", len(payload)) + payload


def exchange(client, relayed, peer):
    """Both ways through a channel to the socket `peer`."""
    client.send(channel_data(b"there"))
    assert peer.recvfrom(100) == (b"there", relayed)
    peer.sendto(b"back", relayed)
    assert client.receive()[0][:8] == channel_data(b"back")


@pytest.fixture
def peer():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
        bound.settimeout(5)
        bound.bind(("127.0.0.1", 0))
        yield bound


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_many_clients_relay(server, peer, transport):
    _, ports, _ = server
    with ExitStack() as stack:
        port = ports.tls if transport == "tls" else ports.turn
        clients = [stack.enter_context(StunClient(port, transport)) for _ in range(ENOUGH)]
        relayed = [allocate(client).address(XOR_RELAYED_ADDRESS) for client in clients]
        assert len(set(relayed)) == len(clients)
        for client in clients:
            bind_channel(client, peer.getsockname())
        for client, address in zip(clients, relayed):
            exchange(client, address, peer)


def test_relayed_addresses_of_any_two_workers_reach_each_other(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports, workers=4)  # the peer policy alone would deny loopback
    with Daemon(tmp_path, config, http_port=ports.http), ExitStack() as stack:
        clients = [stack.enter_context(StunClient(ports.turn)) for _ in range(ENOUGH)]
        relayed = [allocate(client).address(XOR_RELAYED_ADDRESS) for client in clients]
        around = list(zip(clients, relayed, clients[1:] + clients[:1], relayed[1:] + relayed[:1]))
        for client, _, _, of_next in around:
            bind_channel(client, of_next)
        for client, address, following, _ in around:
            permitted = following.request(CREATE_PERMISSION, [(XOR_PEER_ADDRESS, xor_address(*address))])
            assert permitted.success
        for client, address, following, _ in around:
            client.send(channel_data(b"over"))
            octets = following.receive()[0]
            assert b"over" in octets


def test_a_reservation_token_may_come_to_another_worker(server, peer):
    _, ports, _ = server
    for _ in range(ENOUGH):
        with StunClient(ports.turn) as first, StunClient(ports.turn) as second:
            made = allocate(first, (EVEN_PORT, b"\x80"))
            host, port = made.address(XOR_RELAYED_ADDRESS)
            taken = allocate(second, (RESERVATION_TOKEN, made.attributes[RESERVATION_TOKEN]))
            assert taken.address(XOR_RELAYED_ADDRESS) == (host, port + 1)
            bind_channel(second, peer.getsockname())
            exchange(second, (host, port + 1), peer)
            assert second.request(REFRESH, [(LIFETIME, bytes(4))]).success
            allocate(second)  # and is a client like any other again


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_a_ticket_may_come_to_another_worker(server, peer, transport):
    _, ports, _ = server
    for _ in range(ENOUGH):
        port = ports.tls if transport == "tls" else ports.turn
        with StunClient(ports.turn) as home, StunClient(port, transport) as away:
            made = allocate(home, (MOBILITY_TICKET, b""))
            bind_channel(home, peer.getsockname())
            moved = away.request(REFRESH, [(MOBILITY_TICKET, made.attributes[MOBILITY_TICKET])])
            assert moved.success, moved.error
            exchange(away, made.address(XOR_RELAYED_ADDRESS), peer)


@pytest.mark.parametrize("tls", [False, True])
def test_a_connection_id_may_come_to_another_worker(server, tls):
    _, ports, config = server
    arguments = {"port": ports.tls, "tls": config["tls"]["certificate"]} if tls else {"port": ports.turn}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(5)
        for _ in range(ENOUGH):
            with TurnTcpClient(**arguments) as control:
                control.allocate()
                connected = control.connect(listening.getsockname())
                assert connected.error == 0, connected.error
                with listening.accept()[0] as accepted:
                    accepted.settimeout(5)
                    data = control.bind(connected.attributes[CONNECTION_ID], behind=b"first")
                    assert accepted.recv(5, socket.MSG_WAITALL) == b"first"
                    accepted.sendall(b"answer")
                    assert data.read(6) == b"answer"
                    data.socket.close()


def test_tcp_relays_of_any_two_workers_reach_each_other(server):
    _, ports, _ = server
    for _ in range(ENOUGH):
        with TurnTcpClient(ports.turn) as one, TurnTcpClient(ports.turn) as other:
            address, there = one.allocate(), other.allocate()
            other.permit(address[0])
            assert one.connect(there).error == 0
            assert other.attempt().address(0x0012) == address


def test_limits_hold_for_all_workers_together(tmp_path):
    ports = Ports()
    limits = {"allocations_total": 6, "allocations_per_user": 4}
    config = relay_config(tmp_path, ports, workers=4, limits=limits)
    config["turn"]["users"]["bob"] = "builder"
    with Daemon(tmp_path, config, http_port=ports.http), ExitStack() as stack:
        def clients(user):
            return [stack.enter_context(StunClient(ports.turn, user=user)) for _ in range(ENOUGH)]

        def errors(all_of_them):
            return [client.request(ALLOCATE, [UDP]).error for client in all_of_them]

        alice, bob = clients(("alice", "wonderland")), clients(("bob", "builder"))
        assert errors(alice) == [0] * 4 + [486] * (ENOUGH - 4)
        assert errors(bob) == [0] * 2 + [508] * (ENOUGH - 2)
        assert alice[0].request(REFRESH, [(LIFETIME, bytes(4))]).success
        assert errors(bob[2:4]) == [0, 508]


def test_a_second_daemon_on_the_same_port_is_refused(server, tmp_path):
    _, ports, _ = server
    others = Ports()
    config = relay_config(tmp_path, others, workers=4)
    config["listeners"] = [{"transport": "udp", "address": "::", "port": ports.turn}]
    refused = run_causeway("--config", write_config(tmp_path, config), cwd=tmp_path)
    assert refused.returncode == 1
    assert re.search(rf"udp \S*:{ports.turn}", refused.stderr), refused.stderr


@contextmanager
def clients_of_four_workers(folder):
    """The daemon, its configuration, and clients with an allocation each, enough for every worker to have some."""
    ports = Ports()
    config = relay_config(folder, ports, workers=4)
    with Daemon(folder, config, http_port=ports.http) as daemon, ExitStack() as stack:
        clients = [stack.enter_context(StunClient(ports.turn)) for _ in range(ENOUGH)]
        for client in clients:
            allocate(client)
        yield daemon, config, clients


def test_a_reload_reaches_all_workers(tmp_path):
    with clients_of_four_workers(tmp_path) as (daemon, config, clients):
        config["turn"]["users"] = {"alice": "through the looking-glass"}
        write_config(tmp_path, config)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_line("reloaded the configuration")
        daemon.wait_for_line("(?s)" + "credential revoked.*?" * len(clients))
        for client in clients:
            assert client.request(REFRESH).error == 401
            client.user = ("alice", "through the looking-glass")
            allocate(client)


def test_drain_waits_for_all_workers(tmp_path):
    with clients_of_four_workers(tmp_path) as (daemon, _, clients):
        daemon.process.send_signal(signal.SIGUSR1)
        daemon.wait_for_line(f"draining: new allocations are refused, {ENOUGH} live on")
        for client in clients:
            assert daemon.process.poll() is None
            assert client.request(REFRESH, [(LIFETIME, bytes(4))]).success
        daemon.wait_for_line("drained: no allocation is left, stopping")


def test_auto_is_one_worker_for_each_cpu(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports, workers="auto")
    with Daemon(tmp_path, config, http_port=ports.http) as daemon, StunClient(ports.turn) as client:
        allocate(client)
        cpus = len(os.sched_getaffinity(0))
        if cpus > 1:
            daemon.wait_for_line(f"TURN runs in {cpus} workers")
