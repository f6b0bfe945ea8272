# SPDX-License-Identifier: Apache-2.0
"""RFC 5780 with coturn's turnutils_natdiscovery and turnutils_stunclient, and what they do not show."""
import socket
import struct
import subprocess

import pytest

from signaling_client import Client, run
from stun_client import (
    BINDING, CHANGE_REQUEST, MAPPED_ADDRESS, OTHER_ADDRESS, PADDING, RESPONSE_ORIGIN, RESPONSE_PORT, UNKNOWN_ATTRIBUTES,
    XOR_MAPPED_ADDRESS, StunClient,
)  # fmt: skip
from support import DEADLINE_SECONDS, Daemon, Ports, free_port, relay_config, run_causeway, write_config

A1, A2 = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    """The wildcard listener covers both addresses on the first port; the daemon opens the alternate one itself."""
    folder, ports = tmp_path_factory.mktemp("natdiscovery"), Ports()
    ports.alternate = free_port()
    discovery = {"addresses": [A1, A2], "port": ports.turn, "alternate_port": ports.alternate}
    with Daemon(folder, relay_config(folder, ports, nat_discovery=discovery), http_port=ports.http):
        yield ports


def test_members_are_told_the_addresses_to_ask(ports):
    async def check():
        async with Client(ports.http) as client:
            assert (await client.join("nat"))["nat_discovery"] == [
                f"stun:{A1}:{ports.turn}", f"stun:{A2}:{ports.turn}", f"stun:{A2}:{ports.alternate}"]  # fmt: skip

    run(check())


def turnutils(program, *arguments):
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("padding", [[], ["-P"]], ids=["plain", "padded"])
def test_natdiscovery_finds_no_nat(ports, padding):
    said = turnutils("turnutils_natdiscovery", "-m", "-f", *padding, "-L", A1, "-p", ports.turn, A1)
    assert "No NAT detected (Endpoint Independent Mapping)" in said or "NAT with Endpoint Independent Mapping" in said, said
    assert "NAT with Endpoint Independent Filtering" in said, said
    assert "timeout" not in said and "ALG" not in said.replace("No ALG", ""), said


def test_natdiscovery_hears_its_own_hairpin(ports):
    said = turnutils("turnutils_natdiscovery", "-H", "-L", A1, "-p", ports.turn, A1)
    assert "hairpinning" in said.lower() and "STUN receive timeout" not in said, said


def test_natdiscovery_gets_answers_at_a_response_port(ports):
    said = turnutils("turnutils_natdiscovery", "-t", "-T", 1, "-L", A1, "-p", ports.turn, A1)
    assert "timeout" not in said and "error" not in said, said


def test_stunclient_gets_the_answers_of_rfc_5780(ports):
    said = turnutils("turnutils_stunclient", "-L", A1, "-p", ports.turn, A1)
    assert said.count("RFC 5780 response") >= 3, said
    assert f"Other addr: : {A2}:{ports.alternate}" in said, said
    assert "timeout" not in said, said


@pytest.mark.parametrize("host", [A1, A2])
@pytest.mark.parametrize("flags", [0, 2, 4, 6], ids=["none", "port", "address", "both"])
@pytest.mark.parametrize("first", [True, False], ids=["port", "alternate"])
def test_answers_come_from_the_address_asked_for(ports, host, flags, first):
    port, other_port = (ports.turn, ports.alternate) if first else (ports.alternate, ports.turn)
    other_host = A2 if host == A1 else A1
    with StunClient(port, host=host) as client:
        answer = client.ask(BINDING, [(CHANGE_REQUEST, struct.pack("!I", flags))])
        origin = (other_host if flags & 4 else host, other_port if flags & 2 else port)
        assert answer.source == origin
        assert answer.address(RESPONSE_ORIGIN) == origin
        assert answer.address(OTHER_ADDRESS) == (other_host, other_port)
        assert answer.address(MAPPED_ADDRESS) == answer.address(XOR_MAPPED_ADDRESS) == client.address


def test_the_answer_goes_to_the_response_port(ports):
    with StunClient(ports.turn) as client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.settimeout(5)
        other.bind((A1, 0))
        attributes = [(RESPONSE_PORT, struct.pack("!H", other.getsockname()[1])), (CHANGE_REQUEST, b"\0\0\0\4")]
        answer = _ask_elsewhere(client, other, attributes)
        assert answer.source == (A2, ports.turn)
        assert answer.address(XOR_MAPPED_ADDRESS) == client.address


def _ask_elsewhere(client, other, attributes):
    asking, client.receive = client.receive, lambda: other.recvfrom(2048)
    try:
        return client.ask(BINDING, attributes)
    finally:
        client.receive = asking


def test_a_padded_question_gets_an_answer_of_more_than_one_packet(ports):
    with StunClient(ports.turn) as client:
        answer = client.ask(BINDING, [(PADDING, bytes(2000)), (CHANGE_REQUEST, b"\0\0\0\6")])
        assert len(answer.attributes[PADDING]) == 1500 and len(answer.octets) > 1500
        assert client.ask(BINDING, [(PADDING, bytes(4)), (RESPONSE_PORT, b"\1\1")]).error == 400


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_over_a_connection_the_addresses_are_told(ports, transport):
    with StunClient(ports.turn, transport) if transport == "tcp" else StunClient(ports.tls, transport) as client:
        answer = client.ask(BINDING)
        assert answer.address(XOR_MAPPED_ADDRESS) == client.address
        assert (OTHER_ADDRESS in answer.attributes) == (transport == "tcp"), "the port of tls is none of the two"
        refused = client.ask(BINDING, [(CHANGE_REQUEST, b"\0\0\0\4")])
        assert refused.error == 420 and refused.attributes[UNKNOWN_ATTRIBUTES] == b"\0\3"


def test_without_it_nothing_of_it_is_known(tmp_path):
    ports = Ports()
    with Daemon(tmp_path, relay_config(tmp_path, ports), http_port=ports.http), StunClient(ports.turn) as client:
        assert len(client.ask(BINDING).octets) == 32
        refused = client.ask(BINDING, [(CHANGE_REQUEST, bytes(4)), (RESPONSE_PORT, b"\1\1"), (PADDING, bytes(4))])
        assert refused.error == 420
        assert refused.attributes[UNKNOWN_ATTRIBUTES] == b"\0\x03\0\x27\0\x26"


def test_an_address_of_another_machine_is_an_error_that_names_it(tmp_path):
    ports = Ports()
    discovery = {"addresses": [A1, "192.0.2.1"], "port": free_port(), "alternate_port": free_port()}
    file = write_config(tmp_path, relay_config(tmp_path, ports, nat_discovery=discovery))
    for arguments, code in [(["--config", file], 1), (["check-config", file], 2)]:
        done = run_causeway(*arguments)
        assert done.returncode == code and "192.0.2.1" in done.stdout + done.stderr, done.stdout + done.stderr
