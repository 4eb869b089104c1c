// SPDX-License-Identifier: GPL-2.0-only
/*
 * A listener's place, its ring buffer, and the thread that renews the place. The program serves a
 * place until the time that is written in it, so a listener that was killed costs nothing for long.
 * Whoever takes the output may delay the reading thread, but not the renewing one.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/memory.h"
#include "datapath/drop_events.h"
#include "datapath/internal.h"
#include "net/netdev.h"

#define LEASE_NS      5000000000ull
#define RENEWAL_MS    1000
#define NO_PLACE      BKXDP_LISTENERS
#define ADDRESS_WORDS 4

struct watch {
	char *interface;
	struct maps maps;
	struct bkxdp_globals *globals;
	uint32_t place;
	int ring;
	struct ring_buffer *reader;
	watch_seen *seen;
	void *context;
	uint64_t lost_before;
	int64_t root; /* id of the program that the device runs */

	pthread_t renewer;
	bool renewing;
	int end;           /* eventfd that ends the renewer */
	uint64_t until;    /* the time in our place, as long as the place is ours */
	uint64_t unserved; /* ns */
	bool taken;
};

/* ---- taking a place ------------------------------------------------------ */

static struct bkxdp_listener *place_of(const struct watch *watch, uint32_t place)
{
	return &watch->globals->watch.listener[place];
}

/*
 * Frees the places of listeners that were killed, with their rings. Returns the first free place,
 * or NO_PLACE.
 */
static uint32_t clear_places(const struct watch *watch)
{
	uint32_t first = NO_PLACE;

	for (uint32_t i = BKXDP_LISTENERS; i-- > 0;) {
		__u64 *until = &place_of(watch, i)->until;
		__u64 ended = __atomic_load_n(until, __ATOMIC_ACQUIRE);

		if (ended > clock_ns(CLOCK_MONOTONIC) ||
		    !__atomic_compare_exchange_n(until, &ended, 0, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_RELAXED))
			continue;
		(void)bpf_map_delete_elem(watch->maps.fd[MAP_RINGS], &i);
		first = i;
	}
	return first;
}

static uint32_t mask_word(uint32_t bits, int word)
{
	int left = (int)bits - 32 * word;

	if (left <= 0)
		return 0;
	return left >= 32 ? UINT32_MAX : htonl(~(UINT32_MAX >> left));
}

static void fill_place(struct bkxdp_listener *listener, const struct watch_filter *filter)
{
	listener->reasons = filter->reasons;
	listener->rate = filter->rate;
	for (int i = 0; i < ADDRESS_WORDS; i++) {
		listener->mask[i] = mask_word(filter->from.bits, i);
		listener->address[i] = filter->from.address[i] & listener->mask[i];
	}
}

/* This update also waits until no CPU runs the program with the old ring: see slot_retire(). */
static int place_ring(const struct watch *watch)
{
	return bpf_map_update_elem(watch->maps.fd[MAP_RINGS], &watch->place, &watch->ring, BPF_ANY)
		       ? -errno
		       : 0;
}

static uint64_t lost_at(const struct watch *watch)
{
	int cpus = libbpf_num_possible_cpus();
	AUTO_FREE struct bkxdp_watch_state *each = must_alloc(cpus > 0 ? cpus : 1, sizeof(*each));
	uint32_t zero = 0;
	uint64_t sum = 0;

	if (cpus > 0 && !bpf_map_lookup_elem(watch->maps.fd[MAP_WATCH_STATE], &zero, each))
		for (int i = 0; i < cpus; i++)
			sum += each[i].lost[watch->place];
	return sum;
}

/*
 * The program clears `listeners` if it finds no place taken. A run that looked before ours was
 * taken may still do so. This waits for such runs before `listeners` is set.
 */
static int take_place(struct watch *watch, const struct watch_filter *filter)
{
	int error;

	watch->place = clear_places(watch);
	if (watch->place == NO_PLACE)
		return -EUSERS;
	fill_place(place_of(watch, watch->place), filter);
	error = place_ring(watch);
	if (error)
		return error;
	watch->lost_before = lost_at(watch);
	watch->until = clock_ns(CLOCK_MONOTONIC) + LEASE_NS;
	__atomic_store_n(&place_of(watch, watch->place)->until, watch->until, __ATOMIC_RELEASE);
	error = place_ring(watch);
	__atomic_store_n(&watch->globals->watch.listeners, 1, __ATOMIC_RELEASE);
	return error;
}

