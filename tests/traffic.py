# SPDX-License-Identifier: GPL-2.0-only
"""Senders and receivers for the end-to-end tests; run by tests/lib.sh, in network namespaces."""

import argparse
import errno
import json
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

SO_RCVBUFFORCE = 33
ANSWER_SECONDS = 20


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listener(protocol, port):
    """A socket that takes both IPv4 and IPv6."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    server = socket.socket(socket.AF_INET6, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", port))
    if protocol == "tcp":
        server.listen(128)
    return server


def listen(arguments):
    """Accepts and echoes until killed."""
    selector = selectors.DefaultSelector()
    for where in arguments.where:
        protocol, port = where.split(":")
        server = listener(protocol, int(port))
        selector.register(server, selectors.EVENT_READ, protocol)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            if key.data == "tcp":
                selector.register(key.fileobj.accept()[0], selectors.EVENT_READ, "stream")
            elif key.data == "udp":
                data, peer = key.fileobj.recvfrom(65536)
                key.fileobj.sendto(data, peer)
            else:
                echo(selector, key.fileobj)


def echo(selector, stream):
    try:
        data = stream.recv(65536)
        stream.sendall(data)
    except OSError:
        data = b""
    if not data:
        selector.unregister(stream)
        stream.close()


def opened(source, destination, port, timeout):
    stream = socket.socket(family(destination), socket.SOCK_STREAM)
    stream.settimeout(timeout)
    stream.bind((source, 0))
    stream.connect((destination, port))
    return stream


def connect(arguments):
    """The time to open is less than the first retransmission (1 s), so that a dropped SYN is one packet."""
    try:
        stream = opened(arguments.source, arguments.destination, arguments.port, arguments.timeout)
    except OSError as error:
        sys.exit(f"{arguments.source} > {arguments.destination}:{arguments.port}: {error}")
    # the kernel opens the connection, but a program answers, which may take long on a busy machine
    stream.settimeout(ANSWER_SECONDS)
    if arguments.hold:
        print("ready", flush=True)
        time.sleep(arguments.hold)
    stream.sendall(b"hello")
    if stream.recv(16) != b"hello":
        sys.exit("no echo")
    if arguments.reset:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()


def ask(arguments):
    """Sends one datagram, and waits for its echo."""
    asker = socket.socket(family(arguments.destination), socket.SOCK_DGRAM)
    asker.settimeout(arguments.timeout)
    asker.bind((arguments.source, 0))
    asker.connect((arguments.destination, arguments.port))
    question = bytes(arguments.bytes)
    asker.send(question)
    try:
        answer = asker.recv(65536)
    except OSError as error:
        sys.exit(f"{arguments.source} > {arguments.destination}:{arguments.port}: {error}")
    if answer != question:
        sys.exit("no echo")


def stream(arguments):
    """Sends numbered datagrams at a steady rate until SIGTERM; then prints how many."""
    wanted = [True]
    signal.signal(signal.SIGTERM, lambda *_: wanted.clear())
    sender = socket.socket(family(arguments.destination), socket.SOCK_DGRAM)
    sender.bind((arguments.source, arguments.from_port))
    sender.connect((arguments.destination, arguments.port))
    count, start = 0, time.monotonic()
    print("ready", flush=True)
    while wanted:
        due = int((time.monotonic() - start) * arguments.rate)
        while count < due:
            try:
                sender.send(struct.pack("!Q", count))
            except ConnectionRefusedError:
                continue
            count += 1
        time.sleep(0.001)
    print(json.dumps({"sent": count}), flush=True)


def sources(arguments):
    """Sends SYNs to one port as fast as possible, each from another address."""
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((arguments.interface, 0x0800))
    ethernet = bytes.fromhex("020000000001 020000000005 0800")
    segment = struct.pack("!HHIIBBHHH", 40000, arguments.port, 1, 0, 0x50, 2, 1000, 0, 0)
    for number in range(arguments.count):
        source = struct.pack("!I", 0x0b000001 + number)
        sender.send(ethernet + struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, 6, 0, source,
                                           socket.inet_aton(arguments.destination)) + segment)


def receive(arguments):
    """Takes numbered datagrams until SIGTERM and a moment of silence; prints how many, and which are missing."""
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    receiver = listener("udp", arguments.port)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    receiver.settimeout(0.2)
    seen, again, silence = set(), 0, 0
    print("ready", flush=True)
    while not ended or silence < 3:
        try:
            number = struct.unpack("!Q", receiver.recv(64))[0]
            again += number in seen
            seen.add(number)
            silence = 0
        except TimeoutError:
            silence += 1
    holes = sorted(set(range(max(seen) + 1)) - seen)[:10] if seen else []
    print(json.dumps({"received": len(seen), "again": again, "holes": holes}), flush=True)


def serve(arguments):
    """Takes one TCP stream after the other; answers each with the number of bytes that it had."""
    server = listener("tcp", arguments.port)
    print("ready", flush=True)
    while True:
        stream = server.accept()[0]
        total = 0
        while data := stream.recv(1 << 20):
            total += len(data)
        stream.sendall(struct.pack("!Q", total))
        stream.close()


def send(arguments):
    """Sends bytes over TCP, slowly if asked to, and waits for the receiver's count of them."""
    stream = opened(arguments.source, arguments.destination, arguments.port, 10)
    piece, left = bytes(1 << 16), arguments.bytes
    end = time.monotonic() + arguments.seconds
    while left:
        stream.sendall(piece[:left])
        left -= min(left, len(piece))
        if arguments.seconds:
            time.sleep(max(0, (end - time.monotonic()) / (left / len(piece) + 1)))
    stream.shutdown(socket.SHUT_WR)
    print(struct.unpack("!Q", stream.recv(8, socket.MSG_WAITALL))[0])


