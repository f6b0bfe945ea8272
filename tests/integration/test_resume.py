# SPDX-License-Identifier: Apache-2.0
"""Members who lose their connection and come back, as docs/signaling-protocol.md says, on real WebSockets."""
import asyncio
import json
import random

import pytest
import websockets

from signaling_client import Client, run
from support import Daemon, Ports, relay_config

MESSAGES = 300  # each way


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("resume"), Ports()
    with Daemon(folder, relay_config(folder, ports), http_port=ports.http):
        yield ports.http


def resume_of(joined, seq):
    return {"token": joined["resume"]["token"], "seq": seq}


def test_a_member_comes_back_and_misses_nothing(port):
    async def check():
        async with Client(port) as ada:
            await ada.join("back")
            async with Client(port) as bob:
                first = await bob.join("back")
                assert first["resume"]["grace_seconds"] == 30 and "received" not in first
                await ada.next("member-joined")
                await bob.send(type="message", data="before")
                assert (await ada.next("message"))["data"] == "before"
                bob.socket.transport.abort()
            for number in range(3):
                await ada.send(type="message", data=number)
            async with Client(port) as bob:
                again = await bob.join("back", resume=resume_of(first, 0))
                assert again["self"] == first["self"] and again["received"] == 1
                assert again["resume"]["token"] != first["resume"]["token"]
                assert again["ice_servers"][-1]["username"].endswith(first["self"]["member"])
                assert [(await bob.next("message"))["data"] for _ in range(3)] == [0, 1, 2]
                await bob.send(type="message", data="after")
                answer = await ada.next("message")
                assert (answer["data"], answer["from"]) == ("after", first["self"]["member"])

    run(check())


def test_a_newer_connection_takes_over(port):
    async def check():
        async with Client(port) as ada, Client(port) as old, Client(port) as new:
            await ada.join("moves")
            joined = await old.join("moves")
            await ada.next("member-joined")
            await new.join("moves", resume=resume_of(joined, 0))
            bye = await old.next("bye")
            assert (bye["action"], bye["reason"]) == ("stop", "replaced")
            assert await old.closed() == 4005
            await ada.send(type="message", to=joined["self"]["member"], data=1)
            assert (await new.next("message"))["data"] == 1

    run(check())


def test_a_client_that_closes_to_come_back_keeps_its_place(port):
    async def check():
        async with Client(port) as ada, Client(port) as bob, Client(port) as again:
            await ada.join("4050")
            joined = await bob.join("4050")
            await bob.socket.close(code=4050)
            back = await again.join("4050", resume=resume_of(joined, 0))
            assert back["self"]["member"] == joined["self"]["member"]

    run(check())


def test_too_much_is_a_gap(port):
    async def check():
        async with Client(port) as ada, Client(port) as bob, Client(port) as again:
            await ada.join("gap")
            joined = await bob.join("gap")
            bob.socket.transport.abort()
            for number in range(300):
                await ada.send(type="message", data=number)
            await ada.send(type="ping")
            await ada.until("pong")
            await again.join("gap", resume=resume_of(joined, 0))
            assert (await again.next("gap"))["missing"] == 300 - 256
            assert [(await again.next("message"))["data"] for _ in range(256)] == list(range(44, 300))

    run(check())


def test_a_restarted_server_knows_no_tokens(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports)

    async def join(resume=None):
        async with Client(ports.http) as client:
            return await client.join("restart", resume=resume)

    with Daemon(tmp_path, config, http_port=ports.http):
        before = run(join())
    with Daemon(tmp_path, config, http_port=ports.http):
        after = run(join(resume_of(before, 0)))
    assert "received" not in after and after["self"]["member"] != before["self"]["member"]


class RestlessMember:
    """Sends numbered messages over connections that are cut whenever chance says so, and keeps what it receives."""

    def __init__(self, port, room, chance):
        self.port, self.room, self.chance = port, room, chance
        self.joined = asyncio.Event()
        self.member, self.token, self.seq = None, None, 0
        self.unconfirmed, self.confirmed, self.sent = [], 0, 0
        self.received, self.connections = [], 0
        self.to = None
        self.answered = asyncio.Event()

    async def run(self):
        while self.sent < MESSAGES or self.unconfirmed or len(self.received) < MESSAGES:
            self.connections += 1
            try:
                # With a full queue this client would take ten seconds to notice that its connection is gone.
                async with Client(self.port, max_queue=None) as client:
                    await self.talk(client)
            except (websockets.ConnectionClosed, ConnectionError):
                continue

    async def talk(self, client):
        await client.next("welcome")
        resume = {"resume": {"token": self.token, "seq": self.seq}} if self.token else {}
        await client.send(type="join", room=self.room, **resume)
        cut_after = self.chance.randrange(1, 40)
        writer = None
        try:
            while cut_after > 0:
                message = await client.next()
                cut_after -= message["type"] != "pong"
                if message["type"] == "pong":
                    self.answered.set()
                self.seq = message.get("seq", self.seq)
                if "received" in message:
                    del self.unconfirmed[: message["received"] - self.confirmed]
                    self.confirmed = message["received"]
                if message["type"] == "joined":
                    self.on_joined(message)
                    for text in list(self.unconfirmed):
                        await client.socket.send(text)
                    writer = asyncio.create_task(self.write(client))
                assert message["type"] not in ("gap", "error"), message
                if message["type"] == "message":
                    self.received.append(message["data"])
                if len(self.received) == MESSAGES and self.sent == MESSAGES and not self.unconfirmed:
                    return
        finally:
            if writer:
                writer.cancel()
            client.socket.transport.abort()

    def on_joined(self, message):
        assert self.member in (None, message["self"]["member"]), "another member after a resume"
        self.member, self.token = message["self"]["member"], message["resume"]["token"]
        self.joined.set()

    async def write(self, client):
        await self.to.joined.wait()
        while True:
            if self.sent < MESSAGES:
                self.sent += 1
                text = json.dumps({"type": "message", "to": self.to.member, "data": self.sent})
                self.unconfirmed.append(text)
                await client.socket.send(text)
            if self.sent == MESSAGES or self.chance.random() < 0.2:
                self.answered.clear()
                await client.send(type="ping")  # the pong says what need not be kept
                await self.answered.wait()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_or_doubled_wherever_connections_break(port, seed):
    async def check():
        chance = random.Random(seed)
        ada, bob = (RestlessMember(port, f"restless {seed}", chance) for _ in range(2))
        ada.to, bob.to = bob, ada
        await asyncio.gather(ada.run(), bob.run())
        assert ada.received == bob.received == list(range(1, MESSAGES + 1))
        assert min(ada.connections, bob.connections) > 5

    run(check())
