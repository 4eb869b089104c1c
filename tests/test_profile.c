// SPDX-License-Identifier: GPL-2.0-only
/* Profiles: what is read from valid ones, and every diagnostic with its place. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/strv.h"
#include "config/profile.h"
#include "policy/names.h"
#include "scratch.h"
#include "tap.h"

/* Valid by itself: rows that test a flow or a port put their text before or behind it. */
#define HEAD       "profile: p\nroles: {a: {}, b: {}, c: {}}\n"
#define FLOWS      "flows: [{name: f, from: a, to: b, tcp: 1}]\n"
#define NOT_A_NAME " is not a name: 1 to 31 of a-z, 0-9 and hyphen"

static const struct {
	const char *name, *text, *described;
} bad[] = {
	/* the file */
	{"empty", "", "p.yaml: is empty"},
	{"comments only", "# nothing\n\n", "p.yaml: is empty"},
	{"two documents", HEAD FLOWS "---\na: 1\n",
	 "p.yaml:4:1: a second document begins here, but a file may have only one"},
	{"a list", "- a\n", "p.yaml:1:1: this must be a map (KEY: VALUE), not a list"},
	{"a word", "hello\n", "p.yaml:1:1: this must be a map (KEY: VALUE), not a single value"},
	{"syntax", "profile: [p\nroles: {}\n",
	 "p.yaml:2:6: not YAML: did not find expected ',' or ']', while parsing a flow sequence "
	 "that begins in line 1"},
	{"tab", "roles:\n\ta: {}\n",
	 "p.yaml:2:1: not YAML: found character that cannot start any token, while scanning for "
	 "the next token that begins in line 2 (a tab: lines must be indented with spaces)"},
	{"latin-1", "profile: p\ntitle: caf\xe9 \n",
	 "p.yaml:2:12: this is not UTF-8 text: invalid trailing UTF-8 octet (0x20)"},
	{"binary",
	 "\x7f"
	 "ELF\x02\x01\x01",
	 "p.yaml:1:1: this is not UTF-8 text: control characters are not allowed (0x7f)"},
	{"escaped NUL", "profile: \"p\\0q\"\n", "p.yaml:1:10: a value contains a NUL byte"},
	{"escape sequence", HEAD FLOWS "note: \"\\e[2J\"\n",
	 "p.yaml:4:7: the text contains a control character"},
	{"escape sequence in a name", "profile: \"\\e[2J\"\n" FLOWS "roles: {a: {}, b: {}}\n",
	 "p.yaml:1:10: \"\\x1b[2J\"" NOT_A_NAME},
	{"tag", HEAD FLOWS "title: !!binary aGk=\n",
	 "p.yaml:4:8: a tag (!...) means nothing here: remove it"},
	{"alias of nothing", HEAD FLOWS "title: *x\n",
	 "p.yaml:4:8: there is no complete anchor &x before this alias"},
	{"alias of itself", HEAD FLOWS "title: &x [*x]\n",
	 "p.yaml:4:12: there is no complete anchor &x before this alias"},
	{"key that is a list", HEAD FLOWS "? [a]\n: b\n",
	 "p.yaml:4:3: a key must be a single word"},

	/* its keys */
	{"nothing but braces", "{}",
	 "p.yaml:1:1: the key \"profile\" is missing\n"
	 "p.yaml:1:1: the key \"roles\" is missing\n"
	 "p.yaml:1:1: the key \"flows\" is missing"},
	{"unknown key, near", HEAD FLOWS "tittle: x\n",
	 "p.yaml:4:1: unknown key \"tittle\": did you mean \"title\"?"},
	{"unknown key, far", HEAD FLOWS "zebra: x\n",
	 "p.yaml:4:1: unknown key \"zebra\": there are profile, title, note, sources, roles, ports "
	 "and flows"},
	{"key twice", HEAD FLOWS "title: x\ntitle: y\n",
	 "p.yaml:5:1: the key \"title\" is repeated: the first one is in line 4"},
	{"role twice", "profile: p\nroles: {a: {}, b: {}, a: {}}\n" FLOWS,
	 "p.yaml:2:23: the key \"a\" is repeated: the first one is in line 2"},
	{"other name than the file", "profile: q\nroles: {a: {}, b: {}}\n" FLOWS,
	 "p.yaml:1:10: profile \"q\" must be in a file named q.yaml, but this one is p.yaml"},
	{"no name", "profile: P_\nroles: {a: {}, b: {}}\n" FLOWS, "p.yaml:1:10: \"P_\"" NOT_A_NAME},
	{"title is a list", HEAD FLOWS "title: [x]\n",
	 "p.yaml:4:8: this must be a single value, not a list"},
	{"title is nothing", HEAD FLOWS "title:\n",
	 "p.yaml:4:7: this must be a single value, not nothing"},
	{"sources is a list", HEAD FLOWS "sources: [x]\n",
	 "p.yaml:4:10: this must be a map (KEY: VALUE), not a list"},
	{"bad key of a source", HEAD FLOWS "sources: {A b: x}\n",
	 "p.yaml:4:11: \"A b\"" NOT_A_NAME},

	/* roles */
	{"role is nothing", "profile: p\nroles:\n  a:\n  b: {}\n" FLOWS,
	 "p.yaml:3:5: this must be a map (KEY: VALUE), not nothing"},
	{"unknown key of a role", "profile: p\nroles: {a: {titel: x}, b: {}}\n" FLOWS,
	 "p.yaml:2:13: unknown key \"titel\": did you mean \"title\"?"},
	{"host bits", "profile: p\nroles: {a: {addresses: [10.20.31.5/24]}, b: {}}\n" FLOWS,
	 "p.yaml:2:25: \"10.20.31.5/24\" has host bits set: write 10.20.31.0/24"},
	{"no list", "profile: p\nroles: {a: {addresses: 10.0.0.1}, b: {}}\n" FLOWS,
	 "p.yaml:2:24: this must be a list, not a single value"},
	{"empty list", "profile: p\nroles: {a: {addresses: []}, b: {}}\n" FLOWS,
	 "p.yaml:2:24: the list is empty"},
	{"any", "profile: p\nroles: {a: {addresses: [any]}, b: {}}\n" FLOWS,
	 "p.yaml:2:25: \"any\" can only be written in an interface file: a profile holds what the "
	 "vendor documents"},
	{"name among addresses", "profile: p\nroles: {a: {addresses: [x.example]}, b: {}}\n" FLOWS,
	 "p.yaml:2:25: \"x.example\" is not an IPv4 or IPv6 address or prefix"},
	{"address among hosts", "profile: p\nroles: {a: {hosts: [10.0.0.1]}, b: {}}\n" FLOWS,
	 "p.yaml:2:21: \"10.0.0.1\" is not a host name: addresses belong in addresses:"},
	{"no host name", "profile: p\nroles: {a: {hosts: [a_b]}, b: {}}\n" FLOWS,
	 "p.yaml:2:21: \"a_b\" is not a host name"},
	{"unknown level", "profile: p\nroles: {a: {addresses: {stric: [10.0.0.1]}}, b: {}}\n" FLOWS,
	 "p.yaml:2:25: unknown level \"stric\": did you mean \"strict\"?"},
	{"no level", "profile: p\nroles: {a: {addresses: {}}, b: {}}\n" FLOWS,
	 "p.yaml:2:24: the map is empty"},

	/* ports */
	{"ports outside", HEAD FLOWS "ports: {x: {default: 70000}}\n",
	 "p.yaml:4:22: \"70000\" is outside 1-65535"},
	{"range turned round", HEAD FLOWS "ports: {x: {default: [5, 9-6]}}\n",
	 "p.yaml:4:26: \"9-6\" is a range in reverse order: write 6-9"},
	{"name in default", HEAD FLOWS "ports: {x: {default: http}}\n",
	 "p.yaml:4:22: \"http\" is not a port or a range of ports such as 50000-50100"},
	{"name like a port", HEAD FLOWS "ports: {1-2: {default: 1}}\n",
	 "p.yaml:4:9: the name \"1-2\" looks like a port: it must have a letter"},
	{"default below minimum", HEAD FLOWS "ports: {x: {default: 1-3, minimum: 25}}\n",
	 "p.yaml:4:9: the default has 3 ports, the minimum is 25"},
	{"minimum is no number", HEAD FLOWS "ports: {x: {minimum: many}}\n",
	 "p.yaml:4:22: \"many\" is not a number from 1 to 65535"},
	{"minimum is a range", HEAD FLOWS "ports: {x: {minimum: 1-2}}\n",
	 "p.yaml:4:22: \"1-2\" is not a number from 1 to 65535"},
	{"candidate twice", HEAD FLOWS "ports: {x: {candidates: [5, 5]}}\n",
	 "p.yaml:4:29: candidate 5 is repeated"},
	{"candidate is a range", HEAD FLOWS "ports: {x: {candidates: [5-6]}}\n",
	 "p.yaml:4:26: \"5-6\" is a range: candidates are single ports"},
	{"candidate is a word", HEAD FLOWS "ports: {x: {candidates: [ssh]}}\n",
	 "p.yaml:4:26: \"ssh\" is not a port or a range of ports such as 50000-50100"},
	{"default and candidates", HEAD FLOWS "ports: {x: {candidates: [5], default: 6}}\n",
	 "p.yaml:4:25: default and candidates exclude each other: all candidates are open until "
	 "the interface file chooses one"},

	/* flows */
	{"no flows", HEAD "flows: []\n",
	 "p.yaml:3:8: the list is empty: a profile must have at least one flow"},
	{"flows is a map", HEAD "flows: {}\n",
	 "p.yaml:3:8: this must be a list, not a map (KEY: VALUE)"},
	{"flow is a word", HEAD "flows: [x]\n",
	 "p.yaml:3:9: this must be a map (KEY: VALUE), not a single value"},
	{"flow without anything", HEAD "flows: [{}]\n",
	 "p.yaml:3:9: the key \"name\" is missing\n"
	 "p.yaml:3:9: the key \"from\" is missing\n"
	 "p.yaml:3:9: the key \"to\" is missing\n"
	 "p.yaml:3:9: flow \"\" has neither tcp: nor udp:"},
	{"unknown role", HEAD "flows: [{name: f, from: [a, d], to: b, tcp: 1}]\n",
	 "p.yaml:3:29: unknown role \"d\": there are a, b and c"},
	{"role twice in a flow", HEAD "flows: [{name: f, from: [a, a], to: b, tcp: 1}]\n",
	 "p.yaml:3:29: role \"a\" is repeated"},
	{"no role", HEAD "flows: [{name: f, from: [], to: b, tcp: 1}]\n",
	 "p.yaml:3:25: the list is empty"},
	{"neither tcp nor udp", HEAD "flows: [{name: f, from: a, to: b}]\n",
	 "p.yaml:3:9: flow \"f\" has neither tcp: nor udp:"},
	{"port outside", HEAD "flows: [{name: f, from: a, to: b, udp: 0}]\n",
	 "p.yaml:3:40: \"0\" is outside 1-65535"},
	{"octal port", HEAD "flows: [{name: f, from: a, to: b, tcp: 022}]\n",
	 "p.yaml:3:40: \"022\" has a leading zero"},
	{"unknown name of ports",
	 HEAD "ports: {data: {default: 9}}\n"
	      "flows: [{name: f, from: a, to: b, tcp: [1, dada]}]\n",
	 "p.yaml:4:44: \"dada\" is neither a port nor a name under ports: did you mean \"data\"?"},
	{"no names of ports", HEAD "flows: [{name: f, from: a, to: b, tcp: data}]\n",
	 "p.yaml:3:40: \"data\" is neither a port nor a name under ports: there are none"},
	{"unknown source",
	 HEAD "sources: {page: x}\n"
	      "flows: [{name: f, from: a, to: b, tcp: 1, source: pag}]\n",
	 "p.yaml:4:51: \"pag\" is not a key under sources: did you mean \"page\"?"},
	{"optional is a word", HEAD "flows: [{name: f, from: a, to: b, tcp: 1, optional: yes}]\n",
	 "p.yaml:3:53: \"yes\" is neither true nor false"},
	{"optional in quotes",
	 HEAD "flows: [{name: f, from: a, to: b, tcp: 1, optional: 'true'}]\n",
	 "p.yaml:3:53: \"true\" is neither true nor false"},
	{"local ports by name",
	 HEAD "ports: {x: {default: 9}}\n"
	      "flows: [{name: f, from: a, to: b, tcp: 1, local-ports: x}]\n",
	 "p.yaml:4:56: \"x\" is not a port or a range of ports such as 50000-50100"},
	{"flow twice",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1}\n"
	      "  - {name: f, from: b, to: a, tcp: 2}\n",
	 "p.yaml:5:5: flow \"f\" is repeated: the first one is in line 4"},
	{"exclusive flows both on",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, exclusive: x}\n"
	      "  - {name: g, from: a, to: b, tcp: 2, exclusive: x}\n",
	 "p.yaml:5:5: flows \"f\" and \"g\" of the exclusive group \"x\" are both on: make one of "
	 "them optional"},

	/* requires */
	{"requires nothing known",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: g}\n",
	 "p.yaml:4:49: unknown flow \"g\": there is only f"},
	{"requires itself", HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: f}\n",
	 "p.yaml:4:49: flow \"f\" requires itself, directly or through other flows, so nothing "
	 "could open it: take requires: out of one of them"},
	{"requires in a circle",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: g}\n"
	      "  - {name: g, from: a, to: b, tcp: 2, requires: f}\n",
	 "p.yaml:4:49: flow \"f\" requires itself, directly or through other flows, so nothing "
	 "could open it: take requires: out of one of them\n"
	 "p.yaml:5:49: flow \"g\" requires itself, directly or through other flows, so nothing "
	 "could open it: take requires: out of one of them"},
	{"requires the other direction",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: g}\n"
	      "  - {name: g, from: b, to: a, tcp: 2}\n",
	 "p.yaml:4:49: flow \"f\" requires \"g\" (line 5), which does not run from role a: only a "
	 "flow between the same roles in the same direction can be required, unless {flow: g, "
	 "with: "
	 "ROLE} names the role that the connection is with"},
	{"requires a flow without TCP",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: g}\n"
	      "  - {name: g, from: a, to: b, udp: 2}\n",
	 "p.yaml:4:49: flow \"f\" requires \"g\" (line 5), which has no TCP port: only a TCP "
	 "connection can be live; add tcp: to \"g\", or require another flow"},
	{"requires for one role of two",
	 HEAD "flows:\n  - {name: f, from: [a, c], to: b, tcp: 1, requires: g}\n"
	      "  - {name: g, from: a, to: b, tcp: 2}\n",
	 "p.yaml:4:54: flow \"f\" requires \"g\" (line 5), which does not run from role c: only a "
	 "flow between the same roles in the same direction can be required, unless {flow: g, "
	 "with: "
	 "ROLE} names the role that the connection is with"},
	{"requires for the other role of two",
	 HEAD "flows:\n  - {name: f, from: a, to: [b, c], tcp: 1, requires: g}\n"
	      "  - {name: g, from: a, to: c, tcp: 2}\n",
	 "p.yaml:4:54: flow \"f\" requires \"g\" (line 5), which does not run to role b: only a "
	 "flow between the same roles in the same direction can be required, unless {flow: g, "
	 "with: "
	 "ROLE} names the role that the connection is with"},
	{"requires a flow with nobody",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: {flow: g}}\n"
	      "  - {name: g, from: a, to: b, tcp: 2}\n",
	 "p.yaml:4:49: the key \"with\" is missing"},
	{"requires nothing with a role",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: {with: a, flaw: g}}\n",
	 "p.yaml:4:59: unknown key \"flaw\": did you mean \"flow\"?\n"
	 "p.yaml:4:49: the key \"flow\" is missing"},
	{"requires a flow with an unknown role",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: {flow: g, with: d}}\n"
	      "  - {name: g, from: a, to: b, tcp: 2}\n",
	 "p.yaml:4:65: unknown role \"d\": there are a, b and c"},
	{"requires a flow with two roles",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: {flow: g, with: [a, c]}}\n"
	      "  - {name: g, from: [a, c], to: b, tcp: 2}\n",
	 "p.yaml:4:65: this must be a single value, not a list"},
	{"requires a flow with a role that has none with us",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: {flow: g, with: c}}\n"
	      "  - {name: g, from: c, to: a, tcp: 2}\n",
	 "p.yaml:4:65: flow \"f\" requires \"g\" (line 5) with role c, but that flow does not run "
	 "between c and role b, to which \"f\" is opened: name a role that it runs with"},
	{"requires a flow with a role that has none with one of two",
	 HEAD "flows:\n  - {name: f, from: a, to: [b, c], tcp: 1, requires: {flow: g, with: a}}\n"
	      "  - {name: g, from: a, to: b, tcp: 2}\n",
	 "p.yaml:4:70: flow \"f\" requires \"g\" (line 5) with role a, but that flow does not run "
	 "between a and role c, to which \"f\" is opened: name a role that it runs with"},
	{"requires a flow without TCP with a role",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: {flow: g, with: c}}\n"
	      "  - {name: g, from: c, to: b, udp: 2}\n",
	 "p.yaml:4:56: flow \"f\" requires \"g\" (line 5), which has no TCP port: only a TCP "
	 "connection can be live; add tcp: to \"g\", or require another flow"},
	{"requires itself with a role",
	 HEAD "flows:\n  - {name: f, from: a, to: b, tcp: 1, requires: {flow: f, with: a}}\n",
	 "p.yaml:4:56: flow \"f\" requires itself, directly or through other flows, so nothing "
	 "could open it: take requires: out of one of them"},

	{"all mistakes at once",
	 "profile: p\nrols: {}\nroles: {a: {addresses: [1.2.3]}, B: {}}\n"
	 "flows: [{name: f, from: a, to: c, tcp: 0}]\n",
	 "p.yaml:2:1: unknown key \"rols\": did you mean \"roles\"?\n"
	 "p.yaml:3:25: \"1.2.3\" is not an IPv4 or IPv6 address or prefix\n"
	 "p.yaml:3:34: \"B\"" NOT_A_NAME "\n"
	 "p.yaml:4:32: unknown role \"c\": there is only a\n"
	 "p.yaml:4:40: \"0\" is outside 1-65535"},
};

