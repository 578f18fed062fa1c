/* ---- several runs side by side: a table, and each value over steps with a line a run */

const runs = data.runs;
const colourOf = i => depthColour(i, runs.length);

/* The settings of a run's --set options: {act: 'relu'}. */
const settingsOf = r =>
  Object.fromEntries(
    r.overrides
      .map(text => /^--set ([^=]+)=([^]*)$/.exec(text))
      .filter(m => m)
      .map(m => [m[1], m[2]])
  );
const settings = runs.map(settingsOf);
const varied = [...new Set(settings.flatMap(s => Object.keys(s)))].filter(
  name => new Set(settings.map(s => s[name])).size > 1
);

/* Curves of one tag, a list of {run, curve}, in the order in which tags appear. */
const groupsOf = curves => {
  const found = new Map();
  for (const curve of curves) {
    const key = `${curve.test ? 1 : 0} ${curve.tag}`;
    if (!found.has(key)) found.set(key, { tag: curve.tag, test: curve.test, curves: [] });
    found.get(key).curves.push(curve);
  }
  return [...found.values()];
};
const scalars = groupsOf(data.curves.filter(c => !c.rms)).sort((a, b) => a.test - b.test);
const tensors = groupsOf(data.curves.filter(c => c.rms));

const lastOf = (group, i) => {
  const curve = group.curves.find(c => c.run === i);
  return curve && curve.points ? curve.ends[1] : undefined;
};

const wrongOf = r => {
  const status = { 3: 'an expectation failed', 4: 'data, disk or memory', 5: 'NaN loss', 130: 'interrupted' };
  const words = r.exit === undefined ? 'broke off' : r.exit === 0 ? '' : status[r.exit] || `status ${r.exit}`;
  const fault = r.faults.find(f => !f.follows) || r.faults[0];
  return [words, fault ? html('span', { title: fault.say }, words ? `: ${fault.rule}` : fault.rule) : null];
};

const tableSection = () => {
  const names = varied.length ? varied : null;
  const cell = (kind, ...children) => html('td', { class: kind }, children);
  const best = scalars.map(group => {
    const way = group.curves[0].direction,
      values = runs.map((r, i) => lastOf(group, i)).filter(v => v !== undefined && !Number.isNaN(v));
    return way && values.length > 1 ? (way > 0 ? Math.max(...values) : Math.min(...values)) : NaN;
  });
  const title = group => `${group.test ? 'test ' : ''}${group.tag}`;
  const row = (r, i) => {
    const mark = html('span', { class: 'swatch', 'data-run': i });
    addView(() => {
      mark.style.background = colourOf(i);
    });
    const name = names && settings[i][names[0]] !== undefined ? settings[i][names[0]] : r.name;
    return html(
      'tr',
      {},
      html('th', { scope: 'row' }, mark, r.link ? html('a', { href: r.link, title: r.name }, name) : name),
      names ? names.slice(1).map(key => cell('', html('code', {}, settings[i][key] || ''))) : null,
      scalars.map((group, k) => {
        const value = lastOf(group, i);
        return cell(`number${value === best[k] ? ' best' : ''}`, value === undefined ? '–' : show(value, 4));
      }),
      cell('number', r.seconds ? show(r.steps_done / r.seconds, 3) : '–'),
      cell('', wrongOf(r))
    );
  };
  const heads = names || ['run'];
  return html(
    'section',
    { id: 'table', 'aria-labelledby': 'table-title' },
    html('h2', { id: 'table-title' }, 'Runs', html('small', {}, 'last values; the best ones are bold')),
    html(
      'div',
      { class: 'table' },
      html(
        'table',
        {},
        html(
          'thead',
          {},
          html(
            'tr',
            {},
            heads.map(text => html('th', { scope: 'col' }, text)),
            scalars.map(group => html('th', { scope: 'col', class: 'number' }, title(group))),
            html('th', { scope: 'col', class: 'number' }, 'steps/s'),
            html('th', { scope: 'col' }, 'what is wrong')
          )
        ),
        html('tbody', {}, runs.map(row))
      )
    )
  );
};

/* At a line's end: the values of what differs, or the name; not too long for a picture's margin. */
const labelOf = i => {
  const own = varied.some(key => settings[i][key] !== undefined);
  const text = own ? varied.map(key => settings[i][key] || 'as in the file').join(', ') : runs[i].name;
  return text.length > 22 ? `${text.slice(0, 21)}…` : text;
};

