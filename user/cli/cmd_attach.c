// SPDX-License-Identifier: GPL-2.0-only
/* attach, reload, detach: which policy, whether it is safe, and what was done, in words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/colour.h"
#include "base/exit.h"
#include "base/memory.h"
#include "base/options.h"
#include "base/printable.h"
#include "cli/cmd.h"
#include "config/site.h"
#include "datapath/datapath.h"
#include "engine/guard.h"
#include "net/netdev.h"

struct request {
	const char *interface;
	const char *config;
	struct values dirs, use, address, port, enable;
	bool force;
	bool no_cache;
	bool no_resolve;
	bool reload;
	struct target *target;
	struct policy
		*running; /* the policy put in force last, or NULL; owns paths of the request */
};

/* ---- which policy ----------------------------------------------------------- */

static bool has_options(const struct request *request)
{
	return request->use.count || request->address.count || request->port.count ||
	       request->enable.count;
}

static struct policy *policy_of_options(const struct request *request,
					const struct site_lookup *lookup, struct diagnostics *diag)
{
	struct site_options options = {
		request->use.value,     request->use.count,    request->address.value,
		request->address.count, request->port.value,   request->port.count,
		request->enable.value,  request->enable.count,
	};

	return site_from_options(request->interface, &options, lookup, diag);
}

static struct policy *policy_of_file(const struct request *request, const char *path,
				     const struct site_lookup *lookup, struct diagnostics *diag)
{
	struct policy *policy = site_read(path, lookup, diag);

	/* the interface may have been renamed since; its file has the former name */
	if (!policy || !*policy->interface || !strcmp(policy->interface, request->interface) ||
	    (request->reload && !strcmp(policy->interface, datapath_former_name(request->target))))
		return policy;
	diag_at(diag, &(struct place){.file = path},
		"this file is for interface \"%s\", not for \"%s\": write one with \"interface: "
		"%s\" as " BKXDP_CONFIG_DIR "/%s.yaml, and \"bkxdp attach %s\" reads it",
		policy->interface, request->interface, request->interface, request->interface,
		request->interface);
	policy_free(policy);
	return NULL;
}

/*
 * The policy comes from --config, else from the options, else from the interface's own file,
 * else from observation.
 */
static struct policy *choose_policy(const struct request *request, const char *own,
				    struct diagnostics *diag)
{
	struct site_lookup lookup = {request->dirs.value, request->dirs.count,
				     !request->no_resolve};

	if (request->config) {
		/* an absolute path, so that a reload from another folder finds it */
		AUTO_FREE char *whole = realpath(request->config, NULL);

		return policy_of_file(request, whole ? whole : request->config, &lookup, diag);
	}
	if (has_options(request))
		return policy_of_options(request, &lookup, diag);
	if (!access(own, F_OK) || errno != ENOENT)
		return policy_of_file(request, own, &lookup, diag);
	return site_observe(request->interface, &lookup, diag);
}

/* If nothing else is named, a reload reads what the running policy was read from. */
static int follow_running(struct request *request, const struct policy *running,
			  struct diagnostics *diag)
{
	if (!request->dirs.count)
		for (size_t i = 0; i < running->n_dirs; i++)
			*APPEND(request->dirs.value, request->dirs.count) = running->dirs[i];
	if (request->config || has_options(request) || running->observes)
		return 0;
	if (running->file) {
		request->config = running->file;
		return 0;
	}
	diag_at(diag, NULL,
		"%s was attached by options, so there is no file to read again; give the options "
		"again, or --config FILE",
		request->interface);
	return -1;
}

/* Absolute paths, so that a reload from another folder finds them. */
static void remember_dirs(struct policy *policy, const struct request *request)
{
	for (size_t i = 0; i < request->dirs.count; i++) {
		char *whole = realpath(request->dirs.value[i], NULL);

		*APPEND(policy->dirs, policy->n_dirs) =
			whole ? whole : must_copy(request->dirs.value[i]);
	}
}

