/* ---- opens a page: its head, its sections (those that are none are left out) with the bar that leads to them, and what
   must be drawn anew when the width changes or for paper */

const open = (head, sections, keys) => {
  const root = document.documentElement;
  try {
    const theme = localStorage.getItem('vgraph-theme');
    if (theme) root.dataset.theme = theme;
  } catch {
    /* a file may have no storage */
  }
  const main = document.getElementById('main'),
    named = sections.filter(([section]) => section);
  document.getElementById('head').append(...head);
  document.getElementById('bar').append(...bar(named.map(([section, name]) => [section.id, name])));
  main.append(...named.map(([section]) => section));
  document.getElementById('foot').append(`Made by vgraph ${run.version}. `, keys);
  for (const place of document.querySelectorAll('.step-shown')) {
    const paint = () => {
      place.textContent = `step ${whole(stepNow())}`;
    };
    onStep(hover => {
      if (!hover) paint();
    });
    paint();
  }
  drawAll();
  let width = main.clientWidth,
    frame = 0;
  new ResizeObserver(() => {
    if (main.clientWidth === width) return;
    width = main.clientWidth;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(drawAll);
  }).observe(main);
  let before;
  addEventListener('beforeprint', () => {
    before = root.dataset.theme;
    root.dataset.theme = 'light';
    paper.on = true;
    drawAll();
  });
  addEventListener('afterprint', () => {
    paper.on = false;
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
    drawAll();
  });
  root.dataset.ready = 'yes';
};
