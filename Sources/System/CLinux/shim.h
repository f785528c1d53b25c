#pragma once
// What Glibc's Swift module hides: GNU extensions, macros and variadic calls. Header only.
// _GNU_SOURCE stays undefined: it would give C types other definitions than the ones Swift's Glibc module has, and a
// program that imports both would not build. The few GNU calls are declared here instead.
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern int accept4(int, struct sockaddr *, socklen_t *, int);
extern int pipe2(int[2], int);
extern int syncfs(int);
extern int pthread_setname_np(pthread_t, const char *);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *, int);
extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *, const char *);
#ifndef POSIX_SPAWN_SETSID
#define POSIX_SPAWN_SETSID 0x80
#endif

static inline int aos_open(const char *path, int flags, unsigned int mode) { return open(path, flags, (mode_t)mode); }
static inline int aos_openat(int dir, const char *path, int flags, unsigned int mode) {
    return openat(dir, path, flags, (mode_t)mode);
}
static inline int aos_fcntl(int fd, int command, int argument) { return fcntl(fd, command, argument); }
static inline int aos_prctl(int option, unsigned long a) { return prctl(option, a, 0ul, 0ul, 0ul); }
static inline int aos_pidfd_open(int pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }
static inline int aos_terminal_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/// openat2(2): resolves `path` beneath `dir` and refuses every symbolic link and magic link on the way.
struct aos_open_how { uint64_t flags, mode, resolve; };
#define AOS_RESOLVE_BENEATH_NO_LINKS (0x08 | 0x04 | 0x02)
static inline int aos_openat_beneath(int dir, const char *path, int flags, unsigned int mode) {
    struct aos_open_how how = {
        .flags = (uint64_t)(unsigned int)flags, .mode = mode, .resolve = AOS_RESOLVE_BENEATH_NO_LINKS };
    return (int)syscall(437 /* SYS_openat2 */, dir, path, &how, sizeof how);
}

static inline int aos_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
static inline int aos_epoll_control(int epoll, int operation, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = { .events = events, .data = { .u64 = token } };
    return epoll_ctl(epoll, operation, fd, &event);
}
static inline int aos_eventfd(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
static inline int aos_socket(int family) { return socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0); }
static inline int aos_accept(int fd) { return accept4(fd, 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC); }
static inline int aos_wait_exited(int status) { return WIFEXITED(status); }
static inline int aos_wait_exit_code(int status) { return WEXITSTATUS(status); }
static inline int aos_wait_signal(int status) { return WTERMSIG(status); }
static inline int aos_pipe(int fds[2]) { return pipe2(fds, O_CLOEXEC); }

/// Spawns `path` in a new session with descriptors 0-2 as given, all others closed, default signals, in `directory`.
static inline int aos_spawn(
    pid_t *pid, const char *path, char *const argv[], char *const envp[], const char *directory,
    int standard_input, int standard_output, int standard_error) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawn_file_actions_adddup2(&actions, standard_input, 0);
    posix_spawn_file_actions_adddup2(&actions, standard_output, 1);
    posix_spawn_file_actions_adddup2(&actions, standard_error, 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (directory) posix_spawn_file_actions_addchdir_np(&actions, directory);
    int result = posix_spawn(pid, path, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return result;
}

/// The same with `count` descriptors: `descriptors[i]` becomes number i, all others are closed.
static inline int aos_spawn_with(
    pid_t *pid, const char *path, char *const argv[], char *const envp[], const char *directory,
    const int *descriptors, int count) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int high[8], result = 0;
    if (count > 8) return E2BIG;
    sigemptyset(&none);
    sigfillset(&all);
    // Out of the way first: a source below `count` would be overwritten by an earlier dup2.
    for (int i = 0; i < count; i++) {
        high[i] = fcntl(descriptors[i], F_DUPFD_CLOEXEC, 16);
        if (high[i] < 0) {
            result = errno;
            while (--i >= 0) close(high[i]);
            return result;
        }
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    for (int i = 0; i < count; i++) posix_spawn_file_actions_adddup2(&actions, high[i], i);
    posix_spawn_file_actions_addclosefrom_np(&actions, count);
    if (directory) posix_spawn_file_actions_addchdir_np(&actions, directory);
    result = posix_spawn(pid, path, &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    for (int i = 0; i < count; i++) close(high[i]);
    return result;
}

static inline int aos_memfd(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u /* MFD_CLOEXEC */); }
static inline int aos_subreaper(void) { return prctl(36 /* PR_SET_CHILD_SUBREAPER */, 1ul, 0ul, 0ul, 0ul); }
static inline int aos_signalfd(const sigset_t *signals) { return signalfd(-1, signals, SFD_CLOEXEC); }
static inline const char *aos_entry_name(const struct dirent *entry) { return entry->d_name; }
static inline int aos_give(const char *path, unsigned int owner, unsigned int group) {
    return fchownat(AT_FDCWD, path, owner, group, AT_SYMLINK_NOFOLLOW);
}
static inline int aos_is_directory(unsigned int mode) { return S_ISDIR(mode); }
static inline int aos_is_regular(unsigned int mode) { return S_ISREG(mode); }
static inline int aos_is_link(unsigned int mode) { return S_ISLNK(mode); }
extern char **environ;
static inline char **aos_environ(void) { return environ; }
static inline void aos_ignore_broken_pipes(void) { signal(SIGPIPE, SIG_IGN); }
static inline int aos_errno(void) { return errno; }
static inline int aos_bind(int fd, const struct sockaddr *address, socklen_t length) { return bind(fd, address, length); }
static inline int aos_connect(int fd, const struct sockaddr *address, socklen_t length) {
    return connect(fd, address, length);
}
static inline int aos_local_address(int fd, struct sockaddr *address, socklen_t *length) {
    return getsockname(fd, address, length);
}
static inline int aos_peer_address(int fd, struct sockaddr *address, socklen_t *length) {
    return getpeername(fd, address, length);
}

/// One datagram to systemd's notification socket; a leading @ means the abstract name space.
static inline int aos_notify(const char *path, const char *state) {
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) return -1;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    ssize_t sent = sendto(
        fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    close(fd);
    return sent < 0 ? -1 : 0;
}
