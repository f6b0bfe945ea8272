# SPDX-License-Identifier: Apache-2.0
"""`./dev bench signaling`: what Causeway delivers for a second of its CPU time, next to servers that run on Node.

For each shape all servers are started anew and take turns; docs/performance.md has the method and what came of it.
"""
import argparse
import contextlib
import functools
import json
import sys
import tempfile
from pathlib import Path

import signaling_tables as tables
from loads import binary, measure_all, run_load
from servers import causeway_signaling, node_server
from signaling_shapes import MEMORY, NAMES, RATES, STORMS

OTHERS = {"ws": "ws.mjs", "socket.io": "socket_io.mjs", "peerjs": "peerjs.mjs"}


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench signaling", description=__doc__.splitlines()[0])
    parser.add_argument("--against", action="append", choices=[*OTHERS, "nothing"], help="servers to compare with (all)")
    parser.add_argument("--baseline", type=binary, metavar="BINARY", help="an older causeway to compare with, too")
    parser.add_argument("--shape", action="append", choices=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)} (all)")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each server (9)")
    parser.add_argument("--turn-ms", type=int, default=150, help="what is measured of each turn (150)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every turn of every server")
    return parser.parse_args()


def programs(options, with_others=True):
    """[(name, how it is started in a folder)]"""
    found = [("causeway", causeway_signaling)]
    if options.baseline:
        found.append(("baseline", functools.partial(causeway_signaling, program=options.baseline, name="baseline")))
    for name, script in OTHERS.items():
        if with_others and name in (options.against or OTHERS):
            found.append((name, functools.partial(node_server, name=name, script=script)))
    return found


def measure(programs_, load, tls):
    """What signaling_load says of these, all fresh."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers = [stack.enter_context(start(Path(folder) / name)) for name, start in programs_]
        more = ["--tls"] if tls else []
        return run_load("signaling_load", [server.argument(tls) for server in servers], [*load.split(), *more])


def measure_rate(shape, options):
    load = f"{shape.load} --rounds {options.rounds} --turn-ms {options.turn_ms}"
    return measure(programs(options), load, shape.tls)


def measure_one_by_one(shape, options):
    """So that no server's memory or time is another's."""
    found = {}
    for each in programs(options, with_others=shape.others):
        found |= measure([each], shape.load, shape.tls)
    return found


def main():
    options, failures = arguments(), []
    rates = measure_all(RATES, measure_rate, options, failures)
    memory = measure_all(MEMORY, measure_one_by_one, options, failures)
    storms = measure_all(STORMS, measure_one_by_one, options, failures)
    for title, results, table in (
        ("Candidates delivered per CPU-second of the server, medians [p10–p90]; ratios round by round.", rates,
         tables.rate_table),
        ("KiB of resident memory for a member that is in its room and says nothing.", memory, tables.memory_table),
        ("All connections of idle members end at once and come back, while 50 rooms talk.", storms, tables.storm_table),
    ):  # fmt: skip
        if results:
            print(f"\n{title}\n")
            print("\n".join(table(results, options.baseline)))
    if options.json:
        everything = {shape.name: found for shape, found in (*rates, *memory, *storms)}
        options.json.write_text(json.dumps(everything, indent=1))
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
