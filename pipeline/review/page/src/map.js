// The map: both dates, outlines, tools.
import Feature from 'ol/Feature.js';
import GeoJSON from 'ol/format/GeoJSON.js';
import { LineString, Polygon } from 'ol/geom.js';
import Draw from 'ol/interaction/Draw.js';
import Modify from 'ol/interaction/Modify.js';
import { defaults as interactions } from 'ol/interaction/defaults.js';
import VectorLayer from 'ol/layer/Vector.js';
import Map from 'ol/Map.js';
import ScaleLine from 'ol/control/ScaleLine.js';
import VectorSource from 'ol/source/Vector.js';
import { getArea, getLength } from 'ol/sphere.js';
import { Fill, Stroke, Style, Circle, Text } from 'ol/style.js';
import View from 'ol/View.js';
import { buffer, getCenter, getHeight, getWidth } from 'ol/extent.js';
import { Comparison, firstAddress, tileAddress, tileGrid } from './compare.js';
import { Corners } from './corners.js';
import { area, split } from './geometry.js';
import { system, toDegrees } from './projections.js';
import { announce } from './dom.js';
import { metres, squareMetres, t } from './texts.js';

const line = (colour, width, dash) => new Stroke({ color: colour, width, lineDash: dash });
const CASING = new Style({ stroke: line('rgba(12, 18, 24, 0.85)', 5), zIndex: 1 });
const OUTLINE = [CASING, new Style({ stroke: line('#ffd447', 2.5), zIndex: 2 })];
const CORRECTED = [CASING, new Style({ stroke: line('#5ef2d6', 2.5), zIndex: 2 })];
const TOOL = [CASING, new Style({ stroke: line('#ffffff', 2.5, [8, 6]), fill: new Fill({ color: 'rgba(94, 242, 214, 0.15)' }), image: new Circle({ radius: 5, fill: new Fill({ color: '#fff' }), stroke: line('#0f4c5c', 2) }), zIndex: 3 })];
const LAYERS = {
  reaches: [new Style({ stroke: line('rgba(12,18,24,0.6)', 3.5) }), new Style({ stroke: line('#8fd3ff', 1.8, [10, 5]) })],
  patches: [new Style({ stroke: line('rgba(12,18,24,0.7)', 3.5) }), new Style({ stroke: line('#ff9f6b', 1.6), fill: new Fill({ color: 'rgba(255,159,107,0.08)' }) })],
  cases: [new Style({ stroke: line('#d6a6ff', 1.6, [3, 4]) })],
  coverage: [new Style({ stroke: line('rgba(255,255,255,0.65)', 1.2, [2, 6]) })],
};

const named = (colour, dash) => (feature) => [
  new Style({ stroke: line('rgba(12,18,24,0.6)', 3) }),
  new Style({ stroke: line(colour, 1.5, dash), fill: new Fill({ color: `${colour}14` }), text: new Text({ text: feature.get('name') ?? '', font: '600 12px system-ui, sans-serif', fill: new Fill({ color: '#fff' }), stroke: line('#0b1a20', 3), overflow: true }) }),
];
Object.assign(LAYERS, { zones: named('#7ee0a1', [12, 4]), permits: named('#f7e463', [4, 4]), known: named('#ff7d9c'), units: named('#cfd8dd', [14, 4, 2, 4]) });

/** Ground shown around a patch, over its size, and at least in metres. */
const ROOM = 2.2;
const LEAST_M = 320;

