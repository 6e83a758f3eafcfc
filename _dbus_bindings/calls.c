/* SPDX-License-Identifier: MIT */
/*
 * Contract: calls.h.
 *
 * Serials come from the upper half of the numbers: they are known, and stand in the table, before
 * the message is sent, and libdbus, which counts from 1, never hands out the same.
 */
#include "calls.h"

#include <stdlib.h>

#include "limits.h"
#include "watchset.h"

#define FIRST_SLOTS 64

void
calls_init(Calls *calls)
{
    *calls = (Calls){.last_serial = FIRST_CALL_SERIAL};
}

void
calls_destroy(Calls *calls)
{
    free(calls->slots);
    free(calls->heap);
}

static Call **
slot_of(const Calls *calls, uint32_t serial)
{
    return &calls->slots[serial & (calls->n_slots - 1)];
}

static bool
grow_table(Calls *calls)
{
    size_t n = calls->n_slots ? calls->n_slots * 2 : FIRST_SLOTS;
    Calls bigger = {.slots = calloc(n, sizeof *bigger.slots), .n_slots = n};

    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < calls->n_slots; i++)
        for (Call *call = calls->slots[i], *next; call; call = next) {
            Call **slot = slot_of(&bigger, call->serial);

            next = call->next;
            call->next = *slot;
            *slot = call;
        }
    free(calls->slots);
    calls->slots = bigger.slots;
    calls->n_slots = n;
    return true;
}

static void
heap_put(Calls *calls, size_t at, Call *call)
{
    calls->heap[at] = call;
    call->heap_at = at + 1;
}

/* Moves the call to where it belongs, from the hole at `at`. */
static void
heap_settle(Calls *calls, size_t at, Call *call)
{
    while (at > 0 && calls->heap[(at - 1) / 2]->deadline > call->deadline) {
        heap_put(calls, at, calls->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < calls->n_heap &&
            calls->heap[child + 1]->deadline < calls->heap[child]->deadline)
            child++;
        if (child >= calls->n_heap || calls->heap[child]->deadline >= call->deadline)
            break;
        heap_put(calls, at, calls->heap[child]);
        at = child;
    }
    heap_put(calls, at, call);
}

static bool
heap_add(Calls *calls, Call *call)
{
    if (calls->n_heap == calls->heap_size) {
        size_t size = calls->heap_size ? calls->heap_size * 2 : FIRST_SLOTS;
        Call **bigger = realloc(calls->heap, size * sizeof *bigger);

        if (!bigger)
            return false;
        calls->heap = bigger;
        calls->heap_size = size;
    }
    heap_settle(calls, calls->n_heap++, call);
    return true;
}

static void
heap_remove(Calls *calls, Call *call)
{
    size_t at = call->heap_at - 1;
    Call *last = calls->heap[--calls->n_heap];

    call->heap_at = 0;
    if (last != call)
        heap_settle(calls, at, last);
}

bool
calls_has(const Calls *calls, uint32_t serial)
{
    if (!calls->n)
        return false;
    for (const Call *call = *slot_of(calls, serial); call; call = call->next)
        if (call->serial == serial)
            return true;
    return false;
}

static uint32_t
next_serial(Calls *calls)
{
    do
        calls->last_serial =
            calls->last_serial == UINT32_MAX ? FIRST_CALL_SERIAL : calls->last_serial + 1;
    while (calls_has(calls, calls->last_serial));
    return calls->last_serial;
}

bool
calls_add(Calls *calls, Call *call, bool timed)
{
    Call **slot;

    if (calls->n >= calls->n_slots && !grow_table(calls))
        return false;
    call->heap_at = 0;
    if (timed && call->deadline != NEVER && !heap_add(calls, call))
        return false;
    if (!call->serial)
        call->serial = next_serial(calls);
    call->reply = NULL;
    call->entry = (Entry){.call = call};
    atomic_store(&call->state, CALL_WAITING);
    slot = slot_of(calls, call->serial);
    call->next = *slot;
    *slot = call;
    calls->n++;
    return true;
}

static Call *
take_at(Calls *calls, Call **link)
{
    Call *call = *link;

    *link = call->next;
    calls->n--;
    if (call->heap_at)
        heap_remove(calls, call);
    return call;
}

Call *
calls_take(Calls *calls, uint32_t serial)
{
    if (!calls->n)
        return NULL;
    for (Call **link = slot_of(calls, serial); *link; link = &(*link)->next)
        if ((*link)->serial == serial)
            return take_at(calls, link);
    return NULL;
}

Call *
calls_take_expired(Calls *calls, int64_t now)
{
    if (!calls->n_heap || calls->heap[0]->deadline > now)
        return NULL;
    return calls_take(calls, calls->heap[0]->serial);
}

Call *
calls_take_all(Calls *calls)
{
    Call *all = NULL;

    for (size_t i = 0; calls->n && i < calls->n_slots; i++)
        while (calls->slots[i]) {
            Call *call = take_at(calls, &calls->slots[i]);

            call->next = all;
            all = call;
        }
    return all;
}

int64_t
calls_next_deadline(const Calls *calls)
{
    return calls->n_heap ? calls->heap[0]->deadline : NEVER;
}
