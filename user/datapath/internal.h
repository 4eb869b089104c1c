/* SPDX-License-Identifier: GPL-2.0-only */
/* Interfaces between the files of the datapath. No other room includes this file. */
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

/* The maps that exist as long as the filter is attached. */
enum map {
	MAP_GLOBALS, /* struct bkxdp_globals; the program that uses it is the filter */
	MAP_PEERS,
	MAP_SERVICES,
	MAP_CONTROLS,
	MAP_CONTROL_COUNTS,
	MAP_REASONS,
	MAP_FLOWS,
	MAP_NAMES,
	MAP_ATTACHMENT,
	MAP_RINGS,
	MAP_GROUPS,
	MAP_WATCH_STATE,
	MAP_CONTROL_PEERS, /* from here on: the host's memory of connections */
	MAP_CONTROL_OLDER,
	MAP_BOUND,
	MAP_CONTROL_TUPLES,
	MAP_MEMORY_WANTED,
	MAP_MEMORY_LOST,
	MAP_COUNT
};
struct maps {
	int fd[MAP_COUNT]; /* -1: not open */
};
struct map_name {
	const char *program; /* its name in the program */
	const char *pin;     /* its name in the interface's folder */
	bool scraped;        /* a scrape needs it */
};
extern const struct map_name map_names[MAP_COUNT];

/* ---- maps.c: contents of maps -------------------------------------------- */

/*
 * Maps the globals into memory; the caller calls munmap(). Returns MAP_FAILED with errno on
 * failure.
 */
struct bkxdp_globals *globals_open(const struct maps *maps, int protection);
/* Sets which slot is in force, and its settings. Returns 0 or a negative errno. */
int settings_in_force(const struct maps *maps, struct bkxdp_active *active,
		      struct bkxdp_settings *settings);
/* Sets the slot that is not in force and the next generation, for slot_publish(). */
int slot_next(const struct maps *maps, struct bkxdp_active *next);
/* Fills that slot and puts it in force. Returns 0 or a negative errno. */
int slot_publish(const struct maps *maps, const struct bkxdp_active *next,
		 const struct tables *tables);
/* Copies the policy that is in force in `from` to `to`, where it is then in force. */
int slot_copy(const struct maps *from, const struct maps *to);
/* Sets which slot is in force. */
int slot_active(const struct maps *maps, struct bkxdp_active *active);
/* Does the same by copying all globals: a map that is open only for reading can't be mapped. */
int slot_peek(const struct maps *maps, struct bkxdp_active *active);
int names_read(const struct maps *maps, struct counter_names *names);
int names_write(const struct maps *maps, const struct counter_names *names);
/*
 * Calls `take` for each entry of a hash map or an array. If entries are added or removed meanwhile,
 * some may be taken twice. Returns 0 or a negative errno: -EBADMSG if the keys or values have other
 * sizes.
 */
typedef void entries_take(void *into, const void *key, const void *value);
int entries_read(int fd, size_t key_size, size_t value_size, entries_take *take, void *into);

/* ---- controls.c: the table of control connections ------------------------ */

/*
 * Decides which table a policy with these settings gets, and sets what it needs to find connections
 * there. It is the table of the policy in force, or another one if it needs another size. Returns 0
 * or a negative errno.
 */
int controls_choose(const struct maps *maps, struct bkxdp_settings *settings);
bool controls_are_shared(const struct bkxdp_settings *current, const struct bkxdp_settings *next);
/*
 * Puts the control connections that the host has now into an empty table, and counts them. Returns
 * 0 or a negative errno.
 */
int controls_from_sockets(const struct maps *maps, int to, const struct tables *tables);
/* Copies what a table has to an empty one of the same size. Returns 0 or a negative errno. */
int controls_copy(int from, int to);
/* Calls `take` for each slot in use. Returns 0 or a negative errno. */
typedef void controls_take(void *into, const struct bkxdp_control_slot *slot);
int controls_read(const struct maps *maps, controls_take *take, void *into);
/* Reads how many are remembered, and how many segments found no room since the attach. */
int controls_count(const struct maps *maps, uint32_t table, struct reading *reading);

/* Stores bytes in a new map. Returns its file descriptor or a negative errno. */
int bytes_map_write(const char *name, const void *bytes, size_t size);
/* The caller frees *bytes. At least two zero bytes follow what was stored. */
int bytes_map_read(int fd, char **bytes);

