# SPDX-License-Identifier: Apache-2.0
"""signaling.end_allocations_with_member: what a member has allocated ends when it has gone for good, on all workers."""
import asyncio
from contextlib import ExitStack

import pytest

from signaling_client import Client, run
from stun_client import ALLOCATE, REFRESH, REQUESTED_TRANSPORT, StunClient
from support import Daemon, Ports, relay_config

UDP = (REQUESTED_TRANSPORT, b"\x11\0\0\0")
ALLOCATIONS = 8  # of each member: with 4 workers, nearly always of several
MISMATCH = 437  # there is no such allocation


def allocations_of(joined, ports, stack):
    (entry,) = [entry for entry in joined["ice_servers"] if "username" in entry]
    user = (entry["username"], entry["credential"])
    clients = [stack.enter_context(StunClient(ports.turn, user=user)) for _ in range(ALLOCATIONS)]
    for client in clients:
        answer = client.request(ALLOCATE, [UDP])
        assert answer.success, answer.error
    return clients


def errors(clients):
    return [client.request(REFRESH).error for client in clients]


async def until_ended(clients):
    """Workers are told by a message: the first refreshes may come before it."""
    while any(error != MISMATCH for error in errors(clients)):
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("workers", [1, 4])
def test_they_end_with_the_member_and_not_before(tmp_path, workers):
    ports = Ports()
    signaling = {"end_allocations_with_member": True, "resume_grace_seconds": 2}
    config = relay_config(tmp_path, ports, workers=workers) | {"signaling": signaling}

    async def talk(stack):
        async with Client(ports.http) as ada:
            adas = allocations_of(await ada.join("tea"), ports, stack)
            bob = Client(ports.http)
            await bob.__aenter__()
            joined = await bob.join("tea")
            bobs = allocations_of(joined, ports, stack)
            bob.socket.transport.abort()  # lost: it may come back
            async with Client(ports.http) as again:
                await again.next("welcome")
                await again.send(type="join", room="tea", resume={"token": joined["resume"]["token"], "seq": 0})
                assert "received" in await again.next("joined")
                assert errors(bobs) == [0] * ALLOCATIONS
                await again.send(type="leave")
                await again.until("left")
                await until_ended(bobs)
            assert errors(adas) == [0] * ALLOCATIONS, "nobody else's"

            async with Client(ports.http) as eve:
                eves = allocations_of(await eve.join("tea"), ports, stack)
                await ada.until("member-joined")
                eve.socket.transport.abort()
                while (await ada.until("member-left"))["reason"] != "lost":
                    pass
                await until_ended(eves)
        await until_ended(adas)

    with Daemon(tmp_path, config, http_port=ports.http) as daemon, ExitStack() as stack:
        run(talk(stack))
        assert daemon.log.count("credential revoked") == 3 * ALLOCATIONS


def test_they_live_on_by_default(tmp_path):
    ports = Ports()

    async def talk(stack):
        async with Client(ports.http) as ada:
            adas = allocations_of(await ada.join("tea"), ports, stack)
            await ada.send(type="leave")
            await ada.until("left")
        assert errors(adas) == [0] * ALLOCATIONS

    with Daemon(tmp_path, relay_config(tmp_path, ports), http_port=ports.http), ExitStack() as stack:
        run(talk(stack))
