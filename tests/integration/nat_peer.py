# SPDX-License-Identifier: Apache-2.0
"""One aiortc peer as a process, for tests that put each one into a network of its own.

nat_peer.py ORIGIN ROOM [TURN_URI]: joins the room at ORIGIN and exchanges data channel messages with the other member,
with the STUN server and the credentials that the room gives. Prints how it went as one JSON object.
"""
import asyncio
import json
import ssl
import sys

import aioice.stun
import aiortc

from signaling_client import Client, run

aioice.stun.RETRY_MAX = 3  # gives up a check after 8 s instead of a minute


def configuration(joined, turn_uri=None):
    stun, turn = sorted(joined["ice_servers"], key=lambda server: "username" in server)
    servers = [aiortc.RTCIceServer(stun["urls"])]
    if turn_uri:
        servers.append(aiortc.RTCIceServer(turn_uri, turn["username"], turn["credential"]))
    return aiortc.RTCConfiguration(servers)


class Peer:
    """`ended` becomes the other one's text, or "failed"."""

    def __init__(self, client, ice_servers):
        self.client, self.pc = client, aiortc.RTCPeerConnection(ice_servers)
        self.ended = asyncio.get_running_loop().create_future()
        self.pc.on("iceconnectionstatechange", self._on_state)
        self.pc.on("datachannel", self._on_channel)

    def _end(self, result):
        if not self.ended.done():
            self.ended.set_result(result)

    def _on_state(self):
        if self.pc.iceConnectionState == "failed":
            self._end("failed")

    def _on_channel(self, channel):
        channel.on("message", lambda text: (channel.send("pong"), self._end(text)))

    async def offer(self):
        """To the member who comes, and leaves the room at the end."""
        newcomer = (await self.client.next("member-joined"))["member"]
        channel = self.pc.createDataChannel("chat")
        channel.on("open", lambda: channel.send("ping"))
        channel.on("message", self._end)
        try:
            await self.pc.setLocalDescription(await self.pc.createOffer())
        except aioice.stun.TransactionTimeout:  # by which aioice says that the TURN server does not answer
            self._end("failed")
        else:
            await self.client.send(type="offer", to=newcomer, sdp=self.pc.localDescription.sdp)
            answer = await self.client.next("answer")
            await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(answer["sdp"], "answer"))
        await self.ended
        await self.client.send(type="leave")

    async def answer(self):
        """Stays until the other one has left, who may still wait for the "pong"."""
        message = await self.client.next()
        if message["type"] == "offer":
            await self.pc.setRemoteDescription(aiortc.RTCSessionDescription(message["sdp"], "offer"))
            await self.pc.setLocalDescription(await self.pc.createAnswer())
            await self.client.send(type="answer", to=message["from"], sdp=self.pc.localDescription.sdp)
            await self.ended
            await self.client.until("member-left")
        else:
            self._end("failed")

    def result(self):
        """`pair` is the one that ICE chose: the types of the local and the remote candidate."""
        ice = self.pc.sctp and self.pc.sctp.transport.transport._connection
        pair = ice and ice._nominated.get(1)
        return {
            "text": self.ended.result(),
            "candidates": sorted({candidate.type for candidate in ice.local_candidates}) if ice else [],
            "pair": [pair.local_candidate.type, pair.remote_candidate.type] if pair else [],
        }


async def talk(origin, room, *turn_uri):
    context = ssl.create_default_context()  # which trusts SSL_CERT_FILE
    async with Client(server=origin, ssl=context) as client:
        joined = await client.join(room)
        peer = Peer(client, configuration(joined, *turn_uri))
        await (peer.answer() if joined["members"] else peer.offer())
        result = peer.result()
        await peer.pc.close()
        return result


print(json.dumps(run(talk(*sys.argv[1:]))))
