# SPDX-License-Identifier: Apache-2.0
"""Realms by address and by TLS server name, quotas and bandwidth, reload by SIGHUP, draining by SIGUSR1."""
import hashlib
import hmac
import json
import os
import signal
import socket
import ssl
import struct
import subprocess

import pytest

from support import (
    DEADLINE_SECONDS, Daemon, Peer, Ports, http_get, make_certificate, relay_config, tls_context, uclient, wait_until,
    write_config,
)  # fmt: skip

ALLOCATE, REFRESH, PERMISSION, SEND = 0x0003, 0x0004, 0x0008, 0x0016
USERNAME, LIFETIME, ERROR_CODE, DATA, REALM, NONCE = 0x0006, 0x000D, 0x0009, 0x0013, 0x0014, 0x0015
XOR_PEER, ALTERNATE_SERVER = 0x0012, 0x8023
UDP = (0x0019, b"\x11\0\0\0")
COOKIE = 0x2112A442


class Client:
    """A client of RFC 5389 on a connected socket: udp, tcp, or tls with the name it asks for."""

    def __init__(self, port, user="alice", password="wonderland", *, host="127.0.0.1", name=None):
        self.user, self.password = user.encode(), password.encode()
        kind = socket.SOCK_STREAM if name is not None else socket.SOCK_DGRAM
        self.socket = socket.socket(socket.AF_INET, kind)
        self.socket.settimeout(DEADLINE_SECONDS)
        self.socket.connect((host, port))
        if name is not None:
            self.socket = tls_context(False).wrap_socket(self.socket, server_hostname=name or None)
        self.realm = self.nonce = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _send(self, method, attributes, key=None):
        body = b"".join(
            struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4) for kind, value in attributes
        )
        head = struct.pack("!HHI", method, len(body) + (24 if key else 0), COOKIE) + os.urandom(12)
        if key:
            body += struct.pack("!HH", 0x0008, 20) + hmac.digest(key, head + body, "sha1")
        self.socket.sendall(head + body)

    def _answer(self):
        packet = self.socket.recv(2000)
        found, at = {}, 20
        while at < len(packet):
            attribute, size = struct.unpack_from("!HH", packet, at)
            found.setdefault(attribute, packet[at + 4 : at + 4 + size])
            at += 4 + (size + 3) // 4 * 4
        error = found.get(ERROR_CODE)
        return (error[2] * 100 + error[3] if error else 0), found

    def request(self, method, *attributes):
        """(error or 0, attributes of the answer); fetches a nonce first."""
        if not self.nonce:
            self._send(ALLOCATE, [UDP])
            code, challenge = self._answer()
            assert code == 401, (code, challenge)
            self.realm, self.nonce = challenge[REALM], challenge[NONCE]
        key = hashlib.md5(b":".join([self.user, self.realm, self.password])).digest()
        self._send(method, [*attributes, (USERNAME, self.user), (REALM, self.realm), (NONCE, self.nonce)], key)
        return self._answer()

    def allocate(self):
        return self.request(ALLOCATE, UDP)[0]

    def refresh(self):
        return self.request(REFRESH)[0]

    def permit(self, host, port):
        return self.request(PERMISSION, (XOR_PEER, xor_address(host, port)))[0]

    def send(self, host, port, data):
        self._send(SEND, [(XOR_PEER, xor_address(host, port)), (DATA, data)])


def xor_address(host, port):
    address = struct.unpack("!I", socket.inet_aton(host))[0]
    return struct.pack("!BBHI", 0, 1, port ^ (COOKIE >> 16), address ^ COOKIE)


def several_realms(folder, ports):
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]})
    config["realms"] = [
        {"realm": "by.address", "addresses": ["127.0.0.2"], "users": {"alice": "of address"}},
        {"realm": "by.name", "server_names": ["turn.example.net"], "users": {"alice": "of name"},
         "shared_secrets": ["south"], "limits": {"allocations_per_user": 1}},
    ]  # fmt: skip
    return config


def reload(daemon, folder, config):
    write_config(folder, config)
    seen = len(daemon.lines)
    daemon.process.send_signal(signal.SIGHUP)

    def done():
        return any("eloaded" in line for line in daemon.lines[seen:])

    wait_until(done, daemon.process, lambda: daemon.log)
    return "".join(daemon.lines[seen:])


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("realms"), Ports()
    with Daemon(folder, several_realms(folder, ports), http_port=ports.http) as daemon:
        yield daemon, ports


@pytest.mark.parametrize(("host", "name", "realm", "password"), [
    ("127.0.0.1", None, b"example.org", "wonderland"),
    ("127.0.0.2", None, b"by.address", "of address"),
    ("127.0.0.1", "turn.example.net", b"by.name", "of name"),
    ("127.0.0.2", "TURN.example.net", b"by.name", "of name"),
    ("127.0.0.2", "other.example.net", b"by.address", "of address"),
    ("127.0.0.1", "", b"example.org", "wonderland"),
])  # fmt: skip
def test_the_realm_of_the_name_then_of_the_address(server, host, name, realm, password):
    _, ports = server
    port = ports.turn if name is None else ports.tls
    with Client(port, password=password, host=host, name=name) as client:
        assert client.allocate() == 0
        assert client.realm == realm
    with Client(port, password="of another realm", host=host, name=name) as client:
        assert client.allocate() == 401


