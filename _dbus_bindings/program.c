/* SPDX-License-Identifier: MIT */
/*
 * Contract: program.h.
 */
#include "program.h"

#include <string.h>

#include "compat.h"
#include "signature.h"
#include "types/string.h"

#define PROGRAM_SLOTS 512u
#define TEXT_SLOTS 512u
#define TEXT_LONGEST 40u

/* Direct-mapped: what hashes to a taken slot replaces its holder, so a peer that sends ever new
 * signatures or keys costs time but no memory. */
struct ProgramCache {
#ifdef Py_GIL_DISABLED
    PyMutex lock;
#endif
    Program *programs[PROGRAM_SLOTS];
    PyObject *texts[2][TEXT_SLOTS]; /* ASCII: str, and dbus.String with variant_level 0 */
    PyObject *last[HEADER_TEXTS];   /* ASCII: those of the last message, or NULL */
};

#ifdef Py_GIL_DISABLED
#define CACHE_LOCK(cache) PyMutex_Lock(&(cache)->lock)
#define CACHE_UNLOCK(cache) PyMutex_Unlock(&(cache)->lock)
#else
#define CACHE_LOCK(cache) (void)(cache)
#define CACHE_UNLOCK(cache) (void)(cache)
#endif

#define SIMPLE(letter, operation, bytes, alignment)                                                \
    [letter] = {.op = (operation), .align = (alignment), .size = (bytes), .text_len = 1, .next = 1}

static const Node simple_nodes[128] = {
    SIMPLE('y', INT_BYTE, 1, 1),   SIMPLE('b', INT_BOOLEAN, 4, 4), SIMPLE('n', INT_INT16, 2, 2),
    SIMPLE('q', INT_UINT16, 2, 2), SIMPLE('i', INT_INT32, 4, 4),   SIMPLE('u', INT_UINT32, 4, 4),
    SIMPLE('x', INT_INT64, 8, 8),  SIMPLE('t', INT_UINT64, 8, 8),  SIMPLE('d', OP_DOUBLE, 8, 8),
    SIMPLE('s', OP_STRING, 0, 4),  SIMPLE('o', OP_PATH, 0, 4),     SIMPLE('g', OP_SIGNATURE, 0, 1),
    SIMPLE('h', OP_FD, 4, 4),      SIMPLE('v', OP_VARIANT, 0, 1),
};

const Node *
program_simple_node(char code)
{
    const Node *node = (unsigned char)code < 128 ? &simple_nodes[(unsigned char)code] : NULL;

    return node && node->next ? node : NULL;
}

static inline uint64_t
hash_step(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 32);
}

/* The n bytes at `text`, 4 to 8. */
static inline uint64_t
word_at(const char *text, size_t n)
{
    uint32_t first, last;

    memcpy(&first, text, sizeof first);
    memcpy(&last, text + n - sizeof last, sizeof last);
    return (uint64_t)first << 32 | last;
}

static inline uint64_t
text_hash(const char *text, size_t n)
{
    uint64_t hash = n;

    for (; n > 8; text += 8, n -= 8)
        hash = hash_step(hash, word_at(text, 8));
    if (n >= 4)
        return hash_step(hash, word_at(text, n));
    for (; n > 0; n--)
        hash = hash_step(hash, (unsigned char)*text++);
    return hash;
}

/* Fills in the nodes of the complete type at *p, which is valid, and steps *p over it. */
static int
program_compile(State *st, Program *program, const char **p)
{
    Node *node = &program->nodes[program->n_nodes++];
    const char *start = *p;
    const Node *simple = program_simple_node(*(*p)++);
    size_t first = (size_t)(node - program->nodes);

    if (simple) {
        *node = *simple;
        program->flat &= simple->op != OP_VARIANT && simple->op != OP_FD;
    } else if (*start == 'a') {
        *node = (Node){.op = OP_ARRAY, .align = 4, .count = 1};
        bool dictionary = **p == '{';
        if (program_compile(st, program, p) < 0)
            return -1;
        node->signature = dictionary ? signature_new(st, start + 2, (size_t)(*p - start) - 3, 0)
                                     : signature_new(st, start + 1, (size_t)(*p - start) - 1, 0);
        if (!node->signature)
            return -1;
        program->flat &= node[1].op <= OP_DOUBLE;
    } else {
        *node = (Node){.op = *start == '(' ? OP_STRUCT : OP_ENTRY, .align = 8};
        while (**p != ')' && **p != '}') {
            if (program_compile(st, program, p) < 0)
                return -1;
            node->count++;
        }
        ++*p;
        program->flat = false;
    }
    node->text = (uint8_t)(start - program->text);
    node->text_len = (uint8_t)(*p - start);
    node->next = (uint16_t)(program->n_nodes - first);
    return 0;
}

static Program *
program_new(State *st, const char *text, size_t n)
{
    const char *rule = signature_rule(text, n);

    if (rule) {
        _cleanup_object_ PyObject *shown =
            PyUnicode_DecodeUTF8(text, (Py_ssize_t)(n < 300 ? n : 300), "backslashreplace");
        if (shown)
            PyErr_Format(PyExc_ValueError, "Corrupt type signature %R: %s", shown, rule);
        return NULL;
    }

    Program *program = PyMem_Calloc(1, sizeof *program + (n ? n : 1) * sizeof(Node));
    if (!program)
        return (Program *)(void *)PyErr_NoMemory();
    program->refs = 1;
    program->flat = true;
    program->text_len = (uint8_t)n;
    memcpy(program->text, text, n);
    program->str = program_shared_text(st, text, n, false);
    if (!program->str) {
        program_unref(program);
        return NULL;
    }
    for (const char *p = program->text; *p; program->count++)
        if (program_compile(st, program, &p) < 0) {
            program_unref(program);
            return NULL;
        }
    return program;
}

