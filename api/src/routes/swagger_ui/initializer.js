// Starts Swagger UI, and adds to it: operations in the order of use, code samples, links that open
// operations, failures of one line each, and a page that is signed in by the operation "Sign in".
// Nothing is stored: secrets are gone when the page closes.

// The example of the operation "Refresh the tokens", for which the last refresh token is sent.
const REFRESH_TOKEN_EXAMPLE = "Yb0yVYb5qW0lC1s1c3v2vT2Vd1kz3bq6yS4b8m2hQ1E";
const OPEN_GROUPS = ["auth", "videos", "watch history"];
let refreshToken = REFRESH_TOKEN_EXAMPLE;

function sendRefreshToken(request) {
  if (request.url.endsWith("/auth/refresh") && typeof request.body === "string") {
    request.body = request.body.replace(REFRESH_TOKEN_EXAMPLE, refreshToken);
  }
  return request;
}

function signIn(response) {
  if (response.ok && /\/auth\/(login|refresh)$/.test(response.url)) {
    const token = JSON.parse(response.text);
    refreshToken = token.refresh_token;
    const schema = ui.specSelectors.securityDefinitions().get("bearer");
    ui.authActions.authorizeOauth2({ auth: { name: "bearer", schema }, token });
  }
  return response;
}

// The document lists the operations of each group in the order of use.
function groups() {
  return ui.specSelectors.specJson().get("tags").toJS();
}

function compareOperations(one, other) {
  const order = groups().flatMap((group) => group["x-operations"]);
  const place = (operation) => order.indexOf(operation.getIn(["operation", "operationId"]));
  return place(one) - place(other);
}

// Not by the action `show`, which would add each of them to the history of the browser. A link to
// an operation opens that one alone.
function openFirstSteps() {
  if (location.hash.length > 2) return;
  const show = (...thing) => ui.getStore().dispatch({ type: "layout_show", payload: { thing, shown: true } });
  OPEN_GROUPS.forEach((group) => show("operations-tag", group));
  show("operations", "auth", "register");
}

const CodeSamples = () => ({
  wrapComponents: {
    parameters: (Parameters, { React }) => (props) => {
      const create = React.createElement;
      const samples = props.operation.get("x-codeSamples")?.toJS() ?? [];
      const details = samples.map(({ label, source }) =>
        create("details", { key: label }, create("summary", null, label), create("pre", null, source)),
      );
      const shown = create("div", { className: "code-samples" }, details);
      return create(React.Fragment, null, shown, create(Parameters, props));
    },
  },
});

// A link opens its operation.
const Links = () => ({
  wrapComponents: {
    operationLink: (_, { React, layoutActions }) => ({ link }) => {
      const id = link.get("operationId");
      const group = groups().find((group) => group["x-operations"].includes(id)).name;
      const open = (event) => {
        event.preventDefault();
        layoutActions.show(["operations-tag", group], true);
        layoutActions.show(["operations", group, id], true);
        document.querySelector(`.opblock[id$="-${id}"]`)?.scrollIntoView({ behavior: "smooth" });
      };
      const values = { ...link.get("parameters")?.toJS(), ...link.get("requestBody")?.toJS() };
      const lines = Object.entries(values).map(([name, value]) =>
        React.createElement("div", { key: name }, name, ": ", React.createElement("code", null, value)),
      );
      const href = `#/${encodeURIComponent(group)}/${id}`;
      return React.createElement("div", null, React.createElement("a", { href, onClick: open }, id), lines);
    },
  },
});

// A failure is one line until somebody opens it.
const ShortFailures = () => ({
  wrapComponents: {
    response: (Response, { React }) => (props) => {
      const [isOpen, setOpen] = React.useState(props.code < "400");
      if (isOpen) return React.createElement(Response, props);
      const create = React.createElement;
      const open = { type: "button", className: "failure", onClick: () => setOpen(true) };
      const text = props.response.get("description").replaceAll("`", "");
      const cell = create("td", { colSpan: 2 }, create("button", open, text));
      return create("tr", { className: "response" }, create("td", null, props.code), cell);
    },
  },
});

window.onload = () => {
  document.title = "Playhead API";
  window.ui = SwaggerUIBundle({
    url: "../openapi.json",
    dom_id: "#swagger-ui",
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [CodeSamples, Links, ShortFailures],
    layout: "BaseLayout",
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    filter: true,
    operationsSorter: compareOperations,
    tryItOutEnabled: true,
    persistAuthorization: false,
    // The badge would send this document to another server.
    validatorUrl: "none",
    requestInterceptor: sendRefreshToken,
    responseInterceptor: signIn,
    onComplete: openFirstSteps,
  });
};

// An earlier version stored the sign-in there, with the password.
try {
  localStorage.removeItem("authorized");
} catch {
  // The browser stores nothing.
}
