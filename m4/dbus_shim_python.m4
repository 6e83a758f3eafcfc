# SPDX-License-Identifier: MIT

# DBUS_SHIM_PYTHON(MINIMUM)
# -------------------------
# Takes the interpreter that PYTHON names (default: python3 of the PATH) and asks it, and only it, how
# and where extension modules are built and installed.  Sets and substitutes
#   PYTHON                the interpreter's absolute path
#   PYTHON_VERSION        X.Y
#   PYTHON_INCLUDES       preprocessor flags for its headers
#   PYTHON_EXT_SUFFIX     how the file name of an extension module ends
#   pyexecdir             where the modules and the package go; may be given to configure or to make
AC_DEFUN([DBUS_SHIM_PYTHON], [
  AC_ARG_VAR([PYTHON], [the Python interpreter to build for (default: python3)])
  AC_ARG_VAR([pyexecdir], [where Python modules are installed (default: the site directory of PYTHON below the prefix)])
  AC_ARG_WITH([python-prefix],
    [AS_HELP_STRING([--with-python-prefix=DIR], [install the Python modules below DIR instead of PREFIX])],
    [], [with_python_prefix=])

  AC_PATH_PROG([PYTHON], [python3])
  AS_IF([test -z "$PYTHON"], [AC_MSG_ERROR([no python3 found; name the interpreter with PYTHON=])])

  AC_MSG_CHECKING([the version of $PYTHON])
  PYTHON_VERSION=`"$PYTHON" -c "import sys; print('%d.%d' % sys.version_info@<:@:2@:>@)"` ||
    AC_MSG_ERROR([$PYTHON does not run])
  AC_MSG_RESULT([$PYTHON_VERSION])
  DBUS_SHIM_PYTHON_AT_LEAST([$PYTHON_VERSION], [$1])

  AC_MSG_CHECKING([for the headers of Python $PYTHON_VERSION])
  dbus_shim_include=`"$PYTHON" -c "import sysconfig; print(sysconfig.get_path('include'))"`
  AS_IF([test -f "$dbus_shim_include/Python.h"],
    [AC_MSG_RESULT([$dbus_shim_include])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([$dbus_shim_include/Python.h is missing; install the development files of Python (python3-dev)])])
  # As system headers, so that our warnings are about our code.
  PYTHON_INCLUDES="-isystem $dbus_shim_include"

  PYTHON_EXT_SUFFIX=`"$PYTHON" -c "import sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"`

  AC_MSG_CHECKING([where Python modules are installed])
  dbus_shim_prefix=$with_python_prefix
  AS_IF([test -z "$dbus_shim_prefix"], [dbus_shim_prefix=$prefix])
  AS_IF([test "x$dbus_shim_prefix" = xNONE], [dbus_shim_prefix=$ac_default_prefix])
  AS_IF([test -z "$pyexecdir"],
    [pyexecdir=`"$PYTHON" "$srcdir/tools/sitedir.py" "$dbus_shim_prefix"` ||
       AC_MSG_ERROR([$PYTHON cannot tell])
     # Keep the prefix symbolic, so that "make prefix=... install" moves the modules too.
     AS_IF([test -z "$with_python_prefix"],
       [pyexecdir=`AS_ECHO(["$pyexecdir"]) | sed "s|^$dbus_shim_prefix/|\\${exec_prefix}/|"`])])
  AC_MSG_RESULT([$pyexecdir])

  AC_SUBST([PYTHON_VERSION])
  AC_SUBST([PYTHON_INCLUDES])
  AC_SUBST([PYTHON_EXT_SUFFIX])
  AC_SUBST([pyexecdir])
])

# DBUS_SHIM_PYTHON_AT_LEAST(VERSION, MINIMUM): stops when VERSION is older.
AC_DEFUN([DBUS_SHIM_PYTHON_AT_LEAST], [
  AS_VERSION_COMPARE([$1], [$2],
    [AC_MSG_ERROR([Python $2 or later is needed, but $PYTHON is $1])])
])
