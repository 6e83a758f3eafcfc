# SPDX-License-Identifier: MIT
"""Services: classes whose methods, properties and signals are offered on the bus.

::

    class Counter(ServiceInterface):
        def __init__(self):
            super().__init__("org.example.Counter")
            self._count = 0

        @dbus_method()
        def Add(self, amount: "u") -> "u":
            self._count += amount
            self.emit_properties_changed({"Count": self._count})
            return self._count

        @dbus_property(access=PropertyAccess.READ)
        def Count(self) -> "u":
            return self._count

        @dbus_signal()
        def Overflowed(self, when: str) -> "s":
            return when

    bus.export("/org/example/Counter", Counter())

The annotations are signatures: strings (also where ``from __future__ import annotations`` makes
strings of them), or the types of `dbus.aio.annotations`.  Methods, getters and setters may be
coroutine functions.  A `DBusError` that they raise goes to the caller; any other exception is
logged, and the caller gets an error that names its class.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import wraps

from dbus.aio import _declared, introspection
from dbus.aio._members import MARK, Members, Method, Property, Signal, Values
from dbus.aio.constants import PropertyAccess
from dbus.aio.errors import SignalDisabledError
from dbus.aio.message import Message
from dbus.aio.signature import get_signature_tree

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Protocol, TypeVar, Union

    Function = TypeVar("Function", bound=Callable[..., Any])

    class ServedCall(Protocol):
        """A call that the C module serves."""

        def message(self) -> Message:
            """The same one each time."""

    class Exporter(Protocol):
        """What sends an interface's signals: the exports of one bus."""

        def emit(self, message: Message) -> None:
            """Send a signal, if there is a connection."""


__all__ = (
    "ServiceInterface",
    "current_message",
    "current_sender",
    "dbus_method",
    "dbus_property",
    "dbus_signal",
    "method",
    "signal",
)

_PROPERTIES_CHANGED = Values("sa{sv}as")

#: The call that is being served in this context; set by the bus, read by `current_message`.
serving: ContextVar[Union[Message, ServedCall]] = ContextVar("dbus.aio.service.serving")


def current_message() -> Message:
    """The message of the call that is being served: in methods, getters and setters.

    Each call has its own, also in coroutines that run at the same time, and in the tasks that they
    start.  LookupError where no call is being served.
    """
    call = serving.get()
    return call if isinstance(call, Message) else call.message()


def current_sender() -> Optional[str]:
    """The unique name of the caller; None on a connection without a bus daemon.

    LookupError where no call is being served.
    """
    return current_message().sender


# --- Declarations


def dbus_method(
    name: Optional[str] = None, disabled: bool = False
) -> Callable[[Function], Function]:
    """Declare a method: its parameters after self, and its result, are annotated with signatures.

    Several values are returned as a tuple or list, which the annotation ``-> "su"`` announces.
    The decorated function itself is what stays in the class; Python code may call it.

    :param name: its name on the bus, if it is not that of the function
    :param disabled: True hides it from the bus

    When applied: ValueError for an annotation that is missing or none of those that are possible,
    InvalidIntrospectionError for a parameter that is not of a single complete type,
    InvalidMemberNameError for the name, TypeError for what is no function; NameError or SyntaxError
    for an annotation in a string that is neither a signature nor an expression.
    """
    _require_parentheses("dbus_method", name)

    def decorate(function: Function) -> Function:
        called = name or _declared.name_of(function)
        member = Method(
            called,
            function,
            _declared.arguments_of(function),
            _declared.result_of(function),
            disabled,
        )
        if hasattr(function, MARK):
            function = _another(function)  # declared a second time, under another name
        setattr(function, MARK, member)
        return function

    return decorate


def dbus_signal(
    name: Optional[str] = None, disabled: bool = False
) -> Callable[[Function], Function]:
    """Declare a signal: calling the method emits what it returns, and returns it.

    The annotation of the result is the signature; several values are returned as a tuple or list.
    The call raises what the function does, SignatureBodyMismatchError for values that do not fit,
    and SignalDisabledError if the signal is ``disabled``.  Where the interface is not exported, or
    there is no connection, nothing is sent.

    The parameters and the errors of the declaration are those of `dbus_method`; the parameters of
    the function need no annotations.
    """
    _require_parentheses("dbus_signal", name)

    def decorate(function: Function) -> Function:
        member = Signal(
            name or _declared.name_of(function), _declared.result_of(function), disabled
        )

        @wraps(function)
        def emit(self: ServiceInterface, *args: Any, **kwargs: Any) -> Any:
            if member.disabled:
                raise SignalDisabledError(f"the signal {member.name} is disabled")
            result = function(self, *args, **kwargs)
            _emit(self, self.name, member.name, member.out, result)
            return result

        setattr(emit, MARK, member)
        return emit  # type: ignore[return-value]  # with the parameters of the function

    return decorate


