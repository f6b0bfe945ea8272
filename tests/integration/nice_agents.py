# SPDX-License-Identifier: Apache-2.0
"""Two libnice agents in one process that may use relayed candidates alone, and talk.

nice_agents.py PORT UDP|TCP PASSWORD: the server is on 127.0.0.1, the user is alice. Prints what happened as one JSON
object. libnice comes with GObject introspection, but its callback for received data can only be set from C.
"""
import ctypes
import json
import sys
import time

import gi

gi.require_version("Nice", "0.1")
from gi.repository import GLib, Nice  # noqa: E402

ADDRESS, COMPONENT = "127.0.0.1", 1
SECONDS = 20
SIZES = [1, 3, 100, 1199]
RECEIVE = ctypes.CFUNCTYPE(
    None, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p
)
libnice = ctypes.CDLL("libnice.so.10")
libnice.nice_agent_attach_recv.argtypes = [
    ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, RECEIVE, ctypes.c_void_p
]  # fmt: skip
ctypes.pythonapi.PyCapsule_GetPointer.restype = ctypes.c_void_p
ctypes.pythonapi.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


class Agent:
    def __init__(self, port, transport, password, controlling):
        self.nice = Nice.Agent.new(GLib.MainContext.default(), Nice.Compatibility.RFC5245)
        options = {"controlling-mode": controlling, "force-relay": True, "upnp": False, "ice-tcp": False}
        for name, value in options.items():
            self.nice.set_property(name, value)
        local = Nice.Address.new()
        local.set_from_string(ADDRESS)
        self.nice.add_local_address(local)
        self.gathered, self.states, self.received = False, [], []
        self.nice.connect("candidate-gathering-done", self._on_gathered)
        self.nice.connect("component-state-changed", self._on_state)
        self.stream = self.nice.add_stream(COMPONENT)
        kind = getattr(Nice.RelayType, transport)
        assert self.nice.set_relay_info(self.stream, COMPONENT, ADDRESS, port, "alice", password, kind)
        self._receive = RECEIVE(self._on_data)
        agent = ctypes.pythonapi.PyCapsule_GetPointer(self.nice.__gpointer__, None)
        assert libnice.nice_agent_attach_recv(agent, self.stream, COMPONENT, None, self._receive, None)
        assert self.nice.gather_candidates(self.stream)

    def _on_gathered(self, *_):
        self.gathered = True

    def _on_state(self, _agent, _stream, _component, state):
        self.states.append(Nice.ComponentState(state).value_nick)

    def _on_data(self, _agent, _stream, _component, size, data, _):
        self.received.append(ctypes.string_at(data, size).decode())

    @property
    def candidates(self):
        return self.nice.get_local_candidates(self.stream, COMPONENT)

    def ended(self):
        return self.states and self.states[-1] in ("ready", "failed")

    def learn(self, other):
        _, fragment, password = other.nice.get_local_credentials(other.stream)
        self.nice.set_remote_credentials(self.stream, fragment, password)
        self.nice.set_remote_candidates(self.stream, COMPONENT, other.candidates)


def loop_until(condition):
    deadline = time.monotonic() + SECONDS
    GLib.timeout_add(100, lambda: True)  # so that an iteration never waits for long
    while not condition():
        if time.monotonic() > deadline:
            sys.exit(f"timed out; states: {[agent.states for agent in agents]}")
        GLib.MainContext.default().iteration(True)


agents = [Agent(int(sys.argv[1]), sys.argv[2], sys.argv[3], controlling) for controlling in (True, False)]
loop_until(lambda: all(agent.gathered for agent in agents))
result = {"candidates": [[c.type.value_nick for c in agent.candidates] for agent in agents]}
if all(result["candidates"]):
    for agent, other in (agents, agents[::-1]):
        agent.learn(other)
    loop_until(lambda: all(agent.ended() for agent in agents))
    result["states"] = [agent.states[-1] for agent in agents]
    texts = ["x" * size for size in SIZES]
    for agent in agents:
        for text in texts:
            agent.nice.send(agent.stream, COMPONENT, len(text), text)
    loop_until(lambda: all(len(agent.received) == len(texts) for agent in agents))
    result["intact"] = [agent.received == texts for agent in agents]
print(json.dumps(result))
