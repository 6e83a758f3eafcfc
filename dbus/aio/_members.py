# SPDX-License-Identifier: MIT
"""What a service interface consists of: one record for each method, signal and property.

A record is made once, where the member is declared, and is shared by all instances of the class.
It hangs at the declared function (or property) as the attribute `MARK`, so declarations are
inherited, overridden and hidden as any attribute of a class.  `Members` are the records of an
instance by their names on the bus; most instances of a class have the same ones.
"""

from __future__ import annotations

from dbus.aio import _descriptors, introspection
from dbus.aio.constants import ArgDirection, PropertyAccess
from dbus.aio.errors import InvalidIntrospectionError, SignatureBodyMismatchError
from dbus.aio.signature import Variant, get_signature_tree
from dbus.aio.validators import assert_member_name_valid

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Callable, Optional, Union

    from dbus.aio.signature import SignatureTree

#: The attribute of a function or property that holds its record.
MARK = "__dbus_member__"

#: The attribute of a class with what its instances share.
_SHARED = "__dbus_members__"


class Values:
    """The values that a method or signal brings, by their ``signature``."""

    __slots__ = ("tree", "_count", "_may_hold_descriptors")

    def __init__(self, signature: str) -> None:
        self.tree: SignatureTree = get_signature_tree(signature)
        self._count = len(self.tree.types)
        self._may_hold_descriptors = _descriptors.may_hold_descriptors(signature)

    def body_of(self, result: Any) -> tuple[list[Any], list[int]]:
        """The body, and its descriptors, for what a function has returned.

        One value is returned as it is, several as a tuple or list, none as None.  Only their number
        is checked here (SignatureBodyMismatchError); the types are when the message is sent.
        """
        if self._count == 1:
            body = [result]
        elif isinstance(result, (tuple, list)) and len(result) == self._count:
            body = list(result)
        elif result is None and self._count == 0:
            body = []
        else:
            raise SignatureBodyMismatchError(
                f"signature {self.tree.signature!r} needs {self._count} values in a tuple or list, "
                f"not {type(result).__name__}"
            )
        if self._may_hold_descriptors:
            return _descriptors.with_indexes(self.tree, body)
        return body, []

    def describe(self) -> list[introspection.Arg]:
        """Introspection data: an outgoing argument without a name for each value."""
        return [introspection.Arg(kind, ArgDirection.OUT) for kind in self.tree.types]


class Method:
    """A method: ``function`` is called with the object and the values of the message.

    ``arguments`` are pairs of name and signature.  InvalidMemberNameError for a name that is none,
    InvalidSignatureError for a signature, InvalidIntrospectionError for an argument that is not of
    a single complete type.
    """

    __slots__ = (
        "name",
        "function",
        "disabled",
        "in_signature",
        "out",
        "served",
        "_arguments",
        "_in_tree",
    )

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        arguments: Sequence[tuple[Optional[str], str]] = (),
        out_signature: str = "",
        disabled: bool = False,
    ) -> None:
        assert_member_name_valid(name)
        for argument, signature in arguments:
            require_single_type(signature, f"argument {argument} of method {name}")
        self.name = name
        self.function = function
        self.disabled = disabled
        self.in_signature = "".join([signature for _, signature in arguments])
        self.out = Values(out_signature)
        #: What the C module wants to know.
        self.served = function, self.in_signature, out_signature
        self._arguments = tuple(arguments)
        self._in_tree = get_signature_tree(self.in_signature)

    def arguments_of(self, body: list[Any], unix_fds: list[int]) -> list[Any]:
        """The values for the function, out of a message of the right signature."""
        return _descriptors.with_descriptors(self._in_tree, body, unix_fds) if unix_fds else body

    def describe(self) -> introspection.Method:
        """Its introspection data, new at each call."""
        arguments = [
            introspection.Arg(signature, ArgDirection.IN, name)
            for name, signature in self._arguments
        ]
        return introspection.Method(self.name, arguments, self.out.describe())


