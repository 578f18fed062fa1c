/* ---- elements, numbers, axes */

const make = (space, tag, attributes, children) => {
  const node = space ? document.createElementNS(space, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return node;
};
const html = (tag, attributes, ...children) => make(null, tag, attributes, children);
const svg = (tag, attributes, ...children) => make('http://www.w3.org/2000/svg', tag, attributes, children);

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const superscript = n =>
  String(n)
    .replace(/-/g, '⁻')
    .replace(/\d/g, d => '⁰¹²³⁴⁵⁶⁷⁸⁹'[d]);

/* A few digits, as a person writes them. */
const show = (value, digits = 3) => {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential(Math.max(digits - 1, 0)).split('e');
    return `${mantissa.replace(/\.?0+$/, '').replace('-', '−')}·10${superscript(+exponent)}`;
  }
  return String(+value.toPrecision(digits)).replace('-', '−');
};
const whole = value => Math.round(value).toLocaleString('en-US').replace(/,/g, '\u202f');
const percent = share =>
  share === 0
    ? '0 %'
    : share < 0.001
      ? '< 0.1 %'
      : share > 0.999 && share < 1
        ? '> 99.9 %'
        : `${+(100 * share).toPrecision(share < 0.1 ? 2 : 3)} %`;
const plural = (count, word) => `${whole(count)} ${word}${count === 1 ? '' : 's'}`;

/* Round places between low and high, about `count`. */
const linearTicks = (low, high, count) => {
  if (!(high > low)) return [low];
  const raw = (high - low) / Math.max(count, 1),
    power = 10 ** Math.floor(Math.log10(raw));
  const size = [1, 2, 5, 10].map(k => k * power).find(s => s >= raw * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / size - 1e-9); k * size <= high + size * 1e-9; k++)
    ticks.push(+(k * size).toPrecision(12));
  return ticks;
};
const logTicks = (low, high, count) => {
  const from = Math.ceil(Math.log10(low) - 1e-9),
    to = Math.floor(Math.log10(high) + 1e-9);
  for (let stride = Math.max(1, Math.ceil((to - from + 1) / Math.max(count, 1))); to > from && stride > 0; stride--) {
    const ticks = [];
    for (let k = Math.ceil(from / stride) * stride; k <= to; k += stride) ticks.push(10 ** k);
    if (ticks.length > 1) return ticks;
  }
  const fine = [];
  for (let k = from - 1; k <= to; k++)
    for (const m of [1, 2, 5]) {
      const v = m * 10 ** k;
      if (v >= low * 0.999 && v <= high * 1.001) fine.push(v);
    }
  if (fine.length > 1) return fine.slice(-Math.max(count, 2));
  return Math.log10(high / low) < 0.5 ? linearTicks(low, high, Math.min(count, 4)) : [high];
};
/* The text of one of an axis' ticks: powers of ten where all are, and one is far from 1. */
const tickText = (value, scale) => {
  const near = Math.round(Math.log10(Math.abs(value)));
  return scale.powers && near !== 0 ? `10${superscript(near)}` : show(value, 4);
};

/* A scale: its function from values to pixels, and ticks with their texts. */
const makeScale = (low, high, from, to, log, count) => {
  const f = log ? Math.log : v => v,
    a = f(low),
    b = f(high);
  const scale = value => from + ((f(value) - a) / (b - a || 1)) * (to - from);
  scale.low = low;
  scale.high = high;
  scale.log = log;
  scale.ticks = (log ? logTicks : linearTicks)(low, high, count);
  const exponents = log ? scale.ticks.map(t => Math.log10(t)) : [];
  scale.powers = exponents.every(e => Math.abs(e - Math.round(e)) < 1e-6) && exponents.some(e => e < -2.5 || e > 4.5);
  return scale;
};

