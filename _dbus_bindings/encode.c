/* SPDX-License-Identifier: MIT */
/*
 * The containers and the buffer; encode_basic.c has the values without parts.
 */
#include "encode.h"

#include <string.h>
#include <unistd.h>

#include "compat.h"
#include "guess.h"
#include "heap.h"
#include "types/variant.h"
#include "validate.h"

void
encoder_init(Encoder *e, State *st)
{
    e->st = st;
    e->data = e->small;
    e->len = ENCODE_ROOM;
    e->cap = sizeof e->small;
    e->held = NULL;
    e->n_held = 0;
    e->left_out = 0;
    e->steps = 0;
    e->depth = 0;
    e->fds = NULL;
    e->n_fds = 0;
    e->plain = false;
    e->unix_fds = NULL;
}

void
encoder_clear(Encoder *e)
{
    if (e->data != e->small)
        PyMem_RawFree(e->data);
    e->data = e->small;
    for (size_t i = 0; i < e->n_held; i++)
        Py_DECREF(e->held[i].owner);
    e->n_held = 0;
    PyMem_Free(e->held);
    e->held = NULL;
    for (size_t i = 0; i < e->n_fds; i++)
        close(e->fds[i]);
    e->n_fds = 0;
    PyMem_Free(e->fds);
    e->fds = NULL;
}

int
encode_refuse_size(void)
{
    PyErr_SetString(PyExc_ValueError, "a message may not be longer than 128 MiB");
    return -1;
}

int
encoder_grow(Encoder *e, size_t needed)
{
    /* Also the guard against an iterator that never ends. */
    if (needed + e->left_out > LIMIT_MESSAGE)
        return encode_refuse_size();
    size_t cap = e->cap * 2 > needed ? e->cap * 2 : needed + needed / 2;
    unsigned char *data = PyMem_RawRealloc(e->data == e->small ? NULL : e->data, cap);
    if (!data) {
        PyErr_NoMemory();
        return -1;
    }
    if (e->data == e->small)
        memcpy(data, e->small, e->len);
    e->data = data;
    e->cap = cap;
    return 0;
}

static int
hold(Encoder *e, PyObject *owner, const void *bytes, size_t n)
{
    Held held = {encoder_size(e), n, bytes, owner};

    heap_expect(e->st, n);
    if (held.at + n > LIMIT_MESSAGE)
        return encode_refuse_size();
    if ((e->n_held & (e->n_held - 1)) == 0) { /* a power of two: full */
        Held *more = e->held;
        PyMem_Resize(more, Held, e->n_held ? e->n_held * 2 : 1);
        if (!more) {
            PyErr_NoMemory();
            return -1;
        }
        e->held = more;
    }
    size_t rest = n - held_left_out(&held);
    unsigned char *to = encode_put(e, 1, rest);
    if (!to)
        return -1;
    memset(to, 0, rest);
    e->held[e->n_held++] = held;
    Py_INCREF(owner);
    e->left_out += held_left_out(&held);
    return 0;
}

int
encode_bytes(Encoder *e, PyObject *owner, const void *bytes, size_t n)
{
    if (n >= HELD_LEAST && (PyBytes_Check(owner) || PyUnicode_Check(owner)))
        return hold(e, owner, bytes, n);
    unsigned char *to = encode_put(e, 1, n);
    if (!to)
        return -1;
    memcpy(to, bytes, n);
    return 0;
}

/* One more level of containers, or several at once; the caller takes them off e->depth again. */
int
encode_enter(Encoder *e, unsigned levels)
{
    if (levels > LIMIT_VALUE_DEPTH - e->depth) {
        PyErr_SetString(PyExc_ValueError, "values may be nested at most 64 levels deep (does a "
                                          "container contain itself?)");
        return -1;
    }
    e->depth += levels;
    return 0;
}

/* Whether iterating gives the items themselves, nothing being overridden. */
static inline bool
is_real_list(PyObject *value)
{
    return PyList_Check(value) && Py_TYPE(value)->tp_iter == PyList_Type.tp_iter;
}

static inline bool
is_real_tuple(PyObject *value)
{
    return PyTuple_Check(value) && Py_TYPE(value)->tp_iter == PyTuple_Type.tp_iter;
}

