/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one list of reasons why a packet passes or is dropped.
 *
 * The list makes the enum, the index of the counter, the words in `status` and the label values
 * of the metrics; a row that is added here appears in all of them.
 */
#ifndef BKXDP_VERDICT_H
#define BKXDP_VERDICT_H

#include <linux/types.h>

#include "layout.h"

/*
 * X(ENUMERATOR, word, verdict, what it means to an administrator). Passes come first, drops
 * after them, and INTERNAL last.
 */
#define BKXDP_REASONS(X)                                                                           \
	X(PASS_FLOW, "flow", PASS, "a flow of the policy allows it")                               \
	X(PASS_LINK, "link", PASS, "link control: STP, LACP, LLDP, 802.1X")                        \
	X(PASS_ARP, "arp", PASS, "address resolution")                                             \
	X(PASS_FRAGMENT, "fragment", PASS, "later fragment from the address of a peer")            \
	X(PASS_ICMP_ERROR, "icmp-error", PASS, "ICMP error: path MTU discovery depends on it")     \
	X(PASS_ND, "nd", PASS, "IPv6 neighbour discovery or MLD")                                  \
	X(PASS_PING, "ping", PASS, "echo request or reply")                                        \
	X(PASS_DHCP, "dhcp", PASS, "answer of a DHCP server")                                      \
	X(PASS_STRAY, "stray", PASS, "segment of a connection that this host no longer has")       \
	X(DROP_MALFORMED, "malformed", DROP, "a header is cut off or contradicts itself")          \
	X(DROP_VLAN, "vlan", DROP, "VLAN tags not taken on this interface")                        \
	X(DROP_ETHERTYPE, "ethertype", DROP, "neither IPv4, IPv6 nor ARP")                         \
	X(DROP_EXTENSION, "extension", DROP, "IPv6 extension headers that break the rules")        \
	X(DROP_SOURCE_INVALID, "source-invalid", DROP,                                             \
	  "a source address that no host may send from")                                           \
	X(DROP_FRAGMENT, "fragment", DROP, "a fragment, and fragments: drop")                      \
	X(DROP_SOURCE, "source", DROP, "the source is no peer of any flow")                        \
	X(DROP_ICMP, "icmp", DROP, "ICMP that is not needed here")                                 \
	X(DROP_PROTOCOL, "protocol", DROP, "neither TCP, UDP nor ICMP")                            \
	X(DROP_TCP_FLAGS, "tcp-flags", DROP, "TCP flags that no connection uses")                  \
	X(DROP_BROADCAST, "broadcast", DROP, "UDP to everybody on the link, which no flow has")    \
	X(DROP_CONTROL, "control", DROP, "needs a live control connection")                        \
	X(DROP_CONNECTION, "connection", DROP, "an answer to no connection of ours")               \
	X(DROP_PORT, "port", DROP, "a peer, but no flow has this port")                            \
	X(DROP_INTERNAL, "internal", DROP, "the filter itself failed")

enum bkxdp_reason {
	BKXDP_UNDECIDED, /* the step leaves the packet to the next one */
#define BKXDP_REASON_ENUM(name, word, verdict, meaning) BKXDP_##name,
	BKXDP_REASONS(BKXDP_REASON_ENUM)
#undef BKXDP_REASON_ENUM
		BKXDP_REASON_COUNT
};

/* One comparison, because passes come first in the list. */
static inline int bkxdp_reason_passes(__u32 reason)
{
	return reason >= BKXDP_PASS_FLOW && reason < BKXDP_DROP_MALFORMED;
}

/*
 * Where packets are counted: a tally for each reason, and after those one for each reason to
 * drop, which counts packets that passed because the policy only audits.
 */
#define BKXDP_WOULD_DROPS (BKXDP_REASON_COUNT - BKXDP_DROP_MALFORMED)
#define BKXDP_TALLIES     (BKXDP_REASON_COUNT + BKXDP_WOULD_DROPS)

/* Counters and listeners go by the numbers of reasons, which outlive a program in pinned maps. */
_Static_assert(BKXDP_ABI == 6 && BKXDP_REASON_COUNT == 25,
	       "a change of the list of reasons is a change of BKXDP_ABI");

static inline __u32 bkxdp_tally(__u32 reason, __u32 audit)
{
	return audit && !bkxdp_reason_passes(reason) ? reason + BKXDP_WOULD_DROPS : reason;
}

/* The fields after `reason` mean something only for PASS_FLOW. */
struct bkxdp_verdict {
	__u16 reason;    /* enum bkxdp_reason */
	__u16 cacheable; /* 1: also true for the next packets of the connection while its socket
			    exists */
	__u16 rule;      /* index into the policy's rules */
	__u16 counter;   /* index of the rule's counter */
};

static inline struct bkxdp_verdict bkxdp_decided(__u32 reason)
{
	struct bkxdp_verdict verdict = {.reason = reason};

	return verdict;
}

/* In a test run the program returns its verdict together with the XDP action. */
#define BKXDP_REPORT(action, reason, rule) ((action) | (reason) << 8 | (__u32)(rule) << 16)
#define BKXDP_REPORT_ACTION(report)        ((report)&0xff)
#define BKXDP_REPORT_REASON(report)        ((report) >> 8 & 0xff)
#define BKXDP_REPORT_RULE(report)          ((report) >> 16)

#endif
