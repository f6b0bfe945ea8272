# SPDX-License-Identifier: Apache-2.0
"""Two aiortc peers meet in a room through /ws and exchange data channel messages, through the relay alone."""
import asyncio
import functools

import aiortc
import pytest
from aioice.ice import Connection, TransportPolicy

from signaling_client import Client, run
from support import Daemon, Ports, relay_config


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("aiortc"), Ports()
    config = relay_config(folder, ports)
    del config["turn"]["users"], config["turn"]["shared_secrets"]
    with Daemon(folder, config, http_port=ports.http), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", config["tls"]["certificate"])
        # aiortc has no iceTransportPolicy; its ICE library has.
        relayed_only = functools.partial(Connection, transport_policy=TransportPolicy.RELAY)
        patch.setattr("aiortc.rtcicetransport.Connection", relayed_only)
        yield ports.http


def peer_connection(joined, prefix, suffix):
    """With the one URI of the room's ICE servers that begins and ends so; aiortc uses only the first it can."""
    servers = []
    for server in joined["ice_servers"]:
        urls = [server["urls"]] if isinstance(server["urls"], str) else server["urls"]
        chosen = [url for url in urls if url.startswith(prefix) and url.endswith(suffix)]
        servers += [
            aiortc.RTCIceServer(urls=url, username=server["username"], credential=server["credential"])
            for url in chosen
        ]
    assert servers, joined["ice_servers"]
    return aiortc.RTCPeerConnection(aiortc.RTCConfiguration(iceServers=servers))


def relay_candidates_only(sdp):
    candidates = [line for line in sdp.splitlines() if line.startswith("a=candidate:")]
    return bool(candidates) and all(" typ relay" in line for line in candidates)


async def call(port, prefix, suffix):
    """Bob sends "ping", Ada answers "pong". Returns what came and the types of the candidates that were nominated."""
    room = f"aiortc {prefix}{suffix}"
    async with Client(port) as ada, Client(port) as bob:
        ada_pc = peer_connection(await ada.join(room), prefix, suffix)
        bob_pc = peer_connection(await bob.join(room), prefix, suffix)
        pong = asyncio.get_running_loop().create_future()
        try:
            # The member who was there first makes the offer.
            newcomer = (await ada.next("member-joined"))["member"]
            channel = ada_pc.createDataChannel("chat")
            channel.on("message", lambda text: channel.send("pong") if text == "ping" else None)
            await ada_pc.setLocalDescription(await ada_pc.createOffer())
            await ada.send(type="offer", to=newcomer, sdp=ada_pc.localDescription.sdp)

            @bob_pc.on("datachannel")
            def on_datachannel(channel):
                channel.on("message", pong.set_result)
                channel.send("ping")

            offer = await bob.next("offer")
            assert relay_candidates_only(offer["sdp"]), offer["sdp"]
            await bob_pc.setRemoteDescription(aiortc.RTCSessionDescription(offer["sdp"], "offer"))
            await bob_pc.setLocalDescription(await bob_pc.createAnswer())
            await bob.send(type="answer", to=offer["from"], sdp=bob_pc.localDescription.sdp)

            answer = await ada.next("answer")
            assert relay_candidates_only(answer["sdp"]), answer["sdp"]
            await ada_pc.setRemoteDescription(aiortc.RTCSessionDescription(answer["sdp"], "answer"))
            text = await pong
            return text, [nominated_type(pc) for pc in (ada_pc, bob_pc)]
        finally:
            await asyncio.gather(ada_pc.close(), bob_pc.close())


def nominated_type(pc):
    return pc.sctp.transport.transport._connection._nominated[1].local_candidate.type


@pytest.mark.parametrize(("prefix", "suffix"), [("turn:", "transport=udp"), ("turn:", "transport=tcp"),
                                                ("turns:", "transport=tcp")], ids=["udp", "tcp", "tls"])
def test_data_channel_messages_through_the_relay(port, prefix, suffix):
    assert run(call(port, prefix, suffix)) == ("pong", ["relay", "relay"])
