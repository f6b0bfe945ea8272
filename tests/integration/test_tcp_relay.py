# SPDX-License-Identifier: Apache-2.0
"""TCP relays (RFC 6062): connections of the client to peers and of peers to the client, over TCP and TLS."""
import hashlib
import os
import socket
import struct
import threading

import pytest

from support import DEADLINE_SECONDS, Daemon, Ports, free_port, relay_config, uclient
from turn_tcp_client import LIFETIME, PEER, REFRESH, TurnTcpClient, end_of

MIB = 1 << 20
USER = ["-u", "alice", "-w", "wonderland"]
ALLOW_LOOPBACK = {"allow": ["127.0.0.0/8", "::1/128"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("tcp_relay"), Ports()
    config = relay_config(folder, ports, tcp_relay=True, peers=ALLOW_LOOPBACK)
    with Daemon(folder, config, http_port=ports.http) as daemon:
        daemon.ports, daemon.certificate = ports, config["tls"]["certificate"]
        yield daemon


@pytest.fixture(params=["tcp", "tls"])
def client(request, server):
    tls = request.param == "tls"
    with TurnTcpClient(server.ports.tls if tls else server.ports.turn, tls=server.certificate if tls else None) as it:
        yield it


class Listening:
    """A peer that waits for connections."""

    def __init__(self, address="127.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.create_server((address, 0), family=family)
        self.socket.settimeout(DEADLINE_SECONDS)
        self.endpoint = self.socket.getsockname()[:2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def accept(self):
        connection, self.seen = self.socket.accept()
        connection.settimeout(DEADLINE_SECONDS)
        return connection


def connected(client, peer):
    """A data connection to a peer that listens, and the peer's side of it."""
    answer = client.connect(peer.endpoint)
    assert answer.error == 0, answer.error
    accepted = peer.accept()
    return client.bind(answer.connection), accepted


def peer_connection(relayed):
    connection = socket.create_connection(relayed, timeout=DEADLINE_SECONDS)
    connection.settimeout(DEADLINE_SECONDS)
    return connection


def test_active(client):
    relayed = client.allocate()
    with Listening() as peer:
        data, accepted = connected(client, peer)
        with data, accepted:
            assert peer.seen == relayed, "it comes from the relayed address"
            data.socket.sendall(b"to the peer")
            assert accepted.recv(100) == b"to the peer"
            accepted.sendall(b"and back")
            assert data.read(8) == b"and back"
            assert client.connect(peer.endpoint).error == 446
        # Both sides have ended, so the same peer can be connected to again.


def test_ipv6(server):
    with TurnTcpClient(server.ports.turn, host="::1") as client, Listening("::1") as peer:
        client.allocate((0x0017, struct.pack("!B3x", 2)))
        data, accepted = connected(client, peer)
        with data, accepted:
            data.socket.sendall(b"six")
            assert accepted.recv(100) == b"six"


def test_data_of_either_side_may_come_before_the_answer_to_connection_bind(client):
    client.allocate()
    with Listening() as peer:
        answer = client.connect(peer.endpoint)
        with peer.accept() as accepted:
            accepted.sendall(b"early words of the peer")
            early = os.urandom(50_000)  # many times what the server reads at once
            with client.bind(answer.connection, behind=early) as data:
                assert data.read(23) == b"early words of the peer"
                received = b""
                while len(received) < len(early):
                    received += accepted.recv(1 << 16)
                assert received == early


def test_passive(client):
    relayed = client.allocate()
    client.permit("127.0.0.1")
    with peer_connection(relayed) as peer:
        attempt = client.attempt()
        assert attempt.address(PEER) == peer.getsockname()
        peer.sendall(b"knock")
        with client.bind(attempt.connection) as data:
            assert data.read(5) == b"knock"
            data.socket.sendall(b"come in")
            assert peer.recv(100) == b"come in"


def test_a_peer_without_a_permission_is_closed_at_once(client):
    relayed = client.allocate()
    with peer_connection(relayed) as peer:
        assert end_of(peer) == "eof"
    client.permit("127.0.0.1")  # and no indication came before the answer
    assert not client.indications


def test_several_peers_at_once(client):
    relayed = client.allocate()
    client.permit("127.0.0.1")
    peers = [peer_connection(relayed) for _ in range(5)]
    by_address = {peer.getsockname(): peer for peer in peers}
    for _ in peers:
        attempt = client.attempt()
        peer = by_address[attempt.address(PEER)]
        with client.bind(attempt.connection) as data, peer:
            data.socket.sendall(attempt.connection)
            assert peer.recv(100) == attempt.connection


def test_half_close_by_the_client(client):
    client.allocate()
    with Listening() as peer:
        data, accepted = connected(client, peer)
        with data, accepted:
            data.socket.sendall(b"question")
            # Python's TLS cannot send close_notify and go on reading, but the end of the TCP stream does as well.
            socket.socket.shutdown(data.socket, socket.SHUT_WR)
            assert accepted.recv(100) == b"question"
            assert accepted.recv(100) == b""
            accepted.sendall(b"answer")
            assert data.read(6) == b"answer"
            accepted.close()
            assert data.ended() == "eof"


def test_half_close_by_the_peer(client):
    client.allocate()
    with Listening() as peer:
        data, accepted = connected(client, peer)
        with data, accepted:
            accepted.sendall(b"question")
            accepted.shutdown(socket.SHUT_WR)
            assert data.read(8) == b"question"
            assert data.socket.recv(100) == b""
            data.socket.sendall(b"answer")
            assert accepted.recv(100) == b"answer"
            data.socket.close()
            assert accepted.recv(100) == b""


def test_a_slow_client_slows_the_peer_down(client):
    client.allocate()
    sent = os.urandom(16 * MIB)
    with Listening() as peer:
        answer = client.connect(peer.endpoint)
        with peer.accept() as accepted, client.bind(answer.connection, receive_buffer=32 * 1024) as data:
            accepted.settimeout(1)
            held = 0
            try:  # while nobody reads, only what buffers hold can be sent
                while held < len(sent):
                    held += accepted.send(sent[held : held + MIB])
            except TimeoutError:
                pass
            assert held < len(sent)
            accepted.settimeout(DEADLINE_SECONDS)
            rest = threading.Thread(target=lambda: (accepted.sendall(sent[held:]), accepted.shutdown(socket.SHUT_WR)))
            rest.start()
            assert digest_of(data.socket) == hashlib.sha256(sent).digest()
            rest.join()


def test_a_slow_peer_slows_the_client_down(client):
    client.allocate()
    sent = os.urandom(16 * MIB)
    with Listening() as peer:
        peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        data, accepted = connected(client, peer)
        with data, accepted:
            result = []
            writer = threading.Thread(target=lambda: result.append(data.socket.sendall(sent)))
            writer.start()
            writer.join(1)
            assert writer.is_alive(), "16 MiB do not fit into the buffers between the two"
            received, hashed = 0, hashlib.sha256()
            while received < len(sent):
                octets = accepted.recv(1 << 16)
                assert octets
                hashed.update(octets)
                received += len(octets)
            assert hashed.digest() == hashlib.sha256(sent).digest()
            writer.join()


def digest_of(connection):
    hashed = hashlib.sha256()
    while octets := connection.recv(1 << 16):
        hashed.update(octets)
    return hashed.digest()


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_a_reset_is_passed_on(client):
    client.allocate()
    with Listening() as peer:
        data, accepted = connected(client, peer)
        with data:
            reset(accepted)
            assert data.ended() == "reset"
        data, accepted = connected(client, peer)
        with accepted:
            reset(data.socket)
            assert end_of(accepted) == "reset"


@pytest.mark.parametrize("how", ["closed", "released"])
def test_everything_ends_with_the_allocation(client, how):
    relayed = client.allocate()
    client.permit("127.0.0.1")
    with Listening() as peer, peer_connection(relayed) as waiting:
        client.attempt()
        data, accepted = connected(client, peer)
        with data, accepted:
            if how == "closed":
                client.socket.close()
            else:
                assert client.request(REFRESH, [(LIFETIME, bytes(4))]).error == 0
            assert data.ended() == "reset"
            assert end_of(accepted) == "reset"
            assert end_of(waiting) in ("eof", "reset")
    with pytest.raises(ConnectionRefusedError):
        peer_connection(relayed)


def test_refusals(client):
    client.allocate()
    assert client.connect(("10.1.2.3", 80)).error == 403
    assert client.connect(("169.254.169.254", 80)).error == 403
    assert client.connect(("::1", 80)).error == 443
    assert client.connect(("127.0.0.1", free_port())).error == 447, "nobody listens there"
    with client.further() as other:
        assert other.connect(("127.0.0.1", 80)).error == 437
        assert other.request(11, [(0x002A, b"none")]).error == 400


def test_the_client_may_go_while_it_connects(server):
    """Nothing answers at this address, so the attempt is under way when its allocation ends."""
    client = TurnTcpClient(server.ports.turn)
    client.allocate()
    with Listening() as peer:
        backlog = []  # full: the next connection waits for an answer
        peer.socket.listen(0)
        while len(backlog) < 4:
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(peer.endpoint)
            backlog.append(waiting)
        client.send(10, [(PEER, peer.endpoint)])
        client.request(REFRESH)
        client.socket.close()
        with TurnTcpClient(server.ports.turn) as next_client:
            next_client.allocate()
        for waiting in backlog:
            waiting.close()


def test_two_relays_of_this_server_reach_each_other_under_the_default_policy(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports, tcp_relay=True)
    with Daemon(tmp_path, config, http_port=ports.http):
        with TurnTcpClient(ports.turn) as anna, TurnTcpClient(ports.turn) as bert:
            anna_relayed, bert_relayed = anna.allocate(), bert.allocate()
            bert.permit(anna_relayed[0])
            answer = anna.connect(bert_relayed)
            attempt = bert.attempt()
            assert attempt.address(PEER) == anna_relayed
            with anna.bind(answer.connection) as near, bert.bind(attempt.connection) as far:
                near.socket.sendall(b"through two relays")
                assert far.read(18) == b"through two relays"
                far.socket.sendall(b"back")
                assert near.read(4) == b"back"
            assert anna.connect(("127.0.0.1", ports.http)).error == 403, "only relays, nothing else of this machine"


def test_limits(tmp_path):
    ports = Ports()
    limits = {"connections_per_allocation": 2, "connections_per_user": 3}
    config = relay_config(tmp_path, ports, tcp_relay=True, peers=ALLOW_LOOPBACK, limits=limits)
    with Daemon(tmp_path, config, http_port=ports.http), Listening() as peer, Listening() as second, Listening() as third:
        with TurnTcpClient(ports.turn) as client, TurnTcpClient(ports.turn) as other:
            relayed = client.allocate()
            client.permit("127.0.0.1")
            other.allocate()
            assert client.connect(peer.endpoint).error == 0
            assert client.connect(second.endpoint).error == 0
            assert client.connect(third.endpoint).error == 508
            with peer_connection(relayed) as refused:
                assert end_of(refused) == "eof"
            assert other.connect(peer.endpoint).error == 0
            assert other.connect(second.endpoint).error == 486


def test_off_by_default(tmp_path):
    ports = Ports()
    with Daemon(tmp_path, relay_config(tmp_path, ports), http_port=ports.http), TurnTcpClient(ports.turn) as client:
        assert client.request(3, [(0x0019, struct.pack("!B3x", 6))]).error == 442


def test_the_daemon_stops_with_connections_open(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports, tcp_relay=True, peers=ALLOW_LOOPBACK)
    with Daemon(tmp_path, config, http_port=ports.http) as daemon, Listening() as peer:
        client = TurnTcpClient(ports.turn)
        relayed = client.allocate()
        client.permit("127.0.0.1")
        data, accepted = connected(client, peer)
        waiting = peer_connection(relayed)
        client.attempt()
        assert daemon.stop() == 0
        assert data.ended() == "reset" and end_of(accepted) == "reset"
        assert end_of(waiting) in ("eof", "reset")


@pytest.mark.parametrize("flags", [[], ["-S"]], ids=["tcp", "tls"])
def test_turnutils_uclient(server, flags):
    port = server.ports.tls if flags else server.ports.turn
    exchange = uclient("-X", "-T", *flags, *USER, "-p", port, "127.0.0.1")
    assert exchange.complete, exchange.output
