/* SPDX-License-Identifier: MIT */
/*
 * Signatures made ready for encoding and decoding.
 *
 * A program is a signature as an array of nodes in the order of its text: a container's node
 * stands before those of what it contains, and `next` steps over the whole of it.  Programs never
 * change once made, are counted, and the last ones used are kept in a cache of fixed size.
 */
#ifndef DBUS_SHIM_PROGRAM_H
#define DBUS_SHIM_PROGRAM_H

#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include "cleanup.h"
#include "limits.h"
#include "state.h"
#include "types/int.h"

/* What a node stands for.  The integer types have the numbers of enum IntKind. */
enum Op {
    OP_DOUBLE = INT_KINDS,
    OP_STRING,
    OP_PATH,
    OP_SIGNATURE,
    OP_FD,
    OP_VARIANT,
    OP_ARRAY,  /* the item's node follows; OP_ENTRY there makes it a dictionary */
    OP_STRUCT, /* its `count` members follow */
    OP_ENTRY,  /* key and value follow */
    OPS
};

typedef struct Node {
    uint8_t op;
    uint8_t align;
    uint8_t size; /* bytes on the wire, 0 if that depends on the value */
    uint8_t text_len;
    uint8_t text;        /* where its text starts in the signature */
    uint8_t count;       /* members of a struct */
    uint16_t next;       /* node + next is the node after this one and all that it contains */
    PyObject *signature; /* array: dbus.Signature of an item; dictionary: of key and value */
} Node;

typedef struct Program {
    int refs;
    uint16_t n_nodes;
    uint8_t count; /* complete types at the top */
    bool flat;     /* nothing but basic types, descriptors apart, and arrays of numbers */
    uint8_t text_len;
    PyObject *str; /* the signature */
    char text[LIMIT_SIGNATURE + 1];
    Node nodes[];
} Program;

int program_setup(PyObject *module, State *st);

/* Forgets everything; NULL is fine. */
void program_cache_clear(struct ProgramCache *cache);

/* Called when the module goes; NULL is fine. */
void program_cache_free(struct ProgramCache *cache);

/* The program of the n bytes at `text`, which may be anything: ValueError if it is no signature.
 * The caller owns one reference. */
Program *program_get(State *st, const char *text, size_t n);

void program_unref(Program *program);

/* The node of a basic type or of a variant, which needs no program; NULL for other letters. */
const Node *program_simple_node(char code);

/* A str, or a dbus.String at level 0 if `typed`, from the cache of short texts that have been seen
 * lately, such as the names of properties; made and remembered if it is not there.  New
 * reference. */
PyObject *program_shared_text(State *st, const char *utf8, size_t n, bool typed);

/* Header fields whose texts are most often those of the message before. */
enum HeaderText {
    TEXT_SENDER,
    TEXT_DESTINATION,
    TEXT_PATH,
    TEXT_INTERFACE,
    TEXT_MEMBER,
    TEXT_ERROR_NAME,
    HEADER_TEXTS
};

/* The text of a header field as a str, which may be shared; None for NULL.  New reference. */
PyObject *program_header_text(State *st, enum HeaderText field, const char *text);

static inline void
cleanup_program(Program **p)
{
    if (*p)
        program_unref(*p);
}

#define _cleanup_program_ _cleanup_(cleanup_program)

#endif
