# SPDX-License-Identifier: Apache-2.0
"""The protocol of docs/signaling-protocol.md on a real WebSocket."""
import asyncio

import pytest
import websockets

from signaling_client import Client, run
from support import Daemon, Ports, http_get, relay_config

MEMBERS_MAX = 3
MESSAGE_BYTES_MAX = 4096


def config_of(folder, ports):
    return relay_config(folder, ports) | {
        "signaling": {
            "room_members_max": MEMBERS_MAX,
            "message_bytes_max": MESSAGE_BYTES_MAX,
            "origins": ["https://app.example"],
            "resume_grace_seconds": 1,
        }
    }


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("signaling"), Ports()
    with Daemon(folder, config_of(folder, ports), http_port=ports.http):
        yield ports


@pytest.fixture(scope="module")
def port(ports):
    return ports.http


def test_welcome_comes_first(port):
    async def check():
        async with Client(port) as client:
            welcome = await client.next("welcome")
            assert welcome["protocol"] == 1 and welcome["message_bytes_max"] == MESSAGE_BYTES_MAX
            assert welcome["ping_seconds"] > 0 and isinstance(welcome["features"], list)

    run(check())


def test_the_subprotocol_is_offered(port):
    async def check():
        async with Client(port, subprotocols=["other", "causeway.v1"]) as client:
            assert client.socket.subprotocol == "causeway.v1"

    run(check())


def test_join_and_presence(port):
    async def check():
        async with Client(port) as ada, Client(port) as bob:
            first = await ada.join("presence", name="Ada", id=7)
            assert first["id"] == 7 and first["room"] == "presence" and first["members"] == []
            second = await bob.join("presence", name="Bob")
            assert [member["name"] for member in second["members"]] == ["Ada"]
            assert second["self"]["polite"] is True and second["self"]["member"] != first["self"]["member"]
            came = await ada.next("member-joined")
            assert (came["member"], came["name"], came["seq"]) == (second["self"]["member"], "Bob", 1)
            await bob.send(type="leave")
            await bob.next("left")
            left = await ada.next("member-left")
            assert (left["member"], left["reason"], left["seq"]) == (second["self"]["member"], "left", 2)

    run(check())


def test_a_connection_that_ends_is_a_member_lost_or_left(port):
    async def check():
        async with Client(port) as ada, Client(port) as bob, Client(port) as eve:
            await ada.join("ends")
            await bob.join("ends")
            await eve.join("ends")
            await bob.socket.close()
            assert (await ada.until("member-left"))["reason"] == "left"
            eve.socket.transport.abort()
            assert (await ada.until("member-left"))["reason"] == "lost"

    run(check())


def test_the_first_member_moderates_and_the_next_one_follows(port):
    async def check():
        async with Client(port) as ada, Client(port) as bob:
            assert (await ada.join("roles"))["self"]["role"] == "moderator"
            joined = await bob.join("roles")
            assert joined["self"]["role"] == "member"
            await ada.send(type="leave")
            changed = await bob.until("role-changed")
            assert (changed["member"], changed["role"]) == (joined["self"]["member"], "moderator")

    run(check())


def test_messages_keep_their_order_and_reach_whom_they_name(port):
    async def check():
        async with Client(port) as ada, Client(port) as bob, Client(port) as eve:
            await ada.join("order")
            to_bob = (await bob.join("order"))["self"]["member"]
            await eve.join("order")
            for number in range(200):
                await ada.send(type="message", to=to_bob, data=number)
            await ada.send(type="message", data="for all")
            got = [await bob.until("message") for _ in range(201)]
            assert [message["data"] for message in got] == [*range(200), "for all"]
            assert [message["seq"] for message in got] == list(range(got[0]["seq"], got[0]["seq"] + 201))
            assert (await eve.until("message"))["data"] == "for all"

    run(check())


def test_ice_servers_name_the_listeners_udp_first(ports):
    async def check():
        async with Client(ports.http) as client:
            joined = await client.join("tea")
            relays = []
            for server in joined["ice_servers"]:
                urls = [server["urls"]] if isinstance(server["urls"], str) else server["urls"]
                if urls[0].startswith("turn"):
                    relays += urls
                    assert server["credential"] and "tea" not in server["username"]  # the room's name stays private
            assert relays[0] == f"turn:127.0.0.1:{ports.turn}?transport=udp", relays
            assert f"turn:127.0.0.1:{ports.turn}?transport=tcp" in relays
            assert f"turns:127.0.0.1:{ports.tls}?transport=tcp" in relays
            await client.send(type="ice", id="again")
            fresh = await client.next("ice")
            assert fresh["id"] == "again" and fresh["ice_servers"]

    run(check())


