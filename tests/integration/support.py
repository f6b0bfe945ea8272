# SPDX-License-Identifier: Apache-2.0
"""The real daemon for tests: started in a folder of its own on free ports, stopped by signal, its log kept.

Also coturn's command line clients and certificates. Nothing here waits for time to pass: every wait is for an event and
ends at a deadline with what was seen until then.
"""
import http.client
import itertools
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("CAUSEWAY_BINARY", ROOT / "build/release/causeway"))
WORKERS = int(os.environ.get("CAUSEWAY_TEST_WORKERS", 0))  # turn.workers, where a test does not say; 0: the default
DEADLINE_SECONDS = 30  # for what takes well under a second on an idle machine
SANITIZER_REPORT = re.compile(r"AddressSanitizer|ThreadSanitizer|LeakSanitizer|runtime error:")

# Where ./dev unpacks coturn, HAProxy and nginx.
os.environ["PATH"] += f"{os.pathsep}{ROOT}/build/tools/usr/bin{os.pathsep}{ROOT}/build/tools/usr/sbin"

# Below the range that the system gives to outgoing connections, and another part of it for each test process.
_candidates = itertools.count(10000 + os.getpid() * 97 % 19000)


def free_port():
    """A port that nobody has bound, neither for UDP nor for TCP, on any address."""
    for port in _candidates:
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET6, kind) as probe:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
                    probe.bind(("::", port))
            return port
        except OSError:
            continue


def make_certificate(folder, name="server", address="127.0.0.1"):
    """A self-signed certificate for this machine's loopback names and `address`: the paths of certificate and key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=localhost", "-addext", f"subjectAltName=DNS:localhost,IP:::1,IP:{address}",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


class Ports:
    """The ports of one daemon: `turn` for udp and tcp, `tls` for tls and dtls, and `http` with the pages on loopback."""

    def __init__(self):
        self.turn, self.tls, self.http = free_port(), free_port(), free_port()


def relay_config(folder, ports, **turn):
    """TURN on every transport and family, the pages on loopback, a user and a secret; relays on loopback."""
    certificate, key = make_certificate(folder)
    return {
        "realm": "example.org",
        "state_directory": str(folder / "state"),
        "listeners": [
            {"transport": "udp", "address": "::", "port": ports.turn},
            {"transport": "tcp", "address": "::", "port": ports.turn},
            {"transport": "tls", "address": "::", "port": ports.tls},
            {"transport": "dtls", "address": "::", "port": ports.tls},
            {"transport": "tcp", "address": "127.0.0.1", "port": ports.http},
        ],
        "tls": {"certificate": str(certificate), "private_key": str(key)},
        "turn": {
            "users": {"alice": "wonderland"},
            "shared_secrets": ["north"],
            "relay": {"addresses": ["127.0.0.1", "::1"]},
            **turn,
        },
    }


def clean_environment(**more):
    """This process's environment without the variables that are settings of the daemon."""
    return {k: v for k, v in os.environ.items() if not k.startswith("CAUSEWAY_")} | more


class Daemon:
    """`with Daemon(folder, config) as daemon:` runs it from ready to stopped and fails where either goes wrong."""

    def __init__(self, folder, config, *, arguments=(), http_port=None, command=(), program=BINARY, environment=None):
        self.folder, self.http_port = folder, http_port
        if WORKERS and isinstance(config, dict):
            config = {**config, "turn": {"workers": WORKERS, **config.get("turn", {})}}
        if config is not None:
            arguments = ["--config", str(write_config(folder, config)), *arguments]
        self.command = [*command, str(program), *arguments]
        self.environment = environment or clean_environment()
        self.lines, self._changed = [], threading.Condition()
        self._asked_to_stop = False

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, errors="replace",
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            if self.http_port:
                self.wait_ready()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, exception, *_):
        code = self.stop()
        if exception is None:
            assert code == 0, f"the daemon ended with {code}:\n{self.log}"
            assert not SANITIZER_REPORT.search(self.log), self.log
        else:
            print(self.log)

    @property
    def log(self):
        return "".join(self.lines)

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_ready(self):
        def ready():
            try:
                return http_get(self.http_port, "/readyz")[0] == 200
            except OSError:
                return False

        wait_until(ready, self.process, lambda: f"the daemon did not become ready:\n{self.log}")

    def wait_for_line(self, pattern):
        """The match of the first line of the log, past or to come, in which `pattern` occurs."""
        found = None

        def seen():
            nonlocal found
            found = re.search(pattern, self.log)
            return found or not self._reader.is_alive()

        with self._changed:
            self._changed.wait_for(seen, DEADLINE_SECONDS)
        assert found, f"no line with {pattern!r} in the log:\n{self.log}"
        return found

    def terminate(self):
        """Asks it to stop; once, because a second time means to leave at once."""
        if not self._asked_to_stop:
            self._asked_to_stop = True
            self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Asks it to stop and returns its exit code."""
        self.terminate()
        try:
            code = self.process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the daemon did not stop after SIGTERM:\n{self.log}") from None
        self._reader.join()
        return code


def write_config(folder, config):
    """Writes `config`, an object or the very text, to a file."""
    file = folder / "causeway.json"
    file.write_text(config if isinstance(config, str) else json.dumps(config, indent=2))
    return file


def run_causeway(*arguments, cwd=None, environment=None, command=(), program=BINARY):
    """Runs the program to its end: for subcommands, and for starts that must fail."""
    return subprocess.run(
        [*command, str(program), *map(str, arguments)], cwd=cwd, env=environment or clean_environment(),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False,
    )  # fmt: skip


def wait_until(condition, process, complaint):
    """Asks again until `condition` holds; fails when `process` ends before, or at the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        ended = process.poll() is not None
        if ended or time.monotonic() > deadline:
            raise AssertionError(complaint())
        try:
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            pass


