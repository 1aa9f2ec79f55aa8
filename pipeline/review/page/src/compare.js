// Two dates of one place: swipe, opacity, blink and side by side. Both maps share one view.
import ImageLayer from 'ol/layer/Image.js';
import TileLayer from 'ol/layer/Tile.js';
import Map from 'ol/Map.js';
import { getRenderPixel } from 'ol/render.js';
import Static from 'ol/source/ImageStatic.js';
import TileImage from 'ol/source/TileImage.js';
import TileGrid from 'ol/tilegrid/TileGrid.js';
import { defaults as controls } from 'ol/control/defaults.js';
import { defaults as interactions } from 'ol/interaction/defaults.js';
import { h } from './dom.js';
import { day, t } from './texts.js';

export const MODES = ['swipe', 'opacity', 'blink', 'side_by_side'];

/** Lattice of the tiles of a patch: those of the server, whose origin is that of the grid. */
export function tileGrid(grid) {
  const [first, last] = grid.levels;
  const resolutions = [];
  for (let level = first; level <= last; level += 1) resolutions.push(grid.metres * 2 ** (grid.native_level - level));
  return new TileGrid({ origin: [0, 0], resolutions, tileSize: grid.tile_px });
}

/** Address of a tile. */
export function tileAddress(patch, passId, bands, [z, x, y]) {
  const level = patch.grid.levels[0] + z;
  return `/api/patches/${encodeURIComponent(patch.patch_id)}/tiles/${passId}/${bands}/${level}/${x}/${y}`;
}

/** Address of the first picture of a date. */
export const firstAddress = (patch, date) => `/api/patches/${encodeURIComponent(patch.patch_id)}/chips/${date}`;

/** The first picture of a date, on its ground, shown while the tiles come; none for other passes and bands. */
function first(patch, date, passId, bands, projection) {
  const own = patch[date === 'before' ? 'pre' : 'post'].pass_id === passId && patch.first && patch.first.bands === bands;
  if (!own) return null;
  const made = new Static({ url: firstAddress(patch, date), imageExtent: patch.first.extent, projection, interpolate: false });
  made.set('patch', patch.patch_id, true);
  made.on('imageloadend', () => made.set('loaded', true, true));
  return made;
}

function source(patch, passId, bands, projection, onFault) {
  const made = new TileImage({
    projection,
    tileGrid: tileGrid(patch.grid),
    tileUrlFunction: (tile) => (passId && bands ? tileAddress(patch, passId, bands, tile) : undefined),
    transition: 0,
  });
  made.on('tileloaderror', onFault);
  return made;
}

/** The comparison within an element that holds the main map. */
export class Comparison {
  constructor(map, host, second) {
    this.map = map;
    this.host = host;
    this.mode = 'swipe';
    this.share = 0.5;
    this.opacity = 0.5;
    this.before = new TileLayer({ zIndex: 0, preload: 1 });
    this.after = new TileLayer({ zIndex: 1, preload: 1 });
    this.twin = new TileLayer({ zIndex: 0, preload: 1 });
    // under each date its first picture
    this.firstBefore = new ImageLayer({ zIndex: -1 });
    this.firstAfter = new ImageLayer({ zIndex: 0.5 });
    this.firstTwin = new ImageLayer({ zIndex: -1 });
    for (const layer of [this.firstBefore, this.before, this.firstAfter, this.after]) map.addLayer(layer);
    this.second = new Map({ target: second, layers: [this.firstTwin, this.twin], view: map.getView(), controls: controls({ zoom: false, rotate: false, attribution: false }), interactions: interactions({ altShiftDragRotate: false, pinchRotate: false, keyboard: false }) });
    this.secondHost = second;
    for (const layer of [this.firstAfter, this.after]) {
      layer.on('prerender', (event) => this.clip(event));
      layer.on('postrender', (event) => event.context.restore());
    }
    for (const layer of [this.firstBefore, this.firstAfter]) layer.on('postrender', () => this.painted(layer));
    // opacity mixes two dates: a picture below its own tiles would count twice
    this.after.on('change:visible', () => this.firstAfter.setVisible(this.after.getVisible() && this.mode !== 'opacity'));
    this.handle = h('div', {
      class: 'divider', role: 'slider', tabindex: '0', 'aria-label': t('swipe_position'), 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-valuenow': '50',
    }, h('span', { class: 'grip', 'aria-hidden': 'true', text: '⇔' }));
    this.slider = h('input', { class: 'opacity-slider', type: 'range', min: '0', max: '100', value: '50', 'aria-label': t('opacity_value'), oninput: () => this.setOpacity(Number(this.slider.value) / 100) });
    this.labels = [h('div', { class: 'date-label left' }), h('div', { class: 'date-label right' })];
    host.append(this.handle, this.slider, ...this.labels);
    this.drag();
    this.setMode('swipe');
  }

