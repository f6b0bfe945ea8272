# SPDX-License-Identifier: Apache-2.0
"""RFC 6455 on the bytes of the wire: framing, fragments, control frames, UTF-8, closing and the handshake."""
import json
import os
import socket
import struct

import pytest

from support import DEADLINE_SECONDS, Daemon, Ports, relay_config

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
MESSAGE_BYTES_MAX = 65536
# RFC 6455 §1.3
KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("websocket"), Ports()
    with Daemon(folder, relay_config(folder, ports), http_port=ports.http):
        yield ports.http


def frame(opcode, payload=b"", *, fin=True, reserved=0, masked=True, length_bytes=None):
    """One frame. `length_bytes`: 0, 2 or 8, in place of the shortest form."""
    if length_bytes is None:
        length_bytes = 0 if len(payload) < 126 else 2 if len(payload) < 65536 else 8
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    short = {0: len(payload), 2: 126, 8: 127}[length_bytes]
    head = bytes([first, (0x80 if masked else 0) | short])
    head += {0: b"", 2: struct.pack("!H", len(payload) & 0xFFFF), 8: struct.pack("!Q", len(payload))}[length_bytes]
    if not masked:
        return head + payload
    mask = os.urandom(4)
    return head + mask + bytes(octet ^ mask[i % 4] for i, octet in enumerate(payload))


def close_frame(code, reason=b""):
    return frame(CLOSE, struct.pack("!H", code) + reason)


def ping_message(identifier, size=0):
    """A message that the server answers with `pong` and the same id, padded to `size` bytes."""
    text = json.dumps({"type": "ping", "id": identifier, "pad": ""}, separators=(",", ":"), ensure_ascii=False).encode()
    return text[:-2] + b"x" * (size - len(text)) + text[-2:]


