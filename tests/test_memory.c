// SPDX-License-Identifier: GPL-2.0-only
/* Arrays grow at their end, however they were made. AddressSanitizer checks where is written. */
#include <stdint.h>

#include "base/memory.h"
#include "tap.h"

#define MORE 1000

static void append(uint64_t **array, size_t *count, size_t more)
{
	for (size_t i = 0; i < more; i++) {
		uint64_t *new = APPEND(*array, *count);

		if (*new)
			break;
		*new = *count;
	}
}

static bool counts(const uint64_t *array, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (array[i] != i + 1)
			return false;
	return true;
}

/* An array that was not made by appending, and that is exactly full. */
static void test_made_otherwise(void)
{
	unsigned int wrong = 0;

	for (size_t began = 0; began < 70; began++) {
		uint64_t *array = must_alloc(began, sizeof(*array));
		size_t count = began;

		for (size_t i = 0; i < began; i++)
			array[i] = i + 1;
		append(&array, &count, MORE);
		wrong += count != began + MORE || !counts(array, count);
		free(array);
	}
	check_int((int)wrong, 0, "an array of any length grows");
}

/* An element that was removed from the end does not come back. */
static void test_shorter_in_between(void)
{
	uint64_t *array = NULL;
	size_t count = 0;
	unsigned int wrong = 0;

	for (size_t length = 1; length < 70; length++) {
		append(&array, &count, length - count);
		count = length / 2;
		append(&array, &count, length - count);
		wrong += count != length || !counts(array, count);
	}
	free(array);
	check_int((int)wrong, 0, "an array that was cut grows again, from zeroes");
}

int main(void)
{
	test_made_otherwise();
	test_shorter_in_between();
	return tap_done();
}
