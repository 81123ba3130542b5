"""A browser, and servers that it opens pages of."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request

from playwright.sync_api import sync_playwright

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Served:
    """A running gotrace web."""

    def __init__(self, binary, arguments, folder):
        self.process = subprocess.Popen([binary, "web", "--no-browser", *arguments], cwd=folder, text=True,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said = []
        for line in self.process.stderr:
            self.said.append(line)
            found = re.search(r"(http://([^/]+)/)\?t=([0-9a-f]{32})", line)
            if found:
                break
        else:
            raise AssertionError("".join(self.said))
        self.base, self.host, self.secret = found.group(1), found.group(2), found.group(3)
        self.link = found.group(0)

    def get(self, path):
        """The answer to a script's request, as JSON."""
        request = urllib.request.Request(self.base.rstrip("/") + path, headers={"Authorization": f"Bearer {self.secret}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def sql(self, statement):
        """The rows of a statement."""
        request = urllib.request.Request(
            self.base + "api/sql", json.dumps({"sql": statement}).encode(),
            headers={"Authorization": f"Bearer {self.secret}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["rows"]

    def wait(self):
        """Until nothing is loaded any more."""
        request = urllib.request.Request(self.base + "api/progress", headers={"Authorization": f"Bearer {self.secret}"})
        with urllib.request.urlopen(request, timeout=60) as events:
            events.read()

    def end(self):
        self.process.terminate()
        self.process.stderr.read()
        self.process.wait()


class Page:
    """A page of the browser that keeps what goes wrong."""

    def __init__(self, page, served):
        self.page, self.served = page, served
        self.problems = []
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("request", self.asked)

    def asked(self, request):
        url = request.url
        if not url.startswith((self.served.base, "blob:", "data:")):
            self.problems.append(f"a request to {url}")

    def open(self, path, expect=None):
        """Opens a page and waits until it is complete."""
        self.page.goto(self.served.base.rstrip("/") + path)
        self.page.wait_for_selector('body[data-ready="1"]', timeout=60_000)
        if expect != "problem":
            for card in self.page.query_selector_all(".problem"):
                self.problems.append(f"{path}: {card.inner_text()}")
        self.check(path)
        return self.page

    def check(self, where):
        assert not self.problems, f"{where}: {self.problems}"


class Browser:
    """Chromium, with as many servers as a check wants."""

    def __init__(self, chromium, binary, pictures):
        self.chromium, self.binary, self.pictures = chromium, binary, pictures
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.driver = self.stack.enter_context(sync_playwright())
        self.browser = self.driver.chromium.launch(
            executable_path=self.chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
                  "--disable-sync", "--disable-quic", "--no-first-run"])
        self.stack.callback(self.browser.close)
        return self

    def __exit__(self, *failure):
        return self.stack.__exit__(*failure)

    def serve(self, *sources):
        """A server over copies of files of testdata/, or over files that are there."""
        names = []
        for source in sources:
            path = os.path.join(ROOT, "testdata", source)
            if os.path.exists(path):
                name = source.strip("/").replace("/", "-")
                shutil.copy(path, os.path.join(self.folder, name))
                names.append(name)
            else:
                names.append(source)
        served = Served(self.binary, names, self.folder)
        self.stack.callback(served.end)
        served.wait()
        return served

    def page(self, served, width=1400, height=900, scheme="light"):
        """A page that has been let in."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.stack.callback(context.close)
        page = Page(context.new_page(), served)
        page.page.goto(served.link)
        return page
