/* SPDX-License-Identifier: MIT */
/*
 * Life of the module state: made empty, filled part by part, visited and cleared by the tables of
 * state.h.  A half-made module is cleared like a whole one.
 */
#include "state.h"

#include <stddef.h>

#include "compat.h"
#include "program.h"
#include "template.h"

#define X(part) int part##_setup(PyObject *module, State *st);
STATE_PARTS(X)
#undef X

State *
state_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &dbus_bindings_module);

    return module ? state_of_module(module) : NULL;
}

int
state_add_type(PyObject *module, PyTypeObject **field, PyType_Spec *spec, PyObject *bases,
               const char *name)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, bases);

    if (!type)
        return -1;
    *field = (PyTypeObject *)type;
    return name ? PyModule_AddObjectRef(module, name, type) : 0;
}

static int
state_exec(PyObject *module)
{
    static int (*const setups[])(PyObject *, State *) = {
#define X(part) part##_setup,
        STATE_PARTS(X)
#undef X
    };
    State *st = state_of_module(module);

    st->str_object_path = PyUnicode_InternFromString("__dbus_object_path__");
    if (!st->str_object_path)
        return -1;
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++)
        if (setups[i](module, st) < 0)
            return -1;
    return 0;
}

static int
state_traverse(PyObject *module, visitproc visit, void *arg)
{
    State *st = state_of_module(module);

    if (!st)
        return 0;
#define X(name) Py_VISIT(st->name);
    STATE_TYPES(X)
    STATE_OBJECTS(X)
#undef X
    return 0;
}

static int
state_clear(PyObject *module)
{
    State *st = state_of_module(module);

    if (!st)
        return 0;
    program_cache_free(st->programs);
    st->programs = NULL;
    template_cache_free(st->templates);
    st->templates = NULL;
#define X(name) Py_CLEAR(st->name);
    STATE_OBJECTS(X)
    STATE_TYPES(X)
#undef X
    return 0;
}

static void
state_free(void *module)
{
    state_clear((PyObject *)module);
}

static PyObject *
clear_caches(PyObject *module, PyObject *unused)
{
    State *st = state_of_module(module);

    (void)unused;
    program_cache_clear(st->programs);
    template_cache_clear(st->templates);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"_clear_caches", clear_caches, METH_NOARGS,
     "_clear_caches()\n\nForget the texts, signatures and headers of earlier messages, which are "
     "kept "
     "in tables of\nfixed size for those to come; for programs that count what is left behind."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, state_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

struct PyModuleDef dbus_bindings_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_dbus_bindings",
    .m_doc = "D-Bus for Python on libdbus: values, messages and connections.\n\n"
             "Programs import dbus, dbus.service, dbus.lowlevel and dbus.mainloop, which are the "
             "public\nfaces of what is here.",
    .m_size = sizeof(State),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = state_traverse,
    .m_clear = state_clear,
    .m_free = state_free,
};
