/* SPDX-License-Identifier: MIT */
/*
 * The values without parts: numbers, texts and file descriptors.
 */
#include "encode.h"
#include "limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "compat.h"
#include "guess.h"
#include "signature.h"
#include "types/int.h"
#include "types/unixfd.h"
#include "validate.h"

/* The number of an int whose conversion is its own, if it is in range; else the long way round,
 * which raises what is to be raised. */
static inline int
number_bits(Encoder *e, enum IntKind kind, PyObject *value, uint64_t *ret_bits)
{
    if (PyLong_CheckExact(value) || Py_TYPE(value) == int_type_borrow(e->st, kind)) {
        int overflow;
        long long number = PyLong_AsLongLongAndOverflow(value, &overflow);

        if (kind == INT_BOOLEAN) {
            *ret_bits = number != 0 || overflow;
            return 0;
        }
        if (!overflow && number >= int_rows[kind].min &&
            (number < 0 || (unsigned long long)number <= int_rows[kind].max)) {
            *ret_bits = (uint64_t)number;
            return 0;
        }
    }
    return int_to_wire(e->st, value, kind, ret_bits);
}

static int
encode_number(Encoder *e, const Node *node, PyObject *value)
{
    uint64_t bits = 0;

    if (number_bits(e, (enum IntKind)node->op, value, &bits) < 0)
        return -1;
    unsigned char *to = encode_put(e, node->size, node->size);
    if (!to)
        return -1;
    switch (node->size) {
    case 1:
        *to = (unsigned char)bits;
        break;
    case 2:
        memcpy(to, &(uint16_t){(uint16_t)bits}, 2);
        break;
    case 4:
        memcpy(to, &(uint32_t){(uint32_t)bits}, 4);
        break;
    default:
        memcpy(to, &bits, 8);
    }
    return 0;
}

static int
encode_double(Encoder *e, PyObject *value)
{
    double number = PyFloat_AsDouble(value);

    if (number == -1.0 && PyErr_Occurred())
        return -1;
    unsigned char *to = encode_put(e, 8, sizeof number);
    if (!to)
        return -1;
    memcpy(to, &number, sizeof number);
    return 0;
}

/* The bytes of a text, which live as long as `value`; what D-Bus forbids in any string is
 * refused. */
static const char *
text_bytes(PyObject *value, size_t *ret_len)
{
    const char *text;
    Py_ssize_t len;

    if (PyUnicode_Check(value)) {
        if (PyUnicode_IS_ASCII(value)) {
            text = (const char *)PyUnicode_DATA(value);
            len = PyUnicode_GET_LENGTH(value);
        } else if (!(text = PyUnicode_AsUTF8AndSize(value, &len))) {
            return NULL;
        }
    } else if (PyBytes_Check(value)) {
        text = PyBytes_AS_STRING(value);
        len = PyBytes_GET_SIZE(value);
    } else {
        PyErr_SetString(PyExc_TypeError, "Expected a string or unicode object");
        return NULL;
    }
    if (memchr(text, 0, (size_t)len)) {
        PyErr_SetString(PyExc_ValueError, "embedded null byte");
        return NULL;
    }
    if (PyBytes_Check(value) && !dbus_validate_utf8(text, NULL)) {
        PyErr_SetString(PyExc_UnicodeError,
                        "String parameters to be sent over D-Bus must be valid UTF-8");
        return NULL;
    }
    *ret_len = (size_t)len;
    return text;
}

static int
encode_text(Encoder *e, const Node *node, PyObject *value)
{
    size_t len;
    const char *text = text_bytes(value, &len);

    if (!text || (node->op == OP_PATH && !path_is_valid(text, len) && check_path(text) < 0))
        return -1;
    if (node->op == OP_SIGNATURE) {
        const char *rule = signature_rule(text, len);
        if (rule) {
            PyErr_Format(PyExc_ValueError, "Corrupt type signature '%.300s': %s", text, rule);
            return -1;
        }
        unsigned char *to = encode_put(e, 1, len + 2);
        if (!to)
            return -1;
        *to = (unsigned char)len;
        memcpy(to + 1, text, len + 1);
        return 0;
    }
    if (len > LIMIT_MESSAGE)
        return encode_refuse_size();

    size_t here = len < HELD_LEAST ? len + 1 : 0;
    unsigned char *to = encode_put(e, 4, 4 + here);
    if (!to)
        return -1;
    memcpy(to, &(uint32_t){(uint32_t)len}, 4);
    memcpy(to + 4, text, here);
    return here ? 0 : encode_bytes(e, value, text, len + 1);
}

