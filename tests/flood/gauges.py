# SPDX-License-Identifier: Apache-2.0
"""What a process takes of the machine, looked at several times a second."""
import contextlib
import os
import threading
import time
from pathlib import Path

INTERVAL_SECONDS = 0.1


def resident_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Gauges:
    """`with Gauges(pid) as gauges:` and then peaks()."""

    def __init__(self, pid):
        self._pid, self._ended = pid, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._began, self._busy = time.monotonic(), processor_seconds(self._pid)
        self._first = (resident_bytes(self._pid), open_descriptors(self._pid))
        self._most, self._last = self._first, (self._began, self._busy)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _watch(self):
        with contextlib.suppress(OSError):  # when the process has ended
            while not self._ended.wait(INTERVAL_SECONDS):
                now = (resident_bytes(self._pid), open_descriptors(self._pid))
                self._most = tuple(map(max, self._most, now))
                self._last = (time.monotonic(), processor_seconds(self._pid))

    def peaks(self):
        """How much more memory and how many more descriptors than at the start, and the share of one processor."""
        seconds = self._last[0] - self._began
        return {
            "MiB": (self._most[0] - self._first[0]) / 2**20,
            "descriptors": self._most[1] - self._first[1],
            "processor": (self._last[1] - self._busy) / seconds if seconds > 0 else 0,
        }
