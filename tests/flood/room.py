# SPDX-License-Identifier: Apache-2.0
"""An honest room: two members write to each other, a third loses its connection again and again and comes back."""
import asyncio
import contextlib
import json
import logging
import time

from place import HTTPS, SERVER, honest_addresses
from samples import Sample
from signaling_client import Client
from support import tls_context

PER_SECOND = 10  # messages of each of the two: what is kept for a member who is away is enough for 12 s
ROOM = "tea"
# Longer away than present: what it has seen and not acknowledged makes room for what has to be kept.
PRESENT_SECONDS, AWAY_SECONDS = 0.5, 1.5


def visitor(source):
    """A WebSocket over TLS from this address, as a browser's."""
    return Client(
        server=f"wss://{SERVER}:{HTTPS}", ssl=tls_context(False), local_addr=(source, 0), open_timeout=None,
        close_timeout=1, ping_interval=None,
    )  # fmt: skip


@contextlib.asynccontextmanager
async def lost_in_the_end(client):
    """`async with lost_in_the_end(visitor(source)) as member:` its connection ends without a goodbye."""
    await client.__aenter__()
    try:
        yield client
    finally:
        client.socket.transport.abort()
        await client.socket.wait_closed()


def join_options(target):
    return {"token": target.token} if target.token else {}


class Room:
    def __init__(self, control, target):
        self.control, self.target = control, target
        self.samples, self.missing = [], {}
        self.kept = set()  # numbers that the third member has to have seen in the end
        self.given_up = 0  # of them, as the server said
        self.is_over = False

    async def talk(self):
        addresses = honest_addresses()
        async with visitor(next(addresses)) as ada, visitor(next(addresses)) as bob:
            for member in (ada, bob):
                await member.join(ROOM, **join_options(self.target))
            receivers = [asyncio.create_task(self.receive(member)) for member in (ada, bob)]
            third = asyncio.create_task(self.come_and_go(next(addresses)))
            self.control.ready()
            await self.write(ada, bob)
            self.is_over = True
            await third
            deadline = time.monotonic() + self.target.patience
            while self.missing and time.monotonic() < deadline:
                await asyncio.sleep(0.05)
            for receiver in receivers:
                receiver.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await receiver
        return self.samples

    async def write(self, ada, bob):
        due = time.monotonic()
        while not self.control.is_over():
            for member in (ada, bob):
                number = len(self.samples)
                self.samples.append(Sample(due, None, "message"))
                self.missing[number] = self.samples[number]
                self.kept.add(number)
                try:
                    await asyncio.wait_for(member.send(type="message", data=number), self.target.patience)
                except Exception as error:
                    self.samples[number].why = f"cannot be sent: {error!r}"
            due += 1 / PER_SECOND
            await asyncio.sleep(max(0, due - time.monotonic()))

    async def receive(self, member):
        try:
            async for text in member.socket:
                message = json.loads(text)
                sample = self.missing.pop(message["data"], None) if message["type"] == "message" else None
                if sample:
                    sample.seconds = time.monotonic() - sample.at
        except Exception as error:
            self.failed("message", f"a member lost its connection: {error!r}")

    def failed(self, what, why):
        self.samples.append(Sample(time.monotonic(), None, what, why))

    async def come_and_go(self, source):
        """Visit after visit; the last one lasts until everything has come that was sent since the first."""
        resume, seen, is_last = None, set(), False
        while not is_last:
            is_last = self.is_over
            sample = Sample(time.monotonic(), None, "resume")
            seconds = self.target.patience if is_last else PRESENT_SECONDS
            try:
                resume = await asyncio.wait_for(
                    self.visit(source, resume, seen, sample, seconds, is_last), self.target.patience + seconds
                )
            except Exception as error:
                sample.seconds, sample.why = None, repr(error)
            self.samples.append(sample)
            await asyncio.sleep(0 if is_last else AWAY_SECONDS)
        if self.lacks_any(seen):
            absent = min(number for number in self.kept - seen if number > min(seen))
            self.samples.append(Sample(self.samples[absent].at, None, "resume", "messages never came"))

    def lacks_any(self, seen):
        """Whether something has not come since the first message that did, and no gap was announced for it."""
        return seen and sum(number > min(seen) for number in self.kept - seen) > self.given_up

    async def visit(self, source, resume, seen, sample, seconds, is_last):
        """Joins or resumes, stays for so long and loses its connection; returns what to resume with the next time."""
        async with lost_in_the_end(visitor(source)) as member:
            joined = await member.join(ROOM, **join_options(self.target), **({"resume": resume} if resume else {}))
            if resume and "received" not in joined:
                sample.why = "its place was gone: it is a new member"
            else:
                sample.seconds = time.monotonic() - sample.at
            seq = resume["seq"] if resume and "received" in joined else 0
            leaves = time.monotonic() + seconds
            while (left := leaves - time.monotonic()) > 0 and (self.lacks_any(seen) or not is_last):
                try:
                    message = await asyncio.wait_for(member.next(), left)
                except asyncio.TimeoutError:
                    break
                seq = max(seq, message.get("seq", 0))
                if message["type"] == "message":
                    seen.add(message["data"])
                elif message["type"] == "gap":
                    sample.seconds, sample.why = None, f"gap: {message['missing']} messages are lost"
                    self.given_up += message["missing"]
        return {"token": joined["resume"]["token"], "seq": seq}


def run(control, target):
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # tasks of connections that were lost on purpose
    return asyncio.run(Room(control, target).talk())
