/* SPDX-License-Identifier: MIT */
/*
 * Contract: template.h.
 */
#include "template.h"

#include <string.h>

#include "cleanup.h"
#include "compat.h"

#define TEMPLATES 256u

typedef struct Template {
    TemplateKey key;      /* owned here, so that no other object takes a part's place in memory */
    DBusMessage *message; /* owned; NULL: empty */
} Template;

/* Direct-mapped, as the cache of programs is: it never grows, whatever is sent. */
struct TemplateCache {
    Template slots[TEMPLATES];
};

static void
template_clear(Template *slot)
{
    Template old = *slot;

    *slot = (Template){0};
    if (old.message)
        dbus_message_unref(old.message);
    for (int i = 0; i < TEMPLATE_KEY; i++)
        Py_XDECREF(old.key.parts[i]);
}

void
template_cache_clear(struct TemplateCache *cache)
{
    for (size_t i = 0; cache && i < TEMPLATES; i++)
        template_clear(&cache->slots[i]);
}

void
template_cache_free(struct TemplateCache *cache)
{
    template_cache_clear(cache);
    PyMem_Free(cache);
}

static Template *
slot_of(State *st, const TemplateKey *key)
{
    uintptr_t hash = 0;

    if (!st->templates && !(st->templates = PyMem_Calloc(1, sizeof *st->templates))) {
        PyErr_NoMemory();
        return NULL;
    }
    for (int i = 0; i < TEMPLATE_KEY; i++)
        hash = hash * 31 + ((uintptr_t)key->parts[i] >> 4);
    return &st->templates->slots[(hash ^ (hash >> 17)) % TEMPLATES];
}

DBusMessage *
template_borrow(State *st, const TemplateKey *key, TemplateMake *make, const void *source)
{
    Template *slot = slot_of(st, key);

    if (!slot)
        return NULL;
    if (slot->message && memcmp(&slot->key, key, sizeof *key) == 0)
        return slot->message;
    DBusMessage *message = make(st, source);
    if (!message)
        return NULL;
    /* libdbus notes where each field is when it is first asked for one, and copies have the notes. */
    dbus_message_get_signature(message);
    template_clear(slot);
    for (int i = 0; i < TEMPLATE_KEY; i++)
        slot->key.parts[i] = Py_XNewRef(key->parts[i]);
    slot->message = message;
    return message;
}

DBusMessage *
template_copy_new(State *st, const TemplateKey *key, TemplateMake *make, const void *source)
{
#ifdef Py_GIL_DISABLED
    (void)key;
    return make(st, source); /* the cache has no lock */
#else
    DBusMessage *template = template_borrow(st, key, make, source);
    DBusMessage *message = template ? dbus_message_copy(template) : NULL;

    if (template && !message)
        PyErr_NoMemory();
    return message;
#endif
}

DBusMessage *
template_reply_new(State *st, const TemplateKey *key, TemplateMake *make, const void *source,
                   uint32_t reply_serial)
{
    DBusMessage *message = template_copy_new(st, key, make, source);

    if (message && !dbus_message_set_reply_serial(message, reply_serial)) {
        dbus_message_unref(message);
        return (DBusMessage *)(void *)PyErr_NoMemory();
    }
    return message;
}
