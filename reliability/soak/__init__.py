# SPDX-License-Identifier: MIT
"""Each kind of operation very often, and what that leaves behind: run.py; a module a package."""
