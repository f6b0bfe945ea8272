# SPDX-License-Identifier: Apache-2.0
"""`causeway probe` against the real daemon, and against what is none."""
import json
import socket

import pytest

from support import Daemon, Peer, Ports, free_port, relay_config, run_causeway

ALICE = ("--user", "alice", "--password", "wonderland")
TURN_STEPS = [
    "resolve", "connect", "binding", "allocate", "second allocation", "permission", "data", "channel", "channel data",
    "release",
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("probe"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.2/32"]})
    with Daemon(folder, config, http_port=ports.http) as daemon:
        ports.certificate, ports.daemon = config["tls"]["certificate"], daemon
        yield ports


def probe(*arguments, timeout_seconds=5):
    done = run_causeway("probe", "--timeout", timeout_seconds, *arguments)
    assert "wonderland" not in done.stdout + done.stderr and "north" not in done.stdout + done.stderr
    return done


def probe_json(*arguments, **more):
    done = probe("--json", *arguments, **more)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["ok"] else 1)
    assert report["ok"] == all(step["ok"] for step in report["steps"])
    return report


def failed_step(report):
    assert not report["ok"]
    assert all(step["ok"] for step in report["steps"][:-1])
    assert report["steps"][-1]["advice"]
    return report["steps"][-1]


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_turn(server, transport, host):
    report = probe_json(f"turn:{host}:{server.turn}?transport={transport}", *ALICE)
    assert report["ok"], report
    assert [step["name"] for step in report["steps"]] == TURN_STEPS
    assert all(step["milliseconds"] >= 0 and step["advice"] is None for step in report["steps"])


def test_turn_over_tls_with_a_shared_secret(server):
    done = probe(f"turns:localhost:{server.tls}", "--secret", "north", "--ca", server.certificate)
    assert done.returncode == 0, done.stdout
    assert "Everything works." in done.stdout and "relayed address 127.0.0.1" in done.stdout
    assert probe_json(f"turns:127.0.0.1:{server.tls}", "--secret", "north", "--insecure")["ok"]


@pytest.mark.parametrize("scheme", ["stun", "stuns"])
def test_stun(server, scheme):
    port = server.turn if scheme == "stun" else server.tls
    report = probe_json(f"{scheme}:localhost:{port}", "--insecure")
    assert report["ok"] and [step["name"] for step in report["steps"]] == ["resolve", "connect", "binding"]
    assert "mapped address" in report["steps"][-1]["detail"]


def test_a_peer_that_echoes(server):
    with Peer("127.0.0.2") as peer:
        report = probe_json(f"turn:127.0.0.1:{server.turn}", *ALICE, "--peer", f"127.0.0.2:{peer.port}")
        assert report["ok"], report


def test_a_peer_that_is_refused_and_the_allocation_is_given_back(server):
    step = failed_step(probe_json(f"turn:127.0.0.1:{server.turn}", *ALICE, "--peer", "10.0.0.1:9"))
    assert step["name"] == "permission" and "403" in step["detail"] and "turn.peers.allow" in step["advice"]
    server.daemon.wait_for_line(r"released by the client[^\n]*; to peers 0 packets")


@pytest.mark.parametrize("credential", [("--user", "alice", "--password", "wrong"), ("--secret", "south")])
def test_a_wrong_password_or_secret(server, credential):
    step = failed_step(probe_json(f"turn:127.0.0.1:{server.turn}", *credential))
    assert step["name"] == "allocate" and "401" in step["detail"] and "clocks" in step["advice"]


def test_no_password_at_all(server):
    step = failed_step(probe_json(f"turn:127.0.0.1:{server.turn}"))
    assert step["name"] == "allocate" and "--user" in step["advice"]


@pytest.mark.parametrize("uri", ["stun:127.0.0.1:{}", "turn:127.0.0.1:{}?transport=tcp", "turns:127.0.0.1:{}"])
def test_a_closed_port(uri):
    step = failed_step(probe_json(uri.format(free_port())))
    assert "refused" in step["detail"] and "Nothing listens" in step["advice"]


def test_a_server_that_never_answers():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        step = failed_step(probe_json(f"stun:127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=1))
    assert step["name"] == "binding" and "no answer to 2 packets" in step["detail"] and "firewall" in step["advice"]


def test_a_certificate_that_is_not_trusted_or_for_another_host(server):
    step = failed_step(probe_json(f"turns:localhost:{server.tls}", *ALICE))
    assert step["name"] == "connect" and "self-signed" in step["detail"] and "--ca" in step["advice"]
    step = failed_step(probe_json(f"turns:127.0.0.2:{server.tls}", *ALICE, "--ca", server.certificate))
    assert "mismatch" in step["detail"] and "127.0.0.2" in step["advice"]


def test_a_port_without_tls_and_one_without_stun(server):
    with socket.create_server(("127.0.0.1", 0)) as closed_at_once:
        port = closed_at_once.getsockname()[1]
        step = failed_step(probe_json(f"turns:127.0.0.1:{server.turn}", *ALICE))
        assert step["name"] == "connect" and "another protocol" in step["advice"]
        step = failed_step(probe_json(f"turn:127.0.0.1:{port}?transport=tcp", timeout_seconds=1))
        assert step["name"] == "binding" and "open connection" in step["detail"]


def test_a_name_without_an_address():
    step = failed_step(probe_json("turn:nowhere.invalid:3478", *ALICE))
    assert step["name"] == "resolve" and "DNS" in step["advice"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["turn:"], ["https://example.org"], ["turn:127.0.0.1", "--user", "alice"], ["turn:127.0.0.1", "--peer", "x"],
        ["turn:127.0.0.1", *ALICE, "--secret", "north"], ["turns:h", "--ca", "x", "--insecure"], ["turn:h", "--nope"],
    ],
)  # fmt: skip
def test_bad_usage(arguments):
    done = probe(*arguments)
    assert done.returncode == 2 and done.stderr and not done.stdout