def bare_frame(arguments):
    """Returns a frame of UDP, or a SYN. Its checksums are zero, because the filter does not check them."""
    version6 = ":" in arguments.source
    ports = struct.pack("!HH", 40000, arguments.port)
    if arguments.syn:
        segment, protocol = ports + struct.pack("!IIBBHHH", 1, 0, 5 << 4, 2, 64240, 0, 0), 6
    else:
        payload = bytes(i % 251 for i in range(arguments.length - (62 if version6 else 42)))
        segment, protocol = ports + struct.pack("!HH", 8 + len(payload), 0) + payload, 17
    ends = [socket.inet_pton(family(a), a) for a in (arguments.source, arguments.destination)]
    if version6:
        kind, header = 0x86DD, struct.pack("!IHBB", 6 << 28, len(segment), protocol, 64)
    else:
        kind, header = 0x0800, struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0, 64, protocol, 0)
    return bytes.fromhex("020000000001020000000005") + struct.pack("!H", kind) + header + b"".join(ends) + segment


def flood(arguments):
    """Sends the same frame again and again, as fast as possible."""
    frame = bare_frame(arguments)
    if arguments.print:
        print(frame.hex())
    sender = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sender.bind((arguments.interface, 0))
    sent = 0
    while sent < arguments.count:
        try:
            sender.send(frame)
            sent += 1
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise


def measure(arguments):
    """Runs a command, and writes its time and peak memory to the named file."""
    start = time.monotonic()
    status = subprocess.run(arguments.command, check=False).returncode
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(arguments.report, "w", encoding="ascii") as report:
        report.write(f"{time.monotonic() - start:.1f} s, peak {usage.ru_maxrss // 1024} MiB\n")
    sys.exit(status)


def commands():
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers(required=True)

    def verb(function, *names):
        sub = verbs.add_parser(function.__name__)
        sub.set_defaults(run=function)
        for name in names:
            sub.add_argument(name, type=int if name in ("port", "bytes", "count") else str)
        return sub

    verb(listen).add_argument("where", nargs="+")
    sub = verb(connect, "source", "destination", "port")
    sub.add_argument("--timeout", type=float, default=0.7)
    sub.add_argument("--hold", type=float, default=0)
    sub.add_argument("--reset", action="store_true")
    sub = verb(ask, "source", "destination", "port")
    sub.add_argument("--bytes", type=int, default=5)
    sub.add_argument("--timeout", type=float, default=ANSWER_SECONDS)
    sub = verb(stream, "source", "destination", "port")
    sub.add_argument("--from-port", type=int, default=0)
    sub.add_argument("--rate", type=int, default=1000)
    sub = verb(sources, "interface", "destination", "port")
    sub.add_argument("count", type=int)
    verb(receive, "port")
    verb(serve, "port")
    verb(send, "source", "destination", "port", "bytes").add_argument(
        "--seconds", type=float, default=0)
    sub = verb(flood, "interface", "source", "destination", "port", "count")
    sub.add_argument("--length", type=int, default=60)
    sub.add_argument("--syn", action="store_true")
    sub.add_argument("--print", action="store_true")
    verb(measure, "report").add_argument("command", nargs=argparse.REMAINDER)
    return parser


if __name__ == "__main__":
    settings = commands().parse_args()
    settings.run(settings)