def http_get(port, path, host="127.0.0.1", tls=None, source=None, seconds=5):
    """(status, headers, body) of one GET; `tls` is a certificate to trust, or False to trust any.

    `source`: the address to come from, where there are several; `seconds`: how long to wait for anything.
    """
    options = {"timeout": seconds, "source_address": (source, 0) if source else None}
    if tls is None:
        connection = http.client.HTTPConnection(host, port, **options)
    else:
        connection = http.client.HTTPSConnection(host, port, **options, context=tls_context(tls))
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def tls_context(trusted):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # create_default_context() reads the system's certificates, slowly
    if trusted:
        context.load_verify_locations(trusted)
    else:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def stun_binding(port, transport="udp", host="127.0.0.1"):
    """Sends a Binding request and returns (address, port) of the XOR-MAPPED-ADDRESS in the answer (IPv4)."""
    transaction = os.urandom(12)
    request = struct.pack("!HHI", 0x0001, 0, 0x2112A442) + transaction
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as plain:
        plain.settimeout(5)
        plain.connect((host, port))
        connection = tls_context(False).wrap_socket(plain) if transport == "tls" else plain
        connection.sendall(request)
        answer = connection.recv(1500)
        connection.close()
    assert answer[:2] == b"\x01\x01" and answer[8:20] == transaction, answer.hex()
    at = 20
    while at < len(answer):
        attribute, size = struct.unpack_from("!HH", answer, at)
        if attribute == 0x0020:
            xor_port, xor_address = struct.unpack_from("!HI", answer, at + 6)
            return socket.inet_ntoa(struct.pack("!I", xor_address ^ 0x2112A442)), xor_port ^ 0x2112
        at += 4 + (size + 3) // 4 * 4
    raise AssertionError(f"no XOR-MAPPED-ADDRESS in {answer.hex()}")


class Peer:
    """coturn's turnutils_peer: sends each UDP packet back to where it came from."""

    def __init__(self, address):
        self.address, self.port = address, free_port()

    def __enter__(self):
        self.process = subprocess.Popen(
            ["turnutils_peer", "-L", self.address, "-p", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(self._answers, self.process, lambda: "turnutils_peer does not answer")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def _answers(self):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.connect((self.address, self.port))
                probe.send(b"ready?")
                return probe.recv(100) == b"ready?"
            except OSError:
                return False


@dataclass
class Exchange:
    """What a run of turnutils_uclient said. Its exit code is 0 even when packets were lost."""

    code: int
    sent: int
    received: int
    output: str

    @property
    def complete(self):
        return self.code == 0 and self.sent > 0 and self.sent == self.received and "lost packets 0 (" in self.output


def uclient(*arguments, command=(), pair_of_ports=False, seconds=2 * DEADLINE_SECONDS):
    """Runs turnutils_uclient; with a pair of ports, for RTP and RTCP, it uses EVEN-PORT and RESERVATION-TOKEN."""
    ports = [] if pair_of_ports else ["-c"]
    # Over TLS it reads one record at a wake-up: two answers must not come together, however slow the machine is.
    pause = ["-z", "200"] if {"-t", "-S"} <= set(arguments) else []
    command = [*command, "turnutils_uclient", *ports, "-n", "10", *pause, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            output = process.communicate()[0] + "turnutils_uclient did not end"
    totals = re.findall(r"tot_send_msgs=(\d+), tot_recv_msgs=(\d+)", output)
    sent, received = map(int, totals[-1]) if totals else (0, 0)
    return Exchange(process.returncode, sent, received, f"{' '.join(command)}\n{output}")
