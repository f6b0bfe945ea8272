# SPDX-License-Identifier: Apache-2.0
"""Runs of datagrams of one flow: sent at once with UDP_SEGMENT, received at once with UDP_GRO, where both ends can."""
import os
import socket
import struct
import subprocess

import pytest

import stun_client
from network_namespace import Namespace, folder_of_nobody, program_for_nobody
from stun_client import StunClient
from support import DEADLINE_SECONDS, Daemon, Ports, relay_config

UDP_SEGMENT = 103
CHANNEL = 0x4001


@pytest.fixture(scope="module", params=[0, 250], ids=["", "gathering"])
def port(request, tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("runs"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]}, gather_microseconds=request.param)
    with Daemon(folder, config, http_port=ports.http):
        yield ports.turn


def send_run(sender, segment_bytes, datagrams, to):
    """All in one call; each but the last is of this size."""
    control = [(socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", segment_bytes))]
    assert sender.sendmsg([b"".join(datagrams)], control, 0, to) == sum(map(len, datagrams))


def payloads(size, last, count=6):
    return [bytes([i]) * size for i in range(count - 1)] + [b"\xff" * last]


def receive(receiver, count):
    return [receiver.recv(65536) for _ in range(count)]


def open_peer():
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.settimeout(DEADLINE_SECONDS)
    peer.bind(("127.0.0.1", 0))
    return peer


def allocate(client):
    answer = client.request(stun_client.ALLOCATE, [(stun_client.REQUESTED_TRANSPORT, b"\x11\0\0\0")])
    assert answer.success
    return answer.address(stun_client.XOR_RELAYED_ADDRESS)


def permit(client, address):
    attributes = [(stun_client.XOR_PEER_ADDRESS, stun_client.xor_address(*address))]
    assert client.request(stun_client.CREATE_PERMISSION, attributes).success


def bind(client, address):
    attributes = [
        (stun_client.CHANNEL_NUMBER, struct.pack("!HH", CHANNEL, 0)),
        (stun_client.XOR_PEER_ADDRESS, stun_client.xor_address(*address)),
    ]
    assert client.request(stun_client.CHANNEL_BIND, attributes).success


def channel_data(payload):
    return struct.pack("!HH", CHANNEL, len(payload)) + payload


def exchange_runs(port, size):
    """Both ways, with and without a channel. Returns what came other than it was sent."""
    wrong = []
    with StunClient(port) as client, open_peer() as peer:
        relayed = allocate(client)
        bind(client, peer.getsockname())
        sent = payloads(size, max(size // 3, 1))
        send_run(client.socket, size + 4, [channel_data(payload) for payload in sent], client.server)
        wrong += [one for one, got in zip(sent, receive(peer, len(sent))) if one != got]
        send_run(peer, size, sent, relayed)
        framed = [channel_data(payload) for payload in sent]
        wrong += [one for one, got in zip(framed, receive(client.socket, len(sent))) if one != got]
    return [len(one) for one in wrong]


@pytest.mark.parametrize("size", [1, 3, 100, 1200])
def test_a_run_arrives_as_it_was_sent(port, size):
    assert exchange_runs(port, size) == []


@pytest.mark.parametrize("size", [5, 6, 7, 8, 999])
def test_a_run_without_a_channel_becomes_data_indications(port, size):
    """Their header is longer than what lies in front of a segment, and their padding reaches behind it."""
    with StunClient(port) as client, open_peer() as peer:
        relayed = allocate(client)
        permit(client, peer.getsockname())
        sent = payloads(size, 2)
        send_run(peer, size, sent, relayed)
        for payload, octets in zip(sent, receive(client.socket, len(sent))):
            assert octets[:2] == b"\x00\x17" and len(octets) % 4 == 0
            size_at = 20 + 12 + 2
            assert struct.unpack_from("!H", octets, size_at)[0] == len(payload)
            assert octets[size_at + 2 :] == payload + bytes(-len(payload) % 4)


def test_many_datagrams_one_after_the_other(port):
    """Enough of them for a window to be used where it is on."""
    with StunClient(port) as client, open_peer() as peer:
        relayed = allocate(client)
        bind(client, peer.getsockname())
        for i in range(3000):
            peer.sendto(struct.pack("!I", i), relayed)
            assert client.socket.recv(100) == channel_data(struct.pack("!I", i))


def test_a_run_between_two_relays_of_the_server(port):
    with StunClient(port) as caller, StunClient(port) as callee:
        relayed = [allocate(caller), allocate(callee)]
        bind(caller, relayed[1])
        permit(callee, relayed[0])
        sent = payloads(50, 20)
        send_run(caller.socket, 54, [channel_data(payload) for payload in sent], caller.server)
        for payload, octets in zip(sent, receive(callee.socket, len(sent))):
            assert octets[:2] == b"\x00\x17" and octets[36 : 36 + len(payload)] == payload
        bind(callee, relayed[0])
        send_run(caller.socket, 54, [channel_data(payload) for payload in sent], caller.server)
        assert receive(callee.socket, len(sent)) == [channel_data(payload) for payload in sent]


def test_requests_and_data_in_one_run(port):
    """The kernel knows nothing of what it puts together."""
    with StunClient(port) as client, open_peer() as peer:
        allocate(client)
        bind(client, peer.getsockname())
        binding = struct.pack("!HHI", stun_client.BINDING, 0, stun_client.COOKIE) + os.urandom(12)
        data = [channel_data(bytes([i]) * 16) for i in range(3)]
        send_run(client.socket, 20, [data[0], binding, data[1], data[2]], client.server)
        assert receive(peer, 3) == [one[4:] for one in data]
        assert client.socket.recv(2000)[8:20] == binding[8:]


def test_a_route_too_narrow_for_a_run():
    """There the kernel refuses UDP_SEGMENT: the datagrams go one by one, and in fragments."""
    namespace, ports = Namespace(), Ports()
    if namespace.unavailable:
        pytest.skip(namespace.unavailable)
    folder = folder_of_nobody()
    try:
        config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]})
        for listener in config["listeners"]:
            listener["address"] = "127.0.0.1"
        config["turn"]["relay"] = {"addresses": ["127.0.0.1"]}
        subprocess.run(["chmod", "-R", "a+rwX", folder], check=True)
        with Daemon(folder, config, command=namespace.command(), program=program_for_nobody(folder)) as daemon:
            daemon.wait_for_line("Causeway is running")
            assert namespace.call(exchange_on_a_narrow_link, ports.turn) == []
    finally:
        subprocess.run(["rm", "-r", folder], check=True)
        namespace.close()


def exchange_on_a_narrow_link(port):
    wrong = exchange_runs(port, 1400)  # while the link is as wide as ever
    with StunClient(port) as client, open_peer() as peer:
        relayed = allocate(client)
        bind(client, peer.getsockname())
        subprocess.run(["ip", "link", "set", "lo", "mtu", "1000"], check=True)
        for _ in range(2):
            sent = payloads(1400, 1400)
            for payload in sent:
                client.send(channel_data(payload))
            wrong += [len(one) for one, got in zip(sent, receive(peer, len(sent))) if one != got]
            for payload in sent:
                peer.sendto(payload, relayed)
            framed = [channel_data(payload) for payload in sent]
            wrong += [len(one) for one, got in zip(framed, receive(client.socket, len(sent))) if one != got]
    return wrong
