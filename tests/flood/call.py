# SPDX-License-Identifier: Apache-2.0
"""An honest call through the relay: numbered packets both ways at an even pace, over UDP or TLS."""
import select
import socket
import ssl
import struct
import time

from place import CALLER, PEER, REALM, SERVER, TURN, TURN_TLS, USER
from samples import Sample
from stun_client import (
    ALLOCATE, CHANNEL_BIND, CHANNEL_NUMBER, REQUESTED_TRANSPORT, XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS, StunClient,
    xor_address,
)  # fmt: skip

PER_SECOND = 50  # each way
PAYLOAD = 160
CHANNEL = 0x4000


class Call:
    def __init__(self, transport, patience):
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.bind((PEER, 0))
        self.peer.setblocking(False)
        port = TURN_TLS if transport == "tls" else TURN
        self.client = StunClient(port, transport, SERVER, USER, REALM, source=CALLER, seconds=patience)
        allocated = self.client.request(ALLOCATE, [(REQUESTED_TRANSPORT, b"\x11\0\0\0")])
        self.relayed = allocated.address(XOR_RELAYED_ADDRESS)
        bound = self.client.request(CHANNEL_BIND, [
            (CHANNEL_NUMBER, struct.pack("!HH", CHANNEL, 0)), (XOR_PEER_ADDRESS, xor_address(*self.peer.getsockname())),
        ])  # fmt: skip
        assert bound.success, bound.error
        self.client.socket.setblocking(False)
        self.unsent, self.unread, self.is_closed = b"", b"", False
        self.samples, self.missing = [], {}

    def send(self, at):
        """One packet each way, due at this time."""
        for what in ("up", "down"):
            number = len(self.samples)
            self.samples.append(Sample(at, None, what))
            self.missing[number] = self.samples[number]
            payload = struct.pack("!I", number).ljust(PAYLOAD, b".")
            if what == "up":
                self._send_up(struct.pack("!HH", CHANNEL, PAYLOAD) + payload)
            else:
                self.peer.sendto(payload, self.relayed)

    def _send_up(self, frame):
        if self.client.transport == "udp":
            self.client.send(frame)
        else:
            self.unsent += frame
            self._flush()

    def _flush(self):
        try:
            while self.unsent and not self.is_closed:
                self.unsent = self.unsent[self.client.socket.send(self.unsent) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self.is_closed = True

    def receive(self, seconds):
        """Waits for packets for at most so long, and takes those that are there."""
        sockets = [self.peer] if self.is_closed else [self.peer, self.client.socket]
        select.select(sockets, [], [], max(seconds, 0))
        now = time.monotonic()
        for payload in self._datagrams(self.peer):
            self._arrived(payload, now)
        if not self.is_closed:
            for frame in self._frames():
                self._arrived(frame[4:], now)
            self._flush()

    @staticmethod
    def _datagrams(from_socket):
        try:
            while True:
                yield from_socket.recv(2048)
        except BlockingIOError:
            return

    def _frames(self):
        if self.client.transport == "udp":
            yield from self._datagrams(self.client.socket)
            return
        try:
            while more := self.client.socket.recv(65536):
                self.unread += more
            self.is_closed = True
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError:
            self.is_closed = True
        while len(self.unread) >= 4 + PAYLOAD:
            yield self.unread[: 4 + PAYLOAD]
            self.unread = self.unread[4 + PAYLOAD :]

    def _arrived(self, payload, now):
        sample = self.missing.pop(struct.unpack_from("!I", payload)[0], None)
        if sample:
            sample.seconds = now - sample.at


def run(control, transport, target):
    call = Call(transport, target.patience)
    control.ready()
    due = time.monotonic()
    while not control.is_over():
        while due <= time.monotonic():
            call.send(due)
            due += 1 / PER_SECOND
        call.receive(due - time.monotonic())
    deadline = time.monotonic() + target.patience
    while call.missing and time.monotonic() < deadline and not call.is_closed:
        call.receive(0.1)
    if call.is_closed:
        for sample in call.missing.values():
            sample.why = "the connection was closed"
    return call.samples
