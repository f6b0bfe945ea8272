# SPDX-License-Identifier: Apache-2.0
"""`./dev flood`: attacks beside honest calls and a room, and what those felt. docs/security.md has the results.

Fails when somebody honest lost its service. Delays are reported and never judged.
"""
import argparse
import base64
import contextlib
import hmac
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import call
import newcomers
import room
from actor import Actor
from attacks import ATTACKS, TOKEN_SECRET
from gauges import Gauges
from place import HTTP, MutedDaemon, Target, configuration, enter_network
from samples import summary
from support import BINARY, Daemon
from table import Row, print_rows

NAMES = [attack.name for attack in ATTACKS]
SETUP_SECONDS = 60


def program(text):
    path = Path(text).resolve()
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path}")
    return path


def arguments():
    parser = argparse.ArgumentParser(prog="./dev flood", description=__doc__.splitlines()[0])
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=f"of {', '.join(NAMES)} (all)")
    parser.add_argument("--seconds", type=float, default=10, help="how long each attack lasts (10)")
    parser.add_argument("--quiet-seconds", type=float, default=5, help="how long the time before it is (5)")
    parser.add_argument("--patience", type=float, default=10, help="seconds that honest clients wait (10)")
    parser.add_argument("--baseline", type=program, metavar="BINARY", help="an older causeway to compare with")
    parser.add_argument("--markdown", action="store_true", help="print a table for a document")
    parser.add_argument("--json", type=Path, metavar="FILE", help="everything that was measured")
    options = parser.parse_args()
    for name in options.attacks:
        if name not in NAMES:
            parser.error(f"there is no attack {name!r}; choose from {', '.join(NAMES)}")
    return options


def token():
    """Opens every room for an hour."""
    encode = lambda octets: base64.urlsafe_b64encode(octets).rstrip(b"=")
    claims = {"room": "*", "exp": int(time.time()) + 3600, "sub": "honest"}
    text = b".".join(encode(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (text + b"." + encode(hmac.digest(TOKEN_SECRET.encode(), text, "sha256"))).decode()


@contextlib.contextmanager
def daemon_for(attack, binary):
    with tempfile.TemporaryDirectory(prefix="causeway-flood-") as name:
        folder = Path(name)
        kind = Daemon if attack.is_log_read else MutedDaemon
        config = configuration(folder, attack.turn, attack.signaling)
        with kind(folder, config, http_port=HTTP, program=binary) as daemon:
            yield daemon


def honest(stack, target, attack):
    actors = {
        "UDP call": Actor("UDP call", call.run, "udp", target),
        "TLS call": Actor("TLS call", call.run, "tls", target),
        "room": Actor("room", room.run, target),
        "newcomers": Actor("newcomers", newcomers.run, target, attack.needs_tokens),
    }
    for actor in actors.values():
        stack.enter_context(actor)
    for actor in actors.values():
        actor.wait_ready(SETUP_SECONDS)
    return actors


def attack_for(control, function, target, seconds):
    control.ready()
    return function(replace(target, until=time.monotonic() + seconds))


def measure(attack, daemon, options):
    """The row of one attack on a daemon that serves."""
    with contextlib.ExitStack() as stack:
        target = Target(daemon.process.pid, token() if attack.needs_tokens else "", options.patience)
        actors = honest(stack, target, attack)
        quiet = time.monotonic()
        time.sleep(options.quiet_seconds)
        gauges = stack.enter_context(Gauges(target.pid))
        stranger = stack.enter_context(Actor(attack.name, attack_for, attack.function, target, options.seconds))
        stranger.wait_ready(SETUP_SECONDS)
        begin = time.monotonic()
        outcome = stranger.wait_result(options.seconds + SETUP_SECONDS)
        end = time.monotonic()
        peaks = gauges.peaks()
        samples = {name: actor.stop(3 * options.patience + SETUP_SECONDS) for name, actor in actors.items()}
        felt = {name: (summary(found, quiet, begin), summary(found, begin, end)) for name, found in samples.items()}
        return Row(attack, outcome, felt, peaks)


def run(attack, binary, options):
    """The row of one attack on one program, whatever becomes of that."""
    row = None
    try:
        with contextlib.redirect_stdout(sys.stderr), daemon_for(attack, binary) as daemon:
            row = measure(attack, daemon, options)
    except (AssertionError, RuntimeError, TimeoutError, OSError) as error:
        row = row or Row(attack, "–")
        row.failure = str(error).partition("\n")[0]
    return row


def main():
    options = arguments()
    namespace, rows = enter_network(), []
    try:
        for attack in ATTACKS:
            if options.attacks and attack.name not in options.attacks:
                continue
            for label, binary in (("before", options.baseline), ("now", BINARY)):
                if binary:
                    print(f"{attack.name} …", file=sys.stderr, flush=True)
                    row = run(attack, binary, options)
                    row.label = label if options.baseline else ""
                    rows.append(row)
                    if not options.markdown:
                        print_rows([row])
    finally:
        namespace.close()
    if options.markdown:
        print_rows(rows, markdown=True)
    if options.json:
        options.json.write_text(json.dumps([row.as_json() for row in rows], indent=1))
    return 1 if any(row.complaints() for row in rows if row.label != "before") else 0


if __name__ == "__main__":
    sys.exit(main())
