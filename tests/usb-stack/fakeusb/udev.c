/*
 * libudev, as far as a browser, libusb and pcscd use it, over a list of nodes of our own. Subsystems other than "usb" and "hidraw" are
 * empty. The signatures are libudev's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "fakeusb.h"

enum { MAX_VALUES = 16, MAX_SUBSYSTEMS = 8 };

struct pair {
    char *name, *value;
};

struct node {
    struct node *next, *parent;
    char subsystem[16], devtype[24], syspath[256], devnode[64];
    struct pair attributes[MAX_VALUES], properties[MAX_VALUES];
    bool listed;
};
static struct node *nodes;

struct udev {
    int unused;
};

/* A node as a program holds it; `action` only where it came with news. */
struct udev_device {
    struct node *node;
    const char *action;
};

struct udev_list_entry {
    struct udev_list_entry *next;
    const char *name;
};

struct subsystems {
    char names[MAX_SUBSYSTEMS][24];
    int count;
};

struct udev_enumerate {
    struct subsystems subsystems;
    char devtype[24]; /* empty: any */
    struct udev_list_entry *entries;
};

struct udev_monitor {
    struct udev_monitor *next;
    int fd, ours;
    bool receiving;
    struct subsystems subsystems;
    char devtype[24]; /* empty: any */
};
static struct udev_monitor *monitors;

/* ------------------------------------------------------------------------------------------------------------- nodes */

struct node *node_add(const char *subsystem, const char *devtype, const char *syspath, const char *devnode,
                      struct node *parent) {
    struct node *node = calloc(1, sizeof *node);
    format_text(node->subsystem, sizeof node->subsystem, "%s", subsystem);
    format_text(node->devtype, sizeof node->devtype, "%s", devtype);
    format_text(node->syspath, sizeof node->syspath, "%s", syspath);
    format_text(node->devnode, sizeof node->devnode, "%s", devnode);
    node->parent = parent;
    node->next = nodes;
    nodes = node;
    mkdir(syspath, 0755);
    return node;
}

static void set_value(struct pair *pairs, const char *name, const char *value) {
    for (int i = 0; i < MAX_VALUES; i++) {
        if (pairs[i].name)
            continue;
        pairs[i] = (struct pair){strdup(name), strdup(value)};
        return;
    }
}

static const char *value_of(const struct pair *pairs, const char *name) {
    for (int i = 0; i < MAX_VALUES && pairs[i].name; i++)
        if (!strcmp(pairs[i].name, name))
            return pairs[i].value;
    return NULL;
}

void node_attribute(struct node *node, const char *name, const char *value) {
    char line[256];
    set_value(node->attributes, name, value);
    format_text(line, sizeof line, "%s\n", value);
    node_file(node, name, line, strlen(line));
}

void node_property(struct node *node, const char *name, const char *value) {
    set_value(node->properties, name, value);
}

void node_file(const struct node *node, const char *name, const void *bytes, size_t length) {
    char path[320];
    format_text(path, sizeof path, "%s/%s", node->syspath, name);
    FILE *file = fopen(path, "we");
    if (!file)
        return;
    fwrite(bytes, 1, length, file);
    fclose(file);
}

const char *node_path(const struct node *node) {
    return node->syspath;
}

const char *node_device(const struct node *node) {
    return node->devnode;
}

static bool includes(const struct subsystems *subsystems, const char *name) {
    for (int i = 0; i < subsystems->count; i++)
        if (!strcmp(subsystems->names[i], name))
            return true;
    return subsystems->count == 0;
}

static bool is_of_type(const struct node *node, const char *devtype) {
    return !*devtype || !strcmp(node->devtype, devtype);
}

static int include(struct subsystems *subsystems, const char *name) {
    if (subsystems->count == MAX_SUBSYSTEMS)
        return -ENOMEM;
    format_text(subsystems->names[subsystems->count++], sizeof subsystems->names[0], "%s", name);
    return 0;
}

