# SPDX-License-Identifier: Apache-2.0
"""The beginning of a DTLS 1.2 handshake octet by octet (RFC 6347 §4.2.1), for clients that go no further."""
import os
import socket
import struct

VERSION, HANDSHAKE, SERVER_HELLO, HELLO_VERIFY_REQUEST = b"\xfe\xfd", 22, 2, 3
ECDHE_ECDSA_AES128_GCM, ECDHE_RSA_AES128_GCM = 0xC02B, 0xC02F


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


def cookie_in(datagram):
    """That of a HelloVerifyRequest; None for anything else."""
    if datagram[0] != HANDSHAKE or datagram[13] != HELLO_VERIFY_REQUEST:
        return None
    return datagram[28 : 28 + datagram[27]]


class HalfOpen:
    """`with HalfOpen(source, port):` a handshake that the server has taken up, and that goes no further."""

    def __init__(self, source, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(5)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        client_random = os.urandom(32)
        self.socket.send(client_hello(client_random))
        cookie = cookie_in(self.socket.recv(4096))
        self.socket.send(client_hello(client_random, cookie, 1))
        answer = self.socket.recv(4096)
        assert answer[0] == HANDSHAKE and answer[13] == SERVER_HELLO, answer.hex()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