/* ---- counters.c: the counters of an interface ---------------------------- */

/* Readers hold no lock. They try again this often if a reload came between. */
#define RELOAD_TRIES 20
/*
 * Called after the data of a slot was read. Returns 0 if the slot still has the policy of that
 * generation, or -EAGAIN if another one is being written there.
 */
int check_generation(const struct maps *maps, const struct bkxdp_active *active);
/* Sets sum[i] to the sum of counter index[i] over all CPUs. */
int counters_read(int fd, const uint16_t *index, size_t count, struct bkxdp_counter *sum);
/*
 * Reads what an interface has counted and all other fields of struct reading but `attached`, from
 * the pins that a scrape may read. The caller frees it. Returns 0 or a negative errno: -ENODATA if
 * no policy is in force yet, -EAGAIN if reloads came between each time.
 */
int read_counters(const char *pins, const struct maps *maps, struct reading *reading,
		  struct bkxdp_attachment *attachment);

/* ---- program.c: opening and loading the program -------------------------- */

enum program_purpose { PROGRAM_ATTACHED, PROGRAM_TEST_RUN };
struct program_plan {
	enum program_purpose purpose;
	bool frags;
	bool sockets;
	enum cache_use cache;
	const struct maps *reuse; /* maps that the program shares; fd -1: it gets its own */
};
/*
 * Opens the program and sets its constants, but does not load it. Returns NULL with errno on
 * failure.
 */
struct bkxdp_bpf *program_open(const struct program_plan *plan);
/* Does the same and loads it. */
struct bkxdp_bpf *program_load(const struct program_plan *plan);
/* Sets the program's maps. The file descriptors remain the program's. */
void program_maps(const struct bkxdp_bpf *program, struct maps *maps);
/*
 * Returns 1 if the kernel supports XDP programs for frames in several buffers (5.18), 0 or a
 * negative errno.
 */
int program_frags_supported(void);
/* Returns true if programs may look up sockets (bpf_skc_lookup_tcp; needs CONFIG_INET). */
bool program_sockets_supported(void);

/* ---- libbpf_log.c: messages of libbpf, libxdp and the verifier ----------- */

/*
 * Collects the messages of libbpf and libxdp instead of printing them, and discards earlier ones.
 */
void libraries_capture_log(void);
/* Returns the kernel's message about the last failure, or "". */
const char *libraries_kernel_message(void);
/* Reports why a load failed, and what to do. */
void report_load_failure(struct diagnostics *diag, const char *doing, int error);
/* Returns the buffer for the verifier's log. */
char *libraries_verifier_buffer(size_t *size);

/* ---- pins.c: pins, one folder per interface ------------------------------ */

/*
 * Returns 0, or -1 with diagnostics if no BPF file system is mounted there or its folders are not
 * safe.
 */
int pins_check(struct diagnostics *diag);
const char *pins_bpffs(void);
/*
 * Takes the lock that whoever changes a filter must hold. Returns a file descriptor, or a negative
 * errno with diagnostics: -EBUSY if another process holds it too long, -EOWNERDEAD if the folder is
 * not safe. -EINTR is without diagnostics: a signal was caught.
 */
int pins_take_lock(struct diagnostics *diag);
/* Returns true if a process holds the lock now. Nothing is made, and nobody is kept waiting. */
bool pins_are_locked(void);
/* Returns 1, 0, or a negative errno if it can't be told. */
int pins_exist(const char *interface);
/* Sets the sorted names of interfaces with pins. The caller frees each and the array. */
int pins_interfaces(char ***interfaces, size_t *count);
int pins_path(char path[static PIN_PATH_MAX], const char *interface, const char *name);
int pins_create(const char *interface, const struct maps *maps);
int pins_remove(const char *interface);
/* Removes what is in a folder, except one name. */
int pins_clear(const char *path, const char *kept);
/* Renames the folder of an interface's pins. */
int pins_rename(const char *from, const char *to);
/* Gives the pins of a filter that may run elsewhere an unused name, which is written to `aside`. */
int pins_set_aside(const char *interface, char aside[static IF_NAMESIZE]);
/*
 * Called before the lock is released: removes its folder, and the common one if no interface has
 * pins.
 */
