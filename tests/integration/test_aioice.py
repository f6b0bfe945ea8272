# SPDX-License-Identifier: Apache-2.0
"""aioice, the ICE library of many Python programs, gets relayed candidates from us and talks through them."""
import asyncio

import aioice
import pytest
from aioice.ice import TransportPolicy

from support import DEADLINE_SECONDS, Daemon, Ports, relay_config, run_causeway

TRANSPORTS = ["udp", "tcp", "tls"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("aioice"), Ports()
    config = relay_config(folder, ports)
    with Daemon(folder, config, http_port=ports.http), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", config["tls"]["certificate"])  # aioice verifies, and has no option for it
        yield ports, folder


def connection(ports, transport, *, host="127.0.0.1", username="alice", password="wonderland", controlling=True):
    port = ports.tls if transport == "tls" else ports.turn
    return aioice.Connection(
        ice_controlling=controlling, turn_server=(host, port), turn_username=username, turn_password=password,
        turn_transport="udp" if transport == "udp" else "tcp", turn_ssl=transport == "tls",
        transport_policy=TransportPolicy.RELAY,
    )  # fmt: skip


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, DEADLINE_SECONDS))


async def gather(ice):
    await ice.gather_candidates()
    candidates = ice.local_candidates
    await ice.close()
    return candidates


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_relayed_candidate(server, transport):
    ports, _ = server
    candidates = run(gather(connection(ports, transport)))
    assert [(c.type, c.host) for c in candidates] == [("relay", "127.0.0.1")], candidates


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_two_peers_talk_through_their_relays(server, transport):
    ports, _ = server

    async def talk():
        a, b = connection(ports, transport), connection(ports, transport, controlling=False)
        for ice in (a, b):
            await ice.gather_candidates()
        for ice, other in ((a, b), (b, a)):
            for candidate in other.local_candidates:
                await ice.add_remote_candidate(candidate)
            await ice.add_remote_candidate(None)
            ice.remote_username, ice.remote_password = other.local_username, other.local_password
        await asyncio.gather(a.connect(), b.connect())
        await a.send(b"to b")
        await b.send(b"to a")
        received = await b.recv(), await a.recv()
        await asyncio.gather(a.close(), b.close())
        return received

    assert run(talk()) == (b"to b", b"to a")


def test_the_output_of_causeway_credential(server):
    ports, folder = server
    arguments = ["credential", "--config", folder / "causeway.json", "--user", "carol", "--ttl", "1h"]
    done = run_causeway(*arguments)
    assert done.returncode == 0, done.stderr
    made = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    candidates = run(gather(connection(ports, "udp", username=made["username"], password=made["password"])))
    assert [c.type for c in candidates] == ["relay"]


def test_a_wrong_password(server):
    ports, _ = server
    with pytest.raises(aioice.stun.TransactionFailed, match="401"):
        run(gather(connection(ports, "udp", password="guess")))