/* If the interface has no file of its own, attach keeps the policy that is in force. */
static bool follows(const struct request *request, const char *own)
{
	return request->running && (request->reload || access(own, F_OK));
}

/* Nothing was named that could be read, and a filter runs: it stays. */
static bool keeps(const struct request *request, const char *own)
{
	const struct policy *running = request->running;

	if (request->reload || request->config || has_options(request))
		return false;
	return follows(request, own) && datapath_runs(request->target) &&
	       (!request->dirs.count || !(running->file || running->observes));
}

static struct policy *make_policy(struct request *request, const char *own,
				  struct diagnostics *diag)
{
	struct policy *policy = NULL;

	if (!follows(request, own) || !follow_running(request, request->running, diag))
		policy = choose_policy(request, own, diag);
	if (policy)
		remember_dirs(policy, request);
	return policy;
}

/* ---- what was done ------------------------------------------------------------ */

static void warn(const char *interface, const char *text)
{
	AUTO_FREE char *name = printable(interface), *shown = printable(text);

	fprintf(stderr, "%sbkxdp: warning: %s:%s %s\n", term_colour(stderr, YELLOW), name,
		term_colour(stderr, PLAIN), shown);
}

static void report_warnings(const struct request *request, const struct policy *policy,
			    const struct attach_report *report)
{
	if (report->generic && !report->replaced) {
		AUTO_FREE char *text =
			must_format("attached in generic mode%s%s: packets are dropped only after "
				    "the kernel has "
				    "spent memory on them, and GRO and LRO are off on this "
				    "interface, which costs "
				    "bulk transfers much speed",
				    *report->generic_why ? ", because the driver refused: " : "",
				    report->generic_why);

		warn(request->interface, text);
	}
	if (report->mode_kept)
		warn(request->interface,
		     "the mode changes only by detach and attach; it stays as it was");
	if (report->replaced && request->no_cache)
		warn(request->interface,
		     "--no-cache has an effect only where nothing is attached yet");
	if (report->by_flags)
		warn(request->interface, "this kernel does not let the filter ask the socket table "
					 "(bpf_skc_lookup_tcp is "
					 "missing), so answers are judged by their TCP flags, as "
					 "under \"connections: flags\"");
	if (report->n_hidden)
		warn(request->interface, "some control connections are older than the filter and "
					 "can't be found, for they "
					 "are of sockets bound to a device above the interface (a "
					 "VLAN, bridge, bond or "
					 "VRF), or more than 120 of one peer; data that needs them "
					 "is dropped until they "
					 "are opened anew");
	if (report->too_many_above)
		warn(request->interface,
		     "there are more than 15 devices above the interface; "
		     "sockets bound to the others are not found, so answers to "
		     "them, and data behind their control connections, are dropped");
	if (report->bound_unseen)
		warn(request->interface,
		     "answers to sockets bound to a device above the interface (a VLAN, bridge, "
		     "bond or VRF) are dropped, because the kernel does not tell of them");
	if (report->rxvlan_off)
		warn(request->interface, "the NIC's VLAN tag stripping (rxvlan) is now off, so "
					 "that the filter sees the tags; "
					 "detach turns it on again");
	if (report->rxvlan_off && netdev_is_veth(request->interface))
		warn(request->interface,
		     "the other end of a veth pair may still send tags beside the "
		     "frame, where no filter sees them: turn its txvlan off, too "
		     "(ethtool -K PEER txvlan off)");
	for (size_t i = 0; i < policy->n_notes; i++)
		warn(request->interface, policy->notes[i]);
}

static void say_observing(const char *interface)
{
	AUTO_FREE char *name = printable(interface);

	printf("%s is only observed: nothing is dropped. \"bkxdp status %s\" shows which vendors' "
	       "traffic is seen,\nand with --would-drop what else comes, as lines for the file. "
	       "Then write " BKXDP_CONFIG_DIR "/%s.yaml\nand run \"bkxdp reload %s\".\n",
	       name, name, name, name);
}

