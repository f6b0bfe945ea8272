# SPDX-License-Identifier: Apache-2.0
"""Addresses that the machine gets while the daemon runs are the server's own: no relay leads to services there."""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

import pytest

from network_namespace import Namespace, folder_of_nobody, namespace, program_for_nobody  # namespace is a fixture
from stun_client import (
    ALLOCATE, BINDING, CHANNEL_BIND, CHANNEL_NUMBER, CREATE_PERMISSION, REQUESTED_TRANSPORT, XOR_PEER_ADDRESS,
    StunClient, xor_address,
)  # fmt: skip
from support import DEADLINE_SECONDS, Daemon, Ports, clean_environment, http_get, relay_config, wait_until
from turn_tcp_client import TurnTcpClient

NEW = "10.99.0.5"
REQUESTED_ADDRESS_FAMILY = 0x0017
CHANNEL = struct.pack("!HH", 0x4000, 0)
UDP = [(REQUESTED_TRANSPORT, b"\x11\0\0\0")]


@pytest.fixture
def folder():
    folder = folder_of_nobody()
    yield folder
    shutil.rmtree(folder)


def start(namespace, folder, ports, *, command=(), relay=(Namespace.LAN_ADDRESS,), **turn):
    """The daemon as an unprivileged user in the namespace, with the network that NEW lies in allowed."""
    config = relay_config(folder, ports, **{"tcp_relay": True, "peers": {"allow": ["10.99.0.0/16"]}, **turn})
    config["turn"]["relay"] = {"addresses": list(relay)}
    for file in folder.iterdir():
        file.chmod(0o644)
    return Daemon(folder, config, command=[*namespace.command(), *command], program=program_for_nobody(folder))


def await_ready(namespace, daemon, port):
    def ready():
        try:
            return namespace.call(lambda: http_get(port, "/readyz")[0]) == 200
        except AssertionError:
            return False

    wait_until(ready, daemon.process, lambda: f"not ready:\n{daemon.log}")


def address(action, *hosts):
    lines = "".join(f"address {action} {host}/32 dev lan0\n" for host in hosts)
    subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True, capture_output=True)


def permit(client, host):
    return client.request(CREATE_PERMISSION, [(XOR_PEER_ADDRESS, xor_address(host, 0))]).error


def bind(client, host, port):
    return client.request(
        CHANNEL_BIND, [(CHANNEL_NUMBER, CHANNEL), (XOR_PEER_ADDRESS, xor_address(host, port))]
    ).error


def until(condition):
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the server does not notice the change"


def service(kind):
    """What listens on every address of the server, as its own services do."""
    listening = socket.socket(socket.AF_INET, kind)
    listening.bind(("0.0.0.0", 0))
    listening.setblocking(False)
    return listening


def use_permissions_while_the_address_comes_and_goes(port):
    clients = [StunClient(port) for _ in range(8)]  # of all workers
    with service(socket.SOCK_DGRAM) as target:
        target_port = target.getsockname()[1]
        for client in clients:
            assert client.request(ALLOCATE, UDP).success
            assert not bind(client, NEW, target_port)
        address("add", NEW)
        for client in clients:
            until(lambda client=client: permit(client, NEW) == 403)
            assert bind(client, NEW, target_port) == 403
            client.send(CHANNEL[:2] + struct.pack("!H", 4) + b"own?")
            for _ in range(2):
                assert client.ask(BINDING).success  # after the data before it
        with pytest.raises(BlockingIOError):
            target.recv(100)
        address("del", NEW)
        for client in clients:
            until(lambda client=client: not permit(client, NEW))
            client.__exit__()


@pytest.mark.parametrize("workers", [1, 3])
def test_permissions_for_a_new_own_address_end(namespace, folder, workers):
    ports = Ports()
    with start(namespace, folder, ports, workers=workers) as daemon:
        await_ready(namespace, daemon, ports.http)
        namespace.call(use_permissions_while_the_address_comes_and_goes, ports.turn)
        daemon.wait_for_line(rf"addresses have changed: \+{NEW}\n")
        daemon.wait_for_line(rf"addresses have changed: -{NEW}\n")


