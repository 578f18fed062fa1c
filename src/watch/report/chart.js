/* ---- values over steps: lines with a common axis, labels at their ends, and what they are at the step in view */

/* Points as a path, at most two a pixel: a column of pixels shows its least and its greatest value. */
const linePath = (x, y, xs, ys) => {
  let path = '',
    open = false,
    column = NaN,
    first = 0,
    low = 0,
    high = 0,
    last = 0;
  const put = (px, py) => {
    path += `${open ? 'L' : 'M'}${px.toFixed(1)} ${py.toFixed(1)}`;
    open = true;
  };
  const flush = () => {
    if (Number.isNaN(column)) return;
    put(column, first);
    if (low !== first || high !== first) {
      put(column, low);
      put(column, high);
      put(column, last);
    }
    column = NaN;
  };
  for (let i = 0; i < xs.length; i++) {
    const py = y(ys[i]);
    if (!Number.isFinite(py)) {
      flush();
      open = false;
      continue;
    }
    const px = Math.round(x(xs[i]) * 2) / 2;
    if (px !== column) {
      flush();
      column = px;
      first = low = high = py;
    }
    low = Math.min(low, py);
    high = Math.max(high, py);
    last = py;
  }
  flush();
  return path;
};

const bandPath = (x, y, xs, lows, highs) => {
  const stride = Math.max(1, Math.floor(xs.length / 800)),
    up = [],
    down = [];
  for (let i = 0; i < xs.length; i += stride) {
    const a = y(lows[i]),
      b = y(highs[i]);
    if (!Number.isFinite(a) || !Number.isFinite(b)) continue;
    up.push(`${x(xs[i]).toFixed(1)} ${b.toFixed(1)}`);
    down.push(`${x(xs[i]).toFixed(1)} ${a.toFixed(1)}`);
  }
  return up.length ? `M${up.join('L')}L${down.reverse().join('L')}Z` : '';
};

/* Labels that would lie on each other move apart. `places` are pixels, in any order. */
const spread = (places, gap, low, high) => {
  const order = places.map((y, i) => i).sort((a, b) => places[a] - places[b]),
    out = places.slice();
  let floor = low;
  for (const i of order) {
    out[i] = Math.max(out[i], floor);
    floor = out[i] + gap;
  }
  let ceiling = high;
  for (const i of order.reverse()) {
    out[i] = Math.min(out[i], ceiling);
    ceiling = out[i] - gap;
  }
  return out;
};

const textWidth = (text, size) => text.length * size * 0.56;

/* Which of many lines are labelled: all for whose labels there is room, or the first, the last and one between. */
const labelled = count => (count <= 12 ? [...Array(count).keys()] : [0, count >> 1, count - 1]);

/* What findings are judged by is looked at now and then (pass/pass.h, VG_CADENCE_SPARSE). */
const SAMPLED = 'Looked at in the first ten steps, in every 20th, and most of it in the last tenth.';
const isSampled = s => {
  let most = 0;
  for (let k = 1; k < s.steps.length; k++) most = Math.max(most, s.steps[k] - s.steps[k - 1]);
  return s.steps.length > 12 && s.steps[9] - s.steps[0] === 9 && most === 20;
};

/* options: title, series, log ('auto', true, false), percent, zero (the axis begins at 0), height, note. A series is
   {label, steps, values, colour (a function), dash, low and high (a range around each value), band (a list of {low,
   high, opacity} of the same steps)}. */
