/* SPDX-License-Identifier: MIT */
/*
 * The bytes come from our own encoder and are not doubted.  libdbus returns FALSE for want of
 * memory and, with file descriptors, for want of those; its checks see only what the encoder has
 * checked.
 */
#include "replay.h"

#include <errno.h>
#include <string.h>

#include "cleanup.h"

typedef struct Replay {
    State *st;
    const Program *program; /* whose text the nodes at hand refer to */
    const Encoder *encoder;
    size_t pos;       /* in the body as it will be */
    size_t left_out;  /* bytes before it that are not in the flat body */
    size_t next_held; /* the first that has not been reached */
} Replay;

static int replay_value(Replay *r, DBusMessageIter *iter, const Node *node);

int
replay_refuse(void)
{
    if (errno == EMFILE || errno == ENFILE)
        PyErr_SetFromErrno(PyExc_OSError);
    else
        PyErr_NoMemory();
    return -1;
}

static const void *
step(Replay *r, size_t align, size_t n)
{
    r->pos = (r->pos + align - 1) & ~(align - 1);
    const void *at = r->encoder->data + ENCODE_ROOM + (r->pos - r->left_out);
    r->pos += n;
    return at;
}

/* Steps over bytes which the encoder may hold elsewhere. */
static const void *
step_bytes(Replay *r, size_t n)
{
    const Encoder *e = r->encoder;
    const Held *held = r->next_held < e->n_held ? &e->held[r->next_held] : NULL;

    if (!held || held->at != r->pos)
        return step(r, 1, n);
    r->next_held++;
    r->left_out += held_left_out(held);
    r->pos += n;
    return held->bytes;
}

static uint32_t
step_length(Replay *r)
{
    uint32_t length;

    memcpy(&length, step(r, 4, 4), 4);
    return length;
}

static int
replay_basic(Replay *r, DBusMessageIter *iter, const Node *node)
{
    static const char codes[OPS] = "ybnqiuxtdsogh";
    const void *at;
    const char *text;
    int fd;

    switch (node->op) {
    case OP_STRING:
    case OP_PATH: {
        size_t len = step_length(r);
        text = step_bytes(r, len + 1);
        at = &text;
        break;
    }
    case OP_SIGNATURE: {
        size_t len = *(const unsigned char *)step(r, 1, 1);
        text = step(r, 1, len + 1);
        at = &text;
        break;
    }
    case OP_FD:
        fd = r->encoder->fds[step_length(r)];
        at = &fd;
        break;
    default:
        at = step(r, node->size, node->size);
    }
    return dbus_message_iter_append_basic(iter, codes[node->op], at) ? 0 : replay_refuse();
}

static int
replay_variant(Replay *r, DBusMessageIter *iter)
{
    size_t len = *(const unsigned char *)step(r, 1, 1);
    const char *text = step(r, 1, len + 1);
    const Program *outer = r->program;
    _cleanup_program_ Program *program = program_get(r->st, text, len);
    DBusMessageIter sub;

    if (!program)
        return -1;
    if (!dbus_message_iter_open_container(iter, DBUS_TYPE_VARIANT, text, &sub))
        return replay_refuse();
    r->program = program;
    int result = replay_value(r, &sub, program->nodes);
    r->program = outer;
    if (result < 0) {
        dbus_message_iter_abandon_container(iter, &sub);
        return -1;
    }
    return dbus_message_iter_close_container(iter, &sub) ? 0 : replay_refuse();
}

static int
replay_items(Replay *r, DBusMessageIter *sub, const Node *item, size_t bytes)
{
    static const char codes[OPS] = "ybnqiuxtd";

    if (item->op <= OP_DOUBLE) {
        const void *at = step_bytes(r, bytes);
        int n = (int)(bytes / item->size);
        return dbus_message_iter_append_fixed_array(sub, codes[item->op], &at, n) ? 0
                                                                                  : replay_refuse();
    }
    for (size_t end = r->pos + bytes; r->pos < end;)
        if (replay_value(r, sub, item) < 0)
            return -1;
    return 0;
}

static int
replay_array(Replay *r, DBusMessageIter *iter, const Node *node)
{
    const Node *item = node + 1;
    char text[LIMIT_SIGNATURE + 1];
    DBusMessageIter sub;
    size_t bytes = step_length(r);

    memcpy(text, r->program->text + item->text, item->text_len);
    text[item->text_len] = '\0';
    step(r, item->align, 0);
    if (!dbus_message_iter_open_container(iter, DBUS_TYPE_ARRAY, text, &sub))
        return replay_refuse();
    if (replay_items(r, &sub, item, bytes) < 0) {
        dbus_message_iter_abandon_container(iter, &sub);
        return -1;
    }
    return dbus_message_iter_close_container(iter, &sub) ? 0 : replay_refuse();
}

/* A struct or an entry of a dictionary. */
static int
replay_members(Replay *r, DBusMessageIter *iter, const Node *node)
{
    int type = node->op == OP_STRUCT ? DBUS_TYPE_STRUCT : DBUS_TYPE_DICT_ENTRY;
    const Node *member = node + 1;
    DBusMessageIter sub;

    step(r, 8, 0);
    if (!dbus_message_iter_open_container(iter, type, NULL, &sub))
        return replay_refuse();
    for (unsigned i = 0; i < node->count; i++, member += member->next)
        if (replay_value(r, &sub, member) < 0) {
            dbus_message_iter_abandon_container(iter, &sub);
            return -1;
        }
    return dbus_message_iter_close_container(iter, &sub) ? 0 : replay_refuse();
}

static int
replay_value(Replay *r, DBusMessageIter *iter, const Node *node)
{
    switch (node->op) {
    case OP_VARIANT:
        return replay_variant(r, iter);
    case OP_ARRAY:
        return replay_array(r, iter, node);
    case OP_STRUCT:
    case OP_ENTRY:
        return replay_members(r, iter, node);
    default:
        return replay_basic(r, iter, node);
    }
}

int
replay_body(State *st, DBusMessage *message, const Program *program, const Encoder *e)
{
    Replay r = {.st = st, .program = program, .encoder = e};
    const Node *node = program->nodes;
    DBusMessageIter iter;

    errno = 0;
    dbus_message_iter_init_append(message, &iter);
    for (unsigned i = 0; i < program->count; i++, node += node->next)
        if (replay_value(&r, &iter, node) < 0)
            return -1;
    return 0;
}
