/* ---- a family of histograms: ridges over layers, and what goes with them */

const RIDGES = 64;

/* At most RIDGES of a family, evenly, with the last. */
const thinned = films => {
  if (films.length <= RIDGES) return films;
  const stride = Math.ceil(films.length / (RIDGES - 1)),
    list = films.filter((film, i) => i % stride === 0);
  if (list[list.length - 1] !== films[films.length - 1]) list.push(films[films.length - 1]);
  return list;
};

/* A ridge as high as its peak. On a linear axis heights are square roots (Tukey's rootogram): gradients crowd around
   zero, and how wide the rest lies, which one wants to see, would else be a line on the ground. */
const pathOf = (points, x, base, height, axis) => {
  const most = points.reduce((high, p) => Math.max(high, p.y), 0);
  if (!(most > 0)) return '';
  const up = p => base - (axis.log ? p.y / most : Math.sqrt(p.y / most)) * height;
  return 'M' + points.map(p => `${(x + p.x).toFixed(1)} ${up(p).toFixed(1)}`).join('L');
};

const valueAxis = (axis, scale, top, bottom) =>
  scale.ticks.map(t => [
    svg('line', { class: t === 0 ? 'grid zero' : 'grid', x1: scale(t), x2: scale(t), y1: top, y2: bottom }),
    svg('text', { class: 'tick', x: scale(t), y: bottom + 15, 'text-anchor': 'middle' }, tickText(t, scale))
  ]);

const ridgePlot = family => {
  const films = thinned(family.items),
    n = films.length;
  const holder = html('div', { class: 'plot ridges' }),
    rms = rangeOf(films.map(film => film.rms));
  const anyZeros = films.some(film => film.zeros.some(z => z > 0));
  const anyRms = rms.least < Infinity;
  let rows = [];

  const draw = () => {
    const width = widthOf(holder, 280, true),
      narrow = width < 560;
    const row = n <= 5 ? 46 : n <= 9 ? 38 : n <= 18 ? 28 : n <= 34 ? 20 : 15,
      peak = row * (n > 18 ? 2 : 1.35);
    const top = Math.max(peak - row, 0) + 22,
      bottom = top + n * row + 2,
      height = bottom + 22;
    const left = clamp(Math.max(...films.map(f => textWidth(f.label, 12))) + 12, 40, width * 0.26);
    const zeroWidth = anyZeros ? (narrow ? 46 : 66) : 0,
      numberWidth = 62;
    const dotWidth = narrow || !anyRms ? 0 : clamp(width * 0.2, 90, 190);
    const axis = familyAxis(films, family.log),
      right = width - zeroWidth - numberWidth - dotWidth - 14;
    const scale = makeScale(axis.low, axis.high, left, right, axis.log, Math.max(2, Math.floor((right - left) / 80)));
    const dotX = right + 36,
      dots = makeScale(
        rms.least / 1.3,
        Math.max(rms.high, rms.least * 2) * 1.3,
        dotX,
        dotX + Math.max(dotWidth - 44, 1),
        true,
        Math.max(2, Math.floor(dotWidth / 50))
      );
    const head = (x, text, anchor) => svg('text', { class: 'head', x, y: 11, 'text-anchor': anchor }, text);
    rows = films.map((film, i) => {
      const base = top + (i + 1) * row,
        colour = depthColour(i, n),
        short = film.label.length * 6.7 > left - 12;
      const before = film.frames ? densityOf(cellsOf(film, 0), axis, right - left) : [];
      return {
        film,
        base,
        colour,
        first: svg('path', { class: 'first', d: pathOf(before, left, base, peak, axis) }),
        area: svg('path', { class: 'ridge', fill: tint(colour), stroke: colour }),
        rms: svg('text', { class: 'number', x: width - zeroWidth - 4, y: base - 3, 'text-anchor': 'end' }),
        zeros: svg('text', { class: 'number', x: width - 2, y: base - 3, 'text-anchor': 'end' }),
        dot: svg('circle', { r: n > 34 ? 3 : 4, fill: colour }),
        stem: svg('line', { class: 'stem', y1: base - 6, y2: base - 6 }),
        hollow:
          film.frames && film.rms[0] > 0 && dotWidth
            ? svg('circle', { class: 'hollow', r: n > 34 ? 2.4 : 3.2, cx: dots(film.rms[0]), cy: base - 6 })
            : null,
        label: svg(
          'text',
          { class: 'row-label', x: left - 8, y: base - 3, 'text-anchor': 'end' },
          short ? `…${film.label.slice(-Math.floor((left - 20) / 6.7))}` : film.label,
          svg('title', {}, film.tag)
        )
      };
    });
    const picture = svg(
      'svg',
      {
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        role: 'group',
        'aria-label': `Distributions of ${family.title}, one row a tensor`
      },
      valueAxis(axis, scale, top - 4, bottom),
      dotWidth
        ? dots.ticks.map(t => [
            svg('line', { class: 'grid', x1: dots(t), x2: dots(t), y1: top - 4, y2: bottom }),
            svg('text', { class: 'tick', x: dots(t), y: bottom + 15, 'text-anchor': 'middle' }, tickText(t, dots))
          ])
        : null,
      head(left, axis.log ? 'magnitude |x|' : 'value', 'start'),
      dotWidth ? head(dotX, 'rms', 'start') : head(width - zeroWidth - 4, 'rms', 'end'),
      anyZeros ? head(width - 2, 'zeros', 'end') : null,
      rows.map((r, i) => [
        svg('line', { class: 'base', x1: left, x2: right, y1: r.base, y2: r.base }),
        r.area,
        r.first,
        dotWidth ? [r.stem, r.hollow, r.dot] : null
      ]),
      rows.map(r => [r.label, r.rms, anyZeros ? r.zeros : null]),
      rows.map((r, i) =>
        svg('rect', {
          class: 'hit',
          x: 0,
          y: r.base - row,
          width,
          height: row,
          'data-row': i,
          tabindex: 0,
          role: 'button',
          'aria-label': `Show ${r.film.label} over time`,
          onclick: () => family.choose(r.film),
          onkeydown: event => {
            if (event.key === 'Enter') {
              event.preventDefault();
              family.choose(r.film);
            }
          }
        })
      )
    );
    holder.replaceChildren(picture);
    Object.assign(holder, { paint: () => paint(axis, left, right, peak, dots, dotWidth) });
    holder.paint();
  };

  const paint = (axis, left, right, peak, dots, dotWidth) => {
    const step = stepNow();
    for (const r of rows) {
      const i = frameAt(r.film, step),
        points = r.film.frames ? densityOf(cellsOf(r.film, i), axis, right - left) : [];
      r.area.setAttribute('d', pathOf(points, left, r.base, peak, axis));
      r.rms.textContent = show(r.film.rms[i]);
      r.zeros.textContent = percent(zeroShare(r.film, i));
      r.label.classList.toggle('chosen', r.film === family.chosen);
      const visible = dotWidth && r.film.rms[i] > 0;
      r.dot.setAttribute('opacity', visible ? 1 : 0);
      if (!visible) continue;
      r.dot.setAttribute('cx', dots(r.film.rms[i]));
      r.dot.setAttribute('cy', r.base - 6);
      r.stem.setAttribute('x1', dots(r.film.rms[0] > 0 ? r.film.rms[0] : r.film.rms[i]));
      r.stem.setAttribute('x2', dots(r.film.rms[i]));
    }
  };
  onStep(hover => {
    if (!hover && holder.paint) holder.paint();
  });
  addView(draw);
  family.redraw = draw;
  return holder;
};

