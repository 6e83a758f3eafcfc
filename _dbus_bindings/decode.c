/* SPDX-License-Identifier: MIT */
/*
 * Contract: decode.h.  One walk over the nodes of a program and the bytes of a body, side by side.
 */
#include "decode.h"

#include <string.h>

#include "compat.h"
#include "heap.h"
#include "signature.h"
#include "types/array.h"
#include "types/bytes.h"
#include "types/dict.h"
#include "types/float.h"
#include "types/int.h"
#include "types/string.h"
#include "types/struct.h"
#include "types/unixfd.h"
#include "types/variant.h"

typedef struct Decoder {
    State *st;
    const DecodeBody *body;
    const unsigned char *data;
    size_t pos;
    size_t end; /* of the innermost array, or of the body */
    size_t next_fd;
    unsigned depth;
    bool swap;
    bool typed;
    bool blocks; /* ay becomes bytes of a kind */
} Decoder;

static PyObject *decode_value(Decoder *d, const Node *node, long level);

static PyObject *
refuse(const char *what)
{
    return PyErr_Format(PyExc_ValueError, "the message body is malformed: %s", what);
}

/* Steps over padding and n bytes; NULL with an exception if they are not there. */
static inline const unsigned char *
take(Decoder *d, size_t align, size_t n)
{
    size_t start = (d->pos + align - 1) & ~(align - 1);

    if (start > d->end || n > d->end - start) {
        refuse("a value goes beyond the end");
        return NULL;
    }
    d->pos = start + n;
    return d->data + start;
}

static inline uint32_t
load32(const Decoder *d, const unsigned char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return d->swap ? __builtin_bswap32(value) : value;
}

static inline uint64_t
load64(const Decoder *d, const unsigned char *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return d->swap ? __builtin_bswap64(value) : value;
}

static inline uint16_t
load16(const Decoder *d, const unsigned char *at)
{
    uint16_t value;

    memcpy(&value, at, sizeof value);
    return d->swap ? __builtin_bswap16(value) : value;
}

/* The number at `at` as a two's complement of 64 bits. */
static inline int64_t
load_number(const Decoder *d, unsigned op, const unsigned char *at)
{
    switch (op) {
    case INT_BYTE:
        return *at;
    case INT_INT16:
        return (int16_t)load16(d, at);
    case INT_UINT16:
        return load16(d, at);
    case INT_INT32:
        return (int32_t)load32(d, at);
    case INT_BOOLEAN:
        return load32(d, at) != 0;
    case INT_UINT32:
        return load32(d, at);
    default:
        return (int64_t)load64(d, at);
    }
}

static PyObject *
number_new(const Decoder *d, unsigned op, const unsigned char *at, long level)
{
    int64_t number = load_number(d, op, at);

    if (d->typed)
        return int_new(d->st, (enum IntKind)op, number, level);
    if (op == INT_BOOLEAN)
        return PyBool_FromLong(number != 0);
    return op == INT_UINT64 ? PyLong_FromUnsignedLongLong((uint64_t)number)
                            : PyLong_FromLongLong(number);
}

static PyObject *
decode_double(Decoder *d, long level)
{
    const unsigned char *at = take(d, 8, 8);
    double number;

    if (!at)
        return NULL;
    uint64_t bits = load64(d, at);
    memcpy(&number, &bits, sizeof number);
    return d->typed ? double_new(d->st, number, level) : PyFloat_FromDouble(number);
}

/* The bytes of a string, a path (length of 32 bits) or a signature (8 bits). */
static inline const char *
take_text(Decoder *d, unsigned op, size_t *ret_len)
{
    const unsigned char *at = op == OP_SIGNATURE ? take(d, 1, 1) : take(d, 4, 4);

    if (!at)
        return NULL;
    size_t len = op == OP_SIGNATURE ? *at : load32(d, at);
    if (len >= d->end - d->pos) { /* its NUL is there too */
        refuse("a value goes beyond the end");
        return NULL;
    }
    const unsigned char *text = d->data + d->pos;
    d->pos += len + 1;
    *ret_len = len;
    return (const char *)text;
}

static PyObject *
text_new(const Decoder *d, unsigned op, const char *text, size_t len, long level)
{
    heap_expect(d->st, len);
    if (!d->typed)
        return PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, NULL);
    switch (op) {
    case OP_STRING:
        return string_new(d->st, text, len, level);
    case OP_PATH:
        return object_path_new(d->st, text, len, level);
    default:
        return signature_new(d->st, text, len, level);
    }
}

static PyObject *
decode_text(Decoder *d, unsigned op, long level)
{
    size_t len;
    const char *text = take_text(d, op, &len);

    return text ? text_new(d, op, text, len, level) : NULL;
}

