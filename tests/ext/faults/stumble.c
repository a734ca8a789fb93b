/* Preloaded into PHP: makes the next look at the clock fail, once, in Posthorn's code and in the thread that the file
 * $POSTHORN_STUMBLE names. Rust's standard library panics then. Whoever removes the file stumbles. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int stumbles(void *caller)
{
	char wanted[32] = "", name[17] = "";
	const char *file = getenv("POSTHORN_STUMBLE");
	Dl_info from;
	int descriptor = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	if (descriptor < 0)
		return 0;
	ssize_t length = read(descriptor, wanted, sizeof wanted - 1);
	close(descriptor);
	prctl(PR_GET_NAME, name);
	return length > 0 && !strcmp(wanted, name) && dladdr(caller, &from) && strstr(from.dli_fname, "posthorn") && !unlink(file);
}

/* PHP loads extensions so that they find the C library's functions before ours. */
void *dlopen(const char *file, int mode)
{
	void *(*real)(const char *, int) = dlsym(RTLD_NEXT, "dlopen");
	return real(file, mode & ~RTLD_DEEPBIND);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int before = errno;
	/* Not the date: Rust looks at that outside of what it guards, and it never fails. */
	if (clock == CLOCK_MONOTONIC && stumbles(__builtin_return_address(0))) {
		errno = EINVAL;
		return -1;
	}
	errno = before;
	return syscall(SYS_clock_gettime, clock, time);
}
