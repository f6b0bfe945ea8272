# SPDX-License-Identifier: Apache-2.0
"""All attacks, with the configuration that each is about; where none is given everything is as it is by default."""
from collections.abc import Callable
from dataclasses import dataclass, field

import crowd
import dtls
import strangers
import streams
import turn

TOKEN_SECRET = "a secret that signs the tokens of this test"


@dataclass(frozen=True)
class Attack:
    name: str
    title: str
    function: Callable
    turn: dict = field(default_factory=dict)  # of the configuration
    signaling: dict = field(default_factory=dict)
    is_log_read: bool = True
    needs_tokens: bool = False


ATTACKS = [
    Attack("connections", "one address opens TCP connections and keeps each alive", streams.connections),
    Attack("memory", "64 addresses send HTTP bodies and TURN frames without their ends", streams.memory),
    Attack("new-address", "a user reaches for an address that the machine got later", turn.new_address,
           {"tcp_relay": True}),
    Attack("own-ports", "`turn.peers.allow` covers the server's own address", turn.own_ports,
           {"tcp_relay": True, "peers": {"allow": ["10.20.0.0/16"]}}),
    Attack("log", "WebSockets come and go while nobody reads the log", strangers.log, is_log_read=False),
    Attack("resume-pool", "members of two addresses go away, and much is kept for them", strangers.resume_pool),
    Attack("tokens", "one address presents bad tokens", strangers.tokens,
           signaling={"tokens": {"keys": [{"algorithm": "HS256", "secret": TOKEN_SECRET}]}}, needs_tokens=True),
    Attack("dtls", "eight IPv4 addresses and an IPv6 /56 leave DTLS handshakes half-open", dtls.half_open),
    Attack("tls", "one address sends ClientHellos as fast as it can", streams.tls),
    Attack("passwords", "one TCP connection pipelines wrong passwords", turn.passwords),
    Attack("crowd", "no attack: 200 users behind one IPv4 address and 200 in one /64 come at once", crowd.crowd),
]  # fmt: skip
