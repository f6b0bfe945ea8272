# SPDX-License-Identifier: Apache-2.0
"""One source of connections against everybody else: budgets, eviction, the log, and many honest people behind one address.

Clients come from addresses of 127/8 other than 127.0.0.1, which is trusted, or from any address behind a header of the
PROXY protocol.
"""
import contextlib
import resource
import signal
import socket
import ssl
import threading
import time

import pytest

from support import DEADLINE_SECONDS, Daemon, Ports, free_port, http_get, relay_config, tls_context
from turn_tcp_client import ALLOCATE, REFRESH, REQUESTED_TRANSPORT, TurnTcpClient

BUDGET = 8
STRANGER, NEIGHBOUR = "127.0.0.2", "127.0.0.3"
UDP = b"\x11\0\0\0"
BINDING = 1


class Client(TurnTcpClient):
    """A connection from `source`, or behind a proxy that says it is from there; over TLS with `context`."""

    def __init__(self, port, source, *, proxied=False, context=None):
        self.user, self.password = "alice", "wonderland"
        self.realm, self.nonce, self._rest, self.indications = b"", b"", b"", []
        source_address = None if proxied else (source, 0)
        plain = socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS, source_address)
        if proxied:
            family, target = ("TCP6", "2001:db8:ffff::1") if ":" in source else ("TCP4", "198.51.100.200")
            plain.sendall(f"PROXY {family} {source} {target} {plain.getsockname()[1]} 443\r\n".encode())
        self.socket = context.wrap_socket(plain) if context else plain

    def is_served(self):
        """Whether a Binding request is answered; False: the server has closed the connection."""
        try:
            return self.request(BINDING).error == 0
        except (EOFError, ConnectionError):
            return False

    def allocate(self):
        assert self.request(ALLOCATE, [(REQUESTED_TRANSPORT, UDP)]).error == 0

    def is_closed(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def get(self, path, *headers):
        request = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
        self.socket.sendall("\r\n".join(request).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1)
        return int(head.split()[1])


@pytest.fixture(scope="module", autouse=True)
def descriptors():
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limits[1], limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@contextlib.contextmanager
def started(folder, workers, turn=None, **limits):
    ports = Ports()
    ports.tcp_behind, ports.tls_behind = free_port(), free_port()
    config = relay_config(folder, ports, workers=workers, limits={"allocations_per_user": 1000} | (turn or {}))
    config["limits"] = limits
    for transport, port in (("tcp", ports.tcp_behind), ("tls", ports.tls_behind)):
        config["listeners"].append(
            {"transport": transport, "address": "127.0.0.1", "port": port, "proxy_protocol": ["127.0.0.1"]}
        )
    with Daemon(folder, config, http_port=ports.http) as ports.daemon:
        yield ports


@pytest.fixture(params=[1, 2], ids=["main loop", "two workers"])
def server(tmp_path, request):
    with started(tmp_path, request.param, unauthenticated_connections_per_address=BUDGET) as ports:
        yield ports


def lines(daemon, address):
    """What the log says of the connections of `address` until now: lines come in order, the last one is of a reload."""
    daemon.process.send_signal(signal.SIGHUP)
    daemon.wait_for_line("reloaded the configuration")
    return [line for line in daemon.lines if address in line and "connection" in line]


def fill(stack, ports):
    """As many connections of the stranger as its budget has."""
    clients = [stack.enter_context(Client(ports.turn, STRANGER)) for _ in range(BUDGET)]
    assert all(client.is_served() for client in clients)
    return clients


def push_out(stack, ports, oldest):
    """Connects until the oldest connection has been closed for a new one; younger than a second it stays."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        client = stack.enter_context(Client(ports.turn, STRANGER))
        if client.is_served():
            assert oldest.is_closed()
            return client
    raise AssertionError("no connection was closed for a new one")


def test_a_stranger_takes_nothing_from_others(server):
    with contextlib.ExitStack() as stack:
        user = stack.enter_context(Client(server.turn, STRANGER))
        user.allocate()
        first, *others = fill(stack, server)
        refused = stack.enter_context(Client(server.turn, STRANGER))
        push_out(stack, server, first)
        assert all(client.is_served() for client in others), "the oldest goes first, and goes alone"
        assert user.request(REFRESH).error == 0, "who has authenticated stays"
        for _ in range(BUDGET):
            assert stack.enter_context(Client(server.turn, NEIGHBOUR)).is_served()
        assert http_get(server.http, "/healthz")[0] == 200
        refused.socket.close()
        assert len(lines(server.daemon, STRANGER)) == 1, server.daemon.log
        assert not lines(server.daemon, NEIGHBOUR), server.daemon.log


def test_who_authenticates_makes_room_for_the_next(server):
    with contextlib.ExitStack() as stack:
        for _ in range(2 * BUDGET):
            stack.enter_context(Client(server.turn, STRANGER)).allocate()
        assert len(fill(stack, server)) == BUDGET
        assert not lines(server.daemon, STRANGER), server.daemon.log


def test_a_handshake_that_is_not_done_is_a_stranger_too(server):
    with contextlib.ExitStack() as stack:
        begun = [stack.enter_context(Client(server.tls, STRANGER)) for _ in range(BUDGET)]
        for client in begun:
            client.socket.sendall(b"\x16\x03\x01\x02\x00")  # the header of a ClientHello
        push_out(stack, server, begun[0])
        assert stack.enter_context(Client(server.tls, NEIGHBOUR, context=tls_context(False))).is_served()


def test_behind_a_proxy_the_budget_is_the_clients(server):
    with contextlib.ExitStack() as stack:
        for host in range(BUDGET):
            client = Client(server.tcp_behind, f"2001:db8::{host + 1}", proxied=True)
            assert stack.enter_context(client).is_served()
        one_more = stack.enter_context(Client(server.tcp_behind, "2001:db8::ffff", proxied=True))
        other = stack.enter_context(Client(server.tcp_behind, "2001:db8:0:100::1", proxied=True))
        assert other.is_served()
        one_more.is_served()
        assert len(lines(server.daemon, "2001:db8::ffff")) == 1, server.daemon.log


def test_strangers_on_streams_take_turns(tmp_path):
    """Who pipelines without authenticating gets four answers and then one a second, with five at once; users do not wait."""
    with started(tmp_path, 1, turn={"unauthenticated_answers_per_second": 1}) as server, contextlib.ExitStack() as stack:
        user = stack.enter_context(Client(server.turn, STRANGER))
        user.allocate()
        flood = stack.enter_context(Client(server.turn, STRANGER))
        flood.socket.sendall(b"".join(flood.build(BINDING) for _ in range(200)))
        for _ in range(4 + 5):
            flood.answer()
        for _ in range(50):
            assert user.request(REFRESH).error == 0
        late = stack.enter_context(Client(server.turn, STRANGER))
        late.allocate()
        assert late.request(REFRESH).error == 0, "who comes now can authenticate, too"
        flood.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            flood._rest += flood.socket.recv(1 << 16)
        assert len(flood._rest) < 100 * 32, "not all of the rest has been answered"
        flood.socket.settimeout(DEADLINE_SECONDS)
        flood.answer()


# Carrier NAT, an office. Each loads the page over connections that stay open, joins a room, and allocates over tcp and
# tls. All at the same time, and nobody is refused.
PEOPLE = 200
UPGRADE = (
    "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)  # fmt: skip


class Person:
    def __init__(self, server, address, context):
        self.server, self.address, self.context = server, address, context
        self.connections = []

    def connect(self, port, context=None):
        self.connections.append(Client(port, self.address, proxied=True, context=context))
        return self.connections[-1]

    def arrive(self, room):
        for _ in range(4):
            assert self.connect(self.server.tcp_behind).get("/healthz") == 200
        assert self.connect(self.server.tcp_behind).get(f"/ws?room={room}", *UPGRADE) == 101
        self.connect(self.server.tcp_behind).allocate()
        self.connect(self.server.tls_behind, self.context).allocate()


@pytest.mark.parametrize("addresses", ["198.51.100.1", "2001:db8::{:x}"], ids=["one IPv4 address", "one /64"])
def test_two_hundred_people_behind_one_source(tmp_path, addresses):
    with started(tmp_path, 1) as server:
        context = tls_context(False)
        people = [Person(server, addresses.format(i + 1), context) for i in range(PEOPLE)]
        problems = []

        def arrive(first):
            try:
                for i in range(first, PEOPLE, 8):
                    people[i].arrive(f"room-{i // 8}")
            except (AssertionError, OSError, EOFError, ssl.SSLError) as problem:
                problems.append(repr(problem))

        threads = [threading.Thread(target=arrive, args=(i,)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for person in people:
            for connection in person.connections:
                connection.socket.close()
        assert not problems
        assert "refused" not in server.daemon.log and "closed for" not in server.daemon.log, server.daemon.log
