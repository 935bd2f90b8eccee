/** The page's whole style: no fonts, pictures or scripts from anywhere. Light, dark by the reader's setting, phone and print. */
export const pageStyle: string = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1c1e21; --soft: #5b6168; --line: #d9dce0; --panel: #f6f7f8;
  --native: #0072b2; --transferred: #c24e00; --random: #737373; --good: #006b4f; --half: #7a5a00; --bad: #a8202a; --plot-background: #fff; }
@media screen and (prefers-color-scheme: dark) {
  :root { --paper: #15171a; --ink: #e6e8ea; --soft: #a2a8af; --line: #363b41; --panel: #1e2125;
    --native: #5bb4ea; --transferred: #f59a5b; --random: #9ba1a8; --good: #4fc9a0; --half: #e0b84c; --bad: #f28b8b; --plot-background: #15171a; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
p, ul, dl { max-width: 46rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0.5rem 0 0.25rem; text-wrap: balance; }
h2 { font-size: 1.35rem; margin: 3rem 0 0.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.75rem 0 0.25rem; }
a { color: var(--native); }
nav ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; }
.lead { color: var(--soft); margin-top: 0; }
.note { color: var(--soft); font-size: 0.9rem; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.3rem 1rem 0.3rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
thead th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
tbody th { font-weight: 600; }
td.number, th.number { text-align: right; }
td, tbody th { white-space: nowrap; }
.warnings { border-left: 4px solid var(--half); background: var(--panel); padding: 0.6rem 1rem; max-width: 48rem; }
.warnings ul { margin: 0.25rem 0; padding-left: 1.2rem; }
.verdict { border-left: 4px solid var(--soft); background: var(--panel); padding: 0.6rem 1rem; max-width: 48rem; }
.transfers { border-color: var(--good); } .partly { border-color: var(--half); } .fails, .reversed { border-color: var(--bad); }
.badge { font-weight: 700; white-space: nowrap; }
.transfers .badge { color: var(--good); } .partly .badge { color: var(--half); } .fails .badge, .reversed .badge { color: var(--bad); }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1.25rem 2rem; margin: 1.25rem 0; }
figure { margin: 0; break-inside: avoid; }
figcaption { margin-bottom: 0.35rem; }
figcaption b { display: block; } figcaption span { color: var(--soft); font-size: 0.9rem; }
figure svg { width: 100%; max-width: 32rem; height: auto; }
.texts { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 0.75rem; margin: 0.5rem 0 1.5rem; }
.texts .low { grid-column: 1; } .texts .unsteered { grid-column: 2; grid-row: 1 / span 3; } .texts .high { grid-column: 3; }
.texts h4 { margin: 0; font-size: 0.85rem; color: var(--soft); font-weight: 600; }
.text { background: var(--panel); padding: 0.6rem 0.75rem; font-size: 0.9rem; line-height: 1.45; overflow-wrap: anywhere; white-space: pre-wrap;
  border-top: 3px solid var(--line); break-inside: avoid; }
.text i { color: var(--soft); font-style: normal; }
.native-text { border-color: var(--native); } .transferred-text { border-color: var(--transferred); } .random-text { border-color: var(--random); }
dt { font-weight: 600; margin-top: 0.75rem; } dd { margin: 0; }
code { font-size: 0.85em; overflow-wrap: anywhere; }
@media (max-width: 40rem) { thead th.number { min-width: 5rem; } .texts { grid-template-columns: 1fr; } .texts .low, .texts .unsteered, .texts .high { grid-column: 1; grid-row: auto; } h1 { font-size: 1.5rem; } main { padding: 1rem 0.9rem 3rem; } }
@media print { :root { color-scheme: light; } body { font-size: 10.5pt; } main { max-width: none; padding: 0; } nav { display: none; }
  h2, h3 { break-after: avoid; } table { font-size: 7.5pt; } th, td { padding-right: 0.55rem; } .note { font-size: 9pt; }
  .plots { grid-template-columns: 1fr 1fr; } .table { overflow: visible; }
  .verdict, .warnings, .text, figure svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`.trim();
