# SPDX-License-Identifier: Apache-2.0
"""A network namespace of one's own, and what a program needs to run in it as an unprivileged user."""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from support import BINARY

NOBODY = 65534


class Namespace:
    """A network of its own with loopback and one address like a LAN's: every port is free, and no packet leaves.

    Root makes one directly, others need user namespaces. `unavailable` says why there is none.
    """

    LAN_ADDRESS = "10.77.0.2"
    SETUP = (
        "ip link set lo up && ip link add lan0 type veth peer name lan1 && ip link set lan1 up && ip link set lan0 up"
        f" && ip address add {LAN_ADDRESS}/24 dev lan0 && ip route add default dev lan0 && echo up && exec cat"
    )

    def __init__(self):
        self.unavailable = None
        self.is_root = os.geteuid() == 0
        flags = ["--net"] if self.is_root else ["--net", "--user", "--map-root-user"]
        self._holder = subprocess.Popen(
            ["unshare", *flags, "sh", "-c", self.SETUP],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        if self._holder.stdout.readline() != "up\n":
            self.unavailable = "no network namespace can be made here: " + self._holder.communicate()[1].strip()

    def close(self):
        self._holder.communicate()

    def command(self, *capabilities):
        """A prefix that runs a command in here as an unprivileged user with these capabilities and no others."""
        enter = ["nsenter", "--target", str(self._holder.pid), "--net"]
        kept = ",".join(["-all", *(f"+{capability}" for capability in capabilities)])
        limit = ["setpriv", "--no-new-privs", f"--inh-caps={kept}", f"--ambient-caps={kept}", f"--bounding-set={kept}"]
        if self.is_root:
            return [*enter, *limit, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        # Root of a user namespace is to the file system the user who runs the tests.
        return [*enter, "--user", "--preserve-credentials", *limit]

    def call(self, function, *arguments):
        """Runs function(*arguments) in here, in a child process, and returns its result as JSON carries it."""
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                self.enter()
                result = {"value": function(*arguments)}
            except BaseException as error:  # the child must not go on as a second test run
                result = {"error": f"{type(error).__name__}: {error}"}
            os.write(write_end, json.dumps(result).encode())
            os._exit(0)
        os.close(write_end)
        with os.fdopen(read_end) as pipe:
            result = json.loads(pipe.read())
        os.waitpid(child, 0)
        if "error" in result:
            raise AssertionError(result["error"])
        return result["value"]

    def enter(self):
        """Moves this process, which must have no other thread yet, and all that it starts in here."""
        libc = __import__("ctypes").CDLL(None, use_errno=True)
        for kind in ["net"] if self.is_root else ["user", "net"]:
            with open(f"/proc/{self._holder.pid}/ns/{kind}") as namespace:
                if libc.setns(namespace.fileno(), 0) != 0:
                    raise OSError("setns failed")


def folder_of_nobody():
    """A temporary folder that the unprivileged user of Namespace.command owns; the caller removes it."""
    folder = Path(tempfile.mkdtemp(prefix="causeway-"))
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    return folder


def program_for_nobody(folder):
    """A copy of the program in such a folder: the one that was built may lie where only its owner can go."""
    program = Path(shutil.copy(BINARY, folder / "causeway"))
    program.chmod(0o755)
    return program


@pytest.fixture(scope="module")
def namespace():
    namespace = Namespace()
    if namespace.unavailable:
        pytest.skip(namespace.unavailable)
    yield namespace
    namespace.close()