void pins_remove_empty_folders(void);
/* Opens all pins with flags BPF_F_RDONLY or 0. On failure all fds are -1. */
int pins_open(const char *interface, struct maps *maps, uint32_t flags);
void maps_close(struct maps *maps);
/*
 * Reads what the attachments of all versions have in common, and leaves the rest zero. Returns 0,
 * -EPROTO if the pin is something else, or another negative errno.
 */
int pins_read_attachment(const char *interface, struct bkxdp_attachment *attachment);
/* Opens the pin of MAP_GLOBALS, by which the filter of any version is recognised. */
int pins_open_globals(const char *interface);
/* What is pinned for each slot besides its maps. Each policy has maps of its own for it. */
enum slot_pin {
	SLOT_PIN_POLICY, /* the policy as JSON; only root may read it */
	SLOT_PIN_FILES,  /* the paths of the policy's files, for scrapes */
};
int pins_replace_slot_pin(const char *interface, enum slot_pin what, uint32_t slot, int fd);
/* Returns a read-only file descriptor or a negative errno. */
int pins_open_slot_pin(const char *interface, enum slot_pin what, uint32_t slot);
/* Opens the pins that a scrape needs, read-only. On failure all fds are -1. */
int pins_open_for_scrape(const char *interface, struct maps *maps);
/* Gives the readers' group access to what a scrape needs. Errors are ignored. */
void pins_share(const char *interface);
/* Returns true in a process that called datapath_keep_pins_open(). */
bool pins_are_kept_open(void);
/* Returns true if another process is changing pins now. */
bool pins_are_changing(void);

/* The link of the memory's program, which an interface holds as long as its policy needs it. */
int pins_open_link(const char *interface);
int pins_replace_link(const char *interface, int fd);
void pins_remove_link(const char *interface);

/* ---- control_memory.c: the host's memory of connections ------------------- */

/*
 * Opens the maps of the memory that other filters of this host use, for the program's plan. All
 * others, or all if there is no memory yet, are -1. Returns 0 or a negative errno.
 */
int memory_find(struct maps *maps);
/* The memory's maps among those of an interface, which keeps them; all others are -1. */
void memory_of(const struct maps *pinned, struct maps *memory);
/*
 * Sets the devices whose sockets take packets of the interface, and whether these are all of them.
 * Returns 0 or a negative errno.
 */
int memory_read_devices(int ifindex, struct bkxdp_devices *devices, bool *all);
/*
 * Makes sure that the memory knows all connections that these tables need. Called before they are
 * in force. Returns 0 or a negative errno: -EXDEV in a container with a cgroup namespace of its
 * own, in which the kernel does not tell of the host's sockets.
 */
int memory_follow(const char *pins, const struct maps *maps, const struct tables *tables,
		  size_t *n_hidden);
/*
 * Does the same for maps that nobody else uses. Returns a file descriptor, until whose close the
 * kernel tells of connections, or a negative errno.
 */
int memory_follow_unpinned(const struct maps *maps, const struct tables *tables);

/* Returns 1 if the kernel tells of connections for this interface, 0 or a negative errno. */
int memory_is_told(const char *pins, const struct maps *maps);

/* ---- read.c: reading the state of a filter ------------------------------- */

/* Opens the maps of a filtered interface. Returns 0, or -1 with diagnostics. */
int open_filtered(const char *interface, struct maps *maps, struct diagnostics *diag);
/*
 * Returns the policy in force as it was loaded, and its generation. Returns NULL with errno on
 * failure.
 */
struct policy *policy_in(const char *interface, const struct maps *maps, uint32_t *generation);
int read_attachment(const struct maps *maps, struct bkxdp_attachment *attachment);
/* Reports that the pins of a filter that continues to run can't be read. */
void report_unreadable(const char *interface, int error, struct diagnostics *diag);
/* Reports why the pins of an interface can't be read, and what to do. */
void report_unreadable_pins(const char *interface, int error, struct diagnostics *diag);

/* ---- xdp.c: attaching with libxdp ---------------------------------------- */

