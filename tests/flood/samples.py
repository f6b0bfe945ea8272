# SPDX-License-Identifier: Apache-2.0
"""What honest clients felt: one sample for each packet, message or visit, and what these come to."""
import statistics
from collections import Counter
from dataclasses import dataclass


@dataclass
class Sample:
    at: float  # when it was due (time.monotonic), so that a stall counts for everything that had to wait
    seconds: float | None = None  # None: lost or refused
    what: str = ""
    why: str = "lost"


@dataclass
class Summary:
    total: int
    lost: int
    median: float | None  # milliseconds
    p99: float | None
    worst: float | None
    reasons: list


def summary(samples, begin, end):
    """Of the samples from `begin` to `end`."""
    chosen = [each for each in samples if begin <= each.at < end]
    delays = sorted(1000 * each.seconds for each in chosen if each.seconds is not None)
    lost = [each for each in chosen if each.seconds is None]
    reasons = Counter(f"{each.what}: {each.why}" for each in lost)
    return Summary(
        len(chosen), len(lost), statistics.median(delays) if delays else None,
        delays[min(int(0.99 * len(delays)), len(delays) - 1)] if delays else None, delays[-1] if delays else None,
        [f"{reason} ({count}×)" for reason, count in reasons.most_common(5)],
    )  # fmt: skip
