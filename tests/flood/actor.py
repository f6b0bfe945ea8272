# SPDX-License-Identifier: Apache-2.0
"""A party of its own process, so that no attack takes processor time of the interpreter that measures."""
import multiprocessing
import traceback

CONTEXT = multiprocessing.get_context("spawn")


class Control:
    """The party's side: says that it is ready, hears that it is over."""

    def __init__(self, pipe):
        self._pipe = pipe

    def ready(self):
        self._pipe.send(("ready", None))

    def is_over(self):
        return self._pipe.poll(0)


def _run(pipe, function, arguments):
    try:
        pipe.send(("result", function(Control(pipe), *arguments)))
    except BaseException:  # the other side has to hear of it, whatever it is
        pipe.send(("failed", traceback.format_exc()))


class Actor:
    """`function(control, *arguments)` in another process; killed when it is left behind."""

    def __init__(self, name, function, *arguments):
        self.name = name
        self._pipe, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_run, args=(theirs, function, arguments), name=name)
        self._process.start()
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.join()

    def _next(self, wanted, seconds):
        if not self._pipe.poll(seconds):
            raise TimeoutError(f"{self.name} does not answer within {seconds:.0f} s")
        try:
            kind, value = self._pipe.recv()
        except EOFError:
            raise RuntimeError(f"{self.name} ended without a word") from None
        if kind != wanted:
            raise RuntimeError(f"{self.name}: {value}")
        return value

    def wait_ready(self, seconds):
        self._next("ready", seconds)

    def wait_result(self, seconds):
        return self._next("result", seconds)

    def stop(self, seconds):
        """Tells it that it is over and returns its result."""
        self._pipe.send("over")
        return self.wait_result(seconds)
