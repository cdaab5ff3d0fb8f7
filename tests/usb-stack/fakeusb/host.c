/*
 * The ports: each brings its device in when its server listens, reads what it is, shows it to udev; takes it away again.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "fakeusb.h"

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t transfer_ended = PTHREAD_COND_INITIALIZER;
struct device devices[MAX_DEVICES];
int device_count;

static bool started;
static const char *directory = "/tmp/fakeusb";
static FILE *log_file;

enum { GET_DESCRIPTOR = 6, SET_CONFIGURATION = 9 };
enum { DEVICE = 1, CONFIGURATION = 2, STRING = 3, INTERFACE = 4, ENDPOINT = 5, HID = 0x21 };
enum { CLASS_HID = 3, TYPE_INTERRUPT = 3, ENGLISH = 0x0409 };
enum { LOOK_AGAIN_US = 100000, REMOVAL_LAG_US = 50000 };

void log_line(const char *format, ...) {
    if (!log_file)
        return;
    struct timeval now;
    gettimeofday(&now, NULL);
    fprintf(log_file, "%ld.%06ld ", (long)now.tv_sec, (long)now.tv_usec);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(log_file, format, arguments);
    va_end(arguments);
    fputc('\n', log_file);
    fflush(log_file);
}

void format_text(char *text, size_t size, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, size, format, arguments);
    va_end(arguments);
}

const char *host_directory(void) {
    return directory;
}

bool host_is_started(void) {
    return started;
}

static int little_endian_16(const uint8_t *at) {
    return at[0] | at[1] << 8;
}

/* A STRING descriptor as UTF-8; characters beyond the Basic Multilingual Plane do not occur. Lock held. */
static void read_string(struct device *device, int index, char *text, size_t size) {
    uint8_t descriptor[255];
    size_t length = 0;
    int got = !index ? 0
                     : usbip_control(device, 0x80, GET_DESCRIPTOR, STRING << 8 | index, ENGLISH, descriptor,
                                     sizeof descriptor);
    for (int at = 2; at + 1 < got && length + 4 < size; at += 2) {
        int unit = little_endian_16(descriptor + at);
        if (unit < 0x80) {
            text[length++] = (char)unit;
        } else if (unit < 0x800) {
            text[length++] = (char)(0xc0 | unit >> 6);
            text[length++] = (char)(0x80 | (unit & 0x3f));
        } else {
            text[length++] = (char)(0xe0 | unit >> 12);
            text[length++] = (char)(0x80 | ((unit >> 6) & 0x3f));
            text[length++] = (char)(0x80 | (unit & 0x3f));
        }
    }
    text[length] = '\0';
}

/* Lock held. */
static bool read_descriptors(struct device *device) {
    enum { DEVICE_BYTES = sizeof device->descriptor };
    uint8_t head[9];
    if (usbip_control(device, 0x80, GET_DESCRIPTOR, DEVICE << 8, 0, device->descriptor, DEVICE_BYTES) != DEVICE_BYTES ||
        usbip_control(device, 0x80, GET_DESCRIPTOR, CONFIGURATION << 8, 0, head, sizeof head) != (int)sizeof head)
        return false;
    int length = little_endian_16(head + 2);
    uint8_t *configuration = calloc(1, (size_t)length + 1);
    if (usbip_control(device, 0x80, GET_DESCRIPTOR, CONFIGURATION << 8, 0, configuration, length) != length) {
        free(configuration);
        return false;
    }
    device->configuration = configuration;
    device->configuration_length = length;
    read_string(device, device->descriptor[14], device->manufacturer, sizeof device->manufacturer);
    read_string(device, device->descriptor[15], device->product, sizeof device->product);
    read_string(device, device->descriptor[16], device->serial, sizeof device->serial);
    return usbip_control(device, 0x00, SET_CONFIGURATION, configuration[5], 0, NULL, 0) >= 0;
}

/* Shows an interface as the kernel's sysfs would; a smart-card service looks for its driver by the class. Lock held. */
static void add_interface(struct device *device, const uint8_t *descriptor) {
    static const char *const names[] = {[5] = "bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol"};
    int number = descriptor[2];
    if (number >= MAX_INTERFACES || device->interfaces[number])
        return; /* another alternate setting */
    const char *path = node_path(device->node), *name = strrchr(path, '/') + 1;
    char interface_path[200], value[8];
    format_text(interface_path, sizeof interface_path, "%s/%s:1.%d", path, name, number);
    struct node *node = device->interfaces[number] = node_add("usb", "usb_interface", interface_path, "", device->node);
    format_text(value, sizeof value, "%02x", number);
    node_attribute(node, "bInterfaceNumber", value);
    for (int at = 5; at <= 7; at++) {
        format_text(value, sizeof value, "%02x", descriptor[at]);
        node_attribute(node, names[at], value);
    }
}

/* Finds the interfaces with their endpoints, and those that the kernel's HID driver would take. Lock held. */
static void read_interfaces(struct device *device) {
    int number = 0, alternate = 0;
    struct hid_interface *hid = NULL;
    const uint8_t *end = device->configuration + device->configuration_length;
    for (const uint8_t *at = device->configuration; at + 1 < end && at[0] >= 2 && at + at[0] <= end; at += at[0]) {
        if (at[1] == INTERFACE && at[0] >= 9) {
            number = at[2];
            alternate = at[3];
            hid = NULL;
            add_interface(device, at);
            if (at[5] == CLASS_HID && alternate == 0 && number < MAX_INTERFACES && device->hid_count < MAX_HIDS) {
                hid = &device->hids[device->hid_count++];
                hid->device = device;
                hid->number = number;
            }
        } else if (at[1] == HID && hid && at[0] >= 9) {
            int length = little_endian_16(at + 7);
            hid->descriptor_length = length < MAX_REPORT_DESCRIPTOR ? length : MAX_REPORT_DESCRIPTOR;
        } else if (at[1] == ENDPOINT && alternate == 0 && at[0] >= 7) {
            bool in = at[2] & 0x80;
            int endpoint = at[2] & 0x0f;
            device->interface_of[endpoint + (in ? 16 : 0)] = (uint8_t)number;
            if (!hid || (at[3] & 3) != TYPE_INTERRUPT)
                continue;
            if (in) {
                hid->in_endpoint = endpoint;
                hid->in_length = little_endian_16(at + 4);
            } else {
                hid->out_endpoint = endpoint;
            }
        }
    }
}

