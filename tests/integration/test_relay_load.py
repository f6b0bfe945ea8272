# SPDX-License-Identifier: Apache-2.0
"""The load client of `./dev bench relay` still works: each shape for a moment, and nothing about speed."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from support import DEADLINE_SECONDS, ROOT, Daemon, Ports, relay_config

BUILD = Path(os.environ.get("CAUSEWAY_BUILD", ROOT / "build/release"))
SHAPES = {
    "client-to-peer": "--shape c2p",
    "peer-to-client": "--shape p2c",
    "paced": "--shape both --rate 5000",
    "relay-to-relay": "--shape relay-to-relay",
    "indications": "--shape indications",
    "binding": "--shape binding",
    "allocate": "--shape allocate",
    "tcp": "--shape both --transport tcp --burst 2",
    "tls": "--shape both --transport tls --burst 2",
    "bursts": "--shape c2p --payload 1200 --burst 4",
    "offloads": "--shape both --payload 1200 --burst 4 --segment --coalesce",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("load"), Ports()
    limits = {"unauthenticated_answers_per_second": 0}
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]}, limits=limits)
    with Daemon(folder, config, http_port=ports.http) as daemon:
        yield f"causeway,{daemon.process.pid},127.0.0.1", ports


def relay_load(server, arguments):
    """What it printed of the one server."""
    name, ports = server
    port = ports.tls if "tls" in arguments else ports.turn
    command = [BUILD / "tests/bench/relay_load", "--server", f"{name},{port}", *arguments.split()]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["causeway"]


@pytest.mark.parametrize("shape", SHAPES)
def test_packets_arrive_as_they_were_sent(server, shape):
    (turn,) = relay_load(server, f"{SHAPES[shape]} --flows 4 --window 16 --rounds 1 --turn-ms 60")
    assert turn["delivered"] > 0 and turn["wrong"] == 0, turn
    assert turn["cpu_ns"] > 0 and turn["latency_p50_ns"] > 0, turn


def test_it_says_what_the_clients_cost_in_memory(server):
    found = relay_load(server, "--shape c2p --flows 4 --memory")
    assert found["clients"] == 4 and found["after_bytes"] >= found["before_bytes"] > 0, found
