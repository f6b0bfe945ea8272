# SPDX-License-Identifier: Apache-2.0
"""Where a flood takes place: a network namespace with the addresses of all parties, and the daemon as operators run it.

Every address but the server's is one by a local route only (`ip route add local`), so that the server does not count it
among its own.
"""
import itertools
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from network_namespace import Namespace
from support import Daemon, make_certificate

SERVER, SERVER6 = "5.5.5.5", "2400:5::5"
SERVER_ON_LAN = "10.20.0.2"  # the same machine in the company's network
TURN, TURN_TLS, HTTP, HTTPS = 3478, 5349, 8080, 8443  # the listeners of a configuration that names none
REALM, USER = "example.org", ("alice", "wonderland")
CALLER, PEER = "5.6.0.1", "5.6.0.2"
STRANGER = "5.7.0.1"

SETUP = f"""
ip address add {SERVER}/32 dev lan0
ip address add {SERVER_ON_LAN}/32 dev lan0
ip -6 address add {SERVER6}/128 dev lan0 nodad
ip route add local 5.6.0.0/16 dev lo
ip route add local 5.7.0.0/16 dev lo
ip -6 route add local 2400:6::/32 dev lo
ip -6 route add local 2400:7::/32 dev lo
echo 1 >/proc/sys/net/ipv6/ip_nonlocal_bind
"""


def enter_network():
    """Moves this process into a network namespace; to be closed in the end. Exits where none can be made."""
    namespace = Namespace()
    if namespace.unavailable:
        sys.exit(f"flood: {namespace.unavailable}")
    namespace.enter()
    subprocess.run(["sh", "-ec", SETUP], check=True)
    return namespace


def honest_addresses():
    """One IPv4 address after the other, each of another subscriber."""
    return (f"5.6.{number // 250 % 250 + 1}.{number % 250 + 1}" for number in itertools.count())


def strangers(count, first=0):
    """So many IPv4 addresses of attackers."""
    return [f"5.7.{number // 250 + 1}.{number % 250 + 1}" for number in range(first, first + count)]


@dataclass(frozen=True)
class Target:
    """What those who come to the server know of it, and when all of it ends (time.monotonic)."""

    pid: int
    token: str = ""  # that opens every room; empty: rooms are open
    patience: float = 10  # seconds that honest clients wait for anything
    until: float = 0

    def is_over(self):
        return time.monotonic() >= self.until


def configuration(folder, turn=(), signaling=()):
    """An operator's: a certificate, a user, and everything else as it is by default."""
    certificate, key = make_certificate(folder, address=SERVER)
    return {
        "realm": REALM,
        "state_directory": str(folder / "state"),
        "tls": {"certificate": str(certificate), "private_key": str(key)},
        "turn": {"users": dict([USER]), **dict(turn)},
        "signaling": dict(signaling),
    }


class MutedDaemon(Daemon):
    """Its log goes to a pipe that nobody reads until it is asked to stop."""

    def _read(self):
        while not self._asked_to_stop and self.process.poll() is None:
            time.sleep(0.05)
        super()._read()
