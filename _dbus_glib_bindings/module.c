/* SPDX-License-Identifier: MIT */
/*
 * The GLib main loop: one GSource a connection or server, over its watchset.
 *
 * A source belongs to the thread-default main context of the thread that made the connection.  It
 * takes no GIL itself: serve() does, when there is something to deliver.  It may be destroyed from
 * any thread, also while it runs.
 */
#include <Python.h>

#include <glib.h>

#include "../_dbus_bindings/loopapi.h"

typedef struct Source {
    GSource base;
    const LoopApi *api;
    Watchset *set;
    GPollFD wake; /* the set's eventfd */
    GPollFD fds[WATCHSET_FDS];
    int n;
    GMutex mutex; /* held where it is destroyed: a source that is polls nothing more */
} Source;

static bool
polls_the_same(const Source *source, const struct pollfd *fds, int n)
{
    if (n != source->n)
        return false;
    for (int i = 0; i < n; i++)
        if (fds[i].fd != source->fds[i].fd)
            return false;
    return true;
}

static void
poll_others(Source *source, const struct pollfd *fds, int n)
{
    bool destroyed;

    g_mutex_lock(&source->mutex);
    destroyed = g_source_is_destroyed(&source->base);
    for (int i = 0; i < source->n && !destroyed; i++)
        g_source_remove_poll(&source->base, &source->fds[i]);
    source->n = destroyed ? 0 : n;
    for (int i = 0; i < source->n; i++) {
        source->fds[i] = (GPollFD){.fd = fds[i].fd};
        g_source_add_poll(&source->base, &source->fds[i]);
    }
    g_mutex_unlock(&source->mutex);
}

static gboolean
prepare(GSource *base, gint *ret_timeout)
{
    Source *source = (Source *)base;
    Watchset *set = source->set;
    struct pollfd fds[WATCHSET_FDS];
    int64_t alarm, deadline;
    int n;

    /* From here on whoever makes work for this loop writes the eventfd. */
    atomic_store(&set->wakes_at, INT64_MAX);
    atomic_store(&set->sleeping, true);
    if (set->ops->ready(set))
        return TRUE;
    n = source->api->collect(set, fds, WATCHSET_FDS, &alarm);
    if (!polls_the_same(source, fds, n))
        poll_others(source, fds, n);
    for (int i = 0; i < source->n; i++) {
        source->fds[i].events =
            (gushort)((fds[i].events & POLLIN ? G_IO_IN : 0) |
                      (fds[i].events & POLLOUT ? G_IO_OUT : 0) | G_IO_ERR | G_IO_HUP);
        source->fds[i].revents = 0;
    }
    deadline = set->ops->deadline(set);
    if (alarm < deadline)
        deadline = alarm;
    atomic_store(&set->wakes_at, deadline);
    *ret_timeout = source->api->poll_timeout(deadline);
    return FALSE;
}

static bool
is_due(Source *source)
{
    Watchset *set = source->set;
    struct pollfd fds[WATCHSET_FDS];
    int64_t alarm, deadline = set->ops->deadline(set);

    source->api->collect(set, fds, WATCHSET_FDS, &alarm);
    return source->api->poll_timeout(alarm < deadline ? alarm : deadline) == 0;
}

static gboolean
check(GSource *base)
{
    Source *source = (Source *)base;
    Watchset *set = source->set;

    atomic_store(&set->sleeping, false);
    if (source->wake.revents)
        source->api->wakeup_clear(source->wake.fd);
    for (int i = 0; i < source->n; i++)
        if (source->fds[i].revents)
            return TRUE;
    return set->ops->ready(set) || is_due(source);
}

static gboolean
dispatch(GSource *base, GSourceFunc callback, gpointer data)
{
    Source *source = (Source *)base;
    Watchset *set = source->api->ref(source->set);
    const LoopApi *api = source->api;
    struct pollfd fds[WATCHSET_FDS];
    int n = source->n;

    (void)callback;
    (void)data;
    for (int i = 0; i < n; i++) {
        gushort found = source->fds[i].revents;

        fds[i] = (struct pollfd){.fd = source->fds[i].fd};
        fds[i].revents = (short)((found & G_IO_IN ? POLLIN : 0) | (found & G_IO_OUT ? POLLOUT : 0) |
                                 (found & G_IO_ERR ? POLLERR : 0) |
                                 (found & (G_IO_HUP | G_IO_NVAL) ? POLLHUP : 0));
        source->fds[i].revents = 0; /* a nested loop must not see it again */
    }
    set->ops->serve(set, fds, n);
    api->unref(set);
    return G_SOURCE_CONTINUE;
}

