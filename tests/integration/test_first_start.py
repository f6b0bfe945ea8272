# SPDX-License-Identifier: Apache-2.0
"""Starts without any configuration, second starts, and starts that cannot succeed and say why."""
import re
import shutil
import socket
import stat

import pytest

from network_namespace import Namespace, folder_of_nobody, namespace, program_for_nobody  # namespace is a fixture
from support import (
    Daemon, Ports, clean_environment, free_port, http_get, make_certificate, relay_config, run_causeway, stun_binding,
    wait_until, write_config,
)  # fmt: skip


class FirstStart:
    """What can be seen from outside of one start without configuration, and what it left in its state directory."""

    def __init__(self, namespace, home):
        environment = clean_environment(HOME=str(home))
        for name in ("STATE_DIRECTORY", "CONFIGURATION_DIRECTORY", "XDG_STATE_HOME"):
            environment.pop(name, None)
        program = program_for_nobody(home)
        with Daemon(home, None, command=namespace.command(), program=program, environment=environment) as daemon:

            def ready():
                try:
                    return namespace.call(status_of, 8080, "/readyz") == 200
                except AssertionError:
                    return False

            wait_until(ready, daemon.process, lambda: f"not ready:\n{daemon.log}")
            self.answers = {
                "http 8080": namespace.call(status_of, 8080, "/"),
                "https 8443": namespace.call(status_of, 8443, "/test", False),
                "udp 3478": namespace.call(stun_binding, 3478, "udp")[0],
                "tcp 3478": namespace.call(stun_binding, 3478, "tcp")[0],
                "tls 5349": namespace.call(stun_binding, 5349, "tls")[0],
                "udp 5349": namespace.call(stun_binding, 5349, "udp")[0],
                "tcp 8080": namespace.call(stun_binding, 8080, "tcp")[0],
                "tls 8443": namespace.call(stun_binding, 8443, "tls")[0],
            }
        self.log = daemon.log
        self.state = home / ".local/state/causeway"
        self.files = {path.name: path.read_bytes() for path in self.state.iterdir()}


def status_of(port, path, tls=None):
    return http_get(port, path, tls=tls)[0]


@pytest.fixture(scope="module")
def starts(namespace):
    """Two starts of an unprivileged user after each other with the same, at first empty, home folder."""
    folder = folder_of_nobody()
    yield FirstStart(namespace, folder), FirstStart(namespace, folder)
    shutil.rmtree(folder)


def test_every_default_listener_answers(starts):
    assert starts[0].answers == {
        "http 8080": 200,
        "https 8443": 200,
        "udp 3478": "127.0.0.1",
        "tcp 3478": "127.0.0.1",
        "tls 5349": "127.0.0.1",
        "udp 5349": "127.0.0.1",
        "tcp 8080": "127.0.0.1",
        "tls 8443": "127.0.0.1",
    }


def test_the_state_directory_is_private(starts):
    state = starts[0].state
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    open_to_others = [path.name for path in state.iterdir() if path.stat().st_mode & 0o077]
    assert not open_to_others
    assert {"shared_secret", "nonce_key", "admin_token", "certificate.pem", "private_key.pem"} <= starts[0].files.keys()


def test_the_first_lines_say_what_to_open(starts):
    log = starts[0].log
    for text in (
        "http://localhost:8080/",
        f"https://{Namespace.LAN_ADDRESS}:8443/",
        "The browser warns once",
        "http://localhost:8080/test",
        "/etc/causeway/causeway.json",
        str(starts[0].state / "admin_token"),
    ):
        assert text in log, log


def test_no_secret_is_printed(starts):
    for name in ("shared_secret", "admin_token"):
        assert starts[0].files[name].decode().strip() not in starts[0].log


def test_a_second_start_keeps_everything(starts):
    assert starts[1].files == starts[0].files


@pytest.fixture
def config(tmp_path):
    return relay_config(tmp_path, Ports())


