/* SPDX-License-Identifier: MIT */
/*
 * The payloads of bench/payloads.py (see payload.h).  Strings are made as they are appended, which is
 * a few nanoseconds beside the hundred that an iterator takes.
 */
#include "payload.h"

#include "common.h"

enum { MEBIBYTE = 1 << 20 };

static void
append(DBusMessageIter *iter, int type, const void *value)
{
    require(dbus_message_iter_append_basic(iter, type, value), "cannot append");
}

static void
append_string(DBusMessageIter *iter, const char *text)
{
    append(iter, DBUS_TYPE_STRING, &text);
}

static void
open_container(DBusMessageIter *iter, int type, const char *contained, DBusMessageIter *inner)
{
    require(dbus_message_iter_open_container(iter, type, contained, inner), "cannot open");
}

static void
close_container(DBusMessageIter *iter, DBusMessageIter *inner)
{
    require(dbus_message_iter_close_container(iter, inner), "cannot close");
}

/* An entry {sv} with a basic value; strings and paths are given themselves, others by pointer. */
static void
append_property(DBusMessageIter *dict, const char *key, int type, const void *value)
{
    char signature[2] = {(char)type, 0};
    DBusMessageIter entry, variant;
    int is_text = type == DBUS_TYPE_STRING || type == DBUS_TYPE_OBJECT_PATH;

    open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
    append_string(&entry, key);
    open_container(&entry, DBUS_TYPE_VARIANT, signature, &variant);
    append(&variant, type, is_text ? (const void *)&value : value);
    close_container(&entry, &variant);
    close_container(dict, &entry);
}

