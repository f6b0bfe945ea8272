# SPDX-License-Identifier: Apache-2.0
"""Runs a load client on servers that run, and shapes one after the other."""
import argparse
import json
import subprocess
import sys
from pathlib import Path

from servers import BUILD, pinned


def binary(text):
    """The path of a program, for an argument parser: it is started from another folder."""
    path = Path(text).resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path}")
    return path


class MeasurementFailed(Exception):
    pass


def run_load(program, servers, arguments):
    """What the program says: {"causeway": …, "coturn": …}. `servers` are its --server arguments."""
    command = [*pinned(1), str(BUILD / "tests/bench" / program), *map(str, arguments)]
    for server in servers:
        command += ["--server", server]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MeasurementFailed(done.stderr.strip())
    return json.loads(done.stdout)


def measure_all(shapes, measure_one, options, failures):
    """[(shape, what measure_one says)], of those that were asked for and did not fail."""
    results = []
    for shape in shapes:
        if options.shape and shape.name not in options.shape:
            continue
        print(f"{shape.name} …", file=sys.stderr, flush=True)
        try:
            results.append((shape, measure_one(shape, options)))
        except MeasurementFailed as failure:
            failures.append(f"{shape.name}: {failure}")
    return results
