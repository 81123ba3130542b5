#!/usr/bin/env python3
"""Profiles in the forms before profile.proto, as gperftools, tcmalloc and Java's profilers wrote them.

    old_forms.py FOLDER    writes those that are committed in testdata/profiles/old

The names of the files say the form. The addresses, maps and numbers are made up.
"""

import os
import random
import struct
import sys

# Program, library, what is no code, and what maps of real programs have besides.
MAPS = {
    "plain": """00400000-004a0000 r-xp 00000000 08:01 131 /srv/gone/program
004a0000-004b0000 rw-p 000a0000 08:01 131 /srv/gone/program
7f1000000000-7f1000020000 r-xp 00000000 08:01 132 /gone/libc.so.6
7f1000020000-7f1000030000 r-xp 00020000 08:01 132 /gone/libc.so.6
7ffc00000000-7ffc00001000 r-xp 00000000 00:00 0 [vdso]
""",
    "library first": """7f1000000000-7f1000020000 r-xp 00000000 08:01 132 /gone/libx.so
00401000-004a0000 r-xp 00001000 08:01 131 /srv/gone/program (deleted)
""",
    "huge pages": """00400000-00480000 r-xp 00000000 00:00 0 /anon_hugepage
00480000-004a0000 r-xp 00080000 08:01 131 /srv/gone/program
""",
    "first part missing": """00440000-004a0000 r-xp 00020000 08:01 131 /srv/gone/program
7f1000010000-7f1000030000 r-xp 00010000 08:01 132 /gone/liby.so.2
""",
    "brief": """build=/srv/gone
short=abc
0x400000-0x4a0000 $build/program (@1000) f00ba4
I0304 12:00:00.000000 17 maps.cc:31] 7f1000000000-7f1000020000: $build/lib$short.so
not a line of it
""",
    "overlapping": """00400000-004a0000 r-xp 00000000 08:01 131 /gone/a.so
00400000-00410000 r-xp 00000000 08:01 132 /gone/b.so
00408000-7f1000020000 r-xp 00300000 08:01 133 /gone/c.so
""",
    "none": "",
}
SENTINELS = ["--- Memory map: ---", "MAPPED_LIBRARIES:"]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.places = [self.random.choice([0x400000, 0x400000, 0x400000, 0x430000, 0x7F1000000000]) + self.random.randrange(0x20000) for _ in range(24)]

    def stack(self, most=7):
        return [self.random.choice(self.places) for _ in range(self.random.randint(1, most))]

    def stacks(self, count):
        return [self.stack() for _ in range(count)]

    def hex(self, stack):
        return " ".join("0x%x" % address for address in stack)

    def map(self, which, sentinel=None):
        return (sentinel or self.random.choice(SENTINELS)) + "\n" + MAPS[which]

    def cpu(self, word, handler, which):
        """`handler`: how many frames of a signal handler stand behind the leaf."""
        out = [0, 3, 0, 10000, 0]
        for stack in self.stacks(70):
            if self.random.random() < 0.1:
                stack[1:1] = [stack[0]]  # The leaf as a return address too, as one less is.
                stack[1] += 0 if self.random.random() < 0.5 else 2
            if handler:
                stack[1:1] = [0x41F001 + 16 * n for n in range(handler)]
            out += [self.random.randint(1, 40), len(stack)] + stack
        out += [0, 1, 0]
        mask = 0xFFFFFFFF if word[1] == "I" else 0xFFFFFFFFFFFFFFFF
        return b"".join(struct.pack(word, number & mask) for number in out) + MAPS[which].encode()

    def java_cpu(self, word):
        out = [0, 3, 1, 9999, 0]
        self.places = list(range(1, 12))
        for stack in self.stacks(40):
            out += [self.random.randint(1, 9), len(stack)] + stack
        out += [0, 1, 0]
        return b"".join(struct.pack(word, number) for number in out) + self.java_locations().encode()

    def java_locations(self):
        what = ["com.example.Server.handle (Server.java:%d)", "com.example.Server.handle (Server.java:%d)", "com.example.Pool$1.run (Pool.java:%d)", "java.lang.Thread.run (Thread.java:-%d)",
                "memcpy (/lib/x86_64/libc.so.%d)", "0x1f generated stub/JIT %d", "GC", "VM (no path/)", "malloc (/lib/x86_64/libc.so.%d)", "UnlockSlow(int) (m.cc:%d)", "a.b.<init> (a(b).java:%d)"]
        lines = []
        for place, address in enumerate(self.places):
            text = what[place % len(what)]
            lines.append("  0x%08x  %s  " % (address, text % (10 + place) if "%" in text else text))
        lines[3:3] = ["", "nothing", "0x99999 unused (x.java:1)"]
        return "\n".join(lines[:-1]) + "\n"

    def java(self, form):
        self.places = [0x3E0 + 3 * n for n in range(14)]
        header = {"heap": "--- heapz 1 ---\nformat = java\nresolution = bytes\n",
                  "contention": "--- contentionz 1 ---\nformat = java\nresolution = microseconds\nsampling period = 100\nms since reset = 6019923\n"}[form]
        lines = ["%14d %8d @ %s" % (self.random.randrange(1, 1 << 24), self.random.randint(1, 300), self.hex(stack)) for stack in self.stacks(30)]
        return (header + "\n".join(lines) + "\n" + self.java_locations()).encode()

    def heap(self, version, has_alloc, which):
        rows, sums = [], [0, 0, 0, 0]
        for stack in self.stacks(50):
            count, size = self.random.randint(0, 50), self.random.choice([16, 48, 1024, 1 << 20])
            more = self.random.randint(0, 50) if has_alloc else 0
            row = [count, count * size, count + more, (count + more) * size]
            sums = [a + b for a, b in zip(sums, row)]
            rows.append((row, stack))
        line = "%6d: %8d [%6d: %8d] @ %s"
        out = ["heap profile: " + line % (*sums, version)]
        out += [line % (*row, self.hex(stack)) for row, stack in rows]
        out[4:4] = ["", "# a remark"]
        return ("\n".join(out) + "\n\n" + self.map(which)).encode()

    def contention(self, first, attributes, which):
        out = [first] + attributes
        out += ["%d %d @ %s" % (self.random.randrange(1, 1 << 30), self.random.randint(1, 500), self.hex(stack)) for stack in self.stacks(40)]
        return ("\n".join(out) + "\n" + self.map(which, SENTINELS[0])).encode()

    def count(self, which):
        out = ["", "# a remark", "sockets profile: total 70"]
        out += ["%d @ %s" % (self.random.randint(1, 9), self.hex(stack)) for stack in self.stacks(30)]
        return ("\n".join(out) + "\n--- other ---\n00400000-00500000 r-xp 0 0:0 0 /not/this\n" + self.map(which)).encode()

    def threads(self, has_title, which):
        out = ["", "--- threadz 1 ---", "", "a remark"] if has_title else []
        for number, stack in enumerate(self.stacks(40)):
            out.append("--- Thread %x (name: worker-%d/%d) stack: ---" % (0x7F0000 + number, number, 100 + number))
            if number and self.random.random() < 0.3:
                out += ["  [same as previous thread]"]
                continue
            if self.random.random() < 0.2:
                stack[1:1] = [stack[0]]
            out += ["  PC: 0x%x: function(int)" % stack[0], ""] + ["    0x%x caller" % address for address in stack[1:]]
        out.append("---- no stack trace for 2 threads")
        return ("\n".join(out) + "\n" + self.map(which)).encode()