/* ---- renewing the place -------------------------------------------------- */

/* Fails if the place has another time than ours: then another listener has taken it. */
static bool move_until(struct watch *watch, uint64_t until)
{
	__u64 mine = watch->until;

	if (!__atomic_compare_exchange_n(&place_of(watch, watch->place)->until, &mine, until, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	watch->until = until;
	return true;
}

static void renew(struct watch *watch)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), before = watch->until;

	if (!move_until(watch, now + LEASE_NS)) {
		__atomic_store_n(&watch->taken, true, __ATOMIC_RELEASE);
		return;
	}
	if (now > before)
		__atomic_add_fetch(&watch->unserved, now - before, __ATOMIC_RELAXED);
	__atomic_store_n(&watch->globals->watch.listeners, 1, __ATOMIC_RELEASE);
}

static void *renew_until_end(void *context)
{
	struct watch *watch = context;
	struct pollfd end = {watch->end, POLLIN, 0};

	while (!poll(&end, 1, RENEWAL_MS) && !watch->taken)
		renew(watch);
	return NULL;
}

/* Signals go to the reading thread. */
static int start_renewer(struct watch *watch)
{
	sigset_t all, before;
	int error;

	watch->end = eventfd(0, EFD_CLOEXEC);
	if (watch->end < 0)
		return -errno;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&watch->renewer, NULL, renew_until_end, watch);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	watch->renewing = !error;
	return -error;
}

static void end_renewer(struct watch *watch)
{
	if (!watch->renewing)
		return;
	(void)eventfd_write(watch->end, 1);
	pthread_join(watch->renewer, NULL);
	watch->renewing = false;
}

/* ---- opening ---------------------------------------------------------------- */

/*
 * xdp_find() is not used here: libxdp 1.3 leaves a program open each time, and a program that is
 * held open would outlive its interface. As long as the device runs the same program as before,
 * nothing has changed.
 */
static bool program_runs(struct watch *watch)
{
	struct bkxdp_attachment attachment;
	int64_t root;

	if (read_attachment(&watch->maps, &attachment))
		return true;
	if (attachment.netns != netdev_namespace())
		return xdp_runs_somewhere(watch->maps.fd[MAP_GLOBALS]) != 0;
	root = netdev_xdp(attachment.ifindex, attachment.generic);
	if (root < 0)
		return root != -ENODEV;
	if (!root)
		return false;
	if (root != watch->root && xdp_runs_somewhere(watch->maps.fd[MAP_GLOBALS]) == 0)
		return false;
	watch->root = root;
	return true;
}

static int take_event(void *context, void *event, size_t size)
{
	const struct watch *watch = context;

	return size < sizeof(struct bkxdp_event) ? -EBADMSG : watch->seen(watch->context, event);
}

static int open_ring(struct watch *watch)
{
	watch->ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, BKXDP_RING_BYTES, NULL);
	if (watch->ring < 0)
		return -errno;
	watch->reader = ring_buffer__new(watch->ring, take_event, watch, NULL);
	return watch->reader ? 0 : -errno;
}

static int listen_on(struct watch *watch, const struct watch_filter *filter)
{
	struct bkxdp_globals *globals = globals_open(&watch->maps, PROT_READ | PROT_WRITE);
	int error;

	if (globals == MAP_FAILED)
		return -errno;
	watch->globals = globals;
	error = take_place(watch, filter);
	return error ? error : start_renewer(watch);
}

static void report_listen_failure(const char *interface, int error, struct diagnostics *diag)
{
	if (error == -EPERM || error == -EACCES)
		report_load_failure(diag, "listening for dropped packets", -EPERM);
	else if (error == -EUSERS)
		diag_at(diag, NULL,
			"%s already has %d monitors, and there is no place for more: end one of "
			"them (the place of a killed one is free after 5 seconds)",
			interface, BKXDP_LISTENERS);
	else
		diag_at(diag, NULL, "%s: can't listen for dropped packets: %s", interface,
			strerror(-error));
}

/*
 * Called with the lock held, so that listeners take places one after the other and no detach
 * happens meanwhile.
 */
static int open_locked(struct watch *watch, const struct watch_filter *filter,
		       struct diagnostics *diag)
{
	int error;

