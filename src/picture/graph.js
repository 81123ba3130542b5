window.addEventListener('load', function () {
  var svg = document.documentElement, box = svg.viewBox.baseVal, drag = null, whole = { width: box.width, height: box.height };
  var boxes = Array.prototype.filter.call(document.querySelectorAll('#view > g'), function (g) { return g.querySelector('rect'); });
  svg.setAttribute('width', '100%'); svg.setAttribute('height', '100%');
  function look(x, y, scale) { box.x = x; box.y = y; box.width = innerWidth * scale; box.height = innerHeight * scale; }
  function scale() { return Math.max(box.width / innerWidth, box.height / innerHeight); }
  function place(g) {
    var rect = g.querySelector('rect');
    function number(name) { return +rect.getAttribute(name); }
    return { x: number('x') + number('width') / 2, y: number('y') + number('height') / 2 };
  }
  // As large as text, where the graph begins.
  function open() {
    if (whole.width <= innerWidth) return look((whole.width - innerWidth) / 2, 0, 1);
    var first = boxes.map(place).sort(function (a, b) { return a.y - b.y; })[0];
    look(!first || first.x < innerWidth - 60 ? 0 : Math.min(first.x - innerWidth / 2, whole.width - innerWidth), 0, 1);
  }
  function fit() {
    var f = Math.max(whole.width / innerWidth, whole.height / innerHeight);
    look((whole.width - innerWidth * f) / 2, 0, f);
  }
  function zoom(f, left, top) {
    var x = box.x + box.width * left / innerWidth, y = box.y + box.height * top / innerHeight;
    look(x - (x - box.x) * f, y - (y - box.y) * f, scale() * f);
  }
  function search() {
    var wanted = window.prompt('Search: a regular expression', ''), pattern = null;
    try { pattern = wanted ? new RegExp(wanted) : null; } catch (e) { window.alert(e.message); }
    var found = boxes.filter(function (g) {
      var rect = g.querySelector('rect'), is = pattern !== null && pattern.test(g.querySelector('title').textContent.replace(/ \([^(]*\)$/, ''));
      rect.style.stroke = is ? '#d97706' : ''; rect.style.strokeWidth = is ? '5' : ''; rect.style.fill = is ? '#ffd75e' : '';
      return is;
    });
    if (!found.length) return;
    var at = place(found[0]), f = Math.min(scale(), 1.3);
    look(at.x - innerWidth * f / 2, at.y - innerHeight * f / 2, f);
  }
  svg.addEventListener('wheel', function (e) { e.preventDefault(); zoom(e.deltaY > 0 ? 1.15 : 1 / 1.15, e.clientX, e.clientY); }, { passive: false });
  svg.addEventListener('mousedown', function (e) { drag = [e.clientX, e.clientY]; });
  svg.addEventListener('mousemove', function (e) {
    if (!drag) return;
    var f = scale();
    box.x -= (e.clientX - drag[0]) * f; box.y -= (e.clientY - drag[1]) * f; drag = [e.clientX, e.clientY];
  });
  window.addEventListener('mouseup', function () { drag = null; });
  window.addEventListener('keydown', function (e) {
    var f = 60 * scale();
    if ((e.ctrlKey || e.metaKey) && e.key === 'f' || e.key === '/') search();
    else if (e.ctrlKey || e.metaKey || e.altKey) return;
    else if (e.key === '0') fit();
    else if (e.key === '1') open();
    else if (e.key === '+' || e.key === '=') zoom(1 / 1.3, innerWidth / 2, innerHeight / 2);
    else if (e.key === '-') zoom(1.3, innerWidth / 2, innerHeight / 2);
    else if (e.key === 'ArrowLeft') box.x -= f;
    else if (e.key === 'ArrowRight') box.x += f;
    else if (e.key === 'ArrowUp') box.y -= f;
    else if (e.key === 'ArrowDown') box.y += f;
    else return;
    e.preventDefault();
  });
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  function theme() {
    function paint(selector, fill, stroke) {
      Array.prototype.forEach.call(document.querySelectorAll(selector), function (one) {
        if (fill) one.style.fill = dark.matches ? fill : '';
        if (stroke) one.style.stroke = dark.matches ? stroke : '';
      });
    }
    paint('svg > rect', '#1c2027'); paint('#view > rect', '#252b34', '#4a535f'); paint('#view > text', '#e4e8ee');
    paint('#view > g[fill="#000000"]', '#e4e8ee', '#1c2027'); paint('path[stroke="#000000"]', '', '#98a3b1'); paint('path[fill="#000000"]', '#98a3b1');
  }
  dark.addEventListener('change', theme);
  theme(); open();
});
