/* SPDX-License-Identifier: MIT */
/*
 * Contract: future.h.
 */
#include "future.h"

#include <stddef.h>
#include <structmember.h>

#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "plain.h"

enum FutureState { PENDING, FINISHED, FAILED, CANCELLED };

typedef struct Future {
    PyObject_HEAD
    FutureTerms terms;
    PyObject *call;               /* in flight, or NULL */
    PyObject *outcome;            /* the result, the exception, or NULL */
    PyObject *callback, *context; /* the first one, without memory of its own: a task whose
                                     callback cannot be kept would never go on */
    PyObject *callbacks;          /* NULL, or a list of pairs, the others */
    enum FutureState state;
    char blocking; /* a task that was given this future is about to wait for it */
} Future;

PyObject *
future_new(State *st, const FutureTerms *terms)
{
    Future *self = (Future *)st->future->tp_alloc(st->future, 0);

    if (self)
        self->terms = (FutureTerms){.loop = Py_NewRef(terms->loop),
                                    .handlers = Py_NewRef(terms->handlers),
                                    .ended = Py_NewRef(terms->ended)};
    return (PyObject *)self;
}

void
future_set_call(PyObject *future, PyObject *call)
{
    Future *self = (Future *)future;

    if (self->state == PENDING)
        Py_XSETREF(self->call, Py_NewRef(call));
}

/* --- Who is told */

static int
tell_soon(Future *self, PyObject *callback, PyObject *context)
{
    _cleanup_object_ PyObject *method = PyObject_GetAttrString(self->terms.loop, "call_soon");
    _cleanup_object_ PyObject *args = PyTuple_Pack(2, callback, (PyObject *)self);
    _cleanup_object_ PyObject *kwargs = PyDict_New();

    if (!method || !args || !kwargs || PyDict_SetItemString(kwargs, "context", context) < 0)
        return -1;
    _cleanup_object_ PyObject *handle = PyObject_Call(method, args, kwargs);
    return handle ? 0 : -1;
}

static int
tell_now(Future *self, PyObject *callback, PyObject *context)
{
    if (PyContext_Enter(context) < 0) {
        PyErr_Clear(); /* we are in it already */
        return tell_soon(self, callback, context);
    }
    _cleanup_object_ PyObject *result = PyObject_CallOneArg(callback, (PyObject *)self);
    if (PyContext_Exit(context) < 0)
        return -1;
    return result ? 0 : -1;
}

/* The first failure is what is raised; the others are told nevertheless. */
static int
tell_all(Future *self, int (*tell)(Future *, PyObject *, PyObject *))
{
    _cleanup_object_ PyObject *callback = TAKE(self->callback);
    _cleanup_object_ PyObject *context = TAKE(self->context);
    _cleanup_object_ PyObject *callbacks = TAKE(self->callbacks);
    int result = callback ? tell(self, callback, context) : 0;

    for (Py_ssize_t i = 0; callbacks && i < PyList_GET_SIZE(callbacks); i++) {
        PyObject *pair = PyList_GET_ITEM(callbacks, i), *type, *value, *traceback;

        PyErr_Fetch(&type, &value, &traceback);
        if (tell(self, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1)) < 0)
            result = -1;
        if (type)
            PyErr_Restore(type, value, traceback);
    }
    return result;
}

static int
end(Future *self, enum FutureState state, PyObject *outcome,
    int (*tell)(Future *, PyObject *, PyObject *))
{
    _keep_object_ PyObject *keep = Py_NewRef(self);

    self->state = state;
    self->outcome = Py_XNewRef(outcome);
    Py_CLEAR(self->call);
    return tell_all(self, tell);
}

/* A reply that nobody else is to see, and that brings nothing that would have to be closed. */
static bool
is_usual(State *st, const Future *self, PyObject *outcome)
{
    if ((PyObject *)Py_TYPE(outcome) != st->plain_message || PyList_GET_SIZE(self->terms.handlers))
        return false;
    PyObject *unix_fds = ((Plain *)outcome)->fields[UNIX_FDS];
    return unix_fds && PyList_CheckExact(unix_fds) && PyList_GET_SIZE(unix_fds) == 0;
}

int
future_end(State *st, PyObject *future, PyObject *outcome, PyObject *timed_out)
{
    Future *self = (Future *)future;

    if (is_usual(st, self, outcome))
        return self->state != PENDING ? 0 : end(self, FINISHED, outcome, tell_now);
    _cleanup_object_ PyObject *result =
        PyObject_CallFunctionObjArgs(self->terms.ended, future, outcome, timed_out, NULL);
    if (result)
        return 0;
    if (self->state != PENDING || !PyErr_ExceptionMatches(PyExc_Exception))
        return -1;
    /* Whoever awaits it is told of that at least. */
    _cleanup_object_ PyObject *exception = error_take();
    return end(self, FAILED, exception, tell_now);
}

/* --- What tasks, and whoever completes it in Python, call */

