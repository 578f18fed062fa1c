/* ---- the graph: what is in it, gathered by scope, and where things lie.
 *
 * A scope is a layer or a call that names things: h[2] of h[2].W. A node without a name belongs where what it is
 * computed for belongs; a gradient where its forward node does. Scopes are rows, in the order of the computation;
 * forward, backward and updates are columns beside each other, so that a layer and its gradients stand in one row. */

/* What the optimizer of a train block names: train.h[1].W.m, train[2].rate. */
const trainPrefix = /^train(\[[^\]]*\])?\./;
const FORWARD = 0,
  BACKWARD = 1,
  UPDATE = 2;

const readGraph = () => {
  const g = data.graph;
  if (!g) return null;
  const count = g.op.length,
    at = new Array(count + 1),
    nodes = [null];
  for (let i = 0, k = 0; i < count; k += g.arity[i++]) at[i] = k;
  const op = name => g.operations.indexOf(name),
    ops = {
      initial: op('initial'),
      summary: op('summary'),
      expect: op('expect'),
      loss: op('loss'),
      update: op('update'),
      variable: op('variable')
    };
  for (let i = 0; i < count; i++) {
    nodes.push({
      id: i + 1,
      op: g.operations[g.op[i]],
      code: g.op[i],
      type: g.types[g.type[i]],
      forward: g.forward[i],
      line: g.line[i],
      caller: g.caller[i],
      inner: g.innerFile[i] ? `${g.files[g.innerFile[i] - 1]}:${g.innerLine[i]}` : '',
      operands: g.operands.slice(at[i], at[i] + g.arity[i]),
      users: [],
      names: [],
      tags: [],
      part: FORWARD,
      scope: '',
      live: false
    });
  }
  g.named.forEach((id, k) => {
    if (nodes[id]) nodes[id].names.push(g.paths[k]);
  });
  g.updates.forEach((id, k) => {
    nodes[id].updates = g.updated[k];
  });
  g.tagged.forEach((id, k) => {
    if (nodes[id]) nodes[id].tags.push(g.tags[k]);
  });

  /* What is drawn: all that the loss, an update, a name or a summary needs; not how variables begin. */
  const reach = nodes.map(
    n => n && (n.code === ops.loss || n.code === ops.update || n.names.length > 0 || n.tags.length > 0)
  );
  for (let i = count; i > 0; i--) {
    const n = nodes[i];
    n.live = reach[i] && n.code !== ops.initial && n.code !== ops.summary && n.code !== ops.expect;
    if (n.live)
      for (const k of n.operands) {
        reach[k] = true;
        nodes[k].users.push(n);
      }
  }
  for (const n of nodes)
    if (n && n.live) {
      const from = n.operands.map(k => nodes[k]);
      n.part = n.forward ? BACKWARD : n.code === ops.update || from.some(o => o.part !== FORWARD) ? UPDATE : FORWARD;
      if (n.part === UPDATE && from.some(o => o.part === BACKWARD) && n.users.some(u => u.forward)) n.part = BACKWARD;
    }
  for (let i = count; i > 0; i--) {
    /* what only gradients or updates need stands with them */
    const n = nodes[i];
    if (!n.live || !n.users.length || n.names.some(path => !trainPrefix.test(path))) continue;
    n.constant = !n.operands.length && !n.names.length;
    if (n.part === FORWARD) n.part = Math.min(...n.users.map(u => u.part));
  }
  return { nodes, ops };
};

/* h[2].W -> [h[2], W]; dots within brackets do not count. */
const pathParts = path => path.match(/(?:[^.[]|\[[^\]]*\])+/g) || [path];

