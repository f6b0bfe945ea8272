# SPDX-License-Identifier: Apache-2.0
"""C++ and JavaScript as text: the code without its comments and strings, and where its functions begin and end.

No parser: enough for files that are formatted and compile. Lines keep their numbers.
"""
import re
from dataclasses import dataclass

TOKENS = {
    "cpp": re.compile(
        r"(?P<comment>//[^\n]*|/\*.*?\*/)"
        r'|(?P<string>R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])*\')',
        re.DOTALL,
    ),
    "js": re.compile(
        r"(?P<comment>//[^\n]*|/\*.*?\*/)"
        r'|(?P<string>"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|`(?:\\.|[^`\\])*`'
        r"|(?<=[(,=:\[!&|?{};])\s*/(?![*/\s])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+/)",
        re.DOTALL,
    ),
}


def language(path):
    return "js" if path.suffix in (".js", ".mjs") else "cpp"


def code_only(text, kind="cpp"):
    """The text with comments removed and strings emptied; every line break stays."""

    def blank(match):
        breaks = "\n" * match.group().count("\n")
        return breaks if match.group("comment") else '""' + breaks

    return TOKENS[kind].sub(blank, text)


@dataclass
class Function:
    name: str
    line: int  # of its first line, counted from 1
    lines: int


SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern|requires)\b[^()=]*$")
LABEL = re.compile(r"\s*(public|private|protected)\s*:(?!:)")
MEMBER_INITIALIZER = re.compile(r"\)[^{}]*(?<!:):(?!:)[^;]*[\w>]$")  # Room(int size) : size_{size}


def functions(text, kind="cpp"):
    """The outermost functions; what stands inside one, a lambda or a local class, counts as part of it."""
    code = code_only(text, kind)
    if kind == "cpp":
        code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", "", code, flags=re.MULTILINE)
    found = []
    open_blocks = []  # of each open block: the Function it is, or None, or "initializer"
    start = 0  # where the statement began that may turn out to be a function's head
    for match in re.finditer(r"[{};]", code):
        end, head = match.start(), code[start : match.start()]
        if match.group() == "{":
            block = None
            if "(" in head and not SCOPE.search(head) and not any(open_blocks):
                default_value = head.count("(") > head.count(")") and not head.rstrip().endswith((")", "=>"))
                if default_value or (kind == "cpp" and MEMBER_INITIALIZER.search(head)):
                    open_blocks.append("initializer")
                    continue
                label = LABEL.match(head)
                head = head[label.end() :] if label else head
                name = re.search(r"([~\w:#]+)\s*(?:=[^(]*)?\(", head)
                first = end - len(head.lstrip())
                block = Function(name.group(1) if name else "?", code.count("\n", 0, first) + 1, 0)
                found.append(block)
            open_blocks.append(block)
        elif match.group() == "}" and open_blocks:
            block = open_blocks.pop()
            if block == "initializer":
                continue
            if block:
                block.lines = code.count("\n", 0, end) + 2 - block.line
        elif head.count("(") > head.count(")"):
            continue  # inside for (;;)
        start = match.end()
    return found
