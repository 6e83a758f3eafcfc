# SPDX-License-Identifier: MIT
"""Who wants which signals: an index of them, and the match rules that the bus is told.

The index and the delivery are the C module's, which serves the classic interface by them too.
Equal rules are told to the bus once.  The conditions are those of the specification ("Match
Rules").

A well-known name as sender stands for its owner.  The bus is asked for the owner before it is told
the rule, so the answer is here before the first signal that the rule brings; from then on
NameOwnerChanged tells of changes.  What another connection sends under the rule's other conditions
is not delivered.
"""

from __future__ import annotations

from contextlib import suppress

from _dbus_bindings import _Matches, _SignalMatch
from dbus.aio.constants import ErrorType, MessageFlag, MessageType
from dbus.aio.errors import DBusError, DisconnectedError
from dbus.aio.message import Message

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Coroutine
    from typing import Any, Callable, Optional, Protocol

    # Gets the reply, in the order of arrival; or None, if the connection ended before.
    Answered = Callable[[Optional[Message]], None]

    class Bus(Protocol):
        """What is needed of a MessageBus."""

        def _post(self, msg: Message) -> None: ...
        def _request(self, msg: Message, answered: Answered) -> None: ...
        def _report(self, message: str, error: BaseException) -> None: ...
        def _new_future(self) -> asyncio.Future[None]: ...


BUS_NAME = "org.freedesktop.DBus"
BUS_PATH = "/org/freedesktop/DBus"


def bus_call(member: str, signature: str, *body: Any) -> Message:
    """A call of the bus daemon's own method ``member``."""
    return Message(
        BUS_NAME, BUS_PATH, BUS_NAME, member, signature=signature, body=list(body), validate=False
    )


def error_of(reply: Message) -> DBusError:
    """The exception for an error reply."""
    text = reply.body[0] if reply.body and isinstance(reply.body[0], str) else ""
    return DBusError(reply.error_name or "", text, reply)


def result_of(member: str, reply: Message, signature: str) -> Any:
    """The one value of the reply to a method; DBusError for an error or another type."""
    if reply.message_type is MessageType.ERROR:
        raise error_of(reply)
    if reply.signature != signature:
        raise DBusError(
            ErrorType.CLIENT_ERROR,
            f"{member} returned {reply.signature!r} instead of {signature!r}",
            reply,
        )
    return reply.body[0]


