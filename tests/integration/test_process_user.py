# SPDX-License-Identifier: Apache-2.0
"""A daemon that root starts: which user it becomes, and what it says where it becomes none."""
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from network_namespace import NOBODY, folder_of_nobody
from support import Daemon, Ports, relay_config, run_causeway, stun_binding, write_config

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a daemon as root")


@pytest.fixture
def folder():
    folder = folder_of_nobody()
    yield folder
    shutil.rmtree(folder)


def config_of(folder, ports, **more):
    config = relay_config(folder, ports, workers=2) | more
    for file in folder.iterdir():
        os.chown(file, NOBODY, NOBODY)
    return config


def statuses(process):
    """What /proc says of each thread."""
    return [dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line)
            for task in Path(f"/proc/{process}/task").iterdir()]  # fmt: skip


def test_it_becomes_the_user_of_the_configuration(folder):
    ports = Ports()
    with Daemon(folder, config_of(folder, ports, user="nobody"), http_port=ports.http) as daemon:
        daemon.wait_for_line('started as root, goes on as user "nobody"')
        threads = statuses(daemon.process.pid)
        assert len(threads) >= 3
        for status in threads:
            assert status["Uid"].split() == status["Gid"].split() == [str(NOBODY)] * 4
            assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == 0 and status["NoNewPrivs"] == "1"
            assert set(status["Groups"].split()) <= {str(NOBODY)}
        assert {path.stat().st_uid for path in (folder / "state").iterdir()} == {NOBODY}
        assert stun_binding(ports.turn)[0] == "127.0.0.1"
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_line("reloaded the configuration")
    assert "a reload will fail" not in daemon.log


def test_it_names_what_a_reload_cannot_read(folder):
    ports = Ports()
    config = config_of(folder, ports, user="nobody")
    os.chown(folder / "server.key", 0, 0)
    (folder / "server.key").chmod(0o600)
    with Daemon(folder, config, http_port=ports.http) as daemon:
        daemon.wait_for_line(r"a reload will fail, because this user cannot read \S*server.key \(Permission denied\)")


def test_root_stays_root_where_the_configuration_says_so(folder):
    ports = Ports()
    with Daemon(folder, config_of(folder, ports, user="root"), http_port=ports.http) as daemon:
        daemon.wait_for_line("runs as root, because the key user says so")
        assert all(status["Uid"].split()[1] == "0" for status in statuses(daemon.process.pid))


def test_without_the_default_user_it_says_why_it_stays_root(folder):
    if re.search(r"^causeway:", Path("/etc/passwd").read_text(), re.MULTILINE):
        pytest.skip("this machine has the user causeway")
    ports = Ports()
    with Daemon(folder, config_of(folder, ports), http_port=ports.http) as daemon:
        daemon.wait_for_line('runs as root, because this machine has no user "causeway": make it')


def test_a_configured_user_that_is_not_there_is_an_error(folder):
    done = run_causeway("--config", write_config(folder, config_of(folder, Ports(), user="nobody-at-all")))
    assert done.returncode == 1
    assert 'error: user: this machine has no user "nobody-at-all"; make it (useradd --system nobody-at-all)' in done.stderr