static Program *
program_ref(Program *program)
{
    __atomic_add_fetch(&program->refs, 1, __ATOMIC_RELAXED);
    return program;
}

void
program_unref(Program *program)
{
    if (__atomic_sub_fetch(&program->refs, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    for (size_t i = 0; i < program->n_nodes; i++)
        Py_XDECREF(program->nodes[i].signature);
    Py_XDECREF(program->str);
    PyMem_Free(program);
}

Program *
program_get(State *st, const char *text, size_t n)
{
    struct ProgramCache *cache = st->programs;

    if (!cache) {
        PyErr_SetString(PyExc_RuntimeError, "_dbus_bindings is being unloaded");
        return NULL;
    }
    Program **slot = &cache->programs[text_hash(text, n) % PROGRAM_SLOTS];

    CACHE_LOCK(cache);
    Program *found = *slot;
    if (found && found->text_len == n && memcmp(found->text, text, n) == 0) {
        program_ref(found);
        CACHE_UNLOCK(cache);
        return found;
    }
    CACHE_UNLOCK(cache);

    Program *program = program_new(st, text, n);
    if (!program)
        return NULL;
    program_ref(program);
    CACHE_LOCK(cache);
    found = *slot;
    *slot = program;
    CACHE_UNLOCK(cache);
    if (found)
        program_unref(found);
    return program;
}

static PyObject *
text_new(State *st, const char *utf8, size_t n, bool typed)
{
    return typed ? string_new(st, utf8, n, 0) : PyUnicode_DecodeUTF8(utf8, (Py_ssize_t)n, NULL);
}

/* Makes a text and remembers it.  Apart from the rest, which saves no registers then. */
static __attribute__((noinline)) PyObject *
text_remember(State *st, PyObject **slot, const char *utf8, size_t n, bool typed)
{
    PyObject *text = text_new(st, utf8, n, typed);

    /* Only of ASCII is the text's memory its UTF-8. */
    if (!text || !PyUnicode_IS_ASCII(text))
        return text;
    CACHE_LOCK(st->programs);
    PyObject *before = *slot;
    *slot = Py_NewRef(text);
    CACHE_UNLOCK(st->programs);
    Py_XDECREF(before);
    return text;
}

PyObject *
program_shared_text(State *st, const char *utf8, size_t n, bool typed)
{
    struct ProgramCache *cache = st->programs;

    if (n > TEXT_LONGEST || !cache)
        return text_new(st, utf8, n, typed);
    PyObject **slot = &cache->texts[typed][text_hash(utf8, n) % TEXT_SLOTS];

    CACHE_LOCK(cache);
    PyObject *found = *slot;
    if (found && (size_t)PyUnicode_GET_LENGTH(found) == n &&
        memcmp(PyUnicode_DATA(found), utf8, n) == 0) {
        Py_INCREF(found);
        CACHE_UNLOCK(cache);
        return found;
    }
    CACHE_UNLOCK(cache);
    return text_remember(st, slot, utf8, n, typed);
}

PyObject *
program_header_text(State *st, enum HeaderText field, const char *text)
{
    struct ProgramCache *cache = st->programs;

    if (!text)
        return Py_NewRef(Py_None);
    if (!cache)
        return text_new(st, text, strlen(text), false);
    CACHE_LOCK(cache);
    PyObject *last = cache->last[field];
    if (last && strcmp(PyUnicode_DATA(last), text) == 0) {
        Py_INCREF(last);
        CACHE_UNLOCK(cache);
        return last;
    }
    CACHE_UNLOCK(cache);
    PyObject *fresh = program_shared_text(st, text, strlen(text), false);
    if (!fresh || !PyUnicode_IS_ASCII(fresh))
        return fresh;
    CACHE_LOCK(cache);
    last = cache->last[field];
    cache->last[field] = Py_NewRef(fresh);
    CACHE_UNLOCK(cache);
    Py_XDECREF(last);
    return fresh;
}

void
program_cache_clear(struct ProgramCache *cache)
{
    if (!cache)
        return;
    CACHE_LOCK(cache); /* the end of a program or a text runs no Python code */
    for (size_t i = 0; i < PROGRAM_SLOTS; i++)
        if (cache->programs[i])
            program_unref(cache->programs[i]);
    for (size_t i = 0; i < TEXT_SLOTS; i++) {
        Py_XDECREF(cache->texts[false][i]);
        Py_XDECREF(cache->texts[true][i]);
    }
    for (size_t i = 0; i < HEADER_TEXTS; i++)
        Py_XDECREF(cache->last[i]);
    memset(cache->programs, 0, sizeof cache->programs);
    memset(cache->texts, 0, sizeof cache->texts);
    memset(cache->last, 0, sizeof cache->last);
    CACHE_UNLOCK(cache);
}

void
program_cache_free(struct ProgramCache *cache)
{
    program_cache_clear(cache);
    PyMem_Free(cache);
}

int
program_setup(PyObject *Py_UNUSED(module), State *st)
{
    st->programs = PyMem_Calloc(1, sizeof *st->programs);
    if (!st->programs) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}
