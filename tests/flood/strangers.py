# SPDX-License-Identifier: Apache-2.0
"""Attacks on signaling: lines in a log that nobody reads, the pool of members who are away, and bad tokens."""
import asyncio
import contextlib
import json
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

from place import HTTP, SERVER, STRANGER, strangers
from signaling_client import Client
from streams import raise_descriptor_limit
from test_websocket import TEXT, frame

UPGRADE = (
    f"GET /ws HTTP/1.1\r\nHost: {SERVER}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
).encode()


def log(target):
    """WebSockets from a thousand addresses that come and go, each of them worth a line in the log."""
    sources, visits, failed = strangers(1000), 0, 0
    while not target.is_over():
        try:
            with socket.create_connection((SERVER, HTTP), 1, (sources[visits % len(sources)], 0)) as one:
                one.sendall(UPGRADE)
                if one.recv(1000):
                    visits += 1
                else:
                    failed += 1
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            failed += 1
    return f"{visits} WebSockets opened and reset, {failed} refused or without an answer"


def member(source):
    return Client(
        server=f"ws://{SERVER}:{HTTP}", local_addr=(source, 0), open_timeout=5, close_timeout=1, ping_interval=None,
        max_queue=None,
    )  # fmt: skip


class Member:
    """A member on a bare socket, which costs the attacker little."""

    def __init__(self, source, room):
        self.socket = socket.create_connection((SERVER, HTTP), 2, (source, 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.sendall(UPGRADE)
        self.read_until(b"welcome")
        self.send(type="join", room=room)
        self.joined = self.read_until(b'"joined"')

    def read_until(self, wanted):
        seen = b""
        while wanted not in seen:
            more = self.socket.recv(65536)
            if not more or b'"error"' in more:
                raise ConnectionError("refused")
            seen += more
        return seen

    def send(self, **message):
        self.socket.sendall(frame(TEXT, json.dumps(message).encode()))

    def lose(self):
        self.socket.close()


class Pool:
    """Members that go away, and one in each room whose messages have to be kept for them.

    A member has up to 256 KiB and all have 256 MiB: large messages for as many members as that is enough for, then tiny
    ones without end, which make room for one another and for nobody else.
    """

    ROOMS, LARGE_ROOMS, MEMBERS_PER_ROOM = 128, 66, 16
    TINY = frame(TEXT, b'{"type":"message","data":0}')
    LARGE = frame(TEXT, b'{"type":"message","data":"%s"}' % (b"x" * 60_000))

    def __init__(self, target):
        self.target, self.quiet, self.speakers, self.away, self.refused = target, [], [], 0, 0

    def fill(self):
        """With many rooms at once, since most of the time goes into waiting for answers."""
        sources = strangers(2)
        with ThreadPoolExecutor(16) as threads:
            for rooms in range(self.LARGE_ROOMS), range(self.LARGE_ROOMS, self.ROOMS):
                list(threads.map(lambda number: self.fill_room(sources[number % 2], number), rooms))

    def fill_room(self, source, number):
        room, is_large = f"pool {number}", number < self.LARGE_ROOMS
        try:
            speaker = Member(source, room)
        except OSError:
            return
        for _ in range(self.MEMBERS_PER_ROOM - 1):
            if self.target.is_over():
                return
            try:
                Member(source, room).lose()
                self.away += 1
            except OSError:
                self.refused += 1
        (self.quiet if is_large else self.speakers).append(speaker)
        with contextlib.suppress(OSError):
            speaker.socket.sendall(self.TINY * 80 + (self.LARGE * 4 if is_large else b""))

    def trickle(self):
        for speaker in list(self.speakers):
            try:
                speaker.socket.sendall(self.TINY)
            except OSError:
                self.speakers.remove(speaker)


def resume_pool(target):
    """Two addresses fill what the server keeps for members whose connection is lost."""
    raise_descriptor_limit()
    pool = Pool(target)
    pool.fill()
    filled = time.monotonic()
    while not target.is_over():
        pool.trickle()
        time.sleep(0.2)
    return f"{pool.away} members sent away, {pool.refused} refused, for {max(0, target.until - filled):.0f} s"


def tokens(target):
    """One address presents bad tokens as fast as it can."""
    counts = {}

    async def present():
        while not target.is_over():
            with contextlib.suppress(Exception):
                async with member(STRANGER) as one:
                    await one.next("welcome")
                    while not target.is_over():
                        await one.send(type="join", room="tea", token="e30.e30.e30")
                        code = (await one.next())["code"]
                        counts[code] = counts.get(code, 0) + 1

    async def all_of_them():
        await asyncio.gather(*(present() for _ in range(8)))

    asyncio.run(all_of_them())
    return ", ".join(f"{count}× {code}" for code, count in counts.items()) or "no answer"
