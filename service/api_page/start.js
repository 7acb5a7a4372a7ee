// The OpenAPI document, to read and to try; a key that is given is held in memory only.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#endpoints", deepLinking: true, validatorUrl: null });
