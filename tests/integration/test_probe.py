# SPDX-License-Identifier: Apache-2.0
"""`causeway probe` against the real daemon, against coturn, and against what is neither."""
import contextlib
import json
import os
import re
import socket
import subprocess

import pytest

from support import (
    Daemon, Peer, Ports, free_port, make_certificate, relay_config, run_causeway, stun_binding, wait_until,
)  # fmt: skip

ALICE = ("--user", "alice", "--password", "wonderland")
RELAY_STEPS = ["allocate", "second allocation", "permission", "data"]
CHANNEL_STEPS = ["channel", "channel data"]
IPV6_STEPS = [f"{step} ipv6" for step in [*RELAY_STEPS, "release"]]
TURN_STEPS = ["connect", "binding", *RELAY_STEPS, *CHANNEL_STEPS, "release", *IPV6_STEPS]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("probe"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.2/32"]})
    with Daemon(folder, config, http_port=ports.http) as daemon:
        ports.certificate, ports.daemon = config["tls"]["certificate"], daemon
        yield ports


class Turnserver:
    """coturn with alice, on two addresses and two ports as RFC 5780 wants it."""

    def __init__(self, folder, *options):
        self.folder, self.options = folder, options
        self.port, self.alternate, self.tls, self.alternate_tls = (free_port() for _ in range(4))

    def __enter__(self):
        certificate, key = make_certificate(self.folder)
        self.certificate = certificate
        self.process = subprocess.Popen(
            ["turnserver", "-n", "--no-cli", "--log-file=stdout", f"--pidfile={self.folder}/pid",
             f"--userdb={self.folder}/users", "-L", "127.0.0.1", "-L", "127.0.0.2", "-E", "127.0.0.1",
             "-p", str(self.port), "--alt-listening-port", str(self.alternate), "--tls-listening-port", str(self.tls),
             "--alt-tls-listening-port", str(self.alternate_tls), "--cert", certificate, "--pkey", key,
             "-r", "example.org", "-u", "alice:wonderland", "--lt-cred-mech", "--allow-loopback-peers", *self.options],
            cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT,
        )  # fmt: skip

        def answers():
            with contextlib.suppress(OSError):
                return stun_binding(self.port, "tcp")

        wait_until(answers, self.process, lambda: "turnserver does not answer")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def coturn(tmp_path_factory):
    with Turnserver(tmp_path_factory.mktemp("coturn")) as running:
        yield running


def probe(*arguments, timeout_seconds=5):
    done = run_causeway("probe", "--timeout", timeout_seconds, *arguments)
    assert "wonderland" not in done.stdout + done.stderr and "north" not in done.stdout + done.stderr
    return done


def probe_json(*arguments, **more):
    done = probe("--json", *arguments, **more)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["ok"] else 1)
    assert report["ok"] == all(step["result"] != "failed" for step in report["steps"])
    assert all((step["advice"] is not None) == (step["result"] == "failed") for step in report["steps"])
    return report


def failed_step(report):
    """The one step that failed, which has to be the last one."""
    assert not report["ok"]
    assert all(step["result"] != "failed" for step in report["steps"][:-1])
    return report["steps"][-1]


def step_of(report, name):
    return next(step for step in report["steps"] if step["name"] == name)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_turn(server, transport, host):
    report = probe_json(f"turn:{host}:{server.turn}?transport={transport}", *ALICE)
    assert report["ok"], report
    assert [step["name"] for step in report["steps"]] == ["resolve", *TURN_STEPS]
    assert all(step["milliseconds"] >= 0 and step["result"] == "ok" for step in report["steps"])
    assert all(step["server"] == f"{host}:{server.turn}" for step in report["steps"][1:])
    assert step_of(report, "allocate")["detail"].endswith("authenticated with SHA-256")
    assert "relayed address [::1]:" in step_of(report, "allocate ipv6")["detail"]


def test_both_families_of_a_name(server, tmp_path):
    """In a file system where /etc/hosts knows a name with two addresses."""
    (tmp_path / "hosts").write_text("127.0.0.1 both.example.org\n::1 both.example.org\n")
    become_root = [] if os.geteuid() == 0 else ["--map-root-user"]
    bind = ["sh", "-c", f'mount --bind {tmp_path}/hosts /etc/hosts && exec "$@"', "sh"]
    command = ["unshare", "--mount", *become_root, *bind]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("no mount namespace can be made here")
    uri = f"turn:both.example.org:{server.turn}"
    report = json.loads(run_causeway("probe", "--json", uri, *ALICE, command=command).stdout)
    assert report["ok"], report
    assert [step["name"] for step in report["steps"]] == ["resolve", *TURN_STEPS, *TURN_STEPS]
    assert {step["server"] for step in report["steps"][1:]} == {f"127.0.0.1:{server.turn}", f"[::1]:{server.turn}"}


