/* SPDX-License-Identifier: MIT */
/*
 * One file descriptor a connection or server, for loops that Python code runs: asyncio's and its
 * like.
 *
 * A _LoopSource's descriptor, an epoll instance, becomes readable when there is work: on the
 * sockets, after a wake-up from another thread, or at the next deadline.  The loop calls serve()
 * then, in its own thread, and knows nothing else.
 */
#include <Python.h>

#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cleanup.h"
#include "compat.h"
#include "errors.h"
#include "mainloop.h"
#include "state.h"

int loopfd_setup(PyObject *module, State *st);

typedef struct Source {
    PyObject_HEAD
    Watchset *set;
    int epoll_fd, timer_fd;
    struct pollfd known[WATCHSET_FDS]; /* what the epoll instance holds */
    int n_known;
    int64_t armed;       /* the timer's time, NEVER when it is off */
    PyObject *served;    /* what attach() made of it */
    PyObject *exception; /* that ends the loop: serve() raises it */
} Source;

static int
control(Source *source, int operation, int fd, short events)
{
    struct epoll_event event = {.data.fd = fd};

    if (events & POLLIN)
        event.events |= EPOLLIN;
    if (events & POLLOUT)
        event.events |= EPOLLOUT;
    return epoll_ctl(source->epoll_fd, operation, fd, &event);
}

/* The epoll instance watches what is to be polled now.  A descriptor that was closed has left it
 * by itself. */
static void
watch(Source *source, const struct pollfd *fds, int n)
{
    if (n == source->n_known && memcmp(fds, source->known, (size_t)n * sizeof *fds) == 0)
        return;
    for (int i = 0; i < source->n_known; i++)
        control(source, EPOLL_CTL_DEL, source->known[i].fd, 0);
    for (int i = 0; i < n; i++)
        control(source, EPOLL_CTL_ADD, fds[i].fd, fds[i].events);
    memcpy(source->known, fds, (size_t)n * sizeof *fds);
    source->n_known = n;
}

/* A timer that fires too early costs one turn; one that is set anew for each call costs a system
 * call each, so it is only ever brought forward, until it fires. */
