/* SPDX-License-Identifier: MIT */
/*
 * The integer types: eight rows of one table, and the base class that they share.
 *
 * A value is a number of at most 64 bits.  The room for its digits is in basicsize (level.h), so
 * exact instances are allocated at a fixed size; those of Python subclasses go through tp_alloc
 * with the count of digits, because CPython finds their __dict__ behind that many.
 */
#include "int.h"

#include <structmember.h>

#include "../cleanup.h"
#include "../compat.h"
#include "level.h"
#include "number.h"
#include "value.h"

#define RANGE_DOC                                                                                  \
    "\n\nThe argument is whatever int() takes; OverflowError if the number is out of "             \
    "range." LEVEL_DOC

const IntRow int_rows[INT_KINDS] = {
    [INT_BYTE] = {"Byte", "dbus.Byte",
                  "Byte(value, *, variant_level=0)\n\n"
                  "An unsigned number of 8 bits, a subtype of int.\n\n"
                  "The argument is an int from 0 to 255 (else ValueError) or bytes of length 1; "
                  "str() of a Byte is\nthe character of that number. Arrays of bytes are handier "
                  "as ByteArray." LEVEL_DOC,
                  offsetof(State, byte), 0, UINT8_MAX, 'y', 1},
    [INT_BOOLEAN] = {"Boolean", "dbus.Boolean",
                     "Boolean(value=False, *, variant_level=0)\n\n"
                     "A truth value, a subtype of int (bool cannot be subclassed).\n\n"
                     "The argument may be anything; its truth is taken, as bool() does." LEVEL_DOC,
                     offsetof(State, boolean), 0, 1, 'b', 4},
    [INT_INT16] = {"Int16", "dbus.Int16",
                   "Int16(value=0, *, variant_level=0)\n\n"
                   "A signed number of 16 bits, a subtype of int." RANGE_DOC,
                   offsetof(State, int16), INT16_MIN, INT16_MAX, 'n', 2},
    [INT_UINT16] = {"UInt16", "dbus.UInt16",
                    "UInt16(value=0, *, variant_level=0)\n\n"
                    "An unsigned number of 16 bits, a subtype of int." RANGE_DOC,
                    offsetof(State, uint16), 0, UINT16_MAX, 'q', 2},
    [INT_INT32] = {"Int32", "dbus.Int32",
                   "Int32(value=0, *, variant_level=0)\n\n"
                   "A signed number of 32 bits, a subtype of int." RANGE_DOC,
                   offsetof(State, int32), INT32_MIN, INT32_MAX, 'i', 4},
    [INT_UINT32] = {"UInt32", "dbus.UInt32",
                    "UInt32(value=0, *, variant_level=0)\n\n"
                    "An unsigned number of 32 bits, a subtype of int." RANGE_DOC,
                    offsetof(State, uint32), 0, UINT32_MAX, 'u', 4},
    [INT_INT64] = {"Int64", "dbus.Int64",
                   "Int64(value=0, *, variant_level=0)\n\n"
                   "A signed number of 64 bits, a subtype of int." RANGE_DOC,
                   offsetof(State, int64), INT64_MIN, INT64_MAX, 'x', 8},
    [INT_UINT64] = {"UInt64", "dbus.UInt64",
                    "UInt64(value=0, *, variant_level=0)\n\n"
                    "An unsigned number of 64 bits, a subtype of int." RANGE_DOC,
                    offsetof(State, uint64), 0, UINT64_MAX, 't', 8},
};

/* Values at level 0 from here to SMALL_END, as far as the type has them, are shared by all messages
 * that are read. */
enum { SMALL_START = -8, SMALL_END = 256 };

/* A new value of exactly `type`, one of ours. */
static inline PyObject *
int_make(PyTypeObject *type, Number number, long level)
{
    IntValue *value = PyObject_Malloc(sizeof *value);

    if (!value)
        return PyErr_NoMemory();
    PyObject *self = PyObject_Init((PyObject *)value, type);
    digits_write(self, number.magnitude, number.negative);
    value->level = level;
    return self;
}

static PyObject *
int_make_subclass(PyTypeObject *type, Number number, long level)
{
    PyObject *self = type->tp_alloc(type, digits_count(number.magnitude));

    if (!self)
        return NULL;
    digits_write(self, number.magnitude, number.negative);
    ((IntValue *)self)->level = level;
    return self;
}

static inline int64_t
small_start(enum IntKind kind)
{
    int64_t min = int_rows[kind].min;

    return min < SMALL_START ? SMALL_START : min;
}

PyObject *
int_new(State *st, enum IntKind kind, int64_t bits, long level)
{
    if (level == 0 && bits < SMALL_END && bits >= small_start(kind)) {
        PyObject *shared = PyTuple_GET_ITEM(st->small_ints, (Py_ssize_t)kind);
        return Py_NewRef(PyTuple_GET_ITEM(shared, (Py_ssize_t)(bits - small_start(kind))));
    }
    return int_make(int_type_borrow(st, kind), number_of_bits(kind, bits), level);
}

