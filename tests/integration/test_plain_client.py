# SPDX-License-Identifier: Apache-2.0
"""The clients of tutorials: no join, nothing but offers, answers and candidates."""
import json

import pytest

from signaling_client import Client, run
from support import Daemon, Ports, relay_config


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("plain"), Ports()
    with Daemon(folder, relay_config(folder, ports), http_port=ports.http):
        yield ports.http


def test_an_offer_reaches_the_other_one(port):
    async def check():
        async with Client(port, "/ws?room=x") as a, Client(port, "/ws?room=x") as b:
            await a.next("ready")
            await a.send(type="offer", sdp="v=0")
            offer = await b.until("offer")
            assert offer["sdp"] == "v=0" and offer["from"]
            await b.send(type="answer", sdp={"type": "answer", "sdp": "v=0"})
            assert (await a.next("answer"))["sdp"] == {"type": "answer", "sdp": "v=0"}
            await b.send(type="candidate", candidate=None)
            assert (await a.next("candidate"))["candidate"] is None

    run(check())


def test_what_is_relayed_arrives_byte_for_byte(port):
    candidate = '{"candidate":"a\\u002Fb","sdpMLineIndex":0.0,"more":[1e400,{}]}'

    async def check():
        async with Client(port, "/ws?room=bytes") as a, Client(port, "/ws?room=bytes") as b:
            await a.next("ready")
            await a.socket.send('{"type":"candidate","candidate":' + candidate + "}")
            assert candidate in await b.text()

    run(check())


def test_without_a_room_the_first_offer_chooses_the_default_one(port):
    async def check():
        async with Client(port) as a, Client(port) as b:
            await a.send(type="offer", sdp="first")  # nobody else is there yet
            await a.send(type="ping")
            await a.until("pong")  # nor has come before it was taken
            await b.send(type="offer", sdp="second")
            assert (await a.until("offer"))["sdp"] == "second"

    run(check())


def test_rooms_are_separate_and_meet_normal_clients(port):
    async def check():
        async with Client(port, "/ws?room=one") as plain, Client(port, "/ws?room=two") as other, Client(port) as normal:
            joined = await normal.join("one")
            assert len(joined["members"]) == 1
            await plain.next("ready")
            await plain.send(type="offer", sdp="to one")
            offer = await normal.next("offer")
            assert offer["sdp"] == "to one" and offer["from"] == joined["members"][0]["member"]
            await other.send(type="ping")
            assert json.loads(await other.text())["type"] == "pong"  # and nothing before it

    run(check())
