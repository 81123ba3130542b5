"""Profiles: every view of profiles and of traces, filters and pivots in the address, search, keys, menus."""

import os

from check_pages import fits, names_everything

VIEWS = ["flame", "graph", "top", "peek", "source", "tags"]
SOURCES = {
    "cpu": (["profiles/go1.27/cpu.pb.gz"], ""),
    "heap": (["profiles/go1.27/heap.pb.gz", "profiles/go1.27/heap2.pb.gz"], "profile=2&base=1"),
    "wall": (["traces/go1.27/mixed.trace"], "type=wall"),
}


def check(browser):
    for name, (sources, query) in SOURCES.items():
        served = browser.serve(*sources)
        for scheme, width in [("light", 1400), ("dark", 700)]:
            page = browser.page(served, width=width, scheme=scheme)
            for view in VIEWS:
                path = f"/profile?view={view}&{query}"
                shown = page.open(path)
                names_everything(shown, path)
                fits(shown, path)
                if browser.pictures:
                    os.makedirs(browser.pictures, exist_ok=True)
                    shown.screenshot(path=os.path.join(browser.pictures, f"profile-{name}-{view}-{scheme}-{width}.png"))
        if name == "cpu":
            flame(browser.page(served), served)
            top(browser.page(served), served)
            graph(browser.page(served), served)


def settled(page):
    page.wait_for_selector(".view:not([aria-busy])")


def flame(page, served):
    """A pivot, a zoom and a filter stand in the address; back leads back; keys do what the mouse does."""
    shown = page.open("/profile")
    answer = served.get("/api/profile/flame")
    name = answer["names"][answer["nodes"][1][0]]
    frames = shown.locator(".frame")
    before = frames.count()
    assert before > 5, before
    total = shown.locator(".frame.root").inner_text()
    shown.locator(f'.frame[aria-label^="{name},"]').first.click()
    assert "p=" in shown.url, shown.url
    assert name in shown.locator(".pivot").inner_text()
    shown.go_back()
    shown.wait_for_selector(".frame.root")
    assert shown.locator(".frame.root").inner_text() == total and frames.count() == before
    # The same by keys: down to the first frame, and Enter.
    shown.locator('.frame[tabindex="0"]').focus()
    shown.keyboard.press("ArrowDown")
    shown.keyboard.press("Enter")
    assert name in shown.locator(".pivot").inner_text()
    shown.reload()
    shown.wait_for_selector('body[data-ready="1"]')
    assert name in shown.locator(".pivot").inner_text()
    shown.go_back()
    # Search: what matches is marked, and its share told.
    shown.keyboard.press("/")
    shown.keyboard.type("^runtime")
    shown.wait_for_selector(".frame.match")
    assert "%" in shown.locator(".search [role=status]").inner_text()
    shown.keyboard.press("Enter")
    assert shown.locator(".frame.match.current").count() == 1
    shown.fill("#profile-search", "(")
    assert shown.get_attribute("#profile-search", "aria-invalid") == "true"
    # A filter of the menu at the pointer.
    shown.fill("#profile-search", "")
    shown.locator(f'.frame[aria-label^="{name},"]').first.click(button="right")
    shown.get_by_role("menuitem", name="Focus", exact=True).click()
    settled(shown)
    assert "f=" in shown.url and shown.locator(".chip").count() == 1
    shown.locator(".chip button").click()
    settled(shown)
    assert shown.locator(".chip").count() == 0
    page.check("flame")


def top(page, served):
    """The table has the values and the texts of the answer."""
    shown = page.open("/profile?view=top")
    answer = served.get("/api/profile/top?n=500")
    rows = shown.query_selector_all("table[data-query='profile-top'] tbody tr:not(.space)")
    for row, want in list(zip(rows, answer["rows"]))[:20]:
        cells = row.query_selector_all("td")
        texts = [cell.inner_text() for cell in cells]
        assert texts == [want[3], want[4], want[5], want[7], want[8], want[0], want[1]], (texts, want)
        assert cells[0].get_attribute("data-value") == str(want[2])
        assert cells[3].get_attribute("data-value") == str(want[6])
    shown.locator("a.function").first.click()
    shown.wait_for_selector("table.peek")
    assert "view=peek" in shown.url
    page.check("top")


def graph(page, served):
    """It opens so that its text can be read, and a click offers what can be done with a function."""
    shown = page.open("/profile?view=graph")
    box = shown.locator(".graph svg").get_attribute("viewBox").split()
    ground = shown.locator(".ground").bounding_box()
    assert abs(float(box[2]) - ground["width"]) < 4, box
    shown.locator(".ground").focus()
    shown.keyboard.press("-")
    assert float(shown.locator(".graph svg").get_attribute("viewBox").split()[2]) > float(box[2])
    shown.keyboard.press("1")
    shown.locator("g.function").first.focus()
    shown.keyboard.press("Enter")
    shown.get_by_role("menuitem", name="Focus", exact=True).click()
    settled(shown)
    assert "f=" in shown.url
    page.check("graph")
