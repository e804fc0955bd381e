// Shows a page that says so when there is no network. Nothing of the records is kept here.
const KEPT = "offline-{version}";
const STATIC = "/static/{version}/";

addEventListener("message", (event) => {
  const page = event.data?.offline;
  if (typeof page === "string" && page.startsWith("/")) event.waitUntil(keep(page));
});

async function keep(page) {
  const kept = await caches.open(KEPT);
  await kept.addAll([page, ...["app.css", "pages.css", "theme.js", "offline.js", "mark.svg", "icons.svg"].map((name) => STATIC + name)]);
}

addEventListener("install", () => skipWaiting());

addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("offline-") && name !== KEPT) await caches.delete(name);
  await clients.claim();
})()));

addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (address.origin !== location.origin) return;
  if (event.request.mode === "navigate" && event.request.method === "GET") event.respondWith(page(event.request, address));
  else if (address.pathname.startsWith(STATIC)) event.respondWith(file(event.request));
});

async function page(request, address) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(KEPT)).match(`/${address.pathname.split("/")[1]}/my-offline`);
    if (kept) return kept;
    throw error;
  }
}

async function file(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await caches.match(request);
    if (kept) return kept;
    throw error;
  }
}
