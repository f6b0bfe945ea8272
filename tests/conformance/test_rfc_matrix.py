# SPDX-License-Identifier: Apache-2.0
"""docs/rfc-matrix.md says for each requirement of an RFC where it is met and which test proves it. This keeps it true.

A row:  | § | level | requirement | where | test |
- where: `path` and behind it the `names` in that file that do it; or a reason, which begins with one of REASONS.
- test:  `Suite.Case` of tests/unit, `path::function` of a Python suite; or "—" where the row before it is a reason.
"""
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MATRIX = ROOT / "docs/rfc-matrix.md"
RFCS = {"8489", "8656", "6062", "5780", "8016", "7350", "7443"}
LEVELS = {"MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "RECOMMENDED", "rule"}
REASONS = ("Deviation:", "Not applicable:", "Not supported:")
CITING = ("src/stun", "src/turn", "include/causeway/stun", "include/causeway/turn")


@dataclass
class Row:
    rfc: str
    line: int
    cells: list

    def __str__(self):
        return f"docs/rfc-matrix.md:{self.line}: RFC {self.rfc} §{self.section}"

    @property
    def section(self):
        return self.cells[0]

    @property
    def where(self):
        return self.cells[3]

    @property
    def reason(self):
        return next((reason for reason in REASONS if self.where.startswith(reason)), None)

    @property
    def files(self):
        """Each path with the names that stand behind it."""
        found = {}
        for text in re.findall(r"`([^`]+)`", self.where):
            if "/" in text:
                names = found.setdefault(text, [])
            elif found:
                names.append(text)
        return found

    @property
    def tests(self):
        return re.findall(r"`([^`]+)`", self.cells[4])


def parse(text):
    rows, rfc = [], None
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.match(r"## RFC (\d+)", line):
            rfc = heading.group(1)
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells and cells[0] != "§" and not set(cells[0]) <= set("-: "):
            rows.append(Row(rfc, number, cells))
    return rows


def order(section):
    return [int(number) for number in section.split(".")]


def unit_tests_in(unit_texts):
    macro = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)", re.MULTILINE)
    return {f"{suite}.{case}" for text in unit_texts for suite, case in macro.findall(text)}


def has_name(path, name):
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", path.read_text()) is not None


SECTIONS = r"§\d+(?:\.\d+)*(?:[–-]\d+(?:\.\d+)*)?"
CITATION = re.compile(rf"RFC (\d+)(?: and RFC \d+)?,? ?|({SECTIONS})")


def citations(text, rfc=None):
    """All (RFC, section) that a comment names: "RFC 8489 §6.3, §14.5–14.7" is several, a § alone is the last RFC's."""
    found = set()
    for named, sections in CITATION.findall(text):
        rfc = named or rfc
        for number in re.findall(r"\d+(?:\.\d+)*", sections):
            if rfc in RFCS:
                found.add((rfc, number))
    return found


@dataclass
class Comment:
    line: int
    lines: list = field(default_factory=list)

    @property
    def text(self):
        return " ".join(self.lines)


