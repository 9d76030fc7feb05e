# SPDX-License-Identifier: Apache-2.0
"""A path to a server that breaks on demand: a relay in a process of its own, so that it answers in
time whatever the test is doing."""

import contextlib
import multiprocessing
import os
import selectors
import socket

from harness import DEADLINE_S, _die_with_the_tests, pid_serving, reset


class _Path:
    """One connection of a worker, and ours to the server."""

    def __init__(self, near, far, owner):
        self.near = near
        self.far = far
        self.owner = owner
        self.is_silent = False  # once silent, always: a later reply would be taken for another's


class _Relay:
    def __init__(self, listener, target, control):
        self._listener = listener
        self._target = target
        self._control = control
        self._state = {"mode": "pass", "cut_off": (), "workers": ()}
        self._paths = set()
        self._selector = selectors.EpollSelector()

    def run(self):
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._selector.register(self._control, selectors.EVENT_READ, None)
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._listener:
                    self._accept()
                elif key.fileobj is self._control:
                    self._obey()
                elif key.data in self._paths:  # not closed by an event before this one
                    self._forward(key.data, key.fileobj)

    def _obey(self):
        self._state.update(self._control.recv())
        if self._state["mode"] != "silent":
            for path in [path for path in self._paths if path.is_silent]:
                self._close(path)
        self._control.send("done")

    def _accept(self):
        near, _ = self._listener.accept()
        # By its source port: the kernel knows which process has the other end.
        owner = pid_serving(near, self._state["workers"]) if self._state["workers"] else None
        if owner in self._state["cut_off"]:
            reset(near)
            return
        try:
            far = socket.create_connection(self._target)
        except OSError:  # a server that is not there looks like one that resets
            reset(near)
            return
        path = _Path(near, far, owner)
        self._paths.add(path)
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end, selectors.EVENT_READ, path)

    def _forward(self, path, ready):
        try:
            data = ready.recv(1 << 18)
            if path.owner in self._state["cut_off"]:
                self._close(path, with_reset=True)
            elif not data:
                self._close(path)
            elif path.is_silent or self._state["mode"] == "silent":
                path.is_silent = True
            elif ready is path.near:
                path.far.sendall(data)
            elif self._state["mode"] == "mid-reply":
                # Of several replies none may be whole: a whole one says that the server works.
                path.near.sendall(data[:4])
                self._close(path, with_reset=True)
            else:
                path.near.sendall(data)
        except OSError:
            self._close(path)

    def _close(self, path, with_reset=False):
        self._paths.discard(path)
        for end in (path.near, path.far):
            self._selector.unregister(end)
        path.far.close()
        if with_reset:
            reset(path.near)
        path.near.close()


def _run(listener, target, control):
    _die_with_the_tests()
    # What else was open in the tests is none of this process's business.
    mine = {0, 1, 2, listener.fileno(), control.fileno()}
    for entry in os.listdir("/proc/self/fd"):
        if int(entry) not in mine:
            with contextlib.suppress(OSError):
                os.close(int(entry))
    _Relay(listener, target, control).run()


class FaultProxy:
    """Stands between the proxy and a real server. Use with `with`. What is set holds at once.

    mode:     "pass", "silent" (accepts, swallows, never answers) or "mid-reply" (a part of a
              reply, then a reset). Back to "pass", connections that went into the silence are closed.
    cut_off:  pids of workers whose connections are reset, when they are made or say something.
    workers:  the pids that cut_off may name; to be set before they connect.
    """

    def __init__(self, server):
        self._server = server
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(128)
            self.port = listener.getsockname()[1]
            context = multiprocessing.get_context("fork")
            self._control, theirs = context.Pipe()
            self._process = context.Process(target=_run, args=(listener, server.address, theirs),
                                            daemon=True)
            self._process.start()
            theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.join(DEADLINE_S)
        self._control.close()

    def entry(self, weight=1, name=None):
        return f"127.0.0.1:{self.port}:{weight}" + (f" {name}" if name else "")

    def client(self):
        """To the server, past the faults."""
        return self._server.client()

    def set(self, **state):
        """mode, cut_off, workers."""
        self._control.send(state)
        assert self._control.poll(DEADLINE_S) and self._control.recv() == "done"