class DBusProperty(property):
    """A property that is offered on the bus too; what `dbus_property` makes."""

    def _with(self, member: Property) -> DBusProperty:
        setattr(self, MARK, member)
        return self

    def setter(self, setter: Callable[[Any, Any], Any]) -> DBusProperty:
        """The property with a setter, for Python code and for the bus; a coroutine function may
        be one, but then serves the bus only."""
        member: Property = getattr(self, MARK)
        changed = member.changed(member.getter, setter)
        return type(self)(self.fget, setter, self.fdel)._with(changed)

    def getter(self, getter: Callable[[Any], Any]) -> DBusProperty:
        """The property with another getter, whose result is of the same type."""
        member: Property = getattr(self, MARK)
        changed = member.changed(getter, member.setter)
        return type(self)(getter, self.fset, self.fdel)._with(changed)

    def deleter(self, deleter: Callable[[Any], None]) -> DBusProperty:
        """The property with a deleter, which Python code can use."""
        member: Property = getattr(self, MARK)
        return type(self)(self.fget, self.fset, deleter)._with(member)


def dbus_property(
    access: PropertyAccess = PropertyAccess.READWRITE,
    name: Optional[str] = None,
    disabled: bool = False,
) -> Callable[[Callable[..., Any]], DBusProperty]:
    """Declare a property by its getter, whose result is annotated with the signature.

    It is a property for Python code as well.  If clients may write it, it needs a setter
    (``@count.setter``); that is checked when the interface is made (ValueError).

    :param access: what clients may do
    :param name: its name on the bus, if it is not that of the function
    :param disabled: True hides it from the bus

    When applied: TypeError if ``access`` is no PropertyAccess, ValueError for parameters beside
    self or a result that is not of a single complete type; the rest as for `dbus_method`.
    """
    if not isinstance(access, PropertyAccess):
        raise TypeError(f"access is a PropertyAccess, not {type(access).__name__}")
    _require_parentheses("dbus_property", name)

    def decorate(getter: Callable[..., Any]) -> DBusProperty:
        called = name or _declared.name_of(getter)
        if len(_declared.parameters_of(getter)) != 1:
            raise ValueError(f"the getter of property {called} has one parameter, self")
        signature = _declared.result_of(getter)
        if len(get_signature_tree(signature).types) != 1:
            raise ValueError(f"the getter of property {called} returns one value with a signature")
        member = Property(called, signature, access, getter, None, disabled)
        return DBusProperty(getter)._with(member)

    return decorate


#: The names from before dbus-fast 2.46.
method = dbus_method
signal = dbus_signal


def _require_parentheses(decorator: str, name: object) -> None:
    if callable(name):
        raise TypeError(f"{decorator} is used with parentheses: @{decorator}()")