	if (open_filtered(watch->interface, &watch->maps, diag))
		return -1;
	if (!program_runs(watch)) {
		diag_at(diag, NULL,
			"%s is not attached: the program is gone, so nothing is filtered; "
			"\"bkxdp status %s\" says what to do",
			watch->interface, watch->interface);
		return -1;
	}
	error = open_ring(watch);
	if (!error)
		error = listen_on(watch, filter);
	if (error)
		report_listen_failure(watch->interface, error, diag);
	return error;
}

/* Looks before it locks, because the lock's folder must not be made if nothing is filtered. */
static int open_place(struct watch *watch, const struct watch_filter *filter,
		      struct diagnostics *diag)
{
	int lock, error;

	if (open_filtered(watch->interface, &watch->maps, diag))
		return -1;
	maps_close(&watch->maps);
	lock = pins_take_lock(diag);
	if (lock < 0)
		return -1;
	error = open_locked(watch, filter, diag);
	pins_remove_empty_folders();
	close(lock);
	return error;
}

struct watch *watch_open(const char *interface, const struct watch_filter *filter, watch_seen *seen,
			 void *context, struct diagnostics *diag)
{
	struct watch *watch = must_alloc(1, sizeof(*watch));
	char pinned[IF_NAMESIZE];

	watch->interface = must_copy(datapath_pinned_as(interface, pinned));
	watch->seen = seen;
	watch->context = context;
	watch->ring = watch->end = -1;
	for (int i = 0; i < MAP_COUNT; i++)
		watch->maps.fd[i] = -1;
	if (!open_place(watch, filter, diag))
		return watch;
	watch_close(watch);
	return NULL;
}

/* ---- listening -------------------------------------------------------------- */

int watch_wait(struct watch *watch, int milliseconds)
{
	int result = ring_buffer__poll(watch->reader, milliseconds);

	return result > 0 ? 0 : result;
}

uint64_t watch_lost(const struct watch *watch)
{
	return lost_at(watch) - watch->lost_before;
}

uint64_t watch_unserved(const struct watch *watch)
{
	return __atomic_load_n(&watch->unserved, __ATOMIC_RELAXED);
}

struct policy *watch_policy(const struct watch *watch, uint32_t *generation)
{
	return policy_in(watch->interface, &watch->maps, generation);
}

/* Returns the map's id, or a negative errno. */
static int64_t id_of(int fd)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? -errno : (int64_t)info.id;
}

/* What can't be read now is read in the next turn: it does not end the monitor. */
static enum watch_end state_of(struct watch *watch)
{
	AUTO_CLOSE int pinned = pins_open_globals(watch->interface);
	int64_t ours = id_of(watch->maps.fd[MAP_GLOBALS]), theirs;

	if (__atomic_load_n(&watch->taken, __ATOMIC_ACQUIRE))
		return WATCH_PLACE_TAKEN;
	if (pinned < 0)
		return pinned == -ENOENT ? WATCH_DETACHED : WATCH_GOES_ON;
	theirs = id_of(pinned);
	if (ours < 0 || theirs < 0)
		return WATCH_GOES_ON;
	if (ours != theirs)
		return WATCH_ATTACHED_ANEW;
	return program_runs(watch) ? WATCH_GOES_ON : WATCH_PROGRAM_GONE;
}

enum watch_end watch_check(struct watch *watch)
{
	enum watch_end state = state_of(watch);

	if (state != WATCH_PROGRAM_GONE)
		return state;
	return pins_are_locked() ? WATCH_GOES_ON : state_of(watch);
}

/* ---- ending ----------------------------------------------------------------- */

/*
 * First, no more events are wanted. After waiting for programs that still serve the place, all
 * events are in the ring or counted as lost. Then the place is freed.
 */
void watch_stop(struct watch *watch)
{
	end_renewer(watch);
	if (!watch->until || !move_until(watch, clock_ns(CLOCK_MONOTONIC) + LEASE_NS))
		return;
	place_of(watch, watch->place)->reasons = 0;
	(void)place_ring(watch);
	(void)bpf_map_delete_elem(watch->maps.fd[MAP_RINGS], &watch->place);
	(void)move_until(watch, 0);
}

void watch_close(struct watch *watch)
{
	if (!watch)
		return;
	watch_stop(watch);
	ring_buffer__free(watch->reader);
	if (watch->globals)
		munmap(watch->globals, sizeof(*watch->globals));
	if (watch->ring >= 0)
		close(watch->ring);
	if (watch->end >= 0)
		close(watch->end);
	maps_close(&watch->maps);
	free(watch->interface);
	free(watch);
}
