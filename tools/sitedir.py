# SPDX-License-Identifier: MIT
"""Print the directory below a prefix where this interpreter looks for extension modules.

usage: PYTHON sitedir.py PREFIX
"""

import sys
import sysconfig


def site_directory(prefix: str) -> str:
    """The directory for platform-dependent modules below ``prefix``."""
    schemes = sysconfig.get_scheme_names()
    if prefix == "/usr" and "deb_system" in schemes:
        # Debian keeps what its packages install apart from what a user installs.
        return sysconfig.get_path("platlib", "deb_system")
    default = sysconfig.get_path("platlib")
    if default.startswith(prefix.rstrip("/") + "/"):
        return default
    scheme = "venv" if "venv" in schemes else "posix_prefix"
    return sysconfig.get_path("platlib", scheme, {"base": prefix, "platbase": prefix})


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(site_directory(sys.argv[1]))
