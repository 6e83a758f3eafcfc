# SPDX-License-Identifier: MIT
"""Method signatures out of introspection data, under the name that programs import."""

from __future__ import annotations

from dbus._core.introspect import method_signatures
from dbus.exceptions import (
    IntrospectionParserException as IntrospectionParserException,  # programs reach it through here
)

TYPE_CHECKING = False  # importing typing costs more than all the rest
if TYPE_CHECKING:
    from typing import Any


def process_introspection_data(data: Any) -> dict[str, str]:
    """Map ``interface.method`` to the in-signature, for every method in the XML text ``data``.

    IntrospectionParserException if the data cannot be used.
    """
    return method_signatures(data)
