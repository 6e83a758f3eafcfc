# SPDX-License-Identifier: MIT
"""Match rules: their text for the bus, and their test of a message's arguments.

The index of all receivers is in C.  What programs see of it is a tree, a dict of dicts, path ->
interface -> member -> list, None standing for any: they walk it, so its form is part of the
contract.
"""

from __future__ import annotations

from dbus.types import ObjectPath, String

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Iterable, Mapping, Optional, TypeVar

    _M = TypeVar("_M")
    _K = TypeVar("_K")
    Pairs = tuple[tuple[_K, Any], ...]
    Tree = dict[Optional[str], dict[Optional[str], dict[Optional[str], list[_M]]]]

# The specification limits argN and argNpath to this many arguments (Match Rules).
ARG_LIMIT = 64


class ArgumentMatch:
    """The conditions of a rule on a message's arguments.

    ``given`` are pairs of the keywords and values as they were given; ``equal`` and ``paths`` pairs
    of argument number and value.
    """

    # Tuples: there may be thousands of these, and a dict takes four times the room.
    __slots__ = ("given", "equal", "paths", "namespace")

    def __init__(self, keywords: Mapping[str, Any]) -> None:
        """Take ``argN``, ``argNpath`` and ``arg0namespace``; TypeError for anything else."""
        self.given: Pairs[str] = tuple(keywords.items())
        equal: dict[int, Any] = {}
        paths: dict[int, Any] = {}
        self.namespace: Any = None
        for keyword, value in self.given:
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
            (paths if is_path else equal)[int(digits)] = value
        self.equal: Pairs[int] = tuple(equal.items())
        self.paths: Pairs[int] = tuple(paths.items())

    def accepts(self, args: list[Any]) -> bool:
        """Whether a message with these arguments is meant.

        As on the bus: argN and arg0namespace look at strings only, argNpath at paths too.  What is
        no string itself matches nothing.
        """
        count = len(args)
        for index, value in self.equal:
            if index >= count or args[index] != value or not isinstance(args[index], String):
                return False
        namespace = self.namespace
        if namespace is not None and not (
            count
            and isinstance(args[0], String)
            and isinstance(namespace, str)
            and in_namespace(args[0], namespace)
        ):
            return False
        for index, value in self.paths:
            if index >= count or not isinstance(args[index], (String, ObjectPath)):
                return False
            if not isinstance(value, str) or not same_or_below(args[index], value):
                return False
        return True

    def rule_parts(self) -> Iterable[str]:
        """The parts of a match rule that say this."""
        if self.namespace is not None:
            yield f"arg0namespace={quoted(self.namespace)}"
        for index, value in self.equal:
            yield f"arg{index}={quoted(value)}"
        for index, value in self.paths:
            yield f"arg{index}path={quoted(value)}"


def first_argument(keywords: Mapping[str, Any]) -> Optional[str]:
    """The text that these conditions want the first argument to be; None if they say nothing of it.

    Conditions that are none say nothing either.
    """
    try:
        first = dict(ArgumentMatch(keywords).equal).get(0) if keywords else None
    except TypeError:
        return None
    return first if isinstance(first, str) else None


def same_conditions(arguments: Optional[ArgumentMatch], keywords: Mapping[str, Any]) -> bool:
    """Whether a match with these conditions is meant by ``keywords``.

    A namespace may be left out: the reference cannot name it when it removes a match.
    """
    known = {} if arguments is None else dict(arguments.given)
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
) -> None:
    """Take ``match`` out of the tree, together with levels that it leaves empty."""
    by_interface = tree.get(path, {})
    by_member = by_interface.get(interface, {})
    matches = by_member.get(member, [])
    kept = [entry for entry in matches if entry is not match]
    if kept:
        matches[:] = kept
    elif matches:
        del by_member[member]
        if not by_member:
            del by_interface[interface]
        if not by_interface:
            del tree[path]
