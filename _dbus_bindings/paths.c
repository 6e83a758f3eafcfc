/* SPDX-License-Identifier: MIT */
/*
 * Contract: paths.h.
 */
#include "paths.h"

#include <string.h>

#include "cleanup.h"
#include "compat.h"
#include "program.h"

int
paths_init(Paths *paths)
{
    paths->handlers = PyDict_New();
    paths->fallbacks = PyDict_New();
    paths->children = PyDict_New();
    return paths->handlers && paths->fallbacks && paths->children ? 0 : -1;
}

int
paths_traverse(Paths *paths, visitproc visit, void *arg)
{
    Py_VISIT(paths->handlers);
    Py_VISIT(paths->fallbacks);
    Py_VISIT(paths->children);
    return 0;
}

void
paths_clear(Paths *paths)
{
    Py_CLEAR(paths->handlers);
    Py_CLEAR(paths->fallbacks);
    Py_CLEAR(paths->children);
}

/* The length of the parent's path of the `len` bytes at `path`, which are not "/". */
static Py_ssize_t
parent_length(const char *path, Py_ssize_t len)
{
    while (path[len - 1] != '/')
        len--;
    return len > 1 ? len - 1 : 1;
}

/* Takes away what counts nothing; it needs no memory. */
static void
sweep(PyObject *children, PyObject *parent, PyObject *name)
{
    PyObject *names = PyDict_GetItemWithError(children, parent);
    PyObject *count = names ? PyDict_GetItemWithError(names, name) : NULL;

    if (count && PyLong_AsLong(count) == 0)
        PyDict_DelItem(names, name);
    if (names && PyDict_GET_SIZE(names) == 0)
        PyDict_DelItem(children, parent);
}

/* Makes a place for the count of `name` under `parent`, 0 if there was none, and appends to `plan`
 * what it will be: names, name, count, parent. */
static int
plan_count(PyObject *children, PyObject *parent, PyObject *name, long change, PyObject *plan)
{
    _cleanup_object_ PyObject *fresh = PyDict_New();
    PyObject *names = fresh ? PyDict_SetDefault(children, parent, fresh) : NULL;
    _cleanup_object_ PyObject *zero = PyLong_FromLong(0);
    PyObject *old = names && zero ? PyDict_SetDefault(names, name, zero) : NULL;
    _cleanup_object_ PyObject *number = old ? PyLong_FromLong(PyLong_AsLong(old) + change) : NULL;
    _cleanup_object_ PyObject *step = number ? PyTuple_Pack(4, names, name, number, parent) : NULL;

    return step ? PyList_Append(plan, step) : -1;
}

static int
plan_path(PyObject *children, PyObject *path, long change, PyObject *plan)
{
    Py_ssize_t len;
    const char *text = PyUnicode_AsUTF8AndSize(path, &len);

    if (!text)
        return -1;
    while (len > 1) {
        Py_ssize_t up = parent_length(text, len);
        Py_ssize_t start = up == 1 ? 1 : up + 1;
        _cleanup_object_ PyObject *parent = PyUnicode_FromStringAndSize(text, up);
        _cleanup_object_ PyObject *name = PyUnicode_FromStringAndSize(text + start, len - start);

        if (!parent || !name)
            return -1;
        if (plan_count(children, parent, name, change, plan) < 0) {
            sweep(children, parent, name);
            return -1;
        }
        len = up;
    }
    return 0;
}

/* Counts the path, from its end up to the root, in every ancestor; all of them or, with an
 * exception, none. */
static int
count_path(Paths *paths, PyObject *path, long change)
{
    _cleanup_object_ PyObject *plan = PyList_New(0);
    bool ok = plan && plan_path(paths->children, path, change, plan) == 0;

    for (Py_ssize_t i = 0; plan && i < PyList_GET_SIZE(plan); i++) {
        PyObject **step = PySequence_Fast_ITEMS(PyList_GET_ITEM(plan, i));

        if (ok)
            PyDict_SetItem(step[0], step[1], step[2]); /* the place is there: it cannot fail */
        sweep(paths->children, step[3], step[1]);
    }
    return ok ? 0 : -1;
}

