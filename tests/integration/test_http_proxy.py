# SPDX-License-Identifier: Apache-2.0
"""Behind nginx as an HTTP proxy under a path, configured as docs/operations.md says, and behind headers by hand."""
import contextlib
import http.client
import re
import socket
import subprocess

import pytest

from signaling_client import Client, run
from support import (
    DEADLINE_SECONDS, ROOT, Daemon, Ports, free_port, http_get, make_certificate, relay_config, tls_context, wait_until,
)  # fmt: skip

CLIENT = "127.0.0.3"  # nginx connects from 127.0.0.1


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("behind_http"), Ports()
    config = relay_config(folder, ports) | {
        "web": {"trusted_proxies": ["127.0.0.1"]}, "signaling": {"sessions_per_address": 2},
    }  # fmt: skip
    with Daemon(folder, config, http_port=ports.http) as daemon:
        ports.daemon = daemon
        yield ports


@pytest.fixture(scope="module")
def nginx(server, tmp_path_factory):
    """The port of the documented nginx, and the certificate to trust."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    certificate, key = make_certificate(folder)
    text = re.search(r"```nginx\n(# nginx.conf: https.*?)```", (ROOT / "docs/operations.md").read_text(), re.DOTALL)[1]
    for documented, here in [
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("http://127.0.0.1:8080/", f"http://127.0.0.1:{server.http}/"),
        ("/etc/ssl/www.pem", str(certificate)),
        ("/etc/ssl/www.key", str(key)),
    ]:
        assert documented in text
        text = text.replace(documented, here)
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}\n{text}\n}}\n"
    )
    with subprocess.Popen(["nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"], cwd=folder) as process:

        def listens():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                return True
            return False

        try:
            wait_until(listens, process, lambda: "nginx does not listen")
            yield port, certificate
        finally:
            process.kill()


def test_page_files_and_health_under_the_path(nginx):
    port, certificate = nginx
    for path, expected in [
        ("/call/", (ROOT / "web/index.html").read_bytes()),
        ("/call/js/signaling.js", (ROOT / "web/js/signaling.js").read_bytes()),
        ("/call/healthz", b"ok\n"),
        ("/call/readyz", b"ready\n"),
    ]:
        status, _, body = http_get(port, path, tls=certificate)
        assert (status, body) == (200, expected), path


def test_the_websocket_under_the_path(server, nginx):
    port, certificate = nginx

    async def talk():
        options = {"ssl": tls_context(certificate), "origin": f"https://127.0.0.1:{port}", "local_addr": (CLIENT, 0)}
        async with Client(port, "/call/ws", **options) as ada, Client(port, "/call/ws?room=tea", **options) as bob:
            await ada.join("tea")
            await bob.send(type="offer", sdp="v=0")
            assert (await ada.until("offer"))["sdp"] == "v=0"

    run(talk())
    server.daemon.wait_for_line(rf"session \d+ from {re.escape(CLIENT)} through 127\.0\.0\.1:\d+ ended")


def test_the_limit_of_an_address_is_the_clients(server):
    """Three clients by one proxy: two of one address, and one of another."""

    def by_proxy(address):
        return Client(server.http, "/ws", extra_headers={"X-Forwarded-For": f"198.51.100.1, {address}"})

    async def connect():
        async with by_proxy("2001:db8::1") as one, by_proxy("2001:db8::2") as two, by_proxy("2001:db8::3") as three:
            for member in (one, two):
                await member.join("limit")
            await three.next("welcome")
            assert (await three.next("error"))["code"] == "too-many-connections"
            assert await three.closed() == 4008
            async with by_proxy("2001:db8:0:1::1") as other:
                await other.join("limit")

    run(connect())


def test_who_is_no_proxy_is_not_believed(server):
    async def connect():
        headers = {"X-Forwarded-For": "198.51.100.66"}
        async with Client(server.http, "/ws", extra_headers=headers, local_addr=("127.0.0.9", 0)) as member:
            await member.join("liar")

    run(connect())
    server.daemon.wait_for_line(r"a request of 127\.0\.0\.9 says that it was forwarded[^\n]*web\.trusted_proxies")
    server.daemon.wait_for_line(r"session \d+ from 127\.0\.0\.9:\d+ ended")
    assert "198.51.100.66" not in server.daemon.log


def test_the_standard_header_where_it_is_configured(tmp_path):
    ports = Ports()
    web = {"trusted_proxies": ["127.0.0.1"], "forwarded_header": "Forwarded"}
    with Daemon(tmp_path, relay_config(tmp_path, ports) | {"web": web}, http_port=ports.http) as daemon:

        async def connect(**headers):
            async with Client(ports.http, "/ws", extra_headers=headers) as member:
                return await member.join("standard")

        run(connect(Forwarded='for="[2001:db8::7]:4711";proto=https', **{"X-Forwarded-For": "198.51.100.66"}))
        daemon.wait_for_line(r"session \d+ from 2001:db8::7 through 127\.0\.0\.1:\d+ ended")
        run(connect(Forwarded="for=2001:db8::8"))
        daemon.wait_for_line(r"the proxy 127\.0\.0\.1 forwards[^\n]*Forwarded[^\n]*\(0 more such requests")
        daemon.wait_for_line(r"session \d+ from 127\.0\.0\.1:\d+ ended")


# --- HTTP/1.1 as proxies and browsers use it (RFC 9112 §9.3) ---


def test_a_connection_is_kept_for_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=DEADLINE_SECONDS)
    connection.connect()
    own = connection.sock.getsockname()
    for path, status in [("/healthz", 200), ("/nothing", 404), ("/", 200), ("/ws", 426), ("/readyz", 200)] * 20:
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        assert response.status == status and connection.sock.getsockname() == own, path
    connection.close()


def test_requests_may_come_one_behind_the_other_and_the_upgrade_last(server):
    upgrade = (
        "GET /ws?room=pipe HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", server.http), timeout=DEADLINE_SECONDS) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 200 + upgrade.encode())
        octets = b""
        while b"101 Switching Protocols" not in octets or not octets.endswith(b"\r\n\r\n"):
            part = client.recv(65536)
            assert part, octets
            octets += part
    answers = re.findall(rb"HTTP/1\.1 (\d+)", octets)
    assert answers == [b"200"] * 200 + [b"101"] and octets.count(b"\r\n\r\nok\n") == 200


def test_the_end_of_keeping_a_connection(server):
    for request in ("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.http), timeout=DEADLINE_SECONDS) as client:
            client.sendall(request.encode() + b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
            octets = b""
            with contextlib.suppress(ConnectionResetError):
                while part := client.recv(65536):
                    octets += part
        assert octets.count(b"HTTP/1.1") == 1 and octets.endswith(b"ok\n")