static char *describe(const char *path)
{
	struct diagnostics diag = {};
	struct profile *profile = profile_read(path, &diag);
	char *described = scratch_diagnostics(&diag);

	check(!profile == !!diag.count, "a profile or a complaint: %s", path + strlen(path) - 6);
	profile_free(profile);
	diag_free(&diag);
	return described;
}

static void test_bad(void)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *described = describe(scratch_file("p.yaml", bad[i].text));

		check_text(described, bad[i].described, "%s", bad[i].name);
		free(described);
	}
}

static const char *const good[] = {
	HEAD FLOWS,
	"\xef\xbb\xbf" HEAD FLOWS,
	"profile: p\r\nroles: {a: {}, b: {}}\r\nflows:\r\n  - {name: f, from: a, to: b, tcp: "
	"1}\r\n",
	"%YAML 1.1\n---\n" HEAD FLOWS "...\n",
	"{\"profile\":\"p\",\"roles\":{\"a\":{},\"b\":{}},\n\t\"flows\":[{\"name\":\"f\",\"from\":"
	"[\"a\"],\"to\":\"b\",\"tcp\":[1,\"5-6\"]}]}",
	HEAD "title: &t 'one'\nnote: *t\nflows: [{name: f, from: a, to: b, tcp: 1, note: *t}]\n",
	HEAD "flows: [{name: f, from: a, to: b, tcp: 1, exclusive: x},\n"
	     "{name: g, from: a, to: b, tcp: 2, exclusive: x, optional: true}]\n",
};

