// SPDX-License-Identifier: GPL-2.0-only
/* Messages of the kernel and the libraries about failures, and what bkxdp reports about them. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <xdp/libxdp.h>

#include "base/memory.h"
#include "datapath/internal.h"
#include "net/capabilities.h"

static char library_log[8192];

/*
 * The verifier writes its log here, only with statistics. Without a buffer of the program, libbpf
 * would repeat a refused load with larger and larger logs of every instruction.
 */
static char verifier_log[65536];

#define LOG_TAIL_MAX 600

/* Keeps the end of the log, because the verifier's reason is at the end. */
static void append_to_log(const char *format, va_list args)
{
	char line[sizeof(library_log) / 2];
	size_t have = strlen(library_log), length;

	vsnprintf(line, sizeof(line), format, args);
	length = strlen(line);
	if (have + length >= sizeof(library_log)) {
		size_t drop = have + length - sizeof(library_log) + 1;

		memmove(library_log, library_log + drop, have - drop + 1);
		have -= drop;
	}
	memcpy(library_log + have, line, length + 1);
}

static int from_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level != LIBBPF_DEBUG)
		append_to_log(format, args);
	return 0;
}

static int from_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	if (level != LIBXDP_DEBUG)
		append_to_log(format, args);
	return 0;
}

char *libraries_verifier_buffer(size_t *size)
{
	*size = sizeof(verifier_log);
	return verifier_log;
}

void libraries_capture_log(void)
{
	library_log[0] = verifier_log[0] = '\0';
	libbpf_set_print(from_libbpf);
	libxdp_set_print(from_libxdp);
}

/* libbpf prints the text of the netlink answer after these words. */
const char *libraries_kernel_message(void)
{
	static const char mark[] = "Kernel error message: ";
	static char message[256];
	const char *found = library_log, *last = NULL;

	while ((found = strstr(found, mark)))
		last = found += strlen(mark);
	snprintf(message, sizeof(message), "%.*s", last ? (int)strcspn(last, "\n") : 0,
		 last ? last : "");
	return message;
}

/* Returns the end of the verifier's log, or of the libraries' log if that is empty. */
static const char *log_tail(void)
{
	const char *text = *verifier_log ? verifier_log : library_log;
	size_t length = strlen(text);

	return length > LOG_TAIL_MAX ? text + length - LOG_TAIL_MAX : text;
}

/* Returns true for errors that do not mean that the kernel refuses the program or a map. */
static bool is_temporary(int error)
{
	return error == -EMFILE || error == -ENFILE || error == -EIO || error == -EAGAIN ||
	       error == -EINTR || error == -ENOSPC || error == -EBUSY || error == -EBADF;
}

void report_load_failure(struct diagnostics *diag, const char *doing, int error)
{
	AUTO_FREE char *missing = capabilities_missing();
	const char *tail = log_tail();

	if (error == -EPERM && *missing)
		diag_at(diag, NULL, "%s needs %s, which this process does not have: run it as root",
			doing, missing);
	else if (error == -EPERM)
		diag_at(diag, NULL,
			"%s: the kernel refuses BPF to this process although it has the "
			"capabilities: a container, a seccomp filter or kernel lockdown forbids it",
			doing);
	else if (error == -EROFS)
		diag_at(diag, NULL, "%s: the BPF file system is mounted read-only", doing);
	else if (error == -ENOMEM || error == -E2BIG)
		diag_at(diag, NULL, "%s: the kernel has no memory for the policy's maps (%s)",
			doing, strerror(-error));
	else if (is_temporary(error))
		diag_at(diag, NULL, "%s failed: %s; try again", doing, strerror(-error));
	else if (access("/sys/kernel/btf/vmlinux", F_OK))
		diag_at(diag, NULL,
			"%s: the kernel refused the program (%s), because it was built without "
			"BTF, which describes the arguments of the program's functions; bkxdp "
			"needs a kernel with CONFIG_DEBUG_INFO_BTF=y",
			doing, strerror(-error));
	else
		diag_at(diag, NULL,
			"%s: the kernel refused the program or a map (%s); bkxdp needs Linux 5.10 "
			"or "
			"later%s%s",
			doing, strerror(-error), *tail ? ". It said: " : "", tail);
}
