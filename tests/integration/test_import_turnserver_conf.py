# SPDX-License-Identifier: Apache-2.0
"""coturn's own example configuration and its list of options through `causeway import-turnserver-conf`."""
import json
import re
import subprocess

import pytest

from support import ROOT, Daemon, free_port, make_certificate, run_causeway, stun_binding, uclient

EXAMPLE = ROOT / "build/tools/usr/share/doc/coturn/examples/etc/turnserver.conf"
NAME = r"[A-Za-z][A-Za-z0-9_-]*"


def import_lines(folder, lines):
    """(configuration, what it says of each line by number) for a turnserver.conf with these lines."""
    file = folder / "turnserver.conf"
    file.write_text("\n".join(lines) + "\n")
    done = run_causeway("import-turnserver-conf", file)
    assert done.returncode == 0, done.stderr
    told = {}
    for number, sentence in re.findall(r":(\d+): (.*)", done.stderr):
        told.setdefault(int(number), []).append(sentence)
    for number, option in re.findall(rf"turnserver\.conf:(\d+) ({NAME})", done.stdout):
        told.setdefault(int(number), []).append(option)
    return done.stdout, told


def complain_about_silence(folder, lines):
    """The lines of which nothing is said, or only that they are not known."""
    _, told = import_lines(folder, lines)
    silent = [line for number, line in enumerate(lines, 1) if number not in told]
    unknown = [line for number, line in enumerate(lines, 1) if any("not known" in said for said in told.get(number, []))]
    return silent + unknown


def documented_options():
    """Each option of the example with its example value, as if its line were not commented out."""
    return [
        match[1]
        for line in EXAMPLE.read_text().splitlines()
        if (match := re.fullmatch(rf"#?({NAME}(=.*)?)\s*", line.strip())) and not match[1].endswith(".")
    ]


def options_of_the_program():
    usage = subprocess.run(["turnserver", "--help"], capture_output=True, text=True, check=False)
    return sorted(set(re.findall(rf"--({NAME})", re.sub(r"\n\t+.*", "", usage.stdout + usage.stderr))))


def test_the_example_says_what_its_options_are():
    assert len(documented_options()) > 90


def test_every_option_of_the_example_is_carried_over_or_named(tmp_path):
    assert complain_about_silence(tmp_path, documented_options()) == []


def test_every_option_that_the_program_knows_is_carried_over_or_named(tmp_path):
    lines = [option for option in options_of_the_program() if option not in {"help", "version"}]
    assert len(lines) > 90
    assert complain_about_silence(tmp_path, lines) == []


def test_the_shipped_configuration_becomes_one_that_passes_the_check(tmp_path):
    text = EXAMPLE.read_text()
    json, _ = import_lines(tmp_path, [*text.splitlines(), "user=alice:wonderland", "realm=example.org"])
    file = tmp_path / "causeway.json"
    file.write_text(json)
    done = run_causeway("check-config", file, environment={"STATE_DIRECTORY": str(tmp_path)})
    assert "not a key" not in done.stderr and done.returncode in (0, 1), done.stderr


@pytest.fixture
def moved(tmp_path):
    """Starts the daemon with what becomes of a turnserver.conf: the plain port, the port for TLS, the daemon."""
    certificate, key = make_certificate(tmp_path)
    daemons = []

    def move(*lines):
        plain, secure, http = free_port(), free_port(), free_port()
        text, _ = import_lines(tmp_path, [
            "listening-ip=127.0.0.1", f"listening-port={plain}", f"tls-listening-port={secure}", "relay-ip=127.0.0.1",
            "allowed-peer-ip=127.0.0.0-127.255.255.255", "lt-cred-mech", "user=alice:wonderland", "realm=example.org",
            f"cert={certificate}", f"pkey={key}", *lines,
        ])  # fmt: skip
        config = json.loads("\n".join(line for line in text.splitlines() if not line.lstrip().startswith("//")))
        config["state_directory"] = str(tmp_path / "state")
        config["listeners"].append({"transport": "tcp", "address": "127.0.0.1", "port": http, "services": ["http"]})
        daemons.append(Daemon(tmp_path, config, http_port=http).__enter__())
        return plain, secure

    yield move
    for daemon in daemons:
        daemon.__exit__(None, None, None)


def relays(port, *transport):
    return uclient("-y", *transport, "-u", "alice", "-w", "wonderland", "-p", port, "127.0.0.1")


def test_both_ports_take_plain_and_encrypted_turn_as_in_coturn(moved):
    plain, secure = moved()
    for port, transport in [(plain, ["-t", "-S"]), (plain, ["-S"]), (plain, ["-t"]), (secure, []), (secure, ["-t"])]:
        done = relays(port, *transport)
        assert done.complete, done.output


def test_encrypted_only_stays_so(moved):
    plain, secure = moved("no-tcp", "no-udp")
    for transport in (["-t", "-S"], ["-S"]):
        done = relays(secure, *transport)
        assert done.complete, done.output
    with pytest.raises(ConnectionRefusedError):
        stun_binding(plain, "tcp")
    with pytest.raises((ConnectionResetError, AssertionError)):
        stun_binding(secure, "tcp")
    assert stun_binding(secure, "tls")[0] == "127.0.0.1"
