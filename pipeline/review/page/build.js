// Bundles the pages into built/, which the server embeds.
import { build } from 'esbuild';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';

rmSync('built', { recursive: true, force: true });
mkdirSync('built');
await build({
  entryPoints: ['src/desk.js', 'src/field.js', 'src/style.css'],
  outdir: 'built',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'linked',
  logLevel: 'warning',
});
for (const file of ['index.html', 'field.html', 'icon.svg']) copyFileSync(`src/${file}`, `built/${file}`);
