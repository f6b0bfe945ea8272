# SPDX-License-Identifier: Apache-2.0
"""Two homes behind NATs and a public server, in network namespaces: tests/support/nat_network.sh says how."""
import os
import subprocess

from support import ROOT

SERVER_ADDRESS = "5.5.5.5"


class NatNetwork:
    """`unavailable` says why there is none."""

    def __init__(self, *arguments):
        """`arguments`: those of the script."""
        self.unavailable, self._holders = None, {}
        self._script = subprocess.Popen(
            [ROOT / "tests/support/nat_network.sh", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        for line in self._script.stdout:
            if line == "up\n":
                return
            name, pid = line.split()
            self._holders[name] = pid
        why = self._script.communicate()[1].strip()
        self.unavailable = f"no network with NATs can be made here: {why}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._script.communicate()

    def command(self, name):
        """A prefix that runs a command in the namespace of this name."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", self._holders[name], "--net", *user]
