# SPDX-License-Identifier: MIT
"""Plain C on libdbus or sd-bus: the programs of bench/c, which measure themselves."""

from __future__ import annotations

import os
import subprocess
from typing import Optional

from adapter import Adapter, NotOffered, Work, resident
from machine import program

# What the program is run under, with a space between words.
WRAP = "BENCH_WRAP"


class LibDBus(Adapter):
    """See `Adapter`; the measured process is the C program."""

    name = "C on libdbus"
    program = "limit"

    def __init__(self, address: str, peer: bool = False) -> None:
        command = os.environ.get(WRAP, "").split()
        self._process = subprocess.Popen(
            [*command, program(self.program), address, "peer" if peer else "bus"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self._cpu = 0.0
        if self._line() != "ready":
            raise RuntimeError(f"{self.name} could not connect")

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def _do(self, *words: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        answer = self._line()
        if not answer:
            raise RuntimeError(f"{self.name} could not {words[0]}")
        self._cpu = float(answer)

    def close(self) -> None:
        self._process.communicate()

    def cpu_us(self) -> float:
        return self._cpu

    def rss(self) -> int:
        return resident(self._process.pid)

    def mark(self) -> None:
        self._do("mark")

    def call_ping(self) -> Work:
        return lambda count: self._do("ping", count)

    proxy_ping = message_ping = call_ping  # libdbus has only one way

    def in_flight(self, window: int) -> Work:
        return lambda count: self._do("flight", count, window)

    def echo(self, service: Optional[str], payload: str, byte_arrays: bool) -> Work:
        return lambda count: self._do("echo", service or "-", payload, count)

    def subscribe(self, field: str, numbers: range) -> None:
        self._do("matches", field, numbers.start, numbers.stop)

    def receive(self, count: int) -> None:
        self._do("receive", count)

    def request_name(self, name: str) -> None:
        self._do("name", name)

    def export(self, numbers: range) -> None:
        self._do("export", numbers.start, numbers.stop)

    def serve(self) -> None:
        self._do("serve")

    def build(self, payload: str) -> Work:
        return lambda count: self._do("build", payload, count)

    def parse(self, payload: str) -> Work:
        return lambda count: self._do("parse", payload, count)


class SdBus(LibDBus):
    """Only calls: it is there as the other lower limit of those."""

    name = "C on sd-bus"
    program = "limit_sd"

    def _do(self, *words: object) -> None:
        if words[0] not in ("ping", "flight", "mark"):
            raise NotOffered("only calls are measured on sd-bus")
        super()._do(*words)
