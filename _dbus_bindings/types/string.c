/* SPDX-License-Identifier: MIT */
/*
 * String, ObjectPath and the base class of ObjectPath and Signature: str with a trailing
 * variant_level.
 *
 * CPython keeps the characters of an instance of a str subclass in a block of their own.  Here an
 * instance of exactly one of our types has them behind itself in the same block, which saves an
 * allocation for each string of a message; string_dealloc() knows.  To all readers it is an
 * ordinary non-compact str.  Instances of Python subclasses are made by str itself.
 */
#include "string.h"

#include <structmember.h>
#include <string.h>

#include "../cleanup.h"
#include "../compat.h"
#include "../validate.h"
#include "level.h"
#include "value.h"

/* Where the characters are.  No block of the allocator starts here, seen from an instance that is
 * just as big as the struct: so the address tells the two ways apart. */
#define ALLOCATOR_ALIGNMENT (2 * sizeof(void *))
#define CHARACTERS                                                                                 \
    (sizeof(StringValue) + (sizeof(StringValue) % ALLOCATOR_ALIGNMENT == 0 ? sizeof(Py_UCS4) : 0))

static void *
characters_behind(PyObject *self)
{
    return (char *)self + CHARACTERS;
}

/* A str of exactly `type` whose characters, terminated, are still to be written. */
static PyObject *
string_alloc(PyTypeObject *type, Py_ssize_t length, unsigned int kind, bool ascii, long level)
{
    if (length > (PY_SSIZE_T_MAX - (Py_ssize_t)CHARACTERS) / (Py_ssize_t)kind - 1)
        return PyErr_NoMemory();
    StringValue *value = PyObject_Malloc(CHARACTERS + ((size_t)length + 1) * kind);
    if (!value)
        return PyErr_NoMemory();

    PyObject *self = PyObject_Init((PyObject *)value, type);
    memset((char *)value + sizeof(PyObject), 0, sizeof *value - sizeof(PyObject));
    PyCompactUnicodeObject *compact = &value->head._base;
    PyASCIIObject *head = &compact->_base;
    void *data = characters_behind(self);
    head->length = length;
    head->hash = -1;
    head->state.kind = (unsigned char)(kind & 7);
    head->state.ascii = ascii;
    if (ascii) { /* ASCII is its own UTF-8 */
        compact->utf8 = data;
        compact->utf8_length = length;
    }
#if PY_VERSION_HEX < 0x030C0000
    head->state.ready = 1;
    if (kind == sizeof(wchar_t)) { /* and UCS-4 its own wchar_t */
        head->wstr = data;
        compact->wstr_length = length;
    }
#endif
    value->head.data.any = data;
    value->level = level;
    return self;
}

static bool
is_ascii(const char *s, size_t n)
{
    const uint64_t high = 0x8080808080808080u;
    uint64_t word;

    for (; n >= sizeof word; s += sizeof word, n -= sizeof word) {
        memcpy(&word, s, sizeof word);
        if (word & high)
            return false;
    }
    for (; n; s++, n--)
        if (*s & 0x80)
            return false;
    return true;
}

/* A str of exactly `type` with the text of any other. */
static PyObject *
string_of_str(PyTypeObject *type, PyObject *text, long level)
{
#if PY_VERSION_HEX < 0x030C0000
    if (PyUnicode_READY(text) < 0)
        return NULL;
#endif
    unsigned int kind = (unsigned int)PyUnicode_KIND(text);
    Py_ssize_t length = PyUnicode_GET_LENGTH(text);
    PyObject *self = string_alloc(type, length, kind, PyUnicode_IS_ASCII(text), level);

    if (self)
        memcpy(characters_behind(self), PyUnicode_DATA(text), ((size_t)length + 1) * kind);
    return self;
}

PyObject *
string_type_new(PyTypeObject *type, const char *utf8, Py_ssize_t n, long level)
{
    if (is_ascii(utf8, (size_t)n)) {
        PyObject *self = string_alloc(type, n, PyUnicode_1BYTE_KIND, true, level);
        if (self) {
            char *characters = characters_behind(self);
            memcpy(characters, utf8, (size_t)n);
            characters[n] = '\0';
        }
        return self;
    }
    _cleanup_object_ PyObject *text = PyUnicode_DecodeUTF8(utf8, n, NULL);
    return text ? string_of_str(type, text, level) : NULL;
}

/* Of `type` or a Python subclass of it. */
PyObject *
string_make(PyTypeObject *type, PyObject *text, long level)
{
    if (type->tp_dealloc == string_dealloc) /* a class made in Python has another */
        return string_of_str(type, text, level);

    /* An exact str, so that str() asks no __str__ for a text that was not checked. */
    _cleanup_object_ PyObject *exact = PyUnicode_FromObject(text);
    _cleanup_object_ PyObject *args = exact ? PyTuple_Pack(1, exact) : NULL;
    PyObject *self = args ? PyUnicode_Type.tp_new(type, args, NULL) : NULL;
    if (self)
        ((StringValue *)self)->level = level;
    return self;
}

void
string_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyUnicodeObject *value = &((StringValue *)self)->head;

    if (value->data.any == characters_behind(self)) {
        /* str frees what it cached, and the characters unless they are part of the object, as
         * those of a compact str are. */
        value->_base._base.state.compact = 1;
#if PY_VERSION_HEX < 0x030C0000
        if (value->_base._base.wstr == value->data.any)
            value->_base._base.wstr = NULL;
#endif
    }
    PyUnicode_Type.tp_dealloc(self);
    Py_DECREF(type);
}