static void
finalize(GSource *base)
{
    Source *source = (Source *)base;

    if (source->set)
        source->api->unref(source->set);
    g_mutex_clear(&source->mutex);
}

static GSourceFuncs source_functions = {
    .prepare = prepare,
    .check = check,
    .dispatch = dispatch,
    .finalize = finalize,
};

static void *
attach(void *data, Watchset *set)
{
    const LoopApi *api = data;
    GMainContext *context = g_main_context_ref_thread_default();
    GSource *base = g_source_new(&source_functions, sizeof(Source));
    Source *source = (Source *)base;

    g_mutex_init(&source->mutex);
    source->api = api;
    source->set = api->ref(set);
    source->wake = (GPollFD){.fd = set->wake_fd, .events = G_IO_IN};
    g_source_add_poll(base, &source->wake);
    /* Handlers may run the loop: they run outside libdbus' dispatch, which could not bear it. */
    g_source_set_can_recurse(base, TRUE);
    g_source_set_name(base, "D-Bus");
    g_source_attach(base, context);
    g_main_context_unref(context);
    return base;
}

static void
detach(void *attachment)
{
    Source *source = attachment;

    g_mutex_lock(&source->mutex);
    g_source_destroy(&source->base);
    g_mutex_unlock(&source->mutex);
    g_source_unref(&source->base);
}

static void
free_nothing(void *data)
{
    (void)data;
}

static const LoopFace face = {.attach = attach, .detach = detach, .free = free_nothing};

static PyObject *
glib_main_loop(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"set_as_default", NULL};
    int set_as_default = 0;
    const LoopApi *api;
    PyObject *loop;

    (void)module;
    if (PyTuple_GET_SIZE(args) != 0) {
        PyErr_SetString(PyExc_TypeError, "DBusGMainLoop() takes no positional arguments");
        return NULL;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|p:DBusGMainLoop", names, &set_as_default))
        return NULL;
    api = PyCapsule_Import(LOOP_API_NAME, 0);
    if (!api)
        return NULL;
    loop = api->main_loop_new(&face, (void *)(uintptr_t)api);
    if (loop && set_as_default && api->set_default(loop) < 0)
        Py_CLEAR(loop);
    return loop;
}

static PyObject *
gthreads_init(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    Py_RETURN_NONE;
}

static PyObject *
setup_with_g_main(PyObject *module, PyObject *unused)
{
    (void)module;
    (void)unused;
    PyErr_SetString(PyExc_NotImplementedError,
                    "give DBusGMainLoop() to the connection's constructor instead");
    return NULL;
}

static PyMethodDef functions[] = {
    {"DBusGMainLoop", (PyCFunction)(void (*)(void))glib_main_loop, METH_VARARGS | METH_KEYWORDS,
     "DBusGMainLoop(set_as_default=False) -> NativeMainLoop\n\n"
     "The GLib main loop, for the `mainloop` argument of connections and servers: each is served\n"
     "by the thread-default GMainContext of the thread that makes it.  `set_as_default`: also\n"
     "call dbus.set_default_main_loop() with it."},
    {"gthreads_init", gthreads_init, METH_NOARGS,
     "gthreads_init()\n\nDoes nothing: GLib has initialised its threads by itself since 2.32."},
    {"setup_with_g_main", setup_with_g_main, METH_VARARGS,
     "setup_with_g_main(connection)\n\nNot available: raises NotImplementedError."},
    {NULL, NULL, 0, NULL},
};

static int
exec(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_dbus_glib_bindings",
    .m_doc = "The GLib main loop for D-Bus connections.  Programs import dbus.mainloop.glib.",
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit__dbus_glib_bindings(void)
{
    return PyModuleDef_Init(&definition);
}
