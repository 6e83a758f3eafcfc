/* SPDX-License-Identifier: MIT */
/*
 * Templates of messages: programs send the same header again and again, and most often the very
 * same str objects are in it.
 *
 * The headers made last are kept, found by the identity of their parts; a copy of one spares all
 * checks and half of libdbus' work.
 */
#ifndef DBUS_SHIM_TEMPLATE_H
#define DBUS_SHIM_TEMPLATE_H

#include <Python.h>

#include <dbus/dbus.h>
#include <stdint.h>

#include "state.h"

#define TEMPLATE_KEY 8

/* What a header is made of; NULL where there is less.  These are objects that never change. */
typedef struct TemplateKey {
    PyObject *parts[TEMPLATE_KEY]; /* borrowed */
} TemplateKey;

/* Makes and checks the header for `source`; an owned message, or NULL with an exception. */
typedef DBusMessage *TemplateMake(State *st, const void *source);

/* The header that belongs to the key, borrowed: do not change it.  NULL with an exception. */
DBusMessage *template_borrow(State *st, const TemplateKey *key, TemplateMake *make,
                             const void *source);

/* The same to be changed and sent; owned. */
DBusMessage *template_copy_new(State *st, const TemplateKey *key, TemplateMake *make,
                               const void *source);

/* The same for a reply, whose key has all but the serial that it answers. */
DBusMessage *template_reply_new(State *st, const TemplateKey *key, TemplateMake *make,
                                const void *source, uint32_t reply_serial);

/* Forgets everything; NULL is fine. */
void template_cache_clear(struct TemplateCache *cache);

/* Called when the module goes; NULL is fine. */
void template_cache_free(struct TemplateCache *cache);

#endif