static void test_good(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char *described = describe(scratch_file("p.yaml", good[i]));

		check_text(described, "", "good file %zu", i);
		free(described);
	}
}

static void test_content(void)
{
	static const char text[] =
		"profile: p\ntitle: The product\nnote: \"a\\nb\"\nsources: {page: Page 7}\n"
		"roles:\n"
		"  a: {title: agent, note: n}\n"
		"  b:\n    addresses: {recommended: [10.0.0.0/8], strict: [10.0.0.2, 10.0.0.1]}\n"
		"    hosts: [x.example, y.example]\n"
		"ports:\n"
		"  data: {default: [9, 1025-65535], minimum: 25, note: why}\n"
		"  tunnel: {candidates: [2147, 554, 1090]}\n"
		"  open: {}\n"
		"flows:\n"
		"  - {name: control, from: a, to: b, tcp: 7, source: page}\n"
		"  - name: data\n    from: [a, b]\n    to: [b]\n    tcp: [data, 8, tunnel]\n"
		"    udp: 5-6\n    local-ports: [700-710, 800]\n    optional: true\n"
		"    exclusive: g\n    note: text\n";
	struct diagnostics diag = {};
	struct profile *profile = profile_read(scratch_file("p.yaml", text), &diag);
	const struct profile_flow *flow;
	char *ports;

	if (!check(profile, "a profile with everything"))
		return;
	check_text(profile->title, "The product", "title");
	check_text(profile->note, "a\nb", "note");
	check_text(profile->roles[0].title, "agent", "title of a role");
	check_text(profile->roles[1].title, "b", "a role without title has its name");
	check_int(profile_role_index(profile, "b"), 1, "index of a role");
	check_int(profile_role_index(profile, "x"), -1, "index of no role");
	check_int(profile->roles[1].n_addresses, 2, "levels");
	check_text(profile->roles[1].addresses[1].level, "strict", "a level's name");
	check_int(profile->roles[1].addresses[1].prefixes.count, 2, "a level's addresses");
	check_int(profile->roles[1].n_hosts, 2, "hosts");
	check_int(profile->roles[1].place.line, 7, "line of a role");
	check(profile->ports[0].has_default && profile->ports[0].minimum == 25, "default, minimum");
	ports = port_set_text(&profile->ports[0].set);
	check_text(ports, "9,1025-65535", "default");
	free(ports);
	check_int(profile->ports[1].candidates[0], 2147, "candidates keep their order");
	check_int(port_set_size(&profile->ports[1].set), 3, "candidates as a set");
	check(!profile->ports[2].has_default && !profile->ports[2].set.count, "the site's to pin");
	flow = &profile->flows[0];
	check_text(flow->source, "Page 7", "source");
	check(!flow->optional && flow->required == -1 && !flow->local.count, "defaults of a flow");
	flow = &profile->flows[1];
	check_int(flow->n_from, 2, "two roles");
	check(flow->tcp.given && flow->udp.given && flow->tcp.n_named == 2, "tcp and udp");
	check_int(flow->tcp.named[1], 1, "a named port");
	check_int(flow->local.count, 2, "local ports");
	check(flow->optional && !strcmp(flow->exclusive, "g"), "optional, exclusive");
	check_int(flow->place.line, 16, "line of a flow");
	check_int(flow->place.column, 5, "column of a flow");
	profile_free(profile);
}

