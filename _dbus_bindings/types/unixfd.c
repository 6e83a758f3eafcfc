/* SPDX-License-Identifier: MIT */
/*
 * UnixFd: a file descriptor, owned until it is taken.
 */
#include "unixfd.h"

#include <errno.h>
#include <fcntl.h>
#include <structmember.h>
#include <unistd.h>

#include "../cleanup.h"
#include "../compat.h"
#include "level.h"

static UnixFdValue *
unixfd_of(PyObject *self)
{
    return (UnixFdValue *)(void *)self;
}

PyObject *
unixfd_new_steal(State *st, int fd, long level)
{
    UnixFdValue *self = PyObject_Malloc(sizeof *self);

    if (!self) {
        close(fd);
        return PyErr_NoMemory();
    }
    self->fd = fd;
    self->level = level;
    return PyObject_Init((PyObject *)self, st->unix_fd);
}

int
unixfd_fd(PyObject *unixfd)
{
    return unixfd_of(unixfd)->fd;
}

/* The number of the descriptor that `value` is, by itself or by its fileno(). */
static int
descriptor_of(PyObject *value, long *ret_number)
{
    _cleanup_object_ PyObject *made = NULL;

    if (!PyLong_Check(value)) {
        _cleanup_object_ PyObject *fileno = PyObject_GetAttrString(value, "fileno");
        if (!fileno) {
            if (PyErr_ExceptionMatches(PyExc_AttributeError))
                PyErr_SetString(PyExc_ValueError,
                                "Argument is not int and does not implement fileno() method");
            return -1;
        }
        made = PyObject_CallNoArgs(fileno);
        if (!made)
            return -1;
        if (!PyLong_Check(made)) {
            PyErr_SetString(PyExc_ValueError,
                            "Argument's fileno() method returned a non-int value");
            return -1;
        }
        value = made;
    }
    long number = PyLong_AsLong(value);
    if (number == -1 && PyErr_Occurred())
        return -1;
    if (number < 0 || number > INT_MAX) {
        PyErr_SetString(PyExc_ValueError, "int is outside fd range");
        return -1;
    }
    *ret_number = number;
    return 0;
}

static PyObject *
unixfd_tp_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *value, *level_value = NULL;
    char *names[] = {"fd", "variant_level", NULL};
    State *st = state_of_type(type);
    long level, number;

    if (!st || !PyArg_ParseTupleAndKeywords(args, kwargs, "O|O", names, &value, &level_value) ||
        level_convert(level_value, &level) < 0 || descriptor_of(value, &number) < 0)
        return NULL;
    /* Like all descriptors that Python makes, the copy does not outlive exec() (PEP 446). */
    int fd = fcntl((int)number, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        if (errno == EBADF)
            PyErr_SetString(PyExc_ValueError, "Invalid file descriptor");
        else
            PyErr_SetFromErrno(PyExc_OSError);
        return NULL;
    }
    return unixfd_new_steal(st, fd, level);
}

static void
unixfd_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    int fd = unixfd_of(self)->fd;

    if (fd >= 0)
        close(fd);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
unixfd_take(PyObject *self, PyObject *unused)
{
    int fd = unixfd_of(self)->fd;

    (void)unused;
    if (fd < 0) {
        PyErr_SetString(PyExc_ValueError, "File descriptor already taken");
        return NULL;
    }
    PyObject *number = PyLong_FromLong(fd);
    if (number)
        unixfd_of(self)->fd = -1;
    return number;
}

static PyObject *
unixfd_reduce(PyObject *self, PyObject *unused)
{
    (void)unused;
    PyErr_Format(PyExc_TypeError, "cannot pickle '%s' object", Py_TYPE(self)->tp_name);
    return NULL;
}

int
unixfd_setup(PyObject *module, State *st)
{
    static PyMemberDef members[] = {
        {"variant_level", T_LONG, offsetof(UnixFdValue, level), READONLY, LEVEL_MEMBER_DOC},
        {0},
    };
    static PyMethodDef methods[] = {
        {"take", unixfd_take, METH_NOARGS,
         "take() -> int\n\n"
         "Gives the descriptor away: from now on the caller has to close it. ValueError if that "
         "has been\ndone before."},
        {"__reduce__", unixfd_reduce, METH_NOARGS,
         "A descriptor means nothing outside of this process, so this raises TypeError."},
        {0},
    };
    PyType_Slot slots[] = {
        {Py_tp_doc, "UnixFd(fd, variant_level=0)\n\n"
                    "A file descriptor that a message can carry.\n\n"
                    "``fd`` is a number or an object with a fileno() method (else ValueError). It "
                    "is duplicated: the\ncaller still has to close its own, and the copy is closed "
                    "with this object unless take() was\ncalled." LEVEL_DOC},
        {Py_tp_new, unixfd_tp_new},
        {Py_tp_dealloc, unixfd_dealloc},
        {Py_tp_members, members},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = "dbus.UnixFd",
        .basicsize = sizeof(UnixFdValue),
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };

    return state_add_type(module, &st->unix_fd, &spec, NULL, "UnixFd");
}