static void
append_uuids(DBusMessageIter *dict)
{
    DBusMessageIter entry, variant, array;
    char text[NAME_SIZE];

    open_container(dict, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
    append_string(&entry, "UUIDs");
    open_container(&entry, DBUS_TYPE_VARIANT, "as", &variant);
    open_container(&variant, DBUS_TYPE_ARRAY, "s", &array);
    for (long i = 0; i < 4; i++)
        append_string(&array, numbered(text, "0000110%ld-0000", i));
    close_container(&variant, &array);
    close_container(&entry, &variant);
    close_container(dict, &entry);
}

static void
append_properties(DBusMessageIter *dict, long object, long interface)
{
    char text[NAME_SIZE];
    dbus_bool_t powered = object % 2 == 0;
    dbus_uint32_t class = 0x240404 + (dbus_uint32_t)object;
    dbus_int16_t rssi = (dbus_int16_t)(-40 - object);
    double level = (double)object / 7.0;
    dbus_uint64_t size = (dbus_uint64_t)object * 1000003;
    dbus_int32_t index = (dbus_int32_t)interface;

    append_property(dict, "Name", DBUS_TYPE_STRING, numbered(text, "device number %ld", object));
    snprintf(text, sizeof text, "alias-%ld-%ld", object, interface);
    append_property(dict, "Alias", DBUS_TYPE_STRING, text);
    append_property(dict, "Powered", DBUS_TYPE_BOOLEAN, &powered);
    append_property(dict, "Class", DBUS_TYPE_UINT32, &class);
    append_property(dict, "RSSI", DBUS_TYPE_INT16, &rssi);
    append_property(dict, "Adapter", DBUS_TYPE_OBJECT_PATH,
                    numbered(text, "/org/example/hci%ld", interface));
    append_uuids(dict);
    append_property(dict, "Level", DBUS_TYPE_DOUBLE, &level);
    append_property(dict, "Size", DBUS_TYPE_UINT64, &size);
    append_property(dict, "Index", DBUS_TYPE_INT32, &index);
}

static void
append_object(DBusMessageIter *objects, long object)
{
    DBusMessageIter entry, interfaces, interface, properties;
    char text[NAME_SIZE];
    const char *path = numbered(text, "/org/example/hci0/dev_%02ld", object);

    open_container(objects, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
    append(&entry, DBUS_TYPE_OBJECT_PATH, &path);
    open_container(&entry, DBUS_TYPE_ARRAY, "{sa{sv}}", &interfaces);
    for (long i = 0; i < 3; i++) {
        open_container(&interfaces, DBUS_TYPE_DICT_ENTRY, NULL, &interface);
        append_string(&interface, numbered(text, "org.example.Interface%ld", i));
        open_container(&interface, DBUS_TYPE_ARRAY, "{sv}", &properties);
        append_properties(&properties, object, i);
        close_container(&interface, &properties);
        close_container(&interfaces, &interface);
    }
    close_container(&entry, &interfaces);
    close_container(objects, &entry);
}

static void
append_gmo(DBusMessageIter *iter)
{
    DBusMessageIter objects;

    open_container(iter, DBUS_TYPE_ARRAY, "{oa{sa{sv}}}", &objects);
    for (long i = 0; i < 50; i++)
        append_object(&objects, i);
    close_container(iter, &objects);
}

static void
append_structs(DBusMessageIter *iter)
{
    DBusMessageIter array, item;
    dbus_bool_t yes = TRUE;
    char text[NAME_SIZE];

    open_container(iter, DBUS_TYPE_ARRAY, "(iisb)", &array);
    for (dbus_int32_t i = 0; i < 1000; i++) {
        dbus_int32_t negative = -i;

        open_container(&array, DBUS_TYPE_STRUCT, NULL, &item);
        append(&item, DBUS_TYPE_INT32, &i);
        append(&item, DBUS_TYPE_INT32, &negative);
        append_string(&item, numbered(text, "item %ld", i));
        append(&item, DBUS_TYPE_BOOLEAN, &yes);
        close_container(&array, &item);
    }
    close_container(iter, &array);
}

static void
append_dict(DBusMessageIter *iter)
{
    DBusMessageIter dict;
    char key[NAME_SIZE], text[NAME_SIZE];

    open_container(iter, DBUS_TYPE_ARRAY, "{sv}", &dict);
    for (dbus_int32_t i = 0; i < 10; i++) {
        dbus_int32_t value = i * 3;

        append_property(&dict, numbered(key, "key%ld", i), DBUS_TYPE_INT32, &value);
    }
    for (long i = 0; i < 10; i++)
        append_property(&dict, numbered(key, "text%ld", i), DBUS_TYPE_STRING,
                        numbered(text, "value %ld", i));
    close_container(iter, &dict);
}

static void
append_strings(DBusMessageIter *iter)
{
    DBusMessageIter array;
    char text[NAME_SIZE];

    open_container(iter, DBUS_TYPE_ARRAY, "s", &array);
    for (long i = 0; i < 100; i++)
        append_string(&array, numbered(text, "text number %ld", i));
    close_container(iter, &array);
}

static void
append_ints(DBusMessageIter *iter)
{
    DBusMessageIter array;

    open_container(iter, DBUS_TYPE_ARRAY, "i", &array);
    for (dbus_int32_t i = 0; i < 100000; i++)
        append(&array, DBUS_TYPE_INT32, &i);
    close_container(iter, &array);
}

static void
append_bytes(DBusMessageIter *iter, size_t size)
{
    static unsigned char *bytes;
    static size_t made;
    DBusMessageIter array;

    if (made != size) {
        free(bytes);
        bytes = malloc(size);
        require(bytes != NULL, "no memory for bytes");
        for (size_t i = 0; i < size; i++)
            bytes[i] = (unsigned char)i;
        made = size;
    }
    open_container(iter, DBUS_TYPE_ARRAY, "y", &array);
    require(dbus_message_iter_append_fixed_array(&array, DBUS_TYPE_BYTE, &bytes, (int)size),
            "cannot append bytes");
    close_container(iter, &array);
}

void
payload_append(DBusMessage *message, const char *name)
{
    static const struct {
        const char *name;
        void (*append)(DBusMessageIter *);
    } payloads[] = {
        {"gmo", append_gmo},       {"structs1000", append_structs}, {"asv20", append_dict},
        {"as100", append_strings}, {"ai100k", append_ints},
    };
    DBusMessageIter iter;

    dbus_message_iter_init_append(message, &iter);
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        if (strcmp(name, payloads[i].name) == 0) {
            payloads[i].append(&iter);
            return;
        }
    }
    require(strncmp(name, "ay", 2) == 0 && atol(name + 2) > 0, "no such payload");
    append_bytes(&iter, (size_t)atol(name + 2) * MEBIBYTE);
}

static long
walk(DBusMessageIter *iter)
{
    long values = 0;
    int type;

    while ((type = dbus_message_iter_get_arg_type(iter)) != DBUS_TYPE_INVALID) {
        DBusBasicValue value;
        DBusMessageIter inner;

        if (dbus_type_is_basic(type)) {
            dbus_message_iter_get_basic(iter, &value);
            values++;
        } else {
            dbus_message_iter_recurse(iter, &inner);
            if (type == DBUS_TYPE_ARRAY &&
                dbus_message_iter_get_element_type(iter) == DBUS_TYPE_BYTE) {
                const unsigned char *bytes;
                int size;

                dbus_message_iter_get_fixed_array(&inner, &bytes, &size);
                values += size;
            } else {
                values += walk(&inner);
            }
        }
        dbus_message_iter_next(iter);
    }
    return values;
}

long
payload_walk(DBusMessage *message)
{
    DBusMessageIter iter;

    dbus_message_iter_init(message, &iter);
    return walk(&iter);
}

static void copy(DBusMessageIter *from, DBusMessageIter *to);

static void
copy_container(DBusMessageIter *from, DBusMessageIter *to, int type)
{
    DBusMessageIter inner_from, inner_to;
    char *signature;

    dbus_message_iter_recurse(from, &inner_from);
    signature = dbus_message_iter_get_signature(type == DBUS_TYPE_ARRAY ? from : &inner_from);
    open_container(to, type,
                   type == DBUS_TYPE_ARRAY     ? signature + 1
                   : type == DBUS_TYPE_VARIANT ? signature
                                               : NULL,
                   &inner_to);
    if (type == DBUS_TYPE_ARRAY && signature[1] == DBUS_TYPE_BYTE) {
        const unsigned char *bytes;
        int size;

        dbus_message_iter_get_fixed_array(&inner_from, &bytes, &size);
        require(dbus_message_iter_append_fixed_array(&inner_to, DBUS_TYPE_BYTE, &bytes, size),
                "cannot append bytes");
    } else {
        copy(&inner_from, &inner_to);
    }
    close_container(to, &inner_to);
    dbus_free(signature);
}

static void
copy(DBusMessageIter *from, DBusMessageIter *to)
{
    int type;

    while ((type = dbus_message_iter_get_arg_type(from)) != DBUS_TYPE_INVALID) {
        if (dbus_type_is_basic(type)) {
            DBusBasicValue value;

            dbus_message_iter_get_basic(from, &value);
            append(to, type, &value);
        } else {
            copy_container(from, to, type);
        }
        dbus_message_iter_next(from);
    }
}

void
payload_copy(DBusMessage *from, DBusMessage *to)
{
    DBusMessageIter read, write;

    dbus_message_iter_init(from, &read);
    dbus_message_iter_init_append(to, &write);
    copy(&read, &write);
}
