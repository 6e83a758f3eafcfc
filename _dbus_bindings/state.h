/* SPDX-License-Identifier: MIT */
/*
 * The state of one module object: every type, shared object and cache, and nothing elsewhere.
 *
 * The tables below are the only list: state.c makes traverse, clear and exec of them.
 */
#ifndef DBUS_SHIM_STATE_H
#define DBUS_SHIM_STATE_H

#include <Python.h>

/* Types, by the field that holds them. */
#define STATE_TYPES(X)                                                                             \
    X(long_base)                                                                                   \
    X(float_base)                                                                                  \
    X(str_base)                                                                                    \
    X(bytes_base)                                                                                  \
    X(boolean)                                                                                     \
    X(byte)                                                                                        \
    X(int16)                                                                                       \
    X(uint16)                                                                                      \
    X(int32)                                                                                       \
    X(uint32)                                                                                      \
    X(int64)                                                                                       \
    X(uint64)                                                                                      \
    X(dbl)                                                                                         \
    X(string)                                                                                      \
    X(object_path)                                                                                 \
    X(signature)                                                                                   \
    X(signature_iter)                                                                              \
    X(byte_array)                                                                                  \
    X(array)                                                                                       \
    X(dictionary)                                                                                  \
    X(structure)                                                                                   \
    X(unix_fd)                                                                                     \
    X(variant)                                                                                     \
    X(message)                                                                                     \
    X(method_call)                                                                                 \
    X(method_return)                                                                               \
    X(error_message)                                                                               \
    X(signal_message)                                                                              \
    X(plain)                                                                                       \
    X(served_call)                                                                                 \
    X(signal_match)                                                                                \
    X(matches)                                                                                     \
    X(connection)                                                                                  \
    X(libdbus_connection)                                                                          \
    X(future)                                                                                      \
    X(pending_call)                                                                                \
    X(server)                                                                                      \
    X(native_main_loop)                                                                            \
    X(loop_source)

/* Other objects. */
#define STATE_OBJECTS(X)                                                                           \
    X(dbus_exception)    /* dbus.exceptions.DBusException, imported when first needed */           \
    X(default_main_loop) /* what set_default_main_loop() was given, or None */                     \
    X(null_main_loop)                                                                              \
    X(str_object_path) /* "__dbus_object_path__" */                                                \
    X(str_on_new_connection)                                                                       \
    X(str_detach)                                                                                  \
    X(small_ints) /* tuple of tuples: shared level-0 values of types/int.c */                      \
    X(empty_signature)                                                                             \
    X(plain_message) /* the classes and enumerations of dbus.aio, NULL until it is imported */     \
    X(plain_variant)                                                                               \
    X(plain_types)                                                                                 \
    X(plain_flags)                                                                                 \
    X(service_globals) /* of dbus.service, NULL until it is imported */                            \
    X(service_message_cb)                                                                          \
    X(service_hooks)                                                                               \
    X(service_hook_names)                                                                          \
    X(service_note_names)                                                                          \
    X(str_dbus_members)                                                                            \
    X(str_methods)                                                                                 \
    X(str_served)                                                                                  \
    X(plain_parameters) /* names of the parameters of its Message */

/* The parts of the module in the order in which they are set up; each gives
 * `int NAME_setup(PyObject *module, State *st)`. */
#define STATE_PARTS(X)                                                                             \
    X(errors)                                                                                      \
    X(validate)                                                                                    \
    X(int)                                                                                         \
    X(float)                                                                                       \
    X(string)                                                                                      \
    X(bytes)                                                                                       \
    X(signature)                                                                                   \
    X(array)                                                                                       \
    X(dict)                                                                                        \
    X(struct)                                                                                      \
    X(unixfd)                                                                                      \
    X(variant)                                                                                     \
    X(program)                                                                                     \
    X(message)                                                                                     \
    X(methodcall)                                                                                  \
    X(plain)                                                                                       \
    X(signalmatch)                                                                                 \
    X(matches)                                                                                     \
    X(forks)                                                                                       \
    X(mainloop)                                                                                    \
    X(future)                                                                                      \
    X(pendingcall)                                                                                 \
    X(connection)                                                                                  \
    X(server)                                                                                      \
    X(objectcall)                                                                                  \
    X(servedcall)                                                                                  \
    X(loopfd)                                                                                      \
    X(capi)                                                                                        \
    X(constants)

struct ProgramCache;  /* program.h */
struct TemplateCache; /* template.h */
struct Watchset;      /* watchset.h */

typedef struct State {
#define X(name) PyTypeObject *name;
    STATE_TYPES(X)
#undef X
#define X(name) PyObject *name;
    STATE_OBJECTS(X)
#undef X
    struct ProgramCache *programs;
    struct TemplateCache *templates; /* NULL until the first is made */
    size_t largest_block;            /* heap.h */
    struct Watchset *watchsets;      /* of all connections and servers (forks.h) */
    initproc plain_slow_init;        /* __init__ of dbus.aio's Message, in Python */
} State;

extern struct PyModuleDef dbus_bindings_module;

/* The state behind a type of ours or a Python subclass of one; never NULL for those. */
State *state_of_type(PyTypeObject *type);

static inline State *
state_of(PyObject *self)
{
    return state_of_type(Py_TYPE(self));
}

static inline State *
state_of_module(PyObject *module)
{
    return (State *)PyModule_GetState(module);
}

/* Makes a type from `spec`, keeps it in *field and, where `name` is given, in the module. */
int state_add_type(PyObject *module, PyTypeObject **field, PyType_Spec *spec, PyObject *bases,
                   const char *name);

#endif