static void
arm(Source *source, int64_t deadline)
{
    struct itimerspec when = {.it_value = {deadline / 1000000000, deadline % 1000000000}};

    if (deadline >= source->armed)
        return;
    if (deadline <= 0)
        when.it_value.tv_nsec = 1; /* zero would turn it off */
    timerfd_settime(source->timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
    source->armed = deadline;
}

/* Ready to sleep: whoever makes work from here on writes the eventfd. */
static void
settle(Source *source)
{
    Watchset *set = source->set;
    struct pollfd fds[WATCHSET_FDS] = {{0}};
    int64_t alarm, deadline;
    int n;

    atomic_store(&set->wakes_at, NEVER);
    atomic_store(&set->sleeping, true);
    n = watchset_collect(set, fds, WATCHSET_FDS, &alarm);
    deadline = set->ops->deadline(set);
    watch(source, fds, n);
    arm(source, alarm < deadline ? alarm : deadline);
    atomic_store(&set->wakes_at, source->armed);
    if (set->ops->ready(set))
        wakeup_set(set->wake_fd);
}

static PyObject *
source_serve(PyObject *self, PyObject *unused)
{
    Source *source = (Source *)self;
    Watchset *set = source->set;
    struct pollfd fds[2 + WATCHSET_FDS] = {{0}};
    int64_t alarm;
    uint64_t expired;
    int n;

    (void)unused;
    if (set->inherited) /* and the epoll instance and the timer are the parent's too */
        Py_RETURN_NONE;
    atomic_store(&set->sleeping, false);
    fds[0] = (struct pollfd){.fd = set->wake_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = source->timer_fd, .events = POLLIN};
    n = watchset_collect(set, fds + 2, WATCHSET_FDS, &alarm);
    if (poll(fds, (nfds_t)n + 2, 0) > 0) {
        if (fds[0].revents)
            wakeup_clear(set->wake_fd);
        if (fds[1].revents && read(source->timer_fd, &expired, sizeof expired) > 0)
            source->armed = NEVER;
    }
    _keep_object_ PyObject *keep = Py_NewRef(self);
    Py_BEGIN_ALLOW_THREADS set->ops->serve(set, fds + 2, n);
    Py_END_ALLOW_THREADS settle(source);
    if (source->exception) {
        _cleanup_object_ PyObject *exception = TAKE(source->exception);

        PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
source_fileno(PyObject *self, PyObject *unused)
{
    (void)unused;
    return PyLong_FromLong(((Source *)self)->epoll_fd);
}

static PyObject *
source_close(PyObject *self, PyObject *unused)
{
    Watchset *set = ((Source *)self)->set;

    (void)unused;
    Py_BEGIN_ALLOW_THREADS set->ops->close(set);
    Py_END_ALLOW_THREADS Py_RETURN_NONE;
}

static int
source_traverse(PyObject *self, visitproc visit, void *arg)
{
    Source *source = (Source *)self;

    Py_VISIT(Py_TYPE(self));
    Py_VISIT(source->served);
    Py_VISIT(source->exception);
    return 0;
}

static int
source_clear(PyObject *self)
{
    Source *source = (Source *)self;

    Py_CLEAR(source->served);
    Py_CLEAR(source->exception);
    return 0;
}

static void
source_dealloc(PyObject *self)
{
    Source *source = (Source *)self;
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    source_clear(self);
    if (source->epoll_fd >= 0)
        close(source->epoll_fd);
    if (source->timer_fd >= 0)
        close(source->timer_fd);
    if (source->set)
        watchset_unref(source->set);
    type->tp_free(self);
    Py_DECREF(type);
}

/* An owned Source, or NULL with OSError. */
static Source *
source_new(State *st, Watchset *set)
{
    _cleanup_object_ PyObject *object = st->loop_source->tp_alloc(st->loop_source, 0);
    Source *source = (Source *)object;

    if (!source)
        return NULL;
    source->armed = NEVER;
    source->timer_fd = -1;
    source->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (source->epoll_fd >= 0)
        source->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (source->timer_fd < 0 || control(source, EPOLL_CTL_ADD, set->wake_fd, POLLIN) < 0 ||
        control(source, EPOLL_CTL_ADD, source->timer_fd, POLLIN) < 0) {
        error_raise_errno();
        return NULL;
    }
    source->set = watchset_ref(set);
    return (Source *)TAKE(object);
}

/* `data` is the function attach() of _native_main_loop(). */
static void *
attach(void *data, Watchset *set)
{
    PyObject *module = PyImport_ImportModule("_dbus_bindings");
    Source *source = module ? source_new(state_of_module(module), set) : NULL;
    _cleanup_object_ PyObject *owned = (PyObject *)source;

    Py_XDECREF(module); /* sys.modules keeps it */
    if (!source)
        return NULL;
    source->served = PyObject_CallOneArg(data, owned);
    if (!source->served)
        return NULL;
    settle(source);
    return TAKE(owned);
}

static void
detach(void *attachment)
{
    _keep_object_ PyObject *owned = attachment;
    Source *source = attachment;
    PyObject *type, *value, *traceback;

    /* Also from a dealloc, in the middle of whatever exception. */
    PyErr_Fetch(&type, &value, &traceback);
    if (source->served) {
        _cleanup_object_ PyObject *served = TAKE(source->served);
        /* So that it takes no memory: nobody could call it a second time. */
        _cleanup_object_ PyObject *result =
            PyObject_CallMethodNoArgs(served, state_of(owned)->str_detach);

        if (!result)
            PyErr_WriteUnraisable(served);
    }
    PyErr_Restore(type, value, traceback);
}

/* An ordinary exception goes to the loop's handler; one that is to end the loop, out of serve(). */
static void
failed(void *attachment)
{
    Source *source = attachment;
    _cleanup_object_ PyObject *exception = error_take();

    if (!PyErr_GivenExceptionMatches(exception, PyExc_Exception)) {
        Py_XSETREF(source->exception, TAKE(exception));
        return;
    }
    if (!source->served)
        return;
    _cleanup_object_ PyObject *result =
        PyObject_CallMethod(source->served, "failed", "O", exception);
    if (!result)
        PyErr_WriteUnraisable(source->served);
}

static void
free_function(void *data)
{
    Py_DECREF((PyObject *)data);
}

static int
traverse_function(void *data, visitproc visit, void *arg)
{
    Py_VISIT((PyObject *)data);
    return 0;
}

static const LoopFace face = {
    .attach = attach,
    .detach = detach,
    .failed = failed,
    .free = free_function,
    .traverse = traverse_function,
};

static PyObject *
native_main_loop(PyObject *module, PyObject *attach_function)
{
    PyObject *loop;

    if (!PyCallable_Check(attach_function))
        return PyErr_Format(PyExc_TypeError, "attach must be callable, not %s",
                            Py_TYPE(attach_function)->tp_name);
    loop = mainloop_new(state_of_module(module), &face, Py_NewRef(attach_function));
    if (!loop)
        Py_DECREF(attach_function);
    return loop;
}

static PyMethodDef functions[] = {
    {"_native_main_loop", native_main_loop, METH_O,
     "_native_main_loop(attach) -> NativeMainLoop\n\n"
     "A main loop run by Python code.  `attach(source)` is called for each connection and server\n"
     "with a _LoopSource.  It returns an object whose method `detach()` is called when the\n"
     "connection ends, and `failed(exception)` when a handler has raised."},
    {NULL, NULL, 0, NULL},
};

static PyMethodDef methods[] = {
    {"fileno", source_fileno, METH_NOARGS,
     "fileno() -> int\n\nThe descriptor that is readable when serve() is to be called."},
    {"serve", source_serve, METH_NOARGS,
     "serve()\n\nDo what there is to do, without blocking, and run a bounded number of handlers."},
    {"close", source_close, METH_NOARGS,
     "close()\n\nClose the connection or server, for a loop that ends.  No handler runs."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "What a loop run by Python code serves: a connection or a server."},
    {Py_tp_methods, methods},
    {Py_tp_traverse, source_traverse},
    {Py_tp_clear, source_clear},
    {Py_tp_dealloc, source_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "_dbus_bindings._LoopSource",
    .basicsize = sizeof(Source),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE |
             Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int
loopfd_setup(PyObject *module, State *st)
{
    if (state_add_type(module, &st->loop_source, &spec, NULL, "_LoopSource") < 0)
        return -1;
    st->loop_source->tp_new = NULL; /* Python 3.9 knows no flag for it */
    st->str_detach = PyUnicode_InternFromString("detach");
    if (!st->str_detach)
        return -1;
    return PyModule_AddFunctions(module, functions);
}
