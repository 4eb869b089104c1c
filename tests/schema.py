#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The schemas of both file kinds: shipped and documented files fit, wrong ones do not.

Usage: schema.py [PROFILES_DIR]. TAP 13; exit 0, 1, or 4 where Python's modules are missing.
"""
import copy
import glob
import json
import os
import sys

print("TAP version 13")
try:
    import yaml
    from jsonschema import Draft202012Validator
except ImportError as missing:
    print(f"1..0 # SKIP {missing}")
    sys.exit(4)

PROFILES = sys.argv[1] if len(sys.argv) > 1 else os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "profiles")

INTERFACE = """
interface: eth1
use:
  - profile: backup-exec
    as: remote-agent
    addresses: {media-server: [10.20.30.5, 10.20.31.0/24, "2001:db8:20::/64", bemedia.example.com]}
    ports: {data: 50000-50100}
    enable: [oracle]
  - profile: ibm-cloud-backup
    as: agent
    level: minimum
flows:
  - {name: ssh, from: [10.20.0.0/24], to: self, tcp: 22}
  - {name: restore, from: 10.20.30.5, to: self, tcp: 7000, requires: backup-exec/control}
  - {name: more, from: 10.20.0.5, to: self, tcp: 7001, requires: ssh}
  - {name: third, from: 10.20.0.5, to: self, tcp: 7002, requires: {flow: ssh, with: [10.20.0.6, "2001:db8::6"]}}
  - {name: role, from: 10.20.0.5, to: self, tcp: 7003, requires: {flow: backup-exec/control, with: media-server}}
mode: auto
verdict: enforce
connections: sockets
ping: peers
fragments: drop
vlans: any
dhcp: false
"""

PROFILE = """
profile: sample
title: Sample
note: of everything once
sources: {manual: "The manual, page 1"}
roles:
  server: {title: Server, note: of several}
  agent: {addresses: [10.0.0.0/8, "2001:db8::1"]}
  vault: {addresses: {recommended: [10.0.0.0/8], strict: [10.1.1.1]}, hosts: [vault.example.com]}
ports:
  data: {default: 1025-65535, minimum: 25, note: narrow it}
  tunnel: {candidates: [2147, 443]}
  pinned: {note: no number}
flows:
  - {name: control, from: server, to: agent, tcp: 10000, source: manual}
  - {name: data, from: server, to: agent, tcp: data, udp: [53, 100-200, data], requires: control}
  - {name: tunnel, from: agent, to: vault, tcp: tunnel, optional: true, exclusive: way, note: one}
  - {name: third, from: vault, to: agent, tcp: 20000, requires: {flow: control, with: server}}
  - {name: pinned, from: [agent, server], to: vault, udp: pinned, exclusive: way, local-ports: 700-710}
