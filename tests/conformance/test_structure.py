# SPDX-License-Identifier: Apache-2.0
"""The rules of the house (CONTRIBUTING.md, docs/architecture.md), each as a test that says what to do."""
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source_text import code_only, functions, language

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70

# Which folders of the project a folder may include.
CORE = {"base", "stun", "turn", "signaling"}
LAYERS = {
    "base": {"base"},
    "stun": {"base", "stun"},
    "turn": {"base", "stun", "turn"},
    "signaling": {"base", "signaling"},
    "config": {"base", "config"},
    "net": CORE | {"config", "net"},
    "http": CORE | {"config", "net", "http"},
    "probe": {"base", "stun", "config", "net", "probe"},
    "app": CORE | {"config", "net", "http", "probe", "app"},
    "main.cpp": {"app"},
}
# What the core may include besides the project and the C++ library: in any of its files, and in single ones.
CORE_LIBRARIES = ("boost/unordered/", "boost/system/", "boost/container/")
CORE_EXCEPTIONS = {
    "src/base/endpoint.cpp": ("arpa/inet.h", "netinet/in.h", "sys/socket.h"),  # inet_pton: the text of addresses
    "src/stun/integrity.cpp": ("openssl/",),
    "src/stun/sealing.cpp": ("openssl/",),
    "src/signaling/codec": ("nlohmann/", "boost/"),  # linked into causeway_io, because of JSON
}
NOT_IN_CORE = {
    "thread", "mutex", "shared_mutex", "condition_variable", "future", "atomic", "semaphore", "barrier", "latch",
    "iostream", "fstream", "filesystem", "cstdio", "coroutine",
}


def files(*folders, suffixes):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            hidden = {"node_modules", "__pycache__", "corpus"} & set(path.parts)
            if path.is_file() and path.suffix in suffixes and not hidden:
                yield path


def name(path):
    return path.relative_to(ROOT).as_posix()


CPP = {path: path.read_text() for path in files("src", "include", suffixes={".cpp", ".hpp"})}
CPP_CODE = {path: code_only(text) for path, text in CPP.items()}
JS = {path: path.read_text() for path in files("web/js", suffixes={".js", ".mjs"})}


def report(problems, advice):
    assert not problems, "\n".join([advice, *(f"  {problem}" for problem in problems)])


