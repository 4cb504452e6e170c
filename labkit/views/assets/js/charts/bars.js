// Many bars as one area of Plotly's, and so quick to draw.
//
// Measured with 100 rows of 12 to 24 bars: as a trace of bars each look costs an element a
// bar, 90 to 150 ms in all; as one line that goes round every bar, and back the way it came,
// 40 to 60 ms, most of which an empty figure costs too. The ways between the bars enclose
// nothing. Hollow bars have an inner edge, gone round the other way.

export class Bars {
  /** `range` is the time that is shown, `size` the plot's size in px, `rows` how many rows it has. */
  constructor(range, { width, height }, rows) {
    this.range = range;
    this.apart = [(range[1] - range[0]) / width, rows / height]; // one px, in ms and in rows
    this.x = [];
    this.y = [];
    this.corners = [];
  }

  /** Adds a bar from one moment to another, `high` rows high; `edge` px thick if it is hollow. */
  add(from, to, middle, high, edge = 0) {
    const [first, last] = this.range;
    const room = this.apart[0] * 20;
    const [left, right] = [Math.max(from, first - room), Math.min(to, last + room)];
    if (left >= right) return;
    const [top, bottom] = [middle - high / 2, middle + high / 2];
    this.round(left, right, top, bottom);
    const [dx, dy] = this.apart.map((px) => px * edge);
    if (edge && right - left > 2 * dx && bottom - top > 2 * dy) this.back(left + dx, right - dx, top + dy, bottom - dy);
    this.corners.push([this.x.at(-1), this.y.at(-1)]);
  }

  round(left, right, top, bottom) {
    this.x.push(left, right, right, left, left);
    this.y.push(top, top, bottom, bottom, top);
  }

  back(left, right, top, bottom) {
    const [x, y] = [this.x.at(-1), this.y.at(-1)];
    this.x.push(left, left, right, right, left, x);
    this.y.push(top, bottom, bottom, top, top, y);
  }

  /** The bars as a trace: `looks` are its fill and its name. */
  trace(looks) {
    const ways = this.corners.slice(0, -1).reverse();
    return area([...this.x, ...ways.map(([x]) => x)], [...this.y, ...ways.map(([, y]) => y)], looks);
  }
}

/** What a line goes round, as a trace. */
export const area = (x, y, looks) => ({
  type: "scatter", mode: "none", fill: "toself", hoverinfo: "skip", showlegend: false, line: { simplify: false }, x, y, ...looks,
});
