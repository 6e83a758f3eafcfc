/* SPDX-License-Identifier: MIT */
/*
 * Contract: mainloop.h; and the default main loop.
 */
#include "mainloop.h"

#include "cleanup.h"
#include "compat.h"

typedef struct MainLoop {
    PyObject_HEAD
    const LoopFace *face; /* a loop of ours, or NULL */
    ConnectionSetUp set_up_connection;
    ServerSetUp set_up_server;
    void (*free_data)(void *);
    void *data;
} MainLoop;

static int
main_loop_traverse(PyObject *self, visitproc visit, void *arg)
{
    MainLoop *loop = (MainLoop *)self;

    Py_VISIT(Py_TYPE(self));
    return loop->data && loop->face && loop->face->traverse
               ? loop->face->traverse(loop->data, visit, arg)
               : 0;
}

static void
main_loop_dealloc(PyObject *self)
{
    MainLoop *loop = (MainLoop *)self;
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    if (loop->data && loop->face)
        loop->face->free(loop->data);
    else if (loop->data && loop->free_data)
        loop->free_data(loop->data);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot main_loop_slots[] = {
    {Py_tp_doc, "A main loop integrated in native code; made by functions such as\n"
                "dbus.mainloop.glib.DBusGMainLoop, never directly."},
    {Py_tp_traverse, main_loop_traverse},
    {Py_tp_dealloc, main_loop_dealloc},
    {0, NULL},
};

static PyType_Spec main_loop_spec = {
    .name = "dbus.mainloop.NativeMainLoop",
    .basicsize = sizeof(MainLoop),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = main_loop_slots,
};

static MainLoop *
main_loop_new(State *st)
{
    return (MainLoop *)st->native_main_loop->tp_alloc(st->native_main_loop, 0);
}

PyObject *
mainloop_new(State *st, const LoopFace *face, void *data)
{
    MainLoop *loop = main_loop_new(st);

    if (!loop)
        return NULL;
    loop->face = face;
    loop->data = data;
    return (PyObject *)loop;
}

PyObject *
mainloop_new_foreign(State *st, ConnectionSetUp set_up_connection, ServerSetUp set_up_server,
                     void (*free_data)(void *), void *data)
{
    MainLoop *loop = main_loop_new(st);

    if (!loop)
        return NULL;
    loop->set_up_connection = set_up_connection;
    loop->set_up_server = set_up_server;
    loop->free_data = free_data;
    loop->data = data;
    return (PyObject *)loop;
}

PyObject *
mainloop_choose(State *st, PyObject *argument)
{
    if (!argument || argument == Py_None)
        argument = st->default_main_loop;
    if (argument != Py_None && !PyObject_TypeCheck(argument, st->native_main_loop)) {
        PyErr_Format(PyExc_TypeError,
                     "A dbus.mainloop.NativeMainLoop instance is required as mainloop, not %s",
                     Py_TYPE(argument)->tp_name);
        return NULL;
    }
    return Py_NewRef(argument);
}

bool
mainloop_is_ours(State *st, PyObject *main_loop)
{
    return Py_TYPE(main_loop) == st->native_main_loop && ((MainLoop *)main_loop)->face;
}

int
mainloop_attach(PyObject *main_loop, Watchset *set, Attachment *ret_attachment)
{
    MainLoop *loop = (MainLoop *)main_loop;
    void *handle = loop->face->attach(loop->data, set);

    if (!handle)
        return -1;
    *ret_attachment = (Attachment){Py_NewRef(main_loop), loop->face, handle};
    return 0;
}

/* What a foreign set-up function answered; one that failed has set the exception. */
static int
keep_foreign(PyObject *main_loop, bool ok, Attachment *ret_attachment)
{
    if (!ok) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_RuntimeError,
                            "the main loop's set-up function failed without an exception");
        return -1;
    }
    *ret_attachment = (Attachment){Py_NewRef(main_loop), NULL, NULL};
    return 0;
}

int
mainloop_attach_foreign_connection(PyObject *main_loop, DBusConnection *connection,
                                   Attachment *ret_attachment)
{
    MainLoop *loop = (MainLoop *)main_loop;

    return keep_foreign(main_loop,
                        !loop->set_up_connection || loop->set_up_connection(connection, loop->data),
                        ret_attachment);
}

int
mainloop_attach_foreign_server(PyObject *main_loop, DBusServer *server, Attachment *ret_attachment)
{
    MainLoop *loop = (MainLoop *)main_loop;

    return keep_foreign(main_loop, !loop->set_up_server || loop->set_up_server(server, loop->data),
                        ret_attachment);
}

void
mainloop_detach(Attachment *attachment, bool inherited)
{
    Attachment old = *attachment;

    *attachment = (Attachment){NULL, NULL, NULL};
    if (old.handle && !inherited)
        old.face->detach(old.handle);
    Py_XDECREF(old.main_loop);
}

PyObject *
mainloop_target(void *weak)
{
    PyObject *target = NULL;

    if (weak && PyWeakref_GetRef(weak, &target) < 0)
        PyErr_Clear();
    return target;
}

void
mainloop_handler_failed(const Attachment *attachment)
{
    if (attachment->face && attachment->face->failed)
        attachment->face->failed(attachment->handle);
    else
        PyErr_Print();
}

static PyObject *
get_default_main_loop(PyObject *module, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(state_of_module(module)->default_main_loop);
}

static PyObject *
set_default_main_loop(PyObject *module, PyObject *args)
{
    State *st = state_of_module(module);
    PyObject *loop;

    if (!PyArg_ParseTuple(args, "O:set_default_main_loop", &loop))
        return NULL;
    if (!PyObject_TypeCheck(loop, st->native_main_loop)) {
        PyErr_Format(PyExc_TypeError, "a dbus.mainloop.NativeMainLoop is required, not %s",
                     Py_TYPE(loop)->tp_name);
        return NULL;
    }
    Py_SETREF(st->default_main_loop, Py_NewRef(loop));
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"get_default_main_loop", get_default_main_loop, METH_NOARGS,
     "get_default_main_loop() -> NativeMainLoop or None\n\n"
     "The main loop of connections that are made without the `mainloop` argument.  While it is\n"
     "None, such connections can only make blocking calls."},
    {"set_default_main_loop", set_default_main_loop, METH_VARARGS,
     "set_default_main_loop(loop)\n\n"
     "Make the NativeMainLoop `loop` the main loop of connections that are made without the\n"
     "`mainloop` argument from now on.  Raises TypeError for anything else, None included."},
    {NULL, NULL, 0, NULL},
};

int
mainloop_setup(PyObject *module, State *st)
{
    if (state_add_type(module, &st->native_main_loop, &main_loop_spec, NULL, "NativeMainLoop") < 0)
        return -1;
    st->native_main_loop->tp_new = NULL; /* Python 3.9 knows no flag for it */
    st->default_main_loop = Py_NewRef(Py_None);
    st->null_main_loop = (PyObject *)main_loop_new(st);
    if (!st->null_main_loop ||
        PyModule_AddObjectRef(module, "NULL_MAIN_LOOP", st->null_main_loop) < 0)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
