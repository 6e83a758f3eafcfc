# SPDX-License-Identifier: MIT
"""Answers about the Python version, for programs that still ask."""

is_py3 = True
is_py2 = False
