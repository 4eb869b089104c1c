/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the files of the datapath; nobody else includes it. */
#ifndef DATAPATH_INTERNAL_H
#define DATAPATH_INTERNAL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include <bkxdp/layout.h> /* types of the skeleton */

#include "bkxdp.skel.h"

#include "datapath/datapath.h"
#include "policy/compile.h"
#include "policy/counters.h"
#include "policy/policy_json.h"
#include "stats/reading.h"

#define PIN_PATH_MAX 512

/* The maps that live as long as the filter is attached. */
enum map {
	MAP_GLOBALS, /* struct bkxdp_globals; a program that uses it is ours */
	MAP_PEERS,
	MAP_SERVICES,
	MAP_CONTROLS,
	MAP_REASONS,
	MAP_FLOWS,
	MAP_NAMES,
	MAP_ATTACHMENT,
	MAP_RINGS,
	MAP_GROUPS,
	MAP_WATCH_STATE,
	MAP_COUNT
};
struct maps {
	int fd[MAP_COUNT]; /* -1: not open */
};
struct map_name {
	const char *program; /* in the program */
	const char *pin;     /* in the interface's folder */
	bool scraped;        /* a scrape needs it */
};
extern const struct map_name map_names[MAP_COUNT];

/* ---- maps.c: contents of maps ------------------------------------- */

/* What every packet asks, as memory for munmap(); MAP_FAILED with errno. */
struct bkxdp_globals *words_open(const struct maps *maps, int protection);
/* The slot that is not in force, and the next generation, for slot_publish(). */
int slot_next(const struct maps *maps, struct bkxdp_active *next);
/* Fills that slot and makes it the one in force. 0 or negative errno. */
int slot_publish(const struct maps *maps, const struct bkxdp_active *next,
		 const struct tables *tables);
/* Puts the policy that is in force in `from` in force in `to`, as it is now. */
int slot_copy(const struct maps *from, const struct maps *to);
/* Which slot is in force. */
int slot_active(const struct maps *maps, struct bkxdp_active *active);
/* The same by copying all globals: the kernel maps nothing that is open for reading only. */
int slot_peek(const struct maps *maps, struct bkxdp_active *active);
int names_read(const struct maps *maps, struct counter_names *names);
int names_write(const struct maps *maps, const struct counter_names *names);
/*
 * Calls `take` for each entry of a hash. While entries come and go, some may come twice.
 * 0 or negative errno: -EBADMSG if the map's keys or values have other sizes.
 */
typedef void hash_take(void *into, const void *key, const void *value);
int hash_read(int fd, size_t key_size, size_t value_size, hash_take *take, void *into);

/* Bytes of any number in a map of its own: a new map, or negative errno. */
int bytes_map_write(const char *name, const void *bytes, size_t size);
/* The caller frees *bytes. Behind what was written are zeros, at least two. */
int bytes_map_read(int fd, char **bytes);

/* ---- counters.c: an interface's counters ------------------------------------ */

/* How often readers, who hold no lock, begin again if a reload came between. */
#define RELOAD_TRIES 20
/*
 * For readers, after they have read what belongs to a slot that was in force: 0 if the slot
 * still has the policy of that generation, -EAGAIN if another one is being written there.
 */
int check_generation(const struct maps *maps, const struct bkxdp_active *active);
/* Counter index[i] to sum[i], which is that of all CPUs. */
int counters_read(int fd, const uint16_t *index, size_t count, struct bkxdp_counter *sum);
/*
 * Reads what an interface has counted, and all else of struct reading but `attached`, by the
 * pins that a scrape may read. The caller frees it. 0 or negative errno: -ENODATA if no policy
 * is in force yet, -EAGAIN if one reload followed another all the time.
 */
int read_counters(const char *pins, const struct maps *maps, struct reading *reading,
		  struct bkxdp_attachment *attachment);

/* ---- program.c: the program --------------------------------------- */

