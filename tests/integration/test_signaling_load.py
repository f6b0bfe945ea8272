# SPDX-License-Identifier: Apache-2.0
"""The load client of `./dev bench signaling` still works: each kind of load for a moment, and nothing about speed."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from support import DEADLINE_SECONDS, ROOT, Daemon, Ports, relay_config

BUILD = Path(os.environ.get("CAUSEWAY_BUILD", ROOT / "build/release"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("load"), Ports()
    config = relay_config(folder, ports) | {"signaling": {"messages_per_second": 0, "bytes_per_second": 0}}
    with Daemon(folder, config, http_port=ports.http) as daemon:
        yield f"causeway,{daemon.process.pid},127.0.0.1", ports


@pytest.fixture(params=["plain", "tls"])
def signaling_load(server, request):
    """What it prints of the one server."""
    name, ports = server
    over_tls = request.param == "tls"
    fixed = [BUILD / "tests/bench/signaling_load", "--server", f"{name},{ports.tls if over_tls else ports.http}"]

    def run(arguments):
        command = [*fixed, *(["--tls"] if over_tls else []), *arguments.split()]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["causeway"]

    return run


def test_candidates_arrive_as_they_were_sent(signaling_load):
    (turn,) = signaling_load("--rooms 3 --window 12 --rounds 1 --turn-ms 60")
    assert turn["delivered"] > 0 and turn["wrong"] == 0 and turn["lost"] == 0, turn
    assert turn["cpu_ns"] > 0 and turn["latency_p50_ns"] > 0, turn


def test_it_says_what_idle_members_cost_in_memory(signaling_load):
    found = signaling_load("--rooms 1 --memory 6")
    assert found["clients"] == 6 and found["after_bytes"] >= found["before_bytes"] > 0, found


def test_members_come_back_from_a_storm_as_what_they_were(signaling_load):
    found = signaling_load("--rooms 2 --rate 200 --storm 20 --spread-ms 100 --turn-ms 400")
    assert found["resumed"] + found["joined_anew"] + found["failed"] == found["members"] == 20, found
    assert found["resumed"] > 0 and found["during"]["wrong"] == 0, found