static PyObject *
string_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *arg;
    long level;

    if (value_parse_positional(args, &arg) < 0 || value_parse_level(kwargs, &level) < 0)
        return NULL;
    _cleanup_object_ PyObject *text = arg ? PyObject_Str(arg) : PyUnicode_New(0, 0);
    return text ? string_make(type, text, level) : NULL;
}

const char *
string_parse_text(PyObject *args, PyObject *kwargs, PyObject **ret_text, PyObject **ret_level)
{
    const char *utf8;
    PyObject *level = NULL;
    char *names[] = {"object_path", "variant_level", NULL};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s|O:__new__", names, &utf8, &level))
        return NULL;
    if (PyTuple_GET_SIZE(args) == 0) {
        PyErr_SetString(PyExc_TypeError,
                        "'object_path' is an invalid keyword argument for __new__()");
        return NULL;
    }
    *ret_text = PyTuple_GET_ITEM(args, 0);
    *ret_level = level;
    return utf8;
}

static PyObject *
object_path_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *text, *level_value;
    const char *utf8 = string_parse_text(args, kwargs, &text, &level_value);
    long level;

    if (!utf8)
        return NULL;
    /* A level that is no number is refused before a bad path, one that is negative after it. */
    if (level_value && PyLong_AsLong(level_value) == -1 && PyErr_Occurred())
        return NULL;
    if (check_path(utf8) < 0 || value_parse_positional(args, &text) < 0 ||
        level_convert(level_value, &level) < 0)
        return NULL;
    return string_make(type, text, level);
}

static PyObject *
string_repr(PyObject *self)
{
    return value_repr_steal(self, PyUnicode_Type.tp_repr(self), ((StringValue *)self)->level);
}

static PyObject *
string_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    return value_reduce_steal(self, &(ValueParts){.arg = PyUnicode_FromObject(self),
                                                  .level = ((StringValue *)self)->level});
}

static PyMemberDef string_members[] = {
    {"variant_level", T_LONG, offsetof(StringValue, level), READONLY, LEVEL_MEMBER_DOC},
    {0},
};

static PyMethodDef string_methods[] = {
    VALUE_COPY_ROW,
    {"__reduce__", string_reduce, METH_NOARGS, "Deep copies and pickles keep the variant_level."},
    {0},
};

static int
add_base(PyObject *module, PyTypeObject **field, const char *spec_name, const char *name,
         const char *doc)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, (void *)doc},
        {Py_tp_new, string_tp_new},
        {Py_tp_dealloc, string_dealloc},
        {Py_tp_repr, string_repr},
        {Py_tp_setattro, value_refuse_setattr},
        {Py_tp_members, string_members},
        {Py_tp_methods, string_methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = spec_name,
        .basicsize = sizeof(StringValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    return value_add_type(module, field, &spec, &PyUnicode_Type, name);
}

static int
add_object_path(PyObject *module, State *st)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, "ObjectPath(path, *, variant_level=0)\n\n"
                    "The path of an object, such as /com/example/Thing/1, a subtype of str.\n\n"
                    "ValueError unless ``path`` (str) is '/' or elements of ASCII letters, digits "
                    "and underscores,\neach after a slash." LEVEL_DOC},
        {Py_tp_new, object_path_tp_new},
        {Py_tp_dealloc, string_dealloc},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "dbus.ObjectPath",
        .basicsize = sizeof(StringValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    return value_add_type(module, &st->object_path, &spec, st->str_base, "ObjectPath");
}

/* Both ways to make a str must give one that CPython takes for its own. */
static int
string_self_test(State *st)
{
    static const char *const samples[] = {"", "abc", "\xc3\xa9", "\xe2\x82\xac",
                                          "\xf0\x9f\x98\x80"};

    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        Py_ssize_t n = (Py_ssize_t)strlen(samples[i]);
        _cleanup_object_ PyObject *ours = string_type_new(st->string, samples[i], n, 1);
        _cleanup_object_ PyObject *theirs = PyUnicode_DecodeUTF8(samples[i], n, NULL);
        Py_ssize_t len;

        if (!ours || !theirs)
            return -1;
        const char *utf8 = PyUnicode_AsUTF8AndSize(ours, &len);
        if (!utf8)
            return -1;
        if (len != n || strcmp(utf8, samples[i]) != 0 || PyUnicode_Compare(ours, theirs) != 0 ||
            PyObject_Hash(ours) != PyObject_Hash(theirs) || level_of(st, ours) != 1) {
            PyErr_SetString(PyExc_ImportError,
                            "_dbus_bindings was compiled for a Python with another str");
            return -1;
        }
    }
    return 0;
}

int
string_setup(PyObject *module, State *st)
{
    if (add_base(module, &st->str_base, "_dbus_bindings._StrBase", "_StrBase",
                 "What ObjectPath and Signature share: a str with a ``variant_level``.\n"
                 "Programs should not count on this class.") < 0 ||
        add_base(module, &st->string, "dbus.String", "String",
                 "String(value='', *, variant_level=0)\n\n"
                 "A text, a subtype of str.\n\n"
                 "The argument is whatever str() takes. On the bus a text is UTF-8 without NUL "
                 "characters; that\nis checked when it is put into a message." LEVEL_DOC) < 0 ||
        add_object_path(module, st) < 0)
        return -1;
    return string_self_test(st);
}
