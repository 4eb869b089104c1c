# SPDX-License-Identifier: GPL-2.0-only
"""Sockets in odd states, and forged segments, for the end-to-end tests; see tests/puppets.sh."""

import argparse
import errno
import hashlib
import itertools
import os
import random
import socket
import struct
import sys
import threading
import time

HOST_MAC, PEER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000005")
STATES = ("", "established", "syn-sent", "syn-recv", "fin-wait-1", "fin-wait-2", "time-wait",
          "close", "close-wait", "last-ack", "listen", "closing")
FLAGS = {"F": 0x01, "S": 0x02, "R": 0x04, "P": 0x08, "A": 0x10}
PIECE = 1 << 18
TCP_REPAIR = 19  # linux/tcp.h; the socket module has no name for it


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def place(address, port):
    """Returns the socket address, with the scope of a link-local one such as `fe80::1%eth1`."""
    return socket.getaddrinfo(address, int(port))[0][4]


class Transfer(threading.Thread):
    """One direction of a stream; `result` is its length and checksum, or what went wrong."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.digest, self.bytes, self.result = work, hashlib.sha256(), 0, ""
        self.start()

    def take(self, piece):
        self.digest.update(piece)
        self.bytes += len(piece)

    def run(self):
        try:
            self.work(self)
            self.result = f"{self.bytes} {self.digest.hexdigest()}"
        except OSError as error:
            self.result = f"after {self.bytes} bytes: {error}"


def pour(stream, wanted):
    """Sends numbered random pieces while `wanted(bytes so far)` holds; then ends the direction."""
    def work(transfer):
        piece = bytearray(os.urandom(PIECE))
        while wanted(transfer.bytes):
            struct.pack_into("!Q", piece, 0, transfer.bytes)
            stream.sendall(piece)
            transfer.take(piece)
        stream.shutdown(socket.SHUT_WR)
    return Transfer(work)


def drain(stream):
    def work(transfer):
        while piece := stream.recv(PIECE):
            transfer.take(piece)
    return Transfer(work)


class Puppet:
    """Keeps sockets by name, and does with them what a line tells it."""

    def __init__(self):
        self.sockets, self.transfers, self.ends = {}, {}, {}

    def add(self, name, kind, address, port, timeout=5, **options):
        made = socket.socket(family(address), kind)
        self.sockets[name] = made
        made.settimeout(float(timeout))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if options.get("device"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, options["device"].encode())
        made.bind(place(address, port))
        return made

    def listen(self, name, address, port, backlog=64, device=""):
        self.add(name, socket.SOCK_STREAM, address, port, device=device).listen(int(backlog))

    def connect(self, name, source, source_port, address, port, timeout=5, device=""):
        made = self.add(name, socket.SOCK_STREAM, source, source_port, timeout, device=device)
        try:
            made.connect(place(address, port))
        except OSError:
            made.close()  # no second SYN, which would be counted, too
            raise

    def begin(self, name, source, source_port, address, port):
        """Sends the SYN and does not wait for the answer."""
        made = self.add(name, socket.SOCK_STREAM, source, source_port, 0)
        made.connect_ex(place(address, port))
        made.settimeout(5)

    def accept(self, name, listener):
        stream, _ = self.sockets[listener].accept()
        stream.settimeout(5)
        self.sockets[name] = stream

    def udp(self, name, address, port, peer="", peer_port=0):
        made = self.add(name, socket.SOCK_DGRAM, address, port)
        if peer:
            made.connect(place(peer, peer_port))

    def port(self, name):
        return self.sockets[name].getsockname()[1]

    def state(self, name):
        info = self.sockets[name].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
        return STATES[info[0]]

    def send(self, name, text):
        self.sockets[name].sendall(text.encode())

    def post(self, name, address, port, text):
        self.sockets[name].sendto(text.encode(), place(address, port))

    def take(self, name, timeout=""):
        if timeout:
            self.sockets[name].settimeout(float(timeout))
        return self.sockets[name].recv(65536).decode() or "end"

    def silent(self, name):
        """Checks that nothing comes."""
        made = self.sockets[name]
        made.settimeout(0.2)
        try:
            raise OSError(f"received {made.recv(65536)!r}")
        except TimeoutError:
            made.settimeout(5)

    def shut(self, name):
        self.sockets[name].shutdown(socket.SHUT_WR)

    def close(self, *names):
        """Closes those that exist: a test need not know which side closed first."""
        for name in names:
            if name in self.sockets:
                self.sockets.pop(name).close()

    def clear(self):
        self.close(*list(self.sockets))

    def reset(self, name):
        linger = struct.pack("ii", 1, 0)
        self.sockets[name].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close(name)

    def vanish(self, name):
        """Nothing tells the other side: what a crash of this host would do to the socket."""
        self.sockets[name].setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        self.close(name)

    def pour(self, name, pieces):
        """Sends that many pieces of 256 KiB."""
        self.sockets[name].settimeout(60)
        self.transfers["pour " + name] = pour(
            self.sockets[name], lambda sent: sent < int(pieces) * PIECE)

    def trickle(self, name):
        """Sends a piece every 20 ms, until `enough`."""
        end = self.ends[name] = threading.Event()
        self.sockets[name].settimeout(60)
        self.transfers["pour " + name] = pour(self.sockets[name], lambda _: not end.wait(0.02))

    def enough(self, name):
        self.ends[name].set()

    def drain(self, name):
        self.sockets[name].settimeout(60)
        self.transfers["drain " + name] = drain(self.sockets[name])

    def moved(self, what, name):
        """Returns the bytes so far."""
        return self.transfers[f"{what} {name}"].bytes

    def result(self, what, name):
        transfer = self.transfers[f"{what} {name}"]
        transfer.join(90)
        return transfer.result or f"not done after {transfer.bytes} bytes"


def puppet(_):
    """Reads lines `VERB WORD...` and answers each with `ok ANSWER` or `no REASON`."""
    doll = Puppet()
    for line in sys.stdin:
        verb, *words = line.split()
        try:
            answer = getattr(doll, verb)(*words)
            print("ok", "" if answer is None else answer, flush=True)
        except OSError as error:
            print("no", error.strerror or error, flush=True)
        except KeyError as name:
            print("no", "there is no", name, flush=True)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) & ~1]))
    total += data[-1] << 8 if len(data) & 1 else 0
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def ip(source, destination, protocol, segment):
    """Fills in the checksum of the segment, and puts Ethernet and IP headers before it."""
    kind = family(source)
    addresses = socket.inet_pton(kind, source) + socket.inet_pton(kind, destination)
    at = 16 if protocol == socket.IPPROTO_TCP else 6
    pseudo = addresses + struct.pack("!HH", protocol, len(segment))
    segment = bytearray(segment)
    struct.pack_into("!H", segment, at, checksum(pseudo + segment) or 0xffff)
    if kind == socket.AF_INET6:
        header = struct.pack("!IHBB", 6 << 28, len(segment), protocol, 64) + addresses
        return HOST_MAC + PEER_MAC + b"\x86\xdd" + header + segment
    header = struct.pack("!BBHIBBH", 0x45, 0, 20 + len(segment), 0x4000, 64, protocol, 0) + addresses
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return HOST_MAC + PEER_MAC + b"\x08\x00" + header + segment


def tcp(source, source_port, destination, port, flags, data=b""):
    bits = sum(FLAGS[flag] for flag in flags)
    sequence, acknowledged = random.getrandbits(32), random.getrandbits(32)
    header = struct.pack("!HHIIBBHHH", source_port, port, sequence, acknowledged if "A" in flags else 0,
                         5 << 4, bits, 512, 0, 0)
    return ip(source, destination, socket.IPPROTO_TCP, header + data)


def udp(source, source_port, destination, port, data):
    header = struct.pack("!HHHH", source_port, port, 8 + len(data), 0)
    return ip(source, destination, socket.IPPROTO_UDP, header + data)


def ports(text):
    """Returns the range of `a` or `a-b`."""
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def forgeries(arguments):
    """Yields frames without end; source ports, ports and sources each repeat at their own pace."""
    sources, number = arguments.sources, 0
    from_ports, to_ports = ports(arguments.source_port), ports(arguments.port)
    data = b"x" * arguments.data
    while True:
        source = arguments.source
        if sources > 1:
            source = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(
                socket.AF_INET6, source)[:12] + struct.pack("!I", 0x10000 + number % sources))
        ends = (source, from_ports[number % len(from_ports)], arguments.destination,
                to_ports[number % len(to_ports)])
        flags = arguments.flags[number % len(arguments.flags)]
        yield udp(*ends, data) if flags == "udp" else tcp(*ends, flags, data)
        number += 1


def arrives(wire, frame):
    """Returns False if the ring of the veth pair was full, so that the frame was lost."""
    try:
        wire.send(frame)
    except OSError as error:
        if error.errno != errno.ENOBUFS:
            raise
        return False
    return True


def forge(arguments):
    """Sends forged frames and prints how many; with a rate, until the time is over or the file exists."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind((arguments.device, 0))
    frames = forgeries(arguments)
    if not arguments.rate:
        for frame in itertools.islice(frames, arguments.count):
            while not arrives(wire, frame):
                time.sleep(0.001)
        print(arguments.count)
        return
    made, sent = [next(frames) for _ in range(4096)], 0
    start = time.monotonic()
    while (passed := time.monotonic() - start) < arguments.seconds:
        if arguments.until and os.path.exists(arguments.until):
            break
        while sent < passed * arguments.rate:
            if not arrives(wire, made[sent % len(made)]):
                break
            sent += 1
        time.sleep(0.001)
    print(sent, round(sent / passed))


def main():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)
    verbs.add_parser("puppet").set_defaults(run=puppet)
    sub = verbs.add_parser("forge")
    sub.set_defaults(run=forge)
    for name in ("source", "source_port", "destination", "port"):
        sub.add_argument(name)
    sub.add_argument("flags", nargs="+", help="letters of FSRPA, or udp")
    sub.add_argument("--count", type=int, default=1)
    sub.add_argument("--data", type=int, default=0)
    sub.add_argument("--sources", type=int, default=1)
    sub.add_argument("--rate", type=int)
    sub.add_argument("--seconds", type=float, default=60)
    sub.add_argument("--until")
    sub.add_argument("--device", default="peer0")
    settings = parser.parse_args()
    settings.run(settings)


main()
