# SPDX-License-Identifier: Apache-2.0
"""The pages and the ports they share with TURN, asked by Python's http.client, sockets and ssl."""
import gzip
import http.client
import re
import socket
import ssl

import pytest

from support import (
    BINARY, DEADLINE_SECONDS, ROOT, Daemon, Ports, http_get, relay_config, run_causeway, tls_context, wait_until, write_config,
)  # fmt: skip

BINDING = bytes.fromhex("000100002112a442") + b"transactions"[:12]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("http"), Ports()
    with Daemon(folder, relay_config(folder, ports), http_port=ports.http):
        ports.certificate = folder / "server.pem"
        yield ports


def connect(port, host="127.0.0.1"):
    return socket.create_connection((host, port), timeout=DEADLINE_SECONDS)


def read_out(stream):
    parts = []
    while part := stream.recv(65536):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("path, file", [("/", "index.html"), ("/r/blue%20room", "index.html"), ("/test", "test.html")])
def test_a_page_is_the_same_with_and_without_tls(server, path, file):
    expected = (ROOT / "web" / file).read_bytes()
    for port, tls in ((server.http, None), (server.tls, server.certificate)):
        status, headers, body = http_get(port, path, tls=tls)
        assert (status, body) == (200, expected)
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_every_file_that_the_pages_name_is_there(server):
    seen, ahead = set(), {"/", "/test"}
    while ahead:
        path = ahead.pop()
        seen.add(path)
        status, headers, body = http_get(server.http, path)
        assert status == 200, path
        if not headers["Content-Type"].startswith("text/"):
            continue
        text, folder = body.decode(), path.rpartition("/")[0]
        named = re.findall(r'(?:href|src)="(/[a-z0-9_./-]+)"', text)
        named += [folder + file[1:] for file in re.findall(r"^import .* from '(\./[^']+)'", text, re.MULTILINE)]
        ahead |= set(named) - seen
    assert len(seen) > 5, seen


def test_one_connection_carries_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=DEADLINE_SECONDS)
    local = None
    for path, status in (("/", 200), ("/nothing", 404), ("/healthz", 200), ("/readyz", 200), ("/js/signaling.js", 200)):
        connection.request("GET", path)
        response = connection.getresponse()
        assert response.status == status
        response.read()
        local = local or connection.sock.getsockname()
        assert connection.sock.getsockname() == local
    connection.close()