/* New reference to item i, NULL without an exception if there is none (any more). */
static inline PyObject *
list_item(PyObject *list, Py_ssize_t i)
{
#ifdef Py_GIL_DISABLED
    PyObject *item = PyList_GetItemRef(list, i);
    if (!item)
        PyErr_Clear();
    return item;
#else
    return i < PyList_GET_SIZE(list) ? Py_NewRef(PyList_GET_ITEM(list, i)) : NULL;
#endif
}

static int
refuse_array(void)
{
    PyErr_SetString(PyExc_ValueError, "an array may not be longer than 64 MiB");
    return -1;
}

/* Items one after another out of a list or an iterator. */
typedef struct Items {
    PyObject *list;     /* borrowed, or */
    PyObject *iterator; /* owned */
    Py_ssize_t i;
} Items;

static int
items_init(Items *items, PyObject *value)
{
    *items = (Items){0};
    if (is_real_list(value)) {
        items->list = value;
        return 0;
    }
    items->iterator = PyObject_GetIter(value);
    return items->iterator ? 0 : -1;
}

/* 1 and a new reference, 0 at the end, -1 with an exception. */
static inline int
items_next(Items *items, PyObject **ret_item)
{
    PyObject *item;

    if (items->list) {
        item = list_item(items->list, items->i++);
        if (!item)
            return 0;
    } else {
        item = PyIter_Next(items->iterator);
        if (!item)
            return PyErr_Occurred() ? -1 : 0;
    }
    *ret_item = item;
    return 1;
}

/* The items of an array that starts at `start`. */
static int
encode_items(Encoder *e, const Node *node, PyObject *value, size_t start)
{
    Items items;
    PyObject *item;
    int more;

    if (items_init(&items, value) < 0)
        return -1;
    while ((more = items_next(&items, &item)) > 0) {
        int result = encode_value(e, node, item);

        Py_DECREF(item);
        if (result < 0 || (encoder_size(e) - start > LIMIT_ARRAY && refuse_array() < 0)) {
            more = -1;
            break;
        }
    }
    Py_XDECREF(items.iterator);
    return more;
}

static int
encode_entry(Encoder *e, const Node *entry, PyObject *key, PyObject *value, size_t start)
{
    const Node *key_node = entry + 1;

    e->steps++;
    if (!encode_put(e, 8, 0) || encode_value(e, key_node, key) < 0 ||
        encode_value(e, key_node + key_node->next, value) < 0)
        return -1;
    return encoder_size(e) - start > LIMIT_ARRAY ? refuse_array() : 0;
}

/* A dict whose iteration and lookup are those of dict itself. */
static int
encode_real_dict(Encoder *e, const Node *entry, PyObject *dict, size_t start)
{
    Py_ssize_t pos = 0, size = PyDict_GET_SIZE(dict);
    PyObject *key, *value;
    int result = 0;

    Py_BEGIN_CRITICAL_SECTION(dict);
    while (result == 0 && PyDict_Next(dict, &pos, &key, &value)) {
        Py_INCREF(key);
        Py_INCREF(value);
        result = encode_entry(e, entry, key, value, start);
        Py_DECREF(key);
        Py_DECREF(value);
        if (result == 0 && PyDict_GET_SIZE(dict) != size) {
            PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
            result = -1;
        }
    }
    Py_END_CRITICAL_SECTION();
    return result;
}

/* Anything that gives keys when iterated and values when asked for them.  The classic interface has
 * always tried that with sequences too; here it is said at once that they do not fit. */
static int
encode_mapping(Encoder *e, const Node *entry, PyObject *mapping, size_t start)
{
    if (e->plain && !PyObject_HasAttrString(mapping, "keys")) {
        PyErr_Format(PyExc_TypeError, "a dict is needed, not %s", Py_TYPE(mapping)->tp_name);
        return -1;
    }
    _cleanup_object_ PyObject *iterator = PyObject_GetIter(mapping);
    if (!iterator)
        return -1;
    for (;;) {
        _cleanup_object_ PyObject *key = PyIter_Next(iterator);
        if (!key)
            return PyErr_Occurred() ? -1 : 0;
        _cleanup_object_ PyObject *value = PyObject_GetItem(mapping, key);
        if (!value || encode_entry(e, entry, key, value, start) < 0)
            return -1;
    }
}

