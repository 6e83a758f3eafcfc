/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer's side of `./dev fuzz`: an interpreter with the C module built in, and one function in
 * Python (reliability/fuzzing/) that gets each input as bytes.
 *
 * FUZZ_TARGET names the function.  An exception that leaves it is printed and ends the process, for
 * libFuzzer to keep the input.  With FUZZ_LINES set, the lines of the package's Python code that an
 * input reaches count as coverage, as the edges of the C code always do; that makes Python slower.
 *
 * The module `_fuzz` offers what no program reaches: the decoder on bytes that libdbus has not
 * validated, and the index of matches without a message on the way.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <frameobject.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "connection.h"
#include "decode.h"
#include "matches.h"
#include "message.h"
#include "program.h"
#include "state.h"

#define LINES 16384 /* slots; lines share them by chance */
#define FDS 4       /* a body has at most this many, all closed */

PyMODINIT_FUNC PyInit__dbus_bindings(void);
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__attribute__((section("__libfuzzer_extra_counters"), used)) static uint8_t line_counters[LINES];

static PyObject *target;
static PyObject *traced; /* the folder whose lines count, NULL for none */
static PyObject *bindings;

_Noreturn static void
give_up(void)
{
    if (PyErr_Occurred())
        PyErr_Print();
    fflush(NULL);
    abort();
}

/* decode_body(signature, data, flavour, swap, n_fds): see decode.h; the descriptors are all -1. */
static PyObject *
fuzz_decode_body(PyObject *module, PyObject *args)
{
    const char *signature;
    Py_ssize_t signature_len;
    Py_buffer data = {0};
    int flavour, swap, n_fds, fds[FDS] = {-1, -1, -1, -1};
    State *st = state_of_module(bindings);
    PyObject *result = NULL;

    (void)module;
    if (!PyArg_ParseTuple(args, "s#y*iii", &signature, &signature_len, &data, &flavour, &swap,
                          &n_fds))
        return NULL;
    _cleanup_program_ Program *program = program_get(st, signature, (size_t)signature_len);
    /* In a block of its own size, so that a read behind its end is seen.  Aligned as libdbus' is. */
    unsigned char *copy = malloc((size_t)data.len ? (size_t)data.len : 1);
    if (program && copy) {
        memcpy(copy, data.buf, (size_t)data.len);
        DecodeBody body = {copy, (size_t)data.len, swap != 0, fds, (size_t)n_fds % (FDS + 1)};
        result = decode_body(st, program, &body, (enum DecodeFlavour)flavour);
    }
    free(copy);
    PyBuffer_Release(&data);
    return result;
}

/* find_matches(connection, message): see matches.h. */
static PyObject *
fuzz_find_matches(PyObject *module, PyObject *args)
{
    State *st = state_of_module(bindings);
    PyObject *connection, *message;

    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!", st->connection, &connection, st->message, &message))
        return NULL;
    PyObject *found =
        matches_find(st, ((Connection *)connection)->matches, message_borrow(st, message));
    return found || PyErr_Occurred() ? found : PyList_New(0);
}

static PyMethodDef functions[] = {
    {"find_matches", fuzz_find_matches, METH_VARARGS, NULL},
    {"decode_body", fuzz_decode_body, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "_fuzz",
    .m_size = -1,
    .m_methods = functions,
};

static PyObject *
init_fuzz(void)
{
    return PyModule_Create(&definition);
}

/* Counts a line that begins, by its function's place and its own; PYTHONHASHSEED=0 makes the slots
 * the same in every process. */
static int
count_line(PyObject *unused, PyFrameObject *frame, int what, PyObject *argument)
{
    (void)unused;
    (void)argument;
    if (what != PyTrace_LINE && what != PyTrace_CALL)
        return 0;
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool ours = PyUnicode_Tailmatch(code->co_filename, traced, 0, PY_SSIZE_T_MAX, -1) == 1;
    if (what == PyTrace_CALL && !ours)
        PyObject_SetAttrString((PyObject *)frame, "f_trace_lines", Py_False);
    if (what == PyTrace_LINE && ours) {
        uint64_t place = (uint64_t)PyObject_Hash(code->co_filename) +
                         (uint64_t)PyFrame_GetLineNumber(frame) * 0x9E3779B97F4A7C15u;
        uint8_t *counter = &line_counters[(place >> 20) % LINES];
        if (*counter < UINT8_MAX)
            ++*counter;
    }
    Py_DECREF(code);
    return 0;
}

static void
start_python(void)
{
    PyConfig config;

    PyConfig_InitPythonConfig(&config);
    config.install_signal_handlers = 0;
    config.write_bytecode = 0;
    PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, "/usr/bin/python3");
    if (!PyStatus_Exception(status))
        status = Py_InitializeFromConfig(&config);
    PyConfig_Clear(&config);
    if (PyStatus_Exception(status))
        Py_ExitStatusException(status);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *name = getenv("FUZZ_TARGET");

    (void)argc;
    (void)argv;
    if (!name || PyImport_AppendInittab("_dbus_bindings", PyInit__dbus_bindings) < 0 ||
        PyImport_AppendInittab("_fuzz", init_fuzz) < 0)
        abort();
    start_python();
    bindings = PyImport_ImportModule("_dbus_bindings");
    PyObject *module = bindings ? PyImport_ImportModule("fuzzing.targets") : NULL;
    target = module ? PyObject_CallMethod(module, "target", "s", name) : NULL;
    if (!target)
        give_up();
    Py_DECREF(module);
    if (getenv("FUZZ_LINES")) {
        PyObject *package = PyImport_ImportModule("dbus");
        PyObject *path = package ? PyObject_GetAttrString(package, "__path__") : NULL;
        traced = path ? PySequence_GetItem(path, 0) : NULL;
        if (!traced)
            give_up();
        Py_DECREF(path);
        Py_DECREF(package);
        PyEval_SetTrace(count_line, NULL);
    }
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    PyObject *input = PyBytes_FromStringAndSize((const char *)data, (Py_ssize_t)size);
    PyObject *result = input ? PyObject_CallOneArg(target, input) : NULL;

    if (!result)
        give_up();
    Py_DECREF(result);
    Py_DECREF(input);
    return 0;
}
