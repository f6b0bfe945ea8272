# SPDX-License-Identifier: Apache-2.0
"""RFC 8489 §6.3.1.2: an answer over UDP comes from the address and port that were asked, also of a wildcard listener."""
import os
import socket
import struct

import pytest

from support import DEADLINE_SECONDS, Daemon, Ports, relay_config


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("udp"), Ports()
    with Daemon(folder, relay_config(folder, ports), http_port=ports.http):
        yield ports.turn


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "127.1.2.3", "::1"])
def test_the_answer_comes_from_the_address_that_was_asked(port, address):
    """The system by itself would answer all of 127.0.0.0/8 from the client's own address, 127.0.0.1."""
    request = struct.pack("!HHI", 0x0001, 0, 0x2112A442) + os.urandom(12)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as client:
        client.settimeout(DEADLINE_SECONDS)
        client.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
        client.sendto(request, (address, port))
        answer, sender = client.recvfrom(1500)
    assert answer[:2] == b"\x01\x01" and answer[8:20] == request[8:]
    assert sender[:2] == (address, port)
