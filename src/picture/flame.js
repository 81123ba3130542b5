window.addEventListener('load', function () {
  var svg = document.documentElement, ns = 'http://www.w3.org/2000/svg', margin = 10, letter = 7.2;
  var ground = document.getElementById('frames'), height = svg.viewBox.baseVal.height;
  var all = Array.prototype.map.call(ground.children, function (g) {
    var rect = g.querySelector('rect'), title = g.querySelector('title').textContent;
    var one = { g: g, rect: rect, text: g.querySelector('text'), name: title.slice(0, title.lastIndexOf(' (')), title: title,
      x: +rect.getAttribute('x') - margin, w: +rect.getAttribute('width'), y: +rect.getAttribute('y') };
    g.setAttribute('tabindex', '0'); g.setAttribute('role', 'button'); g.setAttribute('aria-label', title);
    return one;
  });
  if (!all.length) return;
  var root = all[0], zoomed = root, told, back;
  function shortened(name, letters) {
    if (letters < 2) return '';
    var bracket = name.indexOf('['), base = (bracket < 0 ? name : name.slice(0, bracket)).lastIndexOf('/') + 1;
    var dot = name.indexOf('.', base), inside = dot < 0 ? name.slice(base) : name.slice(dot + 1), end = inside.indexOf(').');
    var method = inside[0] === '(' && end > 0 ? inside.slice(end + 2) : inside;
    var forms = [name, name.slice(base), inside, method];
    for (var i = 0; i < 4; i++) if (forms[i].length <= letters) return forms[i];
    return method.slice(0, letters - 1) + '…';
  }
  function button(right, label, act) {
    var g = document.createElementNS(ns, 'g'), rect = document.createElementNS(ns, 'rect'), text = document.createElementNS(ns, 'text');
    g.setAttribute('class', 'button'); g.setAttribute('tabindex', '0'); g.setAttribute('role', 'button'); g.setAttribute('aria-label', label);
    rect.setAttribute('width', '96'); rect.setAttribute('height', '24'); rect.setAttribute('rx', '5');
    text.setAttribute('x', '48'); text.setAttribute('y', '16'); text.setAttribute('text-anchor', 'middle'); text.textContent = label;
    g.appendChild(rect); g.appendChild(text); svg.appendChild(g);
    g.addEventListener('click', act);
    g.addEventListener('keydown', function (e) { if (e.key === 'Enter') act(); });
    return { g: g, right: right };
  }
  function isInside(a, b) { return a.x >= b.x - 0.01 && a.x + a.w <= b.x + b.w + 0.01; }
  function layout() {
    var width = Math.max(300, window.innerWidth || 1200), scale = (width - 2 * margin) / zoomed.w;
    var whole = Math.max(height, (window.innerHeight || 0) - 4);
    svg.setAttribute('width', width); svg.setAttribute('height', whole); svg.setAttribute('viewBox', '0 0 ' + width + ' ' + whole);
    all.forEach(function (one) {
      var isAbove = isInside(zoomed, one) && one !== zoomed && (one.w > zoomed.w + 0.01 || Math.abs(one.y - root.y) < Math.abs(zoomed.y - root.y));
      var isShown = isAbove || isInside(one, zoomed);
      var x = isAbove ? 0 : (one.x - zoomed.x) * scale, w = isAbove ? width - 2 * margin : one.w * scale;
      one.g.style.display = isShown && w >= 0.3 ? '' : 'none';
      one.g.classList.toggle('aside', isAbove);
      if (!isShown) return;
      one.rect.setAttribute('x', margin + x); one.rect.setAttribute('width', w > 3 ? w - 1 : w);
      one.text.setAttribute('x', margin + x + 3); one.text.textContent = shortened(one.name, Math.floor((w - 6) / letter));
    });
    buttons.forEach(function (b) { b.g.setAttribute('transform', 'translate(' + (width - margin - b.right) + ',8)'); });
    told.setAttribute('x', width - margin - 210); back.g.style.display = zoomed === root ? 'none' : '';
  }
  function zoom(one) { zoomed = one; layout(); }
  function search() {
    var wanted = window.prompt('Search: a regular expression', ''), pattern = null, sum = 0, end = -1;
    try { pattern = wanted ? new RegExp(wanted) : null; } catch (e) { window.alert(e.message); }
    ground.setAttribute('class', pattern ? 'searching' : '');
    var found = all.filter(function (one) {
      var is = pattern !== null && one !== root && pattern.test(one.name);
      one.g.classList.toggle('match', is);
      return is;
    });
    // What lies in one that matches is counted with it.
    found.sort(function (a, b) { return a.x - b.x || b.w - a.w; }).forEach(function (one) {
      if (one.x + 0.01 >= end) { sum += one.w; end = one.x + one.w; }
    });
    told.textContent = pattern ? (100 * sum / root.w).toFixed(2) + '% matches' : '';
  }
  var buttons = [button(96, 'Search', search)];
  back = button(200, 'Zoom out', function () { zoom(root); });
  buttons.push(back);
  told = document.createElementNS(ns, 'text');
  told.setAttribute('y', '24'); told.setAttribute('text-anchor', 'end'); svg.appendChild(told);
  all.forEach(function (one) {
    one.g.addEventListener('click', function () { zoom(one); });
    one.g.addEventListener('keydown', function (e) { if (e.key === 'Enter') zoom(one); });
  });
  window.addEventListener('keydown', function (e) {
    if (e.key === 'Escape') zoom(root);
    else if ((e.ctrlKey || e.metaKey) && e.key === 'f' || e.key === '/') { e.preventDefault(); search(); }
  });
  window.addEventListener('resize', layout);
  layout();
});