const lineChart = given => {
  let options = given,
    series,
    format,
    ids,
    log,
    low,
    high,
    height;
  let x = null,
    cursor = null,
    dots = [],
    nearest = -1,
    width = 0;
  const readout = html('span', { class: 'readout' }),
    name = html('span', {}),
    holder = html('div', { class: 'plot' });
  const caption = html('figcaption', {});
  const node = html(
    'figure',
    { class: 'chart' },
    html('h4', { class: 'chart-title' }, name, readout),
    holder,
    caption
  );

  const prepare = () => {
    series = options.series;
    format = options.percent ? percent : show;
    height = options.height || 190;
    ids = labelled(series.length);
    name.textContent = options.title;
    const range = rangeOf(series.flatMap(s => [s.values].concat((s.band || []).flatMap(b => [b.low, b.high]))));
    log = options.log === 'auto' ? logPays(range) : options.log && range.least < Infinity;
    low = log ? Math.max(range.least, range.high * 1e-30) : options.zero ? Math.min(0, range.low) : range.low;
    caption.textContent = [options.note, log ? 'Log axis.' : '', series.some(isSampled) ? SAMPLED : '']
      .filter(text => text)
      .join(' ');
    high = range.high;
    if (high === low) {
      low = log ? low / 2 : low - (Math.abs(low) || 1) * 0.1;
      high = log ? high * 2 : high + (Math.abs(high) || 1) * 0.1;
    }
    const pad = log ? Math.pow(high / low, 0.04) : (high - low) * 0.05;
    low = log ? low / pad : options.zero && low === 0 ? 0 : low - pad;
    high = log ? high * pad : options.percent ? Math.max(high + pad, 0.01) : high + pad;
  };

  const shown = step => {
    if (!x) return;
    cursor.setAttribute('x1', x(step));
    cursor.setAttribute('x2', x(step));
    const atEnd = step >= Math.min(lastStep, steps[steps.length - 1]);      /* what is measured behind the last step, too */
    const parts = series
      .map((s, i) => ({ s, i, k: placeOf(s.steps, atEnd ? lastStep : step) }))
      .filter(p => p.s.steps.length && p.s.steps[0] <= step);
    const valueAt = (s, k) => (atEnd && s.ends && k === s.steps.length - 1 ? s.ends[1] : s.values[k]);
    const ofStep = (s, k) => (s.test && s.steps[k] !== step ? ` (step ${whole(s.steps[k])})` : '');
    for (const dot of dots) dot.setAttribute('opacity', 0);
    const y = x.y;
    for (const { s, i, k } of parts) {
      const py = y(s.values[k]);
      if (!Number.isFinite(py) || (series.length > 8 && i !== nearest)) continue;
      dots[i].setAttribute('cx', x(s.steps[k]));
      dots[i].setAttribute('cy', py);
      dots[i].setAttribute('opacity', 1);
    }
    const pick = series.length <= 2 ? parts : parts.filter(p => p.i === nearest);
    readout.textContent =
      `step ${whole(step)}` +
      pick.map(({ s, k }) => ` · ${series.length > 1 ? `${s.label}: ` : ''}${format(valueAt(s, k))}${ofStep(s, k)}`).join('');
  };

  const draw = () => {
    width = widthOf(holder, 220);
    const labels = series.length > 1 ? ids.map(i => series[i].label) : [];
    const right = labels.length ? clamp(Math.max(...labels.map(t => textWidth(t, 11))) + 10, 20, width * 0.3) : 10;
    const top = 8,
      bottom = height - 20;
    const y = makeScale(low, high, bottom, top, log, Math.max(2, Math.floor(height / 42)));
    const left = Math.max(...y.ticks.map(t => textWidth(options.percent ? percent(t) : tickText(t, y), 11))) + 10;
    x = makeScale(0, lastStep, left, width - right, false, Math.max(2, Math.floor((width - left - right) / 90)));
    x.y = y;
    const bands = [],
      lines = [];
    series.forEach((s, i) => {
      for (const b of s.band || [])
        bands.push(svg('path', { d: bandPath(x, y, s.steps, b.low, b.high), fill: s.colour(), opacity: b.opacity }));
      if (s.low)
        bands.push(svg('path', { d: bandPath(x, y, s.steps, s.low, s.high), fill: s.colour(), opacity: 0.22 }));
      const single = s.steps.length === 1 && Number.isFinite(y(s.values[0]));
      lines.push(
        single
          ? svg('circle', { cx: x(s.steps[0]), cy: y(s.values[0]), r: 3, fill: s.colour() })
          : svg('path', {
              d: linePath(x, y, s.steps, s.values),
              class: 'line',
              stroke: s.colour(),
              'data-series': i,
              'stroke-dasharray': s.dash,
              'stroke-width': series.length > 12 ? 1.1 : 1.7
            })
      );
    });
    const lastOf = s => {
      for (let k = s.values.length - 1; k >= 0; k--) if (Number.isFinite(y(s.values[k]))) return y(s.values[k]);
      return bottom;
    };
    const places = labels.length
      ? spread(
          ids.map(i => lastOf(series[i])),
          13,
          top + 4,
          bottom
        )
      : [];
    dots = series.map(s => svg('circle', { r: 3.2, fill: s.colour(), class: 'dot', opacity: 0 }));
    cursor = svg('line', { class: 'cursor', y1: top, y2: bottom });
    const picture = svg(
      'svg',
      {
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        role: 'img',
        'aria-label': `${options.title || ''}: ${describe()}`
      },
      y.ticks.map(t => [
        svg('line', { class: 'grid', x1: left, x2: width - right, y1: y(t), y2: y(t) }),
        svg(
          'text',
          { class: 'tick', x: left - 6, y: y(t) + 3.5, 'text-anchor': 'end' },
          options.percent ? percent(t) : tickText(t, y)
        )
      ]),
      x.ticks.map(t => svg('text', { class: 'tick', x: x(t), y: height - 5, 'text-anchor': 'middle' }, whole(t))),
      bands,
      cursor,
      lines,
      dots,
      ids.map((i, k) =>
        labels.length
          ? svg(
              'text',
              { class: 'label', x: width - right + 6, y: places[k] + 3.5, style: `fill:${series[i].colour()}` },
              labels[k]
            )
          : null
      )
    );
    holder.replaceChildren(picture);
    shown(now.hover === null ? stepNow() : now.hover);
  };

  const describe = () =>
    series
      .slice(0, 4)
      .map(s => `${s.label} from ${format((s.ends || s.values)[0])} to ${format(s.ends ? s.ends[1] : s.values[s.values.length - 1])}`)
      .join('; ');
  const stepAt = event => {
    const box = holder.getBoundingClientRect(),
      left = x(0),
      right = x(lastStep);
    return clamp((((event.clientX - box.left) * width) / box.width - left) / (right - left), 0, 1) * lastStep;
  };
  const point = event => {
    const step = stepAt(event),
      box = holder.getBoundingClientRect(),
      py = ((event.clientY - box.top) * height) / box.height;
    let best = Infinity;
    nearest = -1;
    series.forEach((s, i) => {
      if (!s.steps.length) return;
      const distance = Math.abs(x.y(s.values[placeOf(s.steps, step)]) - py);
      if (distance < best) {
        best = distance;
        nearest = i;
      }
    });
    for (const line of holder.querySelectorAll('.line'))
      line.classList.toggle('dim', series.length > 2 && +line.dataset.series !== nearest);
    now.hover = Math.round(step);
    followers.forEach(follow => follow(true));
  };
  holder.addEventListener('pointermove', point);
  holder.addEventListener('pointerleave', () => {
    for (const line of holder.querySelectorAll('.dim')) line.classList.remove('dim');
    nearest = -1;
    now.hover = null;
    followers.forEach(follow => follow(true));
  });
  holder.addEventListener('click', event => setStep(stepAt(event)));
  prepare();
  onStep(() => shown(now.hover === null ? stepNow() : now.hover));
  addView(draw);
  return {
    node,
    update: changed => {
      options = changed;
      nearest = -1;
      prepare();
      draw();
    }
  };
};