def failed_start(folder, config, code, *patterns):
    """Starts, and checks the exit code and that each pattern occurs in what was said."""
    done = run_causeway("--config", write_config(folder, config), cwd=folder)
    said = done.stdout + done.stderr
    assert done.returncode == code, f"exit code {done.returncode}:\n{said}"
    for pattern in patterns:
        assert re.search(pattern, said), f"no {pattern!r} in:\n{said}"
    return said


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_port_that_is_taken(tmp_path, config, transport):
    port = config["listeners"][0]["port"]
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM) as other:
        other.bind(("::", port))
        if transport == "tcp":
            other.listen()
        failed_start(tmp_path, config, 1, rf"{transport} .*:{port}\b", "choose another port")


def test_a_port_that_needs_a_capability(namespace):
    folder = folder_of_nobody()
    try:
        config = relay_config(folder, Ports())
        config["listeners"][0]["port"] = 443
        del config["tls"]  # its key may be read by the owner only
        file = write_config(folder, config)
        done = run_causeway("--config", file, command=namespace.command(), program=program_for_nobody(folder))
        said = done.stdout + done.stderr
        assert done.returncode == 1 and "443" in said and "CAP_NET_BIND_SERVICE" in said, said
    finally:
        shutil.rmtree(folder)


def test_a_wrong_key(tmp_path, config):
    config["turn"]["sharedsecrets"] = config["turn"].pop("shared_secrets")
    text = write_config(tmp_path, config).read_text()
    line = text[: text.index("sharedsecrets")].count("\n") + 1
    failed_start(tmp_path, config, 2, rf"causeway\.json:{line}\b", "sharedsecrets", r"turn\.shared_secrets")


def test_a_wrong_value(tmp_path, config):
    config["listeners"][0]["port"] = 99999
    failed_start(tmp_path, config, 2, r"causeway\.json:\d+", r"listeners\[0\]\.port", "65535")


def test_broken_json(tmp_path):
    failed_start(tmp_path, '{\n  "realm": "example.org",\n  "turn": {]\n}\n', 2, r"causeway\.json:3\b")


def test_a_configuration_file_that_is_not_there(tmp_path):
    done = run_causeway("--config", tmp_path / "none.json")
    assert done.returncode == 2 and "none.json" in done.stderr + done.stdout


def test_a_certificate_that_does_not_match_its_key(tmp_path, config):
    _, other_key = make_certificate(tmp_path, "other")
    config["tls"]["private_key"] = str(other_key)
    said = failed_start(tmp_path, config, 1, re.escape(config["tls"]["certificate"]), re.escape(str(other_key)))
    assert "match" in said or "belong" in said, said


def test_a_certificate_that_is_not_there(tmp_path, config):
    config["tls"]["certificate"] = str(tmp_path / "none.pem")
    failed_start(tmp_path, config, 1, re.escape(str(tmp_path / "none.pem")))


def test_a_state_directory_that_cannot_be_made(tmp_path, config):
    (tmp_path / "file").write_text("")
    config["state_directory"] = str(tmp_path / "file/state")
    failed_start(tmp_path, config, 1, re.escape(str(tmp_path / "file")))


def test_check_config_says_the_same_without_starting(tmp_path, config):
    done = run_causeway("check-config", write_config(tmp_path, config))
    assert done.returncode == 0, done.stdout + done.stderr
    config["realmm"] = config.pop("realm")
    done = run_causeway("check-config", write_config(tmp_path, config))
    assert done.returncode == 2 and "realmm is not a key" in done.stderr, done.stderr


def test_the_options_of_serve_are_enough_for_a_start(tmp_path):
    ports = Ports()
    options = {"--listen": "127.0.0.1", "--port": ports.turn, "--tls-port": ports.tls, "--web-port": ports.http,
               "--web-tls-port": free_port(), "--user": "alice:wonderland", "--realm": "example.org"}  # fmt: skip
    arguments = ["serve", *(str(word) for option in options.items() for word in option)]
    environment = clean_environment(STATE_DIRECTORY=str(tmp_path / "state"))
    with Daemon(tmp_path, None, arguments=arguments, http_port=ports.http, environment=environment) as daemon:
        assert stun_binding(ports.turn) and f"http://127.0.0.1:{ports.http}/" in daemon.log
    assert "wonderland" not in daemon.log