"""

# A place in the document, and what to put there; DELETE removes what is there.
DELETE = object()
BAD_PROFILES = [
    ("unknown key at the top", ["flow"], []),
    ("unknown key of a role", ["roles", "server", "address"], ["10.0.0.1"]),
    ("unknown key of a port set", ["ports", "data", "range"], 5),
    ("unknown key of a flow", ["flows", 0, "port"], 5),
    ("no name", ["profile"], DELETE),
    ("no roles", ["roles"], DELETE),
    ("empty roles", ["roles"], {}),
    ("no flows", ["flows"], DELETE),
    ("empty flows", ["flows"], []),
    ("name with capitals", ["profile"], "Sample"),
    ("name of 32 letters", ["profile"], "a" * 32),
    ("empty name", ["profile"], ""),
    ("role with an underscore", ["roles", "media_server"], {}),
    ("title that is a number", ["title"], 7),
    ("source that is a list", ["sources", "manual"], ["a"]),
    ("port 0", ["flows", 0, "tcp"], 0),
    ("port 65536", ["flows", 0, "tcp"], 65536),
    ("negative port", ["flows", 0, "tcp"], -1),
    ("port that is a fraction", ["flows", 0, "tcp"], 1.5),
    ("port in a list, 0", ["flows", 0, "tcp"], [80, 0]),
    ("empty list of ports", ["flows", 0, "tcp"], []),
    ("range without end", ["flows", 0, "tcp"], [80, "100-"]),
    ("range with blanks", ["ports", "data", "default"], "1025 - 65535"),
    ("range from 0", ["ports", "data", "default"], "0-10"),
    ("protocol that is none", ["flows", 0, "sctp"], 80),
    ("flow without ports", ["flows", 0, "tcp"], DELETE),
    ("flow without name", ["flows", 0, "name"], DELETE),
    ("flow without from", ["flows", 0, "from"], DELETE),
    ("flow without to", ["flows", 0, "to"], DELETE),
    ("flow from nobody", ["flows", 0, "from"], []),
    ("optional: maybe", ["flows", 0, "optional"], "maybe"),
    ("optional: 1", ["flows", 0, "optional"], 1),
    ("local-ports: a name", ["flows", 4, "local-ports"], "data"),
    ("requires with no role", ["flows", 3, "requires"], {"flow": "control"}),
    ("requires no flow with a role", ["flows", 3, "requires"], {"with": "server"}),
    ("requires with two roles", ["flows", 3, "requires", "with"], ["server", "vault"]),
    ("requires with an unknown key", ["flows", 3, "requires", "from"], "server"),
    ("name of ports without a letter", ["ports", "1024-2048"], {"default": 1}),
    ("profile named site", ["profile"], "site"),
    ("minimum: 0", ["ports", "data", "minimum"], 0),
    ("minimum: text", ["ports", "data", "minimum"], "many"),
    ("default and candidates", ["ports", "data", "candidates"], [1, 2]),
    ("candidate that is a range", ["ports", "tunnel", "candidates"], ["80-90"]),
    ("candidate twice", ["ports", "tunnel", "candidates"], [443, 443]),
    ("no candidates", ["ports", "tunnel", "candidates"], []),
    ("address without meaning", ["roles", "agent", "addresses"], ["10.0.0"]),
    ("prefix of 33 bits", ["roles", "agent", "addresses"], ["10.0.0.0/33"]),
    ("IPv6 prefix of 129 bits", ["roles", "agent", "addresses"], ["2001:db8::/129"]),
    ("any in a profile", ["roles", "agent", "addresses"], ["any"]),
    ("no addresses", ["roles", "agent", "addresses"], []),
    ("one address, no list", ["roles", "agent", "addresses"], "10.0.0.1"),
    ("unknown level", ["roles", "vault", "addresses", "paranoid"], ["10.0.0.1"]),
    ("host with an underscore", ["roles", "vault", "hosts"], ["my_vault.example.com"]),
    ("host with a scheme", ["roles", "vault", "hosts"], ["https://vault.example.com"]),
]
BAD_INTERFACES = [
    ("unknown key at the top", ["verdicts"], "audit"),
    ("interface name of 16 letters", ["interface"], "a" * 16),
    ("interface name with a slash", ["interface"], "eth/1"),
    ("interface name ..", ["interface"], ".."),
    ("requires with two slashes", ["flows", 1, "requires"], "a/b/c"),
    ("requires of a path", ["flows", 1, "requires"], "/control"),
    ("requires with nobody", ["flows", 3, "requires"], {"flow": "ssh"}),
    ("requires of a path with hosts", ["flows", 3, "requires", "flow"], "/control"),
    ("requires with a prefix of 33 bits", ["flows", 3, "requires", "with"], ["10.0.0.0/33"]),
    ("use that is a mapping", ["use"], {"profile": "backup-exec"}),
    ("65 uses", ["use"], [{"profile": "a", "as": "b"}] * 65),
    ("use without profile", ["use", 0, "profile"], DELETE),
    ("use without role", ["use", 0, "as"], DELETE),
    ("unknown key of a use", ["use", 0, "role"], "agent"),
    ("unknown level", ["use", 1, "level"], "paranoid"),
    ("self as another's address", ["use", 0, "addresses", "media-server"], "self"),
    ("no addresses", ["use", 0, "addresses", "media-server"], []),
    ("address cut short", ["use", 0, "addresses", "media-server"], ["10.20.30"]),
    ("prefix of 33 bits", ["use", 0, "addresses", "media-server"], ["10.0.0.0/33"]),
    ("host with an underscore", ["use", 0, "addresses", "media-server"], ["be_media"]),
    ("port 0", ["use", 0, "ports", "data"], 0),
    ("port 65536 for a peer", ["use", 0, "ports", "data"], {"media-server": 65536}),
    ("ports for no peer", ["use", 0, "ports", "data"], {}),
    ("enable: word", ["use", 0, "enable"], "oracle"),
    ("enable: nothing", ["use", 0, "enable"], []),
    ("flow from a list with self", ["flows", 0, "from"], ["self"]),
    ("flow between others", ["flows", 0, "to"], ["10.0.0.1"]),
    ("flow without ports", ["flows", 0, "tcp"], DELETE),
    ("flow with a profile's key", ["flows", 0, "optional"], True),
    ("flow with a port's name", ["flows", 0, "tcp"], "ssh"),
    ("mode: fast", ["mode"], "fast"),
    ("verdict: drop", ["verdict"], "drop"),
    ("connections: none", ["connections"], "none"),
    ("ping: true", ["ping"], True),
    ("fragments: any", ["fragments"], "any"),
    ("vlans: all", ["vlans"], "all"),
    ("vlans: 4096", ["vlans"], [4096]),
    ("vlans: number", ["vlans"], 7),
    ("dhcp: yes please", ["dhcp"], "yes please"),
]

done = failed = 0


def check(holds, name, why=""):
    global done, failed
    done += 1
    failed += not holds
    print(f"{'ok' if holds else 'not ok'} {done} - {name}")
    for line in str(why).splitlines() if not holds else []:
        print(f"# {line}")


def schema(kind):
    with open(os.path.join(PROFILES, f"{kind}.schema.json"), encoding="utf-8") as file:
        return json.load(file)


def complaint(validator, document):
    error = next(validator.iter_errors(document), None)
    return error and f"{'/'.join(map(str, error.absolute_path))}: {error.message}"


def changed(document, path, value):
    document = copy.deepcopy(document)
    place = document
    for step in path[:-1]:
        place = place[step]
    if value is DELETE:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def check_kind(kind, good, bad):
    check_schema = schema(kind)
    validator = Draft202012Validator(check_schema)
    try:
        Draft202012Validator.check_schema(check_schema)
        check(True, f"{kind}: the schema is one")
    except Exception as error:  # jsonschema's own class moved between its versions
        check(False, f"{kind}: the schema is one", error)
    for name, document in good:
        why = complaint(validator, document)
        check(why is None, f"{kind}: {name} is taken", why)
    sample = good[0][1]
    for name, path, value in bad:
        why = complaint(validator, changed(sample, path, value))
        check(why is not None, f"{kind}: {name} is refused")


def shipped():
    for path in sorted(glob.glob(os.path.join(PROFILES, "*.yaml"))):
        with open(path, encoding="utf-8") as file:
            yield os.path.basename(path), yaml.safe_load(file)


def check_names(profiles):
    check(profiles, "profiles are shipped")
    for file, profile in profiles:
        check(file == f"{profile['profile']}.yaml", f"{file} is named after its profile")
        uncited = [flow["name"] for flow in profile["flows"]
                   if flow.get("source") not in profile.get("sources", {})]
        check(not uncited, f"{file}: every flow cites a source", uncited)


def main():
    profiles = list(shipped())
    interface = yaml.safe_load(INTERFACE)
    pinned = changed(interface, ["use", 0, "ports"],
                     {"tunnel": {"primary-gateway": 2147, "backup-gateway": 443}, "data": [1, "2-3"]})
    check_names(profiles)
    check_kind("profile", [("a sample of everything", yaml.safe_load(PROFILE))] + profiles,
               BAD_PROFILES)
    check_kind("interface",
               [("the documented example", interface),
                ("a port for each peer", pinned),
                ("one address, no list",
                 changed(interface, ["use", 0, "addresses", "media-server"], "10.0.0.1")),
                ("a profile's path", changed(interface, ["use", 0, "profile"], "./mine.yaml")),
                ("only flows of its own", changed(interface, ["use"], DELETE)),
                ("no interface's name", changed(interface, ["interface"], DELETE)),
                ("any, on purpose", changed(interface, ["flows", 0, "from"], ["any"])),
                ("a list of VLANs", changed(interface, ["vlans"], [0, 100, 4095]))],
               BAD_INTERFACES)
    print(f"1..{done}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
