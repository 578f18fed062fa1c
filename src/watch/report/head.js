/* ---- the page: what a run was, its step in view, findings, source */

const run = data.run;
const base = path => path.replace(/^.*\//, '');
const statusTexts = {
  0: ['good', 'Ran to its end'],
  3: ['bad', 'An expectation failed'],
  4: ['bad', 'Data, disk or memory failed'],
  5: ['bad', 'The numbers broke: NaN or infinity in the loss'],
  130: ['warn', 'Interrupted']
};
const mainCurve = () =>
  data.curves.find(c => c.tag === 'loss' && !c.test) || data.curves.find(c => !c.test) || data.curves[0];

/* 20261126-030320 -> 26 November 2026, 03:03 */
const dateText = stamp => {
  const m = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)/.exec(stamp || '');
  if (!m) return stamp;
  const month = [
    'January',
    'February',
    'March',
    'April',
    'May',
    'June',
    'July',
    'August',
    'September',
    'October',
    'November',
    'December'
  ][m[2] - 1];
  return `${+m[3]} ${month} ${m[1]}, ${m[4]}:${m[5]}`;
};
const duration = s =>
  s < 60
    ? `${show(s)} s`
    : s < 3600
      ? `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`
      : `${Math.floor(s / 3600)} h ${Math.round((s % 3600) / 60)} min`;
const done = run.steps_done === undefined ? 0 : run.steps_done;

