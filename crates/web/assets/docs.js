// Addresses are relative to this page: an API without a domain of its own lives below its stage, /dev/docs.
const base = new URL('.', document.baseURI);

async function show() {
  const answer = await fetch(new URL('v1/openapi.json', base));
  if (!answer.ok) throw new Error(`the API document answered ${answer.status}`);
  const document_ = await answer.json();
  document_.servers = [{ url: base.href.replace(/\/$/, '') }];
  await customElements.whenDefined('rapi-doc');
  await document.querySelector('rapi-doc').loadSpec(document_);
}

show().catch((cause) => {
  const said = document.createElement('p');
  said.className = 'failed';
  said.textContent = `The documentation could not be shown: ${cause.message}.`;
  document.body.replaceChildren(said);
});
