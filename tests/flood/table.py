# SPDX-License-Identifier: Apache-2.0
"""What came of the attacks, for people to read or as a table in Markdown."""
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Row:
    attack: Any
    outcome: str  # what the attacker got; begins with BREACH where it must not
    felt: dict = field(default_factory=dict)  # {who: (Summary before, Summary during)}
    peaks: dict = field(default_factory=dict)
    failure: str = ""  # of the daemon, or of somebody honest who could not even begin
    label: str = ""

    def complaints(self):
        """What somebody honest lost, in sentences."""
        if self.outcome.startswith("BREACH"):
            yield self.outcome
        if self.failure:
            yield self.failure
        for who, (_, during) in self.felt.items():
            if during.lost:
                yield f"{who}: {during.lost} of {during.total} lost: {'; '.join(during.reasons)}"
            elif not during.total:
                yield f"{who}: nothing was measured"

    def as_json(self):
        felt = {who: {"before": asdict(one), "during": asdict(two)} for who, (one, two) in self.felt.items()}
        return {
            "attack": self.attack.name, "label": self.label, "outcome": self.outcome, "felt": felt, "peaks": self.peaks,
            "complaints": list(self.complaints()),
        }  # fmt: skip


def print_rows(rows, markdown=False):
    if markdown:
        print("\n".join(markdown_table(rows)))
        return
    for row in rows:
        label = f" ({row.label})" if row.label else ""
        print(f"\n{row.attack.name}{label}: {row.attack.title}\n  {row.outcome}")
        if row.peaks:
            print("  " + peaks_text(row.peaks))
        for who, (before, during) in row.felt.items():
            print(f"  {who:10} {delays(before)}  →  {delays(during)}")
        for complaint in row.complaints():
            print(f"  ✗ {complaint}")


def peaks_text(peaks):
    return (
        f"daemon: {peaks['MiB']:+.0f} MiB, {peaks['descriptors']:+d} descriptors, "
        f"{100 * peaks['processor']:.0f} % of a processor"
    )


def delays(found):
    """median / p99 / worst in milliseconds, and what was lost."""
    if not found.total:
        return "–"
    text = "–" if found.median is None else f"{found.median:.1f} / {found.p99:.1f} / {found.worst:.0f}"
    return f"{text} ({found.lost} of {found.total} lost)" if found.lost else text


def markdown_table(rows):
    people = ["UDP call", "TLS call", "room", "newcomers"]
    labelled = any(row.label for row in rows)
    columns = ["attack", *(["build"] if labelled else []), "what the attackers got", "the daemon", *people]
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    for row in rows:
        cells = [row.attack.title, *([row.label] if labelled else []), row.outcome]
        cells.append(peaks_text(row.peaks).removeprefix("daemon: ") if row.peaks else "–")
        for who in people:
            cells.append(delays(row.felt[who][1]) if who in row.felt else "–")
        yield f"| {' | '.join(cells)} |"
