/*
 * /dev/bus/usb/001/NNN as linux/usbdevice_fs.h describes it: asynchronous transfers ("URBs") that are submitted and reaped
 * by ioctl.
 */
#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakeusb.h"

enum { CLEAR_FEATURE = 1, SET_CONFIGURATION = 9, SET_INTERFACE = 11, ENDPOINT_HALT = 0 };
/* bmRequestType (USB 2.0 table 9-2). */
enum { VENDOR = 0x40, INTERFACE = 1, ENDPOINT = 2 };

/* A transfer that a program submitted: under way, or ended and waiting to be reaped. */
struct urb {
    struct urb *next;
    struct open_usb *owner;
    struct usbdevfs_urb *request; /* the program's own */
    struct transfer *transfer;
    int interface;
};

/*
 * An open file. Programs poll it for writing, which is to mean: there is something to reap. A socket whose buffer is full
 * until then behaves like that; `fd` is the program's end, `ours` the other.
 */
struct open_usb {
    struct open_usb *next;
    int fd, ours;
    struct device *device;
    int device_number;
    bool closed, writable;
    struct urb *under_way, *ended, **last_ended;
};

static struct open_usb *opened;
static struct open_usb *by_fd[MAX_FILES];

static bool is_there(const struct open_usb *file) {
    const struct device *device = file->device;
    return device->presence == ATTACHED && device->number == file->device_number && !file->closed;
}

