# SPDX-License-Identifier: Apache-2.0
"""A member's credentials are worth nothing without the member, on all workers (signaling.end_allocations_with_member)."""
import asyncio
import base64
import hmac
import time
from contextlib import ExitStack

import pytest

from signaling_client import Client, run
from stun_client import ALLOCATE, REFRESH, REQUESTED_TRANSPORT, StunClient
from support import Daemon, Ports, relay_config

UDP = (REQUESTED_TRANSPORT, b"\x11\0\0\0")
ALLOCATIONS = 8  # of each member: with 4 workers, nearly always of several
UNAUTHENTICATED = 401


def credential_of(joined):
    (entry,) = [entry for entry in joined["ice_servers"] if "username" in entry]
    return entry["username"], entry["credential"]


def answers_to(user, ports, stack, count=ALLOCATIONS):
    """Clients, and what each got for its Allocate."""
    clients = [stack.enter_context(StunClient(ports.turn, user=user)) for _ in range(count)]
    return clients, [client.request(ALLOCATE, [UDP]).error for client in clients]


def allocations_of(joined, ports, stack, count=ALLOCATIONS):
    clients, errors_of_allocate = answers_to(credential_of(joined), ports, stack, count)
    assert errors_of_allocate == [0] * count
    return clients


def errors(clients):
    return [client.request(REFRESH).error for client in clients]


@pytest.mark.parametrize("workers", [1, 4])
def test_they_end_with_the_member_and_not_before(tmp_path, workers):
    ports = Ports()
    config = relay_config(tmp_path, ports, workers=workers) | {"signaling": {"resume_grace_seconds": 2}}
    refused = [UNAUTHENTICATED] * ALLOCATIONS

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
                assert errors(bobs) == refused
                assert answers_to(credential_of(joined), ports, stack)[1] == refused, "and no new ones"
            assert errors(adas) == [0] * ALLOCATIONS, "nobody else's"

            async with Client(ports.http) as eve:
                joined = await eve.join("tea")
                eves = allocations_of(joined, ports, stack)
                await ada.until("member-joined")
                eve.socket.transport.abort()
                while (await ada.until("member-left"))["reason"] != "lost":
                    pass
                assert errors(eves) == refused
                assert answers_to(credential_of(joined), ports, stack)[1] == refused
            assert errors(adas) == [0] * ALLOCATIONS

    with Daemon(tmp_path, config, http_port=ports.http) as daemon, ExitStack() as stack:
        run(talk(stack))
        # Workers are told by a message.
        daemon.wait_for_line("(?s)" + "credential revoked.*?" * (3 * ALLOCATIONS))


def test_who_joins_is_never_refused(tmp_path):
    """No worker asks for a member later than the member for a relay."""
    ports = Ports()

    async def talk(stack):
        for round_ in range(30):
            async with Client(ports.http) as member:
                allocations_of(await member.join(f"room {round_}"), ports, stack, count=4)

    with Daemon(tmp_path, relay_config(tmp_path, ports, workers=4), http_port=ports.http), ExitStack() as stack:
        run(talk(stack))


def test_a_credential_ends_with_the_daemon_that_made_it(tmp_path):
    """Its secret stays, but the member has gone. Who joins again has another name, and others' names stay good."""
    ports = Ports()
    secret = "north of the bridge"
    config = relay_config(tmp_path, ports, shared_secrets=[secret])
    name = f"{int(time.time()) + 3600}:app/alice"  # made by a service that knows the secret
    service = (name, base64.b64encode(hmac.digest(secret.encode(), name.encode(), "sha1")).decode())

    async def join():
        async with Client(ports.http) as member:
            joined = await member.join("tea")
            with ExitStack() as stack:
                allocations_of(joined, ports, stack, count=1)
            return credential_of(joined)

    with Daemon(tmp_path, config, http_port=ports.http):
        former = run(join())
    with Daemon(tmp_path, config, http_port=ports.http), ExitStack() as stack:
        assert answers_to(former, ports, stack, 2)[1] == [UNAUTHENTICATED] * 2
        run(join())
        assert answers_to(service, ports, stack, 2)[1] == [0, 0]


def test_they_live_on_where_the_operator_says_so(tmp_path):
    ports = Ports()
    config = relay_config(tmp_path, ports) | {"signaling": {"end_allocations_with_member": False}}

    async def talk(stack):
        async with Client(ports.http) as ada:
            joined = await ada.join("tea")
            adas = allocations_of(joined, ports, stack)
            await ada.send(type="leave")
            await ada.until("left")
        assert errors(adas) == [0] * ALLOCATIONS
        allocations_of(joined, ports, stack)

    with Daemon(tmp_path, config, http_port=ports.http), ExitStack() as stack:
        run(talk(stack))
