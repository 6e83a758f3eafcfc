# SPDX-License-Identifier: MIT
"""What a bus has exported, and the answers to calls of it.

A call is one chain of lookups, from the path to the interface to the method's record.  The tables
of methods are the interfaces' own; the standard interfaces stand in a table of the same form.
"""

from __future__ import annotations

from _dbus_bindings import validate_error_name
from dbus._core import report
from dbus.aio import _standard
from dbus.aio._members import Values
from dbus.aio.constants import ErrorType, MessageFlag, MessageType
from dbus.aio.errors import DBusError
from dbus.aio.message import Message
from dbus.aio.service import ServiceInterface, attach, detach, members_of, serving
from dbus.aio.validators import assert_interface_name_valid, assert_object_path_valid

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from typing import Any, Optional, Union

    from _dbus_bindings import Connection
    from dbus.aio._members import Method, Property
    from dbus.aio.message_bus import MessageBus

    # An object and the methods that it serves, by name.
    Served = tuple[Any, dict[str, Method]]

_CHANNEL = "dbus.aio.service"
_LONGEST_TEXT = 2**20  # characters of an error's text, where the whole of it cannot be sent
_NO_REPLY = MessageFlag.NO_REPLY_EXPECTED.value
_OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
_ADDED = Values("oa{sa{sv}}")


