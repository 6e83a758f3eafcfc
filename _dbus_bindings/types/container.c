/* SPDX-License-Identifier: MIT */
/*
 * Contract: container.h.
 */
#include "container.h"

#include "../cleanup.h"
#include "../compat.h"
#include "../signature.h"
#include "value.h"

static int
check_signature(PyObject *signature, ContainerCheck check)
{
    if (signature == Py_None)
        return 0;
    const char *text = PyUnicode_AsUTF8(signature);
    return text ? check(text) : -1;
}

int
container_parse(State *st, PyObject *kwargs, PyObject **ret_signature, long *ret_level)
{
    PyObject *signature = NULL, *level = NULL;

    if (kwargs && PyDict_GET_SIZE(kwargs)) {
        _cleanup_object_ PyObject *none = PyTuple_New(0);
        char *names[] = {"signature", "variant_level", NULL};

        if (!none ||
            !PyArg_ParseTupleAndKeywords(none, kwargs, "|OO:__new__", names, &signature, &level))
            return -1;
    }
    long number;
    if (level_convert(level, &number) < 0)
        return -1;
    signature = signature_from_keyword(st, signature);
    if (!signature)
        return -1;
    *ret_signature = signature;
    *ret_level = number;
    return 0;
}

int
container_parse_new(PyTypeObject *type, PyObject *kwargs, ContainerCheck check,
                    PyObject **ret_signature, long *ret_level)
{
    State *st = state_of_type(type);
    PyObject *signature = value_keyword_borrow(kwargs, "signature");
    long level;

    if (!st || level_convert(value_keyword_borrow(kwargs, "variant_level"), &level) < 0)
        return -1;
    if (!signature || !PyObject_TypeCheck(signature, st->signature))
        signature = Py_None;
    if (check_signature(signature, check) < 0)
        return -1;
    *ret_signature = signature;
    *ret_level = level;
    return 0;
}

int
container_init(PyObject *self, PyObject *args, PyObject *kwargs, const char *content,
               PyTypeObject *base, ContainerCheck check, ContainerTail *tail)
{
    PyObject *items = NULL, *given = NULL, *level = NULL;
    char *names[] = {(char *)content, "signature", "variant_level", NULL};
    State *st = state_of(self);

    if (!st ||
        !PyArg_ParseTupleAndKeywords(args, kwargs, "|OOO:__init__", names, &items, &given, &level))
        return -1;
    _cleanup_object_ PyObject *signature = signature_from_keyword(st, given);
    if (!signature || check_signature(signature, check) < 0)
        return -1;
    _cleanup_object_ PyObject *base_args = items ? PyTuple_Pack(1, items) : PyTuple_New(0);
    if (!base_args || base->tp_init(self, base_args, NULL) < 0)
        return -1;
    Py_XSETREF(tail->signature, TAKE(signature));
    return 0;
}

PyObject *
container_repr(PyObject *self, PyTypeObject *base, const ContainerTail *tail)
{
    _keep_object_ PyObject *keep = Py_NewRef(self); /* list.__repr__ does not own its items */
    _cleanup_object_ PyObject *inner = base->tp_repr(self);
    _cleanup_object_ PyObject *signature = Py_NewRef(container_signature_borrow(tail));

    if (!inner)
        return NULL;
    return value_repr_steal(self, PyUnicode_FromFormat("%U, signature=%R", inner, signature),
                            tail->level);
}
