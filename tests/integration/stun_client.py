# SPDX-License-Identifier: Apache-2.0
"""STUN and TURN octet by octet, for what no client of another project says: one request, one answer.

Long-term credentials are those of RFC 5389 (MD5 key, SHA-1 integrity), over UDP, TCP or TLS.
"""
import hashlib
import hmac
import os
import socket
import struct

from support import tls_context

COOKIE = 0x2112A442
BINDING, ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND = 0x001, 0x003, 0x004, 0x008, 0x009
MAPPED_ADDRESS, CHANGE_REQUEST, USERNAME, INTEGRITY, ERROR_CODE = 0x0001, 0x0003, 0x0006, 0x0008, 0x0009
UNKNOWN_ATTRIBUTES, CHANNEL_NUMBER, LIFETIME, XOR_PEER_ADDRESS = 0x000A, 0x000C, 0x000D, 0x0012
REALM, NONCE, XOR_RELAYED_ADDRESS, REQUESTED_TRANSPORT = 0x0014, 0x0015, 0x0016, 0x0019
XOR_MAPPED_ADDRESS, PADDING, RESPONSE_PORT = 0x0020, 0x0026, 0x0027
RESPONSE_ORIGIN, OTHER_ADDRESS, MOBILITY_TICKET = 0x802B, 0x802C, 0x8030


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def xor_address(host, port):
    return struct.pack("!BBHI", 0, 1, port ^ COOKIE >> 16, struct.unpack("!I", socket.inet_aton(host))[0] ^ COOKIE)


def message(method, attributes, transaction, key=None):
    """A request with these (type, value) attributes, in their order."""
    body = b"".join(attribute(kind, value) for kind, value in attributes)
    header = struct.pack("!HHI", method, len(body) + (24 if key else 0), COOKIE) + transaction
    if not key:
        return header + body
    return header + body + attribute(INTEGRITY, hmac.digest(key, header + body, "sha1"))


class Answer:
    """A response, and where it came from."""

    def __init__(self, octets, source=None):
        self.octets, self.source = octets, source
        kind, size, cookie = struct.unpack_from("!HHI", octets)
        assert cookie == COOKIE and len(octets) == 20 + size, octets.hex()
        self.success = kind & 0x0110 == 0x0100
        self.transaction, self.attributes = octets[8:20], {}
        at = 20
        while at < len(octets):
            kind, size = struct.unpack_from("!HH", octets, at)
            self.attributes.setdefault(kind, octets[at + 4 : at + 4 + size])
            at += 4 + size + -size % 4

    @property
    def error(self):
        """0 for a success."""
        return 0 if self.success else self.attributes[ERROR_CODE][2] * 100 + self.attributes[ERROR_CODE][3]

    def address(self, kind):
        """(host, port) of an IPv4 address, masked where its attribute says XOR."""
        _, family, port, host = struct.unpack("!BBHI", self.attributes[kind])
        assert family == 1
        mask = COOKIE if kind in (XOR_MAPPED_ADDRESS, XOR_RELAYED_ADDRESS, XOR_PEER_ADDRESS) else 0
        return socket.inet_ntoa(struct.pack("!I", host ^ mask)), port ^ mask >> 16


class StunClient:
    """`with StunClient(port) as client:` one socket, connected for "tcp" and "tls"."""

    def __init__(self, port, transport="udp", host="127.0.0.1", user=("alice", "wonderland"), realm="example.org",
                 source=None, seconds=5):
        """`source`: the address to come from, where there are several; `seconds`: how long to wait for anything."""
        self.server, self.transport = (host, port), transport
        self.user, self.realm, self.nonce = user, realm, b""
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
        self.socket.settimeout(seconds)
        if source or transport == "udp":
            self.socket.bind((source or "127.0.0.1", 0))
        if transport != "udp":
            self.socket.connect(self.server)
        if transport == "tls":
            self.socket = tls_context(False).wrap_socket(self.socket)
        self.received = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.transport == "udp" and self.nonce:
            # The next client may be given this port: an allocation that goes on would be in its way (437).
            self.send(message(REFRESH, [(LIFETIME, bytes(4)), *self._credentials()], os.urandom(12), self.key))
        self.socket.close()

    @property
    def address(self):
        return self.socket.getsockname()

    @property
    def key(self):
        return hashlib.md5(f"{self.user[0]}:{self.realm}:{self.user[1]}".encode()).digest()

    def send(self, octets):
        if self.transport == "udp":
            self.socket.sendto(octets, self.server)
        else:
            self.socket.sendall(octets + bytes(-len(octets) % 4))

    def _read(self, size):
        while len(self.received) < size:
            more = self.socket.recv(65536)
            assert more, "the server closed the connection"
            self.received += more
        taken, self.received = self.received[:size], self.received[size:]
        return taken

    def receive(self):
        """(octets, source) of the next datagram or framed message."""
        if self.transport == "udp":
            return self.socket.recvfrom(65536)
        head = self._read(4)
        size = struct.unpack("!H", head[2:])[0] + (16 if head[0] < 4 else 0)
        return head + self._read(size + -size % 4)[:size], self.server

    def ask(self, method, attributes=(), transaction=None, key=None):
        transaction = transaction or os.urandom(12)
        self.send(message(method, attributes, transaction, key))
        answer = Answer(*self.receive())
        assert answer.transaction == transaction
        return answer

    def request(self, method, attributes=(), transaction=None):
        """With the credentials, after the challenge."""
        if not self.nonce:
            challenge = self.ask(ALLOCATE, [(REQUESTED_TRANSPORT, b"\x11\0\0\0")])
            assert challenge.error == 401
            self.nonce = challenge.attributes[NONCE]
        return self.ask(method, [*attributes, *self._credentials()], transaction, self.key)

    def _credentials(self):
        return [(USERNAME, self.user[0].encode()), (REALM, self.realm.encode()), (NONCE, self.nonce)]