const findScopes = graph => {
  const { nodes } = graph,
    scopes = new Set();
  const own = n => n.names.filter(path => !trainPrefix.test(path))[0];
  for (const n of nodes)
    if (n && n.live)
      for (const path of n.names) {
        const parts = pathParts(path.replace(trainPrefix, ''));
        if (!trainPrefix.test(path)) for (let k = 1; k < parts.length; k++) scopes.add(parts.slice(0, k).join('.'));
      }
  const scopeOfPath = path => {
    const parts = pathParts(path);
    for (let k = parts.length; k > 0; k--)
      if (scopes.has(parts.slice(0, k).join('.'))) return parts.slice(0, k).join('.');
    return path;
  };
  for (let i = nodes.length - 1; i > 0; i--) {
    const n = nodes[i];
    if (!n.live) continue;
    const name = own(n) || (n.updates && n.updates.replace(trainPrefix, ''));
    n.title = own(n) || '';
    if (name) n.scope = scopeOfPath(name);
  }
  for (let i = nodes.length - 1; i > 0; i--) {
    /* users have larger ids: they know already */
    const n = nodes[i];
    if (!n.live || n.scope) continue;
    if (n.part === FORWARD) {
      const user = n.users.find(u => u.part === FORWARD && u.scope) || n.users.find(u => u.scope);
      n.scope = user ? user.scope : n.operands.length ? nodes[n.operands[0]].scope : '';
    }
  }
  for (const n of nodes)
    if (n && n.live && n.part === BACKWARD) {
      let f = n;
      while (f && f.forward && f !== nodes[f.forward]) f = nodes[f.forward];
      n.scope = (f && f.scope) || (n.operands.map(k => nodes[k]).find(o => o.scope) || {}).scope || '';
    }
  for (let i = nodes.length - 1; i > 0; i--) {
    const n = nodes[i];
    if (n.live && n.part === BACKWARD && !n.scope) n.scope = (n.users.find(u => u.scope) || {}).scope || '';
  }
  for (let i = nodes.length - 1; i > 0; i--) {
    /* updates: the variable they write */
    const n = nodes[i];
    if (!n.live || n.part !== UPDATE) continue;
    const written = n.names
      .map(path => path.replace(trainPrefix, ''))
      .map(path => scopeOfPath(path))
      .find(s => scopes.has(s));
    const variable = n.operands.map(k => nodes[k]).find(o => o.op === 'variable' && o.scope && o.part === FORWARD);
    const theirs = new Set(n.users.map(u => u.scope)); /* what many need is the optimizer's */
    n.scope =
      written ||
      (variable && variable.scope) ||
      (theirs.size === 1 || n.constant ? [...theirs][0] : '') ||
      n.scope ||
      'optimizer';
  }
  for (const n of nodes) if (n && n.live && !n.scope) n.scope = n.part === UPDATE ? 'optimizer' : n.title || 'other';
};

/* A tree of boxes: each a scope and a part, with its nodes and the boxes within. */
const makeBoxes = graph => {
  const rows = new Map(),
    boxes = new Map();
  const boxOf = (scope, part) => {
    const key = `${part} ${scope}`;
    if (boxes.has(key)) return boxes.get(key);
    const parts = pathParts(scope),
      above = parts.length > 1 ? boxOf(parts.slice(0, -1).join('.'), part) : null;
    const box = {
      key,
      scope,
      part,
      title: above ? parts[parts.length - 1] : scope,
      above,
      nodes: [],
      boxes: [],
      open: false,
      count: 0
    };
    boxes.set(key, box);
    if (above) above.boxes.push(box);
    else {
      if (!rows.has(scope)) rows.set(scope, { scope, order: Infinity, cells: [null, null, null] });
      rows.get(scope).cells[part] = box;
    }
    return box;
  };
  for (const n of graph.nodes)
    if (n && n.live) {
      n.box = boxOf(n.scope, n.part);
      n.box.nodes.push(n);
      for (let b = n.box; b; b = b.above) b.count++;
      let top = n.box;
      while (top.above) top = top.above;
      const row = rows.get(top.scope);
      n.row = row;
      if (n.part === FORWARD && n.operands.length)
        row.order = row.order === Infinity ? n.id : Math.max(row.order, n.id);
    }
  for (const n of graph.nodes)
    if (n && n.live && n.row.order === Infinity && n.part === FORWARD)
      /* inputs stand before what reads them */
      n.row.first = Math.min(
        n.row.first || Infinity,
        ...n.users.map(u => u.row.order).filter(order => order < Infinity)
      );
  const place = row => (row.order < Infinity ? row.order : (row.first || Infinity) - 0.5);
  const list = [...rows.values()].sort((a, b) => place(a) - place(b));
  return { rows: list, boxes };
};

/* ---- places */

const NODE_HEIGHT = 24,
  GAP_X = 14,
  GAP_Y = 20,
  BOX_PAD = 10,
  BOX_HEAD = 24;

const nodeText = n => (n.title ? pathParts(n.title).pop() : n.op);
const nodeWidth = n => Math.max(44, textWidth(nodeText(n), 11.5) + 20);

