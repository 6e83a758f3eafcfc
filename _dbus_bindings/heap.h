/* SPDX-License-Identifier: MIT */
/*
 * Large blocks that come again and again.
 *
 * glibc gives a block of more than 128 KiB pages of its own, and the end of the heap, back to the
 * system when they are freed, and the next such block costs a page fault for each page, which takes
 * longer than all that is done with it.  But when a block with pages of its own is freed, glibc takes
 * its size for what is usual in this process: as large blocks then come from the heap, and twice as
 * much of it is kept (mallopt(3), M_MMAP_THRESHOLD).  A message takes several blocks as large as its
 * body, which are alive at once, so we make it expect more than it would see.  With another
 * C library this does nothing.
 */
#ifndef DBUS_SHIM_HEAP_H
#define DBUS_SHIM_HEAP_H

#include <stdlib.h>

#include "limits.h"
#include "state.h"

#define HEAP_BLOCK 65536u                                 /* blocks below stay in the heap */
#define HEAP_MOST (4u * 1048576u * sizeof(long) - 65536u) /* glibc learns nothing from more */

/* n bytes have to be copied into or out of a message. */
static inline void
heap_expect(State *st, size_t n)
{
    if (n < HEAP_BLOCK || n <= st->largest_block)
        return;
    st->largest_block = n;
    void *volatile block = malloc(2 * n < HEAP_MOST ? 2 * n : HEAP_MOST);
    free(block); /* never written to, so it cost no memory */
}

#endif
