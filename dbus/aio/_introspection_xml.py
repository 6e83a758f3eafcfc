# SPDX-License-Identifier: MIT
"""Introspection data as text: read with distrust, and written.

Such data comes from any peer, so reading is bounded by the limits of `dbus._core.introspect`; even
then the tree takes less than 200 MB and a second.  A document that declares anything itself
(entities, default values) is refused before the first declaration is read, and nothing outside the
document is ever fetched.  Elements without a meaning may be nested as they like: no step recurses
into them.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError, TreeBuilder
from xml.etree.ElementTree import tostring as serialise
from xml.parsers import expat

from dbus._core.introspect import DECLARATIONS, over_limits
from dbus.aio.errors import InvalidIntrospectionError

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Optional

_DOCTYPE = """\
<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
"""


class MalformedXmlError(InvalidIntrospectionError, ParseError):
    """The data is no XML.  ``code`` and ``position`` (line, column) are those of expat.

    It is a ParseError as well, as dbus-fast lets that one through.
    """

    def __init__(self, text: str, code: int, position: tuple[int, int]) -> None:
        super().__init__(text)
        self.msg = text  # what str() shows: ParseError is a SyntaxError
        self.code = code
        self.position = position


def read(data: str) -> Element:
    """The root element of the XML text ``data``, whatever its name; without texts and comments.

    InvalidIntrospectionError if it is not well-formed, too long, or has declarations of its own;
    TypeError if it is not a str.
    """
    if not isinstance(data, str):
        raise TypeError(f"introspection data is a str, not {type(data).__name__}")
    too_much = over_limits(data)
    if too_much:
        raise InvalidIntrospectionError(too_much)
    # The encoding is given, as whatever the data declares was true before it became a str.
    # The separator turns on namespaces; a qualified name then equals none that is looked for.
    parser = expat.ParserCreate("UTF-8", "}")
    builder = TreeBuilder()
    # Methods written in C, called by C: no Python runs for an element.
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.StartDoctypeDeclHandler = _refuse_declarations
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        position = (error.lineno, error.offset)
        raise MalformedXmlError(str(error), error.code, position) from error
    except UnicodeEncodeError as error:
        raise InvalidIntrospectionError(f"introspection data is no text: {error}") from error
    return builder.close()


def _refuse_declarations(
    _name: str, _system_id: Optional[str], _public_id: Optional[str], has_subset: bool
) -> None:
    if has_subset:
        raise InvalidIntrospectionError(DECLARATIONS)


def write(root: Element) -> str:
    """The document whose root element is ``root``, with the document type.

    The spaces in it are set as dbus-fast does, so that programs can compare the text.  They go
    into the tree, which must not be shared.
    """
    _indent(root, 0)
    return _DOCTYPE + serialise(root, encoding="unicode")


def _indent(element: Element, depth: int) -> None:
    if len(element):
        element.text = "\n" + " " * (4 * depth + 2)
    if depth:
        element.tail = "\n" + " " * (4 * depth)
    for child in element:
        _indent(child, depth + 1)
