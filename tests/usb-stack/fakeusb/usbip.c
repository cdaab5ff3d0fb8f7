/*
 * A client of USB/IP 1.1.1 (Linux kernel, Documentation/usb/usbip_protocol.rst). Integers are big-endian.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fakeusb.h"

enum { CMD_SUBMIT = 1, CMD_UNLINK = 2, RET_SUBMIT = 3, RET_UNLINK = 4 };
enum { HEADER_BYTES = 48, IMPORT_REQUEST_BYTES = 40, IMPORT_DEVICE_BYTES = 312 };
enum { DEVICE_ID = 0x10002 /* bus 1, device 2 */, NOT_ISOCHRONOUS = -1 };

/*
 * What the server has not answered yet. A transfer that was given up stays here without its transfer until the server
 * says that it has taken notice: its answer may be on the way already, and has to be read past.
 */
struct pending {
    struct pending *next;
    uint32_t sequence;
    uint32_t unlink_sequence; /* 0: not given up */
    bool in;
    int length;
    struct transfer *transfer;
};

/* A connection to a port's server. Never freed: a transfer may be given up after its end. */
struct connection {
    struct device *device;
    int socket; /* -1: lost */
    uint32_t last_sequence;
    struct pending *pendings;
};

static void put32(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool read_all(int socket, void *buffer, size_t length) {
    uint8_t *at = buffer;
    while (length > 0) {
        ssize_t got = recv(socket, at, length, 0);
        if (got <= 0)
            return false;
        at += got;
        length -= (size_t)got;
    }
    return true;
}

/* What cannot be sent is noticed by the reader, which finds the connection closed. */
static void send_all(int socket, const void *bytes, size_t length, int flags) {
    const uint8_t *at = bytes;
    while (length > 0) {
        ssize_t sent = send(socket, at, length, MSG_NOSIGNAL | flags);
        if (sent <= 0)
            return;
        at += sent;
        length -= (size_t)sent;
    }
}

static void start_header(uint8_t *header, uint32_t command, uint32_t sequence) {
    memset(header, 0, HEADER_BYTES);
    put32(header, command);
    put32(header + 4, sequence);
    put32(header + 8, DEVICE_ID);
}

struct transfer *usbip_submit(struct device *device, bool in, int endpoint, const uint8_t *setup, const void *data,
                              int length, void (*ended)(struct transfer *)) {
    struct connection *connection = device->connection;
    struct transfer *transfer = calloc(1, sizeof *transfer);
    transfer->connection = connection;
    transfer->in = in;
    transfer->ended = ended;
    struct pending *pending = calloc(1, sizeof *pending);
    pending->sequence = ++connection->last_sequence;
    pending->in = in;
    pending->length = length;
    pending->transfer = transfer;
    pending->next = connection->pendings;
    connection->pendings = pending;

    uint8_t header[HEADER_BYTES];
    start_header(header, CMD_SUBMIT, pending->sequence);
    put32(header + 12, in);
    put32(header + 16, (uint32_t)endpoint);
    put32(header + 24, (uint32_t)length);
    put32(header + 32, (uint32_t)NOT_ISOCHRONOUS);
    if (setup)
        memcpy(header + 40, setup, 8);
    bool data_follow = !in && length > 0;
    send_all(connection->socket, header, sizeof header, data_follow ? MSG_MORE : 0);
    if (data_follow)
        send_all(connection->socket, data, (size_t)length, 0);
    return transfer;
}

void usbip_cancel(struct transfer *transfer) {
    struct connection *connection = transfer->connection;
    for (struct pending *pending = connection->pendings; pending; pending = pending->next) {
        if (pending->transfer != transfer)
            continue;
        pending->transfer = NULL;
        pending->unlink_sequence = ++connection->last_sequence;
        uint8_t header[HEADER_BYTES];
        start_header(header, CMD_UNLINK, pending->unlink_sequence);
        put32(header + 20, pending->sequence);
        send_all(connection->socket, header, sizeof header, 0);
        break;
    }
    transfer->status = -ENOENT;
    transfer->actual = 0;
    transfer->ended(transfer);
}

void usbip_wake(struct transfer *transfer) {
    transfer->is_over = true;
    pthread_cond_broadcast(&transfer_ended);
}

int usbip_wait(struct transfer *transfer, void *data) {
    while (!transfer->is_over)
        pthread_cond_wait(&transfer_ended, &lock);
    int result = transfer->status ? transfer->status : transfer->actual;
    if (result > 0 && transfer->data)
        memcpy(data, transfer->data, (size_t)result);
    free(transfer->data);
    free(transfer);
    return result;
}

int usbip_control(struct device *device, int request_type, int request, int value, int index, void *data, int length) {
    if (device->presence != ATTACHED)
        return -ENODEV;
    const uint8_t setup[8] = {
        (uint8_t)request_type, (uint8_t)request,      (uint8_t)value,  (uint8_t)(value >> 8),
        (uint8_t)index,        (uint8_t)(index >> 8), (uint8_t)length, (uint8_t)(length >> 8),
    };
    return usbip_wait(usbip_submit(device, request_type & 0x80, 0, setup, data, length, usbip_wake), data);
}

/* Where in the list an answer belongs; points to NULL when nowhere. Lock held. */
static struct pending **find_pending(struct connection *connection, uint32_t command, uint32_t sequence) {
    struct pending **at = &connection->pendings;
    while (*at && (command == RET_SUBMIT ? (*at)->sequence : (*at)->unlink_sequence) != sequence)
        at = &(*at)->next;
    return at;
}

/* Takes off the list what an answer belongs to; NULL when nothing. Lock held. */
static struct pending *take_pending(struct connection *connection, uint32_t command, uint32_t sequence) {
    struct pending **at = find_pending(connection, command, sequence), *taken = *at;
    if (taken)
        *at = taken->next;
    return taken;
}

/* Reads one answer and ends its transfer. False: the connection is lost, or of no use any more. */
static bool read_answer(struct connection *connection) {
    uint8_t header[HEADER_BYTES];
    if (!read_all(connection->socket, header, sizeof header))
        return false;
    uint32_t command = get32(header), sequence = get32(header + 4);
    int status = (int)get32(header + 20), actual = (int)get32(header + 24);

    if (command == RET_UNLINK) {
        pthread_mutex_lock(&lock);
        free(take_pending(connection, command, sequence)); /* none when the transfer had ended before */
        pthread_mutex_unlock(&lock);
        return true;
    }
    pthread_mutex_lock(&lock);
    struct pending *pending = *find_pending(connection, RET_SUBMIT, sequence);
    bool known = command == RET_SUBMIT && pending && actual >= 0 && actual <= pending->length;
    bool data_follow = known && pending->in && actual > 0;
    pthread_mutex_unlock(&lock);
    if (!known)
        return false;
    uint8_t *data = NULL;
    if (data_follow) {
        data = malloc((size_t)actual);
        if (!read_all(connection->socket, data, (size_t)actual)) {
            free(data);
            return false;
        }
    }

    pthread_mutex_lock(&lock);
    pending = take_pending(connection, RET_SUBMIT, sequence);
    struct transfer *transfer = pending->transfer; /* only now: it may have been given up meanwhile */
    free(pending);
    if (transfer) {
        transfer->status = status;
        transfer->actual = actual;
        transfer->data = data;
        transfer->ended(transfer);
    } else {
        free(data);
    }
    pthread_mutex_unlock(&lock);
    return true;
}

static void *read_answers(void *argument) {
    struct connection *connection = argument;
    struct device *device = connection->device;
    while (read_answer(connection))
        ;
    pthread_mutex_lock(&lock);
    device->presence = LEAVING;
    log_line("port %d: connection lost", device->tcp_port);
    while (connection->pendings) {
        struct pending *pending = connection->pendings;
        connection->pendings = pending->next;
        if (pending->transfer) {
            pending->transfer->status = -ESHUTDOWN;
            pending->transfer->actual = 0;
            pending->transfer->ended(pending->transfer);
        }
        free(pending);
    }
    close(connection->socket);
    connection->socket = -1;
    pthread_mutex_unlock(&lock);
    host_device_left(device);
    return NULL;
}

/* OP_REQ_IMPORT for bus id 1-1; the answer is eight bytes with the status, then the device. */
static bool import_device(int socket) {
    uint8_t request[IMPORT_REQUEST_BYTES] = {0x01, 0x11, 0x80, 0x03};
    memcpy(request + 8, "1-1", 3);
    uint8_t reply[8], description[IMPORT_DEVICE_BYTES];
    return send(socket, request, sizeof request, MSG_NOSIGNAL) == (ssize_t)sizeof request &&
           read_all(socket, reply, sizeof reply) && get32(reply + 4) == 0 &&
           read_all(socket, description, sizeof description);
}

bool usbip_attach(struct device *device) {
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)device->tcp_port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(server, (struct sockaddr *)&address, sizeof address) || !import_device(server)) {
        close(server);
        return false;
    }
    int on = 1;
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);

    pthread_mutex_lock(&lock);
    struct connection *connection = device->connection = calloc(1, sizeof *connection);
    *connection = (struct connection){.device = device, .socket = server};
    device->presence = ATTACHED;
    pthread_mutex_unlock(&lock);
    pthread_t reader;
    pthread_create(&reader, NULL, read_answers, connection);
    pthread_detach(reader);
    return true;
}

void usbip_hang_up(struct device *device) {
    if (device->presence == ATTACHED)
        shutdown(device->connection->socket, SHUT_RDWR);
}