/* The axis of a list of numbers: logarithmic when that pays. */
const rangeOf = lists => {
  let low = Infinity,
    high = -Infinity,
    least = Infinity;
  for (const list of lists)
    for (const value of list) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
      if (value > 0 && value < least) least = value;
    }
  return low > high ? { low: 0, high: 1, least: 1 } : { low, high, least };
};
const logPays = range => range.low >= 0 && range.least < Infinity && range.high / range.least > 40;

/* ---- colours: told apart by people who see few of them, too. The ramp runs through the depth of a net. */

const ramps = {
  light: [
    [38, 54, 127],
    [33, 95, 154],
    [20, 122, 130],
    [58, 132, 72],
    [150, 112, 10],
    [190, 82, 14]
  ],
  dark: [
    [120, 150, 255],
    [84, 182, 235],
    [72, 208, 178],
    [150, 215, 110],
    [240, 200, 80],
    [255, 150, 90]
  ]
};
const isDark = () =>
  document.documentElement.dataset.theme === 'dark' ||
  (document.documentElement.dataset.theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
const mix = (a, b, t) => a.map((v, i) => Math.round(v + (b[i] - v) * t));
const rgb = c => `rgb(${c.join(',')})`;
const rampColour = t => {
  const ramp = ramps[isDark() ? 'dark' : 'light'],
    x = clamp(t, 0, 1) * (ramp.length - 1),
    i = Math.min(Math.floor(x), ramp.length - 2);
  return rgb(mix(ramp[i], ramp[i + 1], x - i));
};
/* The same, as if half transparent; what lies behind does not shine through. */
const tint = colour => {
  const ground = isDark() ? [20, 23, 28] : [255, 255, 255];
  return rgb(mix(ground, colour.match(/\d+/g).map(Number), 0.44));
};
const depthColour = (i, count) => rampColour(count < 2 ? 0.2 : i / (count - 1));

/* Heat: from the page's ground to ink, through one hue. */
const heatTable = () => {
  const stops = isDark()
    ? [
        [23, 26, 31],
        [24, 62, 112],
        [46, 128, 190],
        [140, 205, 235],
        [245, 250, 255]
      ]
    : [
        [255, 255, 255],
        [200, 220, 243],
        [105, 160, 215],
        [30, 90, 165],
        [10, 30, 85]
      ];
  const table = [];
  for (let i = 0; i < 256; i++) {
    const x = (i / 255) * (stops.length - 1),
      k = Math.min(Math.floor(x), stops.length - 2);
    table.push(mix(stops[k], stops[k + 1], x - k));
  }
  return table;
};

/* ---- what is drawn anew when the width or the theme changes, or for paper: an A4 page is so many pixels wide */

const paper = { on: false, whole: 688, half: 332 };
const widthOf = (holder, least, wide) =>
  paper.on ? (wide ? paper.whole : paper.half) : Math.max(holder.clientWidth, least);
const views = [];
const addView = draw => {
  views.push(draw);
};
const drawAll = () => views.forEach(draw => draw());

/* ---- the step that all pictures show */

const steps = (() => {
  const lists = data.films.length ? data.films : data.curves,
    all = new Set();
  for (const item of lists) for (const step of item.steps) all.add(step);
  return [...all].sort((a, b) => a - b);
})();
const lastStep = Math.max(1, ...data.films.concat(data.curves).map(item => item.steps[item.steps.length - 1] || 0));
const now = { index: Math.max(steps.length - 1, 0), hover: null };
const stepNow = () => (steps.length ? steps[now.index] : 0);
const followers = [];
const onStep = follow => {
  followers.push(follow);
};
const setIndex = index => {
  index = clamp(Math.round(index), 0, Math.max(steps.length - 1, 0));
  if (index === now.index && now.hover === null) return;
  now.index = index;
  now.hover = null;
  followers.forEach(follow => follow());
};
const setStep = step => {
  const i = placeOf(steps, step);
  setIndex(i + 1 < steps.length && steps[i + 1] - step < step - steps[i] ? i + 1 : i);
};
