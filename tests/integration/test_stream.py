# SPDX-License-Identifier: Apache-2.0
"""What RFC 8489 §6.2.2 and RFC 8656 §12.5 ask of the octets of a TCP or TLS connection: padding, and the last answer."""
import hashlib
import os
import socket
import ssl
import struct
import threading

import pytest
from aioice import stun

from support import DEADLINE_SECONDS, Daemon, Peer, Ports, relay_config, tls_context

UDP = 17 << 24
CHANNEL = 0x4001


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("stream"), Ports()
    limits = {"unauthenticated_answers_per_second": 0}  # or strangers wait
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]}, limits=limits)
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


class OwnPeer:
    """A socket of this process, which numbers what it sends."""

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(DEADLINE_SECONDS)
        self.address, self.port = self.socket.getsockname()
        self.sent, self.done = 0, threading.Event()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.socket.close()

    def send(self, relayed):
        self.socket.sendto(struct.pack("!I", self.sent) + bytes(1196), relayed)
        self.sent += 1

    def wait_for_a_turn_of(self, port):
        """Until the server has answered: it reads all of its sockets in turn, so it has had time for the others."""
        self.socket.sendto(struct.pack("!HHI", 0x0001, 0, 0x2112A442) + bytes(12), (self.address, port))
        self.socket.recv(2048)

    def send_until_done(self, relayed):
        while not self.done.wait(0.02):
            self.send(relayed)


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_who_does_not_read_loses_the_oldest_data_and_no_answer(server, transport):
    ports, _ = server
    with OwnPeer() as peer, StreamClient(ports, transport) as client:
        client.allocate(peer)
        client.connection.sendall(struct.pack("!HH", CHANNEL, 4) + b"hey!")
        _, relayed = peer.socket.recvfrom(2048)
        for _ in range(12000):  # 14 MB: what the two sockets hold is less
            peer.send(relayed)
            if peer.sent % 50 == 0:
                peer.wait_for_a_turn_of(ports.turn)
        asked, answered, numbers = 10, 0, []
        refresh = stun.Message(message_method=stun.Method.REFRESH, message_class=stun.Class.REQUEST)
        refresh.attributes.update(USERNAME="alice", **client.challenge)
        refresh.add_message_integrity(client.key)
        client.connection.sendall(asked * bytes(refresh))
        flood = peer.sent
        newer = threading.Thread(target=peer.send_until_done, args=(relayed,))
        newer.start()
        while answered < asked or not numbers or numbers[-1] < flood:
            kind, length = struct.unpack("!HH", client.read(4))
            if kind == CHANNEL:
                numbers.append(struct.unpack_from("!I", client.read((length + 3) & ~3))[0])
            else:
                assert kind == 0x0104, "the success response to a Refresh"
                client.read(16 + length)
                answered += 1
        peer.done.set()
        newer.join()
        assert numbers == sorted(set(numbers)), "what is dropped is dropped whole, and the rest keeps its order"
        assert len(numbers) < flood


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_that_comes_back_resumes_its_tls_session(server, version):
    ports, _ = server
    context = tls_context(None)
    context.minimum_version = context.maximum_version = version
    session, resumed = None, False
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", ports.tls)) as plain:
            plain.settimeout(DEADLINE_SECONDS)
            with context.wrap_socket(plain, session=session) as connection:
                connection.sendall(bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST)))
                assert connection.recv(2048)
                resumed, session = connection.session_reused, connection.session
    assert resumed
