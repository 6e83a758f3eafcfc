/* SPDX-License-Identifier: MIT */
/*
 * Dictionary: a dict with the signature of key and value and a variant_level.
 *
 * What __new__ and __init__ each take is as in array.c.
 */
#include "dict.h"

#include <string.h>
#include <structmember.h>

#include "../cleanup.h"
#include "../compat.h"
#include "../signature.h"
#include "container.h"
#include "level.h"
#include "value.h"

static ContainerTail *
dictionary_tail(PyObject *self)
{
    return &((DictionaryValue *)(void *)self)->tail;
}

static int
check_entry_signature(const char *text)
{
    if (!*text || strchr("av({", *text)) {
        PyErr_SetString(PyExc_ValueError, "The key type in a Dictionary's signature must be a "
                                          "primitive type");
        return -1;
    }
    if (!text[1] || *signature_next(text + 1)) {
        PyErr_SetString(PyExc_ValueError, "There must be exactly two complete types in a "
                                          "Dictionary's signature parameter");
        return -1;
    }
    return 0;
}

static PyObject *
dictionary_make(PyTypeObject *type, PyObject *signature, long level)
{
    _cleanup_object_ PyObject *none = PyTuple_New(0);
    /* dict has things to set up that no one else can. */
    PyObject *self = none ? PyDict_Type.tp_new(type, none, NULL) : NULL;

    if (!self)
        return NULL;
    dictionary_tail(self)->signature = Py_NewRef(signature);
    dictionary_tail(self)->level = level;
    return self;
}

PyObject *
dictionary_new(State *st, PyObject *signature, long level)
{
    return dictionary_make(st->dictionary, signature, level);
}

PyObject *
dictionary_signature_borrow(PyObject *dictionary)
{
    return container_signature_borrow(dictionary_tail(dictionary));
}

static PyObject *
dictionary_tp_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *kwargs)
{
    PyObject *signature;
    long level;

    if (container_parse_new(type, kwargs, check_entry_signature, &signature, &level) < 0)
        return NULL;
    return dictionary_make(type, signature, level);
}

static int
dictionary_tp_init(PyObject *self, PyObject *args, PyObject *kwargs)
{
    return container_init(self, args, kwargs, "mapping_or_iterable", &PyDict_Type,
                          check_entry_signature, dictionary_tail(self));
}

static PyObject *
dictionary_repr(PyObject *self)
{
    return container_repr(self, &PyDict_Type, dictionary_tail(self));
}

static PyObject *
dictionary_reduce(PyObject *self, PyObject *unused)
{
    _cleanup_object_ PyObject *entries = PyObject_CallMethod(self, "items", NULL);

    (void)unused;
    return value_reduce_steal(
        self, &(ValueParts){.signature = Py_XNewRef(dictionary_tail(self)->signature),
                            .level = dictionary_tail(self)->level,
                            .pairs = entries ? PyObject_GetIter(entries) : NULL});
}

static int
dictionary_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(dictionary_tail(self)->signature);
    return PyDict_Type.tp_traverse(self, visit, arg);
}

static int
dictionary_clear(PyObject *self)
{
    Py_CLEAR(dictionary_tail(self)->signature);
    return PyDict_Type.tp_clear(self);
}

static void
dictionary_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, dictionary_dealloc) /* a value may be a dictionary, and so on */
        Py_CLEAR(dictionary_tail(self)->signature);
    PyDict_Type.tp_dealloc(self);
    Py_DECREF(type);
    Py_TRASHCAN_END
}

int
dict_setup(PyObject *module, State *st)
{
    static PyMemberDef members[] = {
        {"signature", T_OBJECT, offsetof(DictionaryValue, tail.signature), READONLY,
         "The Signature of key and value, or None if it is to be guessed from an entry."},
        {"variant_level", T_LONG, offsetof(DictionaryValue, tail.level), READONLY,
         LEVEL_MEMBER_DOC},
        {0},
    };
    static PyMethodDef methods[] = {
        {"__reduce__", dictionary_reduce, METH_NOARGS,
         "Copies and pickles keep the signature and the variant_level."},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_doc, "Dictionary(mapping_or_iterable=(), signature=None, *, variant_level=0)\n\n"
                    "Keys of one type with values of one type, a subtype of dict.\n\n"
                    "``signature`` (str or None) is two complete types, that of a key, which is a "
                    "basic type, and that\nof a value (else ValueError). Entries are converted "
                    "when the dictionary is put into a message; if\nthe signature is None it is "
                    "then guessed from an entry, so an empty dictionary needs one." LEVEL_DOC},
        {Py_tp_new, dictionary_tp_new},
        {Py_tp_init, dictionary_tp_init},
        {Py_tp_dealloc, dictionary_dealloc},
        {Py_tp_traverse, dictionary_traverse},
        {Py_tp_clear, dictionary_clear},
        {Py_tp_repr, dictionary_repr},
        {Py_tp_members, members},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "dbus.Dictionary",
        .basicsize = sizeof(DictionaryValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE |
                 Py_TPFLAGS_HAVE_GC,
        .slots = slots,
    };

    return value_add_type(module, &st->dictionary, &spec, &PyDict_Type, "Dictionary");
}
