# SPDX-License-Identifier: Apache-2.0
"""coturn's own client through our relay: every transport, both ways to send, both families, both kinds of user."""
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from support import Daemon, Peer, Ports, relay_config, uclient

TRANSPORTS = {"udp": [], "tcp": ["-t"], "tls": ["-t", "-S"], "dtls": ["-S"]}
WAYS = {"channel": [], "send": ["-s"]}
FAMILIES = {"ipv4": ("127.0.0.1", ["-X"]), "ipv6": ("::1", ["-x"])}
USERS = {"static": ["-u", "alice", "-w", "wonderland"], "secret": ["-u", "bob", "-W", "north"]}
MATRIX = list(product(TRANSPORTS, WAYS, FAMILIES, USERS))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The daemon with one peer for each family, which its policy allows."""
    folder, ports = tmp_path_factory.mktemp("turnutils"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8", "::1/128"]})
    with Daemon(folder, config, http_port=ports.http), Peer("127.0.0.1") as v4, Peer("::1") as v6:
        yield ports, {"127.0.0.1": v4, "::1": v6}, config["tls"]["certificate"]


@pytest.fixture(scope="module")
def exchanges(server):
    """Runs all clients, several at a time: each one waits most of its time for its own timers."""
    ports, peers, certificate = server

    def matrix(transport, way, family, user):
        address, flags = FAMILIES[family]
        port = ["-p", ports.tls, "-E", certificate] if "-S" in TRANSPORTS[transport] else ["-p", ports.turn]
        to = ["-e", address, "-r", peers[address].port]
        # Over TLS the client reads one record for each wake-up: of two that arrive together the second one waits, and
        # if it is the last one of the run, it counts as lost. That takes a busy machine, and does not happen each time.
        for _ in range(3 if transport == "tls" else 1):
            exchange = uclient(*TRANSPORTS[transport], *WAYS[way], *flags, *USERS[user], *port, *to, address)
            if exchange.complete:
                break
        return exchange

    with ThreadPoolExecutor(8) as pool:
        running = {case: pool.submit(matrix, *case) for case in MATRIX}
        return {case: run.result() for case, run in running.items()}


@pytest.mark.parametrize("case", MATRIX, ids="-".join)
def test_nothing_is_lost(exchanges, case):
    assert exchanges[case].complete, exchanges[case].output


def test_one_allocation_with_two_relayed_addresses(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports, peers={"allow": ["127.0.0.0/8", "::1/128"]}) | {"log": {"level": "debug"}}
    with Daemon(tmp_path, config, http_port=ports.http) as daemon, Peer("127.0.0.1") as v4, Peer("::1") as v6:
        for peer in (v4, v6):
            exchange = uclient("-Z", *USERS["static"], "-p", ports.turn, "-e", peer.address, "-r", peer.port, "127.0.0.1")
            assert exchange.complete, exchange.output
        daemon.wait_for_line(r"allocation 127\.0\.0\.1:\d+ and \[::1\]:\d+ for user")


def test_two_relayed_addresses_reach_each_other_under_the_default_policy(tmp_path):
    """No peer is allowed, and all are loopback addresses: only delivery inside the server can do this."""
    ports = Ports()
    with Daemon(tmp_path, relay_config(tmp_path, ports), http_port=ports.http):
        exchange = uclient("-y", "-X", *USERS["static"], "-p", ports.turn, "127.0.0.1")
        assert exchange.complete, exchange.output


@pytest.mark.parametrize("wrong", [["-u", "alice", "-w", "guess"], ["-u", "mallory", "-w", "wonderland"],
                                   ["-u", "bob", "-W", "guess"]], ids=["password", "name", "secret"])
def test_wrong_credentials_are_refused(server, wrong):
    ports, peers, _ = server
    exchange = uclient("-X", *wrong, "-p", ports.turn, "-e", "127.0.0.1", "-r", peers["127.0.0.1"].port, "127.0.0.1")
    assert exchange.code != 0 and exchange.sent == 0, exchange.output
    assert "Cannot complete Allocation" in exchange.output


@pytest.mark.parametrize("way", WAYS)
def test_forbidden_peers_are_refused(server, way):
    ports, _, _ = server
    exchange = uclient("-X", *WAYS[way], *USERS["static"], "-p", ports.turn, "-e", "10.1.2.3", "-r", "9", "127.0.0.1")
    assert exchange.code != 0 and exchange.sent == 0, exchange.output
    assert "error 403" in exchange.output, exchange.output
