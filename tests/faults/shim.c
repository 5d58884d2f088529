/* Preloaded into the program under trial: a clock that can be moved, a disk that fails, a power cut.
 *
 * All of it is asleep until shim_configure() has read the environment (it does so when it is loaded, and a forked child
 * calls it again):
 *
 *   SHIM_CLOCK    file of 8 bytes: microseconds (int64) by which the wall clock of the process is moved; read anew at
 *                 every look at the clock. The monotonic clock stays as it is.
 *   SHIM_FOLDER   the folder whose database files (names with ".db") the following two are about
 *   SHIM_ERROR    enospc: writes fail; erofs: writes and openings for writing fail; eio: fsync fails.
 *                 From the moment at which the file SHIM_TRIGGER is there
 *   SHIM_SHADOW   folder that gets a copy of each database file as of its last fsync: what a power cut leaves
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset_us;
static char folder[PATH_MAX], trigger[PATH_MAX], shadow[PATH_MAX], failure[16];
static pthread_mutex_t copying = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void take(char *to, const char *variable)
{
	const char *value = getenv(variable);
	snprintf(to, PATH_MAX, "%s", value ? value : "");
}

static void map_clock(void)
{
	const char *path = getenv("SHIM_CLOCK");
	offset_us = NULL;
	if (!path)
		return;
	int fd = REAL(open)(path, O_RDONLY);
	if (fd < 0)
		return;
	void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (page != MAP_FAILED)
		offset_us = page;
}

__attribute__((constructor)) void shim_configure(void)
{
	char name[PATH_MAX];
	take(folder, "SHIM_FOLDER");
	take(trigger, "SHIM_TRIGGER");
	take(shadow, "SHIM_SHADOW");
	take(name, "SHIM_ERROR");
	snprintf(failure, sizeof failure, "%.15s", name);
	map_clock();
}

/* The clock */

int clock_gettime(clockid_t id, struct timespec *now)
{
	static int (*real)(clockid_t, struct timespec *);
	if (!real)
		real = REAL(clock_gettime);
	int result = real(id, now);
	if (result == 0 && offset_us && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
		int64_t ns = now->tv_nsec + (*offset_us % 1000000) * 1000;
		now->tv_sec += *offset_us / 1000000 + ns / 1000000000;
		now->tv_nsec = ns % 1000000000;
		if (now->tv_nsec < 0) {
			now->tv_nsec += 1000000000;
			now->tv_sec--;
		}
	}
	return result;
}

int gettimeofday(struct timeval *now, void *zone)
{
	struct timespec exact;
	(void)zone;
	int result = clock_gettime(CLOCK_REALTIME, &exact);
	now->tv_sec = exact.tv_sec;
	now->tv_usec = exact.tv_nsec / 1000;
	return result;
}

time_t time(time_t *to)
{
	struct timespec exact;
	clock_gettime(CLOCK_REALTIME, &exact);
	if (to)
		*to = exact.tv_sec;
	return exact.tv_sec;
}

/* The disk */

static int is_database(const char *path)
{
	size_t length = strlen(folder);
	return length && strncmp(path, folder, length) == 0 && strstr(path + length, ".db") && !strstr(path, ".sender");
}

static int find_path(int fd, char *path)
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t size = readlink(link, path, PATH_MAX - 1);
	path[size < 0 ? 0 : size] = 0;
	return is_database(path);
}

/* Whether an operation of this kind fails now; errno is set then, and the trigger grows by a byte. */
static int fails(const char *when, int error)
{
	if (!failure[0] || strcmp(failure, when) || access(trigger, F_OK))
		return 0;
	int count = REAL(open)(trigger, O_WRONLY | O_APPEND);
	if (count >= 0) {
		if (REAL(write)(count, ".", 1) != 1)
			abort();
		close(count);
	}
	errno = error;
	return 1;
}

static int refuses_writing(int fd)
{
	char path[PATH_MAX];
	if (!failure[0] || strcmp(failure, "eio") == 0 || !find_path(fd, path) || strstr(path, "-shm"))
		return 0;
	return fails("enospc", ENOSPC) || fails("erofs", EROFS);
}

ssize_t write(int fd, const void *data, size_t size)
{
	return refuses_writing(fd) ? -1 : REAL(write)(fd, data, size);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	return refuses_writing(fd) ? -1 : REAL(pwrite)(fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	return refuses_writing(fd) ? -1 : REAL(pwrite64)(fd, data, size, at);
}

static int refuses_opening(const char *path, int flags)
{
	return (flags & (O_WRONLY | O_RDWR)) && failure[0] && is_database(path) && fails("erofs", EROFS);
}

#define OPENING(name)                                                                                                  \
	int name(const char *path, int flags, ...)                                                                     \
	{                                                                                                              \
		va_list rest;                                                                                          \
		va_start(rest, flags);                                                                                 \
		mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                                \
		va_end(rest);                                                                                          \
		return refuses_opening(path, flags) ? -1 : REAL(name)(path, flags, mode);                              \
	}

OPENING(open)
OPENING(open64)

/* The power cut */

static int copy(int from, int to)
{
	char block[65536];
	off_t at = 0;
	ssize_t size;
	while ((size = pread(from, block, sizeof block, at)) > 0) {
		if (REAL(write)(to, block, size) != size)
			return -1;
		at += size;
	}
	return size;
}

/* Read through the descriptor at hand: to open and close the file once more would drop SQLite's locks on it (POSIX). */
static void keep_copy(int fd, const char *path)
{
	char there[2 * PATH_MAX], part[2 * PATH_MAX + 8];
	snprintf(there, sizeof there, "%s/%s", shadow, strrchr(path, '/') + 1);
	snprintf(part, sizeof part, "%s.part", there);
	pthread_mutex_lock(&copying);
	int to = REAL(open)(part, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (to >= 0) {
		if (copy(fd, to) == 0)
			rename(part, there);
		close(to);
	}
	pthread_mutex_unlock(&copying);
}

static int synced(int fd, int (*real)(int))
{
	char path[PATH_MAX];
	int is_ours = folder[0] && find_path(fd, path);
	if (is_ours && fails("eio", EIO))
		return -1;
	int result = real(fd);
	if (result == 0 && is_ours && shadow[0])
		keep_copy(fd, path);
	return result;
}

int fsync(int fd)
{
	return synced(fd, REAL(fsync));
}

int fdatasync(int fd)
{
	return synced(fd, REAL(fdatasync));
}