/* A run whose numbers broke would leave the others no room: what lies far beyond theirs is not drawn. */
const tamed = (group, log) => {
  const broke = c => runs[c.run].exit === 5,
    fine = group.curves.filter(c => !broke(c));
  if (!fine.length || fine.length === group.curves.length) return [group.curves, ''];
  const range = rangeOf(fine.map(c => c.values)),
    wide = log === true || logPays(range),
    high = wide ? range.high * 10 : range.high + (range.high - range.low) * 0.3,
    low = wide ? range.least / 10 : range.low - (range.high - range.low) * 0.3;
  let cut = false;
  const curves = group.curves.map(c => {
    if (!broke(c)) return c;
    const values = c.values.map(v => (v > high || v < low ? NaN : v));
    cut = cut || values.some((v, k) => Number.isNaN(v) && Number.isFinite(c.values[k]));
    return { ...c, values, low: undefined, high: undefined };
  });
  return [curves, cut ? 'Here and below: without what lies far beyond the other runs, of one whose loss is not finite.' : ''];
};

/* Most runs in the lowest part of a picture, one far above: a log axis parts them. */
const isLow = curves => {
  const ends = curves.map(c => c.ends[1]).filter(Number.isFinite).sort((a, b) => a - b),
    range = rangeOf(curves.map(c => c.values));
  return ends.length > 3 && range.low > 0 && ends[ends.length >> 1] < range.low + 0.15 * (range.high - range.low);
};

let noted = false;      /* once is enough */
const chartOf = (group, wish) => {
  const [curves, cut] = tamed(group, wish),
    log = wish === 'auto' && group.curves[0].direction < 0 && isLow(curves) ? true : wish;
  const note = noted ? '' : cut;
  noted = noted || cut !== '';
  return lineChart({
    title: `${group.tag}${group.test ? ', test split' : ''}`,
    log,
    note,
    series: curves.map(curve => ({
      ...curve,
      label: labelOf(curve.run),
      dash: runs.length > 6 && curve.run % 2 ? '5 3' : undefined,      /* neighbours' colours are near each other */
      colour: () => colourOf(curve.run)
    }))
  }).node;
};

const chartSection = (id, title, note, groups, log) =>
  groups.length
    ? html(
        'section',
        { id, 'aria-labelledby': `${id}-title` },
        html('h2', { id: `${id}-title` }, title, html('small', {}, note)),
        html(
          'div',
          { class: 'multiples' },
          groups.map(group => chartOf(group, log))
        )
      )
    : null;

const runsHeader = () => {
  const models = [...new Set(runs.map(r => base(r.model)))];
  const failed = runs.filter(r => r.exit !== 0).length;
  const asked = runs.length + data.missing.length;
  document.title = `${models.join(', ')}: ${plural(runs.length, 'run')} · vgraph`;
  return [
    html(
      'div',
      { class: 'title-row' },
      html('h1', {}, models.map(m => m.replace(/\.nn$/, '')).join(', ')),
      themeButton()
    ),
    html(
      'p',
      { class: 'lead' },
      html('span', { class: `verdict ${failed || data.missing.length ? 'warn' : 'good'}` }, data.missing.length ? `${runs.length} of ${plural(asked, 'run')}` : plural(runs.length, 'run')),
      failed
        ? `, ${failed} of them failed or broke off`
        : data.missing.length
          ? ', which ran to their end; the others did not run'
          : ', all ran to their end',
      ` · ${dateText(runs.map(r => r.started).sort()[0])}`
    ),
    data.missing.length
      ? html('p', { class: 'note' }, 'Not run: ', data.missing.map((name, i) => [i ? ', ' : '', html('code', {}, name)]))
      : null
  ].filter(part => part);
};

open(
  runsHeader(),
  [
    [tableSection(), 'Runs'],
    [chartSection('scalars', 'Scalars', 'a line a run', scalars, 'auto'), 'Scalars'],
    [chartSection('rms', 'Distributions', 'the root mean square of each, a line a run', tensors, true), 'Distributions']
  ],
  'Arrow keys change the step in view, the space bar plays.'
);