def _another(function: Function) -> Function:
    """A second function that does the same, for another record."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return call  # type: ignore[return-value]


# --- Interfaces


class ServiceInterface:
    """The base of classes whose instances are exported with `MessageBus.export`.

    ``name`` is the name of the interface for clients; it has to be a valid one when the interface
    is exported.  An instance is exported at one path of a bus at most, but on several buses.

    The constructor raises TypeError if ``name`` is no str, ValueError if a property is writable but
    has no setter.
    """

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of an interface is a str, not {type(name).__name__}")
        self.name = name
        # Attributes of the program's class are beside these two.
        self._dbus_members = Members.shared_by(type(self))
        self._dbus_places: tuple[tuple[Exporter, str], ...] = ()

    def introspect(self) -> introspection.Interface:
        """The introspection data of this interface as it is now; new, and the caller's own.

        InvalidInterfaceNameError if the name of the interface is not valid.
        """
        members = self._dbus_members
        return introspection.Interface(
            self.name,
            methods=[member.describe() for member in members.methods.values()],
            signals=[member.describe() for member in members.signals.values()],
            properties=[member.describe() for member in members.properties.values()],
        )

    def emit_properties_changed(
        self,
        changed_properties: dict[str, Any],
        invalidated_properties: list[str] = [],  # noqa: B006  # documented so, and not changed
    ) -> None:
        """Tell clients that properties have changed: the signal PropertiesChanged.

        :param changed_properties: the new values by the properties' names on the bus; names that
            the interface does not have are passed over
        :param invalidated_properties: names of properties that have changed to a value that
            clients have to ask for

        SignatureBodyMismatchError for a value that does not fit its property; TypeError if the
        arguments are no dict and no list or tuple.
        """
        if not isinstance(changed_properties, dict):
            raise TypeError(f"changed_properties is a {type(changed_properties).__name__}, no dict")
        if not isinstance(invalidated_properties, (list, tuple)):
            raise TypeError(
                f"invalidated_properties is a {type(invalidated_properties).__name__}, no list"
            )
        properties = self._dbus_members.properties
        changed = {
            name: properties[name].variant(value)
            for name, value in changed_properties.items()
            if name in properties
        }
        body = [self.name, changed, list(invalidated_properties)]
        _emit(
            self,
            "org.freedesktop.DBus.Properties",
            "PropertiesChanged",
            _PROPERTIES_CHANGED,
            body,
        )

    # --- Members of one instance, added and removed while it is exported

    def add_method(
        self,
        name: str,
        function: Callable[..., Any],
        in_signature: Optional[str] = None,
        out_signature: Optional[str] = None,
    ) -> None:
        """Offer ``function``, which is called with the arguments alone, as the method ``name``.

        Signatures that are None are read from its annotations.  ValueError if there is a method of
        this name; else the errors of `dbus_method`, InvalidSignatureError for a signature.
        """
        if in_signature is None:
            arguments = _declared.arguments_of(function, skip=0)
        else:
            arguments = [(None, kind.signature) for kind in get_signature_tree(in_signature).types]
        if out_signature is None:
            out_signature = _declared.result_of(function)

        def call(_interface: ServiceInterface, *args: Any) -> Any:
            return function(*args)

        self._add(Method(name, call, arguments, out_signature))

    def add_property(
        self,
        name: str,
        signature: str,
        getter: Callable[[], Any],
        setter: Optional[Callable[[Any], Any]] = None,
        access: Optional[PropertyAccess] = None,
    ) -> None:
        """Offer the property ``name``: ``getter`` is called without, ``setter`` with its value.

        Without ``access`` it can be read, and written if there is a setter.  ValueError if there is
        a property of this name, or a writable one has no setter; InvalidMemberNameError,
        InvalidSignatureError or InvalidIntrospectionError as for `dbus_property`.
        """
        if access is None:
            access = PropertyAccess.READWRITE if setter else PropertyAccess.READ
        if access.writable() and setter is None:
            raise ValueError(f'property "{name}" is writable but does not have a setter')

        def get(_interface: ServiceInterface) -> Any:
            return getter()

        def put(_interface: ServiceInterface, value: Any) -> Any:
            return setter(value) if setter else None

        self._add(Property(name, signature, access, get, put if setter else None))

    def add_signal(self, name: str, signature: str = "") -> Callable[..., None]:
        """Offer the signal ``name``: the function that emits it, with its values as arguments.

        ValueError if there is a signal of this name; InvalidMemberNameError or
        InvalidSignatureError for an argument that is none.
        """
        member = Signal(name, signature)
        self._add(member)

        def emit(*values: Any) -> None:
            if self._dbus_members.signals.get(name) is not member:
                raise SignalDisabledError(f"the signal {name} has been removed")
            result = values[0] if len(values) == 1 else values
            _emit(self, self.name, name, member.out, result)

        return emit

    def remove_member(self, name: str) -> None:
        """Take the method, signal and property ``name`` away from this instance.

        Those that the class declares are meant too.  KeyError if there is none.
        """
        self._dbus_members = members = self._dbus_members.own()
        removed = [
            table.pop(name, None)
            for table in (members.methods, members.signals, members.properties)
        ]
        if not any(removed):
            raise KeyError(name)

    def _add(self, member: Union[Method, Signal, Property]) -> None:
        self._dbus_members = self._dbus_members.own()
        table = self._dbus_members.table_of(member)
        if member.name in table:
            raise ValueError(
                f"interface {self.name} has a {type(member).__name__.lower()} {member.name} already"
            )
        table[member.name] = member


# --- For the exports of a bus


def members_of(interface: ServiceInterface) -> Members:
    """The tables of an interface's members; others when members have been added or removed.

    TypeError if the constructor of `ServiceInterface` has not been called.
    """
    try:
        return interface._dbus_members
    except AttributeError:
        raise TypeError(
            f"{type(interface).__name__} does not call ServiceInterface.__init__"
        ) from None


def attach(interface: ServiceInterface, exporter: Exporter, path: str) -> None:
    """Have the signals of the interface sent by ``exporter`` too, from the object at ``path``.

    ValueError if that exporter has the interface already.
    """
    for known, place in interface._dbus_places:
        if known is exporter:
            raise ValueError(f"this instance is exported on this bus already, at {place}")
    interface._dbus_places += ((exporter, path),)


def detach(interface: ServiceInterface, exporter: Exporter) -> None:
    """Undo `attach`."""
    interface._dbus_places = tuple(
        [place for place in interface._dbus_places if place[0] is not exporter]
    )


def _emit(
    interface: ServiceInterface, interface_name: str, member: str, values: Values, result: Any
) -> None:
    """Send a signal from every place where the interface is exported."""
    if not interface._dbus_places:
        return
    body, unix_fds = values.body_of(result)
    for exporter, path in interface._dbus_places:
        exporter.emit(
            Message.new_signal(path, interface_name, member, values.tree.signature, body, unix_fds)
        )