const themeButton = () => {
  const root = document.documentElement;
  const button = html('button', {
    type: 'button',
    class: 'theme',
    onclick: () => {
      root.dataset.theme = isDark() ? 'light' : 'dark';
      try {
        localStorage.setItem('vgraph-theme', root.dataset.theme);
      } catch {
        /* a file may have no storage */
      }
      name();
      drawAll();
    }
  });
  const name = () => {
    button.textContent = isDark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Change to the ${isDark() ? 'light' : 'dark'} theme`);
  };
  name();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    name();
    drawAll();
  });
  return button;
};

const header = () => {
  const [tone, words] = statusTexts[run.exit] || [
    'warn',
    run.exit === undefined ? 'Broke off' : `Ended with status ${run.exit}`
  ];
  const curve = mainCurve(),
    expects = run.expects,
    failed = expects.filter(e => !e.ok);
  const fact = (value, name) => html('div', {}, html('dt', {}, name), html('dd', {}, value));
  const facts = [];
  if (curve && curve.points)
    facts.push(
      fact(
        [show(curve.ends[0]), html('span', { class: 'arrow' }, ' → '), show(curve.ends[1])],
        curve.tag
      )
    );
  facts.push(fact(done === run.steps ? whole(done) : `${whole(done)} of ${whole(run.steps)}`, 'steps'));
  if (run.seconds) facts.push(fact(duration(run.seconds), `${show(done / run.seconds, 4)} steps/s`));
  if (data.graph && data.graph.variables.length) {
    const size = name => {
      const k = data.graph.named[data.graph.paths.indexOf(name)];
      return k
        ? (data.graph.types[data.graph.type[k - 1]].match(/\d+(?=[,\]])/g) || []).reduce((p, d) => p * d, 1)
        : 0;
    };
    facts.push(fact(whole(data.graph.variables.reduce((s, name) => s + size(name), 0)), 'parameters'));
  }
  if (expects.length)
    facts.push(
      fact(
        failed.length
          ? `${failed.length} of ${expects.length} failed`
          : expects.length === 1
            ? 'held'
            : `all ${expects.length} held`,
        expects.length === 1 ? html('code', {}, `expect ${expects[0].expr}`) : 'expectations'
      )
    );
  document.title = `${base(run.model)} · vgraph`;
  return [
    html('div', { class: 'title-row' }, html('h1', {}, base(run.model).replace(/\.nn$/, '')), themeButton()),
    html(
      'p',
      { class: 'lead' },
      html('span', { class: `verdict ${tone}` }, words),
      ` · ${dateText(run.started)}`,
      run.overrides.length ? html('span', {}, ' · ', html('code', {}, run.overrides.join(' '))) : null
    ),
    html('dl', { class: 'key' }, facts)
  ];
};

/* ---- findings, and what else must be said first */

const severityNames = { error: 'Error', cause: 'Cause', warning: 'With it', note: 'Note' };
/* A finding of run.json: the cause, and what goes with it. */
const shownFinding = f => ({
  severity: f.severity === 'note' ? 'note' : f.follows ? 'warning' : 'cause',
  rule: f.rule,
  title: f.say,
  text: f.why,
  tries: f.follows && run.findings.some(other => other.severity === 'fault' && !other.follows) ? [] : [f.try, f.option].filter(t => t),      /* the cause is mended first */
  where: f.where.length > 3 ? `${f.where[0]} … ${f.where[f.where.length - 1]}` : f.where.join(', '),
  line: base(f.file) === base(run.model) ? f.line : 0,
  node: 0
});
const findingSection = () => {
  const list = run.findings.map(shownFinding);
  for (const e of run.errors)
    list.unshift({
      severity: 'error',
      rule: e.code,
      title: e.message,
      text: '',
      where: '',
      line: base(e.file) === base(run.model) ? e.line : 0,
      node: 0
    });
  for (const e of run.expects)
    if (!e.ok && !run.errors.some(r => r.message.includes(e.expr)))
      list.push({
        severity: 'error',
        rule: 'expect',
        title: `expect ${e.expr}`,
        text: `It failed ${plural(e.failures, 'time')}.`,
        where: '',
        line: 0,
        node: 0
      });
  if (!list.length) return null;
  return html(
    'section',
    { id: 'findings', 'aria-labelledby': 'findings-title' },
    html('h2', { id: 'findings-title' }, 'Findings'),
    html(
      'ol',
      { class: 'findings' },
      list.map(f =>
        html(
          'li',
          { class: f.severity },
          html(
            'p',
            { class: 'finding-title' },
            html('span', { class: 'severity' }, severityNames[f.severity] || f.severity),
            ' ',
            f.title,
            ' ',
            html('span', { class: 'rule' }, f.rule)
          ),
          f.text ? html('p', { class: 'finding-text' }, f.text) : null,
          f.tries && f.tries.length
            ? html(
                'p',
                { class: 'finding-try' },
                'Try ',
                html('code', {}, f.tries[0]),
                f.tries[1] ? [' or ', html('code', {}, f.tries[1])] : null
              )
            : null,
          f.where || f.line || f.node
            ? html(
                'p',
                { class: 'finding-where' },
                f.where ? html('code', {}, f.where) : null,
                f.where && f.line ? ' · ' : null,
                f.line
                  ? html(
                      'button',
                      { type: 'button', class: 'link', onclick: () => showLine(f.line) },
                      `line ${f.line}`
                    )
                  : null,
                f.node && graph && graph.nodes[f.node] && graph.nodes[f.node].live
                  ? [
                      ' · ',
                      html(
                        'button',
                        {
                          type: 'button',
                          class: 'link',
                          onclick: () => {
                            document.getElementById('graph').scrollIntoView();
                            openTo(graph.nodes[f.node]);
                          }
                        },
                        'in the graph'
                      )
                    ]
                  : null
              )
            : null
        )
      )
    )
  );
};

/* ---- the bar: where one is, and which step is in view */

const bar = sections => {
  const nav = html(
    'nav',
    { 'aria-label': 'Sections' },
    sections.map(([id, name]) => html('a', { href: `#${id}` }, name))
  );
  if (steps.length < 2) return [nav];
  const slider = html('input', {
    type: 'range',
    min: 0,
    max: steps.length - 1,
    step: 1,
    value: now.index,
    id: 'step',
    'aria-label': 'Step in view'
  });
  const number = html('output', { for: 'step', class: 'step-number' }),
    live = document.getElementById('live');
  let timer = 0;
  const playing = () => timer !== 0;
  const play = html('button', { type: 'button', class: 'play' });
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    paint();
  };
  const paint = () => {
    slider.value = now.index;
    slider.setAttribute('aria-valuetext', `step ${stepNow()} of ${lastStep}`);
    number.textContent = `step ${whole(stepNow())}`;
    play.textContent = playing() ? '❚❚' : '▶';
    play.setAttribute('aria-label', playing() ? 'Pause' : 'Play the steps');
  };
  const toggle = () => {
    if (playing()) {
      stop();
      live.textContent = `Paused at step ${stepNow()}`;
      return;
    }
    const stride = Math.max(1, Math.ceil(steps.length / 200));
    if (now.index >= steps.length - 1) setIndex(0);
    timer = setInterval(
      () => {
        setIndex(now.index + stride);
        if (now.index >= steps.length - 1) stop();
      },
      Math.max(50, Math.min(180, 8000 / (steps.length / stride)))
    );
    paint();
  };
  play.addEventListener('click', toggle);
  slider.addEventListener('input', () => {
    if (playing()) stop();
    setIndex(+slider.value);
  });
  document.addEventListener('keydown', event => {
    if (
      event.target.closest('input:not([type=range]), select, textarea, button, a, [role=button], .graph') ||
      event.ctrlKey ||
      event.metaKey ||
      event.altKey
    )
      return;
    if (event.key === ' ') {
      event.preventDefault();
      toggle();
      return;
    }
    if (event.target === slider) return;
    if (event.key === 'ArrowLeft') setIndex(now.index - 1);
    else if (event.key === 'ArrowRight') setIndex(now.index + 1);
    else if (event.key === 'Home' && event.shiftKey) setIndex(0);
    else return;
    event.preventDefault();
  });
  onStep(hover => {
    if (!hover) paint();
  });
  paint();
  return [nav, html('div', { class: 'player', role: 'group', 'aria-label': 'Step in view' }, play, slider, number)];
};
