/* Preloaded into a process, it counts the calls that change files below a folder, and at the n-th
 * of them kills the process, or makes it and every later call that needs room fail, as on a full
 * disk. A write is half done first. Linux only; see kill_points.py.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long count, at;
static int error;
static char folder[PATH_MAX];

/* n: 0 counts only; e: the errno of a call that fails, 0 for a kill. */
void stop_at(long n, int e, const char *below) {
  count = 0, at = n, error = e;
  snprintf(folder, sizeof folder, "%s", below);
}

long calls(void) { return count; }

static int due(int room, const char *path) {
  if (!folder[0] || strncmp(path, folder, strlen(folder))) return 0;
  count++;
  return at && (error ? room && count >= at : count == at);
}

static int stop(void) {
  if (!error) kill(getpid(), SIGKILL);
  errno = error;
  return -1;
}

/* Where an open file, or a name in an open folder, lies. */
static const char *place(char *full, int fd, const char *name) {
  char link[64];
  if (name && (name[0] == '/' || fd == AT_FDCWD)) return name;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, full, PATH_MAX - 1);
  snprintf(full + (n > 0 ? n : 0), PATH_MAX - (n > 0 ? n : 0), name ? "/%s" : "%s", name ? name : "");
  return full;
}

#define NEXT(type, name, ...)                       \
  char full[PATH_MAX];                              \
  (void)full;                                       \
  static type (*next)(__VA_ARGS__);                 \
  if (!next) next = dlsym(RTLD_NEXT, name)

static int opened(int fd, const char *name, int flags, mode_t mode) {
  NEXT(int, "openat", int, const char *, int, ...);
  const char *path = place(full, fd, name);
  if (flags & (O_CREAT | O_TRUNC) && due(access(path, F_OK) != 0, path)) return stop();
  return next(fd, name, flags, mode);
}

#define OPEN(function, parameters, fd)              \
  int function parameters {                         \
    va_list rest;                                   \
    va_start(rest, flags);                          \
    mode_t mode = va_arg(rest, mode_t);             \
    va_end(rest);                                   \
    return opened(fd, name, flags, mode);           \
  }
OPEN(open, (const char *name, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *name, int flags, ...), AT_FDCWD)
OPEN(openat, (int fd, const char *name, int flags, ...), fd)
OPEN(openat64, (int fd, const char *name, int flags, ...), fd)

ssize_t write(int fd, const void *content, size_t n) {
  NEXT(ssize_t, "write", int, const void *, size_t);
  if (!folder[0] || !due(1, place(full, fd, NULL))) return next(fd, content, n);
  next(fd, content, n / 2);
  return stop();
}

int fsync(int fd) {
  NEXT(int, "fsync", int);
  return folder[0] && due(1, place(full, fd, NULL)) ? stop() : next(fd);
}

int ftruncate(int fd, off_t n) {
  NEXT(int, "ftruncate", int, off_t);
  return folder[0] && due(0, place(full, fd, NULL)) ? stop() : next(fd, n);
}

int mkdir(const char *name, mode_t mode) {
  NEXT(int, "mkdir", const char *, mode_t);
  return due(access(name, F_OK) != 0, name) ? stop() : next(name, mode);
}

int rename(const char *from, const char *to) {
  NEXT(int, "rename", const char *, const char *);
  return due(0, to) ? stop() : next(from, to);
}

int chmod(const char *name, mode_t mode) {
  NEXT(int, "chmod", const char *, mode_t);
  return due(0, name) ? stop() : next(name, mode);
}

int unlink(const char *name) {
  NEXT(int, "unlink", const char *);
  return due(0, name) ? stop() : next(name);
}

int rmdir(const char *name) {
  NEXT(int, "rmdir", const char *);
  return due(0, name) ? stop() : next(name);
}

int unlinkat(int fd, const char *name, int flags) {
  NEXT(int, "unlinkat", int, const char *, int);
  return due(0, place(full, fd, name)) ? stop() : next(fd, name, flags);
}
