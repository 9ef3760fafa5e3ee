import { openApiOf } from './model-openapi.js';
import type { LiveRoute } from '../data-plane/route-book.js';
import type { ServingVersion } from '../data-plane/serving-version.js';

const escaped = (text: string): string => text.replace(/[&<>"']/gu, (sign) => `&#${sign.charCodeAt(0)};`);
/** For a text inside single quotes of a shell. */
const shellQuoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** A request that this version answers: what people copy, and what the OpenAPI example says. */
export function exampleRequest(version: ServingVersion): { path: 'predict' | 'infer'; body: object } {
  if (version.isTabular) {
    const features = Object.fromEntries(version.tabular().layout.features.map(({ name, type }) => [name, type === 'number' ? 0 : 'text']));
    return { path: 'predict', body: { instances: [{ id: 'try-1', features }] } };
  }
  const inputs = version.inputs.map(({ name, datatype, shape }) => {
    const dims = shape.map((dim) => (dim === -1 ? 1 : dim));
    const count = dims.reduce((product, dim) => product * dim, 1);
    const element = datatype === 'BYTES' ? 'text' : datatype === 'BOOL' ? false : 0;
    return { name, shape: dims, datatype, data: new Array<unknown>(Math.min(count, 10_000)).fill(element) };
  });
  return { path: 'infer', body: { inputs } };
}

export function modelDocument(model: string, live: LiveRoute): object {
  return openApiOf(model, live.champion, exampleRequest(live.champion).body);
}

const tensorRows = (kind: string, tensors: readonly { name: string; datatype: string; shape: readonly number[] }[]): string =>
  tensors.map(({ name, datatype, shape }) => `<tr><td>${kind}</td><td><code>${escaped(name)}</code></td><td>${datatype}</td><td>[${shape.map((dim) => (dim === -1 ? 'any' : dim)).join(', ')}]</td></tr>`).join('\n');

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:58rem;margin:2rem auto;padding:0 1rem;color:#1c2733}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #d9e0e6;padding:.3rem .6rem;text-align:left}
pre,textarea{font:13px/1.45 ui-monospace,monospace;background:#f4f6f8;border:1px solid #d9e0e6;border-radius:6px;padding:.7rem;width:100%;box-sizing:border-box;overflow:auto;white-space:pre-wrap}
textarea{min-height:9rem}button{font:inherit;padding:.3rem .9rem;border:1px solid #33658a;background:#33658a;color:#fff;border-radius:6px;cursor:pointer}`;

const script = (url: string): string => `const out=document.getElementById('answer');
document.getElementById('ask').onclick=async()=>{out.textContent='…';try{const started=performance.now();
const answer=await fetch(${JSON.stringify(url)},{method:'POST',body:document.getElementById('body').value});
const text=await answer.text();out.textContent=answer.status+' after '+(performance.now()-started).toFixed(1)+' ms\\n'+JSON.stringify(JSON.parse(text),null,2)}catch(error){out.textContent=String(error)}};
document.getElementById('copy').onclick=()=>navigator.clipboard.writeText(document.getElementById('curl').textContent);`;

/** One page per model, generated from its signature: what it takes and gives, a curl to copy, and a form to try it. Loads nothing from elsewhere. */
export function modelPage(model: string, live: LiveRoute, origin: string): string {
  const { champion } = live;
  const { path, body } = exampleRequest(champion);
  const url = path === 'predict' ? `/v1/models/${encodeURIComponent(model)}/predict` : `/v2/models/${encodeURIComponent(model)}/infer`;
  const curl = `curl -s ${origin}${url} -H 'content-type: application/json' -d ${shellQuoted(JSON.stringify(body))}`;
  const explain = champion.isTabular ? `<h2>Ask it why</h2><p>Which features made an answer, and how much each:</p><pre>${escaped(curl.replace('/predict ', '/explain '))}</pre>` : '';
  const signature = champion.meaning.signature;
  const task = signature === null ? 'tensors in, tensors out' : `${signature.task}${signature.classes.length > 0 ? `: ${signature.classes.map(escaped).join(', ')}` : ''}`;
  const safeScript = script(url).replaceAll('</', '<\\/');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(model)} · Millrace</title><style>${style}</style>
<h1>${escaped(model)}</h1><p>Version <b>${escaped(champion.version)}</b> answers (${task}). Versions in service: ${[...live.versions.keys()].map(escaped).join(', ')}. <a href="openapi.json">OpenAPI</a></p>
<h2>Tensors</h2><table><tr><th></th><th>name</th><th>datatype</th><th>shape</th></tr>${tensorRows('in', champion.inputs)}${tensorRows('out', champion.outputs)}</table>
<h2>Ask it from a shell</h2><pre id="curl">${escaped(curl)}</pre><button id="copy">Copy</button>
${explain}<h2>Try it here</h2><textarea id="body" spellcheck="false">${escaped(JSON.stringify(body, null, 2))}</textarea><p><button id="ask">POST ${escaped(url)}</button></p><pre id="answer">–</pre>
<script>${safeScript}</script></html>`;
}
