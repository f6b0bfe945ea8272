# SPDX-License-Identifier: Apache-2.0
"""A member that sends everything back: sound, pictures, and what comes over data channels.

python3 echo_member.py wss://call.example.org/ws ROOM [TOKEN]    (Debian: python3-aiortc, python3-websockets)
"""
import asyncio
import json
import sys

import websockets
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp


class EchoMember:
    def __init__(self, socket):
        self.socket, self.configuration, self.connections = socket, None, {}

    def connect(self, member):
        connection = self.connections[member] = RTCPeerConnection(self.configuration)
        connection.on("track", connection.addTrack)
        connection.on("datachannel", lambda channel: channel.on("message", channel.send))
        return connection

    async def send_description(self, member, description):
        connection = self.connections[member]
        await connection.setLocalDescription(description)  # gathers: what is sent has all candidates in it
        description = connection.localDescription
        await self.socket.send(json.dumps({"type": description.type, "to": member, "sdp": description.sdp}))

    async def on_joined(self, message):
        self.configuration = RTCConfiguration([RTCIceServer(**server) for server in message["ice_servers"]])

    on_ice = on_joined  # fresh credentials, for the next connection: aiortc cannot restart ICE

    async def on_member_joined(self, message):  # who is in the room makes the offer
        connection = self.connect(message["member"])
        channel = connection.createDataChannel("echo")
        channel.on("message", channel.send)
        connection.addTransceiver("audio")  # no video as well: aiortc 1.4 numbers the extensions of both alike
        await self.send_description(message["member"], await connection.createOffer())

    async def on_offer(self, message):  # and the newcomer answers
        connection = self.connections.get(message["from"]) or self.connect(message["from"])
        await connection.setRemoteDescription(RTCSessionDescription(message["sdp"], "offer"))
        await self.send_description(message["from"], await connection.createAnswer())

    async def on_answer(self, message):
        answer = RTCSessionDescription(message["sdp"], "answer")
        await self.connections[message["from"]].setRemoteDescription(answer)

    async def on_candidate(self, message):
        for each in message.get("candidates") or [message.get("candidate")]:
            if each and each["candidate"]:  # otherwise: no more will come
                candidate = candidate_from_sdp(each["candidate"].removeprefix("candidate:"))
                candidate.sdpMid, candidate.sdpMLineIndex = each["sdpMid"], each["sdpMLineIndex"]
                await self.connections[message["from"]].addIceCandidate(candidate)

    async def on_member_left(self, message):
        if connection := self.connections.pop(message["member"], None):
            await connection.close()

    async def on_error(self, message):
        if self.configuration is None or message["fatal"]:  # it never came in, or is about to be out
            sys.exit(f"{message['code']}: {message['message']}")


async def main(url, room, token=None):
    async with websockets.connect(url, subprotocols=["causeway.v1"]) as socket:
        member = EchoMember(socket)
        await socket.send(json.dumps({"type": "join", "room": room, "name": "Echo", "token": token}))
        async for text in socket:
            message = json.loads(text)
            if handle := getattr(member, "on_" + message["type"].replace("-", "_"), None):
                await handle(message)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