static int
kind_of_type(const State *st, PyTypeObject *type)
{
    for (int kind = 0; kind < INT_KINDS; kind++)
        if (type == int_type_borrow(st, (enum IntKind)kind))
            return kind;
    for (int kind = 0; kind < INT_KINDS; kind++)
        if (PyType_IsSubtype(type, int_type_borrow(st, (enum IntKind)kind)))
            return kind;
    return -1;
}

int
int_kind_of(const State *st, PyObject *value)
{
    PyTypeObject *type = Py_TYPE(value);

    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE) || !PyLong_Check(value))
        return -1;
    return kind_of_type(st, type);
}

/* The number for a constructor of anything but Byte and Boolean; `row` is NULL for the base. */
static int
convert_number(const IntRow *row, PyObject *arg, Number *ret_number)
{
    if (!arg) {
        *ret_number = (Number){0, false};
        return 0;
    }
    _cleanup_object_ PyObject *exact = PyNumber_Long(arg);
    if (!exact)
        return -1;
    return number_of_int(exact, row, ret_number);
}

static int
convert_byte(PyObject *arg, Number *ret_number)
{
    int overflow = 0;
    long byte = -1;

    if (PyBytes_Check(arg) && PyBytes_GET_SIZE(arg) == 1) {
        byte = (unsigned char)PyBytes_AS_STRING(arg)[0];
    } else if (PyLong_Check(arg)) {
        byte = PyLong_AsLongAndOverflow(arg, &overflow);
        if (byte == -1 && PyErr_Occurred())
            return -1;
    } else {
        overflow = 1;
    }
    if (overflow) {
        PyErr_SetString(PyExc_TypeError, "Expected a bytes or str of length 1, or an int in the "
                                         "range 0-255");
        return -1;
    }
    if (byte < 0 || byte > UINT8_MAX) {
        PyErr_SetString(PyExc_ValueError, "Integer outside range 0-255");
        return -1;
    }
    *ret_number = (Number){(uint64_t)byte, false};
    return 0;
}

static int
parse_byte(PyObject *args, PyObject *kwargs, Number *ret_number, long *ret_level)
{
    Py_ssize_t n = PyTuple_GET_SIZE(args);

    if (n != 1) {
        PyErr_SetString(PyExc_TypeError,
                        n ? "Byte constructor takes no more than one positional argument"
                          : "Byte constructor takes exactly one positional argument");
        return -1;
    }
    if (value_parse_level(kwargs, ret_level) < 0)
        return -1;
    return convert_byte(PyTuple_GET_ITEM(args, 0), ret_number);
}

static int
parse_boolean(PyObject *args, PyObject *kwargs, Number *ret_number, long *ret_level)
{
    PyObject *value = NULL, *level = NULL;
    char *names[] = {"", "variant_level", NULL};

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:__new__", names, &value, &level) ||
        level_convert(level, ret_level) < 0)
        return -1;
    /* A level that is given by position has always been checked and then dropped. */
    if (PyTuple_GET_SIZE(args) == 2)
        *ret_level = 0;
    int truth = value ? PyObject_IsTrue(value) : 0;
    if (truth < 0)
        return -1;
    *ret_number = (Number){(uint64_t)truth, false};
    return 0;
}

static PyObject *
int_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    State *st = state_of_type(type);
    Number number = {0, false};
    long level;
    int err;

    if (!st)
        return NULL;
    int kind = kind_of_type(st, type);
    if (kind == INT_BYTE) {
        err = parse_byte(args, kwargs, &number, &level);
    } else if (kind == INT_BOOLEAN) {
        err = parse_boolean(args, kwargs, &number, &level);
    } else {
        PyObject *arg;

        err = value_parse_positional(args, &arg);
        if (err == 0)
            err = value_parse_level(kwargs, &level);
        if (err == 0)
            err = convert_number(kind < 0 ? NULL : &int_rows[kind], arg, &number);
    }
    if (err < 0)
        return NULL;
    if (kind < 0 || type != int_type_borrow(st, (enum IntKind)kind))
        return int_make_subclass(type, number, level);
    /* Always a new one: who calls a constructor twice has two objects. */
    return int_make(type, number, level);
}

static PyObject *
int_repr(PyObject *self)
{
    return value_repr_steal(self, PyLong_Type.tp_repr(self), ((IntValue *)self)->level);
}

static PyObject *
int_str(PyObject *self)
{
    return PyLong_Type.tp_repr(self);
}

static PyObject *
boolean_repr(PyObject *self)
{
    int truth = PyObject_IsTrue(self);

    if (truth < 0)
        return NULL;
    return value_repr_steal(self, PyUnicode_FromString(truth ? "True" : "False"),
                            ((IntValue *)self)->level);
}

static PyObject *
byte_str(PyObject *self)
{
    char one = (char)PyLong_AsLong(self);

    return PyUnicode_DecodeUTF8(&one, 1, NULL); /* so 128 and more are no character by themselves */
}

