# SPDX-License-Identifier: MIT
"""dbus._core.report: faults go to logging, which is imported for the first of them."""

import logging
import subprocess
import sys

from dbus._core import report


def test_errors(caplog):
    report.error("dbus.test", "%s and %d", "one", 2)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("dbus.test", logging.ERROR)
    assert record.getMessage() == "one and 2"
    assert not record.exc_info


def test_errors_with_traceback(caplog):
    try:
        raise ValueError("here")
    except ValueError:
        report.error_with_traceback("dbus.test", "oops")
    (record,) = caplog.records
    assert record.exc_info[0] is ValueError


def test_debug(caplog):
    with caplog.at_level(logging.DEBUG):
        report.debug("dbus.test", "quiet")
    assert [record.levelno for record in caplog.records] == [logging.DEBUG]


def test_standard_error_is_the_place_without_configuration():
    code = "from dbus._core import report; report.error('dbus.test', 'told %s', 'you')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "ERROR:dbus.test:told you\n"