static int
encode_dict(Encoder *e, const Node *entry, PyObject *value, size_t start)
{
    int result;

    if (encode_enter(e, 1) < 0)
        return -1;
    if (PyDict_Check(value) && Py_TYPE(value)->tp_iter == PyDict_Type.tp_iter &&
        Py_TYPE(value)->tp_as_mapping->mp_subscript == PyDict_Type.tp_as_mapping->mp_subscript)
        result = encode_real_dict(e, entry, value, start);
    else
        result = encode_mapping(e, entry, value, start);
    e->depth--;
    return result;
}

static int
encode_block(Encoder *e, PyObject *owner, const void *bytes, size_t n)
{
    return n > LIMIT_ARRAY ? refuse_array() : encode_bytes(e, owner, bytes, n);
}

/* Plain values: bytes, bytearray and other buffers of bytes, and nothing that is iterated over. */
static int
encode_buffer(Encoder *e, PyObject *value)
{
    _cleanup_buffer_ Py_buffer view = {0};

    if (PyObject_GetBuffer(value, &view, PyBUF_SIMPLE) < 0)
        return -1;
    return encode_block(e, value, view.buf, (size_t)view.len);
}

/* A ByteArray where variants are wanted gives variants of bytes, other bytes give int32. */
static int
encode_byte_variants(Encoder *e, PyObject *bytes, size_t start)
{
    Py_ssize_t n = PyBytes_GET_SIZE(bytes);

    if (encode_enter(e, 1) < 0)
        return -1;
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned char *to = encode_put(e, 1, 4);
        if (!to)
            return -1;
        memcpy(to, (unsigned char[]){1, 'y', 0, (unsigned char)PyBytes_AS_STRING(bytes)[i]}, 4);
    }
    e->depth--;
    e->steps += 2 * (size_t)n;
    return encoder_size(e) - start > LIMIT_ARRAY ? refuse_array() : 0;
}

static int
encode_array(Encoder *e, const Node *node, PyObject *value)
{
    const Node *item = node + 1;
    uint32_t length;
    int result;

    if (encode_enter(e, 1) < 0 || !encode_put(e, 4, sizeof length))
        return -1;
    size_t length_at = e->len - sizeof length;
    size_t steps = e->steps;
    if (!encode_put(e, item->align, 0))
        return -1;
    size_t start =
        encoder_size(e); /* the length does not count the padding before the first item */

    if (item->op == OP_ENTRY)
        result = encode_dict(e, item, value, start);
    else if (item->op == INT_BYTE && PyBytes_Check(value))
        result = encode_block(e, value, PyBytes_AS_STRING(value), (size_t)PyBytes_GET_SIZE(value));
    else if (item->op == INT_BYTE && e->plain)
        result = encode_buffer(e, value);
    else if (item->op == OP_VARIANT && PyObject_TypeCheck(value, e->st->byte_array))
        result = encode_byte_variants(e, value, start);
    else
        result = encode_items(e, item, value, start);
    if (result < 0)
        return -1;
    length = (uint32_t)(encoder_size(e) - start);
    memcpy(e->data + length_at, &length, sizeof length);
    if (item->op <= OP_DOUBLE) /* which are appended all at once */
        e->steps = steps;
    e->depth--;
    return 0;
}

static int
refuse_count(bool too_many)
{
    PyErr_Format(PyExc_TypeError,
                 "%s items found in struct's D-Bus signature than in Python arguments",
                 too_many ? "Fewer" : "More");
    return -1;
}

/* The items of a tuple cannot change and live as long as it does. */
static int
encode_tuple(Encoder *e, const Node *node, PyObject *tuple)
{
    const Node *member = node + 1;
    Py_ssize_t n = PyTuple_GET_SIZE(tuple);

    for (Py_ssize_t i = 0; i < node->count; i++, member += member->next) {
        if (i >= n)
            return refuse_count(false);
        if (encode_value(e, member, PyTuple_GET_ITEM(tuple, i)) < 0)
            return -1;
    }
    return n > node->count ? refuse_count(true) : 0;
}

static int
encode_members(Encoder *e, const Node *node, PyObject *value)
{
    const Node *member = node + 1;
    Items items;
    PyObject *item;
    int more = 0;

    if (items_init(&items, value) < 0)
        return -1;
    for (unsigned i = 0; i < node->count && more == 0; i++, member += member->next) {
        more = items_next(&items, &item);
        if (more == 0)
            more = refuse_count(false);
        if (more < 0)
            break;
        more = encode_value(e, member, item);
        Py_DECREF(item);
    }
    if (more == 0 && (more = items_next(&items, &item)) > 0) {
        Py_DECREF(item);
        more = refuse_count(true);
    }
    Py_XDECREF(items.iterator);
    return more;
}

