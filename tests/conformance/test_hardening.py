# SPDX-License-Identifier: Apache-2.0
"""The defences of cmake/hardening.cmake, seen in the daemon."""
import os
import platform
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("CAUSEWAY_BUILD", ROOT / "build/release"))
BINARY = Path(os.environ.get("CAUSEWAY_BINARY", BUILD / "causeway"))


def readelf(*arguments):
    return subprocess.run(["readelf", "-W", *arguments, BINARY], check=True, capture_output=True, text=True).stdout


def test_the_daemon_has_every_defence():
    cache = BUILD / "CMakeCache.txt"
    if not cache.exists() or not BINARY.exists():
        pytest.skip("no build is there")
    if "CMAKE_BUILD_TYPE:STRING=Release" not in cache.read_text() or "-fsanitize=" in cache.read_text():
        pytest.skip("not a build that is to be installed")
    dynamic, segments, symbols = readelf("-d"), readelf("-l"), readelf("--dyn-syms")
    x86 = platform.machine() == "x86_64"
    has = {
        "position independent": "PIE" in dynamic,
        "full RELRO": "GNU_RELRO" in segments and "BIND_NOW" in dynamic,
        "no executable stack": re.search(r"GNU_STACK.* RW ", segments),
        "stack protector": "__stack_chk_fail" in symbols,
        "_FORTIFY_SOURCE": re.search(r"__\w+_chk@", symbols.replace("__stack_chk_fail@", "")),
        "shadow stack": not x86 or "SHSTK" in readelf("-n"),
        "marked call targets": not x86 or b"\xf3\x0f\x1e\xfa" in BINARY.read_bytes(),  # endbr64
    }
    assert [defence for defence, found in has.items() if not found] == []
