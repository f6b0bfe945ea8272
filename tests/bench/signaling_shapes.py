# SPDX-License-Identifier: Apache-2.0
"""What `./dev bench signaling` measures, and what is expected of it."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """Rooms of two whose members send candidates to each other. Expected are thousands per CPU-second."""

    name: str
    title: str
    load: str  # arguments of signaling_load
    at_least: float | None = None
    tls: bool = False


@dataclass(frozen=True)
class Memory:
    """What one idle member adds to the server's resident memory. Expected are KiB at most."""

    name: str
    title: str
    load: str
    at_most: float
    tls: bool = False
    others: bool = True


@dataclass(frozen=True)
class Storm:
    """All idle members lose their connections at once. Expected is that all are back in time, with what they were."""

    name: str
    title: str
    load: str
    tls: bool = False
    others: bool = False  # servers on Node know no resume


RATES = [
    Rate("plain-50", "50 rooms", "--rooms 50", at_least=100),
    Rate("plain-1000", "1,000 rooms", "--rooms 1000"),
    Rate("tls-50", "50 rooms, TLS", "--rooms 50", tls=True),
    Rate("tls-1000", "1,000 rooms, TLS", "--rooms 1000", tls=True),
]
MEMORY = [
    Memory("memory-plain", "4,000 members", "--memory 4000", at_most=6),
    Memory("memory-tls", "4,000 members, TLS", "--memory 4000", at_most=20, tls=True),
]
STORMS = [
    Storm("storm-plain", "10,000 members", "--storm 10000"),
    Storm("storm-tls", "10,000 members, TLS", "--storm 10000", tls=True),
]
NAMES = [each.name for each in (*RATES, *MEMORY, *STORMS)]