def make(seed):
    """Name and bytes of one profile of each form."""
    maker = Maker(seed)
    which = lambda: maker.random.choice(list(MAPS))
    for name, word in [("little32", "<I"), ("big32", ">I"), ("little64", "<Q"), ("big64", ">Q")]:
        yield "cpu-%s.prof" % name, maker.cpu(word, maker.random.randrange(4), which())
    yield "java-cpu.prof", Maker(seed).java_cpu(maker.random.choice(["<I", ">I", "<Q", ">Q"]))
    for form in ["heap", "contention"]:
        yield "java-%s.txt" % form, Maker(seed).java(form)
    for name, version, has_alloc in [("heapz", "heapz_v2/524288", False), ("heap", "heap/1048576", True), ("heapprofile", "heapprofile", True),
                                     ("growth", "growthz", False), ("fragmentation", "fragmentation", False)]:
        yield "%s.txt" % name, maker.heap(version, has_alloc, which())
    yield "contentionz.txt", maker.contention("--- contentionz 1 ---", ["cycles/second = 2900000000", "sampling period = 0x64", "ms since reset = 16502830", "discarded samples = 0"], which())
    yield "contention-plain.txt", maker.contention("--- contention:", [], which())
    yield "count.txt", maker.count(which())
    yield "threadz.txt", maker.threads(True, which())
    yield "threads.txt", maker.threads(False, which())


def write(folder, seed):
    """Writes the profiles of a seed. Their paths."""
    os.makedirs(folder, exist_ok=True)
    paths = []
    for name, data in make(seed):
        paths.append(os.path.join(folder, name))
        with open(paths[-1], "wb") as f:
            f.write(data)
    return paths


if __name__ == "__main__":
    write(sys.argv[1], 1)
