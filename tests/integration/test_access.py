# SPDX-License-Identifier: Apache-2.0
"""Access tokens, locks and the waiting room of the running daemon."""
import json
import signal
import subprocess

import pytest

from signaling_client import Client, run
from support import BINARY, Daemon, Ports, clean_environment, relay_config, write_config

SECRET, NEW_SECRET = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


def config_of(folder, ports, keys):
    return relay_config(folder, ports, public_host="call.example.org") | {"signaling": {"tokens": {"keys": keys}}}


def token(folder, config, *arguments):
    """What `causeway token --json` prints."""
    file = write_config(folder, config)
    command = [str(BINARY), "token", "--json", "--config", str(file), *arguments]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, ports = tmp_path_factory.mktemp("access"), Ports()
    config = config_of(folder, ports, [{"id": "a", "algorithm": "HS256", "secret": SECRET}])
    with Daemon(folder, config, http_port=ports.http):
        yield folder, config, ports.http


def test_nobody_enters_without_a_token(server):
    _, _, port = server

    async def check():
        async with Client(port) as client:
            await client.next("welcome")
            await client.send(type="join", room="tea", id=1)
            error = await client.next("error")
            assert (error["code"], error["id"], error["fatal"]) == ("token-required", 1, False)
        async with Client(port, "/ws?room=tea") as plain:
            assert (await plain.next("error"))["code"] == "token-required"
            assert await plain.closed() == 4007

    run(check())


def test_the_minted_token_opens_its_room_and_no_other(server):
    folder, config, port = server
    arguments = ("--room", "tea", "--role", "moderator", "--name", "Ann", "--user", "u1")
    made = token(folder, config, *arguments, "--url", "https://call.example.org/")
    assert made["link"] == "https://call.example.org/r/tea#token=" + made["token"]

    async def check():
        async with Client(port) as client:
            await client.next("welcome")
            await client.send(type="join", room="coffee", token=made["token"])
            assert (await client.next("error"))["code"] == "forbidden"
            await client.send(type="join", room="tea", name="Somebody", token=made["token"])
            joined = await client.next("joined")
            wanted = {"name": "Ann", "role": "moderator", "user": "u1"}
            assert {key: joined["self"][key] for key in wanted} == wanted
        async with Client(port, "/ws?room=tea&token=" + made["token"]) as plain:
            await plain.send(type="ping")
            await plain.next("pong")

    run(check())


def test_the_waiting_room_and_the_door(server):
    folder, config, port = server
    host = token(folder, config, "--room", "lobby", "--role", "moderator")["token"]
    guest = token(folder, config, "--room", "lob*")["token"]

    async def check():
        async with Client(port) as ada, Client(port) as bob, Client(port) as eve:
            await ada.join("lobby", token=host)
            await ada.send(type="lock", locked=True, knock=True, id=1)
            assert (await ada.next("locked"))["knock"] is True
            await bob.next("welcome")
            await bob.send(type="join", room="lobby", name="Bob", token=guest, id=7)
            assert (await bob.next("waiting"))["id"] == 7
            knock = await ada.next("knock")
            assert knock["name"] == "Bob"
            await ada.send(type="admit", member=knock["member"])
            joined = await bob.next("joined")
            assert joined["id"] == 7 and joined["self"]["member"] == knock["member"]
            assert (await ada.next("knock-ended"))["reason"] == "admitted"
            assert (await ada.next("member-joined"))["name"] == "Bob"

            await eve.next("welcome")
            await eve.send(type="join", room="lobby", token=guest)
            await eve.next("waiting")
            await ada.send(type="deny", member=(await ada.next("knock"))["member"])
            assert (await eve.next("error"))["code"] == "not-admitted"

            await bob.send(type="kick", member=joined["members"][0]["member"])
            assert (await bob.next("error"))["code"] == "forbidden"
            await ada.send(type="kick", member=knock["member"])
            assert (await bob.next("bye"))["reason"] == "kicked"
            assert await bob.closed() == 4006
            assert (await ada.until("member-left"))["reason"] == "kicked"

    run(check())


def test_a_session_with_bad_tokens_is_slowed_down_and_no_other(tmp_path):
    ports = Ports()
    config = config_of(tmp_path, ports, [{"algorithm": "HS256", "secret": SECRET}])
    good = token(tmp_path, config, "--room", "tea")["token"]

    async def check():
        async with Client(ports.http) as client:
            await client.next("welcome")
            codes = []
            for _ in range(20):
                await client.send(type="join", room="tea", token="a.b.c")
                codes.append((await client.next("error"))["code"])
            assert codes[0] == "bad-token" and "slow-down" in codes
            async with Client(ports.http) as neighbour:
                await neighbour.next("welcome")
                await neighbour.send(type="join", room="tea", token=good)
                assert (await neighbour.next())["type"] == "joined"

    with Daemon(tmp_path, config, http_port=ports.http) as daemon:
        run(check())
        assert "a.b.c" not in daemon.log


def test_keys_change_while_the_daemon_runs(tmp_path):
    ports = Ports()
    old, new = ({"id": i, "algorithm": "HS256", "secret": s} for i, s in (("old", SECRET), ("new", NEW_SECRET)))
    before, after = (config_of(tmp_path, ports, keys) for keys in ([old], [new]))
    of_new, of_old = (token(tmp_path, config, "--room", "tea")["token"] for config in (after, before))

    async def code_of(access_token):
        async with Client(ports.http) as client:
            await client.next("welcome")
            await client.send(type="join", room="tea", token=access_token)
            answer = await client.next()
            return answer.get("code", answer["type"])

    with Daemon(tmp_path, before, http_port=ports.http) as daemon:
        assert run(code_of(of_old)) == "joined" and run(code_of(of_new)) == "bad-token"
        write_config(tmp_path, config_of(tmp_path, ports, [{"algorithm": "ES256", "file": "absent.pem"}]))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_line("not reloaded")
        assert run(code_of(of_old)) == "joined"
        write_config(tmp_path, after)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_for_line("reloaded the configuration")
        assert run(code_of(of_new)) == "joined" and run(code_of(of_old)) == "bad-token"
