# SPDX-License-Identifier: MIT
"""dbus._core.names: kinds of bus names, requests, and deprecated keywords."""

import itertools
import warnings

import pytest

from dbus import bus
from dbus._core import names
from dbus.exceptions import NameExistsException


def test_kinds_of_names():
    assert names.is_unique(":1.2")
    assert not names.is_unique("a.b")
    assert names.may_change_owner("a.b")
    assert not names.may_change_owner(":1.2")
    assert not names.may_change_owner("org.freedesktop.DBus")
    assert not names.may_change_owner(None)


@pytest.mark.parametrize("choice", list(itertools.product([False, True], repeat=3)))
def test_request_flags(choice):
    flags = names.request_flags(*choice)
    bits = (
        bus.NAME_FLAG_ALLOW_REPLACEMENT,
        bus.NAME_FLAG_REPLACE_EXISTING,
        bus.NAME_FLAG_DO_NOT_QUEUE,
    )
    assert tuple(bool(flags & bit) for bit in bits) == choice
    assert flags & ~sum(bits) == 0


@pytest.mark.parametrize(
    "answer",
    [
        bus.REQUEST_NAME_REPLY_PRIMARY_OWNER,
        bus.REQUEST_NAME_REPLY_IN_QUEUE,
        bus.REQUEST_NAME_REPLY_ALREADY_OWNER,
    ],
)
def test_answers_that_are_fine(answer):
    assert names.check_request("a.b", answer) is None


def test_answers_that_are_not():
    with pytest.raises(NameExistsException, match="a.b"):
        names.check_request("a.b", bus.REQUEST_NAME_REPLY_EXISTS)
    with pytest.raises(RuntimeError, match="99"):
        names.check_request("a.b", 99)


def test_a_deprecated_keyword_warns_and_is_taken():
    keywords = {"named_service": "a.b", "other": 1}
    with pytest.warns(DeprecationWarning, match="named_service parameter to f"):
        value = names.renamed_keyword(keywords, "named_service", "bus_name", None, "f", 1)
    assert value == "a.b"
    assert keywords == {"other": 1}


def test_without_the_deprecated_keyword_nothing_happens():
    keywords = {"other": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert names.renamed_keyword(keywords, "named_service", "bus_name", "a.b", "f", 1) == "a.b"
    assert keywords == {"other": 1}


def test_old_and_new_keyword_exclude_each_other():
    with pytest.raises(TypeError, match="bus_name and named_service cannot both"):
        names.renamed_keyword({"named_service": "a.b"}, "named_service", "bus_name", "c.d", "f", 1)
