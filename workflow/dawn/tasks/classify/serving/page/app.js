"use strict";

const element = (id) => document.getElementById(id);
const percent = (p) => `${(100 * p).toFixed(1)} %`;
const LARGEST = 20; // classes in the table
let about = null;
let latest = 0; // number of the newest request; answers to older ones are dropped

async function ask(path, body) {
  const options = body ? { method: "POST", body, headers: { "X-Dawn": "1" } } : {};
  const response = await fetch(path, options);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

function upload(file) {
  const form = new FormData();
  form.append("image", file);
  return form;
}

function cell(row, content) {
  const td = document.createElement("td");
  td.append(content);
  row.append(td);
}

function showClasses(answer) {
  const spread = answer.agreement === null ? ""
    : `, ± ${(100 * answer.std).toFixed(1)} over ${about.networks.length} networks, of which ${percent(answer.agreement)} agree`;
  element("answer").textContent = `${answer.class} (${percent(answer.probabilities[0][1])}${spread})`;
  const rows = answer.probabilities.slice(0, LARGEST).map(([name, p]) => {
    const row = document.createElement("tr");
    const bar = document.createElement("div");
    bar.className = "bar";
    bar.style.width = percent(p).replace(" ", "");
    cell(row, name);
    cell(row, percent(p));
    cell(row, bar);
    row.lastChild.setAttribute("aria-hidden", "true");
    return row;
  });
  element("probabilities").tBodies[0].replaceChildren(...rows);
}

function showNearest(neighbours) {
  const items = neighbours.map((one) => {
    const item = document.createElement("li");
    const image = document.createElement("img");
    image.src = one.image;
    image.className = "pixels";
    image.alt = `train image ${one.index}, ${one.label}`;
    const text = document.createElement("span");
    text.textContent = `${one.label}, ${one.similarity.toFixed(3)}`;
    item.append(image, text);
    return item;
  });
  element("nearest").replaceChildren(...items);
}

async function findNearest(file, mine) {
  element("nearest").replaceChildren();
  if (!about.compared) {
    element("nearest-status").textContent = "The train images are not here; start the server with --data.";
    return;
  }
  element("nearest-status").textContent = "Comparing with the train images; the first time takes a while.";
  const answer = await ask("/nearest", upload(file));
  if (mine !== latest) return;
  const part = about.compared < about.train_images ? `${about.compared} of the ${about.train_images}` : `all ${about.train_images}`;
  element("nearest-status").textContent =
    `By the cosine between the inputs of the last linear layer of the first network, among ${part} train images.`;
  showNearest(answer.neighbours);
}

function fail(error) {
  element("status").textContent = "";
  element("error").textContent = error.message;
}

async function classify(file, mine) {
  element("error").textContent = "";
  element("status").textContent = "Classifying…";
  if (file.size > about.upload_mib * 2 ** 20) throw new Error(`the file is larger than ${about.upload_mib} MiB`);
  const answer = await ask("/predict", upload(file));
  if (mine !== latest) return;
  URL.revokeObjectURL(element("given").src);
  element("given").src = URL.createObjectURL(file);
  element("seen").src = answer.seen;
  showClasses(answer);
  element("result").hidden = false;
  element("status").textContent = `${file.name || "The image"}: ${answer.class}`;
  await findNearest(file, mine);
}

function take(file) {
  if (!file || !about) return;
  const mine = ++latest;
  element("result").hidden = true;
  classify(file, mine).catch((error) => mine === latest && fail(error));
}

async function takeExample() {
  const number = Math.floor(Math.random() * about.examples);
  const response = await fetch(`/example/${number}`);
  take(new File([await response.blob()], `test image ${number}`, { type: "image/png" }));
}

function listen() {
  const drop = element("drop");
  element("file").addEventListener("change", (event) => take(event.target.files[0]));
  element("example").addEventListener("click", () => takeExample().catch(fail));
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    });
  }
  document.addEventListener("drop", (event) => take(event.dataTransfer.files[0]));
  document.addEventListener("paste", (event) => take(event.clipboardData.files[0]));
}

async function start() {
  about = await ask("/about");
  const { size, final_size: final, resize } = about.preprocessing;
  const whole = resize === "crop" ? "its centred square" : "all of it";
  element("about").textContent = `${about.networks.join(", ")}: ${about.classes.length} classes`;
  element("seen-caption").textContent = `${whole}, at ${size} × ${size} pixels${final === size ? "" : `, then ${final} × ${final}`}`;
  element("limit").textContent = about.upload_mib;
  element("example").hidden = !about.examples;
  listen();
}

start().catch(fail);