static const char *mode_of(const struct policy *policy)
{
	if (policy->settings.enforcement == BKXDP_AUDIT)
		return "audit: counts what would be dropped, drops nothing";
	return "enforce";
}

static void say_done(const struct request *request, const struct policy *policy,
		     const struct attach_report *report)
{
	AUTO_FREE char *name = printable(request->interface);

	printf("%s%s%s: %s in %s mode%s; policy %016llx: flows %zu, address prefixes %zu (%s)\n",
	       term_colour(stdout, BOLD), name, term_colour(stdout, PLAIN),
	       report->replaced ? "policy replaced" : "attached",
	       report->generic ? "generic" : "driver",
	       report->alone ? ", no other XDP program can join" : "",
	       (unsigned long long)policy->digest, policy->n_flows, report->prefixes,
	       mode_of(policy));
	if (policy->observes)
		say_observing(request->interface);
}

static int end_with(struct diagnostics *diag, int status)
{
	diag_print(diag);
	diag_free(diag);
	return status;
}

/* Says how another policy could be put in force, if none was named. */
static char *next_policy(const struct request *request)
{
	const struct policy *running = request->running;

	if (running->file && access(running->file, F_OK))
		return must_format("%s, from which it was read, is not there: %s", running->file,
				   strerror(errno));
	if (!running->file && !running->observes)
		return must_copy(
			"it was made from options; other options or --config FILE replace it");
	return must_format("\"bkxdp reload %s\" reads %s again", request->interface,
			   running->file ? running->file : "the profiles");
}

static void say_kept(const struct request *request)
{
	const struct policy *running = request->running;
	AUTO_FREE char *next = next_policy(request), *text = NULL, *shown = NULL;

	text = must_format("keeps the policy that is in force, %016llx (%s); %s",
			   (unsigned long long)running->digest, mode_of(running), next);
	shown = printable(text);
	printf("%s%s%s: %s\n", term_colour(stdout, BOLD), request->interface,
	       term_colour(stdout, PLAIN), shown);
}

static int put_policy_in_force(struct request *request, const char *own,
			       struct attach_report *report, struct policy **made,
			       struct diagnostics *diag)
{
	struct policy *policy = *made = make_policy(request, own, diag);
	struct diagnostics doubts = {};
	int error = policy ? 0 : -1;

	if (policy && !request->force)
		error = guard_check(datapath_device(request->target), policy, &doubts, diag);
	if (!error)
		error = datapath_attach(request->target, policy,
					request->no_cache ? CACHE_OFF : CACHE_ON, report, diag);
	for (size_t i = 0; !error && i < doubts.count; i++)
		warn(request->interface, doubts.text[i]);
	diag_free(&doubts);
	return error;
}

/* An interface that came back is filtered by its file, even if the former policy can't be read. */
static int recall_running(struct request *request, const char *own, struct diagnostics *diag)
{
	struct diagnostics ignored = {};
	bool needed = request->reload || datapath_runs(request->target) ||
		      !(request->config || has_options(request) || !access(own, F_OK));
	int error = datapath_policy(request->target, &request->running, needed ? diag : &ignored);

	diag_free(&ignored);
	return needed ? error : 0;
}

static int change(struct request *request, struct diagnostics *diag)
{
	AUTO_FREE char *own = site_path(request->interface);
	struct policy *policy = NULL;
	struct attach_report report;
	int error;

	if ((request->reload && datapath_check_filtered(request->target, diag)) ||
	    datapath_check(request->target, diag) || recall_running(request, own, diag))
		return -1;
	if (keeps(request, own)) {
		say_kept(request);
		return 0;
	}
	error = put_policy_in_force(request, own, &report, &policy, diag);
	if (!error) {
		report_warnings(request, policy, &report);
		say_done(request, policy, &report);
	}
	policy_free(policy);
	return error;
}

