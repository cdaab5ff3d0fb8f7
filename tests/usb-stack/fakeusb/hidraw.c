/*
 * /dev/hidrawN as Documentation/hid/hidraw.rst describes it: read() gives input reports, write() takes output reports
 * behind their id, feature reports go by ioctl.
 */
#include <errno.h>
#include <linux/hidraw.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakeusb.h"

enum { GET_DESCRIPTOR = 6, REPORT_DESCRIPTOR = 0x22, GET_REPORT = 1, SET_REPORT = 9 };
enum { OUTPUT_REPORT = 2, FEATURE_REPORT = 3, MAX_REPORT = 4096 };
enum { HIDIOC_SET_FEATURE = 0x06, HIDIOC_GET_FEATURE = 0x07 };

/* A file that a program holds: a socket whose other end we read and write. */
struct open_hid {
    struct device *device;
    struct hid_interface *hid; /* while the device is there */
    int device_number;
    int fd, ours;
};

static struct open_hid *by_fd[MAX_FILES];

static bool is_there(const struct open_hid *file) {
    return file->device->presence == ATTACHED && file->device->number == file->device_number;
}

void hidraw_add(struct hid_interface *hid) {
    static int count;
    struct device *device = hid->device;
    struct node *interface = device->interfaces[hid->number];
    int got = usbip_control(device, 0x81, GET_DESCRIPTOR, REPORT_DESCRIPTOR << 8, hid->number, hid->descriptor,
                            hid->descriptor_length);
    hid->descriptor_length = got > 0 ? got : 0;

    int vendor = device->descriptor[8] | device->descriptor[9] << 8;
    int product = device->descriptor[10] | device->descriptor[11] << 8;
    char path[256], text[300];
    format_text(path, sizeof path, "%s/0003:%04X:%04X.%04X", node_path(interface), vendor, product, count + 1);
    hid->hid = node_add("hid", "", path, "", interface);
    format_text(text, sizeof text, "0003:%08X:%08X", vendor, product);
    node_property(hid->hid, "HID_ID", text);
    const char *space = *device->manufacturer ? " " : "";
    format_text(text, sizeof text, "%s%s%s", device->manufacturer, space, device->product);
    node_property(hid->hid, "HID_NAME", text);
    node_property(hid->hid, "HID_PHYS", "usb-fake/input0");
    node_property(hid->hid, "HID_UNIQ", device->serial);
    node_file(hid->hid, "report_descriptor", hid->descriptor, (size_t)hid->descriptor_length);

    char node_name[32];
    format_text(node_name, sizeof node_name, "/dev/hidraw%d", count++);
    format_text(path, sizeof path, "%s%s", node_path(hid->hid), node_name + strlen("/dev"));
    hid->hidraw = node_add("hidraw", "", path, node_name, hid->hid);
    node_announce(hid->hidraw);
}

static void poll_input(struct hid_interface *hid);

