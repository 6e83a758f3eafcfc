# SPDX-License-Identifier: MIT
"""The high-level client: objects of other programs as Python objects.

A `ProxyObject` stands for a remote object.  Its introspection data says which interfaces the object
has, and `ProxyObject.get_interface` gives a `ProxyInterface` for one of them, with a method for
each thing that can be done to a member of it::

    introspection = await bus.introspect("org.example", "/org/example")
    proxy = bus.get_proxy_object("org.example", "/org/example", introspection)
    player = proxy.get_interface("org.example.Player")
    await player.call_play_file("/tmp/song.ogg")
    volume = await player.get_volume()
    player.on_stopped(lambda reason: print(reason))

Nothing is made for a member before it is asked for by name.
"""

from __future__ import annotations

from types import CoroutineType, MethodType
from weakref import WeakKeyDictionary

from dbus.aio import _descriptors, unpack
from dbus.aio._subscriptions import Subscription, error_of
from dbus.aio.constants import ErrorType, MessageFlag, MessageType
from dbus.aio.errors import DBusError, InterfaceNotFoundError
from dbus.aio.introspection import Node
from dbus.aio.message import Message
from dbus.aio.signature import Variant, get_signature_tree
from dbus.aio.validators import assert_bus_name_valid, assert_object_path_valid

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Iterable
    from typing import Any, Callable, Optional, Union
    from xml.etree.ElementTree import Element

    from dbus.aio.introspection import Interface, Method, Property, Signal
    from dbus.aio.message_bus import MessageBus
    from dbus.aio.signature import SignatureTree

    Function = Callable[..., Any]
    # What makes the function for a member; it is bound to the proxy when it is asked for.
    Maker = Callable[[Any], Function]
    Handler = tuple[Function, bool]  # a function, and whether it wants variants unpacked

_PROPERTIES = "org.freedesktop.DBus.Properties"


class ProxyInterface:
    """One interface of a remote object; made by `ProxyObject.get_interface`.

    ``bus_name`` and ``path`` say where the object is, ``introspection`` is the
    `dbus.aio.introspection.Interface`, ``bus`` the `MessageBus`.

    Each member of the interface has its methods here, named after it in snake case: the method
    ``PlayFile`` is called by ``call_play_file``.  Of two members with the same such name, the one
    that is described last has it.

    ``await call_x(*args, flags=MessageFlag.NONE, unpack_variants=False, timeout=None)``
        Call a method.  The result is None, the one value, or the list of values that it returns;
        None too, and at once, if ``flags`` has NO_REPLY_EXPECTED.

    ``await get_x(*, flags=MessageFlag.NONE, unpack_variants=False, timeout=None)``
        The value of a property.

    ``await set_x(val, *, timeout=None)``
        Set a property.

    ``on_x(fn, *, unpack_variants=False)`` and ``off_x(fn, *, unpack_variants=False)``
        Call ``fn`` with the arguments of each signal from now on, or no longer.  What it returns is
        run as a task if it is a coroutine.  While there is a handler, the bus keeps this proxy.
        Removing what was never added does nothing.

    With ``unpack_variants`` the values come without their variants, at every depth.  ``timeout`` is
    in seconds; None waits for as long as the bus does.  A file descriptor (type ``h``) is the
    number of an open file, on the way in and on the way out.  Those that arrive belong to the
    program; those that are sent stay open.

    The coroutines raise DBusError for an error reply, and with the type `ErrorType.CLIENT_ERROR`
    for a reply that is not of the described type; SignatureBodyMismatchError if the values do not
    fit; `asyncio.TimeoutError`; and what `MessageBus.call` raises.  ``on_x`` raises TypeError if
    ``fn`` does not take as many positional parameters as the signal has arguments.  A signal that
    is not of the described type is logged and not delivered.  An exception that a handler raises
    goes to the exception handler of the loop, and the other handlers are called all the same.
    """

    # For objects that are made without __init__, as by the module copy.
    _members: dict[str, Any] = {}
    # What listens to its signals: nothing, one, or a tuple of several.
    _listening: Union[_Listening, tuple[_Listening, ...]] = ()

    def __init__(self, bus_name: str, path: str, introspection: Interface, bus: MessageBus) -> None:
        self.bus_name = bus_name
        self.path = path
        self.introspection = introspection
        self.bus = bus
        self._members = _members_of(introspection)

    def __getattr__(self, name: str) -> Function:
        """The method ``name`` for a member, made when it is first asked for."""
        found = self._members.get(name)
        if found is None:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        if isinstance(found, tuple):
            make, member = found
            found = self._members[name] = make(member)
            found.__name__ = name
            found.__qualname__ = f"{ProxyInterface.__name__}.{name}"
        return MethodType(found, self)

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self._members]


