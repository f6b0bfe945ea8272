# SPDX-License-Identifier: Apache-2.0
"""A WebSocket to /ws that speaks JSON and waits for the messages it is asked for."""
import asyncio
import json

import websockets

from support import DEADLINE_SECONDS


class Client:
    """`async with Client(port) as client:` is connected; with `path` as a plain client, for example /ws?room=tea.

    `server` is where the daemon is reached when that isn't a port on this machine: wss://call.example.org.
    """

    def __init__(self, port=None, path="/ws", server=None, **options):
        server = server or f"{'wss' if options.get('ssl') else 'ws'}://127.0.0.1:{port}"
        self.connecting = websockets.connect(server + path, **options)

    async def __aenter__(self):
        self.socket = await self.connecting.__aenter__()
        return self

    async def __aexit__(self, *exception):
        await self.connecting.__aexit__(*exception)

    async def send(self, **message):
        await self.socket.send(json.dumps(message))

    async def text(self):
        """The next frame as it came."""
        return await asyncio.wait_for(self.socket.recv(), DEADLINE_SECONDS)

    async def next(self, kind=None):
        """The next message, which has to be of this type."""
        message = json.loads(await self.text())
        assert kind is None or message["type"] == kind, message
        return message

    async def until(self, kind):
        """The next message of this type; others before it are left out."""
        while (message := await self.next())["type"] != kind:
            pass
        return message

    async def join(self, room, **more):
        """Joins as the first thing on this connection and returns the `joined` message."""
        await self.next("welcome")
        await self.send(type="join", room=room, **more)
        return await self.next("joined")

    async def closed(self):
        """Waits for the server to close and returns its close code."""
        await asyncio.wait_for(self.socket.wait_closed(), DEADLINE_SECONDS)
        return self.socket.close_code


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 2 * DEADLINE_SECONDS))
