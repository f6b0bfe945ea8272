# SPDX-License-Identifier: Apache-2.0
"""`./dev bench relay`: what Causeway relays for a second of its CPU time, next to coturn and a bare forwarder.

For each shape all servers are started anew and take turns; docs/performance.md has the method and what came of it.
"""
import argparse
import contextlib
import json
import sys
import tempfile
from pathlib import Path

import tables
from loads import binary, measure_all, run_load
from servers import bare_forwarder, causeway, coturn
from shapes import LATENCY, MEMORY, NAMES, SHAPES


def setting(text):
    key, value = text.split("=", 1)
    return key, json.loads(value)


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench relay", description=__doc__.splitlines()[0])
    parser.add_argument("--against", choices=["coturn", "nothing"], default="coturn", help="the server to compare with")
    parser.add_argument("--baseline", type=binary, metavar="BINARY", help="an older causeway to compare with, too")
    parser.add_argument("--turn", action="append", type=setting, default=[], metavar="KEY=VALUE",
                        help="a key of the section turn, for causeway and not for the baseline")  # fmt: skip
    parser.add_argument("--shape", action="append", choices=NAMES, metavar="NAME", help=f"of {', '.join(NAMES)} (all)")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each server (9)")
    parser.add_argument("--turn-ms", type=int, default=90, help="what is measured of each turn (90)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every turn of every server")
    return parser.parse_args()


@contextlib.contextmanager
def started(options, with_bare):
    """The servers, all fresh."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        running = [stack.enter_context(causeway(folder / "causeway", turn=options.turn))]
        if options.baseline:
            running.append(stack.enter_context(causeway(folder / "baseline", options.baseline, "baseline")))
        if options.against == "coturn":
            running.append(stack.enter_context(coturn(folder / "coturn")))
        if with_bare:
            running.append(stack.enter_context(bare_forwarder(folder / "bare")))
        yield running


def measure(options, load, with_bare=False, tls=False):
    """What relay_load says of fresh servers: {"causeway": …, "coturn": …}."""
    arguments = ["--rounds", options.rounds, "--turn-ms", options.turn_ms, *load.split()]
    with started(options, with_bare) as servers:
        return run_load("relay_load", [server.argument(tls) for server in servers], arguments)


def measure_rate(shape, options):
    return measure(options, shape.load, shape.bare, shape.tls)


def measure_memory(shape, options):
    return measure(options, f"{shape.load} --memory", tls=shape.tls)


def measure_latency(shape, options):
    """In many short turns, some of which nothing disturbs."""
    saturated = measure(options, shape.load, with_bare=True)
    slowest = min(tables.median_of(saturated, server, tables.per_cpu_second) for server in saturated)
    load = f"{shape.load} --rate {int(slowest * shape.share)}"
    return measure(options, f"{load} --rounds {4 * options.rounds} --turn-ms 30", with_bare=True)


def main():
    options, failures = arguments(), []
    rates = measure_all(SHAPES, measure_rate, options, failures)
    memory = measure_all(MEMORY, measure_memory, options, failures)
    latencies = measure_all(LATENCY, measure_latency, options, failures)
    if rates:
        print("\nPackets (answers, handshakes) per CPU-second of the server, medians; ratios round by round.\n")
        print("\n".join(tables.rate_table(rates, options.baseline)))
    if memory:
        print()
        print("\n".join(tables.memory_table(memory)))
    if latencies:
        print("\nFrom end to end, 160 B, 100 flows, both ways. Lower quartile of the turns: disturbance only adds.\n")
        print("\n".join(tables.latency_table(latencies)))
    if options.json:
        everything = {shape.name: found for shape, found in (*rates, *memory, *latencies)}
        options.json.write_text(json.dumps(everything, indent=1))
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