class Socket:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE_SECONDS)
        self.socket.settimeout(DEADLINE_SECONDS)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def read(self, size):
        while len(self.buffer) < size:
            more = self.socket.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def upgrade(self, *, headers=(), version="13", key=KEY, method="GET"):
        lines = [f"{method} /ws?room=raw HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Version: {version}"] if version else []
        lines += [f"Sec-WebSocket-Key: {key}"] if key else []
        return ("\r\n".join([*lines, *headers]) + "\r\n\r\n").encode()

    def response(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.read(1)
        status, *lines = head.decode().split("\r\n")
        return int(status.split()[1]), {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}

    def next(self):
        """(opcode, payload) of the next frame. A server never masks and never uses a reserved bit here."""
        first, second = self.read(2)
        assert first & 0xF0 == 0x80 and second < 0x80
        size = second
        if second == 126:
            (size,) = struct.unpack("!H", self.read(2))
        elif second == 127:
            (size,) = struct.unpack("!Q", self.read(8))
        return first & 0x0F, self.read(size)

    def message(self):
        opcode, payload = self.next()
        assert opcode == TEXT, (opcode, payload)
        return json.loads(payload)

    def close_code(self):
        """Of the close frame that ends it all; messages before it are left out, and nothing comes behind."""
        while True:
            opcode, payload = self.next()
            if opcode != CLOSE:
                continue
            code = struct.unpack("!H", payload[:2])[0] if payload else None
            try:
                self.send(frame(CLOSE, payload))
            except OSError:
                pass  # it has closed the connection already, as a server may
            try:
                assert not self.read(1)
            except (EOFError, ConnectionResetError):
                return code


def connected(port, **options):
    raw = Socket(port)
    raw.send(raw.upgrade(**options))
    status, headers = raw.response()
    assert status == 101 and headers["sec-websocket-accept"] == ACCEPT
    return raw


def lives(raw):
    raw.send(frame(TEXT, ping_message("alive")))
    return raw.message() == {"type": "pong", "id": "alive"}


# --- the handshake (RFC 6455 §4) ---


def test_a_handshake_may_come_in_single_bytes(port):
    with Socket(port) as raw:
        for octet in raw.upgrade():
            raw.send(bytes([octet]))
        assert raw.response()[1]["sec-websocket-accept"] == ACCEPT
        assert lives(raw)


@pytest.mark.parametrize("options", [{"key": None}, {"key": "short"}, {"version": None}, {"version": "8"}, {"version": "x"}])
def test_a_handshake_that_is_none(port, options):
    with Socket(port) as raw:
        raw.send(raw.upgrade(**options))
        status, headers = raw.response()
        assert status in (400, 426)
        if options.get("version") == "8":
            assert status == 426 and headers["sec-websocket-version"] == "13"  # §4.2.2 step 4


def test_a_handshake_is_a_get(port):
    with Socket(port) as raw:
        raw.send(raw.upgrade(method="POST"))
        assert raw.response()[0] == 405


def test_frames_before_the_answer_are_no_handshake(port):
    with Socket(port) as raw:
        raw.send(raw.upgrade(), frame(TEXT, ping_message("1")))
        assert raw.response()[0] == 400


@pytest.mark.parametrize("offer", ["permessage-deflate", "permessage-deflate; client_max_window_bits, x-webkit-deflate-frame", "nonsense"])
def test_extensions_are_refused_by_silence(port, offer):
    with Socket(port) as raw:
        raw.send(raw.upgrade(headers=[f"Sec-WebSocket-Extensions: {offer}"]))
        status, headers = raw.response()
        assert status == 101 and "sec-websocket-extensions" not in headers
        raw.send(frame(TEXT, ping_message("1"), reserved=4))  # compressed, although nobody has agreed
        assert raw.close_code() == 1002


@pytest.mark.parametrize(
    "offered, chosen",
    [("causeway.v1", "causeway.v1"), ("chat, causeway.v1", "causeway.v1"), ("chat", None), ("Causeway.V1x", None)],
)
def test_the_subprotocol_is_ours_or_none(port, offered, chosen):
    with Socket(port) as raw:
        raw.send(raw.upgrade(headers=[f"Sec-WebSocket-Protocol: {offered}"]))
        status, headers = raw.response()
        assert status == 101 and headers.get("sec-websocket-protocol") == chosen


# --- messages (§5.2, §5.6) ---


@pytest.mark.parametrize("size", [40, 125, 126, 127, 128, 65535, MESSAGE_BYTES_MAX])
def test_messages_of_every_length_form(port, size):
    with connected(port) as raw:
        raw.send(frame(TEXT, ping_message("1", size)))
        assert raw.message()["id"] == "1"


def test_a_message_may_come_in_single_bytes(port):
    with connected(port) as raw:
        for octet in frame(TEXT, ping_message("1")):
            raw.send(bytes([octet]))
        assert raw.message()["id"] == "1"


def test_many_frames_may_come_at_once(port):
    with connected(port) as raw:
        raw.send(*(frame(TEXT, ping_message(i)) for i in range(50)))
        assert [raw.message()["id"] for _ in range(50)] == list(range(50))


def test_too_big_is_1009(port):
    with connected(port) as raw:
        raw.send(frame(TEXT, ping_message("1", MESSAGE_BYTES_MAX + 1)))
        assert raw.close_code() == 1009


def test_too_big_in_fragments_is_1009(port):
    with connected(port) as raw:
        half = b"x" * (MESSAGE_BYTES_MAX // 2 + 1)
        raw.send(frame(TEXT, half, fin=False), frame(CONTINUATION, half))
        assert raw.close_code() == 1009


def test_an_announced_size_alone_takes_nothing(port):
    with connected(port) as raw:
        raw.send(bytes([0x81, 0xFF]) + struct.pack("!Q", 1 << 40) + bytes(4))
        raw.send(b"x" * (MESSAGE_BYTES_MAX + 1))
        assert raw.close_code() == 1009


def test_binary_is_1003(port):
    with connected(port) as raw:
        raw.send(frame(BINARY, ping_message("1")))
        assert raw.close_code() == 1003


def test_an_empty_message_is_no_json(port):
    with connected(port) as raw:
        raw.send(frame(TEXT))
        assert raw.close_code() == 1007


# --- what breaks the protocol (§5.1, §5.2) ---


@pytest.mark.parametrize("reserved", range(1, 8))
def test_reserved_bits(port, reserved):
    with connected(port) as raw:
        raw.send(frame(TEXT, ping_message("1"), reserved=reserved))
        assert raw.close_code() == 1002


@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_reserved_opcodes(port, opcode):
    with connected(port) as raw:
        raw.send(frame(opcode))
        assert raw.close_code() == 1002


def test_a_client_masks(port):
    with connected(port) as raw:
        raw.send(frame(TEXT, ping_message("1"), masked=False))
        assert raw.close_code() == 1002


@pytest.mark.parametrize("size, length_bytes", [(0, 2), (40, 2), (125, 2), (40, 8), (65535, 8)])
def test_lengths_have_the_shortest_form(port, size, length_bytes):
    with connected(port) as raw:
        raw.send(frame(TEXT, b"x" * size, length_bytes=length_bytes))
        assert raw.close_code() == 1002


def test_the_highest_bit_of_a_length_is_zero(port):
    with connected(port) as raw:
        raw.send(bytes([0x81, 0xFF]) + struct.pack("!Q", 1 << 63) + bytes(4), b"x" * (MESSAGE_BYTES_MAX + 1))
        assert raw.close_code() in (1002, 1009)


# --- fragments (§5.4) ---


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_fragments(port, size):
    text = ping_message("1", 300)
    parts = [text[i : i + size] for i in range(0, len(text), size)]
    with connected(port) as raw:
        for i, part in enumerate(parts):
            raw.send(frame(CONTINUATION if i else TEXT, part, fin=i == len(parts) - 1))
        assert raw.message()["id"] == "1"


def test_fragments_may_be_empty(port):
    with connected(port) as raw:
        raw.send(frame(TEXT, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION, ping_message("1"), fin=False))
        raw.send(frame(CONTINUATION))
        assert raw.message()["id"] == "1"


def test_control_frames_come_between_fragments(port):
    text = ping_message("1")
    with connected(port) as raw:
        raw.send(frame(TEXT, text[:10], fin=False), frame(PING, b"between"))
        assert raw.next() == (PONG, b"between")
        raw.send(frame(PONG), frame(CONTINUATION, text[10:]))
        assert raw.message()["id"] == "1"


@pytest.mark.parametrize("fin", [True, False])
def test_a_continuation_continues_something(port, fin):
    with connected(port) as raw:
        raw.send(frame(CONTINUATION, ping_message("1"), fin=fin))
        assert raw.close_code() == 1002


def test_a_message_ends_before_the_next_begins(port):
    with connected(port) as raw:
        raw.send(frame(TEXT, b"{", fin=False), frame(TEXT, ping_message("1")))
        assert raw.close_code() == 1002


def test_a_continuation_after_the_end(port):
    with connected(port) as raw:
        raw.send(frame(TEXT, ping_message("1")), frame(CONTINUATION, b"x"))
        assert raw.close_code() == 1002


# --- control frames (§5.5) ---


@pytest.mark.parametrize("payload", [b"", b"hello", bytes(range(125))])
def test_a_ping_has_its_pong(port, payload):
    with connected(port) as raw:
        raw.send(frame(PING, payload))
        assert raw.next() == (PONG, payload)


def test_many_pings(port):
    with connected(port) as raw:
        for i in range(10):
            raw.send(frame(PING, b"%d" % i))
            assert raw.next() == (PONG, b"%d" % i)


def test_a_ping_may_come_in_single_bytes(port):
    with connected(port) as raw:
        for octet in frame(PING, b"slow"):
            raw.send(bytes([octet]))
        assert raw.next() == (PONG, b"slow")


def test_a_pong_that_nobody_asked_for_is_fine(port):
    with connected(port) as raw:
        raw.send(frame(PONG, b"what"), frame(PONG))
        assert lives(raw)


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_control_frames_are_short(port, opcode):
    with connected(port) as raw:
        raw.send(frame(opcode, struct.pack("!H", 1000) + b"x" * 124))
        assert raw.close_code() == 1002


@pytest.mark.parametrize("opcode", [CLOSE, PING, PONG])
def test_control_frames_are_whole(port, opcode):
    with connected(port) as raw:
        raw.send(frame(opcode, struct.pack("!H", 1000), fin=False))
        assert raw.close_code() == 1002


# --- UTF-8 (§8.1) ---

KOSME = "κόσμε 𝄞 \U0010ffff \u0000".replace("\u0000", "").encode()
NOT_UTF8 = {
    "continuation alone": b"\x80",
    "cut short": "κ".encode()[:1],
    "overlong": b"\xc0\xaf",
    "overlong of three": b"\xe0\x80\xaf",
    "surrogate": b"\xed\xa0\x80",
    "above U+10FFFF": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "never": b"\xfe",
}


@pytest.mark.parametrize("cut", range(1, 12))
def test_a_character_may_be_cut_by_a_fragment(port, cut):
    text = b'{"type":"ping","id":"' + KOSME + b'"}'
    at = text.index(KOSME) + cut
    with connected(port) as raw:
        raw.send(frame(TEXT, text[:at], fin=False), frame(CONTINUATION, text[at:]))
        assert raw.message()["id"].encode() == KOSME


@pytest.mark.parametrize("what", NOT_UTF8)
def test_what_is_not_utf8_is_1007(port, what):
    with connected(port) as raw:
        raw.send(frame(TEXT, b'{"type":"ping","pad":"' + NOT_UTF8[what] + b'"}'))
        assert raw.close_code() == 1007


@pytest.mark.parametrize("what", NOT_UTF8)
def test_what_is_not_utf8_in_fragments_is_1007(port, what):
    text = b'{"type":"ping","pad":"' + NOT_UTF8[what] + b'"}'
    with connected(port) as raw:
        raw.send(*(frame(CONTINUATION if i else TEXT, text[i : i + 1], fin=i == len(text) - 1) for i in range(len(text))))
        assert raw.close_code() == 1007


# --- closing (§5.5.1, §7) ---


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
def test_a_close_is_answered_with_its_code(port, code):
    with connected(port) as raw:
        raw.send(close_frame(code, b"bye"))
        assert raw.close_code() == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999])
