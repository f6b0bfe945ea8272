# SPDX-License-Identifier: Apache-2.0
"""DTLS 1.2 handshakes that stop once the server has to remember them (RFC 6347 §4.2.1)."""
import os
import socket
import struct
import time

from place import SERVER, SERVER6, TURN_TLS, strangers

VERSION, HANDSHAKE, HELLO_VERIFY_REQUEST = b"\xfe\xfd", 22, 3
ECDHE_ECDSA_AES128_GCM, ECDHE_RSA_AES128_GCM = 0xC02B, 0xC02F
SOCKETS_PER_SOURCE = 64


def extension(kind, value):
    return struct.pack("!HH", kind, len(value)) + value


EXTENSIONS = (
    extension(10, struct.pack("!HH", 2, 23))  # supported_groups: secp256r1
    + extension(11, b"\x01\x00")  # ec_point_formats: uncompressed
    + extension(13, struct.pack("!HHHH", 6, 0x0403, 0x0804, 0x0401))  # signature_algorithms
    + extension(23, b"")  # extended_master_secret
    + extension(0xFF01, b"\x00")  # renegotiation_info
)


def client_hello(client_random, cookie=b"", number=0):
    """The record with a ClientHello; `number` is that of the message and of the record."""
    suites = struct.pack("!HHH", 4, ECDHE_ECDSA_AES128_GCM, ECDHE_RSA_AES128_GCM)
    body = VERSION + client_random + b"\x00" + bytes([len(cookie)]) + cookie + suites + b"\x01\x00"
    body += struct.pack("!H", len(EXTENSIONS)) + EXTENSIONS
    size = struct.pack("!I", len(body))[1:]
    handshake = b"\x01" + size + struct.pack("!H", number) + bytes(3) + size + body
    record = bytes([HANDSHAKE]) + VERSION + bytes(2) + number.to_bytes(6, "big") + struct.pack("!H", len(handshake))
    return record + handshake


class HalfOpen:
    """One client that never goes on after the ServerHello."""

    def __init__(self, source):
        server = SERVER6 if ":" in source else SERVER
        self.socket = socket.socket(socket.AF_INET6 if ":" in source else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source, 0))
        self.socket.connect((server, TURN_TLS))
        self.socket.setblocking(False)
        self.random, self.is_remembered = os.urandom(32), False

    def ask(self):
        self.socket.send(client_hello(self.random))

    def take(self):
        try:
            while True:
                octets = self.socket.recv(4096)
                if octets[0] == HANDSHAKE and octets[13] == HELLO_VERIFY_REQUEST:
                    cookie = octets[28 : 28 + octets[27]]
                    self.socket.send(client_hello(self.random, cookie, 1))
                elif octets[0] == HANDSHAKE:
                    self.is_remembered = True
        except OSError:
            pass


def half_open(target):
    """Eight IPv4 addresses and each /64 of an IPv6 /56, again and again."""
    sources = strangers(8) + [f"2400:7:0:{number:x}::1" for number in range(256)]
    remembered, clients, most = 0, [], 0
    while not target.is_over():
        started = time.monotonic()
        fresh = [HalfOpen(source) for source in sources for _ in range(SOCKETS_PER_SOURCE if "." in source else 2)]
        for client in fresh:
            client.ask()
        while not target.is_over() and time.monotonic() - started < 1:
            for client in fresh:
                client.take()
        count = sum(client.is_remembered for client in fresh)
        remembered, most = remembered + count, max(most, count)
        for client in clients:
            client.socket.close()
        clients = fresh
    return f"{remembered} half-open handshakes taken up, {most} within one second"
