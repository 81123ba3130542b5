// Elements, made of text that stays text: nothing here takes HTML.
// @ts-check

/**
 * @typedef {Node | string | number | null | undefined | false} Child
 * @typedef {Record<string, unknown>} Attributes
 */

/**
 * An element. Attributes that begin with "on" are listeners; those that are null or false are left out.
 * @param {string} tag with classes behind dots, as "p.muted"
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name);
  if (classes.length) element.className = classes.join(" ");
  setAttributes(element, attributes);
  append(element, children);
  return element;
}

/**
 * The same of SVG.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {...(Child | Child[])} children
 * @returns {SVGElement}
 */
export function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(element, attributes);
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Attributes} attributes
 */
function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") {
      element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    } else if (name === "style" && typeof value === "object") {
      Object.assign(/** @type {HTMLElement} */ (element).style, value);
    } else if (name === "data" && typeof value === "object") {
      Object.assign(/** @type {HTMLElement} */ (element).dataset, value);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

/**
 * @param {Element} element
 * @param {(Child | Child[])[]} children
 */
export function append(element, children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/**
 * Puts other children into an element.
 * @param {Element} element
 * @param {...(Child | Child[])} children
 */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * A picture of the server's, as nodes. It is read as XML, in which nothing runs.
 * @param {string} address
 * @returns {Promise<SVGElement>}
 */
export function picture(address) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document";
    request.overrideMimeType("image/svg+xml");
    request.onload = () => {
      const root = /** @type {Element | undefined} */ (request.responseXML?.documentElement);
      if (request.status !== 200 || root?.nodeName !== "svg") {
        reject(new Error(`there is no picture (${request.status})`));
        return;
      }
      root.querySelectorAll("script, foreignObject").forEach((one) => one.remove());
      resolve(/** @type {SVGElement} */ (document.importNode(root, true)));
    };
    request.onerror = () => reject(new Error("gotrace does not answer; does it still run?"));
    request.send();
  });
}
