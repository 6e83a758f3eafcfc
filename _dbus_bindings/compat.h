/* SPDX-License-Identifier: MIT */
/*
 * What CPython 3.9 lacks of the API that this project uses, under the names that later versions
 * gave it.  Nothing here is ours but the gap.
 */
#ifndef DBUS_SHIM_COMPAT_H
#define DBUS_SHIM_COMPAT_H

#include <Python.h>

#if PY_VERSION_HEX < 0x030A0000
static inline PyObject *
compat_new_ref(PyObject *o)
{
    Py_XINCREF(o);
    return o;
}

#define Py_NewRef(o) compat_new_ref((PyObject *)(o))
#define Py_XNewRef(o) compat_new_ref((PyObject *)(o))

static inline int
PyModule_AddObjectRef(PyObject *module, const char *name, PyObject *value)
{
    Py_XINCREF(value);
    if (PyModule_AddObject(module, name, value) < 0) {
        Py_XDECREF(value);
        return -1;
    }
    return 0;
}

typedef enum { PYGEN_RETURN, PYGEN_ERROR, PYGEN_NEXT } PySendResult;

#define Py_TPFLAGS_IMMUTABLETYPE 0UL
#define Py_TPFLAGS_DISALLOW_INSTANTIATION 0UL
#endif

#if PY_VERSION_HEX < 0x030B0000
/* The first class in the method resolution order that the module of this definition made. */
static inline PyObject *
PyType_GetModuleByDef(PyTypeObject *type, struct PyModuleDef *def)
{
    PyObject *mro = type->tp_mro;

    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyTypeObject *base = (PyTypeObject *)PyTuple_GET_ITEM(mro, i);

        if (!PyType_HasFeature(base, Py_TPFLAGS_HEAPTYPE))
            continue;
        PyObject *module = ((PyHeapTypeObject *)base)->ht_module;
        if (module && PyModule_GetDef(module) == def)
            return module;
    }
    PyErr_Format(PyExc_TypeError, "no class of %s is a base of '%s'", def->m_name, type->tp_name);
    return NULL;
}
#endif

#if PY_VERSION_HEX < 0x030D0000
static inline int
PyWeakref_GetRef(PyObject *ref, PyObject **ret_target)
{
    PyObject *target = PyWeakref_GetObject(ref);

    if (!target)
        return -1;
    *ret_target = target == Py_None ? NULL : Py_NewRef(target);
    return target != Py_None;
}

#define Py_BEGIN_CRITICAL_SECTION(op) {
#define Py_END_CRITICAL_SECTION() }
#endif

#endif
