# SPDX-License-Identifier: Apache-2.0
"""Nobody reads standard error and standard output: their pipe is full before the daemon starts. It serves all the same."""
import contextlib
import os
import signal
import subprocess
import threading

from support import BINARY, DEADLINE_SECONDS, Peer, Ports, clean_environment, http_get, relay_config, uclient
from support import wait_until, write_config
from test_websocket import connected, lives

STRANGERS = 600


@contextlib.contextmanager
def unread(folder, config, ports):
    """The daemon, and the end of the pipe from which nobody reads yet."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"\n" * 4096)
    os.set_blocking(writing, True)
    process = subprocess.Popen(
        [BINARY, "--config", write_config(folder, config)], cwd=folder, env=clean_environment(),
        stdin=subprocess.DEVNULL, stdout=writing, stderr=writing,
    )  # fmt: skip
    os.close(writing)
    try:
        wait_until(lambda: is_ready(ports), process, lambda: "the daemon did not become ready")
        yield process, reading
    finally:
        process.kill()
        process.wait()
        os.close(reading)


def is_ready(ports):
    with contextlib.suppress(OSError):
        return http_get(ports.http, "/readyz")[0] == 200


def read_all(reading):
    chunks = iter(lambda: os.read(reading, 65536), b"")
    return b"".join(chunks).decode()


def test_strangers_stop_neither_relay_nor_signaling_by_the_log(tmp_path):
    ports = Ports()
    with unread(tmp_path, relay_config(tmp_path, ports, peers={"lan": True, "allow": ["127.0.0.0/8"]}), ports) as daemon:
        process, _ = daemon
        with Peer("127.0.0.1") as peer:
            flow = []
            relayed = threading.Thread(target=lambda: flow.append(uclient(
                "-u", "alice", "-w", "wonderland", "-e", "127.0.0.1", "-r", peer.port, "-p", ports.turn, "127.0.0.1")))
            relayed.start()
            for _ in range(STRANGERS):
                with connected(ports.http):
                    pass
            relayed.join()
        assert flow[0].complete, flow[0].output
        with connected(ports.http) as member:
            assert lives(member)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_SECONDS) == 0


def test_a_log_that_is_read_again_says_how_many_lines_are_missing(tmp_path):
    ports = Ports()
    with unread(tmp_path, relay_config(tmp_path, ports) | {"log": {"level": "debug"}}, ports) as daemon:
        process, reading = daemon
        for _ in range(400):  # 2.4 MB of lines, where 1 MiB waits
            assert http_get(ports.http, "/" + "x" * 6000)[0] == 404
        process.send_signal(signal.SIGTERM)
        log = read_all(reading)
        assert process.wait(DEADLINE_SECONDS) == 0
    assert " log lines were lost here" in log
    assert "stopping" in log.splitlines()[-1], "the newest lines are there"