enum program_purpose { PROGRAM_ATTACHED, PROGRAM_TEST_RUN };
struct program_plan {
	enum program_purpose purpose;
	bool frags;
	bool sockets;
	enum cache_use cache;
	const struct maps *reuse; /* maps that the program shares; fd -1: its own */
};
/* Opened, with its switches set, not loaded. NULL with errno. */
struct bkxdp_bpf *program_open(const struct program_plan *plan);
/* The same, loaded. */
struct bkxdp_bpf *program_load(const struct program_plan *plan);
/* The file descriptors stay the program's. */
void program_maps(const struct bkxdp_bpf *program, struct maps *maps);
/* Does the kernel take programs for frames of several buffers (5.18)? 1, 0 or negative errno. */
int program_frags_supported(void);
/* May programs ask the socket table (bpf_skc_lookup_tcp; needs CONFIG_INET)? */
bool program_sockets_supported(void);

/* ---- libbpf_log.c: what the libraries say --------------------------------- */

/* Collects what libbpf and libxdp say, in place of printing it. */
void libraries_listen(void);
/* The kernel's own sentence from the last failure, or "". */
const char *libraries_kernel_words(void);
/* Why a load failed, as a sentence with what to do. */
void report_load_failure(struct diagnostics *diag, const char *doing, int error);
/* Where the verifier is to write, for the sentences above. */
char *libraries_verifier_log(size_t *size);

/* ---- pins.c: pins, one folder an interface ------------------------ */

/* 0, or -1 with complaints where no BPF file system is mounted there. */
int pins_check(struct diagnostics *diag);
const char *pins_bpffs(void);
/*
 * Held by whoever changes an interface's filter: a file descriptor, -EBUSY where
 * another holds it too long, -EOWNERDEAD where the folder is not safe, or negative errno.
 */
int pins_lock(void);
/* The same; what went wrong is explained. */
int pins_take_lock(struct diagnostics *diag);
/* 1, 0, or negative errno where that can't be told. */
int pins_exist(const char *interface);
/* Sorted; the caller frees each and the array. */
int pins_interfaces(char ***interfaces, size_t *count);
int pins_path(char path[static PIN_PATH_MAX], const char *interface, const char *name);
int pins_create(const char *interface, const struct maps *maps);
int pins_remove(const char *interface);
/* Removes what is in a folder but for one name. */
int pins_clear(const char *path, const char *kept);
/* An interface that has another name now takes its pins along. */
int pins_rename(const char *from, const char *to);
/* Of a filter that may run elsewhere: a name that no pins have yet, which `aside` then holds. */
int pins_set_aside(const char *interface, char aside[static IF_NAMESIZE]);
/* Before the lock is freed: removes its folder, and the common one if no interface has pins. */
void pins_tidy(void);
/* All fds -1 on failure; flags: BPF_F_RDONLY or 0. */
int pins_open(const char *interface, struct maps *maps, uint32_t flags);
void maps_close(struct maps *maps);
/* The one map by which a program is known as ours, whatever its version. */
int pins_active(const char *interface);
/* What lies beside each slot, a map of its own for every policy. */
enum beside {
	BESIDE_POLICY, /* as JSON, root's own */
	BESIDE_FILES,  /* the paths of those that it was read from; a scrape needs them */
};
int pins_replace_beside(const char *interface, enum beside what, uint32_t slot, int fd);
/* Read-only: a file descriptor, or negative errno. */
int pins_open_beside(const char *interface, enum beside what, uint32_t slot);
/* The pins that a scrape needs, read-only; all fds -1 on failure. */
int pins_open_for_scrape(const char *interface, struct maps *maps);
/* Lets the group of readers at what a scrape needs; best effort. */
void pins_share(const char *interface);
/* Is this a process that gave its privileges up and reads by what it holds? */
bool pins_are_held(void);
/* Does another process change pins just now? */
bool pins_are_changing(void);

/* ---- read.c: reading back ------------------------------------------ */

/* Opens the maps of a filtered interface. 0, or -1 with complaints: not filtered, not permitted ...
 */
int open_filtered(const char *interface, struct maps *maps, struct diagnostics *diag);
/* The policy in force, as it was when it was loaded, and its generation. NULL with errno. */
struct policy *policy_in(const char *interface, const struct maps *maps, uint32_t *generation);
int read_attachment(const struct maps *maps, struct bkxdp_attachment *attachment);
/* The same for a filter that runs, and goes on. */
void report_unreadable(const char *interface, int error, struct diagnostics *diag);
/* Why the pins of an interface can't be read, and what to do. */
void report_unreadable_pins(const char *interface, int error, struct diagnostics *diag);