def test_turn_over_tls_and_dtls_with_a_shared_secret(server):
    for query in ("", "?transport=udp"):
        done = probe(f"turns:localhost:{server.tls}{query}", "--secret", "north", "--ca", server.certificate)
        assert done.returncode == 0, done.stdout
        assert "It works." in done.stdout and "relayed address 127.0.0.1" in done.stdout
        report = probe_json(f"turns:127.0.0.3:{server.tls}{query}", "--secret", "north", "--insecure")
        assert report["ok"], report
        connected = step_of(report, "connect")["detail"]
        assert "TLSv1." in connected and "certificate for localhost, " in connected
        assert "issued by localhost" in connected
        assert re.search(r"\((29|30) days\)", connected) and "does not name 127.0.0.3" in connected
        assert "--insecure" in connected


@pytest.mark.parametrize("scheme", ["stun", "stuns"])
def test_stun(server, scheme):
    port = server.turn if scheme == "stun" else server.tls
    report = probe_json(f"{scheme}:127.0.0.1:{port}", "--insecure")
    assert report["ok"] and [step["name"] for step in report["steps"]] == ["resolve", "connect", "binding"]
    assert "mapped address" in report["steps"][-1]["detail"]


@pytest.mark.parametrize("uri", ["turn:127.0.0.1:{0.port}?transport=tcp", "turns:127.0.0.1:{0.tls}",
                                 "turns:127.0.0.1:{0.tls}?transport=udp"])  # fmt: skip
def test_coturn(coturn, uri):
    report = probe_json(uri.format(coturn), *ALICE, "--ca", coturn.certificate)
    assert report["ok"], report
    assert step_of(report, "allocate")["detail"].endswith("authenticated with MD5")
    assert report["steps"][-1]["name"] == "allocate ipv6" and report["steps"][-1]["result"] == "skipped"
    assert "no IPv6" in report["steps"][-1]["detail"]


def test_nat_behaviour_where_the_server_can_tell(coturn):
    report = probe_json(f"turn:127.0.0.1:{coturn.port}", *ALICE)
    assert report["ok"], report
    behaviour = step_of(report, "nat behaviour")
    assert behaviour["result"] == "ok"
    assert behaviour["detail"] == (
        "no NAT on the way to this server; endpoint-independent mapping, endpoint-independent filtering"
    )


def test_a_server_that_sends_its_clients_elsewhere(server, tmp_path):
    with Turnserver(tmp_path, f"--alternate-server=127.0.0.1:{server.turn}") as elsewhere:
        report = probe_json(f"turn:127.0.0.1:{elsewhere.port}?transport=tcp", *ALICE)
    assert report["ok"], report
    first, second = (step for step in report["steps"] if step["name"] == "allocate")
    assert first["server"] == f"127.0.0.1:{elsewhere.port}" and f"127.0.0.1:{server.turn} (error 300)" in first["detail"]
    assert second["server"] == f"127.0.0.1:{server.turn}" and "SHA-256" in second["detail"]


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


@pytest.mark.parametrize("uri", ["stun:127.0.0.1:{}", "turn:127.0.0.1:{}?transport=tcp", "turns:127.0.0.1:{}",
                                 "turns:127.0.0.1:{}?transport=udp"])  # fmt: skip
def test_a_closed_port(uri):
    step = failed_step(probe_json(uri.format(free_port())))
    assert "refused" in step["detail"] and "Nothing listens" in step["advice"]


def test_a_server_that_never_answers():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        step = failed_step(probe_json(f"stun:127.0.0.1:{silent.getsockname()[1]}", timeout_seconds=1))
    assert step["name"] == "binding" and "no answer to 2 packets" in step["detail"] and "firewall" in step["advice"]


def test_a_certificate_that_is_not_trusted_or_for_another_host(server):
    step = failed_step(probe_json(f"turns:127.0.0.1:{server.tls}", *ALICE))
    assert step["name"] == "connect" and "self-signed" in step["detail"] and "--ca" in step["advice"]
    assert re.search(r"certificate for localhost.*valid until .*\((29|30) days\)", step["detail"])
    step = failed_step(probe_json(f"turns:127.0.0.2:{server.tls}", *ALICE, "--ca", server.certificate))
    assert "mismatch" in step["detail"] and "127.0.0.2" in step["advice"]
    step = failed_step(probe_json(f"turns:127.0.0.2:{server.tls}?transport=udp", *ALICE, "--ca", server.certificate))
    assert "mismatch" in step["detail"], "over DTLS too"


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
