# SPDX-License-Identifier: Apache-2.0
"""Listeners behind HAProxy and nginx, configured as docs/operations.md says, and behind headers written by hand."""
import contextlib
import hashlib
import re
import shutil
import socket
import struct
import subprocess
from pathlib import Path

import pytest
from aioice import stun

import signaling_client
from support import (
    DEADLINE_SECONDS, ROOT, Daemon, Peer, Ports, free_port, http_get, relay_config, tls_context, uclient, wait_until,
)  # fmt: skip

CLIENT = "127.0.0.3"  # the proxies connect from 127.0.0.1
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
KINDS = ["tcp", "tls"]


class Proxied(Ports):
    def __init__(self):
        super().__init__()
        self.tcp_behind, self.tls_behind = free_port(), free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("proxied"), Proxied()
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]})
    for transport, port in (("tcp", ports.tcp_behind), ("tls", ports.tls_behind)):
        config["listeners"].append(
            {"transport": transport, "address": "::", "port": port, "proxy_protocol": ["127.0.0.1", "::1"]}
        )
    with Daemon(folder, config, http_port=ports.http) as daemon:
        ports.daemon, ports.certificate = daemon, config["tls"]["certificate"]
        yield ports


def documented(language):
    """The snippet of docs/operations.md for this program."""
    return re.search(rf"```{language}\n(.*?)```", (ROOT / "docs/operations.md").read_text(), re.DOTALL)[1]


def start_haproxy(folder, port, target):
    section = documented("haproxy").replace("203.0.113.80:443", f"127.0.0.1:{port}")
    file = folder / "haproxy.cfg"
    file.write_text(section.replace("10.0.0.5:8443", f"127.0.0.1:{target}"))
    return subprocess.Popen(["haproxy", "-db", "-q", "-f", file], cwd=folder)


def start_nginx(folder, port, target):
    stream = documented("nginx").replace("203.0.113.80:443", f"127.0.0.1:{port}")
    stream = stream.replace("10.0.0.5:8443", f"127.0.0.1:{target}")
    module = Path(shutil.which("nginx")).parents[1] / "lib/nginx/modules/ngx_stream_module.so"
    file = folder / "nginx.conf"
    file.write_text(
        f"load_module {module};\ndaemon off;\nmaster_process off;\npid nginx.pid;\nevents {{}}\n"
        f"error_log stderr;\n{stream}"
    )
    return subprocess.Popen(["nginx", "-p", folder, "-c", file, "-e", "stderr"], cwd=folder)


@pytest.fixture(scope="module", params=[start_haproxy, start_nginx], ids=["haproxy", "nginx"])
def proxy(request, server, tmp_path_factory):
    """The ports of a proxy in front of the tcp and the tls listener."""
    with contextlib.ExitStack() as stack:
        ports = {}
        for kind, target in (("tcp", server.tcp_behind), ("tls", server.tls_behind)):
            port = ports[kind] = free_port()
            process = stack.enter_context(request.param(tmp_path_factory.mktemp(kind), port, target))
            stack.callback(process.kill)

            def listens(port=port):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
                    return True
                return False

            wait_until(listens, process, lambda: "the proxy does not listen")
        yield ports


class Connection:
    """A STUN client over TCP or TLS that writes `header` first."""

    def __init__(self, port, kind="tcp", header=b"", source="127.0.0.1"):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS, (source, 0))
        self.local = self.socket.getsockname()
        self.socket.sendall(header)
        if kind == "tls":
            self.socket = tls_context(False).wrap_socket(self.socket)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def request(self, method, key=None, **attributes):
        request = stun.Message(stun.Method[method], stun.Class.REQUEST)
        request.attributes.update({name.replace("_", "-"): value for name, value in attributes.items()})
        if key:
            request.add_message_integrity(key)
        self.socket.sendall(bytes(request))
        return stun.parse_message(self.read())

    def read(self):
        octets = b""
        while len(octets) < 20 or len(octets) < 20 + struct.unpack_from("!H", octets, 2)[0]:
            part = self.socket.recv(2000)
            assert part, "the connection was closed"
            octets += part
        return octets

    def mapped(self):
        return self.request("BINDING").attributes["XOR-MAPPED-ADDRESS"]

    def succeeds(self, method, **attributes):
        """Whether alice may do this."""
        challenge = self.request(method, **attributes).attributes
        key = hashlib.md5(f"alice:{challenge['REALM']}:wonderland".encode()).digest()
        names = {"USERNAME": "alice", "REALM": challenge["REALM"], "NONCE": challenge["NONCE"]}
        return self.request(method, key, **attributes, **names).message_class == stun.Class.RESPONSE

    def allocates(self):
        return self.succeeds("ALLOCATE", REQUESTED_TRANSPORT=17 << 24)

    def is_closed(self):
        try:
            return self.socket.recv(100) == b""
        except ConnectionResetError:
            return True


