# SPDX-License-Identifier: MIT

# DBUS_SHIM_ADD_FLAGS(VARIABLE, FLAGS)
# ------------------------------------
# Appends to VARIABLE each of FLAGS that the C compiler takes without a warning.
AC_DEFUN([DBUS_SHIM_ADD_FLAGS], [
  for dbus_shim_flag in $2; do
    dbus_shim_saved=$CFLAGS
    CFLAGS="$CFLAGS -Werror $dbus_shim_flag"
    AC_MSG_CHECKING([whether $CC takes $dbus_shim_flag])
    AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
      [AC_MSG_RESULT([yes])
       $1="${$1} $dbus_shim_flag"],
      [AC_MSG_RESULT([no])])
    CFLAGS=$dbus_shim_saved
  done
])
