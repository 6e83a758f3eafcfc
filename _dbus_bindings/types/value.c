/* SPDX-License-Identifier: MIT */
/*
 * What all value types have in common.
 */
#include "value.h"

#include "../cleanup.h"
#include "../compat.h"
#include "level.h"

int
value_add_type(PyObject *module, PyTypeObject **field, PyType_Spec *spec, PyTypeObject *base,
               const char *name)
{
    _cleanup_object_ PyObject *bases = PyTuple_Pack(1, base);

    return bases ? state_add_type(module, field, spec, bases, name) : -1;
}

PyObject *
value_keyword_borrow(PyObject *kwargs, const char *name)
{
    Py_ssize_t pos = 0;
    PyObject *key, *value;

    /* A walk, because a look-up would first make a str of the name, and there are few. */
    while (kwargs && PyDict_Next(kwargs, &pos, &key, &value))
        if (PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, name) == 0)
            return value;
    return NULL;
}

int
value_parse_level(PyObject *kwargs, long *ret_level)
{
    Py_ssize_t given = kwargs ? PyDict_GET_SIZE(kwargs) : 0;
    PyObject *value = value_keyword_borrow(kwargs, "variant_level");

    if (given == (value ? 1 : 0))
        return level_convert(value, ret_level);

    /* Some other keyword: let CPython word the complaint as it words its own. */
    _cleanup_object_ PyObject *none = PyTuple_New(0);
    char *names[] = {"variant_level", NULL};
    long level;
    if (none && PyArg_ParseTupleAndKeywords(none, kwargs, "|l:__new__", names, &level))
        PyErr_SetString(PyExc_SystemError, "keywords changed while being read");
    return -1;
}

int
value_parse_positional(PyObject *args, PyObject **ret_arg)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);

    if (n > 1) {
        PyErr_SetString(PyExc_TypeError, "__new__ takes at most one positional parameter");
        return -1;
    }
    *ret_arg = n ? PyTuple_GET_ITEM(args, 0) : NULL;
    return 0;
}

PyObject *
value_repr_steal(PyObject *self, PyObject *inner, long level)
{
    _cleanup_object_ PyObject *text = inner;

    if (!text)
        return NULL;
    if (level > 0)
        return PyUnicode_FromFormat("%s(%U, variant_level=%ld)", Py_TYPE(self)->tp_name, text,
                                    level);
    return PyUnicode_FromFormat("%s(%U)", Py_TYPE(self)->tp_name, text);
}

int
value_refuse_setattr(PyObject *self, PyObject *name, PyObject *value)
{
    (void)self;
    (void)name;
    (void)value;
    PyErr_SetString(PyExc_AttributeError, "Object is immutable");
    return -1;
}

void
value_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    /* Not the dealloc of the built-in base: that may keep the memory for exact instances. */
    type->tp_free(self);
    Py_DECREF(type);
}

#if PY_VERSION_HEX < 0x030B0000
/* The slots of a Python subclass that are filled, as a dict; pickle knows their names. */
static PyObject *
slots_state(PyObject *self)
{
    _cleanup_object_ PyObject *copyreg = PyImport_ImportModule("copyreg");
    _cleanup_object_ PyObject *names =
        copyreg ? PyObject_CallMethod(copyreg, "_slotnames", "O", Py_TYPE(self)) : NULL;
    _cleanup_object_ PyObject *slots = names ? PyDict_New() : NULL;

    if (!slots)
        return NULL;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(names); i++) {
        PyObject *name = PyList_GET_ITEM(names, i);
        _cleanup_object_ PyObject *value = PyObject_GetAttr(self, name);

        if (value ? PyDict_SetItem(slots, name, value) < 0
                  : !PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
    }
    return TAKE(slots);
}

/* What object.__getstate__ gives from 3.11 on. */
static PyObject *
default_state(PyObject *self)
{
    _cleanup_object_ PyObject *dict = PyObject_GetAttrString(self, "__dict__");

    if (!dict) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
        dict = Py_NewRef(Py_None);
    }
    _cleanup_object_ PyObject *slots = slots_state(self);
    if (!slots)
        return NULL;
    if (PyDict_GET_SIZE(slots))
        return PyTuple_Pack(2, dict, slots);
    return TAKE(dict);
}
#endif

/* What a Python subclass adds to an instance, as pickle understands it; None if nothing. */
static PyObject *
instance_state(PyObject *self)
{
    _cleanup_object_ PyObject *get = PyObject_GetAttrString(self, "__getstate__");

#if PY_VERSION_HEX < 0x030B0000
    if (!get) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError))
            return NULL;
        PyErr_Clear();
        return default_state(self);
    }