def version_2(client, port=40000, command=0x21):
    family, kind = (0x21, socket.AF_INET6) if ":" in client else (0x11, socket.AF_INET)
    server = "2001:db8::80" if ":" in client else "203.0.113.80"
    addresses = socket.inet_pton(kind, client) + socket.inet_pton(kind, server) + struct.pack("!HH", port, 443)
    noop = b"\x04\x00\x02\x00\x00"
    return SIGNATURE + struct.pack("!BBH", command, family, len(addresses + noop)) + addresses + noop


@pytest.mark.parametrize("kind", KINDS)
def test_stun_sees_the_client_and_not_the_proxy(proxy, kind):
    with Connection(proxy[kind], kind, source=CLIENT) as client:
        assert client.mapped() == client.local


@pytest.mark.parametrize("kind", KINDS)
def test_turn_relays_for_a_foreign_client(server, proxy, kind):
    with Peer("127.0.0.1") as peer:
        flags = ["-S", "-E", server.certificate] if kind == "tls" else []
        exchange = uclient(
            "-t", *flags, "-X", "-u", "alice", "-w", "wonderland", "-L", CLIENT, "-p", proxy[kind], "-e", "127.0.0.1",
            "-r", peer.port, "127.0.0.1",
        )  # fmt: skip
    assert exchange.code == 0 and exchange.received > 0, exchange.output
    server.daemon.wait_for_line(rf"{CLIENT}:\d+[^\n]*over {kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_pages_and_websocket(server, proxy, kind):
    status, _, body = http_get(proxy[kind], "/", tls=server.certificate if kind == "tls" else None)
    assert status == 200 and b"<html" in body

    async def join():
        options = {"origin": f"https://127.0.0.1:{proxy[kind]}", "ssl": tls_context(server.certificate)}
        async with signaling_client.Client(proxy[kind], **(options if kind == "tls" else {})) as member:
            assert (await member.join("behind"))["type"] == "joined"

    signaling_client.run(join())


@pytest.mark.parametrize("kind", KINDS)
def test_headers_by_hand(server, kind):
    port = server.tls_behind if kind == "tls" else server.tcp_behind
    for header, mapped in [
        (b"PROXY TCP4 192.0.2.1 203.0.113.80 40000 443\r\n", ("192.0.2.1", 40000)),
        (b"PROXY TCP6 2001:db8::1 2001:db8::80 40000 443\r\n", ("2001:db8::1", 40000)),
        (version_2("192.0.2.1"), ("192.0.2.1", 40000)),
        (version_2("2001:db8::1"), ("2001:db8::1", 40000)),
    ]:
        with Connection(port, kind, header) as client:
            assert client.mapped() == mapped
    for header in (b"PROXY UNKNOWN\r\n", version_2("192.0.2.1", command=0x20)):
        with Connection(port, kind, header) as client:
            assert client.mapped() == client.local


def test_who_is_no_proxy_is_closed(server):
    with Connection(server.tcp_behind, header=version_2("192.0.2.1"), source=CLIENT) as client:
        assert client.is_closed()
    server.daemon.wait_for_line(rf"from {re.escape(CLIENT)} was closed[^\n]*proxy_protocol of the listener")


def test_a_proxy_without_a_header_is_closed(server):
    with Connection(server.tcp_behind) as client:
        with pytest.raises((AssertionError, ConnectionResetError)):
            client.mapped()
    server.daemon.wait_for_line(r"from the proxy 127.0.0.1:\d+ does not begin with a PROXY protocol header")


def test_a_header_where_none_is_expected_is_closed(server):
    with Connection(server.turn, header=version_2("192.0.2.1")) as client:
        assert client.is_closed()


def test_a_client_that_comes_again_by_the_same_way_replaces_its_lost_connection(server):
    """The proxy has lost a connection, and the client's NAT gives the next one the same port."""
    with Connection(server.tcp_behind, header=version_2("192.0.2.9")) as lost:
        assert lost.allocates()
        with Connection(server.tcp_behind, header=version_2("192.0.2.9")) as again:
            assert again.allocates()
            assert lost.is_closed()
            assert again.succeeds("REFRESH", LIFETIME=600), "the end of the lost one took the allocation with it"