  /** Cuts the later date off left of the divider, in the canvas' own pixels, whatever their ratio to the page's. */
  clip(event) {
    const context = event.context;
    context.save();
    if (this.mode !== 'swipe') return;
    const [width, height] = this.map.getSize();
    const x = width * this.share;
    const corners = [[x, 0], [width, 0], [width, height], [x, height]].map((corner) => getRenderPixel(event, corner));
    context.beginPath();
    corners.forEach((corner, i) => (i ? context.lineTo(...corner) : context.moveTo(...corner)));
    context.closePath();
    context.clip();
  }

  /** Notes on the stage of which patch the first pictures of both dates stand on the map. */
  painted(layer) {
    const source = layer.getSource();
    if (!source?.get('loaded')) return;
    source.set('painted', true, true);
    if ([this.firstBefore, this.firstAfter].every((one) => one.getSource()?.get('painted'))) this.host.dataset.painted = source.get('patch');
  }

  drag() {
    const move = (event) => {
      const box = this.host.getBoundingClientRect();
      this.setShare((event.clientX - box.left) / box.width);
    };
    this.handle.addEventListener('pointerdown', (event) => {
      this.handle.setPointerCapture(event.pointerId);
      this.handle.addEventListener('pointermove', move);
      event.preventDefault();
    });
    const end = () => this.handle.removeEventListener('pointermove', move);
    this.handle.addEventListener('pointerup', end);
    this.handle.addEventListener('pointercancel', end);
  }

  setShare(share) {
    this.share = Math.min(1, Math.max(0, share));
    this.handle.style.left = `${100 * this.share}%`;
    this.handle.setAttribute('aria-valuenow', String(Math.round(100 * this.share)));
    this.map.render();
  }

  setOpacity(opacity) {
    this.opacity = Math.min(1, Math.max(0, opacity));
    this.slider.value = String(Math.round(100 * this.opacity));
    this.after.setOpacity(this.mode === 'opacity' ? this.opacity : 1);
  }

  /** Left and right: the divider, or the opacity. In blink, one date or the other. */
  slide(step) {
    if (this.mode === 'opacity') this.setOpacity(this.opacity + step);
    else if (this.mode === 'blink') this.after.setVisible(step > 0);
    else this.setShare(this.share + step);
  }

  setMode(mode) {
    const again = mode === this.mode;
    this.mode = mode;
    clearInterval(this.blinking);
    this.host.dataset.mode = mode;
    const both = mode === 'side_by_side';
    this.secondHost.hidden = !both;
    this.after.setVisible(!both);
    this.firstAfter.setVisible(!both && mode !== 'opacity');
    this.setOpacity(this.opacity);
    if (mode === 'blink') {
      const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
      // who wants no motion presses X for each change
      if (calm && again) this.after.setVisible(!(this.shown ?? true));
      if (!calm) this.blinking = setInterval(() => { this.after.setVisible(!this.after.getVisible()); this.mark(); }, 650);
      this.shown = this.after.getVisible();
    }
    this.mark();
    requestAnimationFrame(() => { this.map.updateSize(); this.second.updateSize(); });
  }

  mark() {
    const later = this.mode === 'blink' ? this.after.getVisible() : null;
    this.labels[0].classList.toggle('quiet', later === true);
    this.labels[1].classList.toggle('quiet', later === false);
  }

  /** Shows a patch: which passes, in which bands. */
  show(patch, projection, { pre, post, bands }, onFault) {
    this.firstBefore.setSource(first(patch, 'before', pre, bands, projection));
    this.firstAfter.setSource(first(patch, 'after', post, bands, projection));
    this.firstTwin.setSource(first(patch, 'after', post, bands, projection));
    this.before.setSource(source(patch, pre, bands, projection, onFault));
    this.after.setSource(source(patch, post, bands, projection, onFault));
    this.twin.setSource(source(patch, post, bands, projection, onFault));
    const told = (id) => patch.passes.find((pass) => pass.pass_id === id);
    [pre, post].forEach((id, i) => {
      const pass = told(id);
      this.labels[i].replaceChildren(h('b', { text: t(i ? 'after' : 'before') }), ` ${(pass?.label ?? day(i ? patch.post.date : patch.pre.date)).slice(0, 10)} `, h('small', { text: pass?.sensor ?? '' }));
    });
    this.secondHost.setAttribute('aria-label', t('after'));
  }
}
