/* SPDX-License-Identifier: MIT */
/*
 * malloc() and its like that fail when told to; loaded with LD_PRELOAD.
 *
 * Nothing happens until somebody arms it: failmalloc_arm(first, many) lets the allocations number
 * `first` to `first + many - 1` of the calling thread fail (with everybody != 0: of all threads),
 * until failmalloc_disarm(), which tells how many have failed.  There is memory again 20 ms after the
 * first failure, however many were wanted: whoever waits for memory is to see it come.  What counts:
 *
 *   FAIL_CALLERS  allocations that code inside a watched range of addresses asks for itself
 *   FAIL_BELOW    those that the interpreter makes for a watched caller: up the stack there is one
 *                 before the interpreter's loop, and before any range that was named as another
 *                 module's.  Those of a watched range itself do not count.
 *   FAIL_ALL      every one
 *
 * Blocks that watched code has asked for itself are known from the first failmalloc_watch() on, and
 * failmalloc_live() tells how many of them have not been freed.  A debugger finds each failure with a
 * breakpoint in failmalloc_fails().
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unwind.h>

#define RANGES 16
#define SLOTS ((size_t)1 << 18)
#define GONE ((void *)1)
#define LONGEST_NS 20000000

enum { FAIL_CALLERS, FAIL_BELOW, FAIL_ALL };

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *old, size_t size);
void *reallocarray(void *old, size_t n, size_t size);
void *memalign(size_t alignment, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
int posix_memalign(void **ret_block, size_t alignment, size_t size);
void free(void *block);

void failmalloc_watch(uintptr_t low, uintptr_t high);
void failmalloc_leave(uintptr_t low, uintptr_t high);
void failmalloc_arm(int what, unsigned long first, unsigned long many, int everybody);
unsigned long failmalloc_disarm(void);
unsigned long failmalloc_counted(void);
long failmalloc_live(void);
void failmalloc_fails(void);

typedef struct Ranges {
    struct {
        uintptr_t low, high;
    } of[RANGES];
    int n;
} Ranges;

static Ranges watched_code, others;
static uintptr_t interpreter; /* its loop, whose frames end the look-out of FAIL_BELOW */

static _Thread_local bool armed, inside;
static bool everybody_armed;
static int what_counts;
static unsigned long first_failure, failures_wanted;
static unsigned long counted, failed;
static int64_t failing_since; /* 0: not yet */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static void *blocks[SLOTS]; /* by address, probed onward: NULL, GONE or a block */
static long live;

static bool
is_in(const Ranges *ranges, uintptr_t address)
{
    for (int i = 0; i < ranges->n; i++)
        if (address >= ranges->of[i].low && address < ranges->of[i].high)
            return true;
    return false;
}

static bool
is_watched(uintptr_t address)
{
    return is_in(&watched_code, address);
}

static void
add_range(Ranges *ranges, uintptr_t low, uintptr_t high)
{
    ranges->of[ranges->n].low = low;
    ranges->of[ranges->n].high = high;
    if (ranges->n < RANGES - 1)
        ranges->n++;
}

static size_t
slot_of(const void *block)
{
    return (((uintptr_t)block >> 4) * 0x9e3779b97f4a7c15u >> 20) % SLOTS;
}

static void
note_block(void *block)
{
    size_t at = slot_of(block);

    pthread_mutex_lock(&mutex);
    while (blocks[at] && blocks[at] != GONE)
        at = (at + 1) % SLOTS;
    blocks[at] = block;
    live++;
    pthread_mutex_unlock(&mutex);
}

/* Was it a block of watched code? */
static bool
forget_block(const void *block)
{
    bool found = false;

    if (!block || !watched_code.n)
        return false;
    pthread_mutex_lock(&mutex);
    for (size_t at = slot_of(block); blocks[at] && !found; at = (at + 1) % SLOTS)
        if (blocks[at] == block) {
            found = true;
            /* An empty place behind it ends every search that comes by here. */
            blocks[at] = blocks[(at + 1) % SLOTS] ? GONE : NULL;
            live--;
        }
    pthread_mutex_unlock(&mutex);
    return found;
}

typedef struct Walk {
    int frames;
    bool found;
} Walk;