class ProxyObject:
    """A remote object: the one at ``path`` of the connection that has the name ``bus_name``.

    ``introspection`` says what it offers: a `Node`, the text of introspection data, or the element
    ``node`` of such data as `xml.etree.ElementTree` has it.  The attribute is always the `Node`.
    ``child_paths`` are the paths of the objects below that the data names.  ``ProxyInterface`` is
    the class of the interfaces, for those who have their own.

    InvalidBusNameError, InvalidObjectPathError, or InvalidIntrospectionError and what else
    `Node.parse` raises, for an argument that is none; TypeError for one of another class.
    """

    def __init__(
        self,
        bus_name: str,
        path: str,
        introspection: Union[Node, str, Element],
        bus: MessageBus,
        ProxyInterface: type[ProxyInterface] = ProxyInterface,
    ) -> None:
        assert_bus_name_valid(bus_name)
        assert_object_path_valid(path)
        self.bus_name = bus_name
        self.path = path
        self.introspection = _node(introspection)
        self.bus = bus
        self.ProxyInterface = ProxyInterface
        self.child_paths = [_child_path(path, node.name) for node in self.introspection.nodes]
        self._interfaces: dict[str, Any] = {}
        self._children: Optional[list[ProxyObject]] = None

    def get_interface(self, name: str) -> ProxyInterface:
        """The interface ``name`` of this object, the same each time.

        InterfaceNotFoundError if the introspection data has no such interface.
        """
        found: Optional[ProxyInterface] = self._interfaces.get(name)
        if found is None:
            for interface in self.introspection.interfaces:
                if interface.name == name:
                    break
            else:
                raise InterfaceNotFoundError(f"{self.path} has no interface {name}")
            found = self.ProxyInterface(self.bus_name, self.path, interface, self.bus)
            self._interfaces[name] = found
        return found

    def get_children(self) -> list[ProxyObject]:
        """Proxies for the objects at ``child_paths``, the same each time.

        They know what the introspection data of this object says of them, which mostly is nothing:
        ask the bus to introspect their paths.

        InvalidObjectPathError if one of the paths is none.
        """
        if self._children is None:
            children = []
            for path, node in zip(self.child_paths, self.introspection.nodes):
                child = type(self)(self.bus_name, path, node, self.bus)
                child.ProxyInterface = self.ProxyInterface
                children.append(child)
            self._children = children
        return self._children


#: With one kind of bus there is nothing to be the base of; these are for ``isinstance``.
BaseProxyInterface = ProxyInterface
BaseProxyObject = ProxyObject


def _node(introspection: Union[Node, str, Element]) -> Node:
    if isinstance(introspection, Node):
        return introspection
    if isinstance(introspection, str):
        return Node.parse(introspection)
    from xml.etree.ElementTree import Element

    if isinstance(introspection, Element):
        return Node.from_xml(introspection, is_root=True)
    raise TypeError(
        f"introspection data is a Node, a str or an Element, not {type(introspection).__name__}"
    )


def _child_path(path: str, name: Optional[str]) -> str:
    name = name or ""
    return name if name.startswith("/") else f"{path.rstrip('/')}/{name}"


def _snake_case(member: str) -> str:
    """The name of a member in snake case: an underscore before each word, and no capitals.

    A word begins with the capital after a small letter or digit, and with the last of several
    capitals if a small letter follows: ``HTTPServer2Go`` is ``http_server2_go``.
    """
    made = []
    before = ""
    for letter, after in zip(member, member[1:] + "."):
        if (
            before
            and "A" <= letter <= "Z"
            and ("a" <= after <= "z" or "a" <= before <= "z" or "0" <= before <= "9")
        ):
            made.append("_")
        made.append(letter)
        before = letter
    return "".join(made).lower()


# --- Methods and properties


def _request(
    proxy: ProxyInterface,
    interface: str,
    member: str,
    tree: SignatureTree,
    values: list[Any],
    flags: Union[MessageFlag, int] = MessageFlag.NONE,
) -> Message:
    """The call of a method of the remote object."""
    unix_fds: list[int] = []
    if _descriptors.may_hold_descriptors(tree.signature):
        values, unix_fds = _descriptors.with_indexes(tree, values)
    return Message(
        proxy.bus_name,
        proxy.path,
        interface,
        member,
        flags=flags,
        signature=tree.signature,
        body=values,
        unix_fds=unix_fds,
        validate=False,  # the bus does that too
    )


