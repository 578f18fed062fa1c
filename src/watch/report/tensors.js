/* ---- distributions: cells of magnitudes by sign, as report_cells.c makes them */

/* The inner and outer edge of each cell as a part of 2^(octave + 1), from the outermost in. */
const cellEdges = (() => {
  const outer = [],
    inner = [];
  const put = (o, high, low) => {
    outer.push(2 ** (-1 - o) * high);
    inner.push(2 ** (-1 - o) * low);
  };
  for (let o = 0; o < 4; o++) for (let q = 4; q > 0; q--) put(o, 1 + q / 4, 1 + (q - 1) / 4);
  for (let o = 4; o < 12; o++) for (let q = 2; q > 0; q--) put(o, 1 + q / 2, 1 + (q - 1) / 2);
  for (let o = 12; o < 28; o++) put(o, 2, 1);
  put(28, 2, 2 ** -12);
  return { outer, inner };
})();

/* A frame's distribution: rising cells {low, high, share} of all finite elements, zeros apart. */
const cellsOf = (film, frame) => {
  const kept = film.kept[frame],
    at = film.first[frame],
    size = 2 ** (film.octave[frame] + 1),
    out = [];
  const finite = film.count[frame] - film.lost[frame];
  if (!kept || !finite) return out;
  let total = 0;
  for (let i = 0; i < 2 * kept; i++) total += film.cells[at + i] ** 2;
  const unit = (finite - film.zeros[frame]) / finite / total,
    least = film.min[frame],
    most = film.max[frame];
  const put = (low, high, byte) => {
    if (!byte) return;
    low = Math.max(low, least);
    high = Math.min(high, most);
    if (!(high > low)) low = high = clamp((low + high) / 2, least, most);
    out.push({ low, high, share: byte * byte * unit });
  };
  for (let i = 0; i < kept; i++)
    put(-size * cellEdges.outer[i], -size * cellEdges.inner[i], film.cells[at + kept + i]);
  for (let i = kept - 1; i >= 0; i--) put(size * cellEdges.inner[i], size * cellEdges.outer[i], film.cells[at + i]);
  return out;
};

const zeroShare = (film, frame) => {
  const finite = film.count[frame] - film.lost[frame];
  return finite ? film.zeros[frame] / finite : 0;
};

/* Quantiles by linear interpolation within the cells. */
const quantilesOf = (film, frame, shares) => {
  const cells = cellsOf(film, frame),
    zeros = zeroShare(film, frame);
  const rows = cells.filter(c => c.high <= 0 && c.low < 0);
  if (zeros) rows.push({ low: 0, high: 0, share: zeros });
  rows.push(...cells.filter(c => !(c.high <= 0 && c.low < 0)));
  let before = 0,
    k = 0;
  return shares.map(share => {
    while (k < rows.length - 1 && before + rows[k].share < share) before += rows[k++].share;
    const row = rows[k];
    return row ? row.low + clamp((share - before) / row.share, 0, 1) * (row.high - row.low) : NaN;
  });
};

/* The frame of a film that stands at a step: the last before it. */
const frameAt = (film, step) => placeOf(film.steps, step);

const nearestFrame = (film, step) => {
  const i = frameAt(film, step),
    next = film.steps[i + 1];
  return next - step < step - film.steps[i] ? i + 1 : i;
};

/* ---- the axis of a family's distributions, common to all its tensors and steps */

const sampleFrames = film => {
  const stride = Math.max(1, Math.floor(film.frames / 60)),
    list = [];
  for (let i = 0; i < film.frames; i += stride) list.push(i);
  if (film.frames) list.push(film.frames - 1);
  return list;
};

