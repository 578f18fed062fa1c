/* ---- the graph as a picture: boxes that open, nodes that tell where they come from */

const graphSection = () => {
  if (!graph || !boxes.rows.length) return null;
  const columns = [FORWARD, BACKWARD, UPDATE].filter(part => boxes.rows.some(row => row.cells[part]));
  const panel = html('div', { class: 'details', 'aria-live': 'polite' }, nodeDetails(null));
  const frame = html('div', { class: 'canvas' });
  let view = null,
    size = null,
    picture = null,
    chosen = null,
    places = new Map(),
    fitted = true;
  const nodeCount = graph.nodes.filter(n => n && n.live).length;

  /* Every node's visible place: its own, or that of the closed box it is in. */
  const collect = () => {
    places = new Map();
    const visible = new Map();
    const visit = (box, x, y, closed, row) => {
      const place = { x: x + box.x, y: y + box.y, width: box.width, height: box.height, part: box.part, row };
      const hidden = closed || (box.open ? null : place);
      if (!closed) visible.set(box, place);
      for (const n of box.nodes)
        places.set(
          n,
          hidden || { x: place.x + n.x, y: place.y + n.y, width: n.width, height: n.height, part: n.part, row }
        );
      for (const inner of box.boxes) visit(inner, place.x, place.y, hidden, row);
    };
    for (const row of boxes.rows)
      for (const part of columns) if (row.cells[part]) visit(row.cells[part], 0, 0, null, row.cells[part].place);
    return visible;
  };

  const edgePath = (a, b) => {
    if (a.part !== b.part) {
      /* from the side */
      const right = a.x < b.x,
        x1 = right ? a.x + a.width : a.x,
        x2 = right ? b.x : b.x + b.width,
        y1 = a.y + a.height / 2,
        y2 = b.y + b.height / 2,
        bend = Math.max(Math.abs(x2 - x1) / 2, 16) * (right ? 1 : -1);
      return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
    }
    const down = b.y >= a.y,
      x1 = a.x + a.width / 2,
      x2 = b.x + b.width / 2,
      y1 = down ? a.y + a.height : a.y,
      y2 = down ? b.y : b.y + b.height,
      far = Math.abs(y2 - y1);
    if (a.row === b.row ? far > 90 && Math.abs(x2 - x1) < 60 : Math.abs(a.row - b.row) > 1) {
      /* around what lies between */
      const x = Math.min(a.x, b.x),
        out = x - Math.min(12 + far / 14, 40),
        s1 = a.y + a.height / 2,
        s2 = b.y + b.height / 2;
      return `M${a.x} ${s1}C${out} ${s1} ${out} ${s2} ${b.x} ${s2}`;
    }
    const bend = Math.max(far / 2, 8) * (down ? 1 : -1);
    return `M${x1} ${y1}C${x1} ${y1 + bend} ${x2} ${y2 - bend} ${x2} ${y2}`;
  };

  const drawEdges = () => {
    const seen = new Map();
    for (const [n, a] of places)
      for (const user of n.users) {
        const b = places.get(user);
        if (!b || a === b || (n.constant && n.box !== user.box)) continue; /* a constant may serve all of the model */
        if (!seen.has(a)) seen.set(a, new Map());
        const found = seen.get(a).get(b);
        if (found) found.push(n, user);
        else seen.get(a).set(b, [n, user]);
      }
    const list = [];
    for (const [a, targets] of seen)
      for (const [b, ends] of targets)
        list.push(
          svg('path', {
            class: `edge part-${b.part}`,
            d: edgePath(a, b),
            'data-ends': chosen && ends.includes(chosen) ? 'chosen' : null
          })
        );
    return list;
  };

  const press = action => ({
    onclick: event => {
      if (!moved) action(event);
    },
    onkeydown: event => {
      if (event.key === 'Enter' || event.key === ' ') {
        event.preventDefault();
        event.stopPropagation();
        action(event);
      }
    }
  });
  const toggle = box => {
    box.open = !box.open;
    draw(`box ${box.key}`);
  };
  let moved = false;

  const draw = focus => {
    size = layoutGraph(boxes.rows, columns);
    const visible = collect(),
      boxNodes = [],
      nodeNodes = [];
    for (const [box, p] of visible) {
      boxNodes.push(
        svg(
          'g',
          {
            class: `box part-${box.part}${box.open ? ' open' : ''}`,
            tabindex: 0,
            role: 'button',
            'aria-expanded': String(box.open),
            'data-key': `box ${box.key}`,
            'aria-label': `${box.title}, ${partNames[box.part]}, ${plural(box.count, 'node')}`,
            ...press(() => toggle(box))
          },
          svg('rect', { x: p.x, y: p.y, width: p.width, height: p.height, rx: 5 }),
          svg('text', { class: 'box-title', x: p.x + 10, y: p.y + (box.open ? 16 : 20.5) }, box.title),
          svg(
            'text',
            { class: 'box-count', x: p.x + p.width - 9, y: p.y + (box.open ? 16 : 20.5), 'text-anchor': 'end' },
            box.open ? '−' : box.count
          )
        )
      );
      if (box.open)
        for (const n of box.nodes) {
          const at = places.get(n);
          nodeNodes.push(
            svg(
              'g',
              {
                class: `node part-${n.part}${n.op === 'variable' ? ' variable' : ''}${n === chosen ? ' chosen' : ''}`,
                tabindex: 0,
                role: 'button',
                'data-key': `node ${n.id}`,
                'data-node': n.id,
                'aria-label': `${n.title || n.op}, ${n.type}`,
                ...press(() => selectNode(n))
              },
              svg('rect', { x: at.x, y: at.y, width: at.width, height: at.height, rx: n.op === 'variable' ? 2 : 12 }),
              svg('text', { x: at.x + at.width / 2, y: at.y + 16, 'text-anchor': 'middle' }, nodeText(n)),
              svg('title', {}, `${n.title || n.op}  ${n.type}`)
            )
          );
        }
    }
    const heads = columns.map(part =>
      svg(
        'text',
        { class: 'head', x: size.starts[part] + size.widths[part] / 2, y: 16, 'text-anchor': 'middle' },
        partNames[part]
      )
    );
    const shapes = svg(
      'g',
      {},
      heads,
      boxNodes.filter(b => b.classList.contains('open')),
      drawEdges(),
      boxNodes.filter(b => !b.classList.contains('open')),
      nodeNodes
    );
    picture.replaceChildren(svg('title', {}, 'The graph of the model'), shapes);
    if (fitted) fit();
    else show();
    unfold();
    if (focus) {
      const node = picture.querySelector(`[data-key="${CSS.escape(focus)}"]`);
      if (node) node.focus({ preventScroll: true });
    }
  };
  /* On paper all of it stands, a tall one in slices beside each other. */
  const unfold = () => {
    for (const old of frame.querySelectorAll('.slice')) old.remove();
    if (!paper.on) return;
    const slices = clamp(Math.round(Math.sqrt(size.height / size.width / 1.2)), 1, 4);
    const cuts = [...Array(slices).keys()].map(
      k => (boxes.rows.find(row => row.y >= (k * size.height) / slices) || { y: 0 }).y - 10
    );
    cuts.forEach((from, k) => {
      const top = k ? from : 0,
        bottom = k + 1 < slices ? cuts[k + 1] : size.height,
        slice = picture.cloneNode(true);
      slice.setAttribute('class', 'graph slice');
      slice.setAttribute('viewBox', `0 ${top} ${size.width} ${bottom - top}`);
      frame.append(slice);
    });
  };
  const show = () => picture.setAttribute('viewBox', `${view.x} ${view.y} ${view.width} ${view.height}`);
  /* As wide as it needs, at most at its own size; what is taller is panned. */
  const fit = () => {
    const width = Math.max(frame.clientWidth, 280),
      scale = clamp(width / size.width, 0.45, 1);
    const height = clamp(size.height * scale, 160, 680);
    frame.style.height = `${height}px`;
    view = { x: (size.width - width / scale) / 2, y: 0, width: width / scale, height: height / scale };
    fitted = true;
    show();
  };
  const zoom = (factor, px = 0.5, py = 0.5) => {
    factor = clamp(factor, view.width / (size.width * 6), view.width / 60);
    view = {
      x: view.x + view.width * px * (1 - 1 / factor),
      y: view.y + view.height * py * (1 - 1 / factor),
      width: view.width / factor,
      height: view.height / factor
    };
    fitted = false;
    show();
  };
  const pan = (dx, dy) => {
    view.x += dx;
    view.y += dy;
    fitted = false;
    show();
  };

  picture = svg('svg', {
    class: 'graph',
    tabindex: 0,
    role: 'group',
    'aria-label': 'The graph: arrow keys move it, plus and minus zoom, Enter opens a box or chooses a node'
  });
  frame.append(picture);
  const pointers = new Map();
  let start = null;
  picture.addEventListener('pointerdown', event => {
    pointers.set(event.pointerId, event);
    start = { x: event.clientX, y: event.clientY };
    moved = false;
  });
  picture.addEventListener('pointermove', event => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > 4) {
      moved = true;
      if (!picture.hasPointerCapture(event.pointerId)) picture.setPointerCapture(event.pointerId);
    }
    const unit = view.width / picture.clientWidth;
    if (pointers.size === 2) {
      const other = [...pointers.values()].find(p => p.pointerId !== event.pointerId),
        box = picture.getBoundingClientRect();
      const was = Math.hypot(before.clientX - other.clientX, before.clientY - other.clientY),
        is = Math.hypot(event.clientX - other.clientX, event.clientY - other.clientY);
      zoom(
        is / (was || 1),
        ((event.clientX + other.clientX) / 2 - box.left) / box.width,
        ((event.clientY + other.clientY) / 2 - box.top) / box.height
      );
    } else if (moved) pan((before.clientX - event.clientX) * unit, (before.clientY - event.clientY) * unit);
    pointers.set(event.pointerId, event);
  });
  for (const name of ['pointerup', 'pointercancel'])
    picture.addEventListener(name, event => {
      pointers.delete(event.pointerId);
    });
  picture.addEventListener(
    'wheel',
    event => {
      if (
        !event.ctrlKey &&
        !event.metaKey &&
        document.activeElement !== picture &&
        !picture.contains(document.activeElement)
      )
        return; /* the page scrolls */
      event.preventDefault();
      const box = picture.getBoundingClientRect();
      zoom(
        Math.exp(-event.deltaY / 400),
        (event.clientX - box.left) / box.width,
        (event.clientY - box.top) / box.height
      );
    },
    { passive: false }
  );
  picture.addEventListener('keydown', event => {
    const moves = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (moves) pan(moves[0] * view.width, moves[1] * view.height);
    else if (event.key === '+' || event.key === '=') zoom(1.25);
    else if (event.key === '-') zoom(0.8);
    else if (event.key === '0') fit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const openAll = open => {
    for (const box of boxes.boxes.values()) box.open = open;
    fitted = true;
    draw();
  };
  openTo = node => {
    for (let box = node.box; box; box = box.above) box.open = true;
    fitted = false;
    draw();
    const p = places.get(node);
    if (p) {
      view.x = p.x + p.width / 2 - view.width / 2;
      view.y = p.y + p.height / 2 - view.height / 2;
      show();
    }
    selectNode(node);
  };
  selectors.push(node => {
    chosen = node;
    panel.replaceChildren(nodeDetails(node));
    draw(`node ${node.id}`);
  });
  onStep(hover => {
    if (!hover && chosen && filmsOf(chosen).length) panel.replaceChildren(nodeDetails(chosen));
  });
  addView(() => draw());
  const button = (text, label, action) =>
    html('button', { type: 'button', 'aria-label': label, title: label, onclick: action }, text);
  return html(
    'section',
    { id: 'graph', 'aria-labelledby': 'graph-title' },
    html(
      'h2',
      { id: 'graph-title' },
      'Graph',
      html(
        'small',
        {},
        `${plural(nodeCount, 'node')}, forward, backward and update, a row for each part of the model`
      )
    ),
    html(
      'div',
      { class: 'tools' },
      html(
        'span',
        { class: 'switch' },
        button('+', 'Zoom in', () => zoom(1.25)),
        button('−', 'Zoom out', () => zoom(0.8)),
        button('fit', 'Fit into the frame', fit)
      ),
      html(
        'span',
        { class: 'switch' },
        nodeCount <= 3000 ? button('open all', 'Open all boxes', () => openAll(true)) : null,
        button('close all', 'Close all boxes', () => openAll(false))
      )
    ),
    html('div', { class: 'graph-row' }, frame, panel)
  );
};
