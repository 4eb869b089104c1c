/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Builds frames from the fields that matter: a field that isn't named has its usual value, and
 * lengths and checksums are right unless they are named.
 */
#ifndef BUILD_H
#define BUILD_H

#include <stddef.h>
#include <stdint.h>

/* The value 0 of a field, because a plain 0 means "the usual value". */
#define ZERO (-1)

#define BUILD_TAGS_MAX       10
#define BUILD_EXTENSIONS_MAX 18
#define BUILD_BYTES_MAX      66000

/* The usual addresses: a peer of most policies in variants.c, and this host. */
#define PEER  "10.20.30.5"
#define SELF  "10.20.30.9"
#define PEER6 "2001:db8:20::5"
#define SELF6 "2001:db8:20::9"

/*
 * Types of extension headers. A list of headers ends at type 0, so hop-by-hop has 0 only in its
 * low byte.
 */
#define HOPOPTS  0x100
#define ROUTING  43
#define FRAGMENT 44
#define AH       51
#define DSTOPTS  60

#define ICMP  1
#define TCP   6
#define UDP   17
#define ICMP6 58

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20
#define ECE 0x40
#define CWR 0x80

#define CTAG 0x8100
#define STAG 0x88a8

struct tag {
	int type;
	int tci; /* VLAN id, with priority and drop bits if they matter */
};

struct extension {
	int type;
	int size;     /* bytes of it in the frame; 8 */
	int claims;   /* its length octet; that of `size` */
	int routing;  /* routing type; 253, which is unknown */
	int left;     /* segments left; 0 */
	int offset;   /* fragment offset in units of 8; 0 */
	int more;     /* more fragments; 0 */
	int reserved; /* fragment: the reserved octet; 0 */
	int bits;     /* fragment: the two reserved bits; 0 */
};

struct bytes {
	const char *at;
	size_t count;
};
#define BYTES(literal)                                                                             \
	{                                                                                          \
		literal, sizeof(literal) - 1                                                       \
	}

struct frame {
	const char *mac; /* destination, "01:80:c2:00:00:0e" */
	int type;        /* ethertype behind the tags; that of the family */
	struct tag tag[BUILD_TAGS_MAX];

	const char *from, *to; /* addresses; a colon in `from` makes it IPv6 */
	int version;
	int hop;      /* TTL or hop limit; 64 */
	int protocol; /* TCP */

	int ihl;              /* IPv4 */
	int total;            /* total length */
	int flags16;          /* the 16 bits of flags and fragment offset */
	struct bytes options; /* filled up with NOP to a multiple of four */

	int payload; /* IPv6 payload length */
	struct extension extension[BUILD_EXTENSIONS_MAX];

	int sport, dport; /* 40000 and 10000 */
	int flags;        /* TCP; SYN */
	int doff;
	int tcp_options; /* bytes of NOP */
	int udp_length;
	int icmp; /* type; echo request */
	int data; /* bytes behind the L4 header; 0 */
	int l4;   /* bytes of L4 header and data in the frame, by all lengths; all */

	int pad; /* bytes behind the packet; 0 */
	int cut; /* bytes of the frame; all */
};

/* Returns the length of the frame. */
size_t build(const struct frame *frame, uint8_t bytes[static BUILD_BYTES_MAX]);

#endif