static void set_writable(struct open_usb *file, bool writable) {
    static const char filler[1024];
    char drained[4096];
    if (file->writable == writable)
        return;
    file->writable = writable;
    if (writable) {
        while (recv(file->ours, drained, sizeof drained, MSG_DONTWAIT) > 0)
            ;
        return;
    }
    while (send(file->fd, filler, sizeof filler, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
    while (send(file->fd, filler, 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        ;
}

static void take_from_under_way(struct urb *urb) {
    struct urb **at = &urb->owner->under_way;
    while (*at && *at != urb)
        at = &(*at)->next;
    if (*at)
        *at = urb->next;
    urb->next = NULL;
}

static void free_urb(struct urb *urb) {
    free(urb->transfer->data);
    free(urb->transfer);
    free(urb);
}

/* transfer.ended: the URB can be reaped, unless nobody is left to do so. */
static void urb_ended(struct transfer *transfer) {
    struct urb *urb = transfer->urb;
    struct open_usb *file = urb->owner;
    take_from_under_way(urb);
    if (file->closed) {
        free_urb(urb);
        return;
    }
    *file->last_ended = urb;
    file->last_ended = &urb->next;
    set_writable(file, true);
}

/* Gives up a file's transfers; all of them, or those of one interface. */
static void cancel_urbs(struct open_usb *file, int interface) {
    for (struct urb *urb = file->under_way, *next; urb; urb = next) {
        next = urb->next;
        if (interface < 0 || urb->interface == interface)
            usbip_cancel(urb->transfer);
    }
}

/* Closing cannot be seen where it happens: a browser brings its own close(). The other end of the socket tells. */
static void *wait_for_close(void *argument) {
    struct open_usb *file = argument;
    struct pollfd ours = {.fd = file->ours, .events = POLLRDHUP};
    while (poll(&ours, 1, -1) < 0 || !(ours.revents & (POLLHUP | POLLRDHUP | POLLERR)))
        ;
    pthread_mutex_lock(&lock);
    file->closed = true;
    cancel_urbs(file, -1);
    if (by_fd[file->fd] == file)
        by_fd[file->fd] = NULL;
    struct open_usb **at = &opened;
    while (*at && *at != file)
        at = &(*at)->next;
    if (*at)
        *at = file->next;
    for (int i = 0; i < MAX_INTERFACES; i++)
        if (file->device->claimed_by[i] == file)
            file->device->claimed_by[i] = NULL;
    close(file->ours);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static struct device *device_at(const char *path) {
    int number = atoi(strrchr(path, '/') + 1);
    for (struct device *device = devices; device < devices + device_count; device++)
        if (device->presence == ATTACHED && device->number == number)
            return device;
    return NULL;
}

static int open_device(struct device *device) {
    int ends[2];
    if (device->is_denied) {
        errno = EACCES;
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends))
        return -1;
    if (ends[0] >= MAX_FILES) {
        close(ends[0]);
        close(ends[1]);
        errno = EMFILE;
        return -1;
    }
    int smallest = 4608; /* soon full */
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest);
    struct open_usb *file = calloc(1, sizeof *file);
    *file = (struct open_usb){.next = opened,
                              .fd = ends[0],
                              .ours = ends[1],
                              .device = device,
                              .device_number = device->number,
                              .writable = true};
    file->last_ended = &file->ended;
    set_writable(file, false);
    opened = by_fd[file->fd] = file;
    pthread_t thread;
    pthread_create(&thread, NULL, wait_for_close, file);
    pthread_detach(thread);
    return file->fd;
}

int usbfs_open(const char *path) {
    pthread_mutex_lock(&lock);
    struct device *device = device_at(path);
    int fd = device ? open_device(device) : -1;
    pthread_mutex_unlock(&lock);
    if (!device)
        errno = ENOENT;
    log_line("open %s: %d", path, fd);
    return fd;
}

bool usbfs_owns(int fd) {
    const struct open_usb *file = fd >= 0 && fd < MAX_FILES ? by_fd[fd] : NULL;
    return file && !is_closed(file->ours);
}

void usbfs_device_left(struct device *device) {
    memset(device->claimed_by, 0, sizeof device->claimed_by);
    for (struct open_usb *file = opened; file; file = file->next)
        if (file->device == device && file->device_number == device->number)
            set_writable(file, true); /* reaping says ENODEV */
}

/* ------------------------------------------------------------------------------------------------- the ioctl requests */

/* The kernel's HID driver has the interface. */
static bool is_driven(const struct device *device, unsigned interface) {
    for (int i = 0; i < device->hid_count; i++)
        if (device->hids[i].number == (int)interface)
            return true;
    return false;
}

static int claim(struct open_usb *file, unsigned interface) {
    if (interface >= MAX_INTERFACES || !file->device->interfaces[interface])
        return -ENOENT;
    struct open_usb **holder = &file->device->claimed_by[interface];
    bool is_held = *holder && *holder != file && !is_closed((*holder)->ours);
    if (is_held || is_driven(file->device, interface))
        return -EBUSY;
    *holder = file;
    return 0;
}

static int release(struct open_usb *file, unsigned interface) {
    if (interface >= MAX_INTERFACES || file->device->claimed_by[interface] != file)
        return -EINVAL;
    file->device->claimed_by[interface] = NULL;
    cancel_urbs(file, (int)interface);
    return 0;
}

/*
 * Whether a control transfer may go, as the kernel sees it: a vendor request always; another one to an interface or an
 * endpoint claims the interface for the file, unless somebody else has it.
 */
static int claim_recipient(struct open_usb *file, const uint8_t *setup) {
    int type = setup[0] & 0x60, recipient = setup[0] & 0x1f, index = setup[4];
    if (type == VENDOR || (recipient != INTERFACE && recipient != ENDPOINT))
        return 0;
    if (recipient == INTERFACE)
        return claim(file, (unsigned)index);
    int endpoint = (index & 0x0f) + (index & 0x80 ? 16 : 0);
    return index & 0x0f ? claim(file, file->device->interface_of[endpoint]) : 0;
}

/* Who took the interface: a driver of the kernel, or a program through usbfs. */
static int get_driver(const struct device *device, struct usbdevfs_getdriver *answer) {
    const char *name = NULL;
    if (is_driven(device, answer->interface))
        name = "usbhid";
    else if (answer->interface < MAX_INTERFACES && device->claimed_by[answer->interface])
        name = "usbfs";
    if (!name)
        return -ENODATA;
    format_text(answer->driver, sizeof answer->driver, "%s", name);
    return 0;
}

static int submit(struct open_usb *file, struct usbdevfs_urb *request) {
    uint8_t *buffer = request->buffer;
    bool in = request->endpoint & 0x80;
    int endpoint = request->endpoint & 0x0f, length = request->buffer_length, interface = -1;
    const uint8_t *setup = NULL, *data = buffer;
    if (request->type == USBDEVFS_URB_TYPE_CONTROL) {
        setup = buffer;
        data = buffer + 8;
        in = setup[0] & 0x80;
        length = setup[6] | setup[7] << 8;
        int refusal = claim_recipient(file, setup);
        if (refusal)
            return refusal;
    } else {
        interface = file->device->interface_of[endpoint + (in ? 16 : 0)];
        if (file->device->claimed_by[interface] != file)
            return -ENOENT;
    }
    struct urb *urb = calloc(1, sizeof *urb);
    *urb = (struct urb){.next = file->under_way, .owner = file, .request = request, .interface = interface};
    file->under_way = urb;
    urb->transfer = usbip_submit(file->device, in, endpoint, setup, data, length, urb_ended);
    urb->transfer->urb = urb;
    return 0;
}

static int discard(struct open_usb *file, const struct usbdevfs_urb *request) {
    for (struct urb *urb = file->under_way; urb; urb = urb->next) {
        if (urb->request != request)
            continue;
        usbip_cancel(urb->transfer);
        return 0;
    }
    return -EINVAL;
}

static int reap(struct open_usb *file, void **reaped) {
    struct urb *urb = file->ended;
    if (!urb)
        return is_there(file) ? -EAGAIN : -ENODEV;
    file->ended = urb->next;
    if (!file->ended) {
        file->last_ended = &file->ended;
        set_writable(file, !is_there(file));
    }
    struct usbdevfs_urb *request = urb->request;
    const struct transfer *transfer = urb->transfer;
    request->status = transfer->status;
    request->actual_length = transfer->actual;
    if (transfer->in && transfer->data) {
        size_t offset = request->type == USBDEVFS_URB_TYPE_CONTROL ? 8 : 0;
        memcpy((uint8_t *)request->buffer + offset, transfer->data, (size_t)transfer->actual);
    }
    *reaped = request;
    free_urb(urb);
    return 0;
}

static int handle(struct open_usb *file, unsigned long request, void *argument) {
    if (request == USBDEVFS_REAPURBNDELAY)
        return reap(file, argument);
    if (!is_there(file))
        return -ENODEV;
    switch (request) {
    case USBDEVFS_CLAIMINTERFACE:
        return claim(file, *(unsigned *)argument);
    case USBDEVFS_RELEASEINTERFACE:
        return release(file, *(unsigned *)argument);
    case USBDEVFS_SETINTERFACE: {
        const struct usbdevfs_setinterface *chosen = argument;
        return usbip_control(file->device, 0x01, SET_INTERFACE, (int)chosen->altsetting, (int)chosen->interface, NULL, 0);
    }
    case USBDEVFS_SETCONFIGURATION:
        return usbip_control(file->device, 0x00, SET_CONFIGURATION, *(int *)argument, 0, NULL, 0);
    case USBDEVFS_CLEAR_HALT:
        return usbip_control(file->device, 0x02, CLEAR_FEATURE, ENDPOINT_HALT, *(int *)argument, NULL, 0);
    case USBDEVFS_RESET:
        cancel_urbs(file, -1);
        return 0;
    case USBDEVFS_GET_CAPABILITIES:
        *(uint32_t *)argument = USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
        return 0;
    case USBDEVFS_GETDRIVER:
        return get_driver(file->device, argument);
    case USBDEVFS_SUBMITURB:
        return submit(file, argument);
    case USBDEVFS_DISCARDURB:
        return discard(file, argument);
    default:
        return -ENOTTY;
    }
}

int usbfs_ioctl(int fd, unsigned long request, void *argument) {
    pthread_mutex_lock(&lock);
    struct open_usb *file = by_fd[fd];
    int result = file ? handle(file, request, argument) : -EBADF;
    pthread_mutex_unlock(&lock);
    if (result != -EAGAIN)
        log_line("usbfs ioctl %lu: %d", request & 0xff, result);
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}
