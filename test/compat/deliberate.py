# SPDX-License-Identifier: MIT
"""Where our outcomes differ from the reference's on purpose: one table, each row with its reason.

A row names the families it is for, a pattern of the case's text, the outcomes of the reference it
replaces, and the outcomes that ours may have instead.  Nothing else may differ.
"""

from __future__ import annotations

import re
import sys
from typing import NamedTuple, Optional


class Rule(NamedTuple):
    why: str
    families: str  # pattern of the family's name
    case: str  # pattern found in the case's text
    reference: str  # pattern the reference's outcome matches
    ours: str  # pattern that our outcome matches as a whole


RULES = (
    Rule(
        "Byte() is a TypeError, not a crash",
        "construction",
        r"^Byte\((variant_level=1)?\)$",
        "^fatal$",
        "!TypeError",
    ),
    Rule(
        "Array and Dictionary refuse negative levels, as every other type does",
        "construction",
        r"^(Array|Dictionary)\(.*variant_level=-",
        "^(Array|Dictionary) -",
        "!ValueError",
    ),
    Rule(
        "integers of D-Bus have 64 bits, also in the private base",
        "construction",
        r"^_LongBase\(",
        r"\((?!18446744073709551615\))(-?\d{20,}|-9223372036854775809)\)$",
        "!OverflowError",
    ),
    Rule(
        "__bool__'s own exception, not SystemError",
        ".",
        r"Boolean\(Broken|^rt\('b', Broken",
        "^!SystemError$",
        "!KeyError",
    ),
    Rule(
        "__bool__'s own exception, not SystemError",
        "generated_bounds",
        r"^every_way\('b', Broken",
        "SystemError",
        "!KeyError( ; =)*",
    ),
    Rule(
        "an unsent call has no serial to reply to: ValueError, not an abort",
        "messages",
        "^(MethodReturn|Error)Message",
        "^fatal$",
        "!ValueError",
    ),
    Rule(
        "a message without __init__ can be written as text",
        "messages",
        "__new__",
        "^fatal$",
        "SignalMessage <[^>]*>",
    ),
    Rule(
        "a reply serial of 0 or beyond 32 bits is refused; the reference's setter spoils its stack",
        "messages",
        r"set_reply_serial', (0|-1|False|2\*\*(32|64))\)",
        ".",
        "!(ValueError|OverflowError)",
    ),
    Rule(
        "set_reply_serial works; the reference's spoils its stack",
        "messages",
        r"set_reply_serial', (5|1|True|2\*\*31|2\*\*32 - 1)\)",
        ".",
        r"NoneType None ; .* ; int (5|1|2147483648|4294967295) ; bool .*",
    ),
    Rule(
        "None removes a header field, as documented; the reference crashes",
        "messages",
        r"'set_\w+', None",
        "^fatal$",
        "NoneType None ; .*",
    ),
    Rule(
        "set_path works; the reference's always raises MemoryError",
        "messages",
        "'set_path'",
        "^!MemoryError$",
        "!ValueError|NoneType None ; .*",
    ),
    Rule(
        "an invalid object path or signature is a ValueError, not an abort",
        "generated|guesses",
        ".",
        "^fatal$",
        "!ValueError",
    ),
    Rule(
        "a value that is no file descriptor is a TypeError, not SystemError",
        "generated",
        r"^rt\('[^']*h",
        "^!SystemError$",
        "!TypeError",
    ),
    Rule(
        "a bad file descriptor is a ValueError, not MemoryError",
        "generated",
        r"^rt\('[^']*h",
        "^!MemoryError$",
        "!ValueError",
    ),
    Rule(
        "a key of no D-Bus type is a TypeError, not SystemError",
        "guesses|generated",
        r"\{None",
        "^!SystemError$",
        "!TypeError",
    ),
)


# Cases whose outcome is the interpreter's own: recorded on CPython 3.11, other before this version.
INTERPRETER = (
    ((3, 10), r"variant_level=1\.0\)"),  # floats were still taken where C wants an integer
    ((3, 10), r"variant_level=HasInt\(\)\)"),  # and so were objects with __int__ alone
    ((3, 10), r"^range\("),  # showed instances of subclasses of int as they are
    ((3, 10), r"^operator\.index\("),  # returned instances of subclasses of int as they are
    ((3, 10), r"^format\(.*, '05'\)$"),  # '0' before the width was an error for text
    ((3, 11), r"\.__bytes__\(\)$"),
)


# Cases that spoil the reference's memory: now it survives, now it does not.
UNSTABLE = re.compile(r"'set_reply_serial', (-?[0-9]|True|False)")


def depends_on_interpreter(case: str) -> bool:
    """Whether the case cannot be compared on this interpreter."""
    return any(
        sys.version_info < version and re.search(pattern, case) for version, pattern in INTERPRETER
    )


def find(family: str, case: str, reference: str) -> Optional[Rule]:
    """The row that covers this case, if any."""
    for rule in RULES:
        if (
            re.search(rule.reference, reference)
            and re.search(rule.families, family)
            and re.search(rule.case, case, re.S)
        ):
            return rule
    return None
