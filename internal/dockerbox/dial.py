"""Connects standard input and output to HOST:PORT, after a line that says "ok" or what is wrong."""

import os
import socket
import sys
import threading

CHUNK = 1 << 16
MOST = (1 << 16) - 1  # bytes in a datagram


def say(line):
    os.write(1, line.encode() + b"\n")


def write(data):
    while data:
        data = data[os.write(1, data):]


def stream(s):
    """Copy both ways until each side has ended."""

    def outgoing():
        while data := os.read(0, CHUNK):
            s.sendall(data)
        s.shutdown(socket.SHUT_WR)

    threading.Thread(target=outgoing, daemon=True).start()
    while data := s.recv(CHUNK):
        write(data)


def datagrams(s):
    """Copy datagrams, each after its length in two bytes, until standard input ends."""

    def incoming():
        while True:
            data = s.recv(MOST)
            write(len(data).to_bytes(2, "big") + data)

    threading.Thread(target=incoming, daemon=True).start()
    with open(0, "rb") as inputs:
        while head := inputs.read(2):
            s.send(inputs.read(int.from_bytes(head, "big")))


def main(network, host, port):
    kind = {"tcp": socket.SOCK_STREAM, "udp": socket.SOCK_DGRAM}[network]
    try:
        family, _, _, _, address = socket.getaddrinfo(host, int(port), socket.AF_INET, kind)[0]
        s = socket.socket(family, kind)
        s.settimeout(10)
        s.connect(address)
        s.settimeout(None)
    except socket.gaierror:
        return say("no such host")
    except OSError as e:
        return say((e.strerror or str(e)).lower())
    say("ok")
    return stream(s) if network == "tcp" else datagrams(s)


if __name__ == "__main__":
    main(*sys.argv[1:])