export class ReviewMap {
  constructor({ target, second, host, onCoordinates, onOutline, onNeighbour }) {
    this.map = new Map({
      target,
      controls: [new ScaleLine({ units: 'metric', minWidth: 90 })],
      interactions: interactions({ altShiftDragRotate: false, pinchRotate: false, keyboard: false }),
      view: new View({ center: [0, 0], resolution: 10 }),
    });
    this.comparison = new Comparison(this.map, host, second);
    this.layers = {};
    for (const [name, style] of Object.entries(LAYERS)) {
      this.layers[name] = new VectorLayer({ source: new VectorSource(), style, zIndex: 10, visible: name === 'reaches' });
      this.map.addLayer(this.layers[name]);
      const twin = new VectorLayer({ source: this.layers[name].getSource(), style, zIndex: 10, visible: name === 'reaches' });
      this.layers[name].on('change:visible', () => twin.setVisible(this.layers[name].getVisible()));
      this.comparison.second.addLayer(twin);
    }
    this.outline = new VectorLayer({ source: new VectorSource(), style: OUTLINE, zIndex: 20, updateWhileInteracting: true });
    this.twinOutline = new VectorLayer({ source: this.outline.getSource(), style: OUTLINE, zIndex: 20 });
    this.tool = new VectorLayer({ source: new VectorSource(), style: (feature) => this.measured(feature), zIndex: 30 });
    this.map.addLayer(this.outline);
    this.map.addLayer(this.tool);
    this.comparison.second.addLayer(this.twinOutline);
    this.map.on('loadstart', () => { host.dataset.loading = 'true'; });
    this.map.on('loadend', () => { host.dataset.loading = 'false'; });
    this.onOutline = onOutline;
    this.map.on('pointermove', (event) => this.patch && onCoordinates(toDegrees(event.coordinate, this.projection)));
    this.map.on('click', (event) => {
      if (this.interaction || !this.layers.patches.getVisible()) return;
      const hit = this.map.forEachFeatureAtPixel(event.pixel, (feature) => feature.getId(), { layerFilter: (layer) => layer === this.layers.patches, hitTolerance: 6 });
      if (hit) onNeighbour(String(hit));
    });
    new ResizeObserver(() => { this.map.updateSize(); this.comparison.second.updateSize(); }).observe(host);
  }

  /** A style that tells what a drawn line or area measures. */
  measured(feature) {
    const geometry = feature.getGeometry();
    const words = this.measuring && geometry ? this.measure(geometry) : null;
    return words ? [...TOOL, new Style({ text: new Text({ text: words, font: '600 14px system-ui, sans-serif', fill: new Fill({ color: '#fff' }), stroke: line('#0b1a20', 4), overflow: true, offsetY: -14 }) })] : TOOL;
  }

  measure(geometry) {
    const options = { projection: this.projection };
    return geometry instanceof LineString ? metres(getLength(geometry, options)) : squareMetres(getArea(geometry, options));
  }

  /** The part of the ground that is shown first. */
  extent(patch) {
    const room = Math.max(LEAST_M / 2, (ROOM - 1) * Math.max(getWidth(patch.bounds), getHeight(patch.bounds)) / 2 + 60);
    return buffer(patch.bounds, room);
  }

  /** Level of the tiles and resolution that fit a patch. */
  fitting(patch) {
    const [width, height] = this.map.getSize() ?? [800, 600];
    const extent = this.extent(patch);
    const grid = tileGrid(patch.grid);
    const resolution = Math.max(getWidth(extent) / width, getHeight(extent) / height);
    return { grid, resolution: Math.min(Math.max(resolution, grid.getResolution(grid.getMaxZoom()) / 2), grid.getResolution(0)), extent };
  }

  show(patch, shown, onFault) {
    this.cancelTool();
    this.patch = patch;
    const projection = system(patch.grid.epsg);
    const { resolution, extent } = this.fitting(patch);
    if (projection !== this.projection) {
      this.projection = projection;
      const grid = tileGrid(patch.grid);
      const view = new View({ projection, center: getCenter(extent), resolution, minResolution: grid.getResolution(grid.getMaxZoom()) / 4, maxResolution: grid.getResolution(0), enableRotation: false });
      this.map.setView(view);
      this.comparison.second.setView(view);
    }
    this.home(patch);
    this.dates(shown, onFault);
    this.setOutline(patch.corrected?.geometry ?? null);
    for (const layer of Object.values(this.layers)) layer.getSource().clear();
  }

  home(patch = this.patch) {
    const { resolution, extent } = this.fitting(patch);
    const view = this.map.getView();
    view.setCenter(getCenter(extent));
    view.setResolution(resolution);
  }

  dates(shown, onFault) {
    this.comparison.show(this.patch, this.projection, shown, onFault);
  }

  /** The outline as it was found, or as it was corrected (GeoJSON in degrees). */
  setOutline(corrected) {
    this.corrected = corrected;
    const geometry = new GeoJSON().readGeometry(corrected ?? this.patch.geometry, { dataProjection: 'EPSG:4490', featureProjection: this.projection });
    const source = this.outline.getSource();
    source.clear();
    source.addFeature(new Feature(geometry));
    for (const layer of [this.outline, this.twinOutline]) layer.setStyle(corrected ? CORRECTED : OUTLINE);
  }

  toggleOutline() {
    const visible = !this.outline.getVisible();
    this.outline.setVisible(visible);
    this.twinOutline.setVisible(visible);
  }

