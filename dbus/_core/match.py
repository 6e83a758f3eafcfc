# SPDX-License-Identifier: MIT
"""Match rules: their text for the bus, their test of a message's arguments, and their index.

The index is a dict of dicts, path -> interface -> member -> list, None standing for any: programs
walk it, so its form is part of the contract.
"""

from __future__ import annotations

from dbus.types import ObjectPath, String

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Iterable, Mapping, Optional, TypeVar

    _M = TypeVar("_M")
    Tree = dict[Optional[str], dict[Optional[str], dict[Optional[str], list[_M]]]]

# The specification limits argN and argNpath to this many arguments (Match Rules).
ARG_LIMIT = 64


class ArgumentMatch:
    """The conditions of a rule on a message's arguments.

    ``keywords`` holds them as they were given, ``equal`` and ``paths`` by argument number.
    """

    __slots__ = ("keywords", "equal", "paths", "namespace")

    def __init__(self, keywords: Mapping[str, Any]) -> None:
        """Take ``argN``, ``argNpath`` and ``arg0namespace``; TypeError for anything else."""
        self.keywords = dict(keywords)
        self.equal: dict[int, Any] = {}
        self.paths: dict[int, Any] = {}
        self.namespace: Optional[str] = None
        for keyword, value in keywords.items():
            if keyword == "arg0namespace":
                self.namespace = value
                continue
            is_path = keyword.endswith("path")
            digits = keyword[3:-4] if is_path else keyword[3:]
            if keyword[:3] != "arg" or not (digits.isascii() and digits.isdigit()):
                raise TypeError(f"SignalMatch: unknown keyword argument {keyword}")
            digits = digits.lstrip("0") or "0"
            if len(digits) > 2 or int(digits) >= ARG_LIMIT:
                raise TypeError(
                    f"SignalMatch: arg match index must be in range({ARG_LIMIT}), not {digits}"
                )
            (self.paths if is_path else self.equal)[int(digits)] = value

    def accepts(self, args: list[Any]) -> bool:
        """Whether a message with these arguments is meant.

        As on the bus: argN and arg0namespace look at strings only, argNpath at paths too.
        """
        count = len(args)
        for index, value in self.equal.items():
            if index >= count or args[index] != value or not isinstance(args[index], String):
                return False
        if self.namespace is not None and not (
            count and isinstance(args[0], String) and in_namespace(args[0], self.namespace)
        ):
            return False
        for index, value in self.paths.items():
            if index >= count or not isinstance(args[index], (String, ObjectPath)):
                return False
            if not same_or_below(args[index], value):
                return False
        return True

    def rule_parts(self) -> Iterable[str]:
        """The parts of a match rule that say this."""
        if self.namespace is not None:
            yield f"arg0namespace={quoted(self.namespace)}"
        for index, value in self.equal.items():
            yield f"arg{index}={quoted(value)}"
        for index, value in self.paths.items():
            yield f"arg{index}path={quoted(value)}"


def same_conditions(arguments: Optional[ArgumentMatch], keywords: Mapping[str, Any]) -> bool:
    """Whether a match with these conditions is meant by ``keywords``.

    A namespace may be left out: the reference cannot name it when it removes a match.
    """
    known = {} if arguments is None else arguments.keywords
    if known == keywords:
        return True
    without = {name: value for name, value in known.items() if name != "arg0namespace"}
    return without == keywords


def in_namespace(name: str, namespace: str) -> bool:
    """Whether a dotted name is ``namespace`` or lies below it."""
    return name == namespace or name.startswith(namespace + ".")


def same_or_below(one: str, other: str) -> bool:
    """argNpath: equal, or one ends with a slash and is a prefix of the other."""
    return (
        one == other
        or (one.endswith("/") and other.startswith(one))
        or (other.endswith("/") and one.startswith(other))
    )


def quoted(value: object) -> str:
    """A value of a match rule; an apostrophe ends the quotes and stands escaped outside them."""
    text = str(value).replace("'", "'\\''")
    return f"'{text}'"


def rule_text(
    sender: Optional[str],
    path: Optional[str],
    interface: Optional[str],
    member: Optional[str],
    arguments: Optional[ArgumentMatch],
) -> str:
    """The match rule for signals as the bus wants it."""
    parts = ["type='signal'"]
    named = (("sender", sender), ("path", path), ("interface", interface), ("member", member))
    parts += [f"{key}={quoted(value)}" for key, value in named if value is not None]
    if arguments is not None:
        parts += arguments.rule_parts()
    return ",".join(parts)


def insert(
    tree: Tree[_M],
    path: Optional[str],
    interface: Optional[str],
    member: Optional[str],
    match: _M,
) -> None:
    """Put ``match`` into the index, behind those of the same place."""
    tree.setdefault(path, {}).setdefault(interface, {}).setdefault(member, []).append(match)


def discard(
    tree: Tree[_M],
    path: Optional[str],
    interface: Optional[str],
    member: Optional[str],
    match: _M,
) -> bool:
    """Take ``match`` out of the index together with levels that it leaves empty.

    False if it was not there.
    """
    try:
        by_interface = tree[path]
        by_member = by_interface[interface]
        matches = by_member[member]
    except KeyError:
        return False
    kept = [entry for entry in matches if entry is not match]
    if len(kept) == len(matches):
        return False
    if kept:
        matches[:] = kept
        return True
    del by_member[member]
    if not by_member:
        del by_interface[interface]
        if not by_interface:
            del tree[path]
    return True


def candidates(
    tree: Tree[_M], path: Optional[str], interface: Optional[str], member: Optional[str]
) -> list[_M]:
    """All entries that a message with this header could be meant for, as a new list.

    Entries for any path come before those for this one, and so on inward.
    """
    found: list[_M] = []
    for path_key in (None, path) if path is not None else (None,):
        by_interface = tree.get(path_key)
        if by_interface is None:
            continue
        for interface_key in (None, interface) if interface is not None else (None,):
            by_member = by_interface.get(interface_key)
            if by_member is None:
                continue
            if None in by_member:
                found += by_member[None]
            if member is not None and member in by_member:
                found += by_member[member]
    return found


def at_place(
    tree: Tree[_M], path: Optional[str], interface: Optional[str], member: Optional[str]
) -> list[_M]:
    """The entries for exactly this place, as a new list."""
    return list(tree.get(path, {}).get(interface, {}).get(member, ()))
