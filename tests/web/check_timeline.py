"""The timeline: what is found is where the database says, the address holds the view, sums equal SQL, keys do all."""


def check(browser):
    served = browser.serve("traces/go1.27/mixed.trace")
    for scheme, width in [("light", 1400), ("dark", 700)]:
        page = browser.page(served, width=width, scheme=scheme)
        shown = page.open("/timeline")
        idle(shown)
        coloured(shown)
        keys(shown)
        if width == 1400:
            slices(shown, page)
            areas(shown)
            pointer(shown)
    for source in ["traces/go1.19/mixed.trace", "traces/go1.27/killed.trace"]:
        shown = browser.page(browser.serve(source)).open("/timeline?lanes=procs")
        idle(shown)
        coloured(shown, 2)


def idle(page):
    page.evaluate("window.gotrace.idle()")


def window(page):
    return page.evaluate("[gotrace.timeline.view.start, gotrace.timeline.view.end]")


def coloured(page, least=4):
    """The lanes have more than a background."""
    count = page.evaluate("""() => {
        const canvas = document.querySelector("canvas.lanes");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const seen = new Map();
        for (let at = 0; at < data.length; at += 4) {
            const key = (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
            seen.set(key, (seen.get(key) ?? 0) + 1);
        }
        return [...seen.values()].filter((pixels) => pixels > 200).length;
    }""")
    assert count >= least, f"only {count} colours"


def keys(page):
    """Keys zoom, pan, and lead back to the whole."""
    whole = window(page)
    page.focus("canvas.lanes")
    page.keyboard.press("w")
    page.keyboard.press("w")
    idle(page)
    near = window(page)
    assert near[1] - near[0] < (whole[1] - whole[0]) * 0.6, (whole, near)
    page.keyboard.press("d")
    idle(page)
    assert window(page)[0] > near[0]
    page.keyboard.press("0")
    idle(page)
    assert window(page) == whole
    for key, lanes in [("2", "procs"), ("3", "threads"), ("1", "goroutines")]:
        page.keyboard.press(key)
        idle(page)
        assert page.evaluate("gotrace.timeline.rows.wish.lanes") == lanes
        assert page.evaluate("gotrace.timeline.rows.count") > 0


def ask(page, sql):
    body = {"sql": sql}
    return page.evaluate("""async (body) => (await (await fetch("/api/sql", {method: "POST",
        headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)})).json()).rows""", body)


def slices(page, opened):
    """A slice is where the database says; its address shows it again; its neighbours follow."""
    state, start, duration, goid = ask(page, """select s.id, s.start_ns, s.duration_ns, g.goid from goroutine_states s
        join goroutines g on g.id = s.goroutine_id where s.state = 'waiting' and s.woken_by_id is not null
        order by s.duration_ns desc limit 1""")[0]
    page.evaluate("(state) => gotrace.timeline.select(state)", state)
    idle(page)
    panel = page.inner_text("section.panel")
    assert "waiting" in panel and str(goid) in panel, panel
    row = page.evaluate("gotrace.timeline.selection.row")
    assert page.evaluate("(row) => gotrace.timeline.rows.get(row).goid", row) == goid
    page.keyboard.press("f")
    idle(page)
    before = window(page)
    assert before[0] < start and start + duration < before[1]
    assert duration / (before[1] - before[0]) > 0.5 or duration < 100
    address = page.url
    page.reload()
    page.wait_for_selector('body[data-ready="1"]')
    idle(page)
    assert page.url == address, (page.url, address)
    assert page.evaluate("gotrace.timeline.selection.state") == state
    after = window(page)
    assert abs(after[0] - before[0]) <= 1 and abs(after[1] - before[1]) <= 1
    page.focus("canvas.lanes")
    page.keyboard.press(".")
    idle(page)
    following = page.evaluate("gotrace.timeline.selection.start")
    assert following == start + duration, (following, start, duration)
    page.keyboard.press("Escape")
    idle(page)
    assert page.evaluate("gotrace.timeline.selection") is None


def areas(page):
    """Sums of an area equal SQL over the same time."""
    duration = page.evaluate("gotrace.timeline.view.duration")
    start, end = duration // 4, duration // 2
    page.evaluate("([from, to]) => gotrace.timeline.selectArea({from, to, first: null, last: null})", [start, end])
    idle(page)
    want = ask(page, f"""select sum(min(start_ns + duration_ns, {end}) - max(start_ns, {start})) from goroutine_states
        where state = 'running' and start_ns < {end} and start_ns + duration_ns > {start}""")[0][0]
    got = page.evaluate("""() => [...document.querySelectorAll("table.sums tbody tr")]
        .filter((row) => row.cells[0].innerText === "running").map((row) => Number(row.cells[1].dataset.value))[0]""")
    assert got == want, (got, want)


def pointer(page):
    """Dragging pans, with Shift it selects, in the map it chooses; Ctrl and the wheel zoom; back goes back."""
    page.keyboard.press("Escape")
    page.focus("canvas.lanes")
    page.keyboard.press("0")
    page.keyboard.press("w")
    idle(page)
    before = window(page)
    box = page.query_selector("canvas.lanes").bounding_box()
    drag(page, box, (300, 30), (200, 30))
    after = window(page)
    scale = (before[1] - before[0]) / box["width"]
    assert abs(after[0] - before[0] - 100 * scale) < scale * 2, (before, after)
    page.keyboard.down("Shift")
    drag(page, box, (300, 30), (500, 90))
    page.keyboard.up("Shift")
    area = page.evaluate("gotrace.timeline.area")
    assert area["from"] < area["to"] and area["first"] < area["last"], area
    assert page.query_selector_all("table.sums tbody tr")
    page.keyboard.press("Escape")
    page.keyboard.press("0")
    idle(page)
    whole = window(page)
    drag(page, page.query_selector("canvas.head").bounding_box(), (300, 10), (500, 10))
    part = window(page)
    assert part[1] - part[0] < (whole[1] - whole[0]) / 3, part
    page.go_back()
    page.wait_for_timeout(300)
    idle(page)
    assert window(page) == whole, (window(page), whole)
    page.mouse.move(box["x"] + 400, box["y"] + 60)
    fixed = page.evaluate("gotrace.timeline.view.ns(400)")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    idle(page)
    near = window(page)
    assert near[1] - near[0] < (whole[1] - whole[0]) * 0.8, near
    assert abs(page.evaluate("gotrace.timeline.view.ns(400)") - fixed) < (whole[1] - whole[0]) / 1000


def drag(page, box, start, end):
    page.mouse.move(box["x"] + start[0], box["y"] + start[1])
    page.mouse.down()
    page.mouse.move(box["x"] + end[0], box["y"] + end[1], steps=4)
    page.mouse.up()
    idle(page)
