# SPDX-License-Identifier: Apache-2.0
"""TURN over DTLS with OpenSSL's and coturn's clients, and one port for both DTLS and plain UDP.

test_turnutils.py relays over DTLS in all ways and families.
"""
import hashlib
import hmac
import os
import re
import socket
import struct
import subprocess
from contextlib import ExitStack

import pytest

from dtls_client import HalfOpen
from support import (
    DEADLINE_SECONDS, WORKERS, Daemon, Peer, Ports, relay_config, run_causeway, stun_binding, uclient, write_config,
)  # fmt: skip

USER = ["-u", "alice", "-w", "wonderland"]
BINDING, ALLOCATE = 0x0001, 0x0003


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """DTLS alone on `tls`, and beside UDP on `turn`."""
    folder, ports = tmp_path_factory.mktemp("dtls"), Ports()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8", "::1/128"]})
    config["listeners"].append({"transport": "dtls", "address": "::", "port": ports.turn})
    with Daemon(folder, config, http_port=ports.http) as daemon:
        yield daemon, ports, config


def s_client(port, *arguments, host="127.0.0.1", version="-dtls1_2"):
    """What `openssl s_client` said of a handshake, after which it says goodbye."""
    host = f"[{host}]" if ":" in host else host
    return subprocess.run(
        ["openssl", "s_client", version, "-connect", f"{host}:{port}", *map(str, arguments)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        timeout=DEADLINE_SECONDS, check=False,
    ).stdout  # fmt: skip


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("shared", [False, True], ids=["alone", "beside udp"])
def test_handshake_with_the_certificate_of_tls(server, host, shared):
    _, ports, config = server
    said = s_client(
        ports.turn if shared else ports.tls, "-CAfile", config["tls"]["certificate"], "-verify_return_error", host=host
    )
    assert "Verify return code: 0 (ok)" in said, said
    assert re.search(r"Cipher is ECDHE-\w+-AES\d+-GCM", said), said
    assert "Secure Renegotiation IS supported" in said, said


@pytest.mark.parametrize(("offered", "chosen"), [
    ("stun.turn", "ALPN protocol: stun.turn"),
    ("stun.nat-discovery", "ALPN protocol: stun.nat-discovery"),
    ("h2,stun.turn", "ALPN protocol: stun.turn"),
    ("h2", "No ALPN negotiated"),
    ("http/1.1", "No ALPN negotiated"),
])  # fmt: skip
def test_alpn(server, offered, chosen):
    said = s_client(server[1].tls, "-alpn", offered)
    assert chosen in said and "Cipher is ECDHE" in said, said


def test_nothing_older_than_1_2(server):
    said = s_client(server[1].tls, "-cipher", "ALL:@SECLEVEL=0", version="-dtls1")
    assert "Cipher is (NONE)" in said, said


@pytest.mark.parametrize("flags", [["-S"], [], ["-S", "-s"], ["-s"]],
                         ids=["dtls channel", "udp channel", "dtls send", "udp send"])
def test_dtls_and_udp_share_a_port(server, flags):
    ports = server[1]
    with Peer("127.0.0.1") as peer:
        exchange = uclient("-X", *flags, *USER, "-p", ports.turn, "-e", "127.0.0.1", "-r", peer.port, "127.0.0.1")
    assert exchange.complete, exchange.output


def test_clients_of_dtls_and_others_reach_each_other_inside_the_server(server):
    exchange = uclient("-y", "-X", "-S", *USER, "-p", server[1].tls, "127.0.0.1")
    assert exchange.complete, exchange.output


class RawClient:
    """`openssl s_client` as a pipe: what is written is one record, what is read is what came in records."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            ["openssl", "s_client", "-dtls1_2", "-quiet", "-no_ign_eof", "-connect", f"127.0.0.1:{port}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def request(self, method, *attributes, key=None, cookie=0x2112A442):
        """The answer's type and its attributes; with MESSAGE-INTEGRITY where there is a key."""
        body = b"".join(
            struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4) for kind, value in attributes
        )
        head = struct.pack("!HHI", method, len(body) + (24 if key else 0), cookie) + os.urandom(12)
        if key:
            body += struct.pack("!HH", 0x0008, 20) + hmac.digest(key, head + body, "sha1")
        self.process.stdin.write(head + body)
        self.process.stdin.flush()
        kind, size = struct.unpack("!HH", self.process.stdout.read(20)[:4])
        answer, found = self.process.stdout.read(size), {}
        while answer:
            attribute, size = struct.unpack_from("!HH", answer)
            found[attribute] = answer[4 : 4 + size]
            answer = answer[4 + (size + 3) // 4 * 4 :]
        return kind, found

    def close(self):
        self.process.stdin.close()  # s_client says close_notify then
        self.process.wait(DEADLINE_SECONDS)


def test_the_allocation_ends_with_its_session(server):
    daemon, ports, _ = server
    client = RawClient(ports.tls)
    assert client.request(BINDING)[0] == 0x0101
    udp = (0x0019, b"\x11\0\0\0")
    kind, challenge = client.request(ALLOCATE, udp)
    assert kind == 0x0113 and challenge[0x0009][2:4] == b"\x04\x01", challenge
    realm, nonce = challenge[0x0014], challenge[0x0015]
    key = hashlib.md5(b"alice:" + realm + b":wonderland").digest()
    kind, given = client.request(ALLOCATE, udp, (0x0006, b"alice"), (0x0014, realm), (0x0015, nonce), key=key)
    assert kind == 0x0103, given
    port = struct.unpack("!H", given[0x0020][2:4])[0] ^ 0x2112  # by which the log knows this client
    client.close()
    daemon.wait_for_line(rf"connection closed.* 127\.0\.0\.1:{port} over dtls")


def test_classic_stun_is_an_error(server):
    client = RawClient(server[1].tls)
    kind, given = client.request(BINDING, cookie=0x01020304)
    client.close()
    assert kind == 0x0111 and given[0x0009][:4] == b"\0\0\5\0", given


def test_a_listener_for_dtls_alone_answers_plain_binding(server):
    """Browsers send it to a stuns: URI."""
    assert stun_binding(server[1].tls, "udp")[0] == "127.0.0.1"


def test_a_listener_for_dtls_alone_serves_no_plain_turn(server):
    _, ports, _ = server

    def request(method):
        transaction = os.urandom(12)
        return transaction, struct.pack("!HHI", method, 0, 0x2112A442) + transaction

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.settimeout(DEADLINE_SECONDS)
        plain.connect(("127.0.0.1", ports.tls))
        for ignored in (request(ALLOCATE)[1], b"\x40\x00\x00\x04abcd", b"\x00", b"\xff" * 30):
            plain.send(ignored)
        transaction, binding = request(BINDING)
        plain.send(binding)
        answer = plain.recv(1500)  # the first one that comes
    assert answer[:2] == b"\x01\x01" and answer[8:20] == transaction, answer.hex()


def test_the_start_names_both_listeners(server):
    daemon, ports, _ = server
    daemon.wait_for_line(rf"\[::\]:{ports.turn} udp, .*\[::\]:{ports.tls} dtls, .*\[::\]:{ports.turn} dtls")


def test_check_config_opens_a_shared_port_once(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    for address in ("127.0.0.1", "::"):
        config["listeners"] = [
            {"transport": transport, "address": address, "port": ports.turn} for transport in ("dtls", "udp", "tcp")
        ]
        done = run_causeway("check-config", write_config(tmp_path, config))
        assert done.returncode == 0, done.stderr


def test_a_port_that_is_taken_is_named_with_its_transport(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)
    config["listeners"] = [{"transport": "dtls", "address": "127.0.0.1", "port": ports.turn}]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", ports.turn))
        for command in (["check-config"], ["serve", "--config"]):
            done = run_causeway(*command, write_config(tmp_path, config))
            assert done.returncode != 0 and f"dtls 127.0.0.1:{ports.turn}" in done.stderr, done.stderr


def test_half_open_handshakes_keep_nobody_out(server):
    """200 of one address, which are no crime, and eight addresses that want all places: others come in between."""
    daemon, ports, _ = server
    with ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(HalfOpen("127.0.0.9", ports.tls))
        assert "Cipher is ECDHE" in s_client(ports.tls)
        for number in range(8 * 40 * max(WORKERS, 1)):  # each worker has 256 places
            stack.enter_context(HalfOpen(f"127.0.0.{20 + number % 8}", ports.tls))
        assert "Cipher is ECDHE" in s_client(ports.tls)
    daemon.wait_for_line(r"too many unfinished handshakes: ended the oldest of 127\.0\.0\.")
