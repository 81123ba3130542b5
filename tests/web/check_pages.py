"""Every page opens, shows what its queries answer, in light and dark, wide and narrow."""

import os

SOURCES = {
    "new": ["traces/go1.27/annotations.trace"],
    "old": ["traces/go1.19/mixed.trace"],
    "both": ["traces/go1.27/gc.trace", "traces/go1.22/mixed.trace", "profiles/go1.27/cpu.pb.gz"],
    "profile": ["profiles/go1.27/heap.pb.gz"],
}
PAGES = ["/", "/timeline", "/goroutines", "/goroutines/main.main", "/goroutine/1", "/collector", "/scheduler",
         "/syscalls", "/network", "/locks", "/channels", "/threads", "/procs", "/tasks", "/regions", "/profile",
         "/events", "/sql", "/queries", "/query/goroutines", "/query/gc-frequency", "/diagnostics"]


def check(browser):
    for name, sources in SOURCES.items():
        served = browser.serve(*sources)
        is_pictured = browser.pictures and name in ("new", "both")
        for scheme, width in [("light", 1400), ("dark", 1400), ("light", 700), ("dark", 700)]:
            if name != "new" and not is_pictured and (scheme, width) != ("light", 1400):
                continue
            page = browser.page(served, width=width, scheme=scheme)
            for path in PAGES:
                # Without a trace some of them say so.
                shown = page.open(path, expect="problem" if name == "profile" else None)
                names_everything(shown, path)
                if width == 700:
                    fits(shown, path)
                if is_pictured:
                    os.makedirs(browser.pictures, exist_ok=True)
                    picture = f"{name}-{path.strip('/').replace('/', '-') or 'overview'}-{scheme}-{width}.png"
                    shown.screenshot(path=os.path.join(browser.pictures, picture))
        tables(browser.page(served), served)


def names_everything(page, path):
    """Whatever can be used has a name."""
    unnamed = page.evaluate("""() => [...document.querySelectorAll("button, a[href], input, select, textarea")]
        .filter((it) => it.offsetParent && !it.hidden)
        .filter((it) => !(it.textContent?.trim() || it.getAttribute("aria-label") || it.title || it.placeholder
            || it.labels?.length || it.value))
        .map((it) => it.outerHTML.slice(0, 200))""")
    assert not unnamed, f"{path}: without a name: {unnamed}"


def fits(page, path):
    """Nothing but what scrolls by itself is wider than the window."""
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 1, f"{path}: {wide} pixels too wide"


def tables(page, served):
    """What stands in the tables of pages is what the queries answer."""
    traces = served.get("/api/analysis")["traces"]
    if not traces:
        return
    seen = 0
    for path in ["/query/goroutines", "/query/gc-frequency", "/scheduler", "/syscalls", "/goroutines"]:
        shown = page.open(path, expect="problem")
        for table in shown.query_selector_all("table[data-query]"):
            name = table.get_attribute("data-query")
            columns = [cell.inner_text().strip(" ▾▴") for cell in table.query_selector_all("thead th:not([data-drawn])")]
            rows = [[cell.get_attribute("data-value") for cell in row.query_selector_all("td:not([data-drawn])")]
                    for row in table.query_selector_all("tbody tr:not(.space)")]
            answer = served.get(f"/api/query/{name}?trace={traces[0]['id']}"
                                if "trace" in parameters(served, name) else f"/api/query/{name}")
            at = {column["name"]: index for index, column in enumerate(answer["columns"])}
            if not answer["rows"] or not all(column in at for column in columns):
                continue
            want = [[as_text(row[at[column]]) for column in columns] for row in answer["rows"][:len(rows)]]
            assert rows == want, f"{path}: {name}: {rows[:2]} but {want[:2]}"
            seen += 1
    assert seen >= 2, f"only {seen} tables"


def parameters(served, name):
    return [one["name"] for query in served.get("/api/queries") if query["name"] == name
            for one in query["parameters"]]


def as_text(value):
    if value is None or isinstance(value, str):
        return value
    # As JavaScript writes numbers.
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return repr(value).lower() if isinstance(value, bool) else repr(value)