class Subscription(_SignalMatch):
    """What is to be done with the signals that fit the conditions; None is no condition.

    It is in force while it is in `Subscriptions`.  The C module calls `_deliver`, and `_failed`
    with the Exception that this raises.

    Where ``_arguments`` is the signature of a signal and ``_handler`` no tuple, the C module calls
    that with the arguments instead, and `_run` with the coroutine that it returns.
    """

    __slots__ = ()

    def __init__(
        self,
        sender: Optional[str],
        path: Optional[str],
        interface: Optional[str],
        member: Optional[str],
    ) -> None:
        self._sender_name_owner = sender
        self._path = path
        self._interface = interface
        self._member = member

    @property
    def sender(self) -> Optional[str]:
        """The bus name that signals must come from."""
        return self._sender_name_owner

    @property
    def rule(self) -> str:
        """The match rule, as the bus is told it."""
        conditions = {
            "sender": self._sender_name_owner,
            "path": self._path,
            "interface": self._interface,
            "member": self._member,
        }
        parts = [f"{name}='{value}'" for name, value in conditions.items() if value is not None]
        return ",".join(["type='signal'", *parts])

    def _deliver(self, message: Message) -> bool:
        """Deal with a signal that fits; False if it is not wanted after all."""
        raise NotImplementedError

    def _run(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        raise NotImplementedError

    def _failed(self, error: Exception) -> None:
        raise NotImplementedError


def _owner_rule(name: str) -> str:
    return (
        f"type='signal',sender='{BUS_NAME}',path='{BUS_PATH}',interface='{BUS_NAME}',"
        f"member='NameOwnerChanged',arg0='{name}'"
    )


class Subscriptions:
    """All subscriptions of one MessageBus.

    ``matches`` is their index, and ``owners`` has the owner of each well-known name that is the
    sender of one, '' for nobody.  The C module delivers by them, and notes changes of owners.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.matches = _Matches()
        self.owners: dict[str, str] = {}
        self._watched: dict[str, int] = {}  # how many subscriptions each of these names has
        # Rules that the bus was told and has not answered yet, or has refused.
        self._unready: dict[str, asyncio.Future[None]] = {}
        self._on_a_bus = False

    def add(self, subscription: Subscription) -> None:
        """Take it in; nothing is left of one that fails."""
        sender, followed = subscription.sender, False
        told = self.matches.has_like(subscription)
        self.matches.add(subscription)
        try:
            if sender is not None and is_well_known(sender):
                self._follow(sender)
                followed = True
            if not told:
                self._tell(subscription.rule)
        except BaseException:
            self.matches.remove(subscription)
            if sender is not None and followed:
                with suppress(MemoryError):  # a rule that the bus goes on knowing does no harm
                    self._unfollow(sender)
            raise

    def remove(self, subscription: Subscription) -> None:
        """Forget it, if it is in here."""
        if not self.matches.remove(subscription):
            return
        sender = subscription.sender
        try:
            if not self.matches.has_like(subscription):
                self._withdraw(subscription.rule)
        finally:
            if sender is not None and is_well_known(sender):
                self._unfollow(sender)

    def _follow(self, sender: str) -> None:
        """Once more, somebody wants to know who owns the name."""
        count = self._watched.get(sender, 0)
        self._watched[sender] = count + 1
        if count == 0:
            try:
                self._watch(sender)
            except BaseException:
                del self._watched[sender]
                self.owners.pop(sender, None)
                raise

    def _unfollow(self, sender: str) -> None:
        self._watched[sender] -= 1
        if not self._watched[sender]:
            del self._watched[sender], self.owners[sender]
            self._withdraw(_owner_rule(sender))

    def connected(self, on_a_bus: bool) -> None:
        """There is a connection: the bus, if there is one at its other end, learns all rules."""
        self._on_a_bus = on_a_bus
        self._unready.clear()
        for name in self._watched:
            self._watch(name)
        subscriptions: list[Subscription] = self.matches.all()
        for rule in dict.fromkeys(subscription.rule for subscription in subscriptions):
            self._tell(rule)

    def ready(self, subscription: Subscription) -> asyncio.Future[None]:
        """Done when the bus knows the rule, with an exception if it has refused it."""
        ready = self._unready.get(subscription.rule)
        if ready is None:
            ready = self._bus._new_future()
            ready.set_result(None)
        return ready

    # --- What the bus is told

    def _tell(self, rule: str) -> None:
        """Send AddMatch."""
        if not self._on_a_bus:
            return
        ready = self._unready[rule] = self._bus._new_future()

        def answered(reply: Optional[Message]) -> None:
            error: Optional[Exception] = None
            if reply is None:
                error = DisconnectedError("the connection ended")
            elif reply.message_type is MessageType.ERROR:
                error = error_of(reply)
                self._bus._report(f"The bus refused the match rule {rule}", error)
            if error is None and self._unready.get(rule) is ready:
                del self._unready[rule]
            if ready.done():
                return
            if error is None:
                ready.set_result(None)
            else:
                ready.set_exception(error)
                ready.exception()  # now it counts as seen: nobody needs to wait

        try:
            self._bus._request(bus_call("AddMatch", "s", rule), answered)
        except BaseException:
            del self._unready[rule]
            raise

    def _withdraw(self, rule: str) -> None:
        """Send RemoveMatch."""
        self._unready.pop(rule, None)
        if self._on_a_bus:
            msg = bus_call("RemoveMatch", "s", rule)
            msg.flags = MessageFlag.NO_REPLY_EXPECTED
            self._bus._post(msg)

    # --- The owners of well-known names

    def _watch(self, name: str) -> None:
        self.owners[name] = ""
        self._tell(_owner_rule(name))

        def answered(reply: Optional[Message]) -> None:
            if reply is not None and reply.signature == "s" and name in self.owners:
                if reply.message_type is not MessageType.ERROR:  # nobody has it yet
                    self.owners[name] = reply.body[0]

        if self._on_a_bus:
            self._bus._request(bus_call("GetNameOwner", "s", name), answered)


def is_well_known(name: str) -> bool:
    """True for a bus name that has an owner, which may change; the bus itself has none."""
    return not name.startswith(":") and name != BUS_NAME
