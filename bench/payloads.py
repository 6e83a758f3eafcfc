# SPDX-License-Identifier: MIT
"""The bodies that are built, parsed and echoed; those of bench/c/payload.c are the same.

`variant(code, value)` is how a package writes a variant.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

Variant = Callable[[str, Any], Any]


class Payload(NamedTuple):
    """A body: its signature, how to make its only value, whether types may be guessed."""

    signature: str
    make: Callable[[Variant], Any]
    guessed: bool = False


def _managed_objects(variant: Variant) -> Any:
    """A GetManagedObjects reply: 50 objects, 3 interfaces each, 10 properties each."""

    def properties(i: int, j: int) -> dict[str, Any]:
        return {
            "Name": variant("s", f"device number {i}"),
            "Alias": variant("s", f"alias-{i}-{j}"),
            "Powered": variant("b", i % 2 == 0),
            "Class": variant("u", 0x240404 + i),
            "RSSI": variant("n", -40 - i),
            "Adapter": variant("o", f"/org/example/hci{j}"),
            "UUIDs": variant("as", [f"0000110{k}-0000" for k in range(4)]),
            "Level": variant("d", i / 7.0),
            "Size": variant("t", i * 1_000_003),
            "Index": variant("i", j),
        }

    return {
        f"/org/example/hci0/dev_{i:02d}": {
            f"org.example.Interface{j}": properties(i, j) for j in range(3)
        }
        for i in range(50)
    }


def _small_dict(variant: Variant) -> Any:
    values = {f"key{i}": variant("i", i * 3) for i in range(10)}
    values.update({f"text{i}": variant("s", f"value {i}") for i in range(10)})
    return values


def _bytes(mebibytes: int) -> Payload:
    return Payload("ay", lambda variant: bytes(range(256)) * (4096 * mebibytes))


PAYLOADS = {
    "gmo": Payload("a{oa{sa{sv}}}", _managed_objects),
    "structs1000": Payload(
        "a(iisb)", lambda variant: [(i, -i, f"item {i}", True) for i in range(1000)]
    ),
    "asv20": Payload("a{sv}", _small_dict, guessed=True),
    "as100": Payload("as", lambda variant: [f"text number {i}" for i in range(100)]),
    "ai100k": Payload("ai", lambda variant: list(range(100_000))),
    "ay1": _bytes(1),
    "ay16": _bytes(16),
    "ay64": _bytes(64),
}


def plain(_code: str, value: Any) -> Any:
    """A variant whose type is left to be guessed."""
    return value
