# SPDX-License-Identifier: Apache-2.0
"""Two hundred well-behaved users behind one IPv4 address and in one IPv6 /64, who all come at once."""
import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from newcomers import UDP_RELAY, Refused
from place import HTTPS, REALM, SERVER, SERVER6, TURN, TURN_TLS
from room import Client, join_options
from streams import raise_descriptor_limit
from stun_client import ALLOCATE, StunClient
from support import http_get, tls_context

USERS = 200
USERS_PER_ROOM = 10


def source_of(number, family):
    return "5.6.254.1" if family == 4 else f"2400:6:0:1::{number + 1:x}"


def load_page(host, source, seconds):
    status, _, _ = http_get(HTTPS, "/", host, tls=False, source=source, seconds=seconds)
    if status != 200:
        raise Refused(f"GET / is answered with {status}")


def allocate(transport, host, source, user, seconds):
    port = TURN_TLS if transport == "tls" else TURN
    client = StunClient(port, transport, host, user, REALM, source=source, seconds=seconds)
    answer = client.request(ALLOCATE, [UDP_RELAY])
    if not answer.success:
        raise Refused(f"Allocate over {transport} is answered with {answer.error}")
    return client


class User:
    def __init__(self, number, family, pool, target):
        self.host = SERVER if family == 4 else SERVER6
        self.name, self.source = f"{number} IPv{family}", source_of(number, family)
        self.room = f"crowd {family} {number // USERS_PER_ROOM}"
        self.pool, self.target, self.kept = pool, target, []

    async def elsewhere(self, function, *arguments):
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)

    async def come(self, everyone_is_there):
        """Loads the page, joins, allocates over UDP, TCP and TLS, and stays until all others have."""
        patience, host = self.target.patience, f"[{self.host}]" if ":" in self.host else self.host
        await self.elsewhere(load_page, self.host, self.source, patience)
        async with Client(
            server=f"wss://{host}:{HTTPS}", ssl=tls_context(False), local_addr=(self.source, 0), open_timeout=patience,
            close_timeout=1, ping_interval=None,
        ) as member:  # fmt: skip
            joined = await member.join(self.room, **join_options(self.target))
            turn = next(each for each in joined["ice_servers"] if "credential" in each)
            user = (turn["username"], turn["credential"])
            for transport in ("udp", "tcp", "tls"):
                client = await self.elsewhere(allocate, transport, self.host, self.source, user, patience)
                self.kept.append(client)
            await everyone_is_there()
        for client in self.kept:
            client.__exit__()


async def all_come(target):
    failures, served, all_served = Counter(), [], asyncio.Event()
    began, expected = time.monotonic(), 2 * USERS

    async def everyone_is_there():
        served.append(time.monotonic() - began)
        if len(served) + failures.total() == expected:
            all_served.set()
        await all_served.wait()

    async def one(user):
        try:
            await user.come(everyone_is_there)
        except Exception as error:
            failures[f"{type(error).__name__}: {error}"] += 1
            if len(served) + failures.total() >= expected:
                all_served.set()

    with ThreadPoolExecutor(max_workers=64) as pool:
        await asyncio.gather(*(one(User(n, family, pool, target)) for n in range(USERS) for family in (4, 6)))
    within = f", the last after {max(served):.1f} s" if served else ""
    text = f"{len(served)} of {expected} users are served{within}"
    if failures:
        text = f"BREACH: {text}: " + "; ".join(f"{why} ({count}×)" for why, count in failures.most_common(4))
    return text


def crowd(target):
    raise_descriptor_limit()
    return asyncio.run(all_come(target))