@pytest.mark.parametrize(("message", "code"), [
    ({"type": "offer", "sdp": "x", "from": "somebody"}, "bad-message"),
    ({"type": "offer", "sdp": "x", "seq": 1}, "bad-message"),
    ({"type": "offer"}, "bad-message"),
    ({"type": "dance"}, "unknown-type"),
    ({"type": "join", "room": "again"}, "already-joined"),
    ({"type": "offer", "to": "nobody", "sdp": "x"}, "no-such-member"),
    ({"no": "type"}, "bad-message"),
])  # fmt: skip
def test_errors_in_a_room(port, message, code):
    async def check():
        async with Client(port) as client:
            await client.join(f"errors {code}")
            await client.send(**message, id="it")
            error = await client.next("error")
            assert (error["code"], error["id"], error["fatal"]) == (code, "it", False) and error["message"]
            await client.send(type="ping")
            await client.next("pong")

    run(check())


def test_errors_before_a_room(port):
    async def check():
        async with Client(port) as client:
            await client.next("welcome")
            await client.send(type="message", data=1)
            assert (await client.next("error"))["code"] == "not-joined"
            await client.send(type="join", room="")
            assert (await client.next("error"))["code"] == "bad-room"
            await client.send(type="join", room="fine", name="\u0007")
            assert (await client.next("error"))["code"] == "bad-name"
            await client.send(type="join", room="fine")
            await client.next("joined")

    run(check())


def test_a_room_that_is_full(port):
    async def check():
        clients = [Client(port) for _ in range(MEMBERS_MAX + 1)]
        try:
            for client in clients:
                await client.__aenter__()
            for client in clients[:-1]:
                await client.join("full")
            await clients[-1].next("welcome")
            await clients[-1].send(type="join", room="full")
            assert (await clients[-1].next("error"))["code"] == "room-full"
        finally:
            for client in clients:
                await client.__aexit__(None, None, None)

    run(check())


@pytest.mark.parametrize(("frame", "close_code"), [
    ("not json", 1007),
    ('{"type":"ping"', 1007),
    (b"binary", 1003),
    ('{"type":"message","data":"' + "x" * 2 * MESSAGE_BYTES_MAX + '"}', 1009),
], ids=["not-json", "half", "binary", "too-big"])  # fmt: skip
def test_frames_that_end_the_connection(port, frame, close_code):
    async def check():
        async with Client(port) as client:
            await client.next("welcome")
            await client.socket.send(frame)
            assert await client.closed() == close_code

    run(check())


def test_a_connection_that_does_not_join_is_closed(port):
    async def check():
        async with Client(port) as client:
            await client.next("welcome")
            bye = await client.next("bye")
            assert (bye["action"], bye["reason"]) == ("stop", "join-deadline")
            assert await client.closed() == 4000

    run(check())


def test_other_origins_are_refused(port):
    async def connect(origin):
        async with Client(port, origin=origin) as client:
            await client.next("welcome")

    run(connect(f"http://127.0.0.1:{port}"))
    run(connect("https://app.example"))
    with pytest.raises(websockets.InvalidHandshake, match="403"):
        run(connect("https://elsewhere.example"))


def test_a_plain_get_of_the_websocket_says_what_it_is(port):
    status, _, body = http_get(port, "/ws")
    assert status in (400, 426) and b"WebSocket" in body


def test_bye_when_the_server_stops(tmp_path):
    ports = Ports()
    with Daemon(tmp_path, config_of(tmp_path, ports), http_port=ports.http) as daemon:

        async def check():
            async with Client(ports.http) as joined, Client(ports.http) as new:
                await joined.join("bye")
                await new.next("welcome")
                daemon.terminate()
                for client in (joined, new):
                    bye = await client.next("bye")
                    assert (bye["action"], bye["reason"]) == ("rejoin", "going-away")
                assert await asyncio.gather(joined.closed(), new.closed()) == [1001, 1001]

        run(check())
