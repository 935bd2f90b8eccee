/** What a run's report needs beside the page's own style: the answer, folded tables, texts side by side, keyboard focus. */
export const reportStyle: string = `
.skip { position: absolute; left: -100vw; } .skip:focus { left: 0.5rem; top: 0.5rem; background: var(--paper); padding: 0.5rem; z-index: 1; }
:focus-visible { outline: 2px solid var(--native); outline-offset: 2px; }
.answer { border-left: 4px solid var(--native); background: var(--panel); padding: 0.25rem 1rem 0.6rem; max-width: 48rem; margin: 1.25rem 0; }
.answer h2 { border: 0; margin: 0; padding: 0.4rem 0 0; font-size: 1.1rem; }
.answer ol { margin: 0.25rem 0 0; padding-left: 1.4rem; } .answer li { margin: 0.35rem 0; }
nav { margin-top: 1.5rem; } dd { overflow-wrap: anywhere; }
figure { min-width: 0; } figure.wide { grid-column: 1 / -1; } figure.panels { grid-column: 1 / -1; } figure.panels svg { max-width: 60rem; }
details { max-width: 100%; } summary { cursor: pointer; padding: 0.35rem 0; min-height: 1.5rem; }
details .table { max-height: 28rem; overflow: auto; margin: 0.25rem 0; } .table table { margin-right: 1rem; }
details thead th { position: sticky; top: 0; background: var(--paper); }
.side-by-side { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr)); gap: 0.75rem; margin: 0.5rem 0 1.75rem; }
.side-by-side h4 { margin: 0; font-size: 0.85rem; color: var(--soft); font-weight: 600; }
.shuffled-text { border-color: var(--half); }
@media print { .skip { display: none; } details:not([open]) { display: none; } figure.wide table { font-size: 6.5pt; }
  section { break-inside: auto; } .answer { print-color-adjust: exact; -webkit-print-color-adjust: exact; } a[download] { display: none; } }
`.trim();