/* ---- xdp.c: attaching, by libxdp ---------------------------------- */

struct found {
	uint32_t program; /* id of ours; 0: not attached */
	uint32_t root;    /* id of the program that the device runs; 0: none */
	bool generic;
	bool alone;    /* no dispatcher in front */
	char **others; /* names of the programs that are not ours */
	size_t n_others;
};
/*
 * What runs on the interface, and whether it is the program that uses this map.
 * -ENODEV: it is not here, which says nothing of its program: it may have moved.
 */
int xdp_find(int ifindex, int active_fd, struct found *found);
void found_free(struct found *found);
/*
 * False where the program that an interface runs is a dispatcher without its pins: what it
 * called is off, or can't be found. To see that takes the privilege to look at programs.
 */
bool xdp_is_whole(int ifindex, uint32_t root);
/* Does a filter run, or may one, that is not known by its pins? */
bool found_unpinned(const struct found *found);
/*
 * Does any program that is loaded, in whatever namespace, use this map? 0, negative errno,
 * or 1: one that an interface runs itself, PROGRAM_IS_CALLED: one that a dispatcher calls.
 */
#define PROGRAM_IS_CALLED 2
int xdp_runs_somewhere(int active_fd);
/* libxdp's pins keep the programs of a dispatcher loaded, also where the interface is gone. */
struct dispatcher {
	int ifindex;
	uint32_t program; /* id */
	char path[PIN_PATH_MAX];
};
/* The one that calls the program that uses this map. 1, 0: there is none, or negative errno. */
int xdp_dispatcher_of(int active_fd, struct dispatcher *dispatcher);
/* Removes the pins of that one, which must run nowhere. 0 or negative errno. */
int xdp_forget(int active_fd);
/* A program that is open and not loaded, by the dispatcher where there is one. */
int xdp_attach_beside(int ifindex, struct bkxdp_bpf *program, bool frags, bool generic);
/* A program that is loaded, without the dispatcher, so that no other can join. */
int xdp_attach_alone(int ifindex, int program, bool generic);
/* 0: it is off, whatever the kernel's answer was. */
int xdp_detach(int ifindex, int active_fd, const struct found *found);

/* ---- target.c: which filter is meant -------------------------------- */

enum target_state {
	TARGET_FREE,      /* no pins, nothing of ours runs */
	TARGET_RUNS,      /* its filter runs on the interface */
	TARGET_RENAMED,   /* there are pins of that name; their filter runs on another interface */
	TARGET_ELSEWHERE, /* the same, in another network namespace */
	TARGET_LEFT,      /* there are pins of that name, and their filter runs nowhere */
	TARGET_DOUBTFUL,  /* the same, and whether their filter runs can't be told */
};

/* Known by what runs on an interface, and by name only where nothing does. */
struct target {
	const char *interface;    /* as it was asked for */
	int ifindex;              /* of the interface of that name; 0: there is none */
	char pins[IF_NAMESIZE];   /* whose pins: what the interface was called at the attach */
	char device[IF_NAMESIZE]; /* where it runs, by its name of now; "" */
	int device_index;
	enum target_state state;
	int doubt; /* why that can't be told: negative errno */
	struct found found;
	struct bkxdp_attachment attachment; /* of the pins; zeros where it can't be read */
	int lock;
};

/* Where a filter runs that is known by its pins. 1, 0: nowhere here, or negative errno. */
int locate(const char *pins, int words, const struct bkxdp_attachment *attachment,
	   struct target *target);
/*
 * True with a complaint where the interface runs a filter whose pins are not there, or where
 * that can't be told: nobody may call it not filtered.
 */
bool report_unpinned(const char *device, int ifindex, struct diagnostics *diag);
/* Does a filter that runs on no interface here run in another namespace? The same. */
int runs_elsewhere(int words);

/* ---- detach.c -------------------------------------------------------- */

/* Removes pins whose program runs nowhere. 0, or -1 with complaints. */
int clear_left(const struct target *target, struct diagnostics *diag);

#endif
