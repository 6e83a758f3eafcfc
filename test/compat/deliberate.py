# SPDX-License-Identifier: MIT
"""Where an outcome of ours differs from the reference's on purpose: one table, each row with its reason.

A row names the families it is for, a pattern of the case's text, the outcomes of the reference it
replaces, and the outcomes that ours may have instead.  Nothing else may differ.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Optional


class Rule(NamedTuple):
    why: str
    families: str  # pattern of the family's name
    case: str  # pattern found in the case's text
    reference: str  # pattern the reference's outcome matches
    ours: str  # pattern that our outcome matches as a whole


RULES = (
    Rule("Byte() is a TypeError, not a crash", "construction", r"^Byte\((variant_level=1)?\)$", "^fatal$", "!TypeError"),
    Rule("Array and Dictionary refuse negative levels, as every other type does", "construction",
         r"^(Array|Dictionary)\(.*variant_level=-", "^(Array|Dictionary) -", "!ValueError"),
    Rule("integers of D-Bus have 64 bits, also in the private base", "construction", r"^_LongBase\(",
         r"\((?!18446744073709551615\))(-?\d{20,}|-9223372036854775809)\)$", "!OverflowError"),
    Rule("__bool__'s own exception, not SystemError", ".", r"Boolean\(Broken|^rt\('b', Broken", "^!SystemError$", "!KeyError"),
    Rule("validators take the name by keyword too", "names", r"\(name=", "^!TypeError$", "NoneType None|!ValueError"),
    Rule("an unsent call has no serial to reply to: ValueError, not an abort", "messages", "^(MethodReturn|Error)Message", "^fatal$",
         "!ValueError"),
    Rule("a message without __init__ can be written as text", "messages", "__new__", "^fatal$", "SignalMessage <[^>]*>"),
    Rule("a reply serial of 0 or beyond 2**32 - 1 is refused, not an abort", "messages", "set_reply_serial', (0|False|2\\*\\*(32|64))\\)", "^fatal$",
         "!(ValueError|OverflowError)"),
    Rule("a negative reply serial is refused, not taken modulo 2**32", "messages", "set_reply_serial', -1", "^NoneType", "!OverflowError"),
    Rule("None removes a header field, as documented; the reference crashes", "messages", r"'set_\w+', None", "^fatal$", "NoneType None ; .*"),
    Rule("set_path works; the reference's always raises MemoryError", "messages", "'set_path'", "^!MemoryError$",
         "!ValueError|NoneType None ; .*"),
    Rule("an invalid object path or signature is a ValueError, not an abort", "generated|guesses", ".", "^fatal$", "!ValueError"),
    Rule("a value that is no file descriptor is a TypeError, not SystemError", "generated", r"^rt\('[^']*h", "^!SystemError$", "!TypeError"),
    Rule("a bad file descriptor is a ValueError, not MemoryError", "generated", r"^rt\('[^']*h", "^!MemoryError$", "!ValueError"),
    Rule("a key of no D-Bus type is a TypeError, not SystemError", "guesses|generated", r"\{None", "^!SystemError$", "!TypeError"),
)  # fmt: skip


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
