# SPDX-License-Identifier: MIT
"""Who wants which signals: an index of them, and the match rules that the bus is told.

A signal costs one look-up for each combination of conditions in use, however many subscriptions
there are.  Equal rules are told to the bus once.  The conditions are those of the specification
("Match Rules").

A well-known name as sender stands for its owner.  The bus is asked for the owner before it is told
the rule, so the answer is here before the first signal that the rule brings; from then on
NameOwnerChanged tells of changes.  What another connection sends under the rule's other conditions
is not delivered.
"""

from __future__ import annotations

from dbus.aio.constants import MessageFlag, MessageType
from dbus.aio.errors import DBusError, DisconnectedError
from dbus.aio.message import Message

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    import asyncio
    from typing import Any, Callable, Optional, Protocol

    Callback = Callable[[Message], object]
    Key = tuple[Optional[str], Optional[str], Optional[str]]
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


class Subscription:
    """A callback for the signals that fit the conditions; None is no condition.

    The callback returns False for a signal that it does not take after all.

    ``ready`` is a future that is done when the bus knows the rule, with an exception if it has
    refused it.
    """

    __slots__ = ("_table", "callback", "sender", "key", "rule", "ready", "active")

    def __init__(
        self, table: Subscriptions, callback: Callback, sender: Optional[str], key: Key
    ) -> None:
        self._table = table
        self.callback = callback
        self.sender = sender
        self.key = key
        self.rule = _rule(sender, *key)
        self.active = True
        self.ready = table.add(self)

    def cancel(self) -> None:
        """The callback is not called any more; cancelling again does nothing."""
        if self.active:
            self.active = False
            self._table.remove(self)


def _rule(
    sender: Optional[str], path: Optional[str], interface: Optional[str], member: Optional[str]
) -> str:
    conditions = {"sender": sender, "path": path, "interface": interface, "member": member}
    parts = [f"{name}='{value}'" for name, value in conditions.items() if value is not None]
    return ",".join(["type='signal'", *parts])


def _owner_rule(name: str) -> str:
    return (
        f"type='signal',sender='{BUS_NAME}',path='{BUS_PATH}',interface='{BUS_NAME}',"
        f"member='NameOwnerChanged',arg0='{name}'"
    )