static char *repeat(const char *head, const char *format, unsigned int count, const char *tail)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs(head, out);
	for (unsigned int i = 0; i < count; i++)
		for (const char *c = format; *c; c++)
			if (*c == '#')
				fprintf(out, "%u", i);
			else
				fputc(*c, out);
	fputs(tail, out);
	fclose(out);
	return text;
}

static void test_limits(void)
{
	static const struct {
		const char *name, *head, *format;
		unsigned int count;
		const char *tail, *described;
	} row[] = {
		{"4,097 flows", HEAD "flows:\n", "- {name: f#, from: a, to: b, tcp: 1}\n", 4097, "",
		 "p.yaml:4100:3: more than 4096 flows"},
		{"4,096 flows", HEAD "flows:\n", "- {name: f#, from: a, to: b, tcp: 1}\n", 4096, "",
		 ""},
		{"257 roles", "profile: p\n" FLOWS "roles:\n a: {}\n b: {}\n", " r#: {}\n", 255, "",
		 "p.yaml:260:2: more than 256 roles"},
		{"257 ports", HEAD FLOWS "ports:\n", " x#: {}\n", 257, "",
		 "p.yaml:261:2: more than 256 names of ports"},
		{"more than 1 MiB", HEAD FLOWS, "# comment #\n", 90000, "",
		 "p.yaml: has more than 1048576 bytes, which is the limit"},
		{"nesting", "profile: ", "[", 100000, "",
		 "p.yaml:1:26: lists and maps are nested more than 16 deep"},
		{"nested keys", "profile: ", "{a: ", 1000, "",
		 "p.yaml:1:74: lists and maps are nested more than 16 deep"},
		{"65 anchors", HEAD FLOWS "title: ok\nnote: [", "&a# x,", 65, "]\n",
		 "p.yaml:5:446: there are more than 64 anchors (&NAME)"},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char *text = repeat(row[i].head, row[i].format, row[i].count, row[i].tail);
		char *described = describe(scratch_file("p.yaml", text));

		check_text(described, row[i].described, "%s", row[i].name);
		free(described);
		free(text);
	}
}

