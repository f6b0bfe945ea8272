# SPDX-License-Identifier: Apache-2.0
"""What `cmake --install` puts on a machine, started as its systemd unit says, on its own ports in a namespace.

The one difference: the state directory is a temporary folder, set by the environment.
"""
import configparser
import os
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from network_namespace import NOBODY, Namespace, folder_of_nobody
from support import (
    DEADLINE_SECONDS, ROOT, Daemon, clean_environment, http_get, run_causeway, stun_binding, uclient,
)  # fmt: skip

BUILD = Path(os.environ.get("CAUSEWAY_BUILD", ROOT / "build/release"))


@pytest.fixture(scope="module")
def installed():
    """A folder that holds the installed files as if it were the root of a machine."""
    folder = folder_of_nobody()
    environment = clean_environment(DESTDIR=str(folder / "root"))
    subprocess.run(["cmake", "--install", BUILD, "--prefix", "/usr"], env=environment, check=True, capture_output=True)
    yield folder
    shutil.rmtree(folder)


def the_one(folder, pattern):
    found = list((folder / "root").rglob(pattern))
    assert len(found) == 1, f"{pattern}: {found}"
    return found[0]


@pytest.fixture(scope="module")
def unit(installed):
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read(the_one(installed, "causeway.service"))
    return parser["Service"]


class Service:
    """The unit's command as an unprivileged user with the unit's capabilities and systemd's environment."""

    def __init__(self, installed, unit, namespace):
        self.namespace, self.state = namespace, installed / "state"
        self.state.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(self.state, NOBODY, NOBODY)
        self.program = the_one(installed, "bin/causeway")
        configuration = the_one(installed, "causeway.json").parent
        self.notify_path = installed / "notify"
        self.environment = clean_environment(
            CAUSEWAY_STATE_DIRECTORY=str(self.state), STATE_DIRECTORY=str(self.state),
            CONFIGURATION_DIRECTORY=str(configuration), NOTIFY_SOCKET=str(self.notify_path),
        )  # fmt: skip
        capabilities = unit["AmbientCapabilities"].lower().replace("cap_", "").split()
        arguments = shlex.split(unit["ExecStart"])[1:]
        arguments = [word.replace("/etc/causeway", str(configuration)) for word in arguments]
        self.daemon = Daemon(
            installed, None, command=namespace.command(*capabilities), program=self.program, arguments=arguments,
            environment=self.environment,
        )  # fmt: skip

    def run(self):
        """Yields itself between READY=1 and STOPPING=1."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as self.notifications:
            self.notifications.bind(str(self.notify_path))
            self.notify_path.chmod(0o777)
            self.notifications.settimeout(DEADLINE_SECONDS)
            with self.daemon:
                self.wait_for_notification("READY=1")
                yield self
            self.wait_for_notification("STOPPING=1")

    def wait_for_notification(self, state):
        while state not in self.notifications.recv(4096).decode().splitlines():
            pass

    def call(self, function, *arguments):
        return self.namespace.call(function, *arguments)


@pytest.fixture(scope="module")
def service(installed, unit):
    namespace = Namespace()
    if namespace.unavailable:
        pytest.skip(namespace.unavailable)
    yield from Service(installed, unit, namespace).run()
    namespace.close()


def status_of(port, path, host):
    return http_get(port, path, host=host, tls=False)[0]


def test_the_unit_is_of_type_notify_and_may_bind_low_ports(unit):
    assert unit["Type"] == "notify"
    assert unit["AmbientCapabilities"] == unit["CapabilityBoundingSet"] == "CAP_NET_BIND_SERVICE"
    assert unit["StateDirectory"] == unit["ConfigurationDirectory"] == "causeway"


def test_the_unit_bounds_memory_and_keeps_it_out_of_core_dumps(unit):
    assert unit["MemoryMax"] == "75%" and unit["LimitCORE"] == "0"


def test_program_unit_and_configuration_name_the_same_places(installed, unit):
    assert unit["ExecStart"] == "/usr/bin/causeway --config /etc/causeway/causeway.json"
    assert (installed / "root/usr/bin/causeway").exists() and (installed / "root/etc/causeway/causeway.json").exists()
    assert f'"/var/lib/{unit["StateDirectory"]}"' in (installed / "root/etc/causeway/causeway.json").read_text()
    assert f"u {unit['User']} " in the_one(installed, "sysusers.d/*.conf").read_text()


@pytest.mark.parametrize("address", ["127.0.0.1", Namespace.LAN_ADDRESS])
@pytest.mark.parametrize("listener", ["udp 3478", "tcp 3478", "udp 443", "tls 443", "tcp 443"])
def test_stun_answers_on(service, listener, address):
    transport, port = listener.split()
    assert service.call(stun_binding, int(port), transport, address)[0] == address


@pytest.mark.parametrize("path", ["/", "/r/tea", "/test", "/healthz"])
def test_pages_over_https(service, path):
    assert service.call(status_of, 443, path, Namespace.LAN_ADDRESS) == 200


@pytest.mark.parametrize(("flags", "unread"), [(["-p", "3478"], 0), (["-p", "443"], 0), (["-t", "-p", "3478"], 0),
                                               (["-t", "-S", "-p", "443"], 2)],
                         ids=["udp 3478", "udp 443", "tcp 3478", "tls 443"])  # fmt: skip
def test_the_relay_works_on(service, flags, unread):
    """With the output of `causeway credential`, between two relayed addresses, under the default peer policy.

    Of two TLS records that arrive together turnutils_uclient reads one: each of its two sessions may miss its last.
    """
    done = run_causeway("credential", "--user", "carol", "--ttl", "1h", environment=service.environment)
    assert done.returncode == 0, done.stderr
    made = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    user = ["-u", made["username"], "-w", made["password"]]
    exchange = uclient("-y", "-X", *flags, *user, Namespace.LAN_ADDRESS, command=service.namespace.command())
    assert exchange.code == 0 and 0 < exchange.sent <= exchange.received + unread, exchange.output


def test_nothing_but_the_state_directory_is_written(installed, service):
    assert {path.name for path in installed.iterdir()} == {"root", "state", "notify"}
    assert {path.name for path in service.state.iterdir()} >= {"shared_secret", "nonce_key", "admin_token"}
