# SPDX-License-Identifier: Apache-2.0
"""What `turnutils_uclient -h` offers beyond transports, families and ways to send (test_turnutils.py), each over every
transport; and turnutils_stunclient.
"""
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import pytest

from support import DEADLINE_SECONDS, Daemon, Peer, Ports, relay_config, uclient
from test_turnutils import TRANSPORTS, USERS

ADDRESS = "127.0.0.1"
OPTIONS = {
    "relay of the other family": ["-x"],
    "several sessions": ["-X", "-m", "3"],
    "extra refreshes, permissions and bindings": ["-X", "-G"],
    "extra requests, send": ["-X", "-G", "-s"],
    "padded ChannelData": ["-X", "-D"],
    "sessions that vanish and come back": ["-X", "-B", "-m", "3"],
    "no CreatePermission before ChannelBind": ["-X", "-I"],
    "ORIGIN": ["-X", "-o", "https://call.example.org"],
    "BANDWIDTH": ["-X", "-a", "20000"],
    "long messages": ["-X", "-l", "1400"],
    "long messages, send": ["-X", "-l", "1400", "-s"],
    "relay to relay": ["-X", "-y"],
    "relay to relay, send": ["-X", "-y", "-s"],
    "relay to relay, other family": ["-x", "-y"],
}
WITHOUT_PERMISSION = {"no permission at all": ["-X", "-I", "-s"]}
PAIRS = {"a pair of ports": ["-X"], "a pair of ports, relay to relay": ["-X", "-y"]}
ALL = OPTIONS | PAIRS | WITHOUT_PERMISSION
FLIPPING_SECONDS = 3  # of a client that goes on for minutes


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("options"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8", "::1/128"]})
    with Daemon(folder, config, http_port=ports.http), Peer(ADDRESS) as v4, Peer("::1") as v6:
        yield ports, {"-X": v4, "-x": v6}


def run(server, transport, flags, **more):
    ports, peers = server
    port = ports.tls if "-S" in TRANSPORTS[transport] else ports.turn
    peer = peers[flags[0]]
    to = [] if "-y" in flags else ["-e", peer.address, "-r", peer.port]
    return uclient(*flags, *TRANSPORTS[transport], *USERS["static"], "-p", port, *to, ADDRESS, **more)


@pytest.fixture(scope="module")
def exchanges(server):
    """Runs all clients, many at a time: each one waits most of its time for its own timers."""
    with ThreadPoolExecutor(16) as pool:
        running = {
            (transport, what): pool.submit(run, server, transport, flags, pair_of_ports=what in PAIRS)
            for transport, (what, flags) in product(TRANSPORTS, ALL.items())
        }
        return {case: exchange.result() for case, exchange in running.items()}


@pytest.mark.parametrize("what", OPTIONS | PAIRS)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_is_lost_with(exchanges, transport, what):
    """Of two TLS records that arrive together the client reads one: each of its sessions may miss its last."""
    exchange, flags = exchanges[transport, what], ALL[what]
    sessions = (3 if "-m" in flags else 1) * (2 if "-y" in flags else 1) * (2 if what in PAIRS else 1)
    unread = sessions if transport == "tls" else 0
    assert exchange.code == 0 and 0 < exchange.sent <= exchange.received + unread, exchange.output


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_is_relayed_without_a_permission(exchanges, transport):
    """-I -s: Send indications to a peer for which the client never asked."""
    exchange = exchanges[transport, "no permission at all"]
    assert exchange.sent == 10 and exchange.received == 0, exchange.output


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_wrong_channel_number_is_refused(server, transport):
    """-N: ChannelBind with a number that is none."""
    exchange = run(server, transport, ["-X", "-N"])
    assert exchange.sent == 0 and "channel bind: error 400 (Bad Request)" in exchange.output, exchange.output


def test_requests_with_flipped_octets_harm_nobody(server):
    """-R: where FINGERPRINT or the magic cookie is wrong we are silent (RFC 8489 §6.3), which this client cannot
    understand. What counts is that the daemon goes on."""
    with ThreadPoolExecutor(16) as pool:
        for run_ in [pool.submit(run, server, transport, ["-X", "-R"], seconds=FLIPPING_SECONDS)
                     for transport in list(TRANSPORTS) * 4]:  # fmt: skip
            run_.result()
    exchange = run(server, "udp", ["-X"])
    assert exchange.complete, exchange.output


@pytest.mark.parametrize("address", [ADDRESS, "::1"])
def test_stunclient(server, address):
    done = subprocess.run(
        ["turnutils_stunclient", "-p", str(server[0].turn), address], capture_output=True, text=True,
        timeout=DEADLINE_SECONDS, check=True,
    )  # fmt: skip
    assert re.search(rf"UDP reflexive addr: \[?{address}\]?:\d+", done.stdout), done.stdout + done.stderr
