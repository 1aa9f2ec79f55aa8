// Corners of an outline by keyboard: one is chosen, moved by a pixel of the imagery, removed, or another one is put in.
import Feature from 'ol/Feature.js';
import { Point } from 'ol/geom.js';
import { Circle, Fill, Stroke, Style } from 'ol/style.js';
import { insertCorner, moveCorner, removeCorner } from './geometry.js';
import { metres, t } from './texts.js';

const CHOSEN = new Style({ image: new Circle({ radius: 8, fill: new Fill({ color: '#0f6a78' }), stroke: new Stroke({ color: '#fff', width: 3 }) }), zIndex: 4 });
const WAYS = { corner_left: [-1, 0, 'west'], corner_right: [1, 0, 'east'], corner_up: [0, 1, 'north'], corner_down: [0, -1, 'south'] };

export class Corners {
  /** Of a polygon in metres; `step` is a pixel of the imagery, `marks` takes the sign of the chosen corner, `say` tells what was done. */
  constructor(polygon, { step, marks, say }) {
    this.polygon = polygon;
    this.step = step;
    this.say = say;
    this.chosen = null;
    this.mark = new Feature();
    this.mark.setStyle(CHOSEN);
    marks.addFeature(this.mark);
    this.onChange = () => this.show();
    polygon.on('change', this.onChange);
  }

  end() {
    this.polygon.un('change', this.onChange);
  }

  get ring() {
    return this.polygon.getCoordinates()[0];
  }

  /** The sign stands on the chosen corner, also where the mouse moved or removed corners. */
  show() {
    const { ring } = this;
    if (this.chosen === null) return;
    this.chosen = Math.min(this.chosen, ring.length - 2);
    this.mark.setGeometry(new Point(ring[this.chosen]));
  }

  set(ring) {
    this.polygon.setCoordinates([ring, ...this.polygon.getCoordinates().slice(1)]);
  }

  act(action) {
    const { ring } = this;
    const count = ring.length - 1;
    const told = () => ({ n: this.chosen + 1, of: this.ring.length - 1 });
    if (this.chosen === null || action === 'corner_before' || action === 'corner_after') {
      // the first key chooses the first corner, whatever it is
      if (this.chosen === null) this.chosen = 0;
      else this.chosen = (this.chosen + (action === 'corner_after' ? 1 : count - 1)) % count;
      this.show();
      this.say(t('corner', told()));
    } else if (action === 'corner_remove') {
      const left = removeCorner(ring, this.chosen);
      if (left) this.set(left);
      this.say(left ? t('corner_removed', told()) : t('corners_least'));
    } else if (action === 'corner_insert') {
      this.set(insertCorner(ring, this.chosen));
      this.chosen += 1;
      this.show();
      this.say(t('corner_inserted', told()));
    } else {
      const [x, y, way] = WAYS[action];
      this.set(moveCorner(ring, this.chosen, [x * this.step, y * this.step]));
      this.say(t('corner_moved', { ...told(), metres: metres(this.step), way: t(way) }));
    }
  }
}