def test_a_resumed_session_keeps_its_name(server, tmp_path):
    """TLS 1.2 tells the name in the full handshake only; the session remembers it."""
    _, ports = server
    session = tmp_path / "session"
    for how in (["-sess_out", session], ["-sess_in", session]):
        request = struct.pack("!HHI", ALLOCATE, 8, COOKIE) + bytes(12) + struct.pack("!HH", *(0x0019, 4)) + UDP[1]
        with subprocess.Popen(
            ["openssl", "s_client", "-tls1_2", "-quiet", "-no_ign_eof", "-servername", "turn.example.net",
             "-connect", f"127.0.0.1:{ports.tls}", *map(str, how)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            process.stdin.write(request)
            process.stdin.flush()
            size = struct.unpack("!H", process.stdout.read(20)[2:4])[0]
            assert b"by.name" in process.stdout.read(size)
            process.stdin.close()
            process.wait(DEADLINE_SECONDS)


def test_dtls_asks_for_a_name_too(server):
    _, ports = server
    request = struct.pack("!HHI", ALLOCATE, 8, COOKIE) + bytes(12) + struct.pack("!HH", 0x0019, 4) + UDP[1]
    with subprocess.Popen(
        ["openssl", "s_client", "-dtls1_2", "-quiet", "-no_ign_eof", "-servername", "turn.example.net",
         "-connect", f"127.0.0.1:{ports.tls}"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        process.stdin.write(request)
        process.stdin.flush()
        size = struct.unpack("!H", process.stdout.read(20)[2:4])[0]
        assert b"by.name" in process.stdout.read(size)
        process.stdin.close()
        process.wait(DEADLINE_SECONDS)


def test_coturns_client_in_a_realm_by_address(server):
    _, ports = server
    with Peer("127.0.0.1") as peer:
        exchange = uclient(
            "-X", "-u", "alice", "-w", "of address", "-p", ports.turn, "-e", "127.0.0.1", "-r", peer.port, "127.0.0.2"
        )
    assert exchange.complete, exchange.output


def test_a_realms_own_quota(server):
    _, ports = server
    with Client(ports.tls, password="of name", name="turn.example.net") as first:
        assert first.allocate() == 0
        with Client(ports.tls, password="of name", name="turn.example.net") as second:
            assert second.allocate() == 486


def test_quotas_of_address_and_server(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports, limits={"allocations_per_address": 2, "allocations_total": 3})
    with Daemon(tmp_path, config, http_port=ports.http):
        clients = [Client(ports.turn) for _ in range(3)]
        assert [client.allocate() for client in clients] == [0, 0, 486]
        for client in clients:
            client.socket.close()


def test_bandwidth_is_cut(tmp_path):
    """Ten times the limit at once: a second's worth comes through, and the rest does not."""
    ports = Ports()
    config = relay_config(
        tmp_path, ports, peers={"allow": ["127.0.0.0/8"]}, limits={"allocation_bytes_per_second": 10000}
    )
    with Daemon(tmp_path, config, http_port=ports.http), Client(ports.turn) as client:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
            peer.bind(("127.0.0.1", 0))
            peer.settimeout(DEADLINE_SECONDS)
            host, port = peer.getsockname()
            assert client.allocate() == 0 and client.permit(host, port) == 0
            for _ in range(100):
                client.send(host, port, b"x" * 1000)
            assert client.refresh() == 0  # an answer: all of them have been handled
            peer.setblocking(False)
            came = 0
            try:
                while peer.recv(2000):
                    came += 1
            except BlockingIOError:
                pass
            assert 10 <= came < 50, came


def test_a_reload_ends_who_was_removed_and_leaves_the_others(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    config["turn"]["users"]["bob"] = "builder"
    with Daemon(tmp_path, config, http_port=ports.http) as daemon:
        with Client(ports.turn) as alice, Client(ports.turn, "bob", "builder") as bob:
            assert alice.allocate() == 0 and bob.allocate() == 0
            del config["turn"]["users"]["alice"]
            config["turn"]["users"]["carol"] = "singer"
            config["turn"]["peers"] = {"allow": ["127.0.0.0/8"]}
            assert bob.permit("127.0.0.1", 9) == 0  # while a relay is open there
            said = reload(daemon, tmp_path, config)
            assert "reloaded the configuration" in said, said
            daemon.wait_for_line(r'credential revoked.*"alice"')
            assert alice.refresh() == 401
            assert bob.refresh() == 0
            with Client(ports.turn, "carol", "singer") as carol:
                assert carol.allocate() == 0


def test_a_bad_file_changes_nothing(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    with Daemon(tmp_path, config, http_port=ports.http) as daemon, Client(ports.turn) as alice:
        assert alice.allocate() == 0
        bad = {**config, "turn": {**config["turn"], "users": {}, "limitz": {}}}
        said = reload(daemon, tmp_path, bad)
        assert "turn.limitz is not a key" in said and "not reloaded" in said, said
        missing = {**config, "turn": {**config["turn"], "users": {}},
                   "tls": {"certificate": "/nowhere.pem", "private_key": "/nowhere.key"}}  # fmt: skip
        said = reload(daemon, tmp_path, missing)
        assert "/nowhere.pem" in said and "not reloaded" in said, said
        assert alice.refresh() == 0


def test_what_needs_a_restart_is_named(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    with Daemon(tmp_path, config, http_port=ports.http) as daemon:
        config["realm"] = "elsewhere.example"
        config["turn"]["relay"]["port_min"] = 50000
        said = reload(daemon, tmp_path, config)
        for key in ("realm", "turn.relay"):
            daemon.wait_for_line(rf"app: {key} has changed: that needs a restart")
        assert "listeners has changed" not in said
        with Client(ports.turn) as alice:
            assert alice.allocate() == 0 and alice.realm == b"example.org"


def test_a_renewed_certificate_is_used_at_once(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    with Daemon(tmp_path, config, http_port=ports.http) as daemon:
        before = ssl.get_server_certificate(("127.0.0.1", ports.tls))
        with Client(ports.tls, name="") as old:
            assert old.allocate() == 0
            certificate, _ = make_certificate(tmp_path)  # in place, as certbot's hook does
            reload(daemon, tmp_path, config)
            renewed = ssl.get_server_certificate(("127.0.0.1", ports.tls))
            assert renewed != before and renewed.strip() == certificate.read_text().strip()
            dtls = subprocess.run(
                ["openssl", "s_client", "-dtls1_2", "-connect", f"127.0.0.1:{ports.tls}", "-CAfile", certificate,
                 "-verify_return_error"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=DEADLINE_SECONDS,
                check=False,
            ).stdout  # fmt: skip
            assert "Verify return code: 0 (ok)" in dtls, dtls
            assert old.refresh() == 0  # its session goes on


def test_a_reload_changes_the_level_of_the_log(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    with Daemon(tmp_path, config, http_port=ports.http) as daemon:
        config["log"] = {"level": "debug"}
        reload(daemon, tmp_path, config)
        with Client(ports.turn) as alice:
            assert alice.allocate() == 0
            daemon.wait_for_line(r"debug turn: allocation .*\"alice\"")


@pytest.mark.parametrize("alternate", [None, "203.0.113.8:3478"])
def test_draining_refuses_new_allocations_and_ends_with_the_last(tmp_path, alternate):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    with Daemon(tmp_path, config, http_port=ports.http) as daemon:
        if alternate:  # may be set just before
            config["turn"]["alternate"] = {"addresses": [alternate]}
            reload(daemon, tmp_path, config)
        with Client(ports.turn) as old, Client(ports.turn) as late:
            assert old.allocate() == 0
            daemon.process.send_signal(signal.SIGUSR1)
            daemon.wait_for_line("draining: .* 1 live on")
            assert http_get(ports.http, "/readyz")[0] == 503
            code, answer = late.request(ALLOCATE, UDP)
            if alternate:
                assert code == 300 and answer[ALTERNATE_SERVER] == b"\0\x01" + struct.pack("!H", 3478) + bytes(
                    [203, 0, 113, 8]
                )
            else:
                assert code == 508
            assert old.refresh() == 0
            assert old.request(REFRESH, (LIFETIME, bytes(4)))[0] == 0
            daemon.process.wait(DEADLINE_SECONDS)
        daemon.wait_for_line("drained: no allocation is left, stopping")


def test_draining_without_an_allocation_ends_at_once(tmp_path):
    ports = Ports()
    with Daemon(tmp_path, relay_config(tmp_path, ports), http_port=ports.http) as daemon:
        daemon.process.send_signal(signal.SIGUSR1)
        assert daemon.process.wait(DEADLINE_SECONDS) == 0


def test_an_openssl_client_reaches_the_realm_of_its_name(server):
    _, ports = server
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{ports.tls}", "-servername", "turn.example.net"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=DEADLINE_SECONDS,
        check=False,
    ).stdout  # fmt: skip
    assert "Cipher is" in done and "(NONE)" not in done, done


def test_names_in_any_composition(tmp_path):
    """The file has letters and their rings apart, the client, which has prepared them, has them composed."""
    ports = Ports()
    config = relay_config(tmp_path, ports)
    config["turn"]["users"] = {"a\u030asa": "pa\u030a\u00a0ss"}
    config["realm"] = "example.a\u030a"
    with Daemon(tmp_path, json.dumps(config), http_port=ports.http):
        with Client(ports.turn, "\u00e5sa", "p\u00e5 ss") as client:
            assert client.allocate() == 0
            assert client.realm == "example.\u00e5".encode()
