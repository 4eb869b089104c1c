/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TAP 13 for the C tests: one line for each check, and the plan at the end.
 *
 *   check(a < b, "name");                 an expression
 *   check_int(got, want, "name");         both values are shown on failure
 *   check_text(got, want, "name");        NULL is allowed
 *   check_has(text, part, "name");        text contains part
 *   skip("name", "why");
 *   return tap_done();                    the exit status of main
 *
 * Names are printf formats. Each check is an expression that is true if it holds.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct {
	unsigned int pass, fail, skip;
} tap_total;

/*
 * Runs before main(), so that the version is the first line. Output is buffered by line, so that a
 * test that is stopped has printed its points.
 */
__attribute__((constructor)) static void tap_begin(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("TAP version 13");
}

__attribute__((format(printf, 2, 0))) static inline void tap_line(const char *verdict,
								  const char *format, va_list args)
{
	unsigned int done = tap_total.pass + tap_total.fail + tap_total.skip;

	printf("%s %u - ", verdict, done + 1);
	vprintf(format, args);
}

__attribute__((format(printf, 4, 5))) static inline bool
tap_check(bool holds, const char *file, int line, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_line(holds ? "ok" : "not ok", format, args);
	va_end(args);
	putchar('\n');
	if (holds)
		tap_total.pass++;
	else
		tap_total.fail++;
	if (!holds)
		printf("# %s:%d\n", file, line);
	return holds;
}

__attribute__((format(printf, 2, 3))) static inline void skip_as(const char *why,
								 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tap_line("ok", format, args);
	va_end(args);
	printf(" # SKIP %s\n", why);
	tap_total.skip++;
}

/* Each line of a value becomes a comment. */
static inline void tap_show(const char *label, const char *text)
{
	printf("#   %-5s ", label);
	for (const char *c = text ? text : "(null)"; *c; c++)
		if (*c == '\n')
			fputs("\n#         ", stdout);
		else
			putchar(*c);
	putchar('\n');
}

static inline bool tap_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

#define check(expression, ...)                                                                     \
	({                                                                                         \
		bool tap_holds_ = tap_check(!!(expression), __FILE__, __LINE__, __VA_ARGS__);      \
		if (!tap_holds_)                                                                   \
			tap_show("false", #expression);                                            \
		tap_holds_;                                                                        \
	})

#define check_int(got, want, ...)                                                                  \
	({                                                                                         \
		long long tap_got_ = (got), tap_want_ = (want);                                    \
		bool tap_holds_ =                                                                  \
			tap_check(tap_got_ == tap_want_, __FILE__, __LINE__, __VA_ARGS__);         \
		if (!tap_holds_)                                                                   \
			printf("#   %s is %lld, expected %lld\n", #got, tap_got_, tap_want_);      \
		tap_holds_;                                                                        \
	})

#define tap_compare_(compare, got, want, ...)                                                      \
	({                                                                                         \
		const char *tap_got_ = (got), *tap_want_ = (want);                                 \
		bool tap_holds_ = tap_check(compare, __FILE__, __LINE__, __VA_ARGS__);             \
		if (!tap_holds_) {                                                                 \
			tap_show("got", tap_got_);                                                 \
			tap_show("want", tap_want_);                                               \
		}                                                                                  \
		tap_holds_;                                                                        \
	})

#define check_text(got, want, ...)                                                                 \
	tap_compare_(tap_same(tap_got_, tap_want_), got, want, __VA_ARGS__)
#define check_has(text, part, ...)                                                                 \
	tap_compare_(tap_got_ &&strstr(tap_got_, tap_want_), text, part, __VA_ARGS__)

#define skip(name, why) skip_as(why, "%s", name)

/* 0: all passed; 4: nothing but skips; else 1, as kselftest has it. */
static inline int tap_done(void)
{
	printf("1..%u\n", tap_total.pass + tap_total.fail + tap_total.skip);
	printf("# Totals: pass:%u fail:%u xfail:0 xpass:0 skip:%u error:0\n", tap_total.pass,
	       tap_total.fail, tap_total.skip);
	if (tap_total.fail)
		return 1;
	return tap_total.skip && !tap_total.pass ? 4 : 0;
}

#endif
