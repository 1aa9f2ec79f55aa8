// Reference systems by their codes: CGCS2000, its zones, and UTM. All with x east and y north, as OpenLayers wants them.
import proj4 from 'proj4';
import { register } from 'ol/proj/proj4.js';
import { get as known, transform } from 'ol/proj.js';

/** The definition of a system; `null` where the page has none. */
export function definition(epsg) {
  const gauss = (meridian, easting) => `+proj=tmerc +lat_0=0 +lon_0=${meridian} +k=1 +x_0=${easting} +y_0=0 +ellps=GRS80 +units=m +no_defs`;
  if (epsg === 4490) return '+proj=longlat +ellps=GRS80 +no_defs';
  if (epsg > 32600 && epsg <= 32660) return `+proj=utm +zone=${epsg - 32600} +datum=WGS84 +units=m +no_defs`;
  if (epsg > 32700 && epsg <= 32760) return `+proj=utm +zone=${epsg - 32700} +south +datum=WGS84 +units=m +no_defs`;
  if (epsg >= 4491 && epsg <= 4501) return gauss((epsg - 4491) * 6 + 75, (epsg - 4491 + 13) * 1e6 + 5e5);
  if (epsg >= 4502 && epsg <= 4512) return gauss((epsg - 4502) * 6 + 75, 5e5);
  if (epsg >= 4513 && epsg <= 4533) return gauss((epsg - 4488) * 3, (epsg - 4488) * 1e6 + 5e5);
  if (epsg >= 4534 && epsg <= 4554) return gauss((epsg - 4509) * 3, 5e5);
  return null;
}

/** Makes a system known, and gives its name. */
export function system(epsg) {
  const name = `EPSG:${epsg}`;
  for (const code of [4490, epsg]) {
    const text = definition(code);
    if (text && !known(`EPSG:${code}`)) {
      proj4.defs(`EPSG:${code}`, text);
      register(proj4);
    }
  }
  if (!known(name)) throw new Error(`no definition of ${name}`);
  return name;
}

/** Longitude and latitude (CGCS2000) of a point of the map. */
export const toDegrees = (point, name) => transform(point, name, 'EPSG:4490');

/** The shifted coordinates of Chinese road maps: for a link only, never stored. Outside China nothing is shifted. */
export function gcj02([lon, lat]) {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return [lon, lat];
  const { PI, sin, cos, sqrt, abs } = Math;
  const [x, y] = [lon - 105, lat - 35];
  const waves = (value) => ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3 + value;
  let dLat = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x));
  dLat = waves(dLat) + ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3 + ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3;
  let dLon = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x));
  dLon = waves(dLon) + ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3 + ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3;
  const [axis, flat] = [6378245, 0.006693421622965943];
  const magic = 1 - flat * sin((lat / 180) * PI) ** 2;
  return [
    lon + (dLon * 180) / ((axis / sqrt(magic)) * cos((lat / 180) * PI) * PI),
    lat + (dLat * 180) / (((axis * (1 - flat)) / (magic * sqrt(magic))) * PI),
  ];
}
