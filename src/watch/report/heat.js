/* ---- one tensor over time: the heat map of its distribution and its quantiles, side by side on one axis */

const share = (part, all) => `${(100 * part) / all}%`;
const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95];

const heatMap = family => {
  const readout = html('span', { class: 'readout' }),
    holder = html('div', { class: 'plot' });
  const node = html(
    'figure',
    { class: 'chart' },
    html('h4', { class: 'chart-title' }, html('span', {}, 'distribution'), readout),
    holder,
    html('figcaption', {}, 'Colour: how dense the elements lie, up to the densest place of each step.')
  );
  let cursor = null,
    x = null,
    wide = 1;

  /* One column of pixels a frame (or more frames a column), each as dark as its cells are dense. */
  const paintCells = (canvas, film, axis, left, right, top, bottom, ratio) => {
    const context = canvas.getContext('2d'),
      table = heatTable(),
      columns = Math.round((right - left) * ratio),
      rows = Math.round((bottom - top) * ratio);
    const image = context.createImageData(columns, rows);
    let frame = -1,
      shades = new Uint8Array(rows);
    for (let px = 0; px < columns; px++) {
      const step = ((px + 0.5) / columns) * lastStep,
        next = nearestFrame(film, step);
      if (next !== frame) {
        frame = next;
        shades = new Uint8Array(rows);
        const points = densityOf(cellsOf(film, frame), axis, rows),
          peak = points.reduce((most, p) => Math.max(most, p.y), 0);
        for (let k = 1; k < points.length; k++) {
          const a = points[k - 1],
            b = points[k];
          for (let py = Math.max(Math.ceil(a.x - 0.5), 0); py <= Math.min(b.x + 0.5, rows - 1); py++) {
            const t = b.x > a.x ? clamp((py - a.x) / (b.x - a.x), 0, 1) : 1;
            shades[py] = Math.max(shades[py], 255 * Math.sqrt((a.y + (b.y - a.y) * t) / (peak || 1)));
          }
        }
      }
      for (let py = 0; py < rows; py++) {
        const [r, g, b] = table[shades[rows - 1 - py]],
          at = 4 * (py * columns + px);
        image.data[at] = r;
        image.data[at + 1] = g;
        image.data[at + 2] = b;
        image.data[at + 3] = 255;
      }
    }
    context.putImageData(image, 0, 0);
  };

  const draw = () => {
    const width = (wide = widthOf(holder, 220)),
      height = 250,
      top = 8,
      bottom = height - 20;
    const axis = familyAxis([family.chosen], family.log),
      y = makeScale(axis.low, axis.high, bottom, top, axis.log, 5);
    const left = Math.max(...y.ticks.map(t => textWidth(tickText(t, y), 11))) + 10,
      right = width - 10;
    x = makeScale(0, lastStep, left, right, false, Math.max(2, Math.floor((right - left) / 90)));
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const canvas = html('canvas', {
      width: Math.round((right - left) * ratio),
      height: Math.round((bottom - top) * ratio),
      class: 'heat',
      style:
        `left:${share(left, width)};top:${share(top, height)};` +
        `width:${share(right - left, width)};height:${share(bottom - top, height)}`
    });
    paintCells(canvas, family.chosen, axis, left, right, top, bottom, ratio);
    cursor = svg('line', { class: 'cursor', y1: top, y2: bottom });
    const picture = svg(
      'svg',
      {
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        role: 'img',
        'aria-label': `Heat map of ${family.chosen.tag} over steps`
      },
      y.ticks.map(t =>
        svg('text', { class: 'tick', x: left - 6, y: y(t) + 3.5, 'text-anchor': 'end' }, tickText(t, y))
      ),
      x.ticks.map(t => svg('text', { class: 'tick', x: x(t), y: height - 5, 'text-anchor': 'middle' }, whole(t))),
      cursor
    );
    holder.replaceChildren(canvas, picture);
    follow();
  };
  const follow = () => {
    if (!cursor) return;
    const step = now.hover === null ? stepNow() : now.hover,
      film = family.chosen,
      i = frameAt(film, step);
    cursor.setAttribute('x1', x(step));
    cursor.setAttribute('x2', x(step));
    readout.textContent = `step ${whole(step)} · ${show(film.min[i])} to ${show(film.max[i])}`;
  };
  const stepAt = event => {
    const box = holder.getBoundingClientRect();
    return clamp((((event.clientX - box.left) * wide) / box.width - x(0)) / (x(lastStep) - x(0)), 0, 1) * lastStep;
  };
  holder.addEventListener('pointermove', event => {
    now.hover = Math.round(stepAt(event));
    followers.forEach(f => f(true));
  });
  holder.addEventListener('pointerleave', () => {
    now.hover = null;
    followers.forEach(f => f(true));
  });
  holder.addEventListener('click', event => setStep(stepAt(event)));
  onStep(follow);
  addView(draw);
  return { node, draw };
};

/* Magnitudes' quantiles where the axis is logarithmic. */
const quantileColumns = (film, log) => {
  const columns = QUANTILES.map(() => new Float64Array(film.frames));
  for (let i = 0; i < film.frames; i++) {
    let values;
    if (log) {
      const cells = cellsOf(film, i).map(c => ({
        size: Math.max(Math.abs(c.low), Math.abs(c.high)),
        less: Math.min(Math.abs(c.low), Math.abs(c.high)),
        share: c.share
      }));
      cells.sort((a, b) => a.size - b.size);
      const all = cells.reduce((s, c) => s + c.share, 0);
      let sum = 0,
        k = 0;
      values = QUANTILES.map(q => {
        while (k < cells.length - 1 && sum + cells[k].share < q * all) sum += cells[k++].share;
        return cells.length
          ? cells[k].less + clamp((q * all - sum) / cells[k].share, 0, 1) * (cells[k].size - cells[k].less)
          : NaN;
      });
    } else values = quantilesOf(film, i, QUANTILES);
    values.forEach((v, k) => {
      columns[k][i] = v;
    });
  }
  return columns;
};

const tensorOverTime = family => {
  const heat = heatMap(family);
  const ink = () => getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
  family.select = html(
    'select',
    { 'aria-label': 'Tensor shown over time', onchange: event => family.choose(family.items[+event.target.value]) },
    family.items.map((film, i) => html('option', { value: i }, film.label))
  );
  family.name = html('code', { class: 'on-paper' });
  const chart = () => {
    family.name.textContent = family.chosen.label;
    const [q05, q25, q50, q75, q95] = quantileColumns(family.chosen, family.log);
    return {
      title: family.log ? 'quantiles of |x|' : 'quantiles',
      height: 250,
      log: family.log,
      series: [
        {
          label: 'median',
          steps: family.chosen.steps,
          values: q50,
          colour: ink,
          band: [
            { low: q05, high: q95, opacity: 0.16 },
            { low: q25, high: q75, opacity: 0.28 }
          ]
        }
      ],
      note: `Line: median. Bands: 25 to 75 and 5 to 95 per cent${family.log ? ' of what is not zero.' : '.'}`
    };
  };
  const quantiles = lineChart(chart());
  const draw = () => {
    quantiles.update(chart());
    heat.draw();
  };
  return {
    draw,
    node: html(
      'div',
      { class: 'one-tensor' },
      html('h3', {}, html('label', {}, 'One tensor over time ', family.select), family.name),
      html('div', { class: 'multiples' }, heat.node, quantiles.node)
    )
  };
};
