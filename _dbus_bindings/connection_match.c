/* SPDX-License-Identifier: MIT */
/*
 * The methods of Connection (connection.h) that dbus.connection keeps its signal matches with.
 */
#include "connection.h"

PyObject *
conn_add_match(PyObject *self, PyObject *match)
{
    if (matches_add(state_of(self), &((Connection *)self)->matches, match) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyObject *
conn_remove_match(PyObject *self, PyObject *match)
{
    int removed = matches_remove(state_of(self), &((Connection *)self)->matches, match);

    return removed < 0 ? NULL : PyBool_FromLong(removed);
}

PyObject *
conn_matches_at(PyObject *self, PyObject *args)
{
    PyObject *path, *interface, *member, *arg0;

    if (!PyArg_ParseTuple(args, "OOOO:_matches_at", &path, &interface, &member, &arg0))
        return NULL;
    return matches_at(&((Connection *)self)->matches, path, interface, member, arg0);
}

PyObject *
conn_all_matches(PyObject *self, PyObject *unused)
{
    (void)unused;
    return matches_all(&((Connection *)self)->matches);
}
