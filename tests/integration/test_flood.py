# SPDX-License-Identifier: Apache-2.0
"""One client floods the server. It is read no faster than it may send, and the others have all their messages.

A rate is checked against the time that really went by, so a slow machine makes no difference.
"""
import asyncio
import contextlib
import re
import socket
import threading
import time

import pytest

from signaling_client import Client, run
from support import Daemon, Ports, relay_config
from test_websocket import PING, TEXT, connected, frame, ping_message

PER_SECOND = 10
BURST = 5 * PER_SECOND
READ_AHEAD = 16  # frames in what the server reads at once, and more


class Flood:
    """Sends `one` frame again and again until it is told to end, from a thread of its own."""

    def __init__(self, port, one):
        self.raw, self.frames, self.sent = connected(port), one * 100, 0
        self.began, self.is_over = time.monotonic(), False
        self.sender, self.reader = threading.Thread(target=self.send), threading.Thread(target=self.discard)

    def __enter__(self):
        self.sender.start()
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.raw.socket.shutdown(socket.SHUT_RDWR)
        self.sender.join()
        self.reader.join()
        self.raw.socket.close()

    def send(self):
        with contextlib.suppress(OSError):
            while not self.is_over:
                self.sent += self.raw.socket.send(self.frames)

    # So that the answers are no reason for the server to wait.
    def discard(self):
        with contextlib.suppress(OSError):
            while self.raw.socket.recv(65536):
                pass


async def a_room_talks(port, flood):
    """Two members send each other what they may send at once, while the flood goes on."""
    async with Client(port) as ada, Client(port) as bob:
        await ada.join("tea")
        await bob.join("tea")
        await ada.next("member-joined")
        for number in range(BURST - 2):
            await ada.send(type="message", data=number)
            await bob.send(type="message", data=number)
            assert (await ada.next("message"))["data"] == number
            assert (await bob.next("message"))["data"] == number
        while flood.sent < 1_000_000:  # a machine where this comes late
            await asyncio.sleep(0)


@pytest.mark.parametrize("opcode, payload", [(TEXT, ping_message("1", 250)), (PING, b"x" * 125)])
def test_a_flood_is_nobody_elses_matter(tmp_path, opcode, payload):
    ports = Ports()
    config = relay_config(tmp_path, ports) | {"signaling": {"messages_per_second": PER_SECOND}}
    with Daemon(tmp_path, config, http_port=ports.http) as daemon:
        with Flood(ports.http, frame(opcode, payload)) as flood:
            run(a_room_talks(ports.http, flood))
        end = daemon.wait_for_line(
            r"(\d+) messages received, \d+ sent, paused (\d+) times for sending too fast, with (\d+) control frames"
        )
        seconds = time.monotonic() - flood.began
    messages, pauses, controls = map(int, end.groups())
    granted = BURST + seconds * PER_SECOND
    assert (messages if opcode == TEXT else controls) <= granted + READ_AHEAD
    assert messages + controls >= BURST - 1 and pauses > 0
    assert len(re.findall("too fast", daemon.log)) == 1