def ip(*arguments):
    subprocess.run(["ip", "-6", *arguments], check=True, capture_output=True)


def allocate_over_ipv6(port):
    with StunClient(port) as client:
        return client.request(ALLOCATE, [*UDP, (REQUESTED_ADDRESS_FAMILY, b"\x02\0\0\0")]).error


def test_a_default_route_that_comes_after_its_address_is_noticed(namespace, folder):
    ports = Ports()
    with start(namespace, folder, ports, relay=("0.0.0.0", "::")) as daemon:
        await_ready(namespace, daemon, ports.http)
        namespace.call(ip, "address", "add", "2001:db8::5/64", "dev", "lan0", "nodad")
        daemon.wait_for_line(r"addresses have changed: \+2001:db8::5\n")
        try:
            assert namespace.call(allocate_over_ipv6, ports.turn) == 440
            namespace.call(ip, "route", "add", "default", "dev", "lan0")
            namespace.call(until, lambda: not allocate_over_ipv6(ports.turn))
        finally:
            namespace.call(ip, "address", "del", "2001:db8::5/64", "dev", "lan0")
            namespace.call(ip, "route", "flush", "default")


def connect_to_the_new_address(port):
    with service(socket.SOCK_STREAM) as target, TurnTcpClient(port) as client:
        target.listen()
        client.allocate()
        address("add", NEW)
        until(lambda: client.request(CREATE_PERMISSION, [(XOR_PEER_ADDRESS, (NEW, 0))]).error == 403)
        assert client.connect((NEW, target.getsockname()[1])).error == 403
        with pytest.raises(BlockingIOError):
            target.accept()
        address("del", NEW)


def test_connect_to_a_new_own_address_is_refused(namespace, folder):
    ports = Ports()
    with start(namespace, folder, ports) as daemon:
        await_ready(namespace, daemon, ports.http)
        namespace.call(connect_to_the_new_address, ports.turn)


def add_more_than_netlink_holds(port, process):
    """NEW in the middle of so many that messages get lost (ENOBUFS) while the server does not read."""
    others = [f"10.98.{i // 250}.{i % 250 + 1}" for i in range(1500)]
    with StunClient(port) as client:
        assert client.request(ALLOCATE, UDP).success and not permit(client, NEW)
        os.kill(process, signal.SIGSTOP)
        try:
            address("add", *others[:750], NEW, *others[750:])
        finally:
            os.kill(process, signal.SIGCONT)
        until(lambda: permit(client, NEW) == 403)
    with open("/proc/thread-self/net/netlink") as sockets:
        lost = [int(line.split()[8]) for line in sockets.read().splitlines()[1:]]
    address("del", *others, NEW)
    return sum(lost)


def test_lost_messages_of_the_kernel_are_made_good(namespace, folder):
    ports = Ports()
    with start(namespace, folder, ports) as daemon:
        await_ready(namespace, daemon, ports.http)
        assert namespace.call(add_more_than_netlink_holds, ports.turn, daemon.process.pid) > 0


# Runs a program without AF_NETLINK, as RestrictAddressFamilies= does: a seccomp filter on the first argument of socket().
SANDBOX = """
import ctypes, os, platform, struct, sys
socket = {"x86_64": 41, "aarch64": 198}[platform.machine()]
code = [(0x20, 0, 0, 0), (0x15, 0, 3, socket), (0x20, 0, 0, 16), (0x15, 0, 1, 16), (0x06, 0, 0, 0x00050000 | 97),
        (0x06, 0, 0, 0x7fff0000)]
octets = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in code))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(code), ctypes.addressof(octets)))
libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, ctypes.byref(program), 0, 0):
    sys.exit("no seccomp filter: " + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_a_sandbox_without_netlink_is_said(namespace, folder):
    ports = Ports()
    command = [sys.executable, "-c", SANDBOX]
    with start(namespace, folder, ports, command=command) as daemon:
        await_ready(namespace, daemon, ports.http)
        daemon.wait_for_line(r"cannot read this machine's addresses \(.*AF_NETLINK")
        daemon.wait_for_line(r"cannot watch this machine's addresses \(.*AF_NETLINK")
