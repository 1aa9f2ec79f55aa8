// Outlines: splitting with a line, and their corners.

const cross = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);

/** Where two stretches cross: share along each; `null` where they do not. */
export function crossing([a, b], [c, d]) {
  const [r, q] = [[b[0] - a[0], b[1] - a[1]], [d[0] - c[0], d[1] - c[1]]];
  const bottom = r[0] * q[1] - r[1] * q[0];
  if (bottom === 0) return null;
  const t = ((c[0] - a[0]) * q[1] - (c[1] - a[1]) * q[0]) / bottom;
  const u = ((c[0] - a[0]) * r[1] - (c[1] - a[1]) * r[0]) / bottom;
  return t >= 0 && t < 1 && u >= 0 && u <= 1 ? { t, u, point: [a[0] + t * r[0], a[1] + t * r[1]] } : null;
}

/** Area of a closed ring, positive against the clock. */
export function area(ring) {
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i += 1) sum += cross([0, 0], ring[i], ring[i + 1]);
  return sum / 2;
}

/** The two parts that a line cuts a closed ring into; `null` where it does not cross the ring exactly twice. */
export function split(ring, line) {
  const cuts = [];
  for (let i = 0; i + 1 < ring.length; i += 1) {
    for (let j = 0; j + 1 < line.length; j += 1) {
      const met = crossing([ring[i], ring[i + 1]], [line[j], line[j + 1]]);
      if (met) cuts.push({ onRing: i + met.t, onLine: j + met.u, point: met.point });
    }
  }
  if (cuts.length !== 2) return null;
  const [first, second] = cuts.sort((a, b) => a.onRing - b.onRing);
  const between = (from, to) => line.filter((_, i) => i > Math.min(from, to) && i < Math.max(from, to));
  let inner = between(first.onLine, second.onLine);
  if (first.onLine > second.onLine) inner = inner.reverse(); // from first to second
  const corners = ring.slice(0, -1);
  const along = corners.filter((_, i) => i > first.onRing && i <= second.onRing);
  const around = [...corners.filter((_, i) => i > second.onRing), ...corners.filter((_, i) => i <= first.onRing)];
  const one = [first.point, ...along, second.point, ...[...inner].reverse(), first.point];
  const other = [second.point, ...around, first.point, ...inner, second.point];
  return [one, other];
}

const closed = (corners) => [...corners, corners[0]];

/** A closed ring with one corner moved. */
export function moveCorner(ring, at, [dx, dy]) {
  return closed(ring.slice(0, -1).map(([x, y], i) => (i === at ? [x + dx, y + dy] : [x, y])));
}

/** A closed ring without one corner; `null` where fewer than three would be left. */
export function removeCorner(ring, at) {
  return ring.length > 4 ? closed(ring.slice(0, -1).filter((_, i) => i !== at)) : null;
}

/** A closed ring with one corner more, midway between one and the next. */
export function insertCorner(ring, at) {
  const middle = [0, 1].map((axis) => (ring[at][axis] + ring[at + 1][axis]) / 2);
  return closed([...ring.slice(0, at + 1), middle, ...ring.slice(at + 1, -1)]);
}
