"""The pages of goroutines, the collector, tasks, regions, events, SQL: their numbers, and what clicks on them do."""

import os
import re

from check_pages import as_text


def check(browser):
    served = browser.serve("traces/go1.27/annotations.trace")
    page = browser.page(served)
    goroutines(page, served)
    annotations(page, served)
    events(page, served)
    statements(page, served)
    collected = browser.serve("traces/go1.26/gc.trace")
    collector(browser.page(collected), collected)
    damage(browser)
    several(browser)


def cells(shown, name, column=None):
    """The values of a table's rows that are drawn, or of one column, by its place."""
    values = shown.evaluate("""(name) => [...document.querySelectorAll(`table[data-query="${name}"] tbody tr:not(.space)`)]
        .map((row) => [...row.querySelectorAll("td:not([data-drawn])")].map((cell) => cell.getAttribute("data-value")))""", name)
    return values if column is None else [row[column] for row in values]


def until(shown, claim):
    """Waits until it holds: what Playwright itself waits for is evaluated in the page, which forbids that."""
    for _ in range(100):
        if claim() if callable(claim) else shown.evaluate(claim):
            return
        shown.wait_for_timeout(100)
    raise AssertionError(f"it never was so: {claim}")


def texts(rows):
    return [[as_text(value) for value in row] for row in rows]


def goroutines(page, served):
    shown = page.open("/goroutines")
    answer = served.get("/api/query/goroutines?limit=-1")
    assert len(cells(shown, "goroutines")) == min(len(answer["rows"]), 80), "not all groups are there"
    # Without those of the runtime.
    shown.click("#system")
    shown.wait_for_url("**system=0*")
    shown.wait_for_selector('body[data-ready="1"]')
    answer = served.get("/api/query/goroutines?limit=-1&system=0")
    assert len(cells(shown, "goroutines")) == len(answer["rows"])
    name, count = served.sql("""select name, count(*) from goroutines where name is not null
                                group by 1 order by 2 desc, 1 limit 1""")[0]
    shown = page.open(f"/goroutines/{name.replace('/', '%2F')}")
    rows = cells(shown, "breakdown")
    want = texts(served.sql(f"""select goid, created_ns, total_ns, running_ns, runnable_ns, syscall_ns, syscall_blocked_ns
                                from goroutines where name = '{name}' order by total_ns desc, id limit {len(rows)}"""))
    assert [row[:7] for row in rows] == want, f"{name}: {rows[:2]} but {want[:2]}"
    for row in rows:
        assert sum(map(int, row[3:])) == int(row[2]), f"the times do not add up: {row}"
        assert row[-1] == "0", f"unknown time: {row}"
    assert len(rows) == min(count, len(rows)) and rows
    shown = page.open("/goroutine/1")
    states = served.sql("select count(*) from goroutine_states s join goroutines g on g.id = s.goroutine_id where g.goid = 1")[0][0]
    assert len(shown.query_selector_all("svg.strip rect")) == states
    got, want = cells(shown, "goroutine")[:3], texts(served.get("/api/query/goroutine?goid=1&limit=3")["rows"])[:3]
    assert got == want, f"{got} but {want}"
    page.problems.clear()
    shown = page.open("/goroutine/999999", expect="problem")
    assert "there is no goroutine 999999" in shown.inner_text(".problem")


def annotations(page, served):
    for path, name in [("/tasks", "tasks"), ("/regions", "regions")]:
        shown = page.open(path)
        link = shown.query_selector("figure.plot a")
        href = link.get_attribute("href") if link else None
        assert href, f"{path}: no step of a histogram to click on"
        number = int(re.match(r"[\d,]+", link.get_attribute("aria-label")).group().replace(",", ""))
        shown = page.open(href.split("#")[0])
        table = shown.query_selector_all(f'table[data-query="{name}"]')[-1]
        complete = [row for row in table.query_selector_all("tbody tr:not(.space)")
                    if not row.query_selector_all("td")[3 if name == "regions" else 4].get_attribute("data-value")]
        assert len(complete) == min(number, len(complete)) and complete, f"{href}: {len(complete)} rows, not {number}"
    task, logs = served.sql("select task, count(*) from logs where task <> 0 group by 1 order by 2 desc limit 1")[0]
    shown = page.open(f"/task/{task}")
    assert len(cells(shown, "logs")) == min(logs, 80)
    assert shown.query_selector(".gantt rect")