static void test_bomb(void)
{
	char *text = NULL, *described;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fputs("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n", out);
	for (int i = 1; i < 20; i++) {
		fprintf(out, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			fprintf(out, "*a%d,", i - 1);
		fputs("]\n", out);
	}
	fclose(out);
	described = describe(scratch_file("p.yaml", text));
	check_text(
		described,
		"p.yaml:7:22: there are more than 5242880 values up to here, with aliases expanded",
		"aliases of aliases");
	free(described);
	free(text);
}

static void test_many_diagnostics(void)
{
	char *text = repeat("", "k#: 1\n", 250, "");
	struct diagnostics diag = {};

	check(!profile_read(scratch_file("p.yaml", text), &diag), "250 unknown keys");
	check_int(diag.count, DIAGNOSTICS_MAX, "the first hundred are said");
	check_int(diag.n_omitted, 153, "the others are counted");
	diag_free(&diag);
	free(text);
}

static void test_nul(void)
{
	char *described = describe(scratch_bytes("p.yaml", "profile: p\nx: a\0b\n", 18));

	check_text(described,
		   "p.yaml:2:5: this is not UTF-8 text: control characters are not allowed (0x00)",
		   "NUL byte");
	free(described);
}

static void test_unreadable(void)
{
	const char *path = scratch_path("d.yaml");
	char *described;

	described = describe(scratch_path("no.yaml"));
	check_text(described, "no.yaml: cannot be read: No such file or directory", "missing file");
	free(described);
	mkdir(path, 0700);
	described = describe(path);
	check_text(described, "d.yaml: is not a file but a directory", "directory");
	free(described);
	path = scratch_path("f.yaml");
	mkfifo(path, 0600);
	described = describe(path);
	check_text(described, "f.yaml: is not a file but a pipe or socket", "pipe");
	free(described);
	described = describe("/dev/null");
	check_text(described, "/dev/null: is not a file but a device", "device");
	free(described);
}

static void test_permission(void)
{
	const char *path = scratch_file("p.yaml", HEAD FLOWS);
	bool root = !geteuid();
	char *described;

	chmod(path, 0);
	chmod(scratch_dir, 0755);
	if (root && seteuid(65534)) {
		skip("no permission", "cannot be somebody else");
		return;
	}
	described = describe(path);
	if (root && seteuid(0))
		exit(1);
	check_text(described, "p.yaml: cannot be read: Permission denied", "no permission");
	chmod(path, 0600);
	free(described);
}

static void test_find(void)
{
	const char *const dirs[] = {scratch_path("none"), scratch_dir};
	static const char *const refused[] = {"", "P", "p.yaml", "..", "no-such-profile"};
	char **name, *path;
	size_t names, found = 0;

	scratch_file("zz-local.yaml", HEAD FLOWS);
	scratch_file("Not-a-name.yaml", "");
	path = profile_find("zz-local", NULL, dirs, 2);
	check_has(path, "/zz-local.yaml", "a profile in the second folder");
	free(path);
	path = profile_find("./x/y.yaml", "/etc/bkxdp", dirs, 2);
	check_text(path, "/etc/bkxdp/./x/y.yaml", "a path beside the interface file");
	free(path);
	path = profile_find("/x/y.yaml", "/etc/bkxdp", dirs, 2);
	check_text(path, "/x/y.yaml", "an absolute path");
	free(path);
	path = profile_find("x/y.yaml", NULL, dirs, 2);
	check_text(path, "x/y.yaml", "a path beside nothing");
	free(path);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		check_text(profile_find(refused[i], NULL, dirs, 2), NULL, "no profile \"%s\"",
			   refused[i]);
	name = profile_names(dirs, 2, &names);
	for (size_t i = 0; i < names; i++) {
		found += !strcmp(name[i], "zz-local");
		check(name_is_valid(name[i]) && (!i || strcmp(name[i - 1], name[i]) < 0),
		      "name %zu is sorted", i);
	}
	strv_free(name, names);
	check_int(found, 1, "names of all profiles");
}

int main(void)
{
	scratch_begin();
	test_bad();
	test_good();
	test_content();
	test_limits();
	test_bomb();
	test_many_diagnostics();
	test_nul();
	test_unreadable();
	test_permission();
	test_find();
	return tap_done();
}
