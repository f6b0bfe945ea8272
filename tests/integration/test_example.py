# SPDX-License-Identifier: Apache-2.0
"""The example of docs/examples in a room with an aiortc peer: it says everything back, whoever of the two was first."""
import asyncio
import subprocess
import sys
from contextlib import contextmanager

import aiortc
import pytest
from aiortc.mediastreams import AudioStreamTrack

from signaling_client import Client, run
from support import DEADLINE_SECONDS, ROOT, Daemon, Ports, clean_environment, relay_config

EXAMPLE = ROOT / "docs/examples/echo_member.py"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("example"), Ports()
    config = relay_config(folder, ports) | {"signaling": {"room_members_max": 2}}
    del config["turn"]["users"], config["turn"]["shared_secrets"]
    with Daemon(folder, config, http_port=ports.http):
        yield ports.http


@contextmanager
def example(port, room):
    """Runs it, and shows what it said when the test fails."""
    with subprocess.Popen(
        [sys.executable, EXAMPLE, f"ws://127.0.0.1:{port}/ws", room], env=clean_environment(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        except BaseException:
            process.kill()
            print(process.stdout.read())
            raise
        process.terminate()


class Ada:
    """The other member: `echoes` is complete when a text and a frame of sound have come back."""

    def __init__(self, client, joined):
        servers = [aiortc.RTCIceServer(**server) for server in joined["ice_servers"]]
        self.client, self.pc = client, aiortc.RTCPeerConnection(aiortc.RTCConfiguration(servers))
        self.came = {kind: asyncio.get_running_loop().create_future() for kind in ("text", "sound")}
        self.echoes = asyncio.gather(*self.came.values())
        self.pc.addTrack(AudioStreamTrack())
        self.pc.on("track", self._on_track)
        self.pc.on("datachannel", self._on_channel)

    async def _on_track(self, track):
        self.came["sound"].set_result(await track.recv())

    def _on_channel(self, channel):
        channel.on("message", self.came["text"].set_result)
        channel.send("hello")

    async def offer(self, member):
        channel = self.pc.createDataChannel("chat")
        channel.on("open", lambda: self._on_channel(channel))
        await self.pc.setLocalDescription(await self.pc.createOffer())
        await self.client.send(type="offer", to=member, sdp=self.pc.localDescription.sdp)
        answer = await self.client.next("answer")
        await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(answer["sdp"], "answer"))

    async def answer(self):
        offer = await self.client.next("offer")
        await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(offer["sdp"], "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        await self.client.send(type="answer", to=offer["from"], sdp=self.pc.localDescription.sdp)


async def call(port, room, *, ada_first):
    async with Client(port) as client:
        joined = await client.join(room)
        with example(port, room):
            member = (await client.next("member-joined"))["member"]
            if not ada_first:
                await client.send(type="leave")
                await client.until("left")
                await client.send(type="join", room=room)
                joined = await client.next("joined")
            ada = Ada(client, joined)
            try:
                await (ada.offer(member) if ada_first else ada.answer())
                text, sound = await asyncio.wait_for(ada.echoes, DEADLINE_SECONDS)
                return text, sound.sample_rate
            finally:
                await ada.pc.close()


@pytest.mark.parametrize("ada_first", [True, False], ids=["it answers", "it makes the offer"])
def test_text_and_sound_come_back(port, ada_first):
    assert run(call(port, f"echo {ada_first}", ada_first=ada_first)) == ("hello", 48000)


def test_it_says_why_it_cannot_enter(port):
    async def fill_the_room():
        async with Client(port) as one, Client(port) as two:
            await one.join("full")
            await two.join("full")
            with example(port, "full") as third:
                output, _ = await asyncio.to_thread(third.communicate, timeout=DEADLINE_SECONDS)
                return third.returncode, output

    code, output = run(fill_the_room())
    assert code == 1 and output.startswith("room-full: "), output
