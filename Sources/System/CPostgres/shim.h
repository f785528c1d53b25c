#pragma once
// The client library of Postgres (Debian: libpq-dev).
#include <poll.h>
#include <postgresql/libpq-fe.h>
#include <sys/socket.h>

// Waits until the socket can be read, or so long; 1 when it can.
static inline int aos_pq_wait_readable(int socket, int milliseconds) {
    struct pollfd waited = { socket, POLLIN, 0 };
    return poll(&waited, 1, milliseconds) > 0;
}

// Ends the connection's traffic from another thread: whoever waits on it is woken. The owner still closes it.
static inline void aos_pq_shut_down(int socket) { shutdown(socket, SHUT_RDWR); }