  setLayers(collections) {
    const format = new GeoJSON({ dataProjection: 'EPSG:4490', featureProjection: this.projection });
    for (const [name, layer] of Object.entries(this.layers)) {
      layer.getSource().clear();
      if (collections[name]) layer.getSource().addFeatures(format.readFeatures(collections[name]));
    }
  }

  zoom(step) {
    const view = this.map.getView();
    view.setResolution(view.getConstrainedResolution(view.getResolution() * (step > 0 ? 0.7 : 1 / 0.7)));
  }

  use(interaction, { measuring = false } = {}) {
    this.cancelTool();
    this.measuring = measuring;
    this.interaction = interaction;
    this.map.addInteraction(interaction);
  }

  cancelTool() {
    if (this.interaction) this.map.removeInteraction(this.interaction);
    this.interaction = null;
    this.corners?.end();
    this.corners = null;
    this.measuring = false;
    this.tool.getSource().clear();
  }

  asGeoJson(geometry) {
    const polygon = new GeoJSON().writeGeometryObject(geometry, { dataProjection: 'EPSG:4490', featureProjection: this.projection, decimals: 9 });
    return { type: 'Polygon', coordinates: polygon.coordinates };
  }

  /** Corners can be dragged, or chosen and moved by keyboard, until it ends. */
  edit() {
    this.kept = this.corrected;
    this.use(new Modify({ source: this.outline.getSource(), style: TOOL, pixelTolerance: 14 }));
    const [feature] = this.outline.getSource().getFeatures();
    this.corners = new Corners(feature.getGeometry(), { step: this.patch.grid.metres, marks: this.tool.getSource(), say: announce });
  }

  /** Ends editing: the outline stays as it is now, or goes back to what it was. */
  endEdit(keep) {
    const feature = this.outline.getSource().getFeatures()[0];
    this.cancelTool();
    if (keep && feature) {
      this.setOutline(this.asGeoJson(feature.getGeometry()));
      this.onOutline(this.corrected);
    } else this.setOutline(this.kept ?? null);
  }

  redraw(then) {
    const draw = new Draw({ source: this.tool.getSource(), type: 'Polygon', style: TOOL });
    draw.on('drawend', (event) => {
      this.setOutline(this.asGeoJson(event.feature.getGeometry()));
      this.onOutline(this.corrected);
      setTimeout(() => { this.cancelTool(); then(true); });
    });
    this.use(draw);
  }

  split(then) {
    const draw = new Draw({ source: this.tool.getSource(), type: 'LineString', style: TOOL });
    draw.on('drawend', (event) => {
      const feature = this.outline.getSource().getFeatures()[0];
      const parts = split(feature.getGeometry().getCoordinates()[0], event.feature.getGeometry().getCoordinates());
      if (parts) {
        const [larger, other] = parts.sort((a, b) => Math.abs(area(b)) - Math.abs(area(a)));
        this.setOutline(this.asGeoJson(new Polygon([larger])));
        this.onOutline(this.corrected, this.asGeoJson(new Polygon([other])));
      }
      setTimeout(() => { this.cancelTool(); then(parts !== null); });
    });
    this.use(draw);
  }

  startMeasure() {
    this.use(new Draw({ source: this.tool.getSource(), type: 'LineString', style: (feature) => this.measured(feature) }), { measuring: true });
  }

  /** Loads what the next patch will show, into the browser's cache. */
  prefetch(patch, { pre, post, bands }) {
    if (!bands) return;
    const { grid, resolution, extent } = this.fitting(patch);
    const z = grid.getZForResolution(resolution);
    const [width, height] = this.map.getSize() ?? [800, 600];
    const centre = getCenter(extent);
    const seen = [centre[0] - (width * resolution) / 2, centre[1] - (height * resolution) / 2, centre[0] + (width * resolution) / 2, centre[1] + (height * resolution) / 2];
    this.ahead = ['before', 'after'].map((date) => Object.assign(new Image(), { src: firstAddress(patch, date) }));
    grid.forEachTileCoord(seen, z, (tile) => {
      for (const pass of [pre, post]) {
        const image = new Image();
        image.src = tileAddress(patch, pass, bands, tile);
        this.ahead.push(image);
      }
    });
  }
}

/** What the layers are called on the page. */
export const LAYER_TEXTS = { reaches: 'scope', patches: 'neighbours', cases: 'cases', coverage: 'coverage', zones: 'zones', permits: 'permits', known: 'known', units: 'units' };
export const layerNames = () => Object.keys(LAYERS).map((name) => [name, t(LAYER_TEXTS[name])]);
