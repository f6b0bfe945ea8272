# SPDX-License-Identifier: Apache-2.0
"""DTLS 1.2 handshakes that stop once the server has to remember them (RFC 6347 §4.2.1)."""
import os
import socket
import time

from place import SERVER, SERVER6, TURN_TLS, strangers  # makes the next one known

from dtls_client import HANDSHAKE, client_hello, cookie_in

SOCKETS_PER_SOURCE = 64


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
                cookie = cookie_in(octets)
                if cookie is not None:
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