class Subscriptions:
    """All subscriptions of one MessageBus."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._by_key: dict[Key, list[Subscription]] = {}
        # Which of path, interface and member the keys have: a triple of bools -> how many keys.
        self._shapes: dict[tuple[bool, bool, bool], int] = {}
        # Rules that the bus was told: how often they are wanted, and its answer.
        self._rules: dict[str, tuple[int, asyncio.Future[None]]] = {}
        # Well-known senders: how often they are wanted, and their owner.
        self._watched: dict[str, int] = {}
        self._owners: dict[str, str] = {}
        self._on_a_bus = False

    def add(self, subscription: Subscription) -> asyncio.Future[None]:
        """Take it in; the future is its ``ready``."""
        key = subscription.key
        same_key = self._by_key.get(key)
        if same_key is None:
            same_key = self._by_key[key] = []
            shape = (key[0] is not None, key[1] is not None, key[2] is not None)
            self._shapes[shape] = self._shapes.get(shape, 0) + 1
        same_key.append(subscription)
        sender = subscription.sender
        if sender is not None and is_well_known(sender):
            count = self._watched.get(sender, 0)
            self._watched[sender] = count + 1
            if count == 0:
                self._watch(sender)
        count, ready = self._rules.get(subscription.rule, (0, None))
        if ready is None:
            ready = self._tell(subscription.rule)
        self._rules[subscription.rule] = (count + 1, ready)
        return ready

    def remove(self, subscription: Subscription) -> None:
        """Forget it."""
        key = subscription.key
        same_key = self._by_key[key]
        same_key.remove(subscription)
        if not same_key:
            del self._by_key[key]
            shape = (key[0] is not None, key[1] is not None, key[2] is not None)
            self._shapes[shape] -= 1
            if not self._shapes[shape]:
                del self._shapes[shape]
        self._release_rule(subscription.rule)
        sender = subscription.sender
        if sender is not None and is_well_known(sender):
            self._watched[sender] -= 1
            if not self._watched[sender]:
                del self._watched[sender]
                self._owners.pop(sender, None)
                self._release_rule(_owner_rule(sender))

    def deliver(self, msg: Message) -> bool:
        """Call back whoever wants this signal; True if somebody has taken it."""
        taken = False
        if msg.member == "NameOwnerChanged" and msg.sender == BUS_NAME and self._watched:
            self._owner_changed(msg)
        path, interface, member, sender = msg.path, msg.interface, msg.member, msg.sender
        for has_path, has_interface, has_member in tuple(self._shapes):
            same_key = self._by_key.get(
                (
                    path if has_path else None,
                    interface if has_interface else None,
                    member if has_member else None,
                )
            )
            for subscription in tuple(same_key or ()):
                wanted = subscription.sender
                if not subscription.active or (
                    wanted != sender and wanted is not None and not self._is_owner(wanted, sender)
                ):
                    continue
                try:
                    if subscription.callback(msg) is not False:
                        taken = True
                except Exception as error:
                    self._bus._report("Exception in a signal handler", error)
        return taken

    def connected(self, on_a_bus: bool) -> None:
        """There is a connection: the bus, if there is one at its other end, learns all rules."""
        self._on_a_bus = on_a_bus
        self._owners.clear()
        told = {rule: count for rule, (count, _) in self._rules.items()}
        self._rules.clear()
        for name in self._watched:
            self._watch(name)
        for rule, count in told.items():
            ready = self._rules[rule][1] if rule in self._rules else self._tell(rule)
            self._rules[rule] = (count, ready)

    def _is_owner(self, wanted: str, sender: Optional[str]) -> bool:
        """Whether the sender owns the wanted name; without a bus there is only one sender."""
        return not self._on_a_bus or (sender is not None and self._owners.get(wanted) == sender)

    # --- What the bus is told

    def _tell(self, rule: str) -> asyncio.Future[None]:
        """Send AddMatch; the future is done with its answer."""
        ready = self._bus._new_future()

        def answered(reply: Optional[Message]) -> None:
            error: Optional[Exception] = None
            if reply is None:
                error = DisconnectedError("the connection ended")
            elif reply.message_type is MessageType.ERROR:
                error = error_of(reply)
                self._bus._report(f"The bus refused the match rule {rule}", error)
            if ready.done():
                return
            if error is None:
                ready.set_result(None)
            else:
                ready.set_exception(error)
                ready.exception()  # now it counts as seen: nobody needs to wait

        if self._on_a_bus:
            self._bus._request(bus_call("AddMatch", "s", rule), answered)
        else:
            ready.set_result(None)
        return ready

    def _release_rule(self, rule: str) -> None:
        count, ready = self._rules[rule]
        if count > 1:
            self._rules[rule] = (count - 1, ready)
            return
        del self._rules[rule]
        if self._on_a_bus:
            msg = bus_call("RemoveMatch", "s", rule)
            msg.flags = MessageFlag.NO_REPLY_EXPECTED
            self._bus._post(msg)

    # --- The owners of well-known names

    def _watch(self, name: str) -> None:
        rule = _owner_rule(name)
        self._rules[rule] = (1, self._tell(rule))

        def answered(reply: Optional[Message]) -> None:
            if reply is not None and reply.signature == "s" and name in self._watched:
                if reply.message_type is not MessageType.ERROR:  # nobody has it yet
                    self._owners[name] = reply.body[0]

        if self._on_a_bus:
            self._bus._request(bus_call("GetNameOwner", "s", name), answered)

    def _owner_changed(self, msg: Message) -> None:
        if msg.signature == "sss":
            name, _, owner = msg.body
            if name in self._watched:
                if owner:
                    self._owners[name] = owner
                else:
                    self._owners.pop(name, None)


def is_well_known(name: str) -> bool:
    """True for a bus name that has an owner, which may change; the bus itself has none."""
    return not name.startswith(":") and name != BUS_NAME
