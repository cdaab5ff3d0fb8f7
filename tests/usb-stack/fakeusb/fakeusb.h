/*
 * A USB host with a few ports, beneath a program that knows nothing of it (a browser, a smart-card service): loaded ahead
 * of the C library (LD_PRELOAD) and under the name libudev.so.1, it replaces what the program asks the operating system
 * for about USB, and fetches each port's device from a USB/IP server on this machine.
 *
 *   udev.c    libudev: which devices there are, and news of them      (subsystems "usb" and "hidraw" only)
 *   usbfs.c   /dev/bus/usb/001/NNN: transfers, as WebUSB and libusb need them
 *   hidraw.c  /dev/hidrawN: reports, as WebHID needs them
 *   usbip.c   the client of the USB/IP servers
 *   host.c    the ports: a device comes when its server listens, and goes when it closes
 *   libc.c    open, ioctl, read and write, which lead to the above
 *
 * Environment: FAKEUSB_PORTS  TCP ports on 127.0.0.1, separated by commas: the hub's ports in this order
 *              FAKEUSB_DIR    an own directory that stands for /sys/bus/usb/devices; made if missing
 *              FAKEUSB_DENIED optional: those of them whose device the program may not open
 *              FAKEUSB_LOG    optional: a file for what happens
 *
 * The program lives for seconds, so what it may still hold a pointer to (udev's objects, an open file's state) is never
 * freed.
 */
#ifndef FAKEUSB_H
#define FAKEUSB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))
#define UNUSED __attribute__((unused))

enum { MAX_FILES = 4096, MAX_DEVICES = 8, MAX_INTERFACES = 32, MAX_HIDS = 4, MAX_READERS = 16 };
enum { MAX_REPORT_DESCRIPTOR = 1024 };

/* One lock for everything: transfers are small and few. */
extern pthread_mutex_t lock;
/* Signalled whenever a transfer that somebody waits for has ended. */
extern pthread_cond_t transfer_ended;

void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* snprintf that means to cut what is too long. */
void format_text(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* ------------------------------------------------------------------------------------------------------ the devices */

struct node;
struct open_usb;
struct urb;

struct hid_interface {
    struct device *device;
    int number;
    int in_endpoint, in_length;
    int out_endpoint; /* 0: output reports go as SET_REPORT */
    uint8_t descriptor[MAX_REPORT_DESCRIPTOR];
    int descriptor_length;
    struct node *hid, *hidraw;
    bool polling;             /* an IN transfer is under way */
    int readers[MAX_READERS]; /* our ends of the files that are open; 0: none */
};

/* ATTACHED: imported. LEAVING: the server is gone, but udev has not said so yet. */
enum presence { ABSENT, ATTACHED, LEAVING };

/* A port, and the device in it while there is one. */
struct device {
    int tcp_port;
    bool is_denied; /* its permissions keep the program out */
    enum presence presence;
    struct connection *connection; /* to its server */
    int number;                    /* in /dev/bus/usb/001/NNN; another one each time it is plugged in */
    uint8_t descriptor[18];
    uint8_t *configuration;
    int configuration_length;
    char manufacturer[128], product[128], serial[128];
    /* Which interface an endpoint belongs to: OUT endpoints 0..15, IN endpoints 16..31. */
    uint8_t interface_of[32];
    struct open_usb *claimed_by[MAX_INTERFACES];
    struct node *node;
    struct node *interfaces[MAX_INTERFACES]; /* by number */
    struct hid_interface hids[MAX_HIDS];
    int hid_count;
};
extern struct device devices[MAX_DEVICES];
extern int device_count;

/* ------------------------------------------------------------------------------------------------------------- usbip */

struct transfer {
    struct connection *connection;
    bool in;
    int status; /* 0 or a negative errno */
    int actual;
    uint8_t *data; /* what an IN transfer brought */
    /* Called once, with the lock held, when the transfer has ended; frees it in the end. */
    void (*ended)(struct transfer *transfer);
    bool is_over; /* for usbip_wait */
    struct urb *urb;
    struct hid_interface *hid;
};

/* Connects to the port's server and imports its device; from then on transfers go. Lock not held. */
bool usbip_attach(struct device *device);
/* Hangs up, which ends in host_device_left like any other loss. Lock held. */
void usbip_hang_up(struct device *device);
/* Sends a transfer. Lock held, device attached. `setup` only for endpoint 0. */
struct transfer *usbip_submit(struct device *device, bool in, int endpoint, const uint8_t *setup, const void *data,
                              int length, void (*ended)(struct transfer *));
/* Gives a transfer up: it ends at once with -ENOENT. Lock held. */
void usbip_cancel(struct transfer *transfer);
/* A transfer that somebody waits for: pass as `ended`, then usbip_wait. Lock held; let go of while waiting. */
void usbip_wake(struct transfer *transfer);
int usbip_wait(struct transfer *transfer, void *data);
/* A control transfer from beginning to end. Returns the bytes that went, or a negative errno. Lock held. */
int usbip_control(struct device *device, int request_type, int request, int value, int index, void *data, int length);

/* -------------------------------------------------------------------------------------------------------------- host */

/* Looks for the devices now, and from now on. Called by the first who asks for USB devices. Lock not held. */
void host_start(void);
bool host_is_started(void);
/* The directory that stands for /sys/bus/usb/devices. */
const char *host_directory(void);
/* The connection is lost and all transfers have ended. Lock not held. */
void host_device_left(struct device *device);

/* -------------------------------------------------------------------------------------------------------------- udev */

struct node *node_add(const char *subsystem, const char *devtype, const char *syspath, const char *devnode,
                      struct node *parent);
/* Attributes are also files in the node's directory. */
void node_attribute(struct node *node, const char *name, const char *value);
void node_property(struct node *node, const char *name, const char *value);
/* Writes a file into the node's directory: descriptors are read from there. */
void node_file(const struct node *node, const char *name, const void *bytes, size_t length);
const char *node_path(const struct node *node);
const char *node_device(const struct node *node);
/* Lists the node from now on, and says "add" to whoever listens unless it was there from the start; the other way round. */
void node_announce(struct node *node);
void node_remove(struct node *node);

/* ------------------------------------------------------------------------------------------------- usbfs and hidraw */

/*
 * An open file is one end of a socket pair; `ours` is the other. True when the program has closed its end: at once, where the
 * threads that wait for that are told a little later.
 */
bool is_closed(int ours);

int usbfs_open(const char *path);
bool usbfs_owns(int fd);
int usbfs_ioctl(int fd, unsigned long request, void *argument);
/* The device is gone: whoever waits is woken. Lock held. */
void usbfs_device_left(struct device *device);

/* Reads the report descriptor and shows the interface. Lock held. */
void hidraw_add(struct hid_interface *hid);
int hidraw_open(const char *path);
bool hidraw_owns(int fd);
/* The file's device is gone. */
bool hidraw_is_dead(int fd);
int hidraw_ioctl(int fd, unsigned long request, void *argument);
void hidraw_device_left(struct device *device);

#endif
