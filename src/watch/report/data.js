'use strict';

/* ---- the data: JSON, and columns of numbers (src/watch/report.h says how they lie) */

const base64Bytes = text => {
  const chars = atob(text),
    bytes = new Uint8Array(chars.length);
  for (let i = 0; i < chars.length; i++) bytes[i] = chars.charCodeAt(i);
  return bytes;
};

/* A table that gives symbol << 4 | length for the next `most` bits (RFC 1951, 3.2.2). */
const codeTable = lengths => {
  const counts = new Array(16).fill(0),
    next = new Array(16).fill(0);
  for (const n of lengths) counts[n]++;
  counts[0] = 0;
  let most = 15;
  while (most > 1 && !counts[most]) most--;
  for (let n = 1; n < 16; n++) next[n] = (next[n - 1] + counts[n - 1]) << 1;
  const table = new Uint16Array(1 << most);
  lengths.forEach((n, symbol) => {
    if (!n) return;
    let code = next[n]++,
      reversed = 0;
    for (let i = 0; i < n; i++, code >>= 1) reversed = (reversed << 1) | (code & 1);
    for (; reversed < table.length; reversed += 1 << n) table[reversed] = (symbol << 4) | n;
  });
  return { table, most };
};

/* What zlib packed (RFC 1950, 1951), `size` bytes of it. */
const inflate = (data, size) => {
  const out = new Uint8Array(size);
  const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
  let at = 2,
    bits = 0,
    count = 0,
    to = 0;
  const need = n => {
    for (; count < n; count += 8) bits |= data[at++] << count;
  };
  const take = n => {
    need(n);
    const value = bits & ((1 << n) - 1);
    bits >>>= n;
    count -= n;
    return value;
  };
  const symbol = code => {
    need(code.most);
    const entry = code.table[bits & ((1 << code.most) - 1)],
      n = entry & 15;
    if (!n) throw new Error('The data of this report are damaged.');
    bits >>>= n;
    count -= n;
    return entry >> 4;
  };
  const fixed = () => [
    codeTable([...Array(288).keys()].map(k => (k < 144 ? 8 : k < 256 ? 9 : k < 280 ? 7 : 8))),
    codeTable(new Array(30).fill(5))
  ];
  const dynamic = () => {
    const literals = take(5) + 257,
      distances = take(5) + 1,
      codes = take(4) + 4,
      first = new Array(19).fill(0);
    for (let i = 0; i < codes; i++) first[order[i]] = take(3);
    const code = codeTable(first),
      lengths = [];
    while (lengths.length < literals + distances) {
      const n = symbol(code);
      const [value, times] =
        n < 16
          ? [n, 1]
          : n === 16
            ? [lengths[lengths.length - 1], 3 + take(2)]
            : n === 17
              ? [0, 3 + take(3)]
              : [0, 11 + take(7)];
      for (let i = 0; i < times; i++) lengths.push(value);
    }
    return [codeTable(lengths.slice(0, literals)), codeTable(lengths.slice(literals))];
  };
  for (let last = 0; !last;) {
    last = take(1);
    const kind = take(2);
    if (kind === 0) {
      at -= count >> 3;
      bits = count = 0;
      const length = data[at] | (data[at + 1] << 8);
      out.set(data.subarray(at + 4, at + 4 + length), to);
      at += 4 + length;
      to += length;
      continue;
    }
    const [literal, distance] = kind === 1 ? fixed() : dynamic();
    for (;;) {
      let n = symbol(literal);
      if (n < 256) {
        out[to++] = n;
        continue;
      }
      if (n === 256) break;
      n -= 257;
      const more = n < 8 || n === 28 ? 0 : (n - 4) >> 2;
      const length = n === 28 ? 258 : n < 8 ? n + 3 : ((4 + (n & 3)) << more) + 3 + take(more);
      const d = symbol(distance),
        extra = d < 4 ? 0 : (d - 2) >> 1;
      const back = d < 4 ? d + 1 : ((2 + (d & 1)) << extra) + 1 + take(extra);
      for (let i = 0; i < length; i++, to++) out[to] = out[to - back];
    }
  }
  return out;
};

const readColumns = (bytes, wide, curves, films) => {
  let at = 0;
  const column = (type, count) => {
    const size = count * type.BYTES_PER_ELEMENT;
    const values = new type(bytes.slice(at, at + size).buffer);
    at += size;
    return values;
  };
  const real = wide ? Float64Array : Float32Array;
  const steps = count => {
    const out = new Float64Array(count);
    column(Uint32Array, count).forEach((delta, i) => {
      out[i] = (i ? out[i - 1] : 0) + delta;
    });
    return out;
  };
  for (const curve of curves) {
    curve.steps = steps(curve.points);
    curve.values = column(real, curve.points);
    if (curve.stride > 1) {
      curve.low = column(real, curve.points);
      curve.high = column(real, curve.points);
    }
    /* the first and the last value as they came, not the means of their points */
    curve.ends = curve.stride > 1 ? column(real, 2) : [curve.values[0], curve.values[curve.points - 1]];
  }
  for (const film of films) {
    const n = film.frames;
    film.steps = steps(n);
    for (const name of ['mean', 'std', 'min', 'max']) film[name] = column(real, n);
    for (const name of ['zeros', 'lost', 'count']) film[name] = column(Uint32Array, n);
    film.octave = column(Int16Array, n);
    film.kept = column(Uint8Array, n);
    film.rms = Float64Array.from(film.mean, (mean, i) => Math.hypot(mean, film.std[i]));
    film.first = new Uint32Array(n + 1);
    for (let i = 0; i < n; i++) film.first[i + 1] = film.first[i] + 2 * film.kept[i];
    film.cells = column(Uint8Array, film.first[n]);
  }
};

const data = JSON.parse(document.getElementById('data').textContent);
readColumns(
  inflate(base64Bytes(document.getElementById('columns').textContent), data.bytes),
  data.wide,
  data.curves,
  data.films
);

/* The last place of a rising list that is not above `value`; 0 when all are. */
const placeOf = (list, value) => {
  let low = 0,
    high = list.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
};

/* ---- families: as the terminal gathers them (src/watch/family.c) */

const splitTag = tag => {
  const slash = tag.lastIndexOf('/');
  return slash < 0 || tag[slash + 1] === ' ' ? ['', tag] : [tag.slice(0, slash), tag.slice(slash + 1)];
};
const starred = path => path.replace(/([A-Za-z0-9_)\]])\[[0-9, \-*]+\]/g, '$1[*]');

/* What all of a list of paths have in common, with * for the indices that differ. */
const commonTitle = paths => {
  const parts = paths.map(path => path.split(/(\[[0-9, \-*]+\])/));
  return parts[0].map((part, i) => (parts.every(p => p[i] === part) ? part : '[*]')).join('');
};

const families = (items, keyOf) => {
  const found = new Map();
  for (const item of items) {
    const [head, rest] = splitTag(item.tag),
      key = keyOf(head, rest);
    if (!found.has(key)) found.set(key, { head, items: [] });
    item.label = rest;
    found.get(key).items.push(item);
  }
  return [...found.values()].map(family => ({
    ...family,
    title: family.head || commonTitle(family.items.map(item => item.tag)),
    what:
      new Set(family.items.map(item => starred(item.label))).size === 1
        ? commonTitle(family.items.map(item => item.label))
        : ''
  }));
};
