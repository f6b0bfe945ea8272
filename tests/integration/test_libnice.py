# SPDX-License-Identifier: Apache-2.0
"""libnice, the ICE library of GStreamer, Janus and many C programs, through the relay over UDP and TCP.

TLS is not there: its relay type of that name is plain TCP, or the pseudo-TLS of old messengers.
"""
import json
import subprocess
import sys
from pathlib import Path

import pytest

from support import DEADLINE_SECONDS, Daemon, Ports, relay_config

PROGRAM = Path(__file__).with_name("nice_agents.py")
TRANSPORTS = ["UDP", "TCP"]


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    try:
        import gi

        gi.require_version("Nice", "0.1")
    except (ImportError, ValueError):
        pytest.skip("not here: libnice for Python (packages gir1.2-nice-0.1 and python3-gi)")
    folder, ports = tmp_path_factory.mktemp("libnice"), Ports()
    with Daemon(folder, relay_config(folder, ports), http_port=ports.http):
        yield ports.turn


def nice(port, transport, password="wonderland"):
    done = subprocess.run(
        [sys.executable, PROGRAM, str(port), transport, password], capture_output=True, text=True,
        timeout=3 * DEADLINE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_agents_talk_through_their_relays(port, transport):
    assert nice(port, transport) == {
        "candidates": [["relayed"], ["relayed"]], "states": ["ready", "ready"], "intact": [True, True]
    }  # fmt: skip


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_wrong_password_gives_no_candidate(port, transport):
    assert nice(port, transport, "guess") == {"candidates": [[], []]}
