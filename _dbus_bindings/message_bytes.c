/* SPDX-License-Identifier: MIT */
/*
 * Contract: message_bytes.h.
 */
#include "message_bytes.h"

#include <dbus/dbus.h>
#include <string.h>

#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "message.h"
#include "message_fields.h"

#define HEADER_FIXED 16    /* up to the header fields */
#define HEADER_SERIAL_AT 8 /* u32 */

static void
patch_serial(char *bytes, dbus_uint32_t serial)
{
    bool little = bytes[0] == DBUS_LITTLE_ENDIAN;

    if (little != (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__))
        serial = __builtin_bswap32(serial);
    memcpy(bytes + HEADER_SERIAL_AT, &serial, sizeof serial);
}

/* `serial` 0: the message's own. */
static PyObject *
marshal_new(DBusMessage *message, dbus_uint32_t serial)
{
    _cleanup_dbus_free_ char *bytes = NULL;
    int len;

    if (dbus_message_contains_unix_fds(message)) {
        PyErr_SetString(PyExc_ValueError,
                        "a message that carries file descriptors cannot be turned into bytes");
        return NULL;
    }
    if (!dbus_message_marshal(message, &bytes, &len))
        return PyErr_NoMemory();
    if (serial == 0 && dbus_message_get_serial(message) == 0)
        serial = 1;
    if (serial != 0)
        patch_serial(bytes, serial);
    return PyBytes_FromStringAndSize(bytes, len);
}

PyObject *
message_marshal(PyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"serial", NULL};
    PyObject *given = Py_None, *result = NULL;
    dbus_uint32_t serial = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:marshal", names, &given) ||
        (given != Py_None && !message_serial_converter(given, &serial)))
        return NULL;
    Py_BEGIN_CRITICAL_SECTION(self);
    DBusMessage *message = message_get(self);
    if (message && message_check_sendable(message) == 0)
        result = marshal_new(message, serial);
    Py_END_CRITICAL_SECTION();
    return result;
}

/* libdbus takes missing bytes for want of memory, and drops those that are too many. */
static int
check_length(const char *bytes, Py_ssize_t len)
{
    /* Of its own, as libdbus reads aligned words. */
    _Alignas(8) char start[HEADER_FIXED];

    if (len < HEADER_FIXED) {
        PyErr_Format(PyExc_ValueError, "a message has at least %d bytes, these are %zd",
                     HEADER_FIXED, len);
        return -1;
    }
    memcpy(start, bytes, sizeof start);
    int needed = dbus_message_demarshal_bytes_needed(start, HEADER_FIXED);
    if (needed == len)
        return 0;
    if (needed <= 0)
        PyErr_SetString(PyExc_ValueError, "the bytes do not begin with the header of a message");
    else if (len < needed)
        PyErr_Format(PyExc_ValueError, "the message has %d bytes, but only %zd are there", needed,
                     len);
    else
        PyErr_Format(PyExc_ValueError, "the message ends after %d bytes, but %zd more follow",
                     needed, len - needed);
    return -1;
}

PyObject *
message_demarshal(PyObject *module, PyObject *data)
{
    _cleanup_error_ DBusError error = DBUS_ERROR_INIT;
    _cleanup_buffer_ Py_buffer buffer = {0};

    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0 ||
        check_length(buffer.buf, buffer.len) < 0)
        return NULL;
    DBusMessage *message = dbus_message_demarshal(buffer.buf, (int)buffer.len, &error);
    if (message)
        return message_new_steal(state_of_module(module), message);
    error_raise_value(&error, "the bytes are no message");
    return NULL;
}