/* ---- the whole section of a family */

const switcher = (label, choices, current, choose) =>
  html(
    'span',
    { class: 'switch', role: 'group', 'aria-label': label },
    choices.map(([value, text]) =>
      html(
        'button',
        {
          type: 'button',
          'aria-pressed': String(value === current),
          'data-value': String(value),
          onclick: event => {
            for (const button of event.currentTarget.parentNode.children)
              button.setAttribute('aria-pressed', String(button === event.currentTarget));
            choose(value);
          }
        },
        text
      )
    )
  );

const thinningNote = films => {
  const most = films.reduce((a, b) => (b.stride > a.stride ? b : a), films[0]);
  return most.stride > 1
    ? ` Of ${whole(most.seen)} recorded steps every ${whole(most.stride)}th is kept, and the last.`
    : '';
};

const familySection = (family, number) => {
  const films = family.items,
    id = `tensors-${number}`;
  family.log = axisPays(films);
  family.chosen = films[0];
  const over = tensorOverTime(family);
  family.choose = film => {
    family.chosen = film;
    family.select.value = String(films.indexOf(film));
    over.draw();
    followers.forEach(follow => follow());
  };
  const ridges = ridgePlot(family),
    frames = Math.max(...films.map(film => film.frames));
  const line = (values, film, i) => ({
    label: film.label,
    steps: film.steps,
    values,
    colour: () => depthColour(i, films.length)
  });
  const charts = [
    lineChart({ title: 'rms over steps', log: true, height: 230, series: films.map((f, i) => line(f.rms, f, i)) })
      .node
  ];
  const share = film => Float64Array.from(film.zeros, (z, i) => zeroShare(film, i));
  if (films.some(f => f.zeros.some(z => z > 0)))
    charts.push(
      lineChart({
        title: 'share of zeros',
        zero: true,
        percent: true,
        height: 230,
        series: films.map((f, i) => line(share(f), f, i))
      }).node
    );
  else charts.push(html('p', { class: 'quiet' }, 'No element is exactly zero at any recorded step.'));
  if (films.some(f => f.lost.some(z => z > 0)))
    charts.push(
      lineChart({
        title: 'NaN and infinite elements',
        zero: true,
        height: 230,
        series: films.map((f, i) => line(Float64Array.from(f.lost), f, i))
      }).node
    );
  return html(
    'section',
    { id, class: 'family', 'aria-labelledby': `${id}-title` },
    html(
      'h2',
      { id: `${id}-title` },
      html('code', {}, family.title),
      html(
        'small',
        {},
        family.what && family.what !== family.title ? `${family.what} · ` : '',
        `${plural(films.length, 'tensor')} · ${plural(frames, 'recorded step')}`
      )
    ),
    html(
      'div',
      { class: 'tools' },
      html('span', { class: 'step-shown' }),
      switcher(
        'Axis of the distributions',
        [
          [false, 'linear'],
          [true, 'log |x|']
        ],
        family.log,
        log => {
          family.log = log;
          family.redraw();
          over.draw();
        }
      )
    ),
    html(
      'figure',
      { class: 'chart wide' },
      ridges,
      html(
        'figcaption',
        {},
        'Filled: the step in view. Outline and hollow dots: the first step. Each ridge is as high as its ' +
          'own peak, on the linear axis by the square root of the density; exact zeros are not in it, but in ' +
          'their column.' +
          (films.length > RIDGES
            ? ` Of ${films.length} tensors every ${Math.ceil(films.length / (RIDGES - 1))}th has a row.`
            : '') +
          thinningNote(films)
      )
    ),
    html('div', { class: 'multiples' }, charts),
    over.node
  );
};
