# SPDX-License-Identifier: MIT
"""Introspection data as plain tuples: described, built, written and generated.

The functions here know the format from its specification, and serve as the third opinion beside
the two implementations: what both must read, and the text that both must write.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from api import api_module

introspection = api_module("introspection")
constants = api_module("constants")

Annotations = dict[str, str]


class Arg(NamedTuple):
    signature: str
    direction: str
    name: str | None = None
    annotations: Annotations = {}


class Method(NamedTuple):
    name: str
    args: tuple[Arg, ...] = ()
    annotations: Annotations = {}


class Signal(NamedTuple):
    name: str
    args: tuple[Arg, ...] = ()
    annotations: Annotations = {}


class Property(NamedTuple):
    name: str
    signature: str
    access: str = "readwrite"
    annotations: Annotations = {}


class Interface(NamedTuple):
    name: str
    methods: tuple[Method, ...] = ()
    signals: tuple[Signal, ...] = ()
    properties: tuple[Property, ...] = ()
    annotations: Annotations = {}


class Node(NamedTuple):
    name: str | None = None
    interfaces: tuple[Interface, ...] = ()
    nodes: tuple[Node, ...] = ()


# --- Objects of the implementation under test -> tuples


def describe(node: Any, is_root: bool = True) -> Node:
    """All that the node has, after checks that its attributes agree with each other."""
    assert isinstance(node, introspection.Node)
    assert node.is_root is is_root
    return Node(
        node.name,
        tuple(describe_interface(each) for each in node.interfaces),
        tuple(describe(each, False) for each in node.nodes),
    )


def describe_interface(interface: Any) -> Interface:
    return Interface(
        interface.name,
        tuple(describe_method(each) for each in interface.methods),
        tuple(describe_signal(each) for each in interface.signals),
        tuple(describe_property(each) for each in interface.properties),
        interface.annotations,
    )


def describe_method(method: Any) -> Method:
    assert method.in_signature == "".join(arg.signature for arg in method.in_args)
    assert method.out_signature == "".join(arg.signature for arg in method.out_args)
    args = tuple(describe_arg(arg) for arg in [*method.in_args, *method.out_args])
    return Method(method.name, args, method.annotations)


def describe_signal(signal: Any) -> Signal:
    assert signal.signature == "".join(arg.signature for arg in signal.args)
    args = tuple(describe_arg(arg) for arg in signal.args)
    return Signal(signal.name, args, signal.annotations)


def describe_arg(arg: Any) -> Arg:
    assert arg.type.signature == arg.signature
    assert isinstance(arg.direction, constants.ArgDirection)
    return Arg(arg.signature, arg.direction.value, arg.name, arg.annotations)


def describe_property(property_: Any) -> Property:
    assert property_.type.signature == property_.signature
    assert isinstance(property_.access, constants.PropertyAccess)
    access = property_.access.value
    return Property(property_.name, property_.signature, access, property_.annotations)


# --- Tuples -> objects of the implementation under test


def build(model: Node, is_root: bool = True) -> Any:
    interfaces = [build_interface(each) for each in model.interfaces]
    node = introspection.Node(model.name, interfaces, is_root)
    node.nodes.extend(build(each, False) for each in model.nodes)
    return node


def build_interface(model: Interface) -> Any:
    def directed(args: tuple[Arg, ...], direction: str) -> list[Any]:
        return [build_arg(arg) for arg in args if arg.direction == direction]

    return introspection.Interface(
        model.name,
        [
            introspection.Method(name, directed(args, "in"), directed(args, "out"), annotations)
            for name, args, annotations in model.methods
        ],
        [
            introspection.Signal(name, directed(args, "out"), annotations)
            for name, args, annotations in model.signals
        ],
        [
            introspection.Property(
                name, signature, constants.PropertyAccess(access), annotations, validate=False
            )
            for name, signature, access, annotations in model.properties
        ],
        model.annotations,
    )


def build_arg(model: Arg) -> Any:
    direction = constants.ArgDirection(model.direction)
    return introspection.Arg(model.signature, direction, model.name, model.annotations)


# --- Tuples -> elements -> text, without the implementation under test


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]
    children: list[Element]


def element(model: Any) -> Element:
    """The element of any of the tuples, with everything that it can say, in the usual order."""
    attributes: dict[str, str | None] = {}
    children: list[Element] = []
    for field, value in model._asdict().items():
        if field == "annotations":
            for name, text in value.items():
                children.append(Element("annotation", {"name": name, "value": text}, []))
        elif isinstance(value, tuple):
            children += [element(each) for each in value]
        else:
            attributes["type" if field == "signature" else field] = value
    # As in the specification, but the name of an argument comes first.
    order = ["name", "direction", "type", "access"]
    present = {name: value for name in order if (value := attributes.get(name))}
    return Element(type(model).__name__.lower(), present, children)


def document(model: Node) -> str:
    """The text that both implementations write, in the layout which they share."""
    return (
        '<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"\n'
        '"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">\n'
    ) + _text(element(model), 0)


def _text(part: Element, depth: int) -> str:
    tag = part.tag + "".join(f' {name}="{quoted(text)}"' for name, text in part.attributes.items())
    if not part.children:
        return f"<{tag} />"
    lines = [f"<{tag}>"]
    for number, child in enumerate(part.children):
        spaces = 4 * depth + (4 if number else 2)
        lines.append(" " * spaces + _text(child, depth + 1))
    lines.append(" " * (4 * depth + 4) + f"</{part.tag}>")
    return "\n".join(lines)


def quoted(text: str) -> str:
    return escape(text, {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#09;"})


def sloppy_document(model: Node, chance: random.Random) -> str:
    """Another text of the same meaning: other spaces, orders, quotes, strange things between."""
    prologs = ["", "<!DOCTYPE node>", '<?xml version="1.0" encoding="UTF-8"?>\n', "<!-- a -->\n\n"]
    return chance.choice(prologs) + _sloppy_text(element(model), chance) + chance.choice(["", "\n"])


_NOISE = [
    "", "", "", " ", "\n\t", "<!-- <method/> -->", "text", "<?skip this?>", "<![CDATA[<node>]]>",
    "<unknown/>", '<doc xmlns="urn:x"><method name="1"/><arg/></doc>', "&#32;",
    '<x:method xmlns:x="urn:x"/>',
]  # fmt: skip
_DEFAULTS = {("arg", "direction"): "in", ("property", "access"): "readwrite"}


def _sloppy_text(part: Element, chance: random.Random, parent: str = "") -> str:
    attributes = [*part.attributes.items(), ("ignored", "1")][: len(part.attributes) + 1]
    if chance.random() < 0.7:
        attributes.pop()
    chance.shuffle(attributes)
    words = [part.tag]
    for name, text in attributes:
        default = _DEFAULTS.get((part.tag, name))
        if (default == text or (parent == "signal" and name == "direction")) and chance.getrandbits(
            1
        ):
            continue
        value = quoted(text)
        if "'" not in value and chance.getrandbits(1):
            words.append(f"{name} = '{value}'")
        else:
            words.append(f'{name}="{value}"')
    tag = chance.choice([" ", "  ", "\n"]).join(words)
    if not part.children and chance.getrandbits(1):
        return f"<{tag}/>"
    children = part.children
    if part.tag in ("interface", "node"):
        children = _interleaved(children, chance)
    inside = "".join(chance.choice(_NOISE) + _sloppy_text(c, chance, part.tag) for c in children)
    return f"<{tag}>{inside}{chance.choice(_NOISE)}</{part.tag}>"


def _interleaved(children: list[Element], chance: random.Random) -> list[Element]:
    """In another order, but children of one kind keep theirs."""
    tags = [child.tag for child in children]
    chance.shuffle(tags)
    queues = {tag: iter([child for child in children if child.tag == tag]) for tag in set(tags)}
    return [next(queues[tag]) for tag in tags]


# --- Generating

_TYPES = ["s", "i", "v", "as", "a{sv}", "(sa(iu))", "a{oa{sa{sv}}}", "h", "aay", "d", "ay", "g"]
_WORDS = ["Get", "set_it", "x", "Quite-Long", "A1", "_", "Zz9"]
_TEXTS = [
    "",
    "true",
    "a b",
    "<&>",
    '"quoted"',
    "it's",
    "caf\xe9 \u2603 \U0001f600",
    "a\nb\tc",
    "]]>",
]


def generate(seed: int) -> Node:
    """A model with a bit of everything; the same for the same seed."""
    return _generate_node(random.Random(seed), 0)


def _generate_node(chance: random.Random, depth: int) -> Node:
    def some(limit: int) -> range:
        return range(chance.randint(0, limit))

    def annotations() -> Annotations:
        return {
            f"org.example.N{i}": chance.choice(_TEXTS) for i in some(2) if chance.random() < 0.4
        }

    def args(directions: list[str]) -> tuple[Arg, ...]:
        made = [
            Arg(
                chance.choice(_TYPES),
                chance.choice(directions),
                chance.choice([None, *_WORDS, "any name", "caf\xe9"]),
                annotations(),
            )
            for _ in some(3)
        ]
        return tuple(sorted(made, key=lambda arg: arg.direction))

    def interface() -> Interface:
        return Interface(
            f"org.example.I{chance.randint(0, 3)}",
            tuple(
                Method(chance.choice(_WORDS), args(["in", "out"]), annotations()) for _ in some(3)
            ),
            tuple(Signal(chance.choice(_WORDS), args(["out"]), annotations()) for _ in some(3)),
            tuple(
                Property(
                    chance.choice(_WORDS),
                    chance.choice(_TYPES),
                    chance.choice(["read", "write", "readwrite"]),
                    annotations(),
                )
                for _ in some(3)
            ),
            annotations(),
        )

    names = ["/", "/org/example", "caf\xe9"] if depth == 0 else ["child", "a-b", "/abs/path", "a/b"]
    return Node(
        chance.choice([*names, None] if depth == 0 else names),
        tuple(interface() for _ in some(3)),
        tuple(_generate_node(chance, depth + 1) for _ in some(3 - depth)) if depth < 3 else (),
    )
