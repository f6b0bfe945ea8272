# SPDX-License-Identifier: Apache-2.0
"""RFC 8016: coturn's client, which moves after each Allocate, and a client of our own for what that does not show."""
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

import pytest

from stun_client import (
    ALLOCATE, CHANNEL_BIND, CHANNEL_NUMBER, LIFETIME, MOBILITY_TICKET, REFRESH, REQUESTED_TRANSPORT, XOR_PEER_ADDRESS,
    XOR_RELAYED_ADDRESS, StunClient, xor_address,
)  # fmt: skip
from support import Daemon, Peer, Ports, relay_config, uclient

UDP = (REQUESTED_TRANSPORT, b"\x11\0\0\0")
WISH = (MOBILITY_TICKET, b"")
CHANNEL = b"\x40\x01"
# Not TLS: against a slow server the client waits for ever for what it has read already. See Traveller for that.
TRANSPORTS = {"udp": [], "tcp": ["-t"], "dtls": ["-S"]}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("mobility"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]}, mobility=True)
    with Daemon(folder, config, http_port=ports.http) as daemon, Peer("127.0.0.1") as peer:
        yield daemon, ports, peer, config["tls"]["certificate"]


@pytest.fixture(scope="module")
def exchanges(server):
    """coturn's client closes its old socket before, after or while it opens the next one, by chance."""
    _, ports, peer, certificate = server

    def move(transport):
        port = ["-p", ports.tls, "-E", certificate] if "-S" in TRANSPORTS[transport] else ["-p", ports.turn]
        user = ["-u", "alice", "-w", "wonderland"]
        to = ["-e", "127.0.0.1", "-r", peer.port]
        # Over DTLS the client often closes the socket of its new session together with that of the old one: it says so
        # before a word of the new session has reached the server.
        for _ in range(20 if transport == "dtls" else 1):
            exchange = uclient("-M", "-X", *TRANSPORTS[transport], *user, *port, *to, "127.0.0.1")
            if exchange.complete or not exchange.output.endswith("send: Success\n"):
                break
        return exchange

    with ThreadPoolExecutor(4) as pool:
        running = {transport: pool.submit(move, transport) for transport in TRANSPORTS}
        return {transport: run.result() for transport, run in running.items()}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_coturns_client_loses_nothing_on_the_way(server, exchanges, transport):
    assert exchanges[transport].complete, exchanges[transport].output
    server[0].wait_for_line(rf"of user \"alice\" moves from \S+ over {transport} to \S+ over {transport}")


class Traveller:
    """An allocation with a channel to a socket of our own that is its peer."""

    def __init__(self, ports, transport):
        self.ports = ports
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.settimeout(5)
        self.peer.bind(("127.0.0.1", 0))
        self.home = self.client(transport)
        allocated = self.home.request(ALLOCATE, [UDP, WISH])
        assert allocated.success
        self.ticket = allocated.attributes[MOBILITY_TICKET]
        self.relayed = allocated.address(XOR_RELAYED_ADDRESS)
        bound = self.home.request(CHANNEL_BIND, [
            (CHANNEL_NUMBER, CHANNEL + b"\0\0"), (XOR_PEER_ADDRESS, xor_address(*self.peer.getsockname())),
        ])  # fmt: skip
        assert bound.success

    def client(self, transport):
        return StunClient(self.ports.tls if transport == "tls" else self.ports.turn, transport)

    def refresh(self, client, lifetime=600):
        return client.request(REFRESH, [(LIFETIME, struct.pack("!I", lifetime)), (MOBILITY_TICKET, self.ticket)])

    def reaches_peer(self, client, text=b"from the client"):
        client.send(CHANNEL + struct.pack("!H", len(text)) + text)
        return self.peer.recvfrom(2048) == (text, self.relayed)

    def is_reached_at(self, client, text=b"from the peer"):
        self.peer.sendto(text, self.relayed)
        return client.receive()[0] == CHANNEL + struct.pack("!H", len(text)) + text


@pytest.fixture
def traveller(server, request):
    made = Traveller(server[1], request.param)
    yield made
    made.peer.close()
    made.home.socket.close()


@pytest.mark.parametrize("traveller", ["udp", "tcp", "tls"], indirect=True)
@pytest.mark.parametrize("to", ["udp", "tcp", "tls"])
def test_make_before_break(traveller, to):
    with traveller.client(to) as road:
        moved = traveller.refresh(road)
        assert moved.success and moved.attributes[MOBILITY_TICKET] not in (b"", traveller.ticket)
        assert traveller.is_reached_at(traveller.home), "until data comes from the new place"
        assert traveller.reaches_peer(traveller.home)
        assert traveller.reaches_peer(road)
        assert traveller.is_reached_at(road)
        assert traveller.home.request(REFRESH).error == 437
        assert traveller.refresh(traveller.home).error == 400, "the old ticket"
        traveller.ticket = moved.attributes[MOBILITY_TICKET]
        assert traveller.refresh(traveller.home, lifetime=0).success, "the new one deletes from elsewhere"
        assert road.request(REFRESH).error == 437


@pytest.mark.parametrize("traveller", ["tcp", "tls"], indirect=True)
def test_break_before_make(server, traveller):
    traveller.home.socket.close()
    with traveller.client("udp") as road:
        assert traveller.refresh(road).success
        assert traveller.reaches_peer(road)
        assert traveller.is_reached_at(road)
        traveller.home = road
        assert road.request(REFRESH, [(LIFETIME, bytes(4))]).success


@pytest.mark.parametrize("traveller", ["udp"], indirect=True)
def test_a_retransmission_gets_the_same_ticket(traveller):
    with traveller.client("udp") as road:
        first = traveller.refresh(road)
        again = road.request(REFRESH, [(LIFETIME, struct.pack("!I", 600)), (MOBILITY_TICKET, traveller.ticket)],
                             first.transaction)  # fmt: skip
        assert again.success and again.attributes == first.attributes


@pytest.mark.parametrize("traveller", ["udp"], indirect=True)
def test_a_ticket_is_for_its_user_only(traveller):
    with StunClient(traveller.ports.turn, user=("mallory", "guess")) as thief:
        assert traveller.refresh(thief).error == 401
    assert traveller.is_reached_at(traveller.home)


def test_without_mobility_it_is_forbidden(tmp_path):
    ports = Ports()
    with Daemon(tmp_path, relay_config(tmp_path, ports), http_port=ports.http), StunClient(ports.turn) as client:
        assert client.request(ALLOCATE, [UDP, WISH]).error == 405
        assert client.request(ALLOCATE, [UDP]).success
        assert client.request(REFRESH, [(MOBILITY_TICKET, b"x" * 32)]).error == 405