static int
encode_path(Encoder *e, const Node *node, PyObject *value)
{
    _cleanup_object_ PyObject *path = NULL;

    if (!PyUnicode_CheckExact(value) && Py_TYPE(value) != e->st->object_path &&
        guess_object_path(e->st, value, &path) < 0)
        return -1;
    return encode_text(e, node, path ? path : value);
}

/* The descriptor that a plain message means by an index, borrowed; NULL with ValueError. */
static PyObject *
fd_at(const Encoder *e, PyObject *index)
{
    Py_ssize_t n = e->unix_fds && PyList_Check(e->unix_fds) ? PyList_GET_SIZE(e->unix_fds) : 0;
    Py_ssize_t at = PyLong_Check(index) ? PyLong_AsSsize_t(index) : -1;

    if (at >= 0 && at < n)
        return PyList_GET_ITEM(e->unix_fds, at);
    PyErr_Clear();
    PyErr_Format(PyExc_ValueError, "type 'h' needs an index into the %zd unix_fds, not %R", n,
                 index);
    return NULL;
}

/* The number of an open descriptor. */
static int
fd_number(Encoder *e, PyObject *value)
{
    long number;

    if (e->plain && !(value = fd_at(e, value)))
        return -1;
    if (PyObject_TypeCheck(value, e->st->unix_fd)) {
        number = unixfd_fd(value);
        if (number < 0)
            PyErr_SetString(PyExc_ValueError,
                            "the file descriptor has been taken out of its UnixFd");
        return (int)number;
    }
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "Expected a UnixFd or the int of a file descriptor, not %s",
                     Py_TYPE(value)->tp_name);
        return -1;
    }
    number = PyLong_AsLong(value);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (number < INT_MIN || number > INT_MAX) {
        PyErr_Format(PyExc_ValueError, "out of int range: %ld", number);
        return -1;
    }
    if (number < 0) {
        PyErr_Format(PyExc_ValueError, "%ld is not an open file descriptor", number);
        return -1;
    }
    return (int)number;
}

int
encode_refuse_fds(void)
{
    PyErr_SetString(PyExc_ValueError, "a message may not carry more than 253 descriptors");
    return -1;
}

/* Duplicated at once: the code that converts later values may close the original. */
static int
encode_fd(Encoder *e, PyObject *value)
{
    uint32_t index = (uint32_t)e->n_fds;
    int fd = fd_number(e, value);

    if (fd < 0)
        return -1;
    if (index >= LIMIT_FDS)
        return encode_refuse_fds();
    if (!e->fds && !(e->fds = PyMem_New(int, LIMIT_FDS))) {
        PyErr_NoMemory();
        return -1;
    }
    int duplicate = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (duplicate < 0) {
        if (errno == EBADF)
            PyErr_Format(PyExc_ValueError, "%d is not an open file descriptor", fd);
        else
            PyErr_SetFromErrno(PyExc_OSError);
        return -1;
    }
    e->fds[e->n_fds++] = duplicate;
    unsigned char *to = encode_put(e, 4, sizeof index);
    if (!to)
        return -1;
    memcpy(to, &index, sizeof index);
    return 0;
}

int
encode_basic(Encoder *e, const Node *node, PyObject *value)
{
    switch (node->op) {
    case OP_DOUBLE:
        return encode_double(e, value);
    case OP_STRING:
    case OP_SIGNATURE:
        return encode_text(e, node, value);
    case OP_PATH:
        return encode_path(e, node, value);
    case OP_FD:
        return encode_fd(e, value);
    default:
        return encode_number(e, node, value);
    }
}
