# SPDX-License-Identifier: Apache-2.0
"""pion, the WebRTC library of many Go programs: its TURN client step by step, and its ICE agents through the relay.

tests/integration/pion/ is built against the packages of the system a network.
"""
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from support import DEADLINE_SECONDS, ROOT, Daemon, Ports, clean_environment, relay_config

TRANSPORTS = ["udp", "tcp", "tls", "dtls"]
LIBRARIES = Path("/usr/share/gocode")


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    if not shutil.which("go") or not (LIBRARIES / "src/github.com/pion/ice/v2").exists():
        pytest.skip("not here: Go and pion (packages golang-go and golang-github-pion-ice.v2-dev)")
    file = tmp_path_factory.mktemp("pion") / "pion"
    environment = clean_environment(
        GO111MODULE="off", GOPATH=str(LIBRARIES), GOFLAGS="", CGO_ENABLED="0", GOCACHE=str(ROOT / "build/go-cache"),
    )  # fmt: skip
    subprocess.run(["go", "build", "-o", file, "."], cwd=ROOT / "tests/integration/pion", env=environment, check=True)
    return file


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("server"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]})
    with Daemon(folder, config, http_port=ports.http):
        yield ports, config["tls"]["certificate"]


def pion(program, server, *arguments):
    done = subprocess.run(
        [program, "-ca", server[1], *arguments], capture_output=True, text=True, timeout=3 * DEADLINE_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def address(server, transport):
    ports, _ = server
    return f"127.0.0.1:{ports.tls if 'tls' in transport else ports.turn}"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_client_and_its_peer(program, server, transport):
    """Binding, Allocate, CreatePermission, Send and Data, ChannelBind, ChannelData; and what must not pass."""
    said = pion(program, server, "turn", transport, address(server, transport))
    assert said["Reflexive"] == said["Local"] and not said["AllocateError"], said
    assert "error 403" in said["ForbiddenPeerError"], said
    assert said["ChannelDataSent"] > 20 and said["ChannelDataReceived"] > 20, said
    assert said["FirstAfterStranger"] == "peer", said


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("wrong", [["-password", "guess"], ["-user", "mallory"]], ids=["password", "name"])
def test_wrong_credentials_are_refused(program, server, transport, wrong):
    said = pion(program, server, *wrong, "turn", transport, address(server, transport))
    assert "error 401" in said["AllocateError"] and not said["Relayed"], said


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_agents_talk_through_their_relays(program, server, transport):
    """turns: with transport=udp is TURN over DTLS to pion, which no browser speaks."""
    scheme = "turns" if "tls" in transport else "turn"
    over = "udp" if transport in ("udp", "dtls") else "tcp"
    said = pion(program, server, "ice", f"{scheme}:{address(server, transport)}?transport={over}")
    assert said["Candidates"] == ["relay", "relay"] and said["Pairs"] == ["relay relay", "relay relay"], said
    assert said["Received"] == ["from 0", "from 1"], said
