/*
 * The C library's functions that lead to a device. Each goes on to the system call it stands for, as looking up the C
 * library's own by dlsym is not safe this early.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "fakeusb.h"

bool is_closed(int ours) {
    struct pollfd end = {.fd = ours, .events = POLLRDHUP};
    return poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLRDHUP | POLLERR | POLLNVAL));
}

static bool starts_with(const char *text, const char *prefix) {
    return !strncmp(text, prefix, strlen(prefix));
}

/* libusb reads a device's attributes by their paths. */
static const char devices_directory[] = "/sys/bus/usb/devices/";

static int open_attribute(const char *name) {
    char path[512];
    format_text(path, sizeof path, "%s/%s", host_directory(), name);
    return (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
}

/* True when the path is one of ours; `fd` is then what opening it came to. */
static bool open_device(const char *path, int *fd) {
    if (!host_is_started())
        return false;
    if (starts_with(path, "/dev/bus/usb/001/"))
        *fd = usbfs_open(path);
    else if (starts_with(path, "/dev/hidraw"))
        *fd = hidraw_open(path);
    else if (starts_with(path, devices_directory))
        *fd = open_attribute(path + strlen(devices_directory));
    else
        return false;
    return true;
}

static int open_at(int directory, const char *path, int flags, mode_t mode) {
    int fd;
    return open_device(path, &fd) ? fd : (int)syscall(SYS_openat, directory, path, flags, mode);
}

/* The mode is only passed where a file may be made. */
#define MODE_ARGUMENT(flags, mode)                                                                                     \
    mode_t mode = 0;                                                                                                   \
    if (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE) {                                                   \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        mode = va_arg(arguments, mode_t);                                                                              \
        va_end(arguments);                                                                                             \
    }

EXPORT int open(const char *path, int flags, ...) {
    MODE_ARGUMENT(flags, mode)
    return open_at(AT_FDCWD, path, flags, mode);
}

EXPORT int open64(const char *path, int flags, ...) {
    MODE_ARGUMENT(flags, mode)
    return open_at(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

/* What a fortified program calls where the flags make no file. */
EXPORT int __open_2(const char *path, int flags) {
    return open_at(AT_FDCWD, path, flags, 0);
}

EXPORT int __open64_2(const char *path, int flags) {
    return open_at(AT_FDCWD, path, flags | O_LARGEFILE, 0);
}

EXPORT int openat64(int directory, const char *path, int flags, ...) {
    MODE_ARGUMENT(flags, mode)
    return open_at(directory, path, flags | O_LARGEFILE, mode);
}

EXPORT int ioctl(int fd, unsigned long request, ...) {
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (_IOC_TYPE(request) == 'U' && usbfs_owns(fd))
        return usbfs_ioctl(fd, request, argument);
    if (_IOC_TYPE(request) == 'H' && hidraw_owns(fd))
        return hidraw_ioctl(fd, request, argument);
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

/* The end of a hidraw socket is an error, as with the kernel, once the device is gone. */
EXPORT ssize_t read(int fd, void *buffer, size_t length) {
    ssize_t got = syscall(SYS_read, fd, buffer, length);
    if (got == 0 && length > 0 && hidraw_owns(fd) && hidraw_is_dead(fd)) {
        errno = EIO;
        return -1;
    }
    return got;
}

EXPORT ssize_t write(int fd, const void *buffer, size_t length) {
    if (hidraw_owns(fd) && hidraw_is_dead(fd)) {
        errno = ENODEV;
        return -1;
    }
    return syscall(SYS_write, fd, buffer, length);
}
