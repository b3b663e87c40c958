"""The report's style sheet: light and dark, readable on paper, nothing fetched."""

from __future__ import annotations

CSS = """
:root { color-scheme: light dark; --page: #fbfbfa; --card: #fff; --ink: #1d2329; --soft: #5d6772; --faint: #e3e6e9;
  --lead: #1f63c9; --base: #c2620a; --other: #b4bcc4; --good: #1b7f4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14171a; --card: #1c2024; --ink: #e7eaed; --soft: #9aa4ae; --faint: #30363c;
    --lead: #74a9f7; --base: #f0a35e; --other: #525b64; --good: #63c795; --bad: #f28b82; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 26px; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 40px 0 12px; }
p { margin: 6px 0; max-width: 80ch; }
.soft { color: var(--soft); }
.verdict { font-size: 17px; margin: 14px 0 0; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 12px; margin-top: 20px; }
.tile { background: var(--card); border: 1px solid var(--faint); border-radius: 8px; padding: 12px 14px; }
.tile b { display: block; font-size: 24px; font-weight: 600; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 460px), 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--faint); border-radius: 8px; padding: 12px; }
figcaption { font-size: 13px; color: var(--soft); margin-bottom: 6px; }
.key { display: inline-block; width: 18px; height: 3px; border-radius: 2px; vertical-align: middle;
  margin: 0 4px 0 8px; }
.entry { white-space: nowrap; }
.key.lead { background: var(--lead); } .key.baseline { background: var(--base); }
.key.other { background: var(--other); }
svg { display: block; width: 100%; height: auto; }
svg .grid { stroke: var(--faint); } svg .tick { fill: var(--soft); font-size: 12px; }
svg polyline { fill: none; stroke-width: 1.4; stroke: var(--other); stroke-linejoin: round; }
svg polyline.lead { stroke: var(--lead); stroke-width: 2.4; }
svg polyline.baseline { stroke: var(--base); stroke-width: 2.2; stroke-dasharray: 6 4; }
svg .dot { fill: var(--other); stroke: var(--card); stroke-width: 1.2; }
svg .dot.baseline { fill: var(--base); } svg .dot.lead { fill: var(--lead); }
.wide { overflow-x: auto; border: 1px solid var(--faint); border-radius: 8px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 8px; text-align: left; border-bottom: 1px solid var(--faint); white-space: nowrap; }
td.long { white-space: normal; min-width: 16em; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 600; } tr:last-child td { border-bottom: 0; }
td.n, th.n { text-align: right; }
tr.best td { font-weight: 600; background: color-mix(in srgb, var(--lead) 10%, transparent); }
tr.changed td { font-weight: 600; }
.failed { color: var(--bad); } .good { color: var(--good); }
pre { background: var(--card); border: 1px solid var(--faint); border-radius: 8px; padding: 10px 12px; margin: 8px 0;
  overflow-x: auto; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere; }
details { margin: 8px 0; } summary { cursor: pointer; } details li { overflow-wrap: anywhere; }
@media print { .wide { overflow: visible; } details[open] { break-inside: avoid; } }
"""