def events(page, served):
    shown = page.open("/events")
    first = cells(shown, "events", 0)
    want = served.sql("select events from traces")[0][0]
    assert first and first == sorted(first, key=int)
    if want > 1000:
        href = shown.query_selector("text=the next events").get_attribute("href")
        after = cells(page.open(href), "events", 0)
        assert int(after[0]) > int(first[-1])
    shown = page.open("/events?goroutine=1&kind=StateTransition")
    assert {row[1] for row in cells(shown, "events")} == {"StateTransition"}


def statements(page, served):
    # What comes with an address does not run by itself.
    shown = page.open("/sql?q=select+1+as+one")
    assert not shown.query_selector("table[data-query]")
    assert shown.input_value("#statement") == "select 1 as one"
    shown.click("button:text-is('Run')")
    shown.wait_for_selector('table[data-query="result"]')
    assert cells(shown, "result") == [["1"]]
    # Keys alone: complete a name, give a parameter, run.
    shown.fill("#statement", "")
    shown.focus("#statement")
    shown.keyboard.type("select name, running_ns from gorout")
    shown.wait_for_selector("#candidates li")
    assert shown.inner_text("#candidates li:first-child").startswith("gorout")
    shown.keyboard.press("Escape")
    shown.keyboard.type("ines where goid = :goid")
    shown.fill('input[name="goid"]', "1")
    shown.focus("#statement")
    shown.keyboard.press("Control+Enter")
    until(shown, "document.querySelector('table[data-query=result] thead')?.innerText.includes('running_ns')")
    assert cells(shown, "result") == texts(served.sql("select name, running_ns from goroutines where goid = 1"))
    page.check("/sql")
    # An error has the words of the server, with the place.
    shown.fill("#statement", "select\n  no_such from goroutines")
    shown.keyboard.press("Control+Enter")
    shown.wait_for_selector(".problem pre")
    assert "^" in shown.inner_text(".problem pre") and "no_such" in shown.inner_text(".problem pre")
    page.problems.clear()
    # Escape stops what takes too long.
    shown.fill("#statement", "with recursive n(x) as (select 1 union all select x + 1 from n) select sum(x) from n")
    shown.keyboard.press("Control+Enter")
    shown.wait_for_selector("button:has-text('Stop'):not([hidden])")
    shown.keyboard.press("Escape")
    until(shown, "document.querySelector('.workbench [role=status]').textContent === 'stopped'")
    page.check("/sql")


def collector(page, served):
    shown = page.open("/collector")
    assert cells(shown, "mmu") == texts(served.get("/api/query/mmu?sweep=0&per_proc=0")["rows"])[:len(cells(shown, "mmu"))]
    shown.click("#mmu-background")
    want = texts(served.get("/api/query/mmu?background=0")["rows"])
    until(shown, "location.search.includes('background=0')")
    until(shown, lambda: cells(shown, "mmu") and cells(shown, "mmu") == want[:len(cells(shown, "mmu"))])
    page.check("/collector")


def damage(browser):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "testdata", "traces", "go1.27", "mixed.trace")
    with open(root, "rb") as file:
        data = bytearray(file.read())
    data[len(data) // 2:len(data) // 2 + 200] = b"\xff" * 200
    path = os.path.join(browser.folder, "damaged.trace")
    with open(path, "wb") as file:
        file.write(data)
    served = browser.serve(path)
    page = browser.page(served)
    shown = page.open("/diagnostics")
    rows = cells(shown, "diagnostics")
    all_rows = served.sql("select count(*) from diagnostics")[0][0]
    assert rows and shown.query_selector(f"text={all_rows} rows"), f"not {all_rows} rows"
    assert any(row[2] is not None for row in rows), "no byte is named"
    for path in ["/goroutines", "/goroutine/1", "/collector", "/scheduler", "/procs", "/events"]:
        page.open(path)


def several(browser):
    """With several traces the one that is looked at stays in the links."""
    served = browser.serve("traces/go1.27/gc.trace", "traces/go1.22/mixed.trace")
    second = served.get("/api/analysis")["traces"][1]["id"]
    page = browser.page(served)
    shown = page.open(f"/goroutines?trace={second}")
    links = [link.get_attribute("href") for link in shown.query_selector_all('table[data-query="goroutines"] a')]
    assert links and all(f"trace={second}" in link for link in links), links[:3]
    shown = page.open(links[0])
    assert cells(shown, "breakdown")