class Signal:
    """A signal.  The errors are those of `Method`."""

    __slots__ = ("name", "disabled", "out")

    def __init__(self, name: str, signature: str = "", disabled: bool = False) -> None:
        assert_member_name_valid(name)
        self.name = name
        self.disabled = disabled
        self.out = Values(signature)

    def describe(self) -> introspection.Signal:
        """Its introspection data, new at each call."""
        return introspection.Signal(self.name, self.out.describe())


class Property:
    """A property: ``getter`` is called with the object, ``setter`` with the object and a value.

    The errors are those of `Method`.
    """

    __slots__ = ("name", "signature", "access", "getter", "setter", "disabled", "_type")

    def __init__(
        self,
        name: str,
        signature: str,
        access: PropertyAccess,
        getter: Callable[[Any], Any],
        setter: Optional[Callable[[Any, Any], Any]] = None,
        disabled: bool = False,
    ) -> None:
        assert_member_name_valid(name)
        self._type = require_single_type(signature, f"property {name}")
        self.name = name
        self.signature = signature
        self.access = access
        self.getter = getter
        self.setter = setter
        self.disabled = disabled

    def changed(
        self, getter: Callable[[Any], Any], setter: Optional[Callable[[Any, Any], Any]]
    ) -> Property:
        """The same property with other functions."""
        return Property(self.name, self.signature, self.access, getter, setter, self.disabled)

    def variant(self, value: Any) -> Variant:
        """``value`` for a message; SignatureBodyMismatchError if it is not of the right type."""
        return Variant(self._type, value)

    def describe(self) -> introspection.Property:
        """Its introspection data, new at each call."""
        return introspection.Property(self.name, self.signature, self.access)


class Members:
    """Three tables by name on the bus: what is not disabled of an interface."""

    __slots__ = ("methods", "signals", "properties", "_shared")

    def __init__(self, declared_by: Optional[type] = None) -> None:
        """The members that a class declares or inherits, in the order of its attributes' names.

        ValueError for a property that is writable but has no setter.
        """
        self.methods: dict[str, Method] = {}
        self.signals: dict[str, Signal] = {}
        self.properties: dict[str, Property] = {}
        self._shared = False
        if declared_by is None:
            return
        attributes: dict[str, Any] = {}
        for base in reversed(declared_by.__mro__):
            attributes.update(vars(base))
        settable: set[str] = set()
        without_setter: list[str] = []
        for attribute in sorted(attributes):
            member = getattr(attributes[attribute], MARK, None)
            if not isinstance(member, (Method, Signal, Property)):
                continue
            if isinstance(member, Property) and member.access.writable():
                # A setter may be declared under a name of its own, and is then in a second record.
                if member.setter is None:
                    without_setter.append(member.name)
                    continue
                settable.add(member.name)
            if not member.disabled:
                self.table_of(member)[member.name] = member
        for name in without_setter:
            if name not in settable:
                raise ValueError(f'property "{name}" is writable but does not have a setter')

    @classmethod
    def shared_by(cls, declared_by: type) -> Members:
        """The same, but one object for all instances as long as the class stays as it is."""
        members = cls(declared_by)
        known = vars(declared_by).get(_SHARED)
        if isinstance(known, Members) and known._tables() == members._tables():
            return known
        members._shared = True
        setattr(declared_by, _SHARED, members)
        return members

    def _tables(self) -> tuple[dict[str, Any], ...]:
        return self.methods, self.signals, self.properties

    def own(self) -> Members:
        """Members of one instance alone, to be changed: these, or a copy."""
        if not self._shared:
            return self
        members = Members()
        members.methods, members.signals, members.properties = map(dict, self._tables())
        return members

    def table_of(self, member: Union[Method, Signal, Property]) -> dict[str, Any]:
        """The table for members of this kind."""
        if isinstance(member, Method):
            return self.methods
        return self.signals if isinstance(member, Signal) else self.properties


def require_single_type(signature: str, owner: str) -> Any:
    """The one type of ``signature``, else InvalidIntrospectionError that names ``owner``."""
    types = get_signature_tree(signature).types
    if len(types) != 1:
        raise InvalidIntrospectionError(
            f"{owner} has one complete type; {signature!r} has {len(types)}"
        )
    return types[0]
