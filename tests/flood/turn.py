# SPDX-License-Identifier: Apache-2.0
"""Attacks by way of TURN: wrong passwords in a pipeline, and peers that are the server itself."""
import os
import select
import socket
import struct
import subprocess
import time

from place import REALM, SERVER, SERVER_ON_LAN, STRANGER, TURN, USER
from stun_client import (
    ALLOCATE, BINDING, CREATE_PERMISSION, REQUESTED_TRANSPORT, XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS, StunClient,
    message, xor_address,
)  # fmt: skip

CONNECT, SEND_INDICATION, DATA_ATTRIBUTE = 0x00A, 0x0016, 0x0013
UDP_RELAY, TCP_RELAY = (REQUESTED_TRANSPORT, b"\x11\0\0\0"), (REQUESTED_TRANSPORT, b"\x06\0\0\0")
LATER_ADDRESS = "5.8.0.1"


def passwords(target):
    """One TCP connection (another when that is closed) sends guesses without waiting for answers."""
    sent = answered = connections = 0
    while not target.is_over():
        with StunClient(TURN, "tcp", SERVER, (USER[0], "guess"), REALM, source=STRANGER) as client:
            connections += 1
            try:
                client.request(ALLOCATE, [UDP_RELAY])  # which gets the nonce
                guess = message(ALLOCATE, [UDP_RELAY, *client._credentials()], os.urandom(12), client.key)
                pipeline, unsent = guess * 500, b""
                client.socket.setblocking(False)
                while not target.is_over():
                    readable, writable, _ = select.select([client.socket], [client.socket], [], 0.1)
                    if writable:
                        unsent = unsent or pipeline
                        done = client.socket.send(unsent)
                        unsent, sent = unsent[done:], sent + done / len(guess)
                    if readable:
                        octets = client.socket.recv(1 << 20)
                        if not octets:
                            break
                        answered += octets.count(b"\x21\x12\xa4\x42")
            except (OSError, AssertionError):
                time.sleep(0.01)
    return f"{sent:.0f} guesses sent on {connections} connections, {answered} answered"


def permission(client, address):
    """The error of CreatePermission; 0: it is granted."""
    return client.request(CREATE_PERMISSION, [(XOR_PEER_ADDRESS, xor_address(address, 9))]).error


def reaches_over_udp(client, address):
    """Whether a datagram comes through to a socket of the server's machine."""
    if permission(client, address) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
        service.bind((address, 0))
        service.settimeout(2)
        port = service.getsockname()[1]
        for _ in range(3):
            peer = (XOR_PEER_ADDRESS, xor_address(address, port))
            client.send(message(SEND_INDICATION, [peer, (DATA_ATTRIBUTE, b"ping")], os.urandom(12)))
        assert client.ask(BINDING).success  # by then the server has looked at what came before
        try:
            return service.recv(100) == b"ping"
        except TimeoutError:
            return False


def reaches_over_tcp(client, address, port):
    return client.request(CONNECT, [(XOR_PEER_ADDRESS, xor_address(address, port))]).error == 0


def what_is_reached(address, port=None):
    """[transport] by which the relay gets to this address of the server's machine."""
    reached = []
    with StunClient(TURN, "udp", SERVER, USER, REALM, source=STRANGER) as client:
        answer = client.request(ALLOCATE, [UDP_RELAY])
        assert answer.success and answer.address(XOR_RELAYED_ADDRESS), answer.error
        if reaches_over_udp(client, address):
            reached.append("UDP")
    with StunClient(TURN, "tcp", SERVER, USER, REALM, source=STRANGER) as client:
        assert client.request(ALLOCATE, [TCP_RELAY]).success
        permission(client, address)
        with socket.create_server((address, port or 0)) if port is None else socket.socket() as service:
            if reaches_over_tcp(client, address, port or service.getsockname()[1]):
                reached.append("TCP")
    return reached


def verdict(what, reached):
    return f"BREACH: {what} is reached over {' and '.join(reached)}" if reached else f"{what} is not reached"


def new_address(target):
    """A user reaches for an address that the machine got after the daemon's start."""
    subprocess.run(["ip", "address", "add", f"{LATER_ADDRESS}/32", "dev", "lan0"], check=True)
    reached = what_is_reached(LATER_ADDRESS)
    while not target.is_over():
        time.sleep(0.5)
        reached = reached or what_is_reached(LATER_ADDRESS)
    subprocess.run(["ip", "address", "delete", f"{LATER_ADDRESS}/32", "dev", "lan0"], check=True)
    return verdict("the new address", reached)


def own_ports(target):
    """turn.peers.allow names the company's network, and the server stands in it: its own ports are no peers."""
    reached = what_is_reached(SERVER_ON_LAN, 8080)
    while not target.is_over():
        time.sleep(0.5)
    return verdict("a port of the server", reached)
