# SPDX-License-Identifier: Apache-2.0
"""Two aiortc peers behind NATs, with the installed configuration on a public address: what fails directly succeeds
through the relay, over UDP, and where only TCP to port 443 is let out, over TLS.

Each case has a network of its own, and all run at the same time.
"""
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nat_network import SERVER_ADDRESS, NatNetwork
from support import DEADLINE_SECONDS, ROOT, Daemon, clean_environment, make_certificate

PEER = Path(__file__).with_name("nat_peer.py")
TURN = f"turn:{SERVER_ADDRESS}"
CASES = {
    "cone, STUN": ["cone"],
    "symmetric, STUN": ["symmetric"],
    "symmetric, TURN over UDP": ["symmetric", f"{TURN}:3478?transport=udp"],
    "symmetric, TURN over TCP": ["symmetric", f"{TURN}:3478?transport=tcp"],
    "https-only, TURN over UDP": ["https-only", f"{TURN}:3478?transport=udp"],
    "https-only, TURN over TLS": ["https-only", f"turns:{SERVER_ADDRESS}:443?transport=tcp"],
    "https-only, TURN over TCP to 443": ["https-only", f"{TURN}:443?transport=tcp"],
}


def call(folder, kind, *turn_uri):
    """What the two peers said, or why there is no network for them."""
    folder.mkdir()
    certificate, key = make_certificate(folder, address=SERVER_ADDRESS)
    with NatNetwork(kind) as network:
        if network.unavailable:
            return network.unavailable
        environment = clean_environment(
            CAUSEWAY_STATE_DIRECTORY=str(folder / "state"), CAUSEWAY_TLS__CERTIFICATE=str(certificate),
            CAUSEWAY_TLS__PRIVATE_KEY=str(key),
        )  # fmt: skip
        arguments = ["--config", str(ROOT / "config/causeway.json")]
        with Daemon(
            folder, None, arguments=arguments, command=network.command("server"), environment=environment
        ) as daemon:
            daemon.wait_for_line("Causeway is running")
            peers = [
                subprocess.Popen(
                    [*network.command(client), sys.executable, PEER, f"wss://{SERVER_ADDRESS}", "nat", *turn_uri],
                    env=clean_environment(SSL_CERT_FILE=str(certificate)), stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE, text=True,
                ) for client in ("client_a", "client_b")
            ]  # fmt: skip
            try:
                said = [peer.communicate(timeout=3 * DEADLINE_SECONDS) for peer in peers]
            finally:
                for peer in peers:
                    peer.kill()
                    peer.wait()
            assert all(peer.returncode == 0 for peer in peers), said
            return [json.loads(output) for output, _ in said]


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    base = tmp_path_factory.mktemp("nat")
    with ThreadPoolExecutor(len(CASES)) as pool:
        running = {
            case: pool.submit(call, base / str(number), *what) for number, (case, what) in enumerate(CASES.items())
        }
    return running


@pytest.fixture
def result(calls, request):
    """What the peers of this test's case said: the texts, the candidates and the chosen pair of each."""
    said = calls[request.param].result()
    if isinstance(said, str):
        pytest.skip(said)
    return said


def relayed(result):
    """Both got the other's message, and the relay is part of the way that they chose."""
    texts = {peer["text"] for peer in result}
    return texts == {"ping", "pong"} and all("relay" in peer["pair"] for peer in result)


@pytest.mark.parametrize("result", ["cone, STUN"], indirect=True)
def test_the_network_is_sound_and_stun_is_enough_where_mappings_keep_their_ports(result):
    assert {peer["text"] for peer in result} == {"ping", "pong"}, result
    assert all("srflx" in peer["candidates"] for peer in result), result


@pytest.mark.parametrize("result", ["symmetric, STUN"], indirect=True)
def test_stun_finds_addresses_but_no_way_between_symmetric_nats(result):
    assert all(peer["text"] == "failed" for peer in result), result
    assert all(peer["candidates"] == ["host", "srflx"] for peer in result), result


@pytest.mark.parametrize("result", ["symmetric, TURN over UDP", "symmetric, TURN over TCP"], indirect=True)
def test_the_relay_connects_symmetric_nats(result):
    assert relayed(result), result


@pytest.mark.parametrize("result", ["https-only, TURN over UDP"], indirect=True)
def test_turn_over_udp_does_not_pass_a_firewall_that_lets_out_https_alone(result):
    assert all(peer["text"] == "failed" and "relay" not in peer["candidates"] for peer in result), result


@pytest.mark.parametrize("result", ["https-only, TURN over TLS", "https-only, TURN over TCP to 443"], indirect=True)
def test_port_443_passes_a_firewall_that_lets_out_https_alone(result):
    assert relayed(result), result