static PyObject *
raise_named(const char *name, const char *text)
{
    _cleanup_object_ PyObject *module = PyImport_ImportModule("asyncio.exceptions");
    _cleanup_object_ PyObject *type = module ? PyObject_GetAttrString(module, name) : NULL;

    if (type && text)
        PyErr_SetString(type, text);
    else if (type)
        PyErr_SetNone(type);
    return NULL;
}

/* The outcome as a call has it: the result, or NULL with the exception. */
static PyObject *
outcome(Future *self)
{
    switch (self->state) {
    case FINISHED:
        return Py_NewRef(self->outcome);
    case FAILED:
        PyErr_SetObject((PyObject *)Py_TYPE(self->outcome), self->outcome);
        return NULL;
    case CANCELLED:
        return raise_named("CancelledError", NULL);
    default:
        return raise_named("InvalidStateError", "the call is still in flight");
    }
}

static PyObject *
future_result(PyObject *self, PyObject *unused)
{
    (void)unused;
    return outcome((Future *)self);
}

static PyObject *
future_exception(PyObject *object, PyObject *unused)
{
    Future *self = (Future *)object;

    (void)unused;
    if (self->state == FAILED)
        return Py_NewRef(self->outcome);
    if (self->state == FINISHED)
        Py_RETURN_NONE;
    return outcome(self);
}

static PyObject *
future_done(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((Future *)self)->state != PENDING);
}

static PyObject *
future_cancelled(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyBool_FromLong(((Future *)self)->state == CANCELLED);
}

static PyObject *
future_get_loop(PyObject *self, PyObject *unused)
{
    (void)unused;
    return Py_NewRef(((Future *)self)->terms.loop);
}

/* What `context=` says, if that is how it is given; by hand, as a task does it for each call. */
static PyObject *
context_argument(PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    Py_ssize_t n_names = names ? PyTuple_GET_SIZE(names) : 0;

    if (n != 1 || n_names > 1 ||
        (n_names && PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(names, 0), "context") != 0)) {
        PyErr_SetString(PyExc_TypeError, "add_done_callback() takes a callable and context=");
        return NULL;
    }
    return n_names && args[1] != Py_None ? Py_NewRef(args[1]) : PyContext_CopyCurrent();
}