def _values(message: Message) -> list[Any]:
    """The body of a message, with descriptors where it has indexes of descriptors."""
    if not message.unix_fds:
        return message.body
    return _descriptors.with_descriptors(message.signature_tree, message.body, message.unix_fds)


def _not_as_described(what: str, signature: str, expected: str, reply: Message) -> DBusError:
    return DBusError(
        ErrorType.CLIENT_ERROR,
        f"{what} has the signature {signature!r} instead of {expected!r}",
        reply,
    )


def _make_call(method: Method) -> Callable[..., Awaitable[Any]]:
    tree = get_signature_tree(method.in_signature)
    expected = method.out_signature

    async def call(
        self: ProxyInterface,
        *args: Any,
        flags: Union[MessageFlag, int] = MessageFlag.NONE,
        unpack_variants: bool = False,
        timeout: Optional[float] = None,
    ) -> Any:
        interface = self.introspection.name
        message = _request(self, interface, method.name, tree, list(args), flags)
        reply: Optional[Message] = await self.bus.call(message, timeout=timeout)
        if reply is None:
            return None
        if reply.message_type is MessageType.ERROR:
            raise error_of(reply)
        if reply.signature != expected:
            what = f"the result of {interface}.{method.name}"
            raise _not_as_described(what, reply.signature, expected, reply)
        values = _values(reply)
        if unpack_variants:
            values = unpack.unpack_variants(values)
        return values if len(values) > 1 else values[0] if values else None

    return call


def _make_get(member: Property) -> Callable[..., Awaitable[Any]]:
    tree = get_signature_tree("ss")

    async def get(
        self: ProxyInterface,
        *,
        flags: Union[MessageFlag, int] = MessageFlag.NONE,
        unpack_variants: bool = False,
        timeout: Optional[float] = None,
    ) -> Any:
        interface = self.introspection.name
        what = f"the property {interface}.{member.name}"
        # To get something without a reply makes no sense; the flag may stand for a habit.
        flags = MessageFlag(flags) & ~MessageFlag.NO_REPLY_EXPECTED
        arguments = [interface, member.name]
        message = _request(self, _PROPERTIES, "Get", tree, arguments, flags)
        reply = await self.bus.call(message, timeout=timeout)
        assert reply is not None
        if reply.message_type is MessageType.ERROR:
            raise error_of(reply)
        if reply.signature != "v":
            raise _not_as_described(f"the reply with {what}", reply.signature, "v", reply)
        variant = _values(reply)[0]
        if variant.signature != member.signature:
            raise _not_as_described(what, variant.signature, member.signature, reply)
        return unpack.unpack_variants(variant) if unpack_variants else variant.value

    return get


def _make_set(member: Property) -> Callable[..., Awaitable[None]]:
    tree = get_signature_tree("ssv")

    async def set(self: ProxyInterface, val: Any, *, timeout: Optional[float] = None) -> None:
        arguments = [self.introspection.name, member.name, Variant(member.type, val)]
        message = _request(self, _PROPERTIES, "Set", tree, arguments)
        reply = await self.bus.call(message, timeout=timeout)
        if reply is not None and reply.message_type is MessageType.ERROR:
            raise error_of(reply)

    return set


# --- Signals


class _Listening(Subscription):
    """The handlers of one signal.

    The bus has this object, and thereby the proxy, until the last handler is gone.  Its signature
    and the one handler that most have are the C module's to see.
    """

    __slots__ = ("proxy",)

    def __init__(self, proxy: ProxyInterface, signal: Signal) -> None:
        super().__init__(proxy.bus_name, proxy.path, proxy.introspection.name, signal.name)
        self.proxy = proxy
        self._arguments = signal.signature
        self.handlers = ()

    @property
    def handlers(self) -> tuple[Handler, ...]:
        """All of them, in the order in which they were added."""
        handler = self._handler
        return handler if handler.__class__ is tuple else ((handler, False),)

    @handlers.setter
    def handlers(self, handlers: tuple[Handler, ...]) -> None:
        plain = len(handlers) == 1 and not handlers[0][1]
        self._handler: Any = handlers[0][0] if plain else handlers

    def _deliver(self, message: Message) -> bool:
        """Call the handlers with the arguments of a signal, unless it is not as described."""
        if message.signature != self._arguments:
            self._refuse(message)
            return False
        values = _values(message) if message.unix_fds else message.body
        unpacked = None
        first = True
        for handler in self.handlers:
            if not first and handler not in self.handlers:
                continue  # another handler has just removed it
            first = False
            function, unpack_variants = handler
            arguments = values
            if unpack_variants:
                if unpacked is None:
                    unpacked = unpack.unpack_variants(values)
                arguments = unpacked
            try:
                result = function(*arguments)
            except Exception as error:
                self._failed(error)
                continue
            if isinstance(result, CoroutineType):
                self._run(result)
        return True

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.proxy.bus._spawn(coroutine)

    def _failed(self, error: Exception) -> None:
        name = f"{self._interface}.{self._member}"
        self.proxy.bus._report(f"Exception in a handler of the signal {name}", error)

    def _refuse(self, message: Message) -> None:
        from logging import getLogger

        getLogger(__name__).warning(
            "signal %s.%s of %s at %s has the signature %r instead of %r",
            message.interface,
            message.member,
            message.sender,
            message.path,
            message.signature,
            self._arguments,
        )


