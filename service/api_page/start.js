// Swagger UI of the OpenAPI document; a key is kept in memory only.
SwaggerUIBundle({ url: "openapi.json", dom_id: "#endpoints", deepLinking: true, validatorUrl: null });