def test_close_codes_that_nobody_may_send(port, code):
    with connected(port) as raw:
        raw.send(close_frame(code))
        assert raw.close_code() == 1002


def test_a_close_may_be_empty(port):
    with connected(port) as raw:
        raw.send(frame(CLOSE))
        assert raw.close_code() in (None, 1000)


def test_a_close_of_one_byte_is_none(port):
    with connected(port) as raw:
        raw.send(frame(CLOSE, b"\x03"))
        assert raw.close_code() == 1002


def test_the_longest_reason(port):
    with connected(port) as raw:
        raw.send(close_frame(1000, b"x" * 123))
        assert raw.close_code() == 1000


def test_a_reason_is_utf8(port):
    with connected(port) as raw:
        raw.send(close_frame(1000, b"\xce\xba\xe1\xbd"))
        assert raw.close_code() in (1002, 1007)


def test_nothing_counts_behind_a_close(port):
    with connected(port) as raw:
        raw.send(close_frame(1000), frame(TEXT, ping_message("late")), frame(PING, b"late"))
        assert raw.next()[0] == CLOSE


def test_a_close_between_fragments_ends_it(port):
    with connected(port) as raw:
        raw.send(frame(TEXT, b"{", fin=False), close_frame(1000))
        assert raw.close_code() == 1000