static PyObject *
future_add_done_callback(PyObject *object, PyObject *const *args, Py_ssize_t n, PyObject *names)
{
    Future *self = (Future *)object;
    _cleanup_object_ PyObject *context = context_argument(args, n, names);

    if (!context)
        return NULL;
    if (self->state != PENDING) {
        if (tell_soon(self, args[0], context) < 0)
            return NULL;
        Py_RETURN_NONE;
    }
    if (!self->callback && !self->callbacks) {
        self->callback = Py_NewRef(args[0]);
        self->context = TAKE(context);
        Py_RETURN_NONE;
    }
    _cleanup_object_ PyObject *pair = PyTuple_Pack(2, args[0], context);
    if (!pair || (!self->callbacks && !(self->callbacks = PyList_New(0))) ||
        PyList_Append(self->callbacks, pair) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* 1 if the first callback was this one, which it is no more; -1 with an exception. */
static int
remove_first(Future *self, PyObject *callback)
{
    _cleanup_object_ PyObject *first = Py_XNewRef(self->callback);
    int same = first ? PyObject_RichCompareBool(first, callback, Py_EQ) : 0;

    if (same <= 0 || self->callback != first)
        return same < 0 ? -1 : 0;
    Py_CLEAR(self->callback);
    Py_CLEAR(self->context);
    return 1;
}

static PyObject *
future_remove_done_callback(PyObject *object, PyObject *callback)
{
    Future *self = (Future *)object;
    int first = remove_first(self, callback);
    _cleanup_object_ PyObject *known = Py_XNewRef(self->callbacks);
    _cleanup_object_ PyObject *kept = first < 0 ? NULL : PyList_New(0);
    Py_ssize_t n = known ? PyList_GET_SIZE(known) : 0;

    for (Py_ssize_t i = 0; kept && i < n; i++) {
        _cleanup_object_ PyObject *pair = Py_NewRef(PyList_GET_ITEM(known, i));
        int same = PyObject_RichCompareBool(PyTuple_GET_ITEM(pair, 0), callback, Py_EQ);
        if (same < 0 || (!same && PyList_Append(kept, pair) < 0))
            return NULL;
    }
    if (!kept)
        return NULL;
    n -= PyList_GET_SIZE(kept);
    if (n)
        Py_XSETREF(self->callbacks, TAKE(kept));
    return PyLong_FromSsize_t(n + first);
}

static PyObject *
future_cancel(PyObject *object, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"msg", NULL};
    Future *self = (Future *)object;
    PyObject *message = NULL; /* a task keeps it itself */

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:cancel", names, &message))
        return NULL;
    if (self->state != PENDING)
        Py_RETURN_FALSE;
    _cleanup_object_ PyObject *call = TAKE(self->call);
    _cleanup_object_ PyObject *result =
        call ? PyObject_CallMethod(call, "cancel", NULL) : Py_NewRef(Py_None);
    if (!result || end(self, CANCELLED, NULL, tell_soon) < 0)
        return NULL;
    Py_RETURN_TRUE;
}

static PyObject *
finish_soon(PyObject *object, enum FutureState state, PyObject *value)
{
    Future *self = (Future *)object;

    if (self->state != PENDING)
        return raise_named("InvalidStateError", "the call has ended already");
    if (end(self, state, value, tell_soon) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
future_set_result(PyObject *self, PyObject *result)
{
    return finish_soon(self, FINISHED, result);
}

static PyObject *
future_set_exception(PyObject *self, PyObject *exception)
{
    if (!PyExceptionInstance_Check(exception))
        return PyErr_Format(PyExc_TypeError, "an exception is needed, not %s",
                            Py_TYPE(exception)->tp_name);
    return finish_soon(self, FAILED, exception);
}

/* --- await: the future gives itself to the task once, and then its outcome */

static PyObject *
future_await(PyObject *self)
{
    return Py_NewRef(self);
}

static PySendResult
future_send(PyObject *object, PyObject *value, PyObject **ret_result)
{
    Future *self = (Future *)object;

    (void)value;
    if (self->state == PENDING && !self->blocking) {
        self->blocking = 1;
        *ret_result = Py_NewRef(object);
        return PYGEN_NEXT;
    }
    if (self->state == PENDING)
        PyErr_SetString(PyExc_RuntimeError, "await wasn't used with future");
    *ret_result = self->state == PENDING ? NULL : outcome(self);
    return *ret_result ? PYGEN_RETURN : PYGEN_ERROR;
}

static PyObject *
future_next(PyObject *self)
{
    PyObject *result;
    PySendResult how = future_send(self, Py_None, &result);

    if (how != PYGEN_RETURN)
        return result;
    PyErr_SetObject(PyExc_StopIteration, result);
    Py_DECREF(result);
    return NULL;
}

/* --- The class */

static int
future_traverse(PyObject *object, visitproc visit, void *arg)
{
    Future *self = (Future *)object;

    Py_VISIT(Py_TYPE(object));
    Py_VISIT(self->terms.loop);
    Py_VISIT(self->terms.handlers);
    Py_VISIT(self->terms.ended);
    Py_VISIT(self->call);
    Py_VISIT(self->outcome);
    Py_VISIT(self->callback);
    Py_VISIT(self->context);
    Py_VISIT(self->callbacks);
    return 0;
}

static int
future_clear(PyObject *object)
{
    Future *self = (Future *)object;

    Py_CLEAR(self->call);
    Py_CLEAR(self->outcome);
    Py_CLEAR(self->callback);
    Py_CLEAR(self->context);
    Py_CLEAR(self->callbacks);
    return 0;
}

static void
future_dealloc(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);

    PyObject_GC_UnTrack(object);
    future_clear(object);
    Py_CLEAR(((Future *)object)->terms.loop);
    Py_CLEAR(((Future *)object)->terms.handlers);
    Py_CLEAR(((Future *)object)->terms.ended);
    type->tp_free(object);
    Py_DECREF(type);
}

static PyMemberDef members[] = {
    {"_asyncio_future_blocking", T_BOOL, offsetof(Future, blocking), 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyMethodDef methods[] = {
    {"result", future_result, METH_NOARGS, NULL},
    {"exception", future_exception, METH_NOARGS, NULL},
    {"done", future_done, METH_NOARGS, NULL},
    {"cancelled", future_cancelled, METH_NOARGS, NULL},
    {"get_loop", future_get_loop, METH_NOARGS, NULL},
    {"add_done_callback", (PyCFunction)(void (*)(void))future_add_done_callback,
     METH_FASTCALL | METH_KEYWORDS, NULL},
    {"remove_done_callback", future_remove_done_callback, METH_O, NULL},
    {"cancel", (PyCFunction)(void (*)(void))future_cancel, METH_VARARGS | METH_KEYWORDS,
     "cancel(msg=None) -> bool\n\nForget the call: its reply is ignored."},
    {"set_result", future_set_result, METH_O, NULL},
    {"set_exception", future_set_exception, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "The outcome of a call in flight, for the task that awaits it.  Its methods are\n"
                "those of asyncio.Future."},
    {Py_am_await, future_await},
#if PY_VERSION_HEX >= 0x030A0000
    {Py_am_send, future_send},
#endif
    {Py_tp_iter, future_await},
    {Py_tp_iternext, future_next},
    {Py_tp_members, members},
    {Py_tp_methods, methods},
    {Py_tp_traverse, future_traverse},
    {Py_tp_clear, future_clear},
    {Py_tp_dealloc, future_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_dbus_bindings._Future",
    .basicsize = sizeof(Future),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int
future_setup(PyObject *module, State *st)
{
    if (state_add_type(module, &st->future, &spec, NULL, NULL) < 0)
        return -1;
    st->future->tp_new = NULL; /* Python 3.9 knows no flag for it */
    return 0;
}
