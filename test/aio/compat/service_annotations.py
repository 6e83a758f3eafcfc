# SPDX-License-Identifier: MIT
# ruff: noqa: F722, F821
"""Interfaces in a module whose annotations are source text."""

from __future__ import annotations

from typing import Any

from api import api_module

service = api_module("service")
types = api_module("annotations")
Annotated = types.Annotated
DBusInt32, DBusDict, DBusSignature = types.DBusInt32, types.DBusDict, types.DBusSignature


class Quoted(service.ServiceInterface):
    @service.dbus_method()
    def M(
        self,
        a: "s",
        b: DBusInt32,
    ) -> Annotated[tuple[str, int], DBusSignature("si")]:
        return a, b

    @service.dbus_signal()
    def S(self) -> "as":
        return []

    @service.dbus_signal()
    def T(self) -> None: ...

    @service.dbus_property()
    def P(self) -> DBusDict:
        return {}

    @P.setter
    def P(self, value: DBusDict) -> None: ...


def returns_none() -> Any:
    class WithoutResult(service.ServiceInterface):
        @service.dbus_method()
        def M(self, a: "s") -> None: ...

    return WithoutResult
