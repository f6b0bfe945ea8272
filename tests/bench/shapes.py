# SPDX-License-Identifier: Apache-2.0
"""What `./dev bench relay` measures, and what is expected of it."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """A load that takes turns. Expected are packets per CPU-second as a multiple of coturn's (`-m 1`)."""

    name: str
    title: str
    load: str  # arguments of relay_load
    at_least: float
    aim_at: float
    bare: bool = False  # whether the bare forwarder can do it
    tls: bool = False  # the clients come to the port for TLS


@dataclass(frozen=True)
class Memory:
    """What one client adds to the server's resident memory. Expected are KiB at most."""

    name: str
    title: str
    load: str
    at_most: float | None = None
    aim_at: float | None = None
    tls: bool = False


@dataclass(frozen=True)
class Latency:
    """A load paced at a share of what the slowest server can do. Expected is the p99 as a multiple of coturn's."""

    name: str
    title: str
    share: float
    at_most: float | None = None
    aim_at: float | None = None
    load: str = "--shape both"


_BURSTS = "--flows 10 --payload 1200 --burst 8"
_OFFLOADS = f"{_BURSTS} --segment --coalesce"

SHAPES = [
    Shape("c2p-100", "UDP 160 B, 100 flows, client→peer", "--shape c2p", 1.15, 1.25, bare=True),
    Shape("p2c-100", "UDP 160 B, 100 flows, peer→client", "--shape p2c", 1.20, 1.30, bare=True),
    Shape("c2p-1000", "UDP 160 B, 1,000 flows, client→peer", "--shape c2p --flows 1000", 1.25, 1.40, bare=True),
    Shape("p2c-1000", "UDP 160 B, 1,000 flows, peer→client", "--shape p2c --flows 1000", 1.35, 1.50, bare=True),
    Shape("c2p-bursts", "UDP 1200 B, 10 flows, bursts of 8, client→peer",
          f"--shape c2p {_BURSTS}", 1.30, 1.45, bare=True),
    Shape("p2c-bursts", "UDP 1200 B, 10 flows, bursts of 8, peer→client",
          f"--shape p2c {_BURSTS}", 1.25, 1.40, bare=True),
    Shape("c2p-offloads", "the same with GSO/GRO at the ends, client→peer",
          f"--shape c2p {_OFFLOADS}", 4.0, 5.0, bare=True),
    Shape("p2c-offloads", "the same with GSO/GRO at the ends, peer→client",
          f"--shape p2c {_OFFLOADS}", 3.8, 4.6, bare=True),
    Shape("paced", "UDP 160 B, 100 flows, both ways, paced 20 k/s", "--shape both --rate 20000", 1.10, 1.20, bare=True),
    Shape("relay-to-relay", "relay→relay on one server, 160 B, 100 flows",
          "--shape relay-to-relay", 2.0, 2.5, bare=True),
    Shape("indications", "Send/Data indications, 160 B, 100 flows", "--shape indications", 1.15, 1.30),
    Shape("binding-100", "Binding, 100 clients", "--shape binding", 1.4, 1.7),
    # Not quite 10,000: a socket each with two servers, under a common limit of 20,000 open files.
    Shape("binding-10000", "Binding, 9,900 clients", "--shape binding --flows 9900", 1.4, 1.7),
    Shape("allocate", "Allocate (401, 200) and release, 16 at once", "--shape allocate --flows 16", 3.5, 5.0),
    Shape("tcp-c2p", "TCP 160 B, 100 flows, client→peer", "--transport tcp --shape c2p", 1.25, 1.4),
    Shape("tcp-p2c", "TCP 160 B, 100 flows, peer→client", "--transport tcp --shape p2c", 1.25, 1.4),
    Shape("tcp-bursts", "TCP 1200 B, 10 flows, bursts of 8, client→peer", f"--transport tcp --shape c2p {_BURSTS}",
          2.0, 2.5),
    Shape("tls-c2p", "TLS 160 B, 100 flows, client→peer", "--transport tls --shape c2p", 1.4, 1.65, tls=True),
    Shape("tls-p2c", "TLS 160 B, 100 flows, peer→client", "--transport tls --shape p2c", 1.35, 1.55, tls=True),
]
MEMORY = [
    Memory("memory-udp", "a UDP client with a bound channel (1,000)", "--shape c2p --flows 1000", 4, 2),
    Memory("memory-tls", "a TLS client with a bound channel (300)",
           "--transport tls --shape c2p --flows 300", tls=True),
]
LATENCY = [
    Latency("latency-20", "20 %", 0.2),
    Latency("latency-80", "80 %", 0.8, 0.7, 0.5),
]
NAMES = [each.name for each in (*SHAPES, *MEMORY, *LATENCY)]