static PyObject *
int_reduce(PyObject *self, PyObject *unused)
{
    Number number;
    PyObject *arg = NULL;

    (void)unused;
    if (number_of_int(self, NULL, &number) == 0)
        arg = number.negative ? PyLong_FromLongLong((long long)(0 - number.magnitude))
                              : PyLong_FromUnsignedLongLong(number.magnitude);
    return value_reduce_steal(self, &(ValueParts){.arg = arg, .level = ((IntValue *)self)->level});
}

static PyMemberDef int_members[] = {
    {"variant_level", T_LONG, offsetof(IntValue, level), READONLY, LEVEL_MEMBER_DOC},
    {0},
};

static PyMethodDef int_methods[] = {
    VALUE_COPY_ROW,
    {"__reduce__", int_reduce, METH_NOARGS, "Deep copies and pickles keep the variant_level."},
    {0},
};

static int
base_setup(PyObject *module, State *st)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, "What the integer types share: an int of at most 64 bits with a "
                    "``variant_level``.\nPrograms should not count on this class."},
        {Py_tp_new, int_tp_new},
        {Py_tp_dealloc, value_dealloc},
        {Py_tp_repr, int_repr},
        {Py_tp_str, int_str},
        {Py_tp_setattro, value_refuse_setattr},
        {Py_tp_members, int_members},
        {Py_tp_methods, int_methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "_dbus_bindings._LongBase",
        .basicsize = sizeof(IntValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    return value_add_type(module, &st->long_base, &spec, &PyLong_Type, "_LongBase");
}

static int
row_setup(PyObject *module, State *st, enum IntKind kind)
{
    const IntRow *row = &int_rows[kind];
    PyType_Slot slots[6] = {
        {Py_tp_doc, (void *)row->doc},
        {Py_tp_new, int_tp_new},
        {Py_tp_dealloc, value_dealloc},
    };
    PyType_Spec spec = {
        .name = row->spec,
        .basicsize = sizeof(IntValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    if (kind == INT_BOOLEAN)
        slots[3] = (PyType_Slot){Py_tp_repr, boolean_repr};
    else if (kind == INT_BYTE)
        slots[3] = (PyType_Slot){Py_tp_str, byte_str};
    PyTypeObject **field = (PyTypeObject **)(void *)((char *)st + row->field);
    return value_add_type(module, field, &spec, st->long_base, row->name);
}

/* The shared values of one type, as a tuple. */
static PyObject *
small_values(State *st, enum IntKind kind)
{
    int64_t start = small_start(kind);
    int64_t end = int_rows[kind].max < SMALL_END ? (int64_t)int_rows[kind].max + 1 : SMALL_END;
    _cleanup_object_ PyObject *values = PyTuple_New((Py_ssize_t)(end - start));

    if (!values)
        return NULL;
    for (int64_t bits = start; bits < end; bits++) {
        PyObject *value = int_make(int_type_borrow(st, kind), number_of_bits(kind, bits), 0);
        if (!value)
            return NULL;
        PyTuple_SET_ITEM(values, (Py_ssize_t)(bits - start), value);
    }
    return TAKE(values);
}

/* The digits that we write must be the ones that CPython reads. */
static int
digits_self_test(State *st)
{
    static const int64_t samples[] = {0,         1,         -1,         INT32_MIN,
                                      1 << 29,   1 << 30,   -(1 << 30), UINT32_MAX,
                                      INT64_MAX, INT64_MIN, -5,         1LL << 60};

    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++) {
        int64_t bits = samples[i];
        _cleanup_object_ PyObject *is_signed =
            int_make(st->int64, number_of_bits(INT_INT64, bits), 1);
        _cleanup_object_ PyObject *is_unsigned =
            int_make(st->uint64, number_of_bits(INT_UINT64, bits), 2);
        _cleanup_object_ PyObject *a = PyLong_FromLongLong(bits);
        _cleanup_object_ PyObject *b = PyLong_FromUnsignedLongLong((unsigned long long)bits);

        if (!is_signed || !is_unsigned || !a || !b)
            return -1;
        int same = PyObject_RichCompareBool(is_signed, a, Py_EQ);
        if (same > 0)
            same = PyObject_RichCompareBool(is_unsigned, b, Py_EQ);
        if (same < 0)
            return -1;
        if (!same || PyLong_AsLongLong(is_signed) != bits || level_of(st, is_signed) != 1) {
            PyErr_SetString(PyExc_ImportError,
                            "_dbus_bindings was compiled for a Python with other ints");
            return -1;
        }
    }
    return 0;
}

int
int_setup(PyObject *module, State *st)
{
    if (level_self_test() < 0 || base_setup(module, st) < 0)
        return -1;
    for (int kind = 0; kind < INT_KINDS; kind++)
        if (row_setup(module, st, (enum IntKind)kind) < 0)
            return -1;
    if (digits_self_test(st) < 0)
        return -1;

    _cleanup_object_ PyObject *shared = PyTuple_New(INT_KINDS);
    if (!shared)
        return -1;
    for (int kind = 0; kind < INT_KINDS; kind++) {
        PyObject *values = small_values(st, (enum IntKind)kind);
        if (!values)
            return -1;
        PyTuple_SET_ITEM(shared, kind, values);
    }
    st->small_ints = TAKE(shared);
    return 0;
}
