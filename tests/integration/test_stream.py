# SPDX-License-Identifier: Apache-2.0
"""What RFC 8489 §6.2.2 and RFC 8656 §12.5 ask of the octets of a TCP or TLS connection: padding, and the last answer."""
import hashlib
import os
import socket
import struct

import pytest
from aioice import stun

from support import DEADLINE_SECONDS, Daemon, Peer, Ports, relay_config, tls_context

UDP = 17 << 24
CHANNEL = 0x4001


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("stream"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]})
    with Daemon(folder, config, http_port=ports.http), Peer("127.0.0.1") as peer:
        yield ports, peer


class StreamClient:
    """A TURN client with one connection, which writes and reads message by message."""

    def __init__(self, ports, transport):
        plain = socket.create_connection(("127.0.0.1", ports.tls if transport == "tls" else ports.turn))
        plain.settimeout(DEADLINE_SECONDS)
        self.connection = tls_context(None).wrap_socket(plain) if transport == "tls" else plain
        self.challenge, self.key = {}, None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.connection.close()

    def read(self, size):
        octets = b""
        while len(octets) < size:
            more = self.connection.recv(size - len(octets))
            assert more, f"the connection ended after {octets.hex()}"
            octets += more
        return octets

    def request(self, method, **attributes):
        message = stun.Message(message_method=method, message_class=stun.Class.REQUEST)
        message.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
        if self.key:
            message.attributes.update(USERNAME="alice", **self.challenge)
            message.add_message_integrity(self.key)
        self.connection.sendall(bytes(message))
        head = self.read(20)
        return stun.parse_message(head + self.read(struct.unpack_from("!H", head, 2)[0]))

    def allocate(self, peer):
        refused = self.request(stun.Method.ALLOCATE, REQUESTED_TRANSPORT=UDP)
        self.challenge = {name: refused.attributes[name] for name in ("REALM", "NONCE")}
        self.key = hashlib.md5(f"alice:{self.challenge['REALM']}:wonderland".encode()).digest()
        for method, attributes in (
            (stun.Method.ALLOCATE, {"REQUESTED_TRANSPORT": UDP}),
            (stun.Method.CHANNEL_BIND, {"CHANNEL_NUMBER": CHANNEL, "XOR_PEER_ADDRESS": (peer.address, peer.port)}),
        ):
            answer = self.request(method, **attributes)
            assert answer.message_class == stun.Class.RESPONSE, answer


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_channel_data_is_padded_both_ways(server, transport):
    ports, peer = server
    with StreamClient(ports, transport) as client:
        client.allocate(peer)
        for size in range(1, 10):
            padding, head = bytes(-size % 4), struct.pack("!HH", CHANNEL, size)
            client.connection.sendall(head + b"x" * size + padding)
            assert client.read(4 + size + len(padding)) == head + b"x" * size + padding
        assert client.request(stun.Method.REFRESH, LIFETIME=0).message_class == stun.Class.RESPONSE


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_a_client_that_has_said_its_last_gets_all_answers(server, transport):
    """A connection is not closed while an answer is due, also where nothing more can come from the client."""
    requests = 1000
    request = bytes(stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST))
    for _ in range(20):
        with StreamClient(server[0], transport) as client:
            client.connection.sendall(request * requests)
            with socket.socket(fileno=os.dup(client.connection.fileno())) as same:  # leaves TLS out of it
                same.shutdown(socket.SHUT_WR)
            assert len(client.read(32 * requests)) == 32 * requests
