/* SPDX-License-Identifier: MIT */
/*
 * Contract: forks.h.
 */
#include "forks.h"

#include <dbus/dbus.h>

#include "cleanup.h"
#include "errors.h"

void
forks_enter(State *st, Watchset *set)
{
    set->next = st->watchsets;
    set->at = &st->watchsets;
    if (set->next)
        set->next->at = &set->next;
    st->watchsets = set;
}

void
forks_leave(Watchset *set)
{
    if (!set->at)
        return;
    *set->at = set->next;
    if (set->next)
        set->next->at = set->at;
    set->at = NULL;
}

PyObject *
forks_refuse(State *st)
{
    return error_raise_named(st, DBUS_ERROR_DISCONNECTED,
                             "This was made before a fork and belongs to the parent process");
}

static PyObject *
after_fork_in_child(PyObject *module, PyObject *unused)
{
    (void)unused;
    for (Watchset *set = state_of_module(module)->watchsets; set; set = set->next)
        watchset_inherit(set);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_after_fork_in_child", after_fork_in_child, METH_NOARGS,
     "_after_fork_in_child()\n\nCalled by os.fork(): connections and servers are the parent's."},
    {NULL, NULL, 0, NULL},
};

int
forks_setup(PyObject *module, State *st)
{
    (void)st;
    if (PyModule_AddFunctions(module, functions) < 0)
        return -1;
    _cleanup_object_ PyObject *os = PyImport_ImportModule("os");
    _cleanup_object_ PyObject *method = os ? PyObject_GetAttrString(os, "register_at_fork") : NULL;
    _cleanup_object_ PyObject *function = PyObject_GetAttrString(module, functions[0].ml_name);
    _cleanup_object_ PyObject *args = PyTuple_New(0);
    _cleanup_object_ PyObject *kwargs =
        function ? Py_BuildValue("{s:O}", "after_in_child", function) : NULL;
    if (!method || !args || !kwargs)
        return -1;
    _cleanup_object_ PyObject *result = PyObject_Call(method, args, kwargs);
    return result ? 0 : -1;
}
