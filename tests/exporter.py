#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Clients of the exporter that behave unlike curl, and the service manager's side.

  silent HOST PORT N       N connections that say nothing; prints "ready", keeps them until killed
  trickle HOST PORT        a request byte by byte; prints the seconds until it is cut off
  sip HOST PORT N          N readers that ask for the metrics and read nothing; "ready"
  relay HOST PORT          such readers, the next before the last is cut off; "ready"
  guess HOST PORT USER N   N clients that try one password after the other; "ready"
  raw HOST PORT TEXT       sends TEXT (with \\r, \\n, \\0); prints the status of each answer, or "none"
  activate ADDRESS... -- COMMAND   runs it with listening sockets passed as systemd does
  notified FILE COMMAND    runs it, and writes what it tells the service manager to FILE
  openmetrics FILE         parses OpenMetrics; prints one "name{labels} value" a line, sorted
  climb URL                scrapes until SIGTERM; prints scrapes, and series whose counter went down
"""
import base64
import codecs
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request


def wait_for_ever():
    signal.pause()


def connections(host, port, count):
    return [socket.create_connection((host, int(port)), timeout=30) for _ in range(int(count))]


def silent(host, port, count):
    kept = connections(host, port, count)
    print("ready", len(kept), flush=True)
    wait_for_ever()


def trickle(host, port):
    client, = connections(host, port, 1)
    begin = time.monotonic()
    client.settimeout(1)
    try:
        for byte in b"GET /metrics HTTP/1.1\r\nHost: here\r\nX: " + b"x" * 120:
            client.send(bytes([byte]))
            try:
                if not client.recv(1):
                    break
            except socket.timeout:
                pass
    except (ConnectionResetError, BrokenPipeError):
        pass
    print(round(time.monotonic() - begin))


def ask_and_leave_unread(host, port, count):
    kept = [socket.socket() for _ in range(int(count))]
    for client in kept:
        # before the connection: what was offered to the other side once is not taken back
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.settimeout(30)
        client.connect((host, int(port)))
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n")
    return kept


def sip(host, port, count):
    kept = ask_and_leave_unread(host, port, count)
    print("ready", len(kept), flush=True)
    wait_for_ever()


def relay(host, port):
    kept = []
    while True:
        kept += ask_and_leave_unread(host, port, 1)
        print("ready", len(kept), flush=True)
        time.sleep(10)


def receive_all(client):
    answer = b""
    try:
        while piece := client.recv(65536):
            answer += piece
    except (ConnectionResetError, socket.timeout):
        pass
    return answer


def try_passwords(host, port, user, numbers):
    for number in numbers:
        pair = base64.b64encode(f"{user}:wrong{number}".encode()).decode()
        try:
            client, = connections(host, port, 1)
            client.sendall(f"GET /healthz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
                           f"Authorization: Basic {pair}\r\n\r\n".encode())
            receive_all(client)
            client.close()
        except OSError:
            time.sleep(0.05)


def guess(host, port, user, count):
    numbers = itertools.count()
    for _ in range(int(count)):
        threading.Thread(target=try_passwords, args=(host, port, user, numbers), daemon=True).start()
    print("ready", flush=True)
    wait_for_ever()


def raw(host, port, text):
    client, = connections(host, port, 1)
    client.sendall(codecs.escape_decode(text.encode())[0])
    client.settimeout(2)
    status = re.findall(rb"^HTTP/1\.[01] ([0-9]{3}) ", receive_all(client), re.M)
    print(b" ".join(status).decode() or "none")


def listening(address):
    host, port = address.rsplit(":", 1)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = socket.socket(family)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((host.strip("[]"), int(port)))
    server.listen()
    return server


def activate(*words):
    at = words.index("--")
    kept = [listening(address) for address in words[:at]]
    free = [os.dup(server.fileno()) for server in kept]
    for number, fd in enumerate(free):
        os.dup2(fd, 3 + number, inheritable=True)
    os.environ["LISTEN_FDS"] = str(len(free))
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.execvp(words[at + 1], words[at + 1:])


def notified(name, *command):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(name + ".socket")
    os.chmod(name + ".socket", 0o666)
    child = subprocess.Popen(command, env=dict(os.environ, NOTIFY_SOCKET=name + ".socket"))
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: child.send_signal(number))
    manager.settimeout(0.2)
    with open(name, "w", encoding="ascii") as log:
        while child.poll() is None:
            try:
                log.write(manager.recv(4096).decode() + "\n")
                log.flush()
            except socket.timeout:
                pass
    sys.exit(child.returncode)


def openmetrics(name):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
    with open(name, encoding="utf-8") as file:
        text = file.read()
    lines = []
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{key}="{value}"' for key, value in sample.labels.items())
            lines.append(f"{sample.name}{{{labels}}} {sample.value:.17g}")
    print("\n".join(sorted(lines)))


def climb(url):
    line = re.compile(r"^(bkxdp_[a-z_]*_total(?:\{[^}]*\})?) ([0-9]+)$", re.M)
    last, scrapes, fallen, ended = {}, 0, [], []
    signal.signal(signal.SIGTERM, lambda number, frame: ended.append(number))
    while not ended:
        with urllib.request.urlopen(url, timeout=60) as answer:
            text = answer.read().decode()
        scrapes += 1
        for series, value in line.findall(text):
            if int(value) < last.get(series, 0):
                fallen.append(f"{series} {last[series]} -> {value}")
            last[series] = int(value)
        time.sleep(0.02)
    print(scrapes, len(fallen))
    print("\n".join(fallen[:10]))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