int
paths_add(Paths *paths, PyObject *path, PyObject *on_message, bool fallback)
{
    int known = PyDict_Contains(paths->handlers, path);

    if (known < 0)
        return -1;
    if (known) {
        PyErr_Format(PyExc_KeyError,
                     "Can't register the object-path handler for '%U': there is already a handler",
                     path);
        return -1;
    }
    if (PyDict_SetItem(paths->handlers, path, on_message) < 0)
        return -1;
    if ((fallback && PyDict_SetItem(paths->fallbacks, path, on_message) < 0) ||
        count_path(paths, path, 1) < 0) {
        PyObject *type, *value, *traceback;

        PyErr_Fetch(&type, &value, &traceback);
        PyDict_DelItem(paths->handlers, path);
        if (fallback && PyDict_DelItem(paths->fallbacks, path) < 0)
            PyErr_Clear(); /* it had not come there */
        PyErr_Restore(type, value, traceback);
        return -1;
    }
    if (PyUnicode_GET_LENGTH(path) == 1)
        paths->root_is_plain = !fallback;
    return 0;
}

int
paths_remove(Paths *paths, PyObject *path)
{
    int known = PyDict_Contains(paths->handlers, path);
    int fallback = PyDict_Contains(paths->fallbacks, path);

    if (known < 0 || fallback < 0)
        return -1;
    if (!known) {
        PyErr_Format(PyExc_KeyError,
                     "Can't unregister the object-path handler for '%U': there is no such handler",
                     path);
        return -1;
    }
    if (count_path(paths, path, -1) < 0 || PyDict_DelItem(paths->handlers, path) < 0)
        return -1;
    return fallback ? PyDict_DelItem(paths->fallbacks, path) : 0;
}

/* The handler of the `len` bytes at `path`, borrowed; of an ancestor, only a fallback.  NULL with an
 * exception, or without. */
static PyObject *
handler_at(State *st, const Paths *paths, const char *path, Py_ssize_t len, bool ancestor)
{
    PyObject *handlers = ancestor ? paths->fallbacks : paths->handlers;

    if (PyDict_GET_SIZE(handlers) == 0)
        return NULL;
    _cleanup_object_ PyObject *key = program_shared_text(st, path, (size_t)len, false);
    return key ? PyDict_GetItemWithError(handlers, key) : NULL;
}

PyObject *
paths_first_borrow(State *st, const Paths *paths, const char *path)
{
    Py_ssize_t len = (Py_ssize_t)strlen(path);
    PyObject *handler = handler_at(st, paths, path, len, false);

    while (!handler && !PyErr_Occurred() && PyDict_GET_SIZE(paths->fallbacks) && len > 1) {
        len = parent_length(path, len);
        handler = handler_at(st, paths, path, len, true);
    }
    return handler;
}

PyObject *
paths_find(State *st, const Paths *paths, const char *path)
{
    _cleanup_object_ PyObject *list = PyList_New(0);
    Py_ssize_t len = (Py_ssize_t)strlen(path);
    PyObject *handler = list ? handler_at(st, paths, path, len, false) : NULL;

    if (PyErr_Occurred() || (handler && PyList_Append(list, handler) < 0))
        return NULL;
    while (PyDict_GET_SIZE(paths->fallbacks) && len > 1) {
        len = parent_length(path, len);
        handler = handler_at(st, paths, path, len, true);
        if (handler ? PyList_Append(list, handler) < 0 : PyErr_Occurred() != NULL)
            return NULL;
    }
    return TAKE(list);
}

int
paths_has_object(State *st, const Paths *paths, const char *path)
{
    if (!paths->root_is_plain || paths_first_borrow(st, paths, path))
        return 1;
    _cleanup_object_ PyObject *key = PyErr_Occurred() ? NULL : PyUnicode_FromString(path);
    return key ? PyDict_Contains(paths->children, key) : -1;
}

PyObject *
paths_children(Paths *paths, const char *path)
{
    _cleanup_object_ PyObject *key = PyUnicode_FromString(path);
    PyObject *counts = key ? PyDict_GetItemWithError(paths->children, key) : NULL;
    _cleanup_object_ PyObject *names = counts             ? PyDict_Keys(counts)
                                       : PyErr_Occurred() ? NULL
                                                          : PyList_New(0);

    if (!names || PyList_Sort(names) < 0)
        return NULL;
    return TAKE(names);
}