def matches(pattern, texts):
    """file:line and the line itself of every match."""
    for path, text in texts.items():
        for match in re.finditer(pattern, text, re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 1
            yield path, f"{name(path)}:{line}: {text.splitlines()[line - 1].strip()}"


def layer(path):
    parts = path.relative_to(ROOT).parts
    return parts[2] if parts[0] == "include" else parts[1]


def includes(path):
    return re.findall(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', CPP[path], re.MULTILINE)


def test_each_folder_includes_only_the_layers_below_it():
    problems = []
    for path in CPP:
        allowed = LAYERS.get(layer(path))
        if allowed is None:
            problems.append(f"{name(path)}: the folder {layer(path)} is not in the table LAYERS")
            continue
        for mark, header in includes(path):
            folder = header.removeprefix("causeway/").split("/")[0]
            if mark == '"' and "/" in header and folder not in allowed:
                problems.append(f'{name(path)} includes "{header}", which {layer(path)} may not know')
    report(problems, "Move the code to the layer that may know both, or pass the value in as an argument:")


def test_the_core_includes_no_socket_thread_clock_logger_or_json():
    problems = []
    for path in CPP:
        if layer(path) not in CORE:
            continue
        extra = tuple(h for start, headers in CORE_EXCEPTIONS.items() if name(path).startswith(start) for h in headers)
        for mark, header in includes(path):
            standard = "/" not in header and not header.endswith(".h") and header not in NOT_IN_CORE
            if mark == "<" and not standard and not header.startswith(CORE_LIBRARIES + extra):
                problems.append(f"{name(path)} includes <{header}>")
    report(problems, "The core is values in, values out. Take what the outside gives as an argument instead:")


def test_public_headers_belong_to_the_core():
    problems = [name(path) for path in files("include", suffixes={".hpp"}) if layer(path) not in CORE]
    report(problems, "include/ holds the headers of the core only. Move these beside their .cpp in src/:")


def test_each_public_header_compiles_alone():
    compiler = os.environ.get("CXX", "g++")
    headers = list(files("include", suffixes={".hpp"}))
    assert headers, "include/ has no header at all: is the checkout complete?"

    def compile_alone(path):
        command = [compiler, "-std=c++20", "-fsyntax-only", f"-I{ROOT}/include", "-include", path, "-xc++", os.devnull]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return f"{name(path)}:\n{done.stderr}" if done.returncode else None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        problems = [problem for problem in pool.map(compile_alone, headers) if problem]
    report(problems, "Include in each header what it uses itself:")


def test_files_are_short():
    problems = []
    for path, text in (CPP | JS).items():
        lines = text.count("\n")
        if lines > FILE_LINES_MAX:
            problems.append(f"{name(path)} has {lines} lines")
    report(problems, f"A file holds one concept in at most {FILE_LINES_MAX} lines. Split these:")


def test_functions_are_short():
    problems = [
        f"{name(path)}:{function.line}: {function.name} has {function.lines} lines"
        for path, text in (CPP | JS).items()
        for function in functions(text, language(path))
        if function.lines > FUNCTION_LINES_MAX
    ]
    report(problems, f"A function has at most {FUNCTION_LINES_MAX} lines. Name the steps and make each a function:")


def test_the_function_counter_itself():
    text = """
namespace a {
class Room : public Base {
 public:
  explicit Room(int size) : size_{size}, name_("{") {
    grow();
  }
  int size() const { return size_; }
};
template <typename T>
auto walk(const std::vector<T>& all,
          int limit) -> int {
  for (int i = 0; i < limit; ++i) {
    auto each = [&](int x) { return '}' + x; };  // }
  }
  return 1'000;
}
}
"""
    assert [(f.name, f.line, f.lines) for f in functions(text) if f.lines > 1] == [("Room", 5, 3), ("walk", 10, 8)]
    script = "export class A {\n  #x = 1;\n  join(room = {}) {\n    return `{`;\n  }\n}\nconst go = async () => {\n  1;\n};\n"
    assert [(f.line, f.lines) for f in functions(script, "js") if f.lines > 1] == [(3, 3), (7, 3)]


def test_every_file_has_a_licence_line():
    suffixes = {".cpp", ".hpp", ".py", ".js", ".mjs", ".css", ".html", ".cmake", ".service", ".sh"}
    paths = list(files("src", "include", "tests", "web", "cmake", "config", suffixes=suffixes))
    paths += [path for path in ROOT.glob("tests/**/CMakeLists.txt") if "node_modules" not in path.parts]
    paths += [ROOT / top for top in ("CMakeLists.txt", "dev", ".ci/run", ".clang-tidy")]
    problems = [name(p) for p in paths if "SPDX-License-Identifier: Apache-2.0" not in "".join(p.open().readlines()[:2])]
    report(problems, 'Begin the file with a comment "SPDX-License-Identifier: Apache-2.0":')


def test_time_is_an_argument():
    problems = [at for path, at in matches(r"::now\(", CPP_CODE) if not name(path).startswith("src/net/system_clock")]
    report(problems, "Take causeway::Now as an argument; only src/net/system_clock reads the clock:")


def test_no_ranges_views():
    problems = [at for _, at in matches(r"std::(ranges::)?views\b", CPP_CODE)]
    report(problems, "clang 14 cannot compile std::ranges views. Write the loop:")


def test_no_capturing_lambda_inside_co_await():
    capturing = r"co_await\b[^;]*?(?<![\w)\]])\[(?:[&=]|this\b|\*this|\w)[^\[\]]*\]\s*(?:\(|\{|mutable\b|->)"
    problems = [at for _, at in matches(capturing, CPP_CODE)]
    report(problems, "GCC 12 destroys such a lambda too early. Give it a name before, or use a named coroutine:")


def test_no_detached_coroutine():
    problems = [at for _, at in matches(r"\bdetached\b", CPP_CODE)]
    report(problems, "asio::detached swallows exceptions. Start coroutines with net::spawn:")


def test_no_globals_and_no_singletons():
    static = r"^[ \t]*(?:static|thread_local)\s+(?!const\b|constexpr\b|consteval\b|constinit const\b)[^()\n]*(?:[={][^\n]*)?;"
    plain = (
        r"^(?!const\b|constexpr\b|inline constexpr\b|inline const\b|using\b|namespace\b|class\b|struct\b|enum\b|union\b"
        r"|template\b|__extension__|extern\b|friend\b|typedef\b|return\b|public\b|private\b|#)"
        r"[A-Za-z_][\w:<>,*& ]*[ *&>]\w+(?:\s*=[^=][^\n]*|\{[^\n]*\})?;"
    )
    problems = [at for pattern in (static, plain) for _, at in matches(pattern, CPP_CODE)]
    report(problems, "Two servers must be able to live in one process. Make it a member of the object that owns it:")


def test_text_of_strangers_is_printable_where_it_leaves():
    """The loggers escape each line as a whole (src/app/loggers.cpp); text in quotes is quoted_text(), so that it cannot end
    them; and what a command prints of a file or a server is printable()."""
    problems = []
    for path, text in CPP.items():
        for call in re.finditer(r"(?:->|\.)(?:debug|info|warn|error|critical)\((?:[^;]|;(?=[^\n]*\"))*?\);", text):
            if r"\"{}" in call.group():
                problems.append(f"{name(path)}:{text.count(chr(10), 0, call.start()) + 1}: use {{}} with quoted_text(text)")
    foreign = r"\b(?:what\(\)|to_string\(\)|\w*\.(?:detail|advice|sentence|reason|realm|software|username))"
    for path, at in matches(rf"<<(?!\s*printable\()[^<\n]*{foreign}[^\n]*", CPP_CODE):
        if name(path).startswith(("src/app/", "src/probe/")) and "options.error().sentence" not in at and (
            "made.username" not in at
        ):
            problems.append(f"{at} (use printable())")
    sources = (ROOT / "src/app/loggers.cpp").read_text()
    if sources.count("printable({message.payload") != 2 or "%v" in sources:
        problems.append("src/app/loggers.cpp: both formats write printable(payload), not %v")
    report(problems, "Text of users, files and servers may hold controls, quotes and bidirectional marks:")


def test_nothing_is_left_to_do():
    texts = dict(CPP)
    for path in files("tests", "web", "config", "cmake", "docs", suffixes={".cpp", ".hpp", ".py", ".js", ".mjs", ".html",
                                                                          ".css", ".json", ".cmake", ".md"}):
        if path != Path(__file__).resolve():
            texts[path] = path.read_text()
    problems = [at for _, at in matches(r"\b(TODO|FIXME|XXX)\b", texts)]
    report(problems, "Do it, or delete it and write an issue:")


DOCUMENTS = {path: path.read_text() for path in [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]}


def test_documents_name_only_files_that_exist():
    named = r"(?<![\w./-])(?:src|include|tests|config|web|docs|cmake)/[\w./*-]*\.\w+"
    top = r"`(?:\./)?(dev|LICENSE|\.ci/run|\.clang-\w+|CMake\w+\.(?:txt|json)|[A-Z]+\.md)`"
    problems = []
    for path, text in DOCUMENTS.items():
        for wanted in sorted({*re.findall(named, text), *re.findall(top, text)}):
            if not any(ROOT.glob(wanted.rstrip("."))):
                problems.append(f"{name(path)}: {wanted}")
    report(problems, "The documents name files that are not there. Correct the name, or the file's:")


def test_links_in_documents_resolve():
    problems = []
    for path, text in DOCUMENTS.items():
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
            if not re.match(r"[a-z]+:", target) and not (path.parent / target).exists():
                problems.append(f"{name(path)}: {target}")
    report(problems, "Correct these links:")


def test_each_fuzz_target_has_a_corpus():
    problems = []
    for path in ROOT.glob("tests/fuzz/*.cpp"):
        corpus = ROOT / "tests/fuzz/corpus" / path.stem
        if not corpus.is_dir() or not any(corpus.iterdir()):
            problems.append(f"{name(path)}: {name(corpus)}/ is missing or empty")
    report(problems, "Keep a few inputs that reach deep, so that each run starts there:")