#endif
    return get ? PyObject_CallNoArgs(get) : NULL;
}

static PyObject *
reduce_keywords(PyObject *signature, long number)
{
    _cleanup_object_ PyObject *keywords = PyDict_New();

    if (!keywords)
        return NULL;
    if (signature && signature != Py_None &&
        PyDict_SetItemString(keywords, "signature", signature) < 0)
        return NULL;
    if (number != 0) {
        _cleanup_object_ PyObject *level = PyLong_FromLong(number);
        if (!level || PyDict_SetItemString(keywords, "variant_level", level) < 0)
            return NULL;
    }
    return TAKE(keywords);
}

PyObject *
value_reduce_steal(PyObject *self, ValueParts *parts)
{
    _cleanup_object_ PyObject *arg = parts->arg;
    _cleanup_object_ PyObject *items = parts->items;
    _cleanup_object_ PyObject *pairs = parts->pairs;
    _cleanup_object_ PyObject *signature = parts->signature;
    PyObject *type = (PyObject *)Py_TYPE(self);

    if (PyErr_Occurred()) /* one of the parts could not be made */
        return NULL;
    _cleanup_object_ PyObject *keywords = reduce_keywords(signature, parts->level);
    _cleanup_object_ PyObject *copyreg = keywords ? PyImport_ImportModule("copyreg") : NULL;
    _cleanup_object_ PyObject *state = copyreg ? instance_state(self) : NULL;
    if (!state)
        return NULL;

    /* __newobj__ calls the class's __new__ alone, which is what pickle does for the built-in
     * bases; without keywords a subclass with a __new__ of its own need not know of them. */
    bool plain = PyDict_GET_SIZE(keywords) == 0;
    _cleanup_object_ PyObject *maker =
        PyObject_GetAttrString(copyreg, plain ? "__newobj__" : "__newobj_ex__");
    if (!maker)
        return NULL;
    PyObject *args;
    if (plain)
        args = arg ? PyTuple_Pack(2, type, arg) : PyTuple_Pack(1, type);
    else
        args = arg ? Py_BuildValue("(O(O)O)", type, arg, keywords)
                   : Py_BuildValue("(O()O)", type, keywords);
    if (!args)
        return NULL;
    return Py_BuildValue("(ONOOO)", maker, args, state, items ? items : Py_None,
                         pairs ? pairs : Py_None);
}

/* The class of this module that `type` is, or derives from. */
static PyTypeObject *
own_type(PyTypeObject *type)
{
    for (; type; type = type->tp_base) {
        PyObject *module = PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE)
                               ? ((PyHeapTypeObject *)type)->ht_module
                               : NULL;

        if (module && PyModule_GetDef(module) == &dbus_bindings_module)
            return type;
    }
    return NULL;
}

/* (class, value), or (class, (value,), keywords), out of value_reduce_steal(), without the level. */
static PyObject *
new_without_level(PyObject *self, PyObject *made_of)
{
    PyTypeObject *type = own_type(Py_TYPE(self));
    PyObject *second = PyTuple_GET_ITEM(made_of, 1);

    if (PyTuple_GET_SIZE(made_of) == 2) {
        _cleanup_object_ PyObject *args = PyTuple_Pack(1, second);
        return args ? type->tp_new(Py_TYPE(self), args, NULL) : NULL;
    }
    _cleanup_object_ PyObject *keywords = PyDict_Copy(PyTuple_GET_ITEM(made_of, 2));
    if (!keywords || (PyDict_GetItemString(keywords, "variant_level") &&
                      PyDict_DelItemString(keywords, "variant_level") < 0))
        return NULL;
    return type->tp_new(Py_TYPE(self), second, keywords);
}

PyObject *
value_copy(PyObject *self, PyObject *Py_UNUSED(none))
{
    _cleanup_object_ PyObject *reduced = PyObject_CallMethod(self, "__reduce__", NULL);
    _cleanup_object_ PyObject *copy =
        reduced ? new_without_level(self, PyTuple_GET_ITEM(reduced, 1)) : NULL;
    if (!copy)
        return NULL;
    PyObject *state = PyTuple_GET_ITEM(reduced, 2);
    if (PyDict_Check(state)) {
        _cleanup_object_ PyObject *attributes = PyObject_GetAttrString(copy, "__dict__");
        if (!attributes || PyDict_Update(attributes, state) < 0)
            return NULL;
    }
    return TAKE(copy);
}
