/* ---- what is known of a node, and what follows when one is chosen */

const graph = readGraph();
const readNode = id => graph.nodes[id];
if (graph) findScopes(graph);
const boxes = graph ? makeBoxes(graph) : null;
const selectors = [];
const selectNode = node => {
  selectors.forEach(select => select(node));
};
const partNames = ['forward', 'backward', 'update'];

/* The tags whose distributions a node has: its own, and those that are named after it. */
const filmsOf = node => {
  const tags = new Set(node.tags);
  for (const name of node.names)
    for (const film of data.films) {
      const [head, rest] = splitTag(film.tag);
      if (rest === name || film.tag === name) tags.add(film.tag);
    }
  return data.films.filter(film => tags.has(film.tag));
};

const nodeDetails = node => {
  if (!node)
    return html(
      'p',
      { class: 'quiet' },
      'Choose a node or a box: its operator, shape, source line and distributions stand here.'
    );
  const at = placeText(node),
    films = filmsOf(node);
  const link = id =>
    html(
      'button',
      { type: 'button', class: 'link', onclick: () => openTo(readNode(id)) },
      readNode(id).title || `%${id} ${readNode(id).op}`
    );
  const variable = data.graph.variables.indexOf(node.title);
  const row = (name, ...value) => html('div', {}, html('dt', {}, name), html('dd', {}, value));
  return html(
    'div',
    {},
    html('h3', {}, html('code', {}, node.title || node.op)),
    html(
      'dl',
      { class: 'facts' },
      row('operator', html('code', {}, node.op), ` · ${partNames[node.part]} · %${node.id}`),
      row('value', html('code', {}, node.type)),
      node.names.length > 1 ? row('names', node.names.join(', ')) : null,
      variable >= 0 && data.graph.initials[variable]
        ? row('begins as', html('code', {}, data.graph.initials[variable]))
        : null,
      at ? row('from', at) : null,
      node.forward ? row('gradient of', link(node.forward)) : null,
      node.operands.length ? row('operands', node.operands.map((k, i) => [i ? ', ' : '', link(k)]).flat()) : null
    ),
    films.map(film => [html('h4', {}, html('code', {}, film.tag)), miniature(film)])
  );
};

const placeText = node => {
  if (!node.line && !node.inner) return null;
  const line = n => html('button', { type: 'button', class: 'link', onclick: () => showLine(n) }, `line ${n}`);
  return html(
    'span',
    {},
    node.line ? line(node.line) : null,
    node.caller && node.caller !== node.line ? [', called from ', line(node.caller)] : null,
    node.inner ? ` (${node.inner})` : null
  );
};

/* First and present step of a distribution, small. */
const miniature = film => {
  const width = 260,
    height = 70,
    axis = familyAxis([film], axisPays([film]));
  const scale = makeScale(axis.low, axis.high, 4, width - 4, axis.log, 6);
  const draw = i => {
    const points = densityOf(cellsOf(film, i), axis, width - 8);
    return pathOf(points, 4, height - 18, height - 26, axis);
  };
  const i = frameAt(film, stepNow());
  return html(
    'figure',
    { class: 'miniature' },
    svg(
      'svg',
      { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': film.tag },
      scale.ticks.map(t =>
        svg('text', { class: 'tick', x: scale(t), y: height - 4, 'text-anchor': 'middle' }, tickText(t, scale))
      ),
      svg('line', { class: 'base', x1: 4, x2: width - 4, y1: height - 18, y2: height - 18 }),
      svg('path', { class: 'first', d: draw(0) }),
      svg('path', { class: 'ridge', fill: tint(rampColour(0.2)), stroke: rampColour(0.2), d: draw(i) })
    ),
    html(
      'figcaption',
      {},
      `step ${whole(film.steps[i])}: rms ${show(film.rms[i])}, zeros ${percent(zeroShare(film, i))}`
    )
  );
};

let openTo = () => {};
let showLine = () => {};