/* transfer.ended: an input report goes to everybody who has the file open. */
static void input_arrived(struct transfer *transfer) {
    struct hid_interface *hid = transfer->hid;
    bool somebody = false;
    hid->polling = false;
    for (int i = 0; i < MAX_READERS; i++) {
        if (!hid->readers[i])
            continue;
        somebody = true;
        if (!transfer->status && transfer->actual > 0)
            send(hid->readers[i], transfer->data, (size_t)transfer->actual, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    bool go_on = somebody && !transfer->status;
    free(transfer->data);
    free(transfer);
    if (go_on)
        poll_input(hid);
}

static void poll_input(struct hid_interface *hid) {
    if (hid->polling || !hid->in_endpoint || hid->device->presence != ATTACHED)
        return;
    hid->polling = true;
    usbip_submit(hid->device, true, hid->in_endpoint, NULL, NULL, hid->in_length, input_arrived)->hid = hid;
}

/* The first byte is the report's id; 0 says that there are none, and is not sent (HID 1.11 §8.1). */
static void send_output(struct hid_interface *hid, uint8_t *report, int length) {
    int id = report[0], offset = id ? 0 : 1;
    if (hid->out_endpoint)
        usbip_wait(usbip_submit(hid->device, false, hid->out_endpoint, NULL, report + offset, length - offset, usbip_wake),
                   NULL);
    else
        usbip_control(hid->device, 0x21, SET_REPORT, OUTPUT_REPORT << 8 | id, hid->number, report + offset,
                      length - offset);
}

/* Passes on what the program writes, until it closes the file. */
static void *pump_output(void *argument) {
    struct open_hid *file = argument;
    uint8_t report[MAX_REPORT + 1];
    for (;;) {
        struct pollfd ours = {.fd = file->ours, .events = POLLIN};
        poll(&ours, 1, -1);
        ssize_t length = recv(file->ours, report, sizeof report, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (length <= 0)
            break;
        pthread_mutex_lock(&lock);
        if (is_there(file))
            send_output(file->hid, report, (int)length);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_lock(&lock);
    for (int i = 0; i < MAX_READERS; i++)
        if (file->device->number == file->device_number && file->hid->readers[i] == file->ours)
            file->hid->readers[i] = 0;
    if (by_fd[file->fd] == file)
        by_fd[file->fd] = NULL;
    close(file->ours);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static struct hid_interface *interface_at(const char *path) {
    for (struct device *device = devices; device < devices + device_count; device++)
        for (int i = 0; device->presence == ATTACHED && i < device->hid_count; i++)
            if (device->hids[i].hidraw && !strcmp(node_device(device->hids[i].hidraw), path))
                return &device->hids[i];
    return NULL;
}

static int open_interface(struct hid_interface *hid) {
    int slot = 0, ends[2];
    if (hid->device->is_denied) {
        errno = EACCES;
        return -1;
    }
    while (slot < MAX_READERS && hid->readers[slot])
        slot++;
    if (slot == MAX_READERS || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends)) {
        errno = EMFILE;
        return -1;
    }
    if (ends[0] >= MAX_FILES) {
        close(ends[0]);
        close(ends[1]);
        errno = EMFILE;
        return -1;
    }
    struct open_hid *file = calloc(1, sizeof *file);
    *file = (struct open_hid){hid->device, hid, hid->device->number, ends[0], ends[1]};
    hid->readers[slot] = file->ours;
    by_fd[ends[0]] = file;
    pthread_t thread;
    pthread_create(&thread, NULL, pump_output, file);
    pthread_detach(thread);
    poll_input(hid);
    return ends[0];
}

int hidraw_open(const char *path) {
    pthread_mutex_lock(&lock);
    struct hid_interface *hid = interface_at(path);
    int fd = hid ? open_interface(hid) : -1;
    pthread_mutex_unlock(&lock);
    if (!hid)
        errno = ENOENT;
    log_line("open %s: %d", path, fd);
    return fd;
}

bool hidraw_owns(int fd) {
    const struct open_hid *file = fd >= 0 && fd < MAX_FILES ? by_fd[fd] : NULL;
    return file && !is_closed(file->ours);
}

bool hidraw_is_dead(int fd) {
    pthread_mutex_lock(&lock);
    bool dead = by_fd[fd] && !is_there(by_fd[fd]);
    pthread_mutex_unlock(&lock);
    return dead;
}

static int handle(const struct open_hid *file, unsigned long request, uint8_t *report) {
    if (!is_there(file))
        return -ENODEV;
    int length = _IOC_SIZE(request), id = report[0], offset = id ? 0 : 1, result;
    switch (_IOC_NR(request)) {
    case HIDIOC_SET_FEATURE:
        result = usbip_control(file->hid->device, 0x21, SET_REPORT, FEATURE_REPORT << 8 | id, file->hid->number,
                               report + offset, length - offset);
        return result < 0 ? result : length;
    case HIDIOC_GET_FEATURE:
        result = usbip_control(file->hid->device, 0xa1, GET_REPORT, FEATURE_REPORT << 8 | id, file->hid->number,
                               report + offset, length - offset);
        return result < 0 ? result : result + offset;
    default:
        return -ENOTTY;
    }
}

int hidraw_ioctl(int fd, unsigned long request, void *argument) {
    pthread_mutex_lock(&lock);
    int result = by_fd[fd] ? handle(by_fd[fd], request, argument) : -EBADF;
    pthread_mutex_unlock(&lock);
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

void hidraw_device_left(struct device *device) {
    for (int i = 0; i < device->hid_count; i++) {
        struct hid_interface *hid = &device->hids[i];
        for (int k = 0; k < MAX_READERS; k++)
            if (hid->readers[k])
                shutdown(hid->readers[k], SHUT_WR); /* what reads sees the end */
        if (hid->hidraw)
            node_remove(hid->hidraw);
    }
}
