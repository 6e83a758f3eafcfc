/* SPDX-License-Identifier: MIT */
/*
 * Signatures: the rules, the type dbus.Signature and the iterator over complete types.
 *
 * The rules are those that libdbus applies, so that a Signature is never refused later: at most 32
 * arrays directly inside one another, at most 32 open structs and 32 open dict entries.
 */
#include "signature.h"

#include <string.h>

#include "cleanup.h"
#include "compat.h"
#include "limits.h"
#include "types/level.h"
#include "types/string.h"
#include "types/value.h"

/* What is left to read, and how deep it is nested. */
typedef struct Reader {
    const char *p;
    const char *end;
    unsigned structs;
    unsigned entries;
} Reader;

static bool
is_basic(char code)
{
    return code && strchr("ybnqiuxtdsogh", code);
}

static const char *read_type(Reader *r);

static const char *
read_struct(Reader *r)
{
    if (++r->structs > LIMIT_STRUCT_DEPTH)
        return "more than 32 structs within one another";
    if (r->p < r->end && *r->p == ')')
        return "a struct must not be empty";
    while (r->p < r->end && *r->p != ')') {
        const char *rule = read_type(r);
        if (rule)
            return rule;
    }
    if (r->p == r->end)
        return "a struct is not closed";
    r->p++;
    r->structs--;
    return NULL;
}

static const char *
read_entry(Reader *r)
{
    const char *rule;

    if (++r->entries > LIMIT_STRUCT_DEPTH)
        return "more than 32 dict entries within one another";
    if (r->p == r->end || !is_basic(*r->p))
        return "the key of a dict entry must be of a basic type";
    r->p++;
    if (r->p < r->end && *r->p == '}')
        return "a dict entry must have a key and a value";
    rule = read_type(r);
    if (rule)
        return rule;
    if (r->p == r->end || *r->p != '}')
        return "a dict entry must have one key and one value";
    r->p++;
    r->entries--;
    return NULL;
}

/* One complete type; the recursion is bounded by the counts and the length. */
static const char *
read_type(Reader *r)
{
    unsigned arrays = 0;

    for (; r->p < r->end && *r->p == 'a'; r->p++)
        if (++arrays > LIMIT_ARRAY_DEPTH)
            return "more than 32 arrays within one another";
    if (r->p == r->end)
        return "an array without the type of its items";

    char code = *r->p++;
    if (code == '(')
        return read_struct(r);
    if (code == '{')
        return arrays ? read_entry(r) : "a dict entry must be the item of an array";
    if (is_basic(code) || code == 'v')
        return NULL;
    if (code == ')' || code == '}')
        return arrays ? "an array without the type of its items" : "a bracket closes nothing";
    return "not the code of a type";
}

const char *
signature_rule(const char *s, size_t n)
{
    Reader r = {s, s + n, 0, 0};

    if (n > LIMIT_SIGNATURE)
        return "longer than 255 characters";
    while (r.p < r.end) {
        const char *rule = read_type(&r);
        if (rule)
            return rule;
    }
    return NULL;
}

const char *
signature_next(const char *p)
{
    unsigned open = 0;

    /* The end is looked for too: a class that is also a subclass of ObjectPath may hold any text. */
    for (; *p; p++) {
        if (*p == '(' || *p == '{')
            open++;
        else if (*p == ')' || *p == '}')
            open--;
        if (*p != 'a' && !open)
            return p + 1;
    }
    return p;
}

PyObject *
signature_new(State *st, const char *s, size_t n, long level)
{
    if (n == 0 && level == 0 && st->empty_signature)
        return Py_NewRef(st->empty_signature);
    return string_type_new(st->signature, s, (Py_ssize_t)n, level);
}

static int
refuse(const char *rule)
{
    PyErr_Format(PyExc_ValueError, "Corrupt type signature: %s", rule);
    return -1;
}

PyObject *
signature_from_keyword(State *st, PyObject *value)
{
    if (!value || value == Py_None)
        return Py_NewRef(Py_None);
    if (PyObject_TypeCheck(value, st->signature))
        return Py_NewRef(value);
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "signature must be str or None, not %s",
                     Py_TYPE(value)->tp_name);
        return NULL;
    }
    Py_ssize_t n;
    const char *text = PyUnicode_AsUTF8AndSize(value, &n);
    if (!text)
        return NULL;
    const char *rule = signature_rule(text, (size_t)n);
    if (rule) {
        refuse(rule);
        return NULL;
    }
    return signature_new(st, text, (size_t)n, 0);
}

static PyObject *
signature_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *text, *level_value;
    const char *utf8 = string_parse_text(args, kwargs, &text, &level_value);
    long level;

    if (!utf8)
        return NULL;
    const char *rule = signature_rule(utf8, strlen(utf8));
    if (rule) {
        refuse(rule);
        return NULL;
    }
    if (value_parse_positional(args, &text) < 0 || level_convert(level_value, &level) < 0)
        return NULL;
    return string_make(type, text, level);
}

/* The iterator: the Signature that it walks, and where it is.  The text of a str does not move. */
typedef struct SignatureIter {
    PyObject_HEAD
    PyObject *signature; /* NULL at the end */
    const char *next;
} SignatureIter;

static PyObject *
signature_iter(PyObject *self)
{
    State *st = state_of(self);
    const char *text = st ? PyUnicode_AsUTF8(self) : NULL;

    if (!text)
        return NULL;
    SignatureIter *iter = PyObject_New(SignatureIter, st->signature_iter);
    if (!iter)
        return NULL;
    iter->signature = Py_NewRef(self);
    iter->next = text;
    return (PyObject *)iter;
}

static PyObject *
iter_next(PyObject *self)
{
    SignatureIter *iter = (SignatureIter *)self;
    const char *start = iter->next;

    if (!iter->signature)
        return NULL;
    if (!*start) {
        Py_CLEAR(iter->signature);
        return NULL;
    }
    State *st = state_of(self);
    if (!st)
        return NULL;
    iter->next = signature_next(start);
    return signature_new(st, start, (size_t)(iter->next - start), 0);
}

static void
iter_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    Py_XDECREF(((SignatureIter *)self)->signature);
    type->tp_free(self);
    Py_DECREF(type);
}

static int
add_iterator(PyObject *module, State *st)
{
    PyType_Slot slots[] = {
        {Py_tp_dealloc, iter_dealloc},
        {Py_tp_iter, PyObject_SelfIter},
        {Py_tp_iternext, iter_next},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "_dbus_bindings._SignatureIter",
        .basicsize = sizeof(SignatureIter),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
        .slots = slots,
    };

    if (state_add_type(module, &st->signature_iter, &spec, NULL, "_SignatureIter") < 0)
        return -1;
    st->signature_iter->tp_new = NULL; /* what the flag says, for 3.9 */
    return 0;
}

int
signature_setup(PyObject *module, State *st)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, "Signature(signature, *, variant_level=0)\n\n"
                    "Zero or more complete types, as text; a subtype of str.\n\n"
                    "ValueError unless ``signature`` (str) obeys the rules of D-Bus. Iterating "
                    "over it gives the\ncomplete types one by one, each a Signature." LEVEL_DOC},
        {Py_tp_new, signature_tp_new},
        {Py_tp_dealloc, string_dealloc},
        {Py_tp_iter, signature_iter},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "dbus.Signature",
        .basicsize = sizeof(StringValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    if (value_add_type(module, &st->signature, &spec, st->str_base, "Signature") < 0 ||
        add_iterator(module, st) < 0)
        return -1;
    st->empty_signature = string_type_new(st->signature, "", 0, 0);
    return st->empty_signature ? 0 : -1;
}