/* ---- scalars */

const scalarSection = () => {
  if (!data.curves.length) return null;
  const charts = [];
  const plain = () => getComputedStyle(document.documentElement).getPropertyValue('--accent').trim();
  const warm = () => getComputedStyle(document.documentElement).getPropertyValue('--warm').trim();
  const all = families(
    [...data.curves].sort((a, b) => a.test - b.test),
    (head, rest) => (head ? `${head}/` : `/${rest}`)
  );
  /* A layer has one colour in all charts: by its place in the largest family that has all of these. */
  const orderOf = rows =>
    all
      .map(family => [...new Set(family.items.map(c => c.label))])
      .filter(labels => rows.every(c => labels.includes(c.label)))
      .sort((a, b) => b.length - a.length)[0];
  for (const family of all) {
    if (!family.head) {
      const own = family.items.filter(c => !c.test),
        test = family.items.filter(c => c.test);
      const series = own
        .map(c => ({ ...c, label: test.length ? 'train' : c.tag, colour: plain }))
        .concat(test.map(c => ({ ...c, label: own.length ? 'test' : c.tag, colour: warm, dash: '5 3' })));
      charts.push(lineChart({ title: family.items[0].tag, series, log: 'auto' }).node);
    } else {
      const own = family.items.filter(c => !c.test),
        test = family.items.filter(c => c.test);
      const rows = own.concat(test),
        order = orderOf(rows);
      charts.push(
        lineChart({
          title: family.head,
          log: 'auto',
          series: rows.map(c => ({
            ...c,
            label: c.test && own.length ? `${c.label}, test` : c.label,
            dash: c.test && own.length ? '5 3' : undefined,
            colour: () => depthColour(order.indexOf(c.label), order.length)
          }))
        }).node
      );
    }
  }
  return html(
    'section',
    { id: 'scalars', 'aria-labelledby': 'scalars-title' },
    html('h2', { id: 'scalars-title' }, 'Scalars'),
    html('div', { class: 'multiples' }, charts)
  );
};
