# SPDX-License-Identifier: Apache-2.0
"""A TURN client over TCP or TLS for RFC 6062, written for these tests: one request at a time over plain sockets."""
import hashlib
import hmac
import ipaddress
import os
import socket
import struct
import time

from support import DEADLINE_SECONDS, tls_context

COOKIE = 0x2112A442
ALLOCATE, REFRESH, CREATE_PERMISSION, CONNECT, CONNECTION_BIND, CONNECTION_ATTEMPT = 3, 4, 8, 10, 11, 12
USERNAME, INTEGRITY, ERROR_CODE, LIFETIME, PEER, REALM = 0x0006, 0x0008, 0x0009, 0x000D, 0x0012, 0x0014
NONCE, RELAYED, REQUESTED_FAMILY, REQUESTED_TRANSPORT, CONNECTION_ID = 0x0015, 0x0016, 0x0017, 0x0019, 0x002A
TCP = struct.pack("!B3x", 6)


def message_type(method, message_class):
    return method & 0xF | (method & 0x70) << 1 | (message_class & 1) << 4 | (message_class & 2) << 7


class Message:
    def __init__(self, octets):
        kind = struct.unpack_from("!H", octets)[0]
        self.method, self.message_class = kind & 0xF, (kind >> 4 & 1) | (kind >> 7 & 2)
        self.transaction, self.attributes = octets[8:20], {}
        at = 20
        while at < len(octets):
            attribute, size = struct.unpack_from("!HH", octets, at)
            self.attributes.setdefault(attribute, octets[at + 4 : at + 4 + size])
            at += 4 + (size + 3) // 4 * 4

    @property
    def error(self):
        """0 for a success."""
        if self.message_class != 3:
            return 0
        value = self.attributes[ERROR_CODE]
        return value[2] * 100 + value[3]

    def address(self, attribute):
        value = self.attributes[attribute]
        mask = struct.pack("!I", COOKIE) + self.transaction
        octets = bytes(a ^ b for a, b in zip(value[4:], mask))
        return str(ipaddress.ip_address(octets)), struct.unpack("!H", value[2:4])[0] ^ COOKIE >> 16

    @property
    def connection(self):
        return self.attributes[CONNECTION_ID]


class TurnTcpClient:
    """One connection to the server: the control connection of an allocation, or one for data."""

    def __init__(self, port, *, tls=None, host="127.0.0.1", user=("alice", "wonderland"), receive_buffer=None):
        self.arguments = {"port": port, "tls": tls, "host": host, "user": user}
        self.user, self.password = user
        self.realm, self.nonce, self._rest, self.indications = b"", b"", b"", []
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        plain = socket.socket(family, socket.SOCK_STREAM)
        if receive_buffer:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        plain.settimeout(DEADLINE_SECONDS)
        plain.connect((host, port))
        context = tls and tls_context(tls)
        self.socket = context.wrap_socket(plain, server_hostname="localhost") if tls else plain

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def build(self, method, attributes=()):
        transaction = os.urandom(12)
        body = b"".join(self._attribute(kind, value) for kind, value in self._values(attributes, transaction))
        if self.nonce:
            for kind, value in ((USERNAME, self.user.encode()), (REALM, self.realm), (NONCE, self.nonce)):
                body += self._attribute(kind, value)
            key = hashlib.md5(b":".join([self.user.encode(), self.realm, self.password.encode()])).digest()
            signed = struct.pack("!HHI", message_type(method, 0), len(body) + 24, COOKIE) + transaction + body
            body += self._attribute(INTEGRITY, hmac.new(key, signed, hashlib.sha1).digest())
        return struct.pack("!HHI", message_type(method, 0), len(body), COOKIE) + transaction + body

    @staticmethod
    def _attribute(kind, value):
        return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)

    @staticmethod
    def _values(attributes, transaction):
        for kind, value in attributes:
            if isinstance(value, tuple):
                address = ipaddress.ip_address(value[0])
                mask = struct.pack("!I", COOKIE) + transaction
                octets = bytes(a ^ b for a, b in zip(address.packed, mask))
                value = struct.pack("!xBH", 1 if address.version == 4 else 2, value[1] ^ COOKIE >> 16) + octets
            yield kind, value

    def send(self, method, attributes=(), *, behind=b""):
        self.socket.sendall(self.build(method, attributes) + behind)

    def read_message(self):
        """The next message; what comes behind it stays for read()."""
        while len(self._rest) < 20 or len(self._rest) < 20 + struct.unpack_from("!H", self._rest, 2)[0]:
            more = self.socket.recv(4096)
            if not more:
                raise EOFError("the server closed the connection")
            self._rest += more
        size = 20 + struct.unpack_from("!H", self._rest, 2)[0]
        octets, self._rest = self._rest[:size], self._rest[size:]
        return Message(octets)

    def answer(self):
        while True:
            message = self.read_message()
            if message.message_class != 1:
                return message
            self.indications.append(message)

    def request(self, method, attributes=(), *, behind=b""):
        self.send(method, attributes, behind=behind)
        answer = self.answer()
        if answer.error == 401 and not self.nonce:
            self.realm, self.nonce = answer.attributes[REALM], answer.attributes[NONCE]
            return self.request(method, attributes, behind=behind)
        return answer

    def allocate(self, *more):
        """Makes a TCP allocation and returns its relayed address."""
        answer = self.request(ALLOCATE, [(REQUESTED_TRANSPORT, TCP), *more])
        assert answer.error == 0, answer.error
        return answer.address(RELAYED)

    def permit(self, address):
        assert self.request(CREATE_PERMISSION, [(PEER, (address, 0))]).error == 0

    def connect(self, peer):
        return self.request(CONNECT, [(PEER, peer)])

    def attempt(self):
        """The next ConnectionAttempt."""
        message = self.indications.pop(0) if self.indications else self.read_message()
        assert message.method == CONNECTION_ATTEMPT and message.message_class == 1
        return message

    def further(self, **arguments):
        """Another connection of this client."""
        other = TurnTcpClient(**{**self.arguments, **arguments})
        other.realm, other.nonce = self.realm, self.nonce
        return other

    def bind(self, connection, *, behind=b"", **arguments):
        """A data connection for a CONNECTION-ID; `behind` follows the request in the same segment."""
        data = self.further(**arguments)
        answer = data.request(CONNECTION_BIND, [(CONNECTION_ID, connection)], behind=behind)
        assert answer.error == 0, answer.error
        return data

    def read(self, size):
        """Exactly `size` octets of data."""
        while len(self._rest) < size:
            more = self.socket.recv(min(1 << 16, size - len(self._rest)))
            assert more, f"ended after {len(self._rest)} of {size} octets"
            self._rest += more
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def ended(self):
        """Waits for the end of the stream: "eof" or "reset"."""
        return end_of(self.socket)


def end_of(connection):
    """Reads to the end of the stream and says how it ended: "eof" or "reset". Below TLS: Python hides a reset there."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        try:
            if not socket.socket.recv(connection, 1 << 16):
                return "eof"
        except ConnectionResetError:
            return "reset"
    raise AssertionError("the connection does not end")
