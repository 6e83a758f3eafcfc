/* SPDX-License-Identifier: MIT */
/*
 * Two ways.  A message that is still empty is put together as bytes, the header as libdbus writes
 * it plus the signature field, and parsed by libdbus: that is twice as fast as its iterators for
 * bodies of many values or of more than one argument, and validates, so that a fault of our encoder
 * is an exception and never a bad message on the bus.  All else goes through replay.c: few values,
 * and great blocks of bytes, which are copied once there.
 */
#include "commit.h"
#include "limits.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"
#include "errors.h"
#include "fdwalk.h"
#include "replay.h"

/* What it costs libdbus to read a message, in steps of the encoder (of 500 instructions): the header,
 * a step for so many bytes, as they are copied twice more; and what it costs beyond a step to append
 * a further argument, for which the header's signature is written anew. */
#define COMMIT_STEPS 31u
#define COMMIT_BYTES 1024u
#define COMMIT_ARGUMENT 45u

#define COMMIT_SMALL 512u    /* bytes of body that are appended without a copy of the header */
#define HEADER_FIXED 16u     /* D-Bus Specification, "Message Format": up to the header fields */
#define HEADER_BODY_AT 4u    /* u32, length of the body */
#define HEADER_SERIAL_AT 8u  /* u32 */
#define HEADER_FIELDS_AT 12u /* u32, length of the fields, padding at the end not included */
#define FIELD_SIGNATURE 8u

const char *
commit_missing_field(DBusMessage *message)
{
    int type = dbus_message_get_type(message);
    bool call = type == DBUS_MESSAGE_TYPE_METHOD_CALL;
    bool signal = type == DBUS_MESSAGE_TYPE_SIGNAL;
    bool error = type == DBUS_MESSAGE_TYPE_ERROR;
    bool reply = error || type == DBUS_MESSAGE_TYPE_METHOD_RETURN;

    if ((call || signal) && !dbus_message_get_path(message))
        return "path";
    if (signal && !dbus_message_get_interface(message))
        return "interface";
    if ((call || signal) && !dbus_message_get_member(message))
        return "member";
    if (error && !dbus_message_get_error_name(message))
        return "error_name";
    return reply && dbus_message_get_reply_serial(message) == 0 ? "reply_serial" : NULL;
}

bool
commit_is_local(DBusMessage *message)
{
    const char *path = dbus_message_get_path(message);
    const char *interface = dbus_message_get_interface(message);

    return (path && strcmp(path, DBUS_PATH_LOCAL) == 0) ||
           (interface && strcmp(interface, DBUS_INTERFACE_LOCAL) == 0);
}

int
commit_check_size(DBusMessage *message, const char *path, size_t more)
{
    const char *old_path = dbus_message_get_path(message);
    size_t size = LIMIT_NAMES + (path ? strlen(path) : 0) + more;

    if (*dbus_message_get_signature(message)) {
        _cleanup_dbus_free_ char *bytes = NULL;
        int len;
        if (!dbus_message_marshal(message, &bytes, &len)) {
            PyErr_NoMemory();
            return -1;
        }
        size += (size_t)len - (old_path ? strlen(old_path) : 0);
    }
    return size > LIMIT_MESSAGE ? encode_refuse_size() : 0;
}