const familyAxis = (films, log) => {
  let low = 0,
    high = 0,
    least = Infinity,
    most = 0;
  for (const film of films)
    for (const i of sampleFrames(film)) {
      const reach = film.std[i] * 3.5;
      low = Math.min(low, Math.max(film.min[i], film.mean[i] - reach));
      high = Math.max(high, Math.min(film.max[i], film.mean[i] + reach));
      if (!log) continue;
      let sum = 0;
      const cells = cellsOf(film, i)
        .map(c => ({ size: Math.max(Math.abs(c.low), Math.abs(c.high)), share: c.share }))
        .sort((a, b) => a.size - b.size);
      const all = cells.reduce((s, c) => s + c.share, 0);
      for (const c of cells) {
        sum += c.share;
        if (sum > all * 0.04) {
          least = Math.min(least, c.size);
          break;
        }
      }
      most = Math.max(most, Math.abs(film.min[i]), Math.abs(film.max[i]));
    }
  if (log) {
    if (!(least < most)) [least, most] = most > 0 ? [most / 10, most * 2] : [0.1, 1];
    return { log: true, low: least / 1.5, high: most * 1.1 };
  }
  if (low < 0 && high > 0) {
    high = Math.max(high, -low);
    low = -high;
  }
  if (low === high) [low, high] = [low - 1, high + 1];
  return { log: false, low, high };
};

/* What the axis pays: layers that differ by orders of magnitude are told apart by a logarithmic one alone. */
const axisPays = films => {
  const rms = films.flatMap(film => (film.frames ? [film.rms[0], film.rms[film.frames - 1]] : [])).filter(v => v > 0);
  return rms.length > 1 && Math.max(...rms) / Math.min(...rms) > 30;
};

/* Density along an axis of `pixels`: a list of [pixel, density], cells narrower than a pixel gathered. */
const densityOf = (cells, axis, pixels) => {
  const scale = makeScale(axis.low, axis.high, 0, pixels, axis.log, 2);
  let rows = cells;
  if (axis.log) {
    rows = cells.map(c => ({
      low: Math.min(Math.abs(c.low), Math.abs(c.high)),
      high: Math.max(Math.abs(c.low), Math.abs(c.high)),
      share: c.share
    }));
    rows.sort((a, b) => a.low - b.low || a.high - b.high);
    const merged = [];
    for (const row of rows) {
      /* the same cell of both signs */
      const last = merged[merged.length - 1];
      if (last && row.low < last.high && row.high <= last.high * 1.0001) last.share += row.share;
      else merged.push({ ...row });
    }
    rows = merged;
  }
  /* Narrow cells are gathered in a grid around zero, wide ones stand for themselves. */
  const grid = Math.max(pixels / 100, 1),
    origin = axis.log ? 0 : scale(0),
    points = [];
  let bin = NaN,
    from = NaN,
    to = NaN,
    share = 0;
  const put = (low, high, density) => {
    const last = points[points.length - 1];
    if (!last || low - last.to > grid) {
      /* a gap: down to the ground and up again */
      if (last) points.push({ x: last.to, y: 0, to: last.to });
      points.push({ x: low, y: 0, to: low });
    }
    points.push({ x: (low + high) / 2, y: density, to: high });
  };
  const flush = () => {
    if (Number.isNaN(bin)) return;
    const wide = clamp(to - from, grid / 2, grid),
      middle = to - from > grid / 2 ? (from + to) / 2 : origin + bin * grid;
    put(Math.min(from, middle - wide / 2), Math.max(to, middle + wide / 2), share / wide);
    bin = NaN;
    share = 0;
  };
  for (const row of rows) {
    if (row.high < axis.low || row.low > axis.high) continue;
    const a = axis.log && row.low <= axis.low ? 0 : Math.max(scale(row.low), 0),
      b = Math.min(scale(row.high), pixels);
    if (b - a >= grid) {
      flush();
      put(a, b, row.share / Math.max(axis.log ? b - a : scale(row.high) - scale(row.low), 1e-9));
      continue;
    }
    const next = Math.round(((a + b) / 2 - origin) / grid);
    if (next !== bin) {
      flush();
      bin = next;
      from = a;
    }
    to = b;
    share += row.share;
  }
  flush();
  const last = points[points.length - 1];
  if (last) points.push({ x: Math.max(last.to, last.x + 0.75), y: 0, to: last.to });
  return points;
};