static _Unwind_Reason_Code
look(struct _Unwind_Context *context, void *data)
{
    Walk *walk = data;
    uintptr_t ip = (uintptr_t)_Unwind_GetIP(context);

    if (is_watched(ip))
        walk->found = true;
    else if (++walk->frames < 40 && !is_in(&others, ip) &&
             (uintptr_t)_Unwind_FindEnclosingFunction((void *)ip) != interpreter)
        return _URC_NO_REASON;
    return _URC_END_OF_STACK;
}

static bool
is_below_watched(void)
{
    Walk walk = {0};

    inside = true; /* the unwinder may allocate */
    _Unwind_Backtrace(look, &walk);
    inside = false;
    return walk.found;
}

static bool
counts(bool watched)
{
    switch (what_counts) {
    case FAIL_CALLERS:
        return watched;
    case FAIL_BELOW:
        return !watched && is_below_watched();
    default:
        return true;
    }
}

__attribute__((noinline)) void
failmalloc_fails(void)
{
    errno = ENOMEM;
}

static bool
is_over(void)
{
    struct timespec now;
    int64_t ns;

    clock_gettime(CLOCK_MONOTONIC, &now);
    ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    if (!failing_since)
        failing_since = ns;
    return ns - failing_since > LONGEST_NS;
}

/* Is this allocation to fail? */
static bool
fails(bool watched)
{
    unsigned long number;

    if (inside || !(armed || everybody_armed) || !counts(watched))
        return false;
    number = __atomic_add_fetch(&counted, 1, __ATOMIC_RELAXED);
    if (number < first_failure || number - first_failure >= failures_wanted || is_over())
        return false;
    __atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
    failmalloc_fails();
    return true;
}

static void *
kept(void *block, bool watched)
{
    if (block && watched)
        note_block(block);
    return block;
}

#define CALLER_IS_WATCHED is_watched((uintptr_t)__builtin_return_address(0))

void *
malloc(size_t size)
{
    bool watched = CALLER_IS_WATCHED;

    return fails(watched) ? NULL : kept(__libc_malloc(size), watched);
}

void *
calloc(size_t n, size_t size)
{
    bool watched = CALLER_IS_WATCHED;

    return fails(watched) ? NULL : kept(__libc_calloc(n, size), watched);
}

static void *
resize(void *old, size_t size, bool watched)
{
    void *block;
    bool known;

    if (fails(watched))
        return NULL;
    /* Forgotten before the address may be somebody else's. */
    known = forget_block(old);
    block = __libc_realloc(old, size);
    if (!block && size && known)
        note_block(old);
    return kept(block, watched || known);
}

void *
realloc(void *old, size_t size)
{
    return resize(old, size, CALLER_IS_WATCHED);
}

void *
reallocarray(void *old, size_t n, size_t size)
{
    size_t bytes;

    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return resize(old, bytes, CALLER_IS_WATCHED);
}

void *
memalign(size_t alignment, size_t size)
{
    bool watched = CALLER_IS_WATCHED;

    return fails(watched) ? NULL : kept(__libc_memalign(alignment, size), watched);
}

void *
aligned_alloc(size_t alignment, size_t size)
{
    bool watched = CALLER_IS_WATCHED;

    return fails(watched) ? NULL : kept(__libc_memalign(alignment, size), watched);
}

int
posix_memalign(void **ret_block, size_t alignment, size_t size)
{
    bool watched = CALLER_IS_WATCHED;
    void *block = fails(watched) ? NULL : kept(__libc_memalign(alignment, size), watched);

    if (!block)
        return ENOMEM;
    *ret_block = block;
    return 0;
}

void
free(void *block)
{
    forget_block(block);
    __libc_free(block);
}

void
failmalloc_watch(uintptr_t low, uintptr_t high)
{
    if (!interpreter)
        interpreter = (uintptr_t)dlsym(RTLD_DEFAULT, "_PyEval_EvalFrameDefault");
    add_range(&watched_code, low, high);
}

void
failmalloc_leave(uintptr_t low, uintptr_t high)
{
    add_range(&others, low, high);
}

void
failmalloc_arm(int what, unsigned long first, unsigned long many, int everybody)
{
    what_counts = what;
    first_failure = first;
    failures_wanted = many;
    counted = failed = 0;
    failing_since = 0;
    everybody_armed = everybody;
    armed = !everybody;
}

unsigned long
failmalloc_disarm(void)
{
    armed = everybody_armed = false;
    return failed;
}

unsigned long
failmalloc_counted(void)
{
    return counted;
}

long
failmalloc_live(void)
{
    return live;
}
