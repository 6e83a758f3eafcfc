/* SPDX-License-Identifier: MIT */
/*
 * The rules of names (D-Bus Specification, "Valid Names" and "Valid Object Paths"), and the
 * validators that the module offers to Python.
 *
 * One scanner serves all dotted names; what differs between them is a row of flags.
 */
#include "validate.h"

#include <math.h>
#include <string.h>

#include "cleanup.h"
#include "compat.h"
#include "limits.h"

enum {
    RULE_DOT = 1,     /* at least one dot, elements between dots not empty */
    RULE_DASH = 2,    /* '-' is a letter */
    RULE_DIGIT = 4,   /* an element may start with a digit */
    RULE_NO_DOTS = 8, /* a dot is an invalid character */
};

static int
refuse(const char *kind, const char *name, const char *rule)
{
    PyErr_Format(PyExc_ValueError, "Invalid %s '%s': %s", kind, name, rule);
    return -1;
}

static int
refuse_character(const char *kind, const char *name, const char *at)
{
    char one[8] = {at[0]};

    /* The whole character, so that the text stays UTF-8. */
    for (size_t i = 1; i < 4 && ((unsigned char)at[i] & 0xc0) == 0x80; i++)
        one[i] = at[i];
    PyErr_Format(PyExc_ValueError, "Invalid %s '%s': contains invalid character '%s'", kind, name,
                 one);
    return -1;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The elements of `name` from `start` on. */
static int
check_elements(const char *kind, const char *name, const char *start, int rules)
{
    bool dot = false;

    for (const char *c = start; *c; c++) {
        if (is_digit(*c)) {
            if ((rules & RULE_DIGIT) || (c > start && c[-1] != '.'))
                continue;
            if (c == start)
                return refuse(kind, name, "must not start with a digit");
            return refuse(kind, name,
                          rules & RULE_DASH ? "a digit may not follow '.' except in a unique name "
                                              "starting with ':'"
                                            : "a digit may not follow '.'");
        }
        if (*c == '.' && !(rules & RULE_NO_DOTS)) {
            if (c == start)
                return refuse(kind, name, "must not start with '.'");
            if (c[-1] == '.')
                return refuse(kind, name, "contains substring '..'");
            if (!c[1])
                return refuse(kind, name, "must not end with '.'");
            dot = true;
        } else if (!is_letter(*c) && !(*c == '-' && (rules & RULE_DASH))) {
            return refuse_character(kind, name, c);
        }
    }
    return (rules & RULE_DOT) && !dot ? refuse(kind, name, "must contain '.'") : 0;
}

static int
check_length(const char *kind, const char *name)
{
    size_t len = strlen(name);

    if (len == 0) {
        PyErr_Format(PyExc_ValueError, "Invalid %s: may not be empty", kind);
        return -1;
    }
    return len > LIMIT_NAME ? refuse(kind, name, "too long (> 255 characters)") : 0;
}

int
check_bus_name(const char *name, int kinds)
{
    static const char *const words[] = {"unique bus name", "unique bus name", "well-known bus name",
                                        "bus name"};
    const char *kind = words[kinds & NAME_ANY];

    if (check_length(kind, name) < 0)
        return -1;
    if (name[0] == ':') {
        if (!(kinds & NAME_UNIQUE))
            return refuse(kind, name, "only unique names may start with ':'");
        return check_elements(kind, name, name + 1, RULE_DOT | RULE_DASH | RULE_DIGIT);
    }
    if (!(kinds & NAME_WELL_KNOWN))
        return refuse(kind, name, "unique names must start with ':'");
    return check_elements(kind, name, name, RULE_DOT | RULE_DASH);
}

int
check_interface(const char *name)
{
    static const char kind[] = "interface or error name";

    return check_length(kind, name) < 0 ? -1 : check_elements(kind, name, name, RULE_DOT);
}

int
check_error_name(const char *name)
{
    return check_interface(name); /* "Error names have the same restrictions as interface names." */
}

int
check_member(const char *name)
{
    static const char kind[] = "member name";

    return check_length(kind, name) < 0 ? -1 : check_elements(kind, name, name, RULE_NO_DOTS);
}

bool
path_is_valid(const char *path, size_t len)
{
    if (len == 0 || path[0] != '/')
        return false;
    for (size_t i = 1; i < len; i++)
        if (path[i] == '/' ? path[i - 1] == '/' : !is_letter(path[i]) && !is_digit(path[i]))
            return false;
    return len == 1 || path[len - 1] != '/';
}

int
check_path(const char *path)
{
    static const char kind[] = "object path";
    size_t len = strlen(path);

    if (len > LIMIT_PATH) {
        PyErr_Format(PyExc_ValueError, "Invalid object path: too long (> %u bytes)", LIMIT_PATH);
        return -1;
    }
    if (path_is_valid(path, len))
        return 0;
    if (path[0] != '/')
        return refuse(kind, path, "does not start with '/'");
    for (const char *c = path + 1; *c; c++) {
        if (*c == '/' && c[-1] == '/')
            return refuse(kind, path, "contains substring '//'");
        if (*c != '/' && !is_letter(*c) && !is_digit(*c))
            return refuse_character(kind, path, c);
    }
    return refuse(kind, path, "ends with '/' and is not just '/'");
}

const char *
check_text(PyObject *text, const char *what, Py_ssize_t *ret_len)
{
    Py_ssize_t len;

    if (!PyUnicode_Check(text)) {
        PyErr_Format(PyExc_TypeError, "%s must be str, not %s", what, Py_TYPE(text)->tp_name);
        return NULL;
    }
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &len);
    if (!utf8)
        return NULL;
    if (strlen(utf8) != (size_t)len) {
        PyErr_Format(PyExc_ValueError, "embedded null character in %s", what);
        return NULL;
    }
    if (ret_len)
        *ret_len = len;
    return utf8;
}