static int put_in_force(struct request *request)
{
	struct diagnostics diag = {};
	bool stays = false;
	int error = -1;

	request->target = datapath_open(request->interface, &diag);
	if (request->target) {
		error = change(request, &diag);
		stays = error && request->running && datapath_runs(request->target);
		datapath_close(request->target);
	}
	(void)end_with(&diag, error);
	if (stays)
		return fail("%s: policy %016llx stays in force", request->interface,
			    (unsigned long long)request->running->digest);
	return error ? EXIT_FAILED : EXIT_DONE;
}

/* ---- the verbs ------------------------------------------------------------------ */

static void release(struct request *request)
{
	free(request->dirs.value);
	free(request->use.value);
	free(request->address.value);
	free(request->port.value);
	free(request->enable.value);
	policy_free(request->running);
}

static int attach_or_reload(int argc, char **argv, const char *verb, const char *about)
{
	struct request r = {.reload = !strcmp(verb, "reload")};
	const struct option_row rows[] = {
		{"config", "FILE", "interface file, instead of " BKXDP_CONFIG_DIR "/IFACE.yaml",
		 .value = &r.config},
		{"use", "PROFILE:ROLE", "without a file: a profile and this host's role in it",
		 .values = &r.use},
		{"address", "ROLE=ADDRESS,...", "addresses of the other hosts in a role",
		 .values = &r.address},
		{"port", "NAME=PORTS", "ports that differ from the profile's", .values = &r.port},
		{"enable", "FLOW", "turn on an optional flow", .values = &r.enable},
		{"profiles", "DIR", "look for profiles here first", .values = &r.dirs},
		{"force", NULL, "even if it cuts your SSH connection or a default route",
		 .set = &r.force},
		{"no-resolve", NULL, "leave host names out for now (boot, before DNS is there)",
		 .set = &r.no_resolve},
		{"no-cache", NULL, "attach without the accelerators; no verdict differs",
		 .set = &r.no_cache},
	};
	const struct usage usage = {
		verb, "IFACE [OPTION...]", about, rows, sizeof(rows) / sizeof(*rows), 1, 1};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status < 0) {
		r.interface = operands[0];
		if (r.config && has_options(&r))
			status = misuse(verb,
					"--config and the options of a policy exclude each other");
		else
			status = put_in_force(&r);
	}
	release(&r);
	return status;
}

int cmd_attach(int argc, char **argv)
{
	return attach_or_reload(
		argc, argv, "attach",
		"Compiles " BKXDP_CONFIG_DIR
		"/IFACE.yaml, loads it and attaches the filter. If the interface is\n"
		"already filtered, its policy is replaced atomically. Without a file and options "
		"it\n"
		"keeps the policy that it has, or else observes: it counts every known vendor's\n"
		"traffic and drops nothing.\n\n"
		"  bkxdp attach eth1\n"
		"  bkxdp attach eth1 --use backup-exec:remote-agent --address "
		"media-server=10.20.30.5\n");
}

int cmd_reload(int argc, char **argv)
{
	return attach_or_reload(
		argc, argv, "reload",
		"Reads the interface file and the profiles again, resolves names, and replaces "
		"the\n"
		"policy atomically: no packet is judged by half a policy, none passes unjudged, "
		"and\n"
		"counters go on. If anything is wrong with the files, the old policy stays.\n");
}

static int detach(const char *interface)
{
	struct diagnostics diag = {};
	struct target *target = datapath_open(interface, &diag);
	AUTO_FREE char *name = printable(interface);
	int error = -1;

	if (target) {
		error = datapath_detach(target, &diag);
		datapath_close(target);
	}
	if (error)
		return end_with(&diag, EXIT_FAILED);
	printf("%s: detached\n", name);
	return EXIT_DONE;
}

int cmd_detach(int argc, char **argv)
{
	const struct usage usage = {
		.verb = "detach",
		.synopsis = "IFACE",
		.about = "Removes the filter and all its maps; nothing stays behind.\n",
		.least = 1,
		.most = 1};
	char **operands;
	int count, status = arguments_read(&usage, argc, argv, &operands, &count);

	if (status >= 0)
		return status;
	return detach(operands[0]);
}