static int
encode_struct(Encoder *e, const Node *node, PyObject *value)
{
    if (encode_enter(e, 1) < 0 || !encode_put(e, 8, 0))
        return -1;
    int result =
        is_real_tuple(value) ? encode_tuple(e, node, value) : encode_members(e, node, value);
    e->depth--;
    return result;
}

static int
encode_signature(Encoder *e, const char *text, size_t n)
{
    unsigned char *to = encode_put(e, 1, n + 2);

    if (!to)
        return -1;
    *to = (unsigned char)n;
    memcpy(to + 1, text, n + 1);
    return 0;
}

/* A value at level n travels in n variants, one at level 0 in one. */
static int
encode_variant(Encoder *e, PyObject *value)
{
    Guess guess = {0};
    long level;

    if (guess_content(e->st, value, &guess, &level) < 0)
        return -1;
    unsigned levels = level < 1 ? 1 : level > 100 ? 100 : (unsigned)level;
    if (encode_enter(e, levels) < 0)
        return -1;
    for (unsigned i = 1; i < levels; i++)
        if (encode_signature(e, "v", 1) < 0)
            return -1;

    const Node *simple = guess.len == 1 ? program_simple_node(guess.text[0]) : NULL;
    _cleanup_program_ Program *program = NULL;
    if (!simple) {
        program = program_get(e->st, guess.text, guess.len);
        if (!program)
            return -1;
        simple = program->nodes;
    }
    if (encode_signature(e, guess.text, guess.len) < 0 || encode_value(e, simple, value) < 0)
        return -1;
    e->depth -= levels;
    return 0;
}

/* The content of a Variant, under the signature that it brings. */
static int
encode_plain_variant(Encoder *e, PyObject *variant)
{
    PyObject *signature, *value;
    Py_ssize_t len;

    if (variant_parts(e->st, variant, &signature, &value) < 0 || encode_enter(e, 1) < 0)
        return -1;
    const char *text = check_text(signature, "the signature of a Variant", &len);
    if (!text)
        return -1;
    const Node *node = len == 1 ? program_simple_node(text[0]) : NULL;
    _cleanup_program_ Program *program = NULL;
    if (!node) {
        program = program_get(e->st, text, (size_t)len);
        if (!program)
            return -1;
        if (program->count != 1) {
            PyErr_SetString(PyExc_ValueError, "a Variant does not hold exactly one value");
            return -1;
        }
        node = program->nodes;
    }
    /* Code that converts a value may put another value into the Variant. */
    _keep_object_ PyObject *keep = Py_NewRef(value);
    if (encode_signature(e, text, (size_t)len) < 0 || encode_value(e, node, value) < 0)
        return -1;
    e->depth--;
    return 0;
}

/* Not a part of encode_value(), which would save registers for it before every number. */
__attribute__((noinline)) static int
encode_container(Encoder *e, const Node *node, PyObject *value)
{
    if (node->op == OP_VARIANT)
        return e->plain ? encode_plain_variant(e, value) : encode_variant(e, value);
    return node->op == OP_ARRAY ? encode_array(e, node, value) : encode_struct(e, node, value);
}

int
encode_value(Encoder *e, const Node *node, PyObject *value)
{
    e->steps++;
    return node->op < OP_VARIANT ? encode_basic(e, node, value) : encode_container(e, node, value);
}

int
encode_args(Encoder *e, const Program *program, PyObject *const *args, Py_ssize_t n)
{
    const Node *node = program->nodes;

    for (Py_ssize_t i = 0; i < program->count; i++, node += node->next) {
        if (i >= n) {
            PyErr_SetString(PyExc_TypeError,
                            "More items found in D-Bus signature than in Python arguments");
            return -1;
        }
        if (encode_value(e, node, args[i]) < 0)
            return -1;
    }
    /* With an empty signature the arguments are ignored, as they have always been. */
    if (n > program->count && program->count > 0) {
        PyErr_SetString(PyExc_TypeError,
                        "Fewer items found in D-Bus signature than in Python arguments");
        return -1;
    }
    return 0;
}