/* Shows the device as the kernel's sysfs would. Lock held. */
static void show_device(struct device *device) {
    char path[160], name[64], value[64];
    format_text(path, sizeof path, "%s/1-%d", directory, (int)(device - devices) + 1);
    format_text(name, sizeof name, "/dev/bus/usb/001/%03d", device->number);
    struct node *node = device->node = node_add("usb", "usb_device", path, name, NULL);

    size_t length = sizeof device->descriptor + (size_t)device->configuration_length;
    uint8_t *descriptors = malloc(length);
    memcpy(descriptors, device->descriptor, sizeof device->descriptor);
    memcpy(descriptors + sizeof device->descriptor, device->configuration, (size_t)device->configuration_length);
    node_file(node, "descriptors", descriptors, length);
    free(descriptors);

    format_text(value, sizeof value, "%04x", little_endian_16(device->descriptor + 8));
    node_attribute(node, "idVendor", value);
    format_text(value, sizeof value, "%04x", little_endian_16(device->descriptor + 10));
    node_attribute(node, "idProduct", value);
    node_attribute(node, "busnum", "1");
    format_text(value, sizeof value, "%d", device->number);
    node_attribute(node, "devnum", value);
    node_attribute(node, "speed", "12");
    format_text(value, sizeof value, "%d", device->configuration[5]);
    node_attribute(node, "bConfigurationValue", value);
    if (device->descriptor[14])
        node_attribute(node, "manufacturer", device->manufacturer);
    if (device->descriptor[15])
        node_attribute(node, "product", device->product);
    if (device->descriptor[16])
        node_attribute(node, "serial", device->serial);

    read_interfaces(device);
    node_announce(node);
    for (int i = 0; i < MAX_INTERFACES; i++)
        if (device->interfaces[i])
            node_announce(device->interfaces[i]);
    for (int i = 0; i < device->hid_count; i++)
        hidraw_add(&device->hids[i]);
}

static void look_for_device(struct device *device) {
    pthread_mutex_lock(&lock);
    bool absent = device->presence == ABSENT;
    pthread_mutex_unlock(&lock);
    if (!absent || !usbip_attach(device))
        return;
    pthread_mutex_lock(&lock);
    static int plugged_times;
    device->number = ++plugged_times + 1;
    if (read_descriptors(device))
        show_device(device);
    else
        usbip_hang_up(device);
    pthread_mutex_unlock(&lock);
}

static void look_for_devices(void) {
    for (int i = 0; i < device_count; i++)
        look_for_device(&devices[i]);
}

void host_device_left(struct device *device) {
    pthread_mutex_lock(&lock);
    usbfs_device_left(device);
    pthread_mutex_unlock(&lock);
    /* A kernel gives transfers back first, and udev tells of the removal a little later. */
    usleep(REMOVAL_LAG_US);
    pthread_mutex_lock(&lock);
    hidraw_device_left(device);
    for (int i = 0; i < MAX_INTERFACES; i++)
        if (device->interfaces[i])
            node_remove(device->interfaces[i]);
    if (device->node)
        node_remove(device->node);
    free(device->configuration);
    *device = (struct device){.tcp_port = device->tcp_port, .is_denied = device->is_denied};
    pthread_mutex_unlock(&lock);
}

static void *keep_looking(void *unused UNUSED) {
    for (;;) {
        look_for_devices();
        usleep(LOOK_AGAIN_US); /* nobody tells when a server begins to listen */
    }
    return NULL;
}

/* Port numbers with commas between them. Returns how many. */
static int read_ports(const char *name, int ports[MAX_DEVICES]) {
    int count = 0;
    for (const char *at = getenv(name); at && *at && count < MAX_DEVICES; at = strchr(at, ',')) {
        at += *at == ',';
        ports[count++] = atoi(at);
    }
    return count;
}

static void read_environment(void) {
    const char *log_name = getenv("FAKEUSB_LOG"), *chosen = getenv("FAKEUSB_DIR");
    if (log_name)
        log_file = fopen(log_name, "ae");
    if (chosen)
        directory = strdup(chosen);
    mkdir(directory, 0755);
    int tcp_ports[MAX_DEVICES], denied[MAX_DEVICES];
    device_count = read_ports("FAKEUSB_PORTS", tcp_ports);
    int denied_count = read_ports("FAKEUSB_DENIED", denied);
    for (int i = 0; i < device_count; i++) {
        devices[i].tcp_port = tcp_ports[i];
        for (int k = 0; k < denied_count; k++)
            devices[i].is_denied |= denied[k] == tcp_ports[i];
    }
}

void host_start(void) {
    static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&starting);
    if (!started) {
        read_environment();
        look_for_devices(); /* before the first listing, so that they are in it and no news */
        started = true;
        pthread_t thread;
        pthread_create(&thread, NULL, keep_looking, NULL);
        pthread_detach(thread);
    }
    pthread_mutex_unlock(&starting);
}