class Exports:
    """The exported interfaces of one bus, by path and name."""

    def __init__(self, bus: MessageBus) -> None:
        self._bus = bus
        self._paths: dict[str, dict[str, ServiceInterface]] = {}
        self._standard: dict[str, Served] = {
            name: (make(self), _standard.METHODS[name]) for name, make in _standard.CLASSES.items()
        }

    def add(self, path: str, interface: ServiceInterface) -> None:
        """Export ``interface`` at ``path``, and say so with the signal InterfacesAdded.

        InvalidObjectPathError or InvalidInterfaceNameError for a path or a name that is none;
        TypeError if ``interface`` is no ServiceInterface; ValueError if the object has an interface
        of this name, or the instance is exported on this bus already.
        """
        assert_object_path_valid(path)
        if not isinstance(interface, ServiceInterface):
            raise TypeError(f"a ServiceInterface is exported, not a {type(interface).__name__}")
        members_of(interface)
        name = interface.name
        assert_interface_name_valid(name)
        if name in self._paths.get(path, ()):
            raise ValueError(f'an interface "{name}" is exported at path "{path}" already')
        attach(interface, self, path)
        try:
            self._paths.setdefault(path, {})[name] = interface
            self._announce(path, name, interface)
        except BaseException:
            self._withdraw(path, name, interface)
            raise

    def remove(self, path: str, interface: Optional[Union[ServiceInterface, str]] = None) -> None:
        """Export ``interface``, an instance or a name, at ``path`` no longer; without it, none.

        The signal InterfacesRemoved names those that were exported.  Nothing happens if there was
        none.  InvalidObjectPathError if ``path`` is none; TypeError for another ``interface``.
        """
        assert_object_path_valid(path)
        interfaces = self._paths.get(path, {})
        if interface is None:
            names = list(interfaces)
        elif isinstance(interface, (ServiceInterface, str)):
            name = interface if isinstance(interface, str) else interface.name
            names = [name] if name in interfaces else []
        else:
            raise TypeError(
                f"interface is a ServiceInterface or its name, not {type(interface).__name__}"
            )
        for name in names:
            detach(interfaces.pop(name), self)
        if not interfaces:
            self._paths.pop(path, None)
        if names:
            self._emit_of_manager(path, "InterfacesRemoved", "oas", [path, names], [])

    def _withdraw(self, path: str, name: str, interface: ServiceInterface) -> None:
        """Undo what `add` has done so far, without a signal."""
        interfaces = self._paths.get(path, {})
        interfaces.pop(name, None)
        if not interfaces:
            self._paths.pop(path, None)
        detach(interface, self)

    def clear(self) -> None:
        """Forget everything that is exported, without a signal."""
        for interfaces in self._paths.values():
            for interface in interfaces.values():
                detach(interface, self)
        self._paths.clear()

    def interfaces_at(self, path: str) -> dict[str, ServiceInterface]:
        """The interfaces of the object at ``path``, by name; empty if there is none."""
        return dict(self._paths.get(path, ()))

    def paths_below(self, path: str) -> list[str]:
        """The paths of all objects below ``path``; below the root also the root itself."""
        prefix = path.rstrip("/") + "/"
        return [known for known in self._paths if known.startswith(prefix)]

    def emit(self, message: Message) -> None:
        """Send a signal, if there is a connection.

        SignatureBodyMismatchError if its body does not fit; OSError for a bad descriptor.
        """
        self._bus._post(message)

    def _announce(self, path: str, name: str, interface: ServiceInterface) -> None:
        """The signal InterfacesAdded, without the properties whose getters raise."""
        if not self._bus.connected:
            return

        def skip(member: Property) -> None:
            report.error_with_traceback(
                _CHANNEL, "InterfacesAdded for %s goes without property %s", name, member.name
            )

        reader = _standard.PropertyReader(skip)
        result = reader.finished([path, {name: reader.read(interface)}])
        if isinstance(result, list):
            self._emit_added(path, result)
        else:
            self._spawn(self._announce_later(path, result), result)

    async def _announce_later(self, path: str, result: Awaitable[list[Any]]) -> None:
        self._emit_added(path, await result)

    def _emit_added(self, path: str, values: list[Any]) -> None:
        body, unix_fds = _ADDED.body_of(values)
        try:
            self._emit_of_manager(path, "InterfacesAdded", "oa{sa{sv}}", body, unix_fds)
        except (TypeError, ValueError, OSError):
            # A value that has its type but cannot travel; the object is exported all the same.
            report.error_with_traceback(_CHANNEL, "InterfacesAdded for %s cannot be sent", path)

    def _emit_of_manager(
        self, path: str, member: str, signature: str, body: list[Any], unix_fds: list[int]
    ) -> None:
        self.emit(Message.new_signal(path, _OBJECT_MANAGER, member, signature, body, unix_fds))

    # --- Calls

    def answer(self, msg: Message) -> None:
        """Serve a method call that no message handler has taken, and send the reply.

        Never raises, but for SystemExit and KeyboardInterrupt out of a method.
        """
        found = self._find(msg)
        if found is None:
            self._refuse(msg)
            return
        served, method = found
        token = serving.set(msg)
        try:
            result = method.function(served, *method.arguments_of(msg.body, msg.unix_fds))
            self._take(msg, method, result)
        except BaseException as error:
            self._fail(msg, error)
            if isinstance(error, (SystemExit, KeyboardInterrupt)):
                raise
        finally:
            serving.reset(token)

    def serve_through(self, connection: Connection) -> None:
        """Have the C module serve the usual calls that come in."""
        connection._serve_plain(self._paths, serving, self._finish)

    def _finish(
        self, msg: Message, method: Method, result: Any, error: Optional[BaseException]
    ) -> None:
        """The rest of a call whose method the C module has called: it returned or raised this."""
        try:
            if error is not None:
                raise error
            self._take(msg, method, result)
        except BaseException as failure:
            self._fail(msg, failure)
            if isinstance(failure, (SystemExit, KeyboardInterrupt)):
                raise

    def _take(self, msg: Message, method: Method, result: Any) -> None:
        """Send what a method has returned, or will when it has been awaited."""
        if hasattr(result, "__await__"):
            self._spawn(self._return_later(msg, method, result), result)
        else:
            self._return(msg, method, result)

    def _find(self, msg: Message) -> Optional[tuple[object, Method]]:
        """The object that serves the method, and its record, if the signature fits too."""
        at_path = self._paths.get(msg.path or "", {})
        candidates: list[Served] = []
        if msg.interface is None:
            found = list(at_path.values())
        else:
            found = [at_path[msg.interface]] if msg.interface in at_path else []
            if msg.interface in self._standard:
                candidates.append(self._standard[msg.interface])
        candidates += [(interface, members_of(interface).methods) for interface in found]
        for served, methods in candidates:
            method = methods.get(msg.member or "")
            if method is not None and method.in_signature == msg.signature:
                return served, method
        return None

    def _refuse(self, msg: Message) -> None:
        _standard.close_all(msg.unix_fds)
        self._send_error(
            msg,
            ErrorType.UNKNOWN_METHOD,
            f'{msg.interface}.{msg.member} with signature "{msg.signature}" could not be found',
        )

    def _spawn(self, coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
        """Run a coroutine that awaits ``awaited``."""
        task = self._bus._spawn(coroutine)
        # A task that is cancelled before it has begun never gets to that.
        task.add_done_callback(lambda _task: _standard.end_awaitable(awaited))

    async def _return_later(self, msg: Message, method: Method, result: Awaitable[Any]) -> None:
        try:
            self._return(msg, method, await result)
        except Exception as error:
            self._fail(msg, error)
        except GeneratorExit:
            raise
        except BaseException as error:
            # Cancelled by the program: the caller hears of it.  After a disconnection nobody can.
            self._fail(msg, error)
            raise

    def _return(self, msg: Message, method: Method, result: Any) -> None:
        if int(msg.flags) & _NO_REPLY:
            return
        body, unix_fds = method.out.body_of(result)
        self._bus._post(
            Message(
                message_type=MessageType.METHOD_RETURN,
                destination=msg.sender,
                reply_serial=msg.serial,
                signature=method.out.tree.signature,
                body=body,
                unix_fds=unix_fds,
                validate=False,  # all of it comes from a message that was received
            )
        )

    def _fail(self, msg: Message, error: BaseException) -> None:
        """Answer with the exception that is being handled."""
        if isinstance(error, DBusError):
            self._send_error(msg, error.type, str(error.text))
            return
        if self._bus.connected:
            report.error_with_traceback(
                _CHANNEL, "%s.%s of %s raised", msg.interface, msg.member, msg.path
            )
        self._send_error(
            msg,
            ErrorType.SERVICE_ERROR,
            f"The service interface raised an error: {type(error).__name__}",
        )

    def _send_error(self, msg: Message, name: Union[ErrorType, str], text: str) -> None:
        if int(msg.flags) & _NO_REPLY:
            return
        try:
            self._bus._post(Message.new_error(msg, name, text))
        except (TypeError, ValueError):
            # A text or a name that no message can carry; a subclass may have any.
            text = text[:_LONGEST_TEXT].encode("ascii", "backslashreplace").decode("ascii")
            text = text.replace("\0", "\\0")
            self._bus._post(Message.new_error(msg, _error_name(name), text))


def _error_name(name: Any) -> Union[ErrorType, str]:
    """The name if it is one of an error, else that of errors in a service."""
    if not isinstance(name, ErrorType):
        try:
            validate_error_name(name)
        except (TypeError, ValueError):
            return ErrorType.SERVICE_ERROR
    return name  # type: ignore[no-any-return]