def comments(text):
    """Each run of // comments, also those behind code, as one."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = re.search(r"(?<!:)//+ ?(.*)", line)
        if match is None:
            continue
        if not found or found[-1].line + len(found[-1].lines) != number:
            found.append(Comment(number))
        found[-1].lines.append(match.group(1))
    return found


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.[ch]pp")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


ROWS = parse(MATRIX.read_text())
UNIT_TESTS = unit_tests_in(path.read_text() for path in ROOT.glob("tests/unit/**/*.cpp"))


def report(problems, advice):
    assert not problems, "\n".join([advice, *(f"  {problem}" for problem in sorted(map(str, problems)))])


def test_every_rfc_has_its_table_in_order():
    assert {row.rfc for row in ROWS} == RFCS
    for rfc in RFCS:
        sections = [order(row.section) for row in ROWS if row.rfc == rfc]
        assert sections == sorted(sections), f"the rows of RFC {rfc} are not sorted by section"


def test_every_row_is_complete():
    problems = []
    for row in ROWS:
        if len(row.cells) != 5 or not all(row.cells):
            problems.append(f"{row}: five cells, none of them empty")
        elif row.cells[1] not in LEVELS:
            problems.append(f"{row}: the level {row.cells[1]} is none of {', '.join(sorted(LEVELS))}")
        elif row.reason and not row.where.removeprefix(row.reason).strip():
            problems.append(f"{row}: the reason is missing")
        elif not row.reason and not row.files:
            problems.append(f"{row}: no file and no reason")
        elif not row.tests and not (row.reason and row.cells[4] == "—"):
            problems.append(f"{row}: no test")
    report(problems, "Each row says where its requirement is met and what proves it, or why it is not:")


def test_every_file_has_what_the_matrix_says():
    problems = []
    for row in ROWS:
        if not row.reason and not any(row.files.values()):
            problems.append(f"{row}: name what in the file does it")
        for path, names in row.files.items():
            if not (ROOT / path).is_file():
                problems.append(f"{row}: {path} is not there")
                continue
            problems += [f"{row}: {path} has no {name}" for name in names if not has_name(ROOT / path, name)]
    report(problems, "The code has moved on. Say where it is now:")


def test_every_test_exists():
    problems = []
    for row in ROWS:
        for test in row.tests:
            path, _, function = test.partition("::")
            if function:
                exists = (ROOT / path).is_file() and has_name(ROOT / path, f"def {function}")
            else:
                exists = test in UNIT_TESTS
            if not exists:
                problems.append(f"{row}: there is no test {test}")
    report(problems, "A requirement has lost its proof. Name the test that has it now:")


def test_every_deviation_has_its_row_and_every_row_its_deviation():
    rows = {}
    for row in ROWS:
        if row.reason == "Deviation:":
            for path in row.files:
                rows.setdefault((path, row.rfc, row.section), row)
    problems, named = [], set()
    for path, text in sources("src", "include"):
        for comment in comments(text):
            if "Deviation:" not in comment.text:
                continue
            cited = {(path, rfc, section) for rfc, section in citations(comment.text)}
            named |= cited
            if not cited & rows.keys():
                problems.append(f"{path}:{comment.line}: no row of the matrix has this deviation and names the file")
    for key, row in rows.items():
        if key not in named:
            problems.append(f"{row}: {key[0]} has no comment with Deviation: that cites RFC {key[1]} §{key[2]}")
    report(problems, "A departure from an RFC stands in two places, beside the code and in the matrix:")


def test_every_section_that_the_core_cites_is_in_the_matrix():
    covered = {(row.rfc, row.section) for row in ROWS}
    problems = set()
    for path, text in sources(*CITING):
        for comment in comments(text):
            for rfc, section in citations(comment.text):
                if not any(r == rfc and f"{s}.".startswith(f"{section}.") for r, s in covered):
                    problems.add(f"{path}:{comment.line}: RFC {rfc} §{section}")
    report(problems, "The code meets a requirement that the matrix does not know. Add a row:")


@pytest.mark.parametrize(("text", "expected"), [
    ("// RFC 8489 §6.3: x", {("8489", "6.3")}),
    ("// RFC 8489 §9, §14.5–14.7.", {("8489", "9"), ("8489", "14.5"), ("8489", "14.7")}),
    ("int a;  // RFC 8656 §12.6, §11.2: y", {("8656", "12.6"), ("8656", "11.2")}),
    ("// RFC 8489 §3, RFC 6062\n// §6.1 and RFC 5389 §10.2.2", {("8489", "3"), ("6062", "6.1")}),
    ('auto url = "http://a/§7";', set()),
])  # fmt: skip
def test_citations_are_found(text, expected):
    assert set().union(*(citations(comment.text) for comment in comments(text))) == expected


def test_tests_and_rows_are_found():
    assert unit_tests_in(["TEST(A, B) {\nTEST_F(C,\n       D) {\n  TEST(E, F)"]) == {"A.B", "C.D"}
    (row,) = parse("## RFC 1 x\n| § | level |\n|---|---|\n| 2.3 | MUST | be | `src/a.cpp` `f`, `g` | `A.B`, `t/x.py::y` |")
    assert (row.rfc, row.section, row.line) == ("1", "2.3", 4)
    assert row.files == {"src/a.cpp": ["f", "g"]} and row.tests == ["A.B", "t/x.py::y"] and row.reason is None
