/* SPDX-License-Identifier: MIT */
/*
 * What Array, Dictionary and Struct share: a signature and a variant_level (level.h) behind what
 * the built-in type made.
 *
 * Items are asked for their repr, iterators run and initialisers may be called again meanwhile,
 * so the signature is read after all that and owned while in use.
 */
#ifndef DBUS_SHIM_TYPES_CONTAINER_H
#define DBUS_SHIM_TYPES_CONTAINER_H

#include <Python.h>

#include "../state.h"
#include "level.h"

/* -1 with ValueError unless a signature that is valid as such suits the type of container. */
typedef int (*ContainerCheck)(const char *signature);

/* Borrows the Signature, or None. */
static inline PyObject *
container_signature_borrow(const ContainerTail *tail)
{
    return tail->signature ? tail->signature : Py_None;
}

/* The keywords signature (any, converted; new reference) and variant_level. */
int container_parse(State *st, PyObject *kwargs, PyObject **ret_signature, long *ret_level);

/* For a tp_new that leaves the signature to tp_init, unless it is a ready Signature, which is what
 * copying and unpickling give: they call no __init__.  Borrows that, or None. */
int container_parse_new(PyTypeObject *type, PyObject *kwargs, ContainerCheck check,
                        PyObject **ret_signature, long *ret_level);

/* tp_init: the content, called `content` as a keyword, goes to the base's tp_init. */
int container_init(PyObject *self, PyObject *args, PyObject *kwargs, const char *content,
                   PyTypeObject *base, ContainerCheck check, ContainerTail *tail);

/* "dbus.Array([...], signature=...)" around what the base gives. */
PyObject *container_repr(PyObject *self, PyTypeObject *base, const ContainerTail *tail);

#endif
