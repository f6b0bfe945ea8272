# SPDX-License-Identifier: Apache-2.0
"""coturn's own example configuration and its list of options through `causeway import-turnserver-conf`."""
import re
import subprocess

from support import ROOT, run_causeway

EXAMPLE = ROOT / "build/tools/usr/share/doc/coturn/examples/etc/turnserver.conf"
NAME = r"[A-Za-z][A-Za-z0-9_-]*"


def import_lines(folder, lines):
    """(configuration, what it says of each line by number) for a turnserver.conf with these lines."""
    file = folder / "turnserver.conf"
    file.write_text("\n".join(lines) + "\n")
    done = run_causeway("import-turnserver-conf", file)
    assert done.returncode == 0, done.stderr
    told = {}
    for number, sentence in re.findall(r":(\d+): (.*)", done.stderr):
        told.setdefault(int(number), []).append(sentence)
    for number, option in re.findall(rf"turnserver\.conf:(\d+) ({NAME})", done.stdout):
        told.setdefault(int(number), []).append(option)
    return done.stdout, told


def complain_about_silence(folder, lines):
    """The lines of which nothing is said, or only that they are not known."""
    _, told = import_lines(folder, lines)
    silent = [line for number, line in enumerate(lines, 1) if number not in told]
    unknown = [line for number, line in enumerate(lines, 1) if any("not known" in said for said in told.get(number, []))]
    return silent + unknown


def documented_options():
    """Each option of the example with its example value, as if its line were not commented out."""
    return [
        match[1]
        for line in EXAMPLE.read_text().splitlines()
        if (match := re.fullmatch(rf"#?({NAME}(=.*)?)\s*", line.strip())) and not match[1].endswith(".")
    ]


def options_of_the_program():
    usage = subprocess.run(["turnserver", "--help"], capture_output=True, text=True, check=False)
    return sorted(set(re.findall(rf"--({NAME})", re.sub(r"\n\t+.*", "", usage.stdout + usage.stderr))))


def test_the_example_says_what_its_options_are():
    assert len(documented_options()) > 90


# What is on by itself or belongs to the command line, and is nothing to carry over.
NOTHING_TO_SAY = {"lt-cred-mech", "use-auth-secret", "verbose", "no-udp", "no-tcp", "no-tls", "no-dtls"}


def test_every_option_of_the_example_is_carried_over_or_named(tmp_path):
    lines = [line for line in documented_options() if line.split("=")[0] not in NOTHING_TO_SAY]
    assert complain_about_silence(tmp_path, lines) == []


def test_every_option_that_the_program_knows_is_carried_over_or_named(tmp_path):
    left_out = NOTHING_TO_SAY | {"help", "version"}
    lines = [option for option in options_of_the_program() if option not in left_out]
    assert len(lines) > 90
    assert complain_about_silence(tmp_path, lines) == []


def test_the_shipped_configuration_becomes_one_that_passes_the_check(tmp_path):
    text = EXAMPLE.read_text()
    json, _ = import_lines(tmp_path, [*text.splitlines(), "user=alice:wonderland", "realm=example.org"])
    file = tmp_path / "causeway.json"
    file.write_text(json)
    done = run_causeway("check-config", file, environment={"STATE_DIRECTORY": str(tmp_path)})
    assert "not a key" not in done.stderr and done.returncode in (0, 1), done.stderr
