"""The committed traces, for all scripts here. `tests/committed` has the same rule for `cargo test`."""

import glob
import os

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TESTDATA = os.path.join(ROOT, "testdata")


def traces():
    """Name (`go1.27/gc`) to path of the traces that testdata/record has made, in order: it has written down
    what to expect of each. Whatever else lies there is somebody's own."""
    folder = os.path.join(TESTDATA, "traces")
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.trace"))):
        name = os.path.relpath(path, folder)[:-len(".trace")].replace(os.sep, "/")
        if os.path.isfile(os.path.join(TESTDATA, "expected", name + ".parsed")):
            found[name] = path
    return found
