# SPDX-License-Identifier: Apache-2.0
"""The tables of `./dev bench relay`, in Markdown: ratios round by round, medians, and where they spread."""
import statistics


def per_cpu_second(turn):
    return turn["delivered"] * 1e9 / max(turn["cpu_ns"], 1)


def spread(values):
    """(median, p10, p90)"""
    ordered = sorted(values)
    at = lambda share: ordered[min(int(share * len(ordered)), len(ordered) - 1)]
    return statistics.median(ordered), at(0.1), at(0.9)


def ratio_cell(turns, other, figure):
    """Causeway's figure as a multiple of another server's."""
    pairs = zip(turns["causeway"], turns.get(other, []))
    ratios = [figure(ours) / figure(theirs) for ours, theirs in pairs if figure(theirs)]
    if not ratios:
        return "–"
    median, low, high = spread(ratios)
    return f"{median:.2f} [{low:.2f}–{high:.2f}]"


def median_of(turns, server, figure):
    return statistics.median(map(figure, turns[server])) if server in turns else None


def cell(value, text="{:g}"):
    return "–" if value is None else text.format(value)


def loss_cell(turns):
    """Where packets were lost or something else arrived, what share of the sent ones."""
    lost = []
    for server, all_turns in turns.items():
        sent, missing, wrong = (sum(turn[what] for turn in all_turns) for what in ("sent", "lost", "wrong"))
        if missing or wrong:
            lost.append(f"{server} {100 * missing / max(sent, 1):.2g} %" + (f", {wrong} wrong" if wrong else ""))
    return "; ".join(lost) or "none"


def row(cells):
    return f"| {' | '.join(cells)} |"


def head(*columns):
    return [row(columns), "|---" * len(columns) + "|"]


def rate_table(results, baseline):
    others = ["bare", "baseline"] if baseline else ["bare"]
    yield from head("shape", "causeway", "coturn", "bare", "÷ coturn [p10–p90]", "at least", "aim at",
                    *(f"÷ {other}" for other in others), "lost")  # fmt: skip
    for shape, turns in results:
        medians = [median_of(turns, server, per_cpu_second) for server in ("causeway", "coturn", "bare")]
        yield row([
            shape.title, *(cell(median and median / 1000, "{:.0f}k") for median in medians),
            ratio_cell(turns, "coturn", per_cpu_second), cell(shape.at_least), cell(shape.aim_at),
            *(ratio_cell(turns, other, per_cpu_second) for other in others), loss_cell(turns),
        ])  # fmt: skip


def memory_table(results):
    yield from head("KiB of resident memory for", "causeway", "coturn", "at most", "aim at")
    for shape, servers in results:
        each = {
            name: (found["after_bytes"] - found["before_bytes"]) / found["clients"] / 1024
            for name, found in servers.items()
        }
        figures = [cell(each.get(server), "{:.1f}") for server in ("causeway", "coturn")]
        yield row([shape.title, *figures, cell(shape.at_most), cell(shape.aim_at)])


def latency_table(results):
    """Of the turns the lower quartile."""
    servers = ("causeway", "coturn", "bare")
    yield from head("share of the slowest server's maximum", *(f"{server} p50 / p99 µs" for server in servers),
                    "p99 ÷ coturn", "at most", "aim at")  # fmt: skip
    for shape, turns in results:
        quiet = lambda server, figure: statistics.quantiles([turn[figure] for turn in turns[server]], n=4)[0] / 1000
        p50, p99 = ({s: quiet(s, f"latency_{p}_ns") for s in servers if s in turns} for p in ("p50", "p99"))
        figures = [f"{p50[server]:.0f} / {p99[server]:.0f}" if server in p50 else "–" for server in servers]
        ratio = p99["causeway"] / p99["coturn"] if "coturn" in p99 else None
        yield row([shape.title, *figures, cell(ratio, "{:.2f}"), cell(shape.at_most), cell(shape.aim_at)])
