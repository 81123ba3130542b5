"""Traces of Go 1.11 to 1.21 as a machine with a coarse clock would write them.

Where events of several procs have one time, their order is that of Go's merge. Recorded traces have
few such events, these have many.
"""

BATCH, FREQUENCY, STACK, GO_SYS_EXIT, STRING, USER_LOG, CPU_SAMPLE = 1, 2, 3, 29, 37, 48, 49
HEADER = 16


def coarsen(data, step):
    """The trace with a clock that moves by `step` ticks at a time."""
    out, at = bytearray(data[:HEADER]), HEADER
    ticks = written = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def text():
        nonlocal at
        size = number()
        at += size
        return encode(size) + data[at - size:at]

    while at < len(data):
        head = data[at]
        at += 1
        out.append(head)
        kind, count = head & 63, (head >> 6) + 1
        if kind == STRING:
            out += encode(number()) + text()
            continue
        if count < 4:
            args = [number() for _ in range(count)]
        else:
            size = number()
            end, args = at + size, []
            while at < end:
                args.append(number())
        if kind == BATCH:
            ticks = args[1]
            args[1] = written = ticks // step * step
        elif kind == CPU_SAMPLE:
            args[1] = args[1] // step * step
        elif kind not in (FREQUENCY, STACK):
            ticks += args[0]
            args[0] = ticks // step * step - written
            written += args[0]
            if kind == GO_SYS_EXIT:
                args[3] = args[3] // step * step
        body = b"".join(map(encode, args))
        out += encode(len(body)) + body if count == 4 else body
        if kind == USER_LOG:
            out += text()
    return bytes(out)


def encode(value):
    """A number as the traces have it."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out + bytes([value]))
