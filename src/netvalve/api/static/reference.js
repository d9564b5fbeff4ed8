/*
 * The reference page. An operation has an address of its own,
 * /api#tag/Payment-Service/operation/saleOperation, which Swagger UI writes as
 * #/Payment%20Service/saleOperation: addresses are translated both ways.
 */
(() => {
  "use strict";

  const OURS = /^#tag\/([^/]+)(?:\/operation\/(.+))?$/;
  const SWAGGERS = /^#\/([^/]+)(?:\/(.+))?$/;

  const toSwaggers = (hash) => {
    const [, tag, operation] = OURS.exec(hash) ?? [];
    if (!tag) return null;
    const name = encodeURIComponent(decodeURIComponent(tag).replaceAll("-", " "));
    return operation ? `#/${name}/${operation}` : `#/${name}`;
  };

  const toOurs = (hash) => {
    const [, tag, operation] = SWAGGERS.exec(hash) ?? [];
    if (!tag) return null;
    const name = decodeURIComponent(tag).replaceAll(" ", "-");
    return operation ? `#tag/${name}/operation/${operation}` : `#tag/${name}`;
  };

  const readdress = (translated) => {
    if (translated) history.replaceState(history.state, "", translated);
  };

  const addresses = () => ({
    statePlugins: {
      layout: {
        wrapActions: {
          show: (show) => (...thing) => {
            const shown = show(...thing);
            readdress(toOurs(location.hash));
            return shown;
          },
        },
      },
    },
  });

  readdress(toSwaggers(location.hash));

  const ui = SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    persistAuthorization: false,
    validatorUrl: null,
    plugins: [addresses],
  });

  addEventListener("hashchange", () => {
    const theirs = toSwaggers(location.hash);
    if (theirs) ui.getSystem().layoutActions.parseDeepLinkHash(theirs.slice(1));
  });
})();