def test_caching_compression_and_ranges(server):
    plain = (ROOT / "web/js/signaling.js").read_bytes()
    connection = http.client.HTTPSConnection(
        "127.0.0.1", server.tls, timeout=DEADLINE_SECONDS, context=tls_context(server.certificate)
    )

    def get(method="GET", **headers):
        connection.request(method, "/js/signaling.js", headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read()

    status, headers, body = get(Accept_Encoding="gzip")
    assert status == 200 and gzip.decompress(body) == plain and headers["Content-Encoding"] == "gzip"
    assert get(Accept_Encoding="gzip", If_None_Match=headers["ETag"])[0::2] == (304, b"")
    assert get("HEAD", Accept_Encoding="gzip")[1]["Content-Length"] == str(len(body))
    status, headers, body = get(Range="bytes=10-19")
    assert (status, body) == (206, plain[10:20])
    assert headers["Content-Range"] == f"bytes 10-19/{len(plain)}"
    assert get(Range=f"bytes={len(plain)}-")[0] == 416
    connection.close()


@pytest.mark.parametrize("path", ["/../causeway.json", "/js/../../causeway.json", "/%2e%2e/causeway.json", "//etc/passwd",
                                  "/js/", "/.git/config", "/r/", "/admin", "/api/v1/"])  # fmt: skip
def test_nothing_outside_of_the_pages(server, path):
    with connect(server.http) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert read_out(client).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("request_text, status", [
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 405),
    ("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\"b\r\nConnection: close\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400),
    ("GET /" + "x" * 9000 + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n", 413),
    ("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    ("NONSENSE\r\n\r\n", 400),
    ("GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc", 400),
])  # fmt: skip
def test_bad_requests_get_a_sentence(server, request_text, status):
    with connect(server.http) as client:
        client.sendall(request_text.encode())
        head, _, body = read_out(client).partition(b"\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} ".encode()), head
        assert b"text/plain" in head and body.endswith(b".\n")


def test_plain_http_on_a_tls_port_is_told_so(server):
    with connect(server.tls) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = read_out(client)
    assert answer.startswith(b"HTTP/1.1 400 ") and b"https://" in answer


def test_one_tls_port_speaks_stun_http_and_both_of_them_encrypted(server):
    with connect(server.tls) as plain:
        plain.sendall(BINDING)
        assert plain.recv(64)[:2] == b"\x01\x01"
    for protocol in ("stun.turn", "stun.nat-discovery", "http/1.1", "unheard-of"):
        context = tls_context(server.certificate)
        context.set_alpn_protocols([protocol])
        with context.wrap_socket(connect(server.tls), server_hostname="localhost") as client:
            assert client.selected_alpn_protocol() == (None if protocol == "unheard-of" else protocol)
            client.sendall(BINDING)
            assert client.recv(64)[:2] == b"\x01\x01"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_versions(server, version):
    context = tls_context(server.certificate)
    context.minimum_version = context.maximum_version = version
    with context.wrap_socket(connect(server.tls), server_hostname="localhost") as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert read_out(client).endswith(b"ok\n")


@pytest.mark.parametrize("first", [b"\x40\x00\x00\x04", b"\x80", b"\xff" * 50, b"1", b"\x16\x03\x01junk", b"\x16" * 500])
def test_whatever_else_comes_first_is_closed(server, first):
    for port in (server.http, server.tls):
        with connect(port) as client:
            client.sendall(first)
            client.shutdown(socket.SHUT_WR)
            try:
                assert not read_out(client).startswith(b"HTTP")
            except ConnectionResetError:
                pass
    assert http_get(server.http, "/healthz")[0] == 200


def own_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return probe.getsockname()[0]
        except OSError:
            return None


def test_pages_from_another_machine_go_to_https(tmp_path):
    address, ports = own_address(), Ports()
    if not address or address.startswith("127."):
        pytest.skip("this machine has only loopback")
    config = relay_config(tmp_path, ports)
    config["listeners"][-1]["address"] = "::"
    with Daemon(tmp_path, config, http_port=ports.http):
        status, headers, _ = http_get(ports.http, "/r/x?y=1", host=address)
        assert (status, headers["Location"]) == (308, f"https://{address}:{ports.tls}/r/x?y=1")
        assert http_get(ports.http, "/healthz", host=address)[0] == 200
        assert http_get(ports.http, "/", host="127.0.0.1")[0] == 200
        assert http_get(ports.tls, "/", host=address, tls=False)[0] == 200


def test_pages_from_a_folder(tmp_path):
    ports, root = Ports(), tmp_path / "pages"
    root.mkdir()
    (root / "index.html").write_text("my own page")
    config = relay_config(tmp_path, ports) | {"web": {"root": str(root)}}
    with Daemon(tmp_path, config, http_port=ports.http):
        assert http_get(ports.http, "/")[2] == b"my own page"
        assert http_get(ports.http, "/test")[0] == 404
    (root / "leak.txt").symlink_to("/etc/passwd")
    done = run_causeway("--config", write_config(tmp_path, config))
    assert done.returncode in (1, 2) and "leak.txt is a link that leads out of the folder" in done.stderr + done.stdout


def test_running_out_of_descriptors_is_survived(tmp_path):
    if b"__ubsan_handle" in BINARY.read_bytes():
        pytest.skip("the sanitizer's own checks need descriptors and report errors without them")
    ports = Ports()
    with Daemon(tmp_path, relay_config(tmp_path, ports), http_port=ports.http,
                command=("prlimit", "--nofile=64:64")) as daemon:  # fmt: skip
        crowd = [connect(ports.http) for _ in range(100)]
        daemon.wait_for_line("cannot accept connections: Too many open files")
        for client in crowd:
            client.close()

        def answers():
            try:
                return http_get(ports.http, "/healthz")[0] == 200
            except OSError:
                return False

        wait_until(answers, daemon.process, lambda: "it does not accept again")
    assert daemon.log.count("cannot accept connections") == 1
