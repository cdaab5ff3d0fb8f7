/*
 * Starts a service with a socket that already listens, as systemd does (sd_listen_fds(3)): clients may connect before the
 * service is up, and the service needs no place of its own in the system.
 *
 *   activate SOCKET PROGRAM [ARGUMENT…]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_FILE = 3 /* SD_LISTEN_FDS_START */, BACKLOG = 16 };

static int fail(const char *what) {
    perror(what);
    return EXIT_FAILURE;
}

int main(int count, char **arguments) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (count < 3 || strlen(arguments[1]) >= sizeof address.sun_path) {
        fprintf(stderr, "usage: activate SOCKET PROGRAM [ARGUMENT…]\n");
        return EXIT_FAILURE;
    }
    memcpy(address.sun_path, arguments[1], strlen(arguments[1]));
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, BACKLOG))
        return fail(arguments[1]);
    if (listener != FIRST_FILE && dup2(listener, FIRST_FILE) < 0)
        return fail("dup2");
    char process[16];
    snprintf(process, sizeof process, "%ld", (long)getpid());
    setenv("LISTEN_FDS", "1", 1);
    setenv("LISTEN_PID", process, 1);
    execv(arguments[2], arguments + 2);
    return fail(arguments[2]);
}