struct found {
	uint32_t program; /* id of the filter's program; 0: not attached */
	uint32_t root;    /* id of the program that the device runs; 0: none */
	bool generic;
	bool alone;    /* runs without a dispatcher */
	char **others; /* names of the other programs */
	size_t n_others;
};
/*
 * Finds what runs on the interface, and whether one of the programs uses this map. Returns 0 or a
 * negative errno: -ENODEV if the interface is not in this namespace, which does not mean that its
 * program is gone.
 */
int xdp_find(int ifindex, int globals_fd, struct found *found);
void found_free(struct found *found);
/*
 * Returns false if `root` is a dispatcher without its pins: then the programs that it called are
 * detached or can't be found. This is seen only with the privilege to look at programs; without it
 * the result is true.
 */
bool xdp_is_whole(int ifindex, uint32_t root);
/* Returns true if a filter runs, or may run, whose pins were not found. */
bool found_unpinned(const struct found *found);
/*
 * Looks for a loaded program, in any namespace, that uses this map. Returns 0 if there is none, 1
 * if an interface runs it directly, PROGRAM_IS_CALLED if a dispatcher calls it, or a negative
 * errno.
 */
#define PROGRAM_IS_CALLED 2
int xdp_runs_somewhere(int globals_fd);
/* The pins of libxdp keep a dispatcher's programs loaded, even after its interface disappeared. */
struct dispatcher {
	int ifindex;
	uint32_t program; /* its id */
	char path[PIN_PATH_MAX];
};
/*
 * Finds the dispatcher that calls the program that uses this map. Returns 1, 0 if there is none, or
 * a negative errno.
 */
int xdp_dispatcher_of(int globals_fd, struct dispatcher *dispatcher);
/*
 * Removes the pins of that dispatcher, which must not run anywhere. Returns 0 or a negative errno.
 */
int xdp_remove_dispatcher_pins(int globals_fd);
/* Attaches a program that is open but not loaded, with the dispatcher if possible. */
int xdp_attach_with_dispatcher(int ifindex, struct bkxdp_bpf *program, bool frags, bool generic);
/* Attaches a loaded program without the dispatcher, so that no other program can be added. */
int xdp_attach_alone(int ifindex, int program, bool generic);
/* Returns 0 if the program is detached, even if the kernel returned an error. */
int xdp_detach(int ifindex, int globals_fd, const struct found *found);

/* ---- target.c: which filter a command is about --------------------------- */

enum target_state {
	TARGET_FREE,      /* there are no pins of that name, and no filter runs */
	TARGET_RUNS,      /* its filter runs on the interface */
	TARGET_RENAMED,   /* there are pins, whose filter runs on another interface */
	TARGET_ELSEWHERE, /* the same, in another network namespace */
	TARGET_STALE,     /* there are pins, whose filter runs nowhere */
	TARGET_UNKNOWN,   /* there are pins, but whether their filter runs is not known */
};

/* A filter is found by what runs on an interface, and by its name only if nothing runs there. */
struct target {
	const char *interface;    /* as the caller gave it */
	int ifindex;              /* of the interface with that name; 0: there is none */
	char pins[IF_NAMESIZE];   /* whose pins: the name of the interface when it was attached */
	char device[IF_NAMESIZE]; /* present name of the interface on which it runs, or "" */
	int device_index;
	enum target_state state;
	int error; /* for TARGET_UNKNOWN: why, as a negative errno */
	struct found found;
	struct bkxdp_attachment attachment; /* of the pins; zeros if it can't be read */
	int lock;
};

/*
 * Finds the interface on which the filter with these pins runs. Returns 1, 0 if there is none in
 * this namespace, or a negative errno.
 */
int locate(const char *pins, int globals_fd, const struct bkxdp_attachment *attachment,
	   struct target *target);
/*
 * Returns true with a diagnostic if the interface runs a filter whose pins are missing, or if this
 * can't be told. Then no command may say that it is not filtered.
 */
bool report_unpinned(const char *device, int ifindex, struct diagnostics *diag);
/*
 * Returns 1 if a filter that runs on no interface here runs in another namespace, 0, or a negative
 * errno.
 */
int runs_elsewhere(int globals_fd);

/* ---- detach.c: removing a filter ----------------------------------------- */

/* Removes pins whose program runs nowhere. Returns 0, or -1 with diagnostics. */
int remove_stale_pins(const struct target *target, struct diagnostics *diag);

#endif
