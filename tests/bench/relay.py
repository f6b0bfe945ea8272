# SPDX-License-Identifier: Apache-2.0
"""`./dev bench relay`: packets per CPU-second of Causeway, of coturn and of a bare forwarder, by shape of load.

For each shape all servers are started anew and take turns; docs/performance.md has the method and what came of it.
"""
import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from servers import BUILD, bare_forwarder, causeway, coturn, pinned
from shapes import SHAPES


class MeasurementFailed(Exception):
    pass


def arguments():
    parser = argparse.ArgumentParser(prog="./dev bench relay", description=__doc__.splitlines()[0])
    parser.add_argument("--against", choices=["coturn", "nothing"], default="coturn", help="the server to compare with")
    parser.add_argument("--baseline", type=Path, metavar="BINARY", help="an older causeway to compare with, too")
    parser.add_argument("--shape", action="append", choices=[s.name for s in SHAPES], help="all, if none is named")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each server (9)")
    parser.add_argument("--turn-ms", type=int, default=90, help="what is measured of each turn (90)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every turn of every server")
    parser.add_argument("--no-bare", action="store_true", help="leave out the bare forwarder")
    return parser.parse_args()


@contextlib.contextmanager
def started(shape, options):
    """The servers that can do this shape, all fresh."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        running = [stack.enter_context(causeway(folder / "causeway"))]
        if options.baseline:
            running.append(stack.enter_context(causeway(folder / "baseline", options.baseline, "baseline")))
        if options.against == "coturn":
            running.append(stack.enter_context(coturn(folder / "coturn")))
        if shape.bare and not options.no_bare:
            running.append(stack.enter_context(bare_forwarder(folder / "bare")))
        yield running


def measure(shape, options):
    """Turns by server: {"causeway": [{"delivered": …, "cpu_ns": …}, …], …}."""
    with started(shape, options) as running:
        servers = [word for server in running for word in ("--server", server.argument(server.udp))]
        pace = ["--rounds", str(options.rounds), "--turn-ms", str(options.turn_ms)]
        command = [*pinned(1), str(BUILD / "tests/bench/relay_load"), *servers, *pace, *shape.load.split()]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise MeasurementFailed(f"{shape.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def per_cpu_second(turn):
    return turn["delivered"] * 1e9 / max(turn["cpu_ns"], 1)


def spread(values):
    """(median, p10, p90)"""
    ordered = sorted(values)
    at = lambda share: ordered[min(int(share * len(ordered)), len(ordered) - 1)]
    return statistics.median(ordered), at(0.1), at(0.9)


def ratios(turns, other):
    """Causeway's packets per CPU-second as multiples of another server's, round by round."""
    return [per_cpu_second(a) / per_cpu_second(b) for a, b in zip(turns["causeway"], turns[other]) if b["delivered"]]


def ratio_cell(turns, other):
    if other not in turns or not ratios(turns, other):
        return "–"
    median, low, high = spread(ratios(turns, other))
    return f"{median:.2f} [{low:.2f}–{high:.2f}]"


def absolute_cell(turns, server):
    if server not in turns:
        return "–"
    return f"{statistics.median(map(per_cpu_second, turns[server])) / 1000:.0f}k"


def loss_cell(turns):
    """Where packets were lost or something else arrived, what share of the sent ones."""
    lost = []
    for server, all_turns in turns.items():
        sent, missing, wrong = (sum(turn[what] for turn in all_turns) for what in ("sent", "lost", "wrong"))
        if missing or wrong:
            lost.append(f"{server} {100 * missing / max(sent, 1):.2g} %" + (f", {wrong} wrong" if wrong else ""))
    return "; ".join(lost) or "none"


def table(results, options):
    extra = ["baseline"] if options.baseline else []
    columns = ["causeway", "coturn", "bare"]
    head = ["shape", *columns, "÷ coturn [p10–p90]", "at least", "aim at", "÷ bare", *(f"÷ {e}" for e in extra), "lost"]
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for shape, turns in results:
        wanted = [f"{value:g}" if value else "–" for value in (shape.at_least, shape.aim_at)]
        cells = [
            shape.title, *(absolute_cell(turns, server) for server in columns), ratio_cell(turns, "coturn"), *wanted,
            ratio_cell(turns, "bare"), *(ratio_cell(turns, name) for name in extra), loss_cell(turns),
        ]  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def main():
    options = arguments()
    results, failed = [], False
    for shape in SHAPES:
        if options.shape and shape.name not in options.shape:
            continue
        print(f"{shape.name} …", file=sys.stderr, flush=True)
        try:
            results.append((shape, measure(shape, options)))
        except MeasurementFailed as failure:
            failed = True
            print(failure, file=sys.stderr)
    print("\nPackets per CPU-second of the server, medians; ratios round by round.\n")
    print("\n".join(table(results, options)))
    if options.json:
        options.json.write_text(json.dumps({shape.name: turns for shape, turns in results}, indent=1))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
