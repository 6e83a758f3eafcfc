# SPDX-License-Identifier: MIT
"""The part of the package that needs neither a connection nor a main loop.

Building a call and reading its reply (call), match rules and their index (match), names and their
owners (names), introspection data (introspect), what a class exports and how a call reaches it
(export), and reporting of faults that have no caller to go to (report).
"""
