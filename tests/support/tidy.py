# SPDX-License-Identifier: Apache-2.0
"""clang-tidy on the given files, several at a time, but not on a text that it has passed before, in whatever folder.

python3 tests/support/tidy.py BUILD_FOLDER FILE...

A text is a file with all that it includes, the checks and the version of clang-tidy. What passed is remembered as empty
files in the user's cache folder, those of the last 30 days.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

REMEMBERED_SECONDS = 30 * 24 * 3600


def cache_folder():
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    folder = pathlib.Path(root) / "causeway-tidy"
    folder.mkdir(parents=True, exist_ok=True)
    for entry in folder.iterdir():
        if entry.stat().st_mtime < time.time() - REMEMBERED_SECONDS:
            entry.unlink()
    return folder


def text_of(entry):
    """The file and what it includes, without the line markers, which name folders. Macros are left as they are: it is
    ten times as fast, and their definitions are in the text."""
    arguments = shlex.split(entry["command"])
    compiler = [each for each in arguments[:arguments.index("-o")] if "-prefix-map=" not in each]
    run = subprocess.run([*compiler, "-E", "-fdirectives-only", entry["file"]], cwd=entry["directory"],
                         capture_output=True, check=True)
    return re.sub(rb"^# .*\n", b"", run.stdout, flags=re.MULTILINE)


def tidy(entry, build, rules, passed):
    key = hashlib.sha256(rules + text_of(entry)).hexdigest()
    if (passed / key).exists():
        (passed / key).touch()
        return 0
    run = subprocess.run(["clang-tidy", "-p", build, "--quiet", "--extra-arg=-Wno-unknown-warning-option", entry["file"]],
                         capture_output=True, text=True)
    if run.returncode == 0:
        (passed / key).touch()
    else:
        print(run.stdout, run.stderr, sep="", flush=True)
    return run.returncode


def main(build, *files):
    entries = {each["file"]: each for each in json.loads(pathlib.Path(build, "compile_commands.json").read_text())}
    version = subprocess.run(["clang-tidy", "--version"], capture_output=True, check=True).stdout
    rules = version + pathlib.Path(".clang-tidy").read_bytes()
    passed = cache_folder()
    wanted = [entries[str(pathlib.Path(file).resolve())] for file in files]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return max(pool.map(lambda entry: tidy(entry, build, rules, passed), wanted), default=0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