static void
patch32(unsigned char *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static uint32_t
read32(const unsigned char *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

/* Puts the header in front of the body, with the signature as one more field.  The length of the
 * whole, which ends where the buffer ends, goes to *ret_size. */
static int
prepend_header(Encoder *e, const Program *program, const unsigned char *header, size_t fields,
               size_t *ret_size)
{
    size_t body = e->len - ENCODE_ROOM;
    size_t field = (HEADER_FIXED + fields + 7) & ~(size_t)7;
    size_t fields_end = field + 4 + 1 + program->text_len + 1u;
    size_t size = (fields_end + 7) & ~(size_t)7;
    unsigned char *start;

    if (LIMIT_NAMES + size + body > LIMIT_MESSAGE) {
        encode_refuse_size();
        return -1;
    }
    if (size > ENCODE_ROOM) {
        if (!encode_put(e, 1, size - ENCODE_ROOM))
            return -1;
        memmove(e->data + size, e->data + ENCODE_ROOM, body);
    }
    start = e->data + e->len - body - size;
    memset(start, 0, size);
    memcpy(start, header, HEADER_FIXED + fields);
    start[field] = FIELD_SIGNATURE;
    start[field + 1] = 1;
    start[field + 2] = 'g';
    start[field + 4] = program->text_len;
    memcpy(start + field + 5, program->text, program->text_len);
    patch32(start + HEADER_BODY_AT, (uint32_t)body);
    patch32(start + HEADER_SERIAL_AT, 1); /* 0 would be refused; taken back later */
    patch32(start + HEADER_FIELDS_AT, (uint32_t)(fields_end - HEADER_FIXED));
    *ret_size = size + body;
    return 0;
}

static int
commit_bytes(DBusMessage **message, const Program *program, Encoder *e)
{
    _cleanup_dbus_free_ char *header = NULL;
    _cleanup_error_ DBusError error = DBUS_ERROR_INIT;
    int header_len;
    size_t size;

    if (!dbus_message_marshal(*message, &header, &header_len)) {
        PyErr_NoMemory();
        return -1;
    }
    const unsigned char *bytes = (const unsigned char *)header;
    if (prepend_header(e, program, bytes, read32(bytes + HEADER_FIELDS_AT), &size) < 0)
        return -1;
    const char *whole = (const char *)e->data + e->len - size;
    DBusMessage *made = dbus_message_demarshal(whole, (int)size, &error);
    if (!made)
        return error_raise_value(&error, "libdbus does not accept the arguments");
    dbus_message_set_serial(made, 0);
    dbus_message_unref(*message);
    *message = made;
    return 0;
}

/* libdbus makes longer ones too, which it would refuse to parse. */
static int
check_sums(DBusMessage *message, const Program *program, size_t body)
{
    if (strlen(dbus_message_get_signature(message)) + program->text_len > LIMIT_SIGNATURE) {
        PyErr_SetString(PyExc_ValueError, "the signature of a message may not be longer than 255 "
                                          "bytes");
        return -1;
    }
    return commit_check_size(message, dbus_message_get_path(message), body);
}

DBusMessage *
commit_copy_new(DBusMessage *message)
{
    errno = 0;
    DBusMessage *copy = dbus_message_copy(message);

    if (!copy)
        replay_refuse();
    return copy;
}

/* A failure in the middle leaves a ruin, so what somebody has is replaced by a copy that is whole. */
static int
commit_replay(State *st, DBusMessage **message, enum CommitTo to, const Program *program,
              Encoder *e)
{
    if (check_sums(*message, program, encoder_size(e)) < 0)
        return -1;
    if (e->n_fds > 0 && fdwalk_count(*message) + e->n_fds > LIMIT_FDS)
        return encode_refuse_fds();
    if (to == COMMIT_TO_NEW)
        return replay_body(st, *message, program, e);

    _cleanup_message_ DBusMessage *copy = commit_copy_new(*message);
    if (!copy || replay_body(st, copy, program, e) < 0)
        return -1;
    dbus_message_set_serial(copy, dbus_message_get_serial(*message));
    dbus_message_unref(*message);
    *message = TAKE(copy);
    return 0;
}

/* Whether libdbus reads the bytes in less time than it takes to append them piece by piece. */
static bool
bytes_are_faster(const Program *program, const Encoder *e)
{
    size_t steps = e->steps + COMMIT_ARGUMENT * (program->count - 1u);

    return steps > COMMIT_STEPS + encoder_size(e) / COMMIT_BYTES;
}

int
commit_body(State *st, DBusMessage **message, enum CommitTo to, const Program *program, Encoder *e)
{
    if (program->count == 0)
        return 0;
    if (to != COMMIT_TO_ANY && e->n_fds == 0 && e->n_held == 0 && bytes_are_faster(program, e))
        return commit_bytes(message, program, e);
    return commit_replay(st, message, to, program, e);
}
