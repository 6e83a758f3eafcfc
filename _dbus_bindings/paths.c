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

/* Adds `change` to the count of `name` under `parent`; the entry goes when it comes to 0. */
static int
count_child(PyObject *children, PyObject *parent, PyObject *name, long change)
{
    PyObject *names = PyDict_GetItemWithError(children, parent);

    if (!names) {
        if (PyErr_Occurred())
            return -1;
        _cleanup_object_ PyObject *fresh = PyDict_New();
        if (!fresh || PyDict_SetItem(children, parent, fresh) < 0)
            return -1;
        names = fresh; /* borrowed from `children` from here on */
        return count_child(children, parent, name, change);
    }
    PyObject *old = PyDict_GetItemWithError(names, name);
    if (!old && PyErr_Occurred())
        return -1;
    long count = (old ? PyLong_AsLong(old) : 0) + change;
    if (count == 0) {
        if (PyDict_DelItem(names, name) < 0)
            return -1;
        return PyDict_GET_SIZE(names) ? 0 : PyDict_DelItem(children, parent);
    }
    _cleanup_object_ PyObject *number = PyLong_FromLong(count);
    return number ? PyDict_SetItem(names, name, number) : -1;
}

/* Counts the path, from its end up to the root, in every ancestor. */
static int
count_path(Paths *paths, PyObject *path, long change)
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

        if (!parent || !name || count_child(paths->children, parent, name, change) < 0)
            return -1;
        len = up;
    }
    return 0;
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
        PyDict_DelItem(paths->handlers, path);
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
    if (PyDict_DelItem(paths->handlers, path) < 0 ||
        (fallback && PyDict_DelItem(paths->fallbacks, path) < 0))
        return -1;
    return count_path(paths, path, -1);
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
    _cleanup_object_ PyObject *names = NULL;
    PyObject *counts = PyDict_GetItemString(paths->children, path);

    names = counts ? PyDict_Keys(counts) : PyList_New(0);
    if (!names || PyList_Sort(names) < 0)
        return NULL;
    return TAKE(names);
}