int
text_converter(PyObject *value, void *ret_text)
{
    const char *text = check_text(value, "argument", NULL);

    if (!text)
        return 0;
    *(const char **)ret_text = text;
    return 1;
}

int
text_or_none_converter(PyObject *value, void *ret_text)
{
    if (value == Py_None) {
        *(const char **)ret_text = NULL;
        return 1;
    }
    return text_converter(value, ret_text);
}

int
check_timeout(double seconds, int *ret_ms)
{
    if (isnan(seconds)) {
        PyErr_SetString(PyExc_ValueError, "timeout must be a number of seconds, not NaN");
        return -1;
    }
    if (seconds < 0) {
        *ret_ms = DEFAULT_TIMEOUT_MS;
        return 0;
    }
    if (seconds > (double)LIMIT_TIMEOUT_MS / 1000.0) {
        PyErr_SetString(PyExc_ValueError,
                        "Timeout too long: timeout_s is at most 2147483.647 seconds");
        return -1;
    }
    *ret_ms = (int)(seconds * 1000.0);
    return 0;
}

static PyObject *
validate_one(PyObject *args, const char *format, int (*check)(const char *))
{
    const char *name;

    if (!PyArg_ParseTuple(args, format, &name) || check(name) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *
validate_bus_name(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"name", "allow_unique", "allow_well_known", NULL};
    const char *name;
    int unique = 1, well_known = 1;

    (void)module;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s|ii:validate_bus_name", names, &name, &unique,
                                     &well_known))
        return NULL;
    if (check_bus_name(name, (unique ? NAME_UNIQUE : 0) | (well_known ? NAME_WELL_KNOWN : 0)) < 0)
        return NULL;
    Py_RETURN_NONE;
}

#define VALIDATOR(NAME, CHECK)                                                                     \
    static PyObject *NAME(PyObject *module, PyObject *args)                                        \
    {                                                                                              \
        (void)module;                                                                              \
        return validate_one(args, "s:" #NAME, CHECK);                                              \
    }

VALIDATOR(validate_member_name, check_member)
VALIDATOR(validate_interface_name, check_interface)
VALIDATOR(validate_error_name, check_error_name)
VALIDATOR(validate_object_path, check_path)

#define KEYWORDS(f) (PyCFunction)(void (*)(void))(f), METH_VARARGS | METH_KEYWORDS

static PyMethodDef functions[] = {
    {"validate_bus_name", KEYWORDS(validate_bus_name),
     "validate_bus_name(name, allow_unique=True, allow_well_known=True)\n\n"
     "Raise ValueError unless the str `name` is a valid bus name of an accepted kind: a unique\n"
     "name (:1.5) where `allow_unique`, a well-known one (com.example.X) where\n"
     "`allow_well_known` (D-Bus Specification, \"Valid Names\")."},
    {"validate_member_name", validate_member_name, METH_VARARGS,
     "validate_member_name(name)\n\n"
     "Raise ValueError unless the str `name` can name a method or a signal."},
    {"validate_interface_name", validate_interface_name, METH_VARARGS,
     "validate_interface_name(name)\n\n"
     "Raise ValueError unless the str `name` is a valid interface name."},
    {"validate_error_name", validate_error_name, METH_VARARGS,
     "validate_error_name(name)\n\n"
     "Raise ValueError unless the str `name` is a valid error name."},
    {"validate_object_path", validate_object_path, METH_VARARGS,
     "validate_object_path(name)\n\n"
     "Raise ValueError unless the str `name` is a valid object path."},
    {NULL, NULL, 0, NULL},
};

int
validate_setup(PyObject *module, State *st)
{
    (void)st;
    return PyModule_AddFunctions(module, functions);
}