static PyObject *
decode_fd(Decoder *d, long level)
{
    if (!take(d, 4, 4))
        return NULL;
    if (d->next_fd >= d->body->n_fds || d->body->fds[d->next_fd] < 0)
        return refuse("a file descriptor is missing");
    size_t at = d->next_fd++;
    if (!d->typed)
        return PyLong_FromSize_t(at);
    int fd = d->body->fds[at];
    d->body->fds[at] = -1;
    return unixfd_new_steal(d->st, fd, level);
}

static PyObject *
decode_variant(Decoder *d, long level)
{
    size_t len;
    const char *text = take_text(d, OP_SIGNATURE, &len);

    if (!text)
        return NULL;
    if (++d->depth > LIMIT_VALUE_DEPTH)
        return refuse("values are nested too deeply");

    _cleanup_program_ Program *program = NULL;
    const Node *node = len == 1 ? program_simple_node(text[0]) : NULL;
    if (!node) {
        program = program_get(d->st, text, len);
        if (!program)
            return NULL;
        if (program->count != 1)
            return refuse("a variant does not hold exactly one value");
        node = program->nodes;
    }
    PyObject *value = decode_value(d, node, level + 1);
    d->depth--;
    return d->typed || !value
               ? value
               : variant_new_steal(d->st, program_shared_text(d->st, text, len, false), value);
}

/* The items of an array of numbers, whose count is known. */
static int
decode_numbers(Decoder *d, const Node *item, PyObject *list, size_t n)
{
    const unsigned char *at = d->data + d->pos;

    for (size_t i = 0; i < n; i++, at += item->size) {
        PyObject *value = number_new(d, item->op, at, 0);
        if (!value)
            return -1;
        PyList_SET_ITEM(list, (Py_ssize_t)i, value);
    }
    d->pos = d->end;
    return 0;
}

static int
decode_items(Decoder *d, const Node *item, PyObject *list)
{
    while (d->pos < d->end) {
        PyObject *value = decode_value(d, item, 0);
        if (!value)
            return -1;
        int result = PyList_Append(list, value);
        Py_DECREF(value);
        if (result < 0)
            return -1;
    }
    return 0;
}

static PyObject *
list_new(Decoder *d, const Node *node, size_t n, long level)
{
    return d->typed ? array_new(d->st, (Py_ssize_t)n, node->signature, level)
                    : PyList_New((Py_ssize_t)n);
}

/* The rest of an array that fills d->pos to d->end. */
static PyObject *
decode_list(Decoder *d, const Node *node, long level)
{
    const Node *item = node + 1;
    size_t bytes = d->end - d->pos;

    if (item->op == INT_BYTE && d->blocks) {
        const unsigned char *at = take(d, 1, bytes);
        heap_expect(d->st, bytes);
        return d->typed ? byte_array_new(d->st, at, bytes, level)
                        : PyBytes_FromStringAndSize((const char *)at, (Py_ssize_t)bytes);
    }
    bool numbers = item->op < INT_KINDS;
    if (numbers && bytes % item->size)
        return refuse("an array ends within a value");
    size_t n = numbers ? bytes / item->size : 0;
    PyObject *list = list_new(d, node, n, level);
    if (!list)
        return NULL;
    if ((numbers ? decode_numbers(d, item, list, n) : decode_items(d, item, list)) < 0)
        Py_CLEAR(list);
    return list;
}

static PyObject *
decode_key(Decoder *d, const Node *node)
{
    size_t len;

    if (node->op != OP_STRING && (node->op != OP_PATH || d->typed))
        return decode_value(d, node, 0);
    const char *text = take_text(d, OP_STRING, &len);
    return text ? program_shared_text(d->st, text, len, d->typed) : NULL;
}

static PyObject *
decode_dict(Decoder *d, const Node *node, long level)
{
    const Node *key_node = node + 2;
    const Node *value_node = key_node + key_node->next;
    PyObject *dict = d->typed ? dictionary_new(d->st, node->signature, level) : PyDict_New();
    PyObject *key = NULL, *value = NULL;

    if (!dict || ++d->depth > LIMIT_VALUE_DEPTH)
        goto fail;
    while (d->pos < d->end) {
        if (!take(d, 8, 0) || !(key = decode_key(d, key_node)) ||
            !(value = decode_value(d, value_node, 0)) || PyDict_SetItem(dict, key, value) < 0)
            goto fail;
        Py_CLEAR(key);
        Py_CLEAR(value);
    }
    d->depth--;
    return dict;

fail:
    Py_XDECREF(key);
    Py_XDECREF(value);
    Py_XDECREF(dict);
    return PyErr_Occurred() ? NULL : refuse("values are nested too deeply");
}

