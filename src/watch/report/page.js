/* ---- source */

const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
/* grammar/lexer.re has the words. */
const words =
  'use const data input var state update def layer initializer optimizer for in if then else return train summary ' +
  'expect as every true false and or not scalar histogram image';
const tokens = new RegExp(
  [
    '(#.*$)',
    '("(?:[^"\\\\]|\\\\.)*")',
    `\\b(${words.replace(/ /g, '|')})\\b`,
    '\\b(\\d[\\d_]*(?:\\.\\d+)?(?:e[+-]?\\d+)?)\\b'
  ].join('|'),
  'g'
);
const coloured = text => {
  const out = [];
  let last = 0;
  for (const m of text.matchAll(tokens)) {
    const kind = m[1] ? 'comment' : m[2] ? 'string' : m[3] ? 'word' : 'digit';
    out.push(text.slice(last, m.index), html('span', { class: kind }, m[0]));
    last = m.index + m[0].length;
  }
  return out.concat(text.slice(last));
};

const sourceSection = () => {
  const lines = run.source.replace(/\n$/, '').split('\n'),
    rows = [];
  const list = html('ol', { class: 'source' });
  lines.forEach((text, i) => {
    const row = html(
      'li',
      { id: `line-${i + 1}`, value: i + 1 },
      html('code', {}, coloured(text), text ? null : ' ')
    );
    rows.push(row);
    list.append(row);
  });
  const mark = (line, kind) => {
    if (rows[line - 1]) rows[line - 1].classList.add(kind);
  };
  const clear = () => rows.forEach(row => row.classList.remove('marked', 'caller'));
  showLine = line => {
    clear();
    mark(line, 'marked');
    if (rows[line - 1]) rows[line - 1].scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
  };
  selectors.push(node => {
    clear();
    if (node.caller) mark(node.caller, 'caller');
    if (node.line) mark(node.line, 'marked');
  });
  return html(
    'section',
    { id: 'source', 'aria-labelledby': 'source-title' },
    html('h2', { id: 'source-title' }, 'Model', html('small', {}, run.model)),
    list
  );
};

/* ---- images */

const imageSection = () =>
  data.images.length
    ? html(
        'section',
        { id: 'images', 'aria-labelledby': 'images-title' },
        html('h2', { id: 'images-title' }, 'Images'),
        data.images.map(sequence =>
          html(
            'div',
            {},
            html('h3', {}, html('code', {}, sequence.tag)),
            html(
              'div',
              { class: 'stills' },
              sequence.stills.map(still =>
                html(
                  'figure',
                  {},
                  html(
                    'div',
                    { class: 'sheet' },
                    still.png.map((png, i) =>
                      html('img', {
                        src: `data:image/png;base64,${png}`,
                        alt: `${sequence.tag}, image ${i + 1} at step ${still.step}`,
                        width: still.width * Math.max(1, Math.round(56 / still.width)),
                        height: still.height * Math.max(1, Math.round(56 / still.width))
                      })
                    )
                  ),
                  html('figcaption', {}, `step ${whole(still.step)} · ${show(still.min)} to ${show(still.max)}`)
                )
              )
            )
          )
        )
      )
    : null;

/* ---- how it was run */

const runSection = () => {
  const row = (name, value) =>
    value === null || value === undefined || value === ''
      ? null
      : html('div', {}, html('dt', {}, name), html('dd', {}, value));
  const thin = data.curves.filter(c => c.stride > 1);
  return html(
    'section',
    { id: 'run', 'aria-labelledby': 'run-title' },
    html('h2', { id: 'run-title' }, 'How it was run'),
    html(
      'dl',
      { class: 'facts run' },
      row('command', run.command ? html('code', {}, run.command) : null),
      row(
        'data',
        run.data.length
          ? run.data.map(d =>
              html(
                'div',
                {},
                html('code', {}, `${d.name} = ${d.source}`),
                ` ${whole(d.train)} examples${d.test ? `, ${whole(d.test)} for tests` : ''}` +
                  (d.classes ? `; its classes: ${d.classes.join(', ')}` : '')
              )
            )
          : null
      ),
      row('batch', run.batch ? whole(run.batch) : null),
      row('seed', String(run.seed)),
      row('arithmetic', `${run.float64 ? 'float64' : 'float32'}${run.fused ? '' : ', one operator after the other'}`),
      row('threads', String(run.threads)),
      row('time', run.seconds === undefined ? null : duration(run.seconds)),
      row('started', dateText(run.started)),
      row('machine', `${run.machine.processor}, ${run.machine.host}`),
      row('libraries', run.machine.blas),
      row('version', `vgraph ${run.version}`),
      row(
        'expectations',
        run.expects.length
          ? run.expects.map(e =>
              html('div', {}, html('code', {}, e.expr), e.ok ? ' held' : ` failed ${plural(e.failures, 'time')}`)
            )
          : null
      ),
      row(
        'thinned',
        thin.length
          ? `Scalars of more records than the report keeps are gathered, ${plural(thin[0].stride, 'record')} ` +
              'to a point: the line is their mean, the band their range.'
          : null
      )
    ),
    data.notes.concat(run.notes).map(note => html('p', { class: 'note' }, note))
  );
};

/* ---- all of it */

{
  const groups = families(data.films, (head, rest) => (head ? `${head}/` : starred(rest)));
  open(header(), [
    [findingSection(), 'Findings'],
    [scalarSection(), 'Scalars'],
    ...groups.map((family, i) => [familySection(family, i + 1), family.title]),
    [imageSection(), 'Images'],
    [graphSection(), 'Graph'],
    [sourceSection(), 'Model'],
    [runSection(), 'Run']
  ], 'Arrow keys change the step in view, the space bar plays; in the graph arrows move it, + and − zoom.');
}
