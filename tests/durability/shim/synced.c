/* Remembers files as of their last sync, for tests of crashes: loaded into a process by LD_PRELOAD.
 *
 * After each fsync of a file below $SYNCED_FROM its content is copied to $SYNCED_TO. What the process wrote since is not
 * there: as after a loss of power. A file that is deleted is gone at once. With $SYNCED_KILL_AT=N the process dies right before the Nth sync; with a minus sign,
 * right after it, when the data is safe and nobody has heard of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long syncs;

/* The place of a file's copy; 0 for a file that is none of ours. */
static int place(const char *path, char *target, size_t size) {
    const char *from = getenv("SYNCED_FROM"), *to = getenv("SYNCED_TO");
    if (!from || !to || strncmp(path, from, strlen(from))) return 0;
    return snprintf(target, size, "%s/%s", to, strrchr(path, '/') + 1);
}

static void keep(int fd) {
    char link[64], path[4096], target[4096], draft[4160], buffer[65536];
    struct stat status;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode)) return;
    path[length] = 0;
    if (!place(path, target, sizeof target)) return;
    snprintf(draft, sizeof draft, "%s.draft", target);
    int out = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0) abort();
    off_t at = 0;
    ssize_t count;
    while ((count = pread(fd, buffer, sizeof buffer, at)) > 0) {
        if (write(out, buffer, count) != count) abort();
        at += count;
    }
    if (close(out) || rename(draft, target)) abort();
}

static int synced(int fd, const char *name) {
    int (*own)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    const char *kill_at = getenv("SYNCED_KILL_AT");
    long at = kill_at ? atol(kill_at) : 0, count = atomic_fetch_add(&syncs, 1) + 1;
    if (at > 0 && count == at) raise(SIGKILL);
    int result = own(fd);
    if (result == 0) keep(fd);
    if (at < 0 && count == -at) raise(SIGKILL);
    return result;
}

int fsync(int fd) { return synced(fd, "fsync"); }
int fdatasync(int fd) { return synced(fd, "fdatasync"); }

int unlink(const char *path) {
    int (*own)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    char target[4096];
    int result = own(path);
    if (result == 0 && place(path, target, sizeof target)) own(target);
    return result;
}