/* Lays out an open box: ranks by the longest way within it, each a line of nodes; every place relative to the box. */
const layoutBox = box => {
  if (!box.open) {
    box.width = clamp(textWidth(box.title, 12) + 52, 96, 210);
    box.height = 32;
    return;
  }
  const items = box.boxes.concat(box.nodes),
    rank = new Map(),
    owner = new Map();
  const inside = (n, item) => {
    owner.set(n, item);
  };
  const walk = (b, item) => {
    b.nodes.forEach(n => inside(n, item));
    b.boxes.forEach(c => walk(c, item));
  };
  for (const item of box.boxes) {
    layoutBox(item);
    walk(item, item);
  }
  for (const n of box.nodes) {
    owner.set(n, n);
    n.width = nodeWidth(n);
    n.height = NODE_HEIGHT;
  }
  const all = [...owner.keys()].sort((a, b) => a.id - b.id);
  for (const item of items) rank.set(item, 0);
  for (let round = 0; round < 4; round++) {
    /* boxes hold many nodes: a few rounds settle their ranks */
    let changed = false;
    for (const n of all)
      for (const u of n.users) {
        const a = owner.get(n),
          b = owner.get(u);
        if (!b || a === b || rank.get(b) > rank.get(a) || rank.get(a) > items.length) continue;
        rank.set(b, rank.get(a) + 1);
        changed = true;
      }
    if (!changed) break;
  }
  for (const n of box.nodes)
    if (!n.operands.length && n.users.length) {
      /* leaves stand right above what needs them */
      const ranks = n.users
        .map(u => owner.get(u))
        .filter(Boolean)
        .map(item => rank.get(item));
      if (ranks.length) rank.set(n, Math.max(0, Math.min(...ranks) - 1));
    }
  const lines = new Map();
  for (const item of items) {
    const r = rank.get(item);
    if (!lines.has(r)) lines.set(r, []);
    lines.get(r).push(item);
  }
  const list = [...lines.entries()]
    .sort((a, b) => a[0] - b[0])
    .flatMap(([, line]) => {
      const parts = []; /* a line of very many is broken */
      for (let k = 0; k < line.length; k += 12) parts.push(line.slice(k, k + 12));
      return parts;
    });
  const centre = new Map();
  let y = BOX_HEAD,
    width = textWidth(box.title, 12) + 46;
  for (const line of list)
    width = Math.max(width, line.reduce((s, item) => s + item.width + GAP_X, -GAP_X) + 2 * BOX_PAD);
  for (const line of list) {
    const wish = item => {
      const known = (item.operands || []).map(k => centre.get(owner.get(readNode(k)))).filter(v => v !== undefined);
      return known.length ? known.reduce((s, v) => s + v, 0) / known.length : width / 2;
    };
    const wishes = new Map(line.map(item => [item, wish(item)]));
    line.sort((a, b) => wishes.get(a) - wishes.get(b));
    const total = line.reduce((s, item) => s + item.width + GAP_X, -GAP_X),
      middle = line.reduce((s, item) => s + wishes.get(item), 0) / line.length;
    let x = clamp(middle - total / 2, BOX_PAD, width - BOX_PAD - total);
    for (const item of line) {
      item.x = x;
      item.y = y;
      centre.set(item, x + item.width / 2);
      x += item.width + GAP_X;
    }
    y += Math.max(...line.map(item => item.height)) + GAP_Y;
  }
  box.width = width;
  box.height = y - GAP_Y + BOX_PAD;
  if (box.part === BACKWARD)
    /* gradients come from below */
    for (const item of items) item.y = BOX_HEAD + box.height - BOX_PAD - item.y - item.height;
};

/* Rows below each other; a column is as wide as its widest box. Returns the size. */
const layoutGraph = (rows, columns) => {
  const widths = [0, 0, 0];
  for (const row of rows)
    for (const part of columns)
      if (row.cells[part]) {
        layoutBox(row.cells[part]);
        widths[part] = Math.max(widths[part], row.cells[part].width);
      }
  const lane = 44,
    starts = [];
  let x = lane;
  for (const part of columns) {
    starts[part] = x;
    x += widths[part] + (widths[part] ? 56 : 0);
  }
  let y = 34;
  const places = [0, 0, 0];
  for (const row of rows) {
    const cells = columns.map(part => row.cells[part]).filter(Boolean);
    if (!cells.length) continue;
    const height = Math.max(...cells.map(box => box.height));
    for (const part of columns) {
      const box = row.cells[part];
      if (!box) continue;
      box.place = places[part]++;
      box.x = starts[part] + (widths[part] - box.width) / 2;
      box.y = y + (height - box.height) / 2;
    }
    row.y = y;
    row.height = height;
    y += height + 18;
  }
  return { width: x - 56 + lane, height: y + 4, starts, widths };
};
