# SPDX-License-Identifier: Apache-2.0
"""Honest clients that come while others are served: each visit is by an address that was never seen before."""
import asyncio
import subprocess
import time

from place import HTTPS, REALM, SERVER, STRANGER, TURN, TURN_TLS, USER, honest_addresses
from room import join_options, visitor
from samples import Sample
from stun_client import ALLOCATE, REQUESTED_TRANSPORT, StunClient
from support import http_get

PAUSE_SECONDS = 0.5
UDP_RELAY = (REQUESTED_TRANSPORT, b"\x11\0\0\0")


class Refused(Exception):
    pass


def page(source, target):
    status, _, body = http_get(HTTPS, "/", SERVER, tls=False, source=source, seconds=target.patience)
    if status != 200 or not body:
        raise Refused(f"GET / is answered with {status}")


def allocate(transport):
    def visit(source, target):
        port = TURN_TLS if transport == "tls" else TURN
        with StunClient(port, transport, SERVER, USER, REALM, source=source, seconds=target.patience) as client:
            answer = client.request(ALLOCATE, [UDP_RELAY])
            if not answer.success:
                raise Refused(f"Allocate is answered with {answer.error}")

    return visit


def dtls(source, target):
    """A handshake by OpenSSL's client."""
    command = ["openssl", "s_client", "-dtls1_2", "-bind", f"{source}:0", "-connect", f"{SERVER}:{TURN_TLS}"]
    said = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=target.patience,
        check=False,
    ).stdout  # fmt: skip
    if b"Cipher is ECDHE" not in said:
        raise Refused("no handshake")


async def join(source, target):
    async with visitor(source) as member:
        await member.join(f"of {source}", **join_options(target))


async def once(name, visit, source, target):
    sample = Sample(time.monotonic(), None, name)
    try:
        if asyncio.iscoroutinefunction(visit):
            await asyncio.wait_for(visit(source, target), target.patience)
        else:
            await asyncio.get_running_loop().run_in_executor(None, visit, source, target)
        sample.seconds = time.monotonic() - sample.at
    except (Exception, subprocess.TimeoutExpired) as error:
        sample.why = str(error) or type(error).__name__
    return sample


VISITS = {
    "page": page, "room": join, "UDP": allocate("udp"), "TCP": allocate("tcp"), "TLS": allocate("tls"), "DTLS": dtls,
}  # fmt: skip


async def come(control, target, beside_the_stranger):
    samples, addresses = [], honest_addresses()
    for _ in range(100):  # those of the room are others
        next(addresses)
    control.ready()

    async def again_and_again(name, visit, source=None):
        while not control.is_over():
            samples.append(await once(name, visit, source or next(addresses), target))
            await asyncio.sleep(PAUSE_SECONDS)

    visits = [again_and_again(name, visit) for name, visit in VISITS.items()]
    if beside_the_stranger:
        visits.append(again_and_again("room of the stranger's address", join, STRANGER))
    await asyncio.gather(*visits)
    return samples


def run(control, target, beside_the_stranger=False):
    return asyncio.run(come(control, target, beside_the_stranger))