static void tell(struct node *node, const char *action) {
    log_line("udev %s %s", action, node->syspath);
    const struct udev_device news = {node, action};
    for (struct udev_monitor *monitor = monitors; monitor; monitor = monitor->next)
        if (monitor->receiving && includes(&monitor->subsystems, node->subsystem) &&
            is_of_type(node, monitor->devtype))
            send(monitor->ours, &news, sizeof news, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void node_announce(struct node *node) {
    node->listed = true;
    if (host_is_started())
        tell(node, "add");
}

void node_remove(struct node *node) {
    node->listed = false;
    tell(node, "remove");
}

/* ----------------------------------------------------------------------------------------------------------- libudev */

/* A browser's helper processes load the library too; the browser itself is the one without --type. */
static bool in_main_process(void) {
    static int answer = -1;
    if (answer < 0) {
        char arguments[8192];
        int file = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline", O_RDONLY | O_CLOEXEC, 0);
        ssize_t length = file < 0 ? 0 : syscall(SYS_read, file, arguments, sizeof arguments);
        if (file >= 0)
            close(file);
        answer = length > 0 && !memmem(arguments, (size_t)length, "--type=", 7);
    }
    return answer;
}

EXPORT struct udev *udev_new(void) {
    return calloc(1, sizeof(struct udev));
}

EXPORT struct udev *udev_ref(struct udev *udev) {
    return udev;
}

EXPORT struct udev *udev_unref(struct udev *udev UNUSED) {
    return NULL;
}

EXPORT struct udev_enumerate *udev_enumerate_new(struct udev *udev UNUSED) {
    return calloc(1, sizeof(struct udev_enumerate));
}

EXPORT int udev_enumerate_add_match_subsystem(struct udev_enumerate *enumerate, const char *subsystem) {
    return include(&enumerate->subsystems, subsystem);
}

EXPORT int udev_enumerate_add_match_property(struct udev_enumerate *enumerate, const char *name, const char *value) {
    if (!strcmp(name, "DEVTYPE"))
        format_text(enumerate->devtype, sizeof enumerate->devtype, "%s", value);
    return 0;
}

EXPORT int udev_enumerate_scan_devices(struct udev_enumerate *enumerate) {
    bool of_interest = includes(&enumerate->subsystems, "usb") || includes(&enumerate->subsystems, "hidraw");
    if (!of_interest || !in_main_process())
        return 0;
    host_start();
    pthread_mutex_lock(&lock);
    for (struct node *node = nodes; node; node = node->next) {
        if (!node->listed || !includes(&enumerate->subsystems, node->subsystem) ||
            !is_of_type(node, enumerate->devtype))
            continue;
        struct udev_list_entry *entry = calloc(1, sizeof *entry);
        entry->name = node->syspath;
        entry->next = enumerate->entries;
        enumerate->entries = entry;
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

EXPORT struct udev_list_entry *udev_enumerate_get_list_entry(struct udev_enumerate *enumerate) {
    return enumerate->entries;
}

EXPORT struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *enumerate UNUSED) {
    return NULL;
}

EXPORT struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry) {
    return entry->next;
}

EXPORT const char *udev_list_entry_get_name(struct udev_list_entry *entry) {
    return entry->name;
}

EXPORT const char *udev_list_entry_get_value(struct udev_list_entry *entry UNUSED) {
    return NULL;
}

static struct udev_device *hand_out(struct node *node, const char *action) {
    if (!node)
        return NULL;
    struct udev_device *made = calloc(1, sizeof *made);
    *made = (struct udev_device){node, action};
    return made;
}

EXPORT struct udev_device *udev_device_new_from_syspath(struct udev *udev UNUSED, const char *syspath) {
    pthread_mutex_lock(&lock);
    struct node *node = nodes;
    while (node && !(node->listed && !strcmp(node->syspath, syspath)))
        node = node->next;
    pthread_mutex_unlock(&lock);
    if (!node)
        errno = ENOENT;
    return hand_out(node, NULL);
}

EXPORT struct udev_device *udev_device_new_from_devnum(struct udev *udev UNUSED, char type UNUSED,
                                                       dev_t number UNUSED) {
    errno = ENOENT;
    return NULL;
}

EXPORT struct udev_device *udev_device_new_from_subsystem_sysname(struct udev *udev UNUSED,
                                                                  const char *subsystem UNUSED,
                                                                  const char *sysname UNUSED) {
    errno = ENOENT;
    return NULL;
}

EXPORT struct udev_device *udev_device_ref(struct udev_device *held) {
    return held;
}

EXPORT struct udev_device *udev_device_unref(struct udev_device *held UNUSED) {
    return NULL;
}

EXPORT struct udev_device *udev_device_get_parent(struct udev_device *held) {
    return hand_out(held->node->parent, NULL);
}

EXPORT struct udev_device *udev_device_get_parent_with_subsystem_devtype(struct udev_device *held,
                                                                         const char *subsystem, const char *devtype) {
    struct node *node = held->node->parent;
    while (node && (strcmp(node->subsystem, subsystem) || (devtype && strcmp(node->devtype, devtype))))
        node = node->parent;
    return hand_out(node, NULL);
}

static const char *unless_empty(const char *text) {
    return *text ? text : NULL;
}

EXPORT const char *udev_device_get_action(struct udev_device *held) {
    return held->action;
}

EXPORT const char *udev_device_get_devnode(struct udev_device *held) {
    return unless_empty(held->node->devnode);
}

EXPORT const char *udev_device_get_devtype(struct udev_device *held) {
    return unless_empty(held->node->devtype);
}

EXPORT const char *udev_device_get_subsystem(struct udev_device *held) {
    return held->node->subsystem;
}

EXPORT const char *udev_device_get_syspath(struct udev_device *held) {
    return held->node->syspath;
}

EXPORT const char *udev_device_get_sysname(struct udev_device *held) {
    return strrchr(held->node->syspath, '/') + 1;
}

EXPORT const char *udev_device_get_driver(struct udev_device *held UNUSED) {
    return NULL;
}

EXPORT const char *udev_device_get_sysattr_value(struct udev_device *held, const char *name) {
    return value_of(held->node->attributes, name);
}

EXPORT const char *udev_device_get_property_value(struct udev_device *held, const char *name) {
    return value_of(held->node->properties, name);
}

EXPORT struct udev_list_entry *udev_device_get_properties_list_entry(struct udev_device *held UNUSED) {
    return NULL;
}

EXPORT struct udev_list_entry *udev_device_get_sysattr_list_entry(struct udev_device *held UNUSED) {
    return NULL;
}

EXPORT int udev_device_get_is_initialized(struct udev_device *held UNUSED) {
    return 1;
}

EXPORT struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev UNUSED, const char *name UNUSED) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
        return NULL;
    struct udev_monitor *monitor = calloc(1, sizeof *monitor);
    monitor->fd = ends[0];
    monitor->ours = ends[1];
    pthread_mutex_lock(&lock);
    monitor->next = monitors;
    monitors = monitor;
    pthread_mutex_unlock(&lock);
    return monitor;
}

EXPORT int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *monitor, const char *subsystem,
                                                           const char *devtype) {
    format_text(monitor->devtype, sizeof monitor->devtype, "%s", devtype ? devtype : "");
    return include(&monitor->subsystems, subsystem);
}

EXPORT int udev_monitor_enable_receiving(struct udev_monitor *monitor) {
    pthread_mutex_lock(&lock);
    monitor->receiving = true;
    pthread_mutex_unlock(&lock);
    return 0;
}

EXPORT int udev_monitor_get_fd(struct udev_monitor *monitor) {
    return monitor->fd;
}

EXPORT struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor) {
    struct udev_device news;
    if (recv(monitor->fd, &news, sizeof news, MSG_DONTWAIT) != (ssize_t)sizeof news)
        return NULL;
    return hand_out(news.node, news.action);
}

EXPORT struct udev_monitor *udev_monitor_unref(struct udev_monitor *monitor) {
    pthread_mutex_lock(&lock);
    struct udev_monitor **at = &monitors;
    while (*at && *at != monitor)
        at = &(*at)->next;
    if (*at)
        *at = monitor->next;
    pthread_mutex_unlock(&lock);
    close(monitor->fd);
    close(monitor->ours);
    free(monitor);
    return NULL;
}