def _all_listening(proxy: ProxyInterface) -> tuple[_Listening, ...]:
    listening = proxy._listening
    return listening if isinstance(listening, tuple) else (listening,)


def _listening_to(proxy: ProxyInterface, signal: Signal) -> Optional[_Listening]:
    for listening in _all_listening(proxy):
        if listening._member == signal.name:
            return listening
    return None


def _make_on(signal: Signal) -> Callable[..., None]:
    def on(self: ProxyInterface, fn: Function, *, unpack_variants: bool = False) -> None:
        _check_handler(signal, fn)
        listening = _listening_to(self, signal)
        if listening is None:
            listening = _Listening(self, signal)
            self.bus._subscriptions.add(listening)
            others = _all_listening(self)
            self._listening = (*others, listening) if others else listening
        listening.handlers = (*listening.handlers, (fn, bool(unpack_variants)))

    return on


def _make_off(signal: Signal) -> Callable[..., None]:
    def off(self: ProxyInterface, fn: Function, *, unpack_variants: bool = False) -> None:
        listening = _listening_to(self, signal)
        handlers = list(listening.handlers) if listening is not None else []
        handler = (fn, bool(unpack_variants))
        if listening is None or handler not in handlers:
            return
        handlers.remove(handler)
        listening.handlers = tuple(handlers)
        if not handlers:
            others = tuple(other for other in _all_listening(self) if other is not listening)
            self._listening = others[0] if len(others) == 1 else others
            self.bus._subscriptions.remove(listening)

    return off


def _check_handler(signal: Signal, fn: Function) -> None:
    """TypeError if ``fn`` cannot be called with the arguments of ``signal``."""
    from inspect import Parameter, signature

    if not callable(fn):
        raise TypeError(f"a handler of a signal is callable; {fn!r:.60} is not")
    parameters = signature(fn).parameters.values()
    if any(p.kind is Parameter.KEYWORD_ONLY and p.default is Parameter.empty for p in parameters):
        raise TypeError("a handler of a signal has no required keyword-only parameters")
    count = sum(
        p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD) for p in parameters
    )
    more = any(p.kind is Parameter.VAR_POSITIONAL for p in parameters)
    wanted = len(signal.args)
    if count > wanted or (count < wanted and not more):
        raise TypeError(
            f"a handler of {signal.name} has {wanted} positional parameters, not {count}"
        )


# The methods of a ProxyInterface: what their names begin with, the members of an interface that
# have them, and what makes their functions.
_METHODS: tuple[tuple[str, str, Maker], ...] = (
    ("call_", "methods", _make_call),
    ("get_", "properties", _make_get),
    ("set_", "properties", _make_set),
    ("on_", "signals", _make_on),
    ("off_", "signals", _make_off),
)


# What was made for each interface, and of what.
_made: WeakKeyDictionary[Interface, tuple[list[Any], dict[str, Any]]] = WeakKeyDictionary()


def _members_of(interface: Interface) -> dict[str, Any]:
    """The methods for the members by name: each its function, or what makes it of which member.

    Proxies share it.  The members of an interface may be changed; those made later are after that.
    """
    described = [
        *(
            (method, method.name, method.in_signature, method.out_signature)
            for method in interface.methods
        ),
        *((prop, prop.name, prop.signature) for prop in interface.properties),
        *((signal, signal.name, signal.signature) for signal in interface.signals),
    ]
    known = _made.get(interface)
    if known is not None and known[0] == described:
        return known[1]
    members = {
        prefix + _snake_case(member.name): (make, member)
        for prefix, kind, make in _METHODS
        for member in getattr(interface, kind)
        if member.name
    }
    _made[interface] = described, members
    return members
