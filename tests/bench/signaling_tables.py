# SPDX-License-Identifier: Apache-2.0
"""The tables of `./dev bench signaling`, in Markdown."""
from tables import cell, head, loss_cell, per_cpu_second, ratio_cell, row, spread

SERVERS = ("causeway", "ws", "socket.io", "peerjs")


def _thousands(turns, server):
    if server not in turns:
        return "–"
    median, low, high = (each / 1000 for each in spread(map(per_cpu_second, turns[server])))
    return f"{median:.0f}k [{low:.0f}–{high:.0f}]"


def rate_table(results, baseline):
    others = [*SERVERS[1:], *(["baseline"] if baseline else [])]
    yield from head("candidates in", *SERVERS, "at least", *(f"÷ {other}" for other in others), "lost")
    for shape, turns in results:
        yield row([
            shape.title, *(_thousands(turns, server) for server in SERVERS), cell(shape.at_least, "{:g}k"),
            *(ratio_cell(turns, other, per_cpu_second) for other in others), loss_cell(turns),
        ])  # fmt: skip


def memory_table(results, baseline):
    servers = [*SERVERS, *(["baseline"] if baseline else [])]
    yield from head("", *servers, "at most")
    for shape, found in results:
        each = {
            name: (one["after_bytes"] - one["before_bytes"]) / one["clients"] / 1024 for name, one in found.items()
        }
        yield row([shape.title, *(cell(each.get(server), "{:.1f}") for server in servers), cell(shape.at_most)])


def _latency(turn):
    return f"{turn['latency_p50_ns'] / 1e6:.2f} / {turn['latency_p99_ns'] / 1e6:.2f}"


def storm_table(results, _baseline):
    yield from head("", "server", "resumed", "joined anew", "not back", "all back after", "a return p50 / p99 ms",
                    "others' candidates p50 / p99 ms before", "during", "lost")  # fmt: skip
    for shape, servers in results:
        for name, found in servers.items():
            yield row([
                shape.title, name, *(str(found[what]) for what in ("resumed", "joined_anew", "failed")),
                f"{found['last_back_ns'] / 1e9:.1f} s",
                f"{found['return_p50_ns'] / 1e6:.2f} / {found['return_p99_ns'] / 1e6:.2f}",
                _latency(found["before"]), _latency(found["during"]),
                str(found["before"]["lost"] + found["during"]["lost"]),
            ])  # fmt: skip