static PyObject *
decode_array(Decoder *d, const Node *node, long level)
{
    const Node *item = node + 1;
    const unsigned char *at = take(d, 4, 4);

    if (!at)
        return NULL;
    size_t bytes = load32(d, at);
    if (!take(d, item->align, 0))
        return NULL;
    if (bytes > LIMIT_ARRAY || bytes > d->end - d->pos)
        return refuse("an array is longer than the message");
    if (++d->depth > LIMIT_VALUE_DEPTH)
        return refuse("values are nested too deeply");

    size_t outer = d->end;
    d->end = d->pos + bytes;
    PyObject *value =
        item->op == OP_ENTRY ? decode_dict(d, node, level) : decode_list(d, node, level);
    d->end = outer;
    d->depth--;
    return value;
}

static PyObject *
decode_struct(Decoder *d, const Node *node, long level)
{
    const Node *member = node + 1;

    if (!take(d, 8, 0))
        return NULL;
    if (++d->depth > LIMIT_VALUE_DEPTH)
        return refuse("values are nested too deeply");
    PyObject *tuple =
        d->typed ? struct_new(d->st, node->count, NULL, level) : PyTuple_New(node->count);
    if (!tuple)
        return NULL;
    for (Py_ssize_t i = 0; i < node->count; i++, member += member->next) {
        PyObject *value = decode_value(d, member, 0);
        if (!value) {
            Py_DECREF(tuple);
            return NULL;
        }
        PyTuple_SET_ITEM(tuple, i, value);
    }
    d->depth--;
    return tuple;
}

static PyObject *
decode_value(Decoder *d, const Node *node, long level)
{
    switch (node->op) {
    case OP_STRING:
    case OP_PATH:
    case OP_SIGNATURE:
        return decode_text(d, node->op, level);
    case OP_VARIANT:
        return decode_variant(d, level);
    case OP_ARRAY:
        return decode_array(d, node, level);
    case OP_STRUCT:
        return decode_struct(d, node, level);
    case OP_DOUBLE:
        return decode_double(d, level);
    case OP_FD:
        return decode_fd(d, level);
    default: {
        const unsigned char *at = take(d, node->size, node->size);
        return at ? number_new(d, node->op, at, level) : NULL;
    }
    }
}

static Decoder
decoder(State *st, enum DecodeFlavour flavour)
{
    return (Decoder){
        .st = st,
        .typed = flavour == DECODE_TYPED || flavour == DECODE_TYPED_BYTE_ARRAYS,
        .blocks = flavour != DECODE_TYPED,
    };
}

PyObject *
decode_body(State *st, const Program *program, const DecodeBody *body, enum DecodeFlavour flavour)
{
    Decoder d = decoder(st, flavour);
    _cleanup_object_ PyObject *list = PyList_New(program->count);
    const Node *node = program->nodes;

    if (!list)
        return NULL;
    d.body = body;
    d.data = body->data;
    d.end = body->len;
    d.swap = body->swap;
    for (Py_ssize_t i = 0; i < program->count; i++, node += node->next) {
        PyObject *value = decode_value(&d, node, 0);
        if (!value)
            return NULL;
        PyList_SET_ITEM(list, i, value);
    }
    return TAKE(list);
}

/* An array of numbers where it lies, in the message. */
static PyObject *
flat_array(Decoder *d, const Node *node, DBusMessageIter *iter)
{
    DBusMessageIter sub;
    const void *numbers = NULL;
    int n = 0;

    dbus_message_iter_recurse(iter, &sub);
    dbus_message_iter_get_fixed_array(&sub, &numbers, &n);
    d->data = numbers ? numbers : (const void *)"";
    d->pos = 0;
    d->end = (size_t)n * node[1].size;
    return decode_list(d, node, 0);
}

static PyObject *
flat_value(Decoder *d, const Node *node, DBusMessageIter *iter)
{
    DBusBasicValue value;

    if (node->op == OP_ARRAY)
        return flat_array(d, node, iter);
    dbus_message_iter_get_basic(iter, &value);
    if (node->op == OP_DOUBLE)
        return d->typed ? double_new(d->st, value.dbl, 0) : PyFloat_FromDouble(value.dbl);
    if (node->op < INT_KINDS)
        return number_new(d, node->op, (const unsigned char *)&value, 0);
    return text_new(d, node->op, value.str, strlen(value.str), 0);
}

PyObject *
decode_flat(State *st, const Program *program, DBusMessage *message, enum DecodeFlavour flavour)
{
    Decoder d = decoder(st, flavour);
    _cleanup_object_ PyObject *list = PyList_New(program->count);
    const Node *node = program->nodes;
    DBusMessageIter iter;

    if (!list || !dbus_message_iter_init(message, &iter))
        return list ? refuse("it has no arguments") : NULL;
    for (Py_ssize_t i = 0; i < program->count; i++, node += node->next) {
        if (i > 0)
            dbus_message_iter_next(&iter);
        PyObject *value = flat_value(&d, node, &iter);
        if (!value)
            return NULL;
        PyList_SET_ITEM(list, i, value);
    }
    return TAKE(list);
}
