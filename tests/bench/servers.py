# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared, each started on free ports with limits that no load reaches."""
import contextlib
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))
from support import BINARY, ROOT, Daemon, Ports, free_port, make_certificate, relay_config, stun_binding, wait_until

BUILD = Path(os.environ.get("CAUSEWAY_BUILD", ROOT / "build/release"))
ADDRESS = "127.0.0.1"
OTHERS = Path(__file__).resolve().parent / "others"


@dataclass
class Running:
    name: str
    process: int
    plain: int  # its port without TLS
    tls: int | None = None
    kind: str = ""  # see ServerUnderLoad::kind

    def argument(self, tls=False):
        """For --server of a load client."""
        return f"{self.name},{self.process},{ADDRESS},{self.tls if tls else self.plain},{self.kind}".rstrip(",")


def pinned(cpu):
    """Words in front of a command that keep it on one CPU, where there are two or more."""
    return ["taskset", "-c", str(cpu)] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


@contextlib.contextmanager
def causeway(folder, program=BINARY, name="causeway", turn=()):
    """`turn`: what its configuration says there besides, as (key, value)."""
    folder.mkdir()
    ports = Ports()
    limits = {"allocations_per_user": 0, "allocations_total": 0, "unauthenticated_answers_per_second": 0}
    config = relay_config(folder, ports, peers={"allow": ["127.0.0.0/8"]}, limits=limits)
    config["turn"] |= dict(turn)
    for listener in config["listeners"]:  # as coturn does, which opens a socket for each address
        listener["address"] = ADDRESS
    config["turn"]["relay"] |= {"addresses": [ADDRESS], "port_min": 49152, "port_max": 57343}
    with Daemon(folder, config, http_port=ports.http, command=pinned(0), program=program) as daemon:
        yield Running(name, daemon.process.pid, ports.turn, ports.tls)


@contextlib.contextmanager
def coturn(folder):
    folder.mkdir()
    certificate, key = make_certificate(folder)
    port, tls = free_port(), free_port()
    command = [
        *pinned(0), "turnserver", "-n", "-m", "1", "--no-cli", f"--log-file={folder}/log", "--simple-log",
        f"--pidfile={folder}/pid", f"--userdb={folder}/users", "-L", ADDRESS, "-E", ADDRESS, "-p", str(port),
        "--tls-listening-port", str(tls), "--cert", certificate, "--pkey", key, "-r", "example.org", "-u",
        "alice:wonderland", "--lt-cred-mech", "--allow-loopback-peers", "--min-port", "57344", "--max-port", "65535",
    ]  # fmt: skip
    with _program(command, lambda: stun_binding(port, "tcp")) as process:
        yield Running("coturn", process, port, tls)


@contextlib.contextmanager
def causeway_signaling(folder, program=BINARY, name="causeway"):
    folder.mkdir()
    ports = Ports()
    config = relay_config(folder, ports)
    config["listeners"] = [
        {"transport": "tcp", "address": ADDRESS, "port": ports.http},
        {"transport": "tls", "address": ADDRESS, "port": ports.tls},
    ]
    config["signaling"] = {
        "sessions_max": 100_000, "rooms_max": 100_000, "messages_per_second": 0, "bytes_per_second": 0,
    }  # fmt: skip
    with Daemon(folder, config, http_port=ports.http, command=pinned(0), program=program) as daemon:
        yield Running(name, daemon.process.pid, ports.http, ports.tls, kind="causeway")


@contextlib.contextmanager
def node_server(folder, name, script):
    """One of tests/bench/others."""
    folder.mkdir()
    certificate, key = make_certificate(folder)
    port, tls = free_port(), free_port()
    command = [*pinned(0), "node", str(OTHERS / script), str(port), str(tls), certificate, key]

    def listens():
        return all(socket.create_connection((ADDRESS, each)).close() is None for each in (port, tls))

    with _program(command, listens) as process:
        yield Running(name, process, port, tls, kind=name)


@contextlib.contextmanager
def bare_forwarder(folder):
    folder.mkdir()
    port = free_port()
    command = [*pinned(0), str(BUILD / "tests/bench/bare_forwarder"), str(port)]
    with _program(command, lambda: str(port) in subprocess.check_output(["ss", "-Hlun"], text=True)) as process:
        yield Running("bare", process, port, kind="bare")


@contextlib.contextmanager
def _program(command, is_ready):
    def ready():
        with contextlib.suppress(OSError):
            return is_ready()

    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(ready, process, lambda: f"it does not start: {' '.join(map(str, command))}")
        yield process.pid
    finally:
        process.kill()
        process.wait()
