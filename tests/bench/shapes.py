# SPDX-License-Identifier: Apache-2.0
"""The shapes of load that `./dev bench relay` knows, and what is expected of each."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """`at_least` and `aim_at`: packets per CPU-second as a multiple of coturn's (`-m 1`); None: nothing is promised."""

    name: str
    title: str
    load: str  # arguments of relay_load
    at_least: float | None = None
    aim_at: float | None = None
    bare: bool = True  # whether the bare forwarder can do it


_BURSTS = "--flows 10 --payload 1200 --burst 8"
_OFFLOADS = f"{_BURSTS} --segment --coalesce"

SHAPES = [
    Shape("c2p-100", "UDP 160 B, 100 flows, client→peer", "--shape c2p", 1.15, 1.25),
    Shape("p2c-100", "UDP 160 B, 100 flows, peer→client", "--shape p2c", 1.20, 1.30),
    Shape("c2p-1000", "UDP 160 B, 1,000 flows, client→peer", "--shape c2p --flows 1000", 1.25, 1.40),
    Shape("p2c-1000", "UDP 160 B, 1,000 flows, peer→client", "--shape p2c --flows 1000", 1.35, 1.50),
    Shape("c2p-bursts", "UDP 1200 B, 10 flows, bursts of 8, client→peer", f"--shape c2p {_BURSTS}", 1.30, 1.45),
    Shape("p2c-bursts", "UDP 1200 B, 10 flows, bursts of 8, peer→client", f"--shape p2c {_BURSTS}", 1.25, 1.40),
    Shape("c2p-offloads", "the same with GSO/GRO at the ends, client→peer", f"--shape c2p {_OFFLOADS}", 4.0, 5.0),
    Shape("p2c-offloads", "the same with GSO/GRO at the ends, peer→client", f"--shape p2c {_OFFLOADS}", 3.8, 4.6),
    Shape("paced", "UDP 160 B, 100 flows, both ways, paced 20 k/s", "--shape both --rate 20000", 1.10, 1.20),
    Shape("relay-to-relay", "relay→relay on one server, 160 B, 100 flows", "--shape relay-to-relay", 2.0, 2.5),
    Shape("indications", "Send/Data indications, 160 B, 100 flows", "--shape indications", 1.15, 1.30, bare=False),
    Shape("binding-100", "Binding, 100 clients", "--shape binding", 1.4, 1.7, bare=False),
    # Not quite 10,000: a socket each with two servers, under a common limit of 20,000 open files.
    Shape("binding-10000", "Binding, 9,900 clients", "--shape binding --flows 9900", 1.4, 1.7, bare=False),
]
