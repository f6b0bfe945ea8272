# SPDX-License-Identifier: Apache-2.0
"""What the kernel tells and is told: ICMP errors, DSCP and ECN, and the DF bit, through real sockets on loopback."""
import hashlib
import hmac
import os
import socket
import struct

import pytest

from support import Daemon, Ports, free_port, relay_config

COOKIE = 0x2112A442
XOR_PEER_ADDRESS, DATA, XOR_RELAYED_ADDRESS, DONT_FRAGMENT, ICMP = 0x0012, 0x0013, 0x0016, 0x001A, 0x8004
IP_RECVTOS, IPV6_RECVTCLASS, IPV6_TCLASS = 13, 66, 67
AF41_AND_CE = 0x8B
FAMILIES = {"ipv4": "127.0.0.1", "ipv6": "::1"}


def attribute(kind, value=b""):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def attributes_of(message):
    found, at = {}, 20
    while at < len(message):
        kind, size = struct.unpack_from("!HH", message, at)
        found.setdefault(kind, message[at + 4 : at + 4 + size])
        at += 4 + (size + 3) // 4 * 4
    return found


class Client:
    """A client of its own over UDP, with one allocation of one family."""

    def __init__(self, address, port):
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.settimeout(10)
        if self.family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
        else:
            self.socket.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
        self.socket.connect((address, port))
        challenge = attributes_of(self.exchange(0x003, attribute(0x0019, b"\x11\0\0\0"), signed=False))
        self.nonce, self.realm = challenge[0x0015], challenge[0x0014]
        self.key = hashlib.md5(b"alice:" + self.realm + b":wonderland").digest()
        number = 2 if self.family == socket.AF_INET6 else 1
        wishes = attribute(0x0019, b"\x11\0\0\0") + attribute(0x0017, bytes([number, 0, 0, 0]))
        answer = attributes_of(self.exchange(0x003, wishes + attribute(DONT_FRAGMENT)))
        self.relayed_port = struct.unpack_from("!H", answer[XOR_RELAYED_ADDRESS], 2)[0] ^ (COOKIE >> 16)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def exchange(self, method, attributes, signed=True):
        transaction = os.urandom(12)
        if signed:
            attributes += attribute(0x0006, b"alice") + attribute(0x0014, self.realm) + attribute(0x0015, self.nonce)
            header = struct.pack("!HHI", method, len(attributes) + 24, COOKIE) + transaction
            attributes += attribute(0x0008, hmac.new(self.key, header + attributes, "sha1").digest())
        self.socket.send(struct.pack("!HHI", method, len(attributes), COOKIE) + transaction + attributes)
        answer = self.socket.recv(2000)
        assert answer[8:20] == transaction
        assert not signed or answer[:2] == struct.pack("!H", method | 0x0100), answer.hex()
        return answer

    def peer_attribute(self, address, port, transaction):
        octets = socket.inet_pton(self.family, address)
        mask = struct.pack("!I", COOKIE) + transaction
        xored = bytes(a ^ b for a, b in zip(octets, mask))
        number = 2 if self.family == socket.AF_INET6 else 1
        return attribute(XOR_PEER_ADDRESS, struct.pack("!BBH", 0, number, port ^ (COOKIE >> 16)) + xored)

    def permit(self, address, port):
        transaction = os.urandom(12)
        attributes = self.peer_attribute(address, port, transaction)
        attributes += attribute(0x0006, b"alice") + attribute(0x0014, self.realm) + attribute(0x0015, self.nonce)
        header = struct.pack("!HHI", 0x0008, len(attributes) + 24, COOKIE) + transaction
        attributes += attribute(0x0008, hmac.new(self.key, header + attributes, "sha1").digest())
        self.socket.send(struct.pack("!HHI", 0x0008, len(attributes), COOKIE) + transaction + attributes)
        assert self.socket.recv(2000)[:2] == b"\x01\x08"

    def send(self, address, port, payload, *flags):
        transaction = os.urandom(12)
        attributes = self.peer_attribute(address, port, transaction)
        attributes += b"".join(attribute(flag) for flag in flags) + attribute(DATA, payload)
        self.socket.send(struct.pack("!HHI", 0x0016, len(attributes), COOKIE) + transaction + attributes)

    def receive(self):
        """(attributes, port of the peer, traffic class) of the next Data indication."""
        message, controls, _, _ = self.socket.recvmsg(70000, 200)
        assert message[:2] == b"\x00\x17", message[:20].hex()
        found = attributes_of(message)
        port = struct.unpack_from("!H", found[XOR_PEER_ADDRESS], 2)[0] ^ (COOKIE >> 16)
        return found, port, controls[0][2][0]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("ip_header"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8", "::1/128"]})
    with Daemon(folder, config, http_port=ports.http):
        yield ports


@pytest.fixture(params=FAMILIES)
def address(request):
    return FAMILIES[request.param]


@pytest.fixture
def peer(address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as peer:
        peer.settimeout(10)
        peer.bind((address, 0))
        if family == socket.AF_INET6:
            peer.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
        else:
            peer.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
        yield peer


def set_traffic_class(endpoint, octet):
    if endpoint.family == socket.AF_INET6:
        endpoint.setsockopt(socket.IPPROTO_IPV6, IPV6_TCLASS, octet)
    else:
        endpoint.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, octet)


def test_a_closed_port_is_told_and_costs_the_open_one_no_datagram(server, address, peer):
    closed = free_port()
    port = peer.getsockname()[1]
    with Client(address, server.turn) as client:
        client.permit(address, 9)
        for number in range(8):
            client.send(address, closed, b"into the void")
            client.send(address, port, b"%d" % number)
            assert peer.recv(100) == b"%d" % number
            found, told, _ = client.receive()
            kind = 3 << 9 | 3 if ":" not in address else 1 << 9 | 4
            assert (found[ICMP], told) == (struct.pack("!HHI", 0, kind, 0), closed)
            assert DATA not in found
        relay = (address, client.relayed_port)
        client.send(address, closed, b"into the void")
        peer.sendto(b"back", relay)
        assert {found.get(DATA) for found, _, _ in (client.receive(), client.receive())} == {None, b"back"}


def test_dscp_and_ecn_are_copied_both_ways(server, address, peer):
    port = peer.getsockname()[1]
    with Client(address, server.turn) as client:
        client.permit(address, port)
        for octet in (AF41_AND_CE, 0):
            set_traffic_class(client.socket, octet)
            client.send(address, port, b"there")
            payload, controls, _, relay = peer.recvmsg(100, 200)
            assert (payload, controls[0][2][0]) == (b"there", octet)
            set_traffic_class(peer, octet)
            peer.sendto(b"back", relay)
            found, _, traffic_class = client.receive()
            assert (found[DATA], traffic_class) == (b"back", octet)


def test_dont_fragment_is_for_one_datagram(server, tmp_path):
    """Loopback's MTU is 65536: with its headers the largest payload of UDP no longer fits into it unfragmented."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer, Client("127.0.0.1", server.turn) as client:
        peer.settimeout(10)
        peer.bind(("127.0.0.1", 0))
        port = peer.getsockname()[1]
        client.permit("127.0.0.1", port)
        for flags in ((), (DONT_FRAGMENT,), ()):
            client.send("127.0.0.1", port, bytes(1000), *flags)
            assert peer.recv(2000) == bytes(1000)
